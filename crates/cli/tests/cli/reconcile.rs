//! `farthing reconcile` and what goes wrong on purpose, on a running development server.

use serde_json::json;

use crate::support::{Dev, eventually};

#[test]
fn what_webhooks_never_told_is_found_and_repaired_from_the_command_line() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    let fine = dev.cli(&["reconcile"]).exits(0);
    assert!(fine.stdout.contains("1 customer compared, nothing differs"), "{}", fine.stdout);

    dev.post("/v1/sandbox/scenarios/webhook_lost", json!({ "times": "all" }));
    dev.post("/v1/sandbox/scenarios/portal_cancel", json!({ "customer": "u_1" }));
    let found = dev.cli(&["reconcile"]).exits(4);
    assert!(found.stdout.contains("cancel_at: ours none, theirs 20"), "{}", found.stdout);
    assert!(found.stdout.contains("--fix repairs"), "{}", found.stdout);
    let state = dev.get("/v1/customers/u_1/state");
    assert!(state["subscription"]["cancel_at"].is_null(), "it was a dry run");

    let one = dev.cli(&["reconcile", "--customer", "u_1", "--json"]).exits(4).json();
    assert_eq!(one["findings"][0]["field"], "cancel_at");
    let fixed = dev.cli(&["reconcile", "--fix"]).exits(0);
    assert!(fixed.stdout.contains("1 repaired, 0 open"), "{}", fixed.stdout);
    let state = dev.get("/v1/customers/u_1/state");
    assert!(state["subscription"]["cancel_at"].is_string());
    assert_eq!(dev.get("/v1/drift?state=repaired")["data"][0]["field"], "cancel_at");

    dev.cli(&["reconcile", "--customer", "nobody"]).exits(1);
    dev.cli(&["reconcile", "--customer", "../x"]).exits(2);
}

#[test]
fn scenarios_reach_the_sandbox_and_what_they_are_about_is_found() {
    let dev = Dev::start();
    let list = dev.get("/v1/sandbox/scenarios");
    assert!(15 < list["data"].as_array().unwrap().len());
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let (status, none) =
        dev.send("POST", "/v1/sandbox/scenarios/dispute", Some(&json!({ "customer": "u_1" })));
    assert_eq!(status, 422, "{none}");
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    let opened = dev.post("/v1/sandbox/scenarios/dispute", json!({ "customer": "u_1" }));
    assert!(opened["about"]["charge"].as_str().unwrap().starts_with("ch_"), "{opened}");
    let won = dev.post("/v1/sandbox/scenarios/dispute_won", json!({ "customer": "u_1" }));
    assert!(won["about"]["dispute"].as_str().unwrap().starts_with("du_"), "{won}");
    eventually("the news of it is handled", || {
        let events = dev.get("/v1/events?limit=50");
        let all = events["data"].as_array().unwrap();
        let closed = all.iter().find(|it| it["type"] == "charge.dispute.closed");
        closed.is_some_and(|it| it["state"] == "done")
    });
    let (status, odd) =
        dev.send("POST", "/v1/sandbox/scenarios/calm", Some(&json!({ "customer": "u_1" })));
    assert_eq!(status, 422, "{odd}");
}
