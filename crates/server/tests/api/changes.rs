//! Changing a running subscription over HTTP.

use farthing_server::schema::{ChangePreview, Changed, Checkout};
use serde_json::json;

use crate::harness::world::GOOD_CARD;
use crate::harness::{Server, off};

/// A customer `u_1` on `plan`; answers the path of the subscription.
async fn subscribed(server: &Server, plan: &str) -> String {
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "plan": plan, "trial": false });
    let opened: Checkout = server.post("/v1/checkouts", body).await.as_promised();
    off(|| {
        let page = server.world.engine.checkout(&opened.id).unwrap();
        assert_eq!(server.world.pay(&page, GOOD_CARD), 303);
        server.world.engine.refresh_checkout(&opened.id).unwrap();
    });
    let list = server.get("/v1/subscriptions?customer=u_1").await.json();
    format!("/v1/subscriptions/{}", list["data"][0]["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_upgrade_is_previewed_and_charged_as_shown() {
    let server = Server::new();
    let sub = subscribed(&server, "starter").await;
    let body = json!({ "plan": "growth" });
    let shown = server.post(&format!("{sub}/change?preview=true"), body).await;
    let shown: ChangePreview = shown.as_promised();
    assert_eq!(shown.due_now.amount, 5_000, "at once: the whole difference");
    assert!(shown.blocked_by.is_empty());
    assert_eq!(server.get(&sub).await.json()["plan"], "starter", "nothing was changed");
    let body = json!({ "plan": "growth", "preview_token": shown.preview_token });
    let changed: Changed = server.post(&format!("{sub}/change"), body.clone()).await.as_promised();
    assert_eq!((changed.outcome.as_str(), changed.subscription.plan.as_str()), ("done", "growth"));
    let again = server.post(&format!("{sub}/change"), body).await;
    assert_eq!(again.problem(), "same_plan");
}

#[tokio::test]
async fn a_downgrade_without_room_says_everything_that_has_to_go() {
    let server = Server::new();
    let sub = subscribed(&server, "growth").await;
    for (feature, amount) in [("chatbots", 5), ("galleries", 11)] {
        let body = json!({ "customer": "u_1", "feature": feature, "amount": amount });
        assert_eq!(server.post("/v1/consume", body).await.json()["allowed"], true);
    }
    let refused = server.post(&format!("{sub}/change"), json!({ "plan": "starter" })).await;
    assert_eq!(refused.problem(), "over_limit");
    let errors = refused.json();
    let fixes: Vec<&str> =
        errors["errors"].as_array().unwrap().iter().map(|e| e["fix"].as_str().unwrap()).collect();
    assert_eq!(
        fixes,
        [
            "delete 2 chatbots before moving to Starter (5 used, 3 allowed)",
            "delete 1 gallery before moving to Starter (11 used, 10 allowed)"
        ]
    );
}

#[tokio::test]
async fn a_cancellation_is_scheduled_and_undone() {
    let server = Server::new();
    let sub = subscribed(&server, "growth").await;
    let body = json!({ "at": "period_end", "reason": "too dear" });
    let canceled: Changed = server.post(&format!("{sub}/cancel"), body).await.as_promised();
    assert_eq!(canceled.outcome, "scheduled");
    assert!(canceled.subscription.cancel_at.is_some());
    let resumed: Changed = server.post(&format!("{sub}/resume"), json!({})).await.as_promised();
    assert_eq!((resumed.outcome.as_str(), resumed.subscription.cancel_at), ("done", None));
    let nothing = server.post(&format!("{sub}/resume"), json!({})).await;
    assert_eq!(nothing.problem(), "nothing_to_undo");
    let timeline = server.get("/v1/customers/u_1/timeline").await.json();
    let said =
        timeline["data"].as_array().unwrap().iter().any(|it| it["to"]["reason"] == "too dear");
    assert!(said, "{timeline}");
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused() {
    let server = Server::new();
    let sub = subscribed(&server, "growth").await;
    let change = format!("{sub}/change");
    for (body, status) in [
        (json!({ "plan": "gold" }), 422),
        (json!({ "plan": "pro", "interval": "week" }), 422),
        (json!({ "plan": "pro", "speed": "fast" }), 422),
        (json!({}), 422),
        (json!({ "plan": "pro", "preview_token": "prv_none" }), 409),
    ] {
        let refused = server.post(&change, body.clone()).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.json());
        refused.problem();
    }
    let missing = server.post("/v1/subscriptions/sub_none/change", json!({ "plan": "pro" })).await;
    assert_eq!(missing.problem(), "not_found");
    assert_eq!(server.get(&sub).await.json()["plan"], "growth");
}
