//! Exceptions for one customer.

use std::collections::BTreeMap;

use farthing_core::allowance::Override;
use farthing_core::catalog::Limit;
use farthing_store::{on_both, overrides};

use super::{TestStore, at, by_hand, customer, is_impossible, read, write, wrong_column};

on_both!(
    every_limit_survives_a_round_trip,
    a_second_exception_replaces_the_first,
    an_exception_is_removed_once,
    a_row_that_cannot_be_right_is_named,
);

fn put(store: &TestStore, feature: &'static str, exception: &Override) {
    let exception = exception.clone();
    write(store, move |tx| {
        overrides::put(tx, (&customer("ann"), feature), &exception, "a reason", at(0))
    });
}

fn of_ann(store: &TestStore) -> BTreeMap<String, Override> {
    read(store, |tx| overrides::of_customer(tx, &customer("ann")))
}

fn exception(limit: Limit) -> Override {
    Override { limit, expires_at: None }
}

fn every_limit_survives_a_round_trip(store: &TestStore) {
    let all = [
        ("api", exception(Limit::Switch(true))),
        ("brand", exception(Limit::Switch(false))),
        ("chats", exception(Limit::Amount(0))),
        ("disk", exception(Limit::Amount(i64::MAX))),
        ("events", Override { limit: Limit::Unlimited, expires_at: Some(at(5)) }),
    ];
    for (feature, exception) in &all {
        put(store, feature, exception);
    }
    let expected: BTreeMap<String, Override> =
        all.into_iter().map(|(feature, exception)| (feature.to_owned(), exception)).collect();
    assert_eq!(of_ann(store), expected);
    assert_eq!(read(store, |tx| overrides::of_customer(tx, &customer("bob"))), BTreeMap::new());
}

fn a_second_exception_replaces_the_first(store: &TestStore) {
    put(store, "chats", &Override { limit: Limit::Amount(4), expires_at: Some(at(5)) });
    let unlimited = exception(Limit::Unlimited);
    put(store, "chats", &unlimited);
    assert_eq!(of_ann(store), BTreeMap::from([("chats".to_owned(), unlimited)]));
}

fn an_exception_is_removed_once(store: &TestStore) {
    put(store, "chats", &exception(Limit::Amount(4)));
    let delete = |of: &'static str, feature: &'static str| {
        write(store, move |tx| overrides::delete(tx, &customer(of), feature))
    };
    assert!(!delete("bob", "chats") && !delete("ann", "disk"));
    assert!(delete("ann", "chats") && !delete("ann", "chats"));
    write(store, |tx| overrides::delete_all(tx, &customer("bob")));
    assert_eq!(of_ann(store), BTreeMap::new());
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    put(store, "chats", &exception(Limit::Amount(4)));
    is_impossible(store, "UPDATE overrides SET amount = NULL");
    is_impossible(store, "UPDATE overrides SET limit_kind = 'unlimited'");
    is_impossible(store, "UPDATE overrides SET limit_kind = 'some'");
    by_hand(store, "UPDATE overrides SET expires_at = -1");
    let column = wrong_column(store, |tx| overrides::of_customer(tx, &customer("ann")));
    assert_eq!(column, "expires_at of \"chats\"");
}
