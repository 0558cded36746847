//! PostgreSQL: a pool of writer threads with one connection each, and a pool of connections for
//! reading on the thread that asks.
//!
//! Writes run at READ COMMITTED: unique keys, checks and row locks carry the invariants. Reads
//! run at REPEATABLE READ, READ ONLY: one snapshot. The driver blocks on a runtime of its own, so
//! nothing here may run on a thread that runs async tasks; `spawn_blocking` is fine.

mod connect;
mod connection;
mod session;
mod tls;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;

use ::postgres::Client;

use self::connect::Address;
pub(crate) use self::connect::without_password;
pub(crate) use self::connection::PgTx;
use self::connection::PostgresConnection;
use self::writer::Writer;
use crate::error::{OpenError, StoreError};
use crate::pending::Work;
use crate::pool::Pool;
use crate::queue::{Queue, Refused};
use crate::tx::Tx;
use crate::{Counters, Options};

/// How often work is tried at most when connections break under it before COMMIT.
const CONNECTIONS_MAX: u32 = 3;

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
        crate::off_async(|| address.check())?;
        let queue = Arc::new(Queue::new(options.queue));
        let mut store = Self {
            address: Arc::clone(&address),
            queue: Arc::clone(&queue),
            writers: Vec::new(),
            readers: Pool::new(options.connections),
        };
        for number in 0..options.connections.max(1) {
            let mut writer = Writer::new(Arc::clone(&address), Arc::clone(counters));
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
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            let mut tx = lease.connection().transaction(begin);
            let answer = work(&mut tx);
            let failed = tx.failed().cloned();
            if let Some(StoreError::Unavailable { .. }) = failed {
                drop(lease);
                // The server closed this one, and probably all that were idle.
                drop(self.readers.drain());
                if tries < CONNECTIONS_MAX {
                    continue;
                }
            } else if failed.is_none() && lease.connection().end_read().is_ok()
                || failed.is_some() && lease.connection().roll_back().is_ok()
            {
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
        crate::off_async(|| work(&mut self.address.client()?))
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
