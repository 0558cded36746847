//! Links to the billing page and the sessions that they open.

use farthing_store::billing_sessions::{self, Visit};
use farthing_store::on_both;

use super::{TestStore, at, customer, is_constraint, read, refused, write};

on_both!(
    a_link_opens_once_and_only_in_time,
    of_many_who_use_a_link_at_once_one_gets_in,
    a_session_is_over_at_its_end_and_when_it_is_ended,
    whoever_is_erased_is_signed_out,
    two_secrets_are_never_one,
);

fn visit(of: &str, from: i64, until: i64) -> Visit {
    Visit {
        customer: customer(of),
        return_path: Some("/account".to_owned()),
        read_only: false,
        created_at: at(from),
        expires_at: at(until),
    }
}

fn a_link_opens_once_and_only_in_time(store: &TestStore) {
    let link = visit("ann", 0, 900);
    let stored = link.clone();
    write(store, move |tx| billing_sessions::insert_link(tx, &stored, &[1; 32]));
    assert_eq!(write(store, |tx| billing_sessions::use_link(tx, &[2; 32], at(1))), None);
    assert_eq!(write(store, |tx| billing_sessions::use_link(tx, &[1; 32], at(900))), None);
    assert_eq!(write(store, |tx| billing_sessions::use_link(tx, &[1; 32], at(899))), Some(link));
    assert_eq!(write(store, |tx| billing_sessions::use_link(tx, &[1; 32], at(899))), None);
}

fn of_many_who_use_a_link_at_once_one_gets_in(store: &TestStore) {
    write(store, |tx| billing_sessions::insert_link(tx, &visit("ann", 0, 900), &[1; 32]));
    let tries: Vec<_> = (0..20)
        .map(|_| store.write(|tx| billing_sessions::use_link(tx, &[1; 32], at(1))))
        .collect();
    let opened = tries.into_iter().filter_map(|tried| tried.wait().unwrap());
    assert_eq!(opened.count(), 1);
}

fn a_session_is_over_at_its_end_and_when_it_is_ended(store: &TestStore) {
    let session = Visit { read_only: true, return_path: None, ..visit("ann", 0, 60) };
    let stored = session.clone();
    write(store, move |tx| billing_sessions::insert(tx, &stored, &[1; 32]));
    write(store, |tx| billing_sessions::insert(tx, &visit("bob", 0, 60), &[2; 32]));
    assert_eq!(read(store, |tx| billing_sessions::find(tx, &[1; 32], at(59))), Some(session));
    assert_eq!(read(store, |tx| billing_sessions::find(tx, &[1; 32], at(60))), None);
    write(store, |tx| billing_sessions::end(tx, &[1; 32]));
    assert_eq!(read(store, |tx| billing_sessions::find(tx, &[1; 32], at(1))), None);
    assert!(read(store, |tx| billing_sessions::find(tx, &[2; 32], at(1))).is_some());
    write(store, |tx| billing_sessions::purge(tx, at(60)));
    assert_eq!(read(store, |tx| billing_sessions::find(tx, &[2; 32], at(1))), None);
}

fn whoever_is_erased_is_signed_out(store: &TestStore) {
    for (of, n) in [("ann", 1), ("bob", 2)] {
        write(store, move |tx| {
            billing_sessions::insert(tx, &visit(of, 0, 60), &[n; 32])?;
            billing_sessions::insert_link(tx, &visit(of, 0, 60), &[n; 32])
        });
    }
    write(store, |tx| billing_sessions::end_all(tx, &customer("ann")));
    assert_eq!(read(store, |tx| billing_sessions::find(tx, &[1; 32], at(1))), None);
    assert_eq!(write(store, |tx| billing_sessions::use_link(tx, &[1; 32], at(1))), None);
    assert!(read(store, |tx| billing_sessions::find(tx, &[2; 32], at(1))).is_some());
    assert!(write(store, |tx| billing_sessions::use_link(tx, &[2; 32], at(1))).is_some());
}

fn two_secrets_are_never_one(store: &TestStore) {
    write(store, |tx| billing_sessions::insert(tx, &visit("ann", 0, 60), &[1; 32]));
    let same = |tx: &mut farthing_store::Tx<'_>| {
        billing_sessions::insert(tx, &visit("bob", 0, 60), &[1; 32])
    };
    assert!(is_constraint(&refused(store, same)));
}
