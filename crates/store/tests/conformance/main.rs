//! What the store promises, on SQLite in a file, SQLite in memory and PostgreSQL alike.
//!
//! Tests are functions that take a [`TestStore`]; `on_both!` runs each on every database.
#![allow(clippy::unwrap_used)]

mod alike;
mod audit;
mod billing_sessions;
mod checkouts;
mod counters;
mod credits;
mod customers;
mod drift;
mod effects;
mod entitlements;
mod idempotency;
mod inbox;
mod intents;
mod invoices;
mod jobs;
mod mails;
mod migrations;
mod overrides;
mod postgres;
mod records;
mod sqlite;
mod subscriptions;
mod transactions;
mod trials;

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

/// Whether the error is that a rule of the database refused a row.
fn is_constraint(error: &StoreError) -> bool {
    matches!(error, StoreError::Constraint { .. })
}

/// Whether the error is that a row of `table` was written by somebody else.
fn is_stale(error: &StoreError, table: &str) -> bool {
    matches!(error, StoreError::Stale { table: found, .. } if *found == table)
}

/// Runs a statement by hand, as somebody with the database's password would.
fn by_hand(store: &TestStore, sql: &'static str) {
    assert_ne!(write(store, move |tx| tx.execute(sql, &[])), 0, "{sql} changed nothing");
}

/// Runs a statement by hand that a CHECK must refuse.
fn is_impossible(store: &TestStore, sql: &'static str) {
    let error = refused(store, move |tx| tx.execute(sql, &[]));
    assert!(is_constraint(&error), "{sql}: {error}");
}

/// The column that `work` finds a value in that cannot be right.
fn wrong_column<T: std::fmt::Debug>(
    store: &TestStore,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError>,
) -> String {
    match store.read(work).unwrap_err() {
        StoreError::Inconsistent { column, .. } => column,
        other => panic!("not inconsistent: {other}"),
    }
}

/// Runs `work` on eight threads at once, twenty times each.
fn at_once(work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| work()));
        }
    });
}
