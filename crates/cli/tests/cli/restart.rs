//! What was answered survives a killed process; the world, its clock and its secrets stay.

use serde_json::json;

use crate::support::{Dev, eventually};

#[test]
fn a_killed_server_comes_back_with_the_same_world_and_customers() {
    let temp = tempfile::tempdir().unwrap();
    let mut dev = Dev::start_in(temp.path(), &[]).unwrap();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    dev.post("/v1/consume", json!({ "customer": "u_1", "feature": "chatbots", "amount": 3 }));
    dev.advance("3d");
    let before = dev.get("/v1/customers/u_1/state");
    let clock = dev.get("/sandbox/clock");
    let key = dev.key().to_owned();
    dev.process().kill();

    let dev = Dev::start_in(temp.path(), &[]).unwrap();
    assert_eq!(dev.key(), key);
    assert_eq!(dev.get("/v1/customers/u_1/state"), before);
    assert!(clock["now"].as_str() <= dev.get("/sandbox/clock")["now"].as_str());
    // The sandbox still knows where to deliver, although the port is another one.
    dev.advance("31d");
    let renewed = dev.get("/v1/customers/u_1/state");
    assert_ne!(renewed["subscription"]["period"], before["subscription"]["period"]);
    assert_eq!(renewed["features"]["chatbots"]["used"], 3);
    dev.cli(&["check"]).exits(0);
}

#[test]
fn events_that_were_not_delivered_before_a_kill_arrive_after_it() {
    let temp = tempfile::tempdir().unwrap();
    let mut dev = Dev::start_in(temp.path(), &[]).unwrap();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let checkout = json!({ "customer": "u_1", "plan": "growth" });
    let started = dev.post("/v1/checkouts", checkout);
    let paid = dev.pay(started["url"].as_str().unwrap(), "4242424242424242");
    dev.process().kill();
    assert_eq!(paid.status(), 303);

    let dev = Dev::start_in(temp.path(), &[]).unwrap();
    eventually("the plan that was paid is in force", || {
        dev.get("/v1/customers/u_1/state")["plan"] == "growth"
    });
    dev.cli(&["check"]).exits(0);
}

#[test]
fn a_lost_webhook_secret_is_replaced() {
    let temp = tempfile::tempdir().unwrap();
    drop(Dev::start_in(temp.path(), &[]).unwrap());
    std::fs::remove_file(temp.path().join("webhook-secret")).unwrap();
    let dev = Dev::start_in(temp.path(), &[]).unwrap();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    eventually("its events are accepted and handled", || {
        let events = dev.get("/v1/events?limit=200");
        let events = events["data"].as_array().unwrap();
        !events.is_empty() && events.iter().all(|event| event["state"] == "done")
    });
}

#[test]
fn another_sandbox_under_the_same_database_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(Dev::start_in(temp.path(), &[]).unwrap());
    for file in ["sandbox.db", "sandbox.db-wal"] {
        // The second one is gone when the server closed the file properly.
        let _gone = std::fs::remove_file(temp.path().join(file));
    }
    let ran = Dev::start_in(temp.path(), &[]).err().unwrap().exits(1);
    assert!(ran.stderr.contains("belongs to the provider account acct_"), "{}", ran.stderr);
}

#[test]
fn a_changed_catalog_is_applied_at_start_and_its_changes_are_told() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("catalog.toml");
    drop(Dev::start_in(temp.path(), &[]).unwrap());
    let source = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, source.replace("messages = 2_000", "messages = 3_000")).unwrap();
    let mut dev = Dev::start_in(temp.path(), &[]).unwrap();
    assert_eq!(dev.get("/v1/catalog")["version"], 2);
    let (code, log, _) = dev.process().terminate();
    assert_eq!(code, 0);
    assert!(log.contains("plans.starter.limits.messages"), "{log}");
}
