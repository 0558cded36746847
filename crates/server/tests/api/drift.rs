//! Comparing with the provider over HTTP, and bodies that may be left out.

use axum::http::Method;
use farthing_server::schema::{Drift, DriftReport};
use serde_json::json;

use crate::harness::{Server, off};

fn cancel_at_provider(server: &Server) {
    let subs = server.world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", subs["data"][0]["id"].as_str().unwrap());
    server.world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
}

#[tokio::test]
async fn a_difference_is_shown_repaired_listed_and_may_stay() {
    let mut server = Server::new();
    server.customer("u_1").await;
    off(|| server.world.buy("u_1", "growth"));
    cancel_at_provider(&server);
    let path = "/v1/customers/u_1/reconcile";
    let dry: DriftReport = server.raw(Method::POST, path, Vec::new()).await.as_promised();
    let found = &dry.findings[0];
    assert_eq!(
        (found.field.as_str(), found.repair.as_str(), found.repaired),
        ("cancel_at", "absorb", false)
    );
    let open = server.get("/v1/drift?state=open&customer=u_1").await.json();
    let one: Drift = serde_json::from_value(open["data"][0].clone()).unwrap();
    assert_eq!((one.state.as_str(), one.closed_at), ("open", None));
    let ignore = format!("/v1/drift/{}/ignore", one.id);
    let short = server.post(&ignore, json!({"reason": "why not"})).await;
    assert_eq!(short.fields(), ["/reason invalid_length"]);
    let ignored: Drift =
        server.post(&ignore, json!({"reason": "the customer asked"})).await.as_promised();
    assert_eq!(ignored.state, "ignored");
    let fixed: DriftReport = server.post(path, json!({"fix": true})).await.as_promised();
    assert!(fixed.findings[0].repaired, "what can be repaired is");
    let over = server.post(&ignore, json!({"reason": "the customer asked"})).await;
    assert_eq!(over.problem(), "drift_over");
    let state = server.get("/v1/customers/u_1/state").await.json();
    assert!(state["subscription"]["cancel_at"].is_string());
    assert_eq!(
        server.post("/v1/customers/nobody/reconcile", json!({})).await.problem(),
        "not_found"
    );
    assert_eq!(
        server.post("/v1/drift/drf_0/ignore", json!({"reason": "0123456789"})).await.problem(),
        "not_found"
    );
    let odd = server.post(path, json!({"fx": true})).await;
    assert_eq!(odd.fields(), ["/fx unknown_field"]);
}

#[tokio::test]
async fn what_takes_no_body_refuses_one() {
    let mut server = Server::new();
    server.customer("u_1").await;
    off(|| server.world.buy("u_1", "growth"));
    let state = server.get("/v1/customers/u_1/state").await.json();
    let sub = state["subscription"]["id"].as_str().unwrap().to_owned();
    let events = server.get("/v1/events?limit=1").await.json();
    let event = events["data"][0]["id"].as_str().unwrap().to_owned();
    for path in [format!("/v1/subscriptions/{sub}/resume"), format!("/v1/events/{event}/replay")] {
        let odd = server.post(&path, json!({"plan": "pro"})).await;
        assert_eq!(odd.fields(), ["/plan unknown_field"], "{path}");
        let list = server.raw(Method::POST, &path, b"[]".to_vec()).await;
        assert_eq!(list.fields(), [" wrong_type"], "{path}");
    }
    assert_eq!(
        server.raw(Method::POST, &format!("/v1/events/{event}/replay"), Vec::new()).await.status,
        200
    );
}
