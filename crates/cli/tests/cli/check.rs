//! `farthing check` on the live database of a running server.

use farthing_store::{Options, Store};
use serde_json::json;

use crate::support::Dev;

/// Changes the database behind the server's back.
fn plant(dev: &Dev, sql: &'static str) {
    let url = format!("sqlite:{}", dev.dir().join("farthing.db").display());
    let store = Store::open(&url, Options::default()).unwrap();
    let changed = store.write(move |tx| tx.execute(sql, &[])).wait();
    assert_eq!(changed, Ok(1));
}

#[test]
fn a_balance_that_was_changed_by_hand_is_found() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let fine = dev.cli(&["check"]).exits(0);
    assert!(fine.stdout.contains("invariants hold"), "{}", fine.stdout);

    plant(&dev, "UPDATE ledger_balances SET amount = amount + 7 WHERE bucket = 'available'");
    let found = dev.cli(&["check"]).exits(4);
    assert!(found.stdout.contains("I1 "), "{}", found.stdout);
    assert!(found.stdout.contains("u_1 ai available"), "{}", found.stdout);
    let found = dev.cli(&["check", "--json"]).exits(4).json();
    let broken = found["findings"].as_array().unwrap().iter();
    let broken: Vec<&str> = broken
        .filter(|finding| finding["rows"] != json!([]))
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(broken, ["I1", "I1b"]);
}

#[test]
fn an_audit_entry_that_was_changed_by_hand_is_found() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    plant(&dev, "UPDATE audit SET actor = 'nobody' WHERE customer_id = 'u_1' AND seq = 1");
    let found = dev.cli(&["check"]).exits(4);
    assert!(found.stdout.contains("audit log is whole: 1 broken"), "{}", found.stdout);
}
