//! What the store promises, on SQLite in a file, SQLite in memory and PostgreSQL alike.
//!
//! Tests are functions that take a [`TestStore`]; `on_both!` runs each on every database.
#![allow(clippy::unwrap_used)]

mod alike;
mod audit;
mod idempotency;
mod inbox;
mod intents;
mod jobs;
mod migrations;
mod postgres;
mod records;
mod sqlite;
mod transactions;

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_store::{StoreError, Tx};

use farthing_store::testing::{Backend, TestStore};

/// `seconds` after an instant in 2027.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds).unwrap()
}

fn customer(id: &str) -> CustomerId {
    id.parse().unwrap()
}

/// Writes, and answers what the work answered.
fn write<T: Send + 'static>(
    store: &TestStore,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).wait().unwrap()
}

/// The same for work that must fail.
fn refused<T: Send + std::fmt::Debug + 'static>(
    store: &TestStore,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> StoreError {
    store.write(work).wait().unwrap_err()
}

/// Reads, and answers what the work answered.
fn read<T>(store: &TestStore, work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
    store.read(work).unwrap()
}

/// Whether the error is that a lease is lost.
fn is_lost(error: &StoreError) -> bool {
    matches!(error, StoreError::LeaseLost { .. })
}
