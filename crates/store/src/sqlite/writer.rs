//! Group commit: what waits is run together and committed once, so that one write to the disk
//! carries many answers.

use std::sync::atomic::Ordering;

use rusqlite::ffi::ErrorCode;

use super::connection::{SqliteConnection, store_error};
use crate::Counters;
use crate::error::StoreError;
use crate::pending::Work;
use crate::queue::Queue;

/// How many pieces of work share a commit at most, so that the first does not wait for long.
const BATCH_MAX: usize = 256;

/// The disk failed at COMMIT: what is on it is not known, so nothing more may be written.
pub(super) struct DiskFailed;

/// Runs work until the queue is closed and empty, or the disk fails.
pub(super) fn write_until_closed(
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
pub(super) fn run_batch(
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
