//! SQLite: one writer thread with group commit, and a pool of read-only connections.
//!
//! The one place where a statement is rewritten: SQLite reads `?1` where PostgreSQL reads `$1`,
//! and has no `FOR UPDATE` (or `FOR UPDATE SKIP LOCKED`), which is left out: its writer is alone,
//! so every row is locked anyway. Statements must not use `$` for anything else.
//!
//! `sqlite::memory:` is one connection for reading and writing behind a lock. Work runs on the
//! thread that asks for it, before [`crate::Store::write`] returns: the same calls in the same
//! order give the same database, which the simulation needs.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::error::{OpenError, StoreError};
use crate::pending::Work;
use crate::pool::Pool;
use crate::queue::{Queue, Refused};
use crate::row::{Columns, Row, beginning};
use crate::tx::{On, Tx};
use crate::value::Value;
use crate::{Counters, Options};

/// The oldest SQLite that does not lose commits when a checkpoint meets a writer.
const OLDEST: i32 = 3_051_003;

/// How many pieces of work share a commit at most, so that the first does not wait for long.
const BATCH_MAX: usize = 256;

/// How many prepared statements a connection keeps: more than there are in the program.
const STATEMENTS_MAX: usize = 1024;

/// A database in a file, or one in memory.
pub(crate) enum SqliteStore {
    File {
        path: PathBuf,
        busy_timeout: Duration,
        queue: Arc<Queue<Box<dyn Work>>>,
        writer: Option<JoinHandle<()>>,
        readers: Pool<SqliteConnection>,
    },
    Memory {
        connection: Mutex<SqliteConnection>,
        counters: Arc<Counters>,
    },
}

impl SqliteStore {
    /// Opens or creates the file at `path`; `:memory:` for none.
    pub(crate) fn open(
        path: &str,
        options: &Options,
        counters: Arc<Counters>,
    ) -> Result<Self, OpenError> {
        if rusqlite::version_number() < OLDEST {
            return Err(OpenError::SqliteTooOld { found: rusqlite::version().to_owned() });
        }
        let unusable = |error: rusqlite::Error| OpenError::Unusable {
            url: format!("sqlite:{path}"),
            message: error.to_string(),
        };
        if path == ":memory:" {
            let connection = SqliteConnection::memory().map_err(unusable)?;
            return Ok(Self::Memory { connection: Mutex::new(connection), counters });
        }
        create_private(Path::new(path))?;
        let connection =
            SqliteConnection::writer(path.as_ref(), options.busy_timeout).map_err(unusable)?;
        let queue = Arc::new(Queue::new(options.queue));
        let work = Arc::clone(&queue);
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_until_closed(connection, &work, &counters))
            .map_err(|error| OpenError::Unusable {
                url: format!("sqlite:{path}"),
                message: format!("no thread for writing: {error}"),
            })?;
        Ok(Self::File {
            path: path.into(),
            busy_timeout: options.busy_timeout,
            queue,
            writer: Some(writer),
            readers: Pool::new(options.connections),
        })
    }

    /// Hands `work` to the writer.
    pub(crate) fn submit(&self, work: Box<dyn Work>) {
        match self {
            Self::Memory { connection, counters } => {
                let _inside = Inside::enter();
                let mut batch = vec![work];
                // A database in memory has no disk that could fail.
                let _no_disk = run_batch(&mut lock(connection), &mut batch, counters);
                batch.into_iter().for_each(Work::answer);
            }
            Self::File { queue, .. } => {
                if let Err((mut refused, why)) = queue.push(work) {
                    refused.fail(match why {
                        Refused::Full => StoreError::Busy,
                        Refused::Closed => StoreError::Closed,
                    });
                    refused.answer();
                }
            }
        }
    }

    /// Runs `work` in a read-only transaction on this thread.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Memory { connection, .. } => {
                let _inside = Inside::enter();
                read_on(&mut lock(connection), work)
            }
            Self::File { path, busy_timeout, readers, .. } => {
                let open = || SqliteConnection::reader(path, *busy_timeout).map_err(store_error);
                let mut lease = readers.take(open)?;
                let answer = read_on(lease.connection(), work);
                if lease.connection().connection.is_autocommit() {
                    lease.give_back();
                }
                answer
            }
        }
    }

    /// Runs `work` on a connection that may write, outside of any transaction.
    pub(crate) fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        match self {
            Self::Memory { connection, .. } => work(&lock(connection).connection),
            Self::File { path, busy_timeout, .. } => {
                let opened = SqliteConnection::writer(path, *busy_timeout);
                let opened = opened.map_err(|error| OpenError::Unusable {
                    url: format!("sqlite:{}", path.display()),
                    message: error.to_string(),
                })?;
                work(&opened.connection)
            }
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Self::File { queue, writer, .. } = self {
            queue.close();
            crate::join(writer.take());
        }
    }
}

/// Creates the file so that only its owner may read it: it holds what customers bought.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| OpenError::Unusable {
        url: format!("sqlite:{}", path.display()),
        message: format!("{error}; the directory must exist and be writable"),
    })
}

/// A connection and the statements it has seen.
pub(crate) struct SqliteConnection {
    connection: Connection,
    texts: HashMap<(usize, usize), Arc<Text>>,
}

struct Text {
    sql: String,
    columns: OnceLock<Columns>,
}

impl SqliteConnection {
    fn memory() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self::new(connection))
    }

    fn writer(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
        Ok(Self::new(connection))
    }

    fn reader(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        Ok(Self::new(connection))
    }

    fn new(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self { connection, texts: HashMap::new() }
    }

    fn transaction(&mut self, read_only: bool) -> (&Connection, Tx<'_>) {
        let Self { connection, texts } = self;
        let connection = &*connection;
        (connection, Tx::new(On::Sqlite(SqliteTx { connection, texts, read_only })))
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// SQLite's half of [`Tx`].
pub(crate) struct SqliteTx<'a> {
    connection: &'a Connection,
    texts: &'a mut HashMap<(usize, usize), Arc<Text>>,
    read_only: bool,
}

impl SqliteTx<'_> {
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, StoreError> {
        let (_, mut statement) = self.prepare(sql)?;
        let changed = statement.execute(params_from_iter(params)).map_err(store_error)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let (text, mut statement) = self.prepare(sql)?;
        let columns = text
            .columns
            .get_or_init(|| statement.column_names().map(Into::into).collect::<Vec<_>>().into());
        let mut found = statement.query(params_from_iter(params)).map_err(store_error)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(store_error)? {
            let mut values = Vec::with_capacity(columns.len());
            for (at, column) in columns.iter().enumerate() {
                let value = row.get_ref(at).map_err(store_error)?;
                values.push(read_value(value).ok_or_else(|| StoreError::Inconsistent {
                    column: column.to_string(),
                    problem: "is neither a whole number, text nor bytes".into(),
                    statement: beginning(sql),
                })?);
            }
            rows.push(Row::new(values, Arc::clone(columns), sql));
        }
        Ok(rows)
    }

    fn prepare(
        &mut self,
        sql: &'static str,
    ) -> Result<(Arc<Text>, rusqlite::CachedStatement<'_>), StoreError> {
        let place = (sql.as_ptr() as usize, sql.len());
        let text = self
            .texts
            .entry(place)
            .or_insert_with(|| Arc::new(Text { sql: rewrite(sql), columns: OnceLock::new() }));
        let text = Arc::clone(text);
        let statement = self.connection.prepare_cached(&text.sql).map_err(store_error)?;
        if self.read_only && !statement.readonly() {
            return Err(StoreError::ReadOnly);
        }
        Ok((text, statement))
    }
}

/// PostgreSQL's text as SQLite reads it; see the top of this file.
fn rewrite(sql: &str) -> String {
    sql.replace("FOR UPDATE SKIP LOCKED", "").replace("FOR UPDATE", "").replace('$', "?")
}

fn read_value(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(n) => Some(Value::Int(n)),
        ValueRef::Text(text) => Some(Value::Text(String::from_utf8(text.to_vec()).ok()?)),
        ValueRef::Blob(bytes) => Some(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => None,
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The disk failed at COMMIT: what is on it is not known, so nothing more may be written.
struct DiskFailed;

fn write_until_closed(
    mut connection: SqliteConnection,
    queue: &Queue<Box<dyn Work>>,
    counters: &Counters,
) {
    loop {
        let mut batch = queue.pop(BATCH_MAX);
        if batch.is_empty() {
            return;
        }
        let ran = run_batch(&mut connection, &mut batch, counters);
        if ran.is_err() {
            tracing::error!("the disk failed at COMMIT; no more writes until a restart");
            queue.close();
        }
        batch.into_iter().for_each(Work::answer);
        if ran.is_err() {
            let mut left = queue.pop(usize::MAX);
            left.iter_mut().for_each(|work| work.fail(StoreError::Closed));
            left.into_iter().for_each(Work::answer);
            return;
        }
    }
}

/// Runs the batch in one transaction, each piece in a savepoint of its own, and commits once.
fn run_batch(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Work>],
    counters: &Counters,
) -> Result<(), DiskFailed> {
    let worked = connection
        .run("BEGIN IMMEDIATE")
        .and_then(|()| batch.iter_mut().try_for_each(|work| run_one(connection, work.as_mut())))
        .map_err(store_error);
    let committed = match worked {
        Err(error) => Err(error),
        Ok(()) => connection.run("COMMIT").map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => {
                StoreError::CommitUnknown { message: error.to_string() }
            }
            _ => store_error(error),
        }),
    };
    counters.writes.fetch_add(batch.len() as u64, Ordering::Relaxed);
    let Err(error) = committed else {
        counters.commits.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    };
    if !connection.connection.is_autocommit() {
        let rolled_back = connection.run("ROLLBACK");
        tracing::warn!(%error, ?rolled_back, "a batch of writes was rolled back");
    }
    batch.iter_mut().for_each(|work| work.fail(error.clone()));
    if matches!(error, StoreError::CommitUnknown { .. }) { Err(DiskFailed) } else { Ok(()) }
}

/// An error means that the whole transaction is lost, not just this piece of work.
fn run_one(connection: &mut SqliteConnection, work: &mut dyn Work) -> rusqlite::Result<()> {
    connection.run("SAVEPOINT work")?;
    let (inside, mut tx) = connection.transaction(false);
    let keep = work.run(&mut tx);
    let failed = tx.failed().cloned();
    if inside.is_autocommit() {
        // A full disk or an I/O error makes SQLite roll back by itself; then there is nothing
        // left to release, and nothing may run as if there were.
        let message = failed.map_or_else(|| "rolled back".to_owned(), |error| error.to_string());
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT);
        return Err(rusqlite::Error::SqliteFailure(code, Some(message)));
    }
    if !keep {
        connection.run("ROLLBACK TO work")?;
    }
    connection.run("RELEASE work")
}

fn read_on<T, E: From<StoreError>>(
    connection: &mut SqliteConnection,
    mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    connection.run("BEGIN").map_err(store_error)?;
    let (inside, mut tx) = connection.transaction(true);
    let _rolled_back = RollBack(inside);
    let answer = work(&mut tx)?;
    tx.failed().cloned().map_or(Ok(answer), |error| Err(error.into()))
}

/// Ends a read however it ends, also by a panic.
struct RollBack<'a>(&'a Connection);

impl Drop for RollBack<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "a read transaction could not be ended");
        }
    }
}

fn store_error(error: rusqlite::Error) -> StoreError {
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint { message },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Driver { message },
    }
}

fn lock(connection: &Mutex<SqliteConnection>) -> MutexGuard<'_, SqliteConnection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as inside a transaction of a database in memory, where a second one would
/// wait for the first forever.
struct Inside;

impl Inside {
    fn enter() -> Self {
        assert!(!INSIDE.replace(true), "a transaction in memory was started inside another");
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
