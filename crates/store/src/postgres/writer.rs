//! One thread that writes: runs work, again when something was in its way, and commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::CONNECTIONS_MAX;
use super::connect::Address;
use super::connection::{PostgresConnection, describe, store_error};
use crate::Counters;
use crate::error::StoreError;
use crate::pending::Work;
use crate::queue::Queue;

/// How often work is run at most when other transactions are in its way.
const TRIES_MAX: u32 = 10;

/// The longest wait before work is tried again.
const BACK_OFF_MAX: Duration = Duration::from_millis(100);

/// One writer thread.
pub(super) struct Writer {
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
    /// Connects when the first work is there.
    pub(super) fn new(address: Arc<Address>, counters: Arc<Counters>) -> Self {
        Self { address, connection: None, counters }
    }

    /// Runs work until the queue is closed and empty.
    pub(super) fn write_until_closed(&mut self, queue: &Queue<Box<dyn Work>>) {
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
        let mut tx = connection.transaction("BEGIN ISOLATION LEVEL READ COMMITTED");
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
        let Err(error) = connection.commit() else {
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
        if self.connection.as_mut().is_some_and(|open| open.roll_back().is_err()) {
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
