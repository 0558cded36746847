//! Refunds: asked for by one, decided by another, made once, at the amount on the button.

use farthing_engine::operators::Role;
use farthing_engine::refunds::{RefundFilter, RefundView};

use crate::harness::{Browser, Panel, off};

const REASON: (&str, &str) = ("reason", "it does not do what I need");

fn all(panel: &Panel) -> Vec<RefundView> {
    off(|| panel.world.engine.refunds(&RefundFilter::default(), "", 50).unwrap())
}

/// Somebody of support asks for everything back, after a look at it.
async fn ask(browser: &mut Browser<'_>) -> String {
    let page = browser.get("/admin/customers/u_1/refund").await;
    assert!(page.has("The policy allows it."), "{}", page.body);
    let payment = page.after("name=\"payment\" value=\"");
    let fields = [("payment", payment.as_str()), REASON];
    let page = browser.post("/admin/customers/u_1/refund", &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.has("Ask for $69.00 back for u_1@example.com"), "{}", page.body);
    let token = page.after("name=\"preview_token\" value=\"");
    let fields = [("payment", payment.as_str()), REASON, ("preview_token", token.as_str())];
    let page = browser.post("/admin/customers/u_1/refund", &fields).await;
    assert_eq!(page.status, 303, "{}", page.body);
    page.header("location").to_owned()
}

#[tokio::test]
async fn what_support_asks_for_finance_decides_and_it_is_sent_once() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "growth"));
    let mut support = panel.signed_in(Role::Support).await;
    let refund = ask(&mut support).await;
    assert!(!support.get(&refund).await.has("Refund $69.00 to"), "support cannot decide");
    let page = support.post(&format!("{refund}/approve"), &[]).await;
    assert_eq!(page.status, 403);
    assert_eq!(all(&panel)[0].state, "needs_review");

    let mut finance = panel.signed_in(Role::Finance).await;
    assert!(finance.get("/admin").await.has("refunds to decide"));
    let page = finance.get(&refund).await;
    assert!(page.has("Refund $69.00 to u_1@example.com"), "{}", page.body);
    assert!(page.has("it does not do what I need"));
    assert_eq!(finance.post(&format!("{refund}/approve"), &[]).await.status, 303);
    finance.post(&format!("{refund}/approve"), &[]).await;
    let made = off(|| panel.world.at_provider("GET", "/v1/refunds", &[]));
    assert_eq!(made["data"].as_array().unwrap().len(), 1);
    off(|| panel.world.drain());
    assert!(finance.get("/admin/refunds?state=").await.has("$69.00"));
    assert!(!finance.get("/admin").await.has("refunds to decide"));
    off(|| panel.world.check());
}

#[tokio::test]
async fn whoever_only_looks_neither_asks_for_nor_makes_a_refund() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "growth"));
    let refund = ask(&mut panel.signed_in(Role::Support).await).await;
    let mut viewer = panel.signed_in(Role::Viewer).await;
    assert_eq!(viewer.get(&refund).await.status, 200);
    for path in [format!("{refund}/approve"), format!("{refund}/reject")] {
        assert_eq!(viewer.post(&path, &[REASON]).await.status, 403);
    }
    assert_eq!(viewer.get("/admin/customers/u_1/refund").await.status, 403);
    assert_eq!(viewer.post("/admin/customers/u_1/refund", &[REASON]).await.status, 403);
    assert_eq!(all(&panel).len(), 1);
    assert_eq!(all(&panel)[0].state, "needs_review");
}

#[tokio::test]
async fn a_refund_is_rejected_with_a_reason_and_no_money_moves() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "growth"));
    let refund = ask(&mut panel.signed_in(Role::Support).await).await;
    let mut finance = panel.signed_in(Role::Finance).await;
    let page = finance.post(&format!("{refund}/reject"), &[("reason", "")]).await;
    assert_eq!(page.status, 422);
    let why = ("reason", "More was used than the policy allows for a refund.");
    assert_eq!(finance.post(&format!("{refund}/reject"), &[why]).await.status, 303);
    assert!(finance.get(&refund).await.has(why.1));
    assert_eq!(all(&panel)[0].state, "rejected");
    let made = off(|| panel.world.at_provider("GET", "/v1/refunds", &[]));
    assert!(made["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn money_goes_back_only_if_somebody_showed_who_they_are_just_now() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "growth"));
    let refund = ask(&mut panel.signed_in(Role::Support).await).await;
    let mut finance = panel.signed_in(Role::Finance).await;
    panel.wait(5 * 60);
    let page = finance.post(&format!("{refund}/approve"), &[]).await;
    assert!(page.header("location").starts_with("/admin/confirm"), "{page:?}");
    assert_eq!(all(&panel)[0].state, "needs_review");
}
