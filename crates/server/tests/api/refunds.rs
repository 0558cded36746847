//! Refunds, payments, disputes and the ledger over HTTP.

use farthing_server::schema::{
    CustomerState, LedgerEntry, PaymentDetail, Refund, RefundEligibility,
};
use serde_json::{Value, json};

use crate::harness::world::GOOD_CARD;
use crate::harness::{Server, off};

/// The customer `u_1` buys `plan`.
async fn bought(server: &Server, plan: &str) {
    let body = json!({ "customer": "u_1", "plan": plan, "trial": false });
    let opened = server.post("/v1/checkouts", body).await.json();
    off(|| {
        let page = server.world.engine.checkout(opened["id"].as_str().unwrap()).unwrap();
        assert_eq!(server.world.pay(&page, GOOD_CARD), 303);
        server.world.engine.refresh_checkout(&page.id).unwrap();
    });
}

fn ask() -> Value {
    json!({ "customer": "u_1", "reason": "it does not do what I need" })
}

fn read<T: serde::de::DeserializeOwned>(page: &Value) -> Vec<T> {
    serde_json::from_value(page["data"].clone()).unwrap()
}

#[tokio::test]
async fn a_refund_is_previewed_asked_for_and_approved() {
    let server = Server::new();
    server.customer("u_1").await;
    bought(&server, "growth").await;
    let path = "/v1/refunds/eligibility?customer=u_1";
    let found: RefundEligibility = server.get(path).await.as_promised();
    assert!(found.eligible && found.preview_token.is_none());
    assert_eq!((found.refundable.amount, found.approval.as_str()), (6_900, "one_person"));
    assert_eq!(found.checks.len(), 2);
    let shown: RefundEligibility =
        server.post("/v1/refunds?preview=true", ask()).await.as_promised();
    assert_eq!(shown.then.move_to.as_deref(), Some("free"));
    let mut body = ask();
    body["preview_token"] = json!(shown.preview_token);
    let asked: Refund = server.post("/v1/refunds", body).await.as_promised();
    assert_eq!(asked.state, "needs_review");
    let queue = server.get("/v1/refunds?state=needs_review").await.json();
    assert_eq!(read::<Refund>(&queue)[0].id, asked.id);
    let path = format!("/v1/refunds/{}", asked.id);
    let done: Refund = server.post(&format!("{path}/approve"), json!({})).await.as_promised();
    assert_eq!(done.state, "succeeded");
    let late = server.post(&format!("{path}/reject"), json!({ "reason": "too late" })).await;
    assert_eq!(late.problem(), "refund_decided");
    let same: Refund = server.get(&path).await.as_promised();
    assert_eq!(same.approved_by, done.approved_by);
    let payments: Vec<PaymentDetail> = read(&server.get("/v1/payments?customer=u_1").await.json());
    assert_eq!((payments[0].amount.amount, payments[0].refunded.amount), (6_900, 6_900));
    assert_eq!(server.get("/v1/customers/u_1/state").await.json()["plan"], "free");
    assert_eq!(server.get("/v1/disputes").await.json()["data"], json!([]));
}

#[tokio::test]
async fn what_may_not_go_back_is_refused_with_numbers() {
    let server = Server::new();
    server.customer("u_1").await;
    assert_eq!(server.post("/v1/refunds", ask()).await.problem(), "nothing_to_refund");
    bought(&server, "growth").await;
    let body = json!({ "customer": "u_1", "reason": "too dear" });
    assert_eq!(
        server.post("/v1/refunds", body).await.json()["errors"][0]["code"],
        "invalid_reason"
    );
    let body = json!({ "customer": "u_1", "feature": "galleries", "amount": 6 });
    assert_eq!(server.post("/v1/consume", body).await.json()["allowed"], true);
    let refused = server.post("/v1/refunds", ask()).await;
    assert_eq!(refused.problem(), "used_too_much");
    assert_eq!(refused.json()["errors"][0]["message"], "galleries: 6 used, 5 allowed");
    let much =
        json!({ "customer": "u_1", "reason": "it does not do what I need", "amount": 7_000 });
    assert_eq!(server.post("/v1/refunds", much).await.problem(), "refund_too_large");
    let foreign = format!("/v1/refunds/{}", "rfd_unknown");
    assert_eq!(server.get(&foreign).await.problem(), "not_found");
    assert_eq!(server.get("/v1/refunds/eligibility?customer=nobody").await.problem(), "not_found");
}

#[tokio::test]
async fn credits_are_given_and_taken_with_a_reason_and_the_ledger_tells() {
    let server = Server::new();
    server.customer("u_1").await;
    let path = "/v1/customers/u_1/credits";
    let body = json!({ "credit": "ai", "amount": 300, "reason": "sorry for the outage" });
    let state: CustomerState = server.post(path, body).await.as_promised();
    assert_eq!(state.credits["ai"].balance, 800);
    let body = json!({ "credit": "ai", "amount": -100, "reason": "given by mistake" });
    let state: CustomerState = server.post(path, body).await.as_promised();
    assert_eq!(state.credits["ai"].balance, 700);
    let body = json!({ "credit": "ai", "amount": -701, "reason": "given by mistake" });
    assert_eq!(server.post(path, body).await.problem(), "not_enough_credits");
    for (body, code) in [
        (json!({ "credit": "gold", "amount": 1, "reason": "why" }), "unknown_feature"),
        (json!({ "credit": "ai", "amount": 0, "reason": "why" }), "invalid_amount"),
        (json!({ "credit": "ai", "amount": i64::MIN, "reason": "why" }), "invalid_amount"),
    ] {
        assert_eq!(server.post(path, body).await.json()["errors"][0]["code"], code);
    }
    let page = server.get(&format!("{path}?limit=2")).await.json();
    let entries: Vec<LedgerEntry> = read(&page);
    let told: Vec<(&str, i64)> = entries.iter().map(|it| (it.reason.as_str(), it.amount)).collect();
    assert_eq!(told, [("take", 100), ("grant", 300)]);
    let next = page["next"].as_str().unwrap();
    let rest: Vec<LedgerEntry> =
        read(&server.get(&format!("{path}?credit=ai&after={next}")).await.json());
    assert_eq!(rest.len(), 1);
    let resumed = server.post("/v1/customers/u_1/spending/resume", json!({})).await;
    let resumed: CustomerState = resumed.as_promised();
    assert_eq!(resumed.revision, state.revision, "nothing was paused");
}
