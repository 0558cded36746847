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
    let cancel = format!("{sub}/cancel");
    for (body, field) in [
        (json!({}), "/at missing_field"),
        (json!({ "at": "later" }), "/at invalid_value"),
        (json!({ "at": "now", "refund": true }), "/refund unknown_field"),
        (json!({ "at": "now", "reason": "x".repeat(501) }), "/reason invalid_length"),
    ] {
        assert_eq!(server.post(&cancel, body).await.fields(), [field]);
    }
    for (verb, body) in [
        ("change", json!({ "plan": "pro" })),
        ("change?preview=true", json!({ "plan": "pro" })),
        ("cancel", json!({ "at": "now" })),
        ("cancel?preview=true", json!({ "at": "now" })),
        ("resume", json!({})),
    ] {
        let missing = server.post(&format!("/v1/subscriptions/sub_none/{verb}"), body).await;
        assert_eq!(missing.problem(), "not_found", "{verb}");
    }
    assert_eq!(server.get(&sub).await.json()["plan"], "growth");
}

#[tokio::test]
async fn a_preview_says_what_is_in_the_way_and_changes_nothing() {
    let server = Server::new();
    let sub = subscribed(&server, "growth").await;
    let body = json!({ "customer": "u_1", "feature": "chatbots", "amount": 5 });
    assert_eq!(server.post("/v1/consume", body).await.json()["allowed"], true);
    let before = server.get(&sub).await.json();
    let path = format!("{sub}/change?preview=true");
    let down = server.post(&path, json!({ "plan": "starter" })).await;
    let down: ChangePreview = down.as_promised();
    assert_eq!(down.blocked_by, ["delete 2 chatbots before moving to Starter (5 used, 3 allowed)"]);
    assert_eq!((down.due_now.amount, down.preview_token), (0, None));
    let path = format!("{sub}/cancel?preview=true");
    let end = server.post(&path, json!({ "at": "period_end" })).await;
    let end: ChangePreview = end.as_promised();
    assert_eq!((end.due_now.amount, end.next_charge.is_none()), (0, true));
    assert_eq!(end.effective_at, before["period"]["end"].as_str().unwrap());
    assert_eq!(server.get(&sub).await.json(), before);
}

#[tokio::test]
async fn a_second_change_waits_until_the_first_ones_answer_is_known() {
    let server = Server::new();
    let sub = subscribed(&server, "starter").await;
    server.world.line.lose_answer(0);
    let lost = server.post(&format!("{sub}/change"), json!({ "plan": "growth" })).await;
    assert_eq!((lost.status.as_u16(), lost.problem().as_str()), (503, "provider_unavailable"));
    server.world.line.heal();
    for (verb, body) in [
        ("change", json!({ "plan": "pro" })),
        ("cancel", json!({ "at": "now" })),
        ("resume", json!({})),
    ] {
        let second = server.post(&format!("{sub}/{verb}"), body).await;
        assert_eq!(second.problem(), "change_in_progress", "{verb}");
    }
    let later = server.world.now().plus_seconds(60);
    server.world.clock.set(later);
    off(|| server.world.drain());
    assert_eq!(server.get(&sub).await.json()["plan"], "growth", "the first one was done");
    let pro = server.post(&format!("{sub}/change"), json!({ "plan": "pro" })).await;
    assert_eq!(pro.json()["outcome"], "done");
}
