//! PostgreSQL: a pool of writer threads with one connection each, and a pool of connections for
//! reading on the thread that asks.
//!
//! Writes run at READ COMMITTED: unique keys, checks and row locks carry the invariants. Reads
//! run at REPEATABLE READ, READ ONLY: one snapshot. The driver blocks on a runtime of its own, so
//! nothing here may run on a thread that runs async tasks; `spawn_blocking` is fine.

mod connect;
mod tls;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ::postgres::error::SqlState;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, Statement};

pub(crate) use self::connect::{Address, without_password};
use crate::error::{OpenError, StoreError};
use crate::pending::Work;
use crate::pool::Pool;
use crate::queue::{Queue, Refused};
use crate::row::{Columns, Row, beginning};
use crate::tx::{On, Tx};
use crate::value::Value;
use crate::{Counters, Options};

/// How often work is run at most when other transactions are in its way.
const TRIES_MAX: u32 = 10;

/// How often work is run at most when connections break under it before COMMIT.
const CONNECTIONS_MAX: u32 = 3;

/// The longest wait before work is tried again.
const BACK_OFF_MAX: Duration = Duration::from_millis(100);

pub(crate) struct PostgresStore {
    address: Arc<Address>,
    queue: Arc<Queue<Box<dyn Work>>>,
    writers: Vec<JoinHandle<()>>,
    readers: Pool<PostgresConnection>,
}

impl PostgresStore {
    /// Connects once, to find out early whether the database can be used.
    pub(crate) fn open(
        url: &str,
        options: &Options,
        counters: &Arc<Counters>,
    ) -> Result<Self, OpenError> {
        let address = Arc::new(Address::parse(url)?);
        crate::off_async(|| address.open().map(drop))?;
        let queue = Arc::new(Queue::new(options.queue));
        let mut store = Self {
            address: Arc::clone(&address),
            queue: Arc::clone(&queue),
            writers: Vec::new(),
            readers: Pool::new(options.connections),
        };
        for number in 0..options.connections.max(1) {
            let mut writer = Writer {
                address: Arc::clone(&address),
                connection: None,
                counters: Arc::clone(counters),
            };
            let queue = Arc::clone(&queue);
            let started = std::thread::Builder::new()
                .name(format!("store-writer-{number}"))
                .spawn(move || writer.write_until_closed(&queue));
            store.writers.push(started.map_err(|error| OpenError::Unusable {
                url: without_password(url),
                message: format!("no thread for writing: {error}"),
            })?);
        }
        Ok(store)
    }

    /// Hands `work` to the next free writer.
    pub(crate) fn submit(&self, work: Box<dyn Work>) {
        if let Err((mut refused, why)) = self.queue.push(work) {
            refused.fail(match why {
                Refused::Full => StoreError::Busy,
                Refused::Closed => StoreError::Closed,
            });
            refused.answer();
        }
    }

    /// Runs `work` in a read-only transaction on this thread.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // The driver would panic on such a thread too, but half way through.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.block_on(std::future::ready(()));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let mut lease = self.readers.take(|| self.address.connect())?;
            let began = lease.connection().run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            match began {
                // The server may have closed a connection that was idle.
                Err(StoreError::Unavailable { .. }) if tries < CONNECTIONS_MAX => continue,
                Err(error) => return Err(error.into()),
                Ok(()) => {}
            }
            let mut tx = lease.connection().transaction();
            let answer = work(&mut tx);
            let failed = tx.failed().cloned();
            if lease.connection().run("ROLLBACK").is_ok() {
                lease.give_back();
            }
            return match (answer, failed) {
                (Ok(_), Some(error)) => Err(error.into()),
                (answer, _) => answer,
            };
        }
    }

    /// Runs `work` on a connection of its own, outside of any transaction, wherever it is called.
    pub(crate) fn with_connection<T: Send>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, OpenError> + Send,
    ) -> Result<T, OpenError> {
        crate::off_async(|| work(&mut self.address.open()?.client))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.queue.close();
        self.writers.drain(..).for_each(|writer| crate::join(Some(writer)));
        let idle = self.readers.drain();
        if !idle.is_empty() {
            crate::off_async(|| drop(idle));
        }
    }
}

/// One writer thread.
struct Writer {
    address: Arc<Address>,
    connection: Option<PostgresConnection>,
    counters: Arc<Counters>,
}

/// What to do with work that was run once.
enum Ran {
    /// It has its answer.
    Answered,
    /// Nothing was committed, because of this: run it again.
    Again(StoreError),
}

impl Writer {
    fn write_until_closed(&mut self, queue: &Queue<Box<dyn Work>>) {
        while let Some(mut work) = queue.pop(1).pop() {
            self.counters.writes.fetch_add(1, Ordering::Relaxed);
            self.run(work.as_mut());
            work.answer();
        }
    }

    fn run(&mut self, work: &mut dyn Work) {
        let (mut tries, mut lost) = (0, 0);
        loop {
            let Ran::Again(error) = self.run_once(work) else { return };
            tries += 1;
            if matches!(error, StoreError::Unavailable { .. }) {
                lost += 1;
                self.connection = None;
            }
            if TRIES_MAX <= tries || CONNECTIONS_MAX <= lost {
                return work.replace(error);
            }
            self.counters.retries.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(back_off(tries));
        }
    }

    fn run_once(&mut self, work: &mut dyn Work) -> Ran {
        if self.connection.is_none() {
            match self.address.connect() {
                Ok(connection) => self.connection = Some(connection),
                Err(error) => {
                    work.replace(error);
                    return Ran::Answered;
                }
            }
        }
        let connection = self.connection.as_mut().expect("connected above");
        if let Err(error) = connection.run("BEGIN ISOLATION LEVEL READ COMMITTED") {
            return Ran::Again(error);
        }
        let mut tx = connection.transaction();
        let keep = work.run(&mut tx);
        let failed = tx.failed().cloned();
        match failed {
            Some(error @ (StoreError::Contended | StoreError::Unavailable { .. })) => {
                self.roll_back();
                Ran::Again(error)
            }
            _ if !keep => {
                self.roll_back();
                Ran::Answered
            }
            _ => self.commit(work),
        }
    }

    fn commit(&mut self, work: &mut dyn Work) -> Ran {
        let connection = self.connection.as_mut().expect("a transaction is open on it");
        let Err(error) = connection.client.batch_execute("COMMIT") else {
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
            return Ran::Answered;
        };
        match error.code().map(SqlState::code) {
            Some("40001" | "40P01") => {
                self.roll_back();
                Ran::Again(StoreError::Contended)
            }
            // A constraint that is checked at COMMIT: rolled back for certain.
            Some(code) if code.starts_with("23") => {
                self.roll_back();
                work.replace(store_error(&error));
                Ran::Answered
            }
            _ => {
                self.connection = None;
                work.replace(StoreError::CommitUnknown { message: describe(&error) });
                Ran::Answered
            }
        }
    }

    /// Ends the transaction; a connection that cannot do that is not used again.
    fn roll_back(&mut self) {
        if self.connection.as_mut().is_some_and(|open| open.run("ROLLBACK").is_err()) {
            self.connection = None;
        }
    }
}

/// Twice as long for each try, up to a limit, and between half and all of that, so that those
/// who got in each other's way do not do so again.
fn back_off(tries: u32) -> Duration {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let whole = BACK_OFF_MAX.min(Duration::from_millis(1 << tries.min(10)));
    let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
    // SplitMix64's output function over a counter.
    let mut z = COUNTER.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Duration::from_micros(micros / 2 + (z ^ (z >> 31)) % (micros / 2))
}

/// A connection and the statements prepared on it.
pub(crate) struct PostgresConnection {
    pub(crate) client: Client,
    statements: Statements,
}

/// Prepared statements by the place of their text in the program.
type Statements = HashMap<(usize, usize), (Statement, Columns)>;

impl PostgresConnection {
    fn transaction(&mut self) -> Tx<'_> {
        let Self { client, statements } = self;
        Tx::new(On::Postgres(PgTx { client, statements }))
    }

    fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(|error| store_error(&error))
    }
}

/// PostgreSQL's half of [`Tx`].
pub(crate) struct PgTx<'a> {
    client: &'a mut Client,
    statements: &'a mut Statements,
}

impl PgTx<'_> {
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, StoreError> {
        let (statement, _) = self.prepare(sql)?;
        self.client.execute(&statement, &by_reference(params)).map_err(|error| store_error(&error))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let (statement, columns) = self.prepare(sql)?;
        let found = self.client.query(&statement, &by_reference(params));
        let found = found.map_err(|error| store_error(&error))?;
        let read = |row: &::postgres::Row| {
            let values = columns.iter().enumerate().map(|(at, column)| {
                row.try_get(at).map_err(|error| StoreError::Inconsistent {
                    column: column.to_string(),
                    problem: describe(&error),
                    statement: beginning(sql),
                })
            });
            Ok(Row::new(values.collect::<Result<_, _>>()?, Arc::clone(&columns), sql))
        };
        found.iter().map(read).collect()
    }

    fn prepare(&mut self, sql: &'static str) -> Result<(Statement, Columns), StoreError> {
        let place = (sql.as_ptr() as usize, sql.len());
        if let Some((statement, columns)) = self.statements.get(&place) {
            return Ok((statement.clone(), Arc::clone(columns)));
        }
        let statement = self.client.prepare(sql).map_err(|error| store_error(&error))?;
        let names: Vec<Box<str>> = statement.columns().iter().map(|c| c.name().into()).collect();
        let columns: Columns = names.into();
        self.statements.insert(place, (statement.clone(), Arc::clone(&columns)));
        Ok((statement, columns))
    }
}

fn by_reference(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(n), &Type::INT8) => n.to_sql(ty, out),
            (Self::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            _ => Err(format!("a parameter is of type {ty}; CAST it in the statement").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|n| Self::Int(n.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(|yes| Self::Int(yes.into())),
            Type::TEXT | Type::VARCHAR | Type::NAME => String::from_sql(ty, raw).map(Self::Text),
            Type::BYTEA => Vec::<u8>::from_sql(ty, raw).map(Self::Bytes),
            _ => Err(format!("is of type {ty}; CAST it to BIGINT or TEXT").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What an error of the driver means for the transaction it happened in, before COMMIT.
fn store_error(error: &::postgres::Error) -> StoreError {
    let message = describe(error);
    let Some(code) = error.code().map(SqlState::code) else {
        let from_socket =
            std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        let lost = error.is_closed() || from_socket;
        return if lost {
            StoreError::Unavailable { message }
        } else {
            StoreError::Driver { message }
        };
    };
    match code {
        "40001" | "40P01" => StoreError::Contended,
        // A lock was not there in time.
        "55P03" => StoreError::Busy,
        "25006" => StoreError::ReadOnly,
        // Shut down, starting up, idle for too long, too many connections.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => {
            StoreError::Unavailable { message }
        }
        _ if code.starts_with("08") => StoreError::Unavailable { message },
        _ if code.starts_with("23") => StoreError::Constraint { message },
        _ => StoreError::Driver { message },
    }
}

/// The driver's words, with what the server said, and without the values of any row.
fn describe(error: &::postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
