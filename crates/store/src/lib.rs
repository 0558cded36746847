//! Where Farthing remembers: one set of tables and one text per statement, on SQLite and on
//! PostgreSQL.
//!
//! A write is a closure over a [`Tx`] that runs from start to end in one transaction and is
//! durable when its answer is there ([`Store::write`]). A read is one too, on the calling thread
//! and one snapshot ([`Store::read`]). Nothing here decides: rules live in `farthing-core`, and
//! what belongs together is put into one transaction by `farthing-engine`. There is no clock and
//! no randomness: times and ids are given.
//!
//! In reading order: [`Store`], [`Tx`], [`Row`], [`Value`]; then one module per table.

pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod billing_sessions;
pub mod catalog_versions;
pub mod checkouts;
pub mod counters;
pub mod credits;
pub mod customers;
pub mod disputes;
pub mod drift;
pub mod dunning;
pub mod effects;
pub mod entitlements;
mod error;
pub mod grace;
pub mod idempotency;
pub mod inbox;
pub mod intents;
pub mod invoices;
pub mod jobs;
mod lease;
pub mod mails;
pub mod meta;
mod migrate;
pub mod notes;
pub mod operator_links;
pub mod operator_sessions;
pub mod operators;
pub mod outbox;
pub mod overrides;
pub mod owed;
pub mod payments;
mod pending;
mod pool;
mod postgres;
pub mod previews;
pub mod provider_prices;
pub mod purchases;
mod queue;
pub mod refunds;
mod row;
mod sqlite;
pub mod subscriptions;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trials;
mod tx;
pub mod usage;
mod value;
pub mod watermarks;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub use crate::error::{OpenError, StoreError};
pub use crate::lease::{Claim, Lease};
pub use crate::pending::Pending;
use crate::postgres::PostgresStore;
pub use crate::row::Row;
use crate::sqlite::SqliteStore;
pub use crate::tx::{Dialect, Tx};
pub use crate::value::Value;
pub use crate::words::UnknownWord;

/// How a database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Connections for writing on PostgreSQL, and at most as many for reading on both.
    pub connections: usize,
    /// How many writes may wait before further ones are refused as [`StoreError::Busy`].
    pub queue: usize,
    /// How long SQLite waits for another process that is writing.
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, queue: 4096, busy_timeout: Duration::from_secs(5) }
    }
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Writes that were run, also those that were rolled back.
    pub writes: u64,
    /// Commits; on SQLite one commit carries many writes.
    pub commits: u64,
    /// Times that a write was run again because other transactions were in its way.
    pub retries: u64,
}

#[derive(Default)]
struct Counters {
    writes: AtomicU64,
    commits: AtomicU64,
    retries: AtomicU64,
}

/// An open database. Clones are the same database; the last one closes it, after the writes that
/// wait are done.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Backend,
    counters: Arc<Counters>,
}

enum Backend {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl Store {
    /// Opens `sqlite:PATH` (made if it is not there), `sqlite::memory:` or `postgres://…`.
    /// Does not migrate. May be called on any thread.
    pub fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let counters = Arc::new(Counters::default());
        let backend = if let Some(path) = url.strip_prefix("sqlite:").filter(|p| !p.is_empty()) {
            Backend::Sqlite(SqliteStore::open(path, &options, Arc::clone(&counters))?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Backend::Postgres(PostgresStore::open(url, &options, &counters)?)
        } else {
            let problem = "it starts with none of sqlite:, postgres:// and postgresql://".into();
            return Err(OpenError::BadUrl { url: postgres::without_password(url), problem });
        };
        Ok(Self { inner: Arc::new(Inner { backend, counters }) })
    }

    /// Runs the migrations that are missing and answers their names. Safe when several nodes
    /// start at once: one does it, the others wait. May be called on any thread.
    pub fn migrate(&self) -> Result<Vec<String>, OpenError> {
        match &self.inner.backend {
            Backend::Sqlite(store) => store.with_connection(migrate::sqlite),
            Backend::Postgres(store) => store.with_connection(migrate::postgres),
        }
    }

    /// The names of the migrations that are missing. Changes nothing.
    pub fn pending_migrations(&self) -> Result<Vec<String>, OpenError> {
        match &self.inner.backend {
            Backend::Sqlite(store) => store.with_connection(migrate::pending_sqlite),
            Backend::Postgres(store) => store.with_connection(migrate::pending_postgres),
        }
    }

    /// Runs `work` in one write transaction; what it wrote is durable when the answer is there.
    /// After `Err` everything is rolled back: nothing happened. `work` may be run more than once
    /// and only its last run counts, so it must not do anything outside of its transaction.
    pub fn write<T, E, F>(&self, work: F) -> Pending<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        E: From<StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (work, pending) = pending::task(work);
        match &self.inner.backend {
            Backend::Sqlite(store) => store.submit(work),
            Backend::Postgres(store) => store.submit(work),
        }
        pending
    }

    /// Runs `work` on the calling thread in a read-only transaction: one consistent snapshot.
    ///
    /// On PostgreSQL it panics on a thread that runs async tasks, which it would block; call it
    /// inside `spawn_blocking` there. Must not be called inside another transaction.
    pub fn read<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        match &self.inner.backend {
            Backend::Sqlite(store) => store.read(work),
            Backend::Postgres(store) => store.read(work),
        }
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match &self.inner.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What was done since the store was opened.
    pub fn stats(&self) -> Stats {
        let Counters { writes, commits, retries } = &*self.inner.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats { writes: read(writes), commits: read(commits), retries: read(retries) }
    }
}

/// Waits for a thread to end, unless it is this one (work can hold the last clone of a store).
fn join(thread: Option<JoinHandle<()>>) {
    let Some(thread) = thread else { return };
    if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
        tracing::error!("a writer thread panicked");
    }
}

/// Runs `work` on a thread of its own and waits for it: the PostgreSQL driver blocks on a runtime
/// of its own, and may not even be dropped on a thread that runs async tasks.
fn off_async<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let ended = std::thread::scope(|scope| scope.spawn(work).join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
