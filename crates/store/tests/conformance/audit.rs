//! The audit log: gapless chains that notice when a row is changed, removed or cut off.

use farthing_store::audit::{self, Broken, NewAudit};
use farthing_store::{StoreError, on_both, params};

use super::{TestStore, at, customer, read, write};

on_both!(
    a_chain_counts_from_one_for_each_customer,
    a_record_survives_the_round_trip,
    appending_at_the_same_time_leaves_no_gap,
    a_long_chain_is_whole,
    any_changed_field_is_found,
    text_that_moves_from_one_field_to_the_next_is_found,
    a_missing_row_is_found,
    a_chain_that_was_cut_off_is_found,
    a_chain_is_listed_from_its_end,
    all_chains_are_known,
);

fn record(of: Option<&str>, action: &str) -> NewAudit {
    NewAudit {
        customer: of.map(customer),
        actor: "key_1".into(),
        action: action.into(),
        cause: "req_1".into(),
        entity: "sub_1".into(),
        from_state: None,
        to_state: Some(r#"{"status":"active"}"#.into()),
        effective_at: at(60),
        recorded_at: at(0),
    }
}

fn append(store: &TestStore, record: NewAudit) -> i64 {
    write(store, move |tx| audit::append(tx, &record))
}

fn verify(store: &TestStore, of: Option<&str>) -> Option<Broken> {
    let customer = of.map(customer);
    read(store, |tx| audit::verify(tx, customer.as_ref()))
}

fn a_chain_counts_from_one_for_each_customer(store: &TestStore) {
    assert_eq!(append(store, record(Some("ann"), "a")), 1);
    assert_eq!(append(store, record(Some("ann"), "b")), 2);
    assert_eq!(append(store, record(Some("bob"), "a")), 1);
    assert_eq!(append(store, record(None, "a")), 1);
    for chain in [Some("ann"), Some("bob"), None, Some("nobody")] {
        assert_eq!(verify(store, chain), None);
    }
}

fn a_record_survives_the_round_trip(store: &TestStore) {
    let gone = NewAudit { from_state: Some("{}".into()), to_state: None, ..record(None, "b") };
    append(store, record(None, "a"));
    append(store, gone.clone());
    let listed = read(store, |tx| audit::list(tx, None, i64::MAX, 9));
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0].record, listed[0].seq), (&gone, 2));
    assert_eq!((&listed[1].record, listed[1].seq), (&record(None, "a"), 1));
    assert_eq!(listed[0].prev_hash, listed[1].hash);
    assert_eq!(listed[1].prev_hash, [0; 32]);
}

fn appending_at_the_same_time_leaves_no_gap(store: &TestStore) {
    std::thread::scope(|scope| {
        for i in 0..40 {
            scope.spawn(move || append(store, record(Some("ann"), &format!("action {i}"))));
        }
    });
    assert_eq!(verify(store, Some("ann")), None);
    let last = read(store, |tx| audit::list(tx, Some(&customer("ann")), i64::MAX, 1));
    assert_eq!(last[0].seq, 40);
}

fn a_long_chain_is_whole(store: &TestStore) {
    write(store, |tx| (0..1100).try_for_each(|_| audit::append(tx, &record(None, "a")).map(drop)));
    assert_eq!(verify(store, None), None);
}

/// Three rows, and then someone with access to the database.
fn tampered(store: &TestStore, sql: &'static str) -> Option<Broken> {
    for action in ["a", "b", "c"] {
        append(store, record(Some("ann"), action));
    }
    assert_eq!(verify(store, Some("ann")), None);
    write(store, move |tx| tx.execute(sql, &[]));
    verify(store, Some("ann"))
}

fn any_changed_field_is_found(store: &TestStore) {
    const CHANGES: [&str; 9] = [
        "UPDATE audit SET actor = 'x' WHERE seq = 2",
        "UPDATE audit SET action = 'x' WHERE seq = 2",
        "UPDATE audit SET cause = 'x' WHERE seq = 2",
        "UPDATE audit SET entity = 'x' WHERE seq = 2",
        "UPDATE audit SET from_state = '' WHERE seq = 2",
        "UPDATE audit SET to_state = NULL WHERE seq = 2",
        "UPDATE audit SET effective_at = effective_at + 1 WHERE seq = 2",
        "UPDATE audit SET recorded_at = recorded_at + 1 WHERE seq = 2",
        "UPDATE audit SET actor = 'key_1r', cause = 'eq_1' WHERE seq = 2",
    ];
    for action in ["a", "b", "c"] {
        append(store, record(Some("ann"), action));
    }
    let changed = Some(Broken { seq: 2, problem: "the row was changed" });
    for sql in CHANGES {
        let seen = store.write(move |tx| {
            tx.execute(sql, &[])?;
            let broken = audit::verify(tx, Some(&customer("ann")))?;
            // Undone again for the next one.
            Err::<(), _>(StoreError::Driver { message: format!("{broken:?}") })
        });
        let expected = StoreError::Driver { message: format!("{changed:?}") };
        assert_eq!(seen.wait(), Err(expected), "{sql}");
    }
    assert_eq!(verify(store, Some("ann")), None);
}

/// The marks between the fields can be part of a text, so they alone would not tell.
fn text_that_moves_from_one_field_to_the_next_is_found(store: &TestStore) {
    append(store, NewAudit { cause: "d".into(), ..record(None, "b\u{1}c") });
    assert_eq!(verify(store, None), None);
    write(store, |tx| {
        let sql = "UPDATE audit SET action = 'b', cause = $1";
        tx.execute(sql, &params!["c\u{1}d"])
    });
    assert_eq!(verify(store, None), Some(Broken { seq: 1, problem: "the row was changed" }));
}

fn a_missing_row_is_found(store: &TestStore) {
    let broken = tampered(store, "DELETE FROM audit WHERE seq = 2");
    assert_eq!(broken, Some(Broken { seq: 2, problem: "the row is missing" }));
}

fn a_chain_that_was_cut_off_is_found(store: &TestStore) {
    let broken = tampered(store, "DELETE FROM audit WHERE seq = 3");
    let problem = "the chain does not end where it was left";
    assert_eq!(broken, Some(Broken { seq: 3, problem }));
}

fn a_chain_is_listed_from_its_end(store: &TestStore) {
    for action in ["a", "b", "c", "d"] {
        append(store, record(Some("ann"), action));
    }
    let page = |before| {
        let rows = read(store, |tx| audit::list(tx, Some(&customer("ann")), before, 2));
        rows.into_iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(page(i64::MAX), [4, 3]);
    assert_eq!(page(3), [2, 1]);
    assert_eq!(page(1), [0; 0]);
}

fn all_chains_are_known(store: &TestStore) {
    for chain in [Some("bob"), None, Some("ann")] {
        append(store, record(chain, "a"));
    }
    let (ann, bob) = (Some(customer("ann")), Some(customer("bob")));
    assert_eq!(read(store, |tx| audit::chains(tx, None, 2)), [None, ann.clone()]);
    assert_eq!(read(store, |tx| audit::chains(tx, Some(""), 2)), [ann, bob.clone()]);
    assert_eq!(read(store, |tx| audit::chains(tx, Some("ann"), 2)), [bob]);
}
