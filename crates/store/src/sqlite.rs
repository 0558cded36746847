//! SQLite: one writer thread with group commit, and a pool of read-only connections.
//!
//! The one place where a statement is rewritten: SQLite reads `?1` where PostgreSQL reads `$1`,
//! and has no `FOR UPDATE` (or `FOR UPDATE SKIP LOCKED`), which is left out: its writer is alone,
//! so every row is locked anyway. Statements must not use `$` for anything else.
//!
//! `sqlite::memory:` is one connection for reading and writing behind a lock. Work runs on the
//! thread that asks for it, before [`crate::Store::write`] returns: the same calls in the same
//! order give the same database, which the simulation needs.

mod connection;
mod writer;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

pub(crate) use self::connection::SqliteTx;
use self::connection::{SqliteConnection, store_error};
use self::writer::{run_batch, write_until_closed};
use crate::error::{OpenError, StoreError};
use crate::pending::Work;
use crate::pool::Pool;
use crate::queue::{Queue, Refused};
use crate::tx::Tx;
use crate::{Counters, Options};

/// The oldest SQLite that does not lose commits when a checkpoint meets a writer.
const OLDEST: i32 = 3_051_003;

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
