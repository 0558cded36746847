//! Effects: each business fact has one.

use std::sync::atomic::{AtomicU32, Ordering};

use farthing_store::{StoreError, effects, on_both};

use super::{TestStore, at, at_once, customer, read, refused, write};

on_both!(
    a_fact_has_its_effect_once,
    a_fact_whose_work_failed_can_have_its_effect_later,
    of_many_at_once_one_has_the_effect,
);

fn claim(store: &TestStore, provider: &'static str, fact: &'static str, of: &'static str) -> bool {
    write(store, move |tx| effects::insert(tx, provider, fact, (&customer(of), "evt_1"), at(0)))
}

fn a_fact_has_its_effect_once(store: &TestStore) {
    assert!(claim(store, "stripe", "invoice_paid:in_1", "ann"));
    assert!(!claim(store, "stripe", "invoice_paid:in_1", "ann"));
    assert!(!claim(store, "stripe", "invoice_paid:in_1", "bob"), "whoever it is said to be of");
    assert!(claim(store, "paddle", "invoice_paid:in_1", "ann"));
    assert!(claim(store, "stripe", "invoice_paid:in_2", "ann"));
    assert!(read(store, |tx| effects::exists(tx, "stripe", "invoice_paid:in_2")));
    assert!(!read(store, |tx| effects::exists(tx, "paddle", "invoice_paid:in_2")));
    let sql = "SELECT customer_id, cause, applied_at FROM effects ORDER BY fact_key, provider";
    let rows = read(store, |tx| tx.query(sql, &[]));
    assert_eq!((rows.len(), rows[0].customer(0)), (3, Ok(customer("ann"))));
    assert_eq!((rows[0].text(1), rows[0].time(2)), (Ok("evt_1".into()), Ok(at(0))));
}

fn a_fact_whose_work_failed_can_have_its_effect_later(store: &TestStore) {
    refused(store, |tx| {
        assert!(effects::insert(tx, "stripe", "f", (&customer("ann"), "evt_1"), at(0))?);
        Err::<(), _>(StoreError::Busy)
    });
    assert!(claim(store, "stripe", "f", "ann"));
}

fn of_many_at_once_one_has_the_effect(store: &TestStore) {
    let had = AtomicU32::new(0);
    at_once(|| {
        had.fetch_add(claim(store, "stripe", "f", "ann").into(), Ordering::SeqCst);
    });
    assert_eq!(had.load(Ordering::SeqCst), 1);
}
