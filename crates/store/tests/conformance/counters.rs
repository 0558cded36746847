//! Counters: numbers that only grow.

use std::collections::BTreeSet;
use std::sync::Mutex;

use farthing_store::{StoreError, counters, on_both};

use super::{TestStore, at_once, refused, write};

on_both!(each_counter_starts_at_one_and_counts_alone, nobody_gets_the_same_number,);

fn next(store: &TestStore, name: &'static str) -> i64 {
    write(store, move |tx| counters::next(tx, name))
}

fn each_counter_starts_at_one_and_counts_alone(store: &TestStore) {
    assert_eq!([next(store, "a"), next(store, "a"), next(store, "b")], [1, 2, 1]);
    refused(store, |tx| {
        counters::next(tx, "a")?;
        Err::<(), _>(StoreError::Busy)
    });
    assert_eq!([next(store, "a"), next(store, "b")], [3, 2], "a rollback takes no number");
}

fn nobody_gets_the_same_number(store: &TestStore) {
    let taken = Mutex::new(BTreeSet::new());
    at_once(|| {
        let number = next(store, "a");
        assert!(taken.lock().unwrap().insert(number), "{number} was given twice");
    });
    assert_eq!(taken.into_inner().unwrap(), (1..=160).collect());
}
