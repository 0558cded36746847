//! Charging a failed invoice over HTTP.

use farthing_server::schema::{ChangePreview, CustomerState, Retried};
use serde_json::json;

use crate::harness::Server;
use crate::harness::off;
use crate::harness::world::GOOD_CARD;

/// A customer `u_1` whose renewal failed; the path of the subscription.
async fn overdue(server: &mut Server) -> String {
    server.customer("u_1").await;
    off(|| {
        let world = &mut server.world;
        let checkout = world.checkout(&world.plan("u_1", "growth")).unwrap();
        assert_eq!(world.pay(&checkout, GOOD_CARD), 303);
        world.settle();
        world.change_card("u_1", "pm_card_chargeCustomerFail");
        world.advance_days(29);
    });
    let list = server.get("/v1/subscriptions?customer=u_1").await.json();
    format!("/v1/subscriptions/{}", list["data"][0]["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_failed_payment_is_shown_previewed_and_paid_once() {
    let mut server = Server::new();
    let sub = overdue(&mut server).await;
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    let case = state.dunning.unwrap();
    assert_eq!((case.stage.as_str(), case.path.as_str()), ("full_access", "retry"));
    assert!(case.payment_url.is_some() && case.next_retry_at.is_some());
    let declined: Retried = server.post(&format!("{sub}/retry"), json!({})).await.as_promised();
    assert_eq!(declined.outcome, "declined");
    assert_eq!(declined.decline_code.as_deref(), Some("generic_decline"));
    let again = server.post(&format!("{sub}/retry"), json!({})).await;
    assert_eq!(again.problem(), "retry_too_soon");
    off(|| {
        server.world.change_card("u_1", "pm_card_visa");
        let later = server.world.now().plus_seconds(60);
        server.world.clock.set(later);
    });
    let shown = server.post(&format!("{sub}/retry?preview=true"), json!({})).await;
    let shown: ChangePreview = shown.as_promised();
    assert_eq!(shown.due_now.amount, 6_900);
    let body = json!({ "preview_token": shown.preview_token });
    let paid: Retried = server.post(&format!("{sub}/retry"), body.clone()).await.as_promised();
    assert_eq!((paid.outcome.as_str(), paid.amount.amount), ("paid", 6_900));
    let again = server.post(&format!("{sub}/retry"), body).await;
    assert_eq!(again.problem(), "nothing_due");
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    assert_eq!((state.standing.as_str(), state.dunning.is_none()), ("good", true));
}

#[tokio::test]
async fn a_payment_of_nobody_is_not_found() {
    let server = Server::new();
    let missing = server.post("/v1/subscriptions/sub_nobody/retry", json!({})).await;
    assert_eq!(missing.problem(), "not_found");
}
