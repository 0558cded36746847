//! Changing what runs: to the cent, refused with reasons, one at a time, undone.

use crate::browser::{Browser, off};

async fn on_growth() -> Browser {
    let mut browser = Browser::of("ana").await;
    off(|| browser.world.buy("ana", "growth"));
    browser
}

#[tokio::test]
async fn the_front_says_what_is_paid_next_and_what_is_used() {
    let browser = on_growth().await;
    off(|| browser.world.consume("ana", "chatbots", 3));
    let page = browser.get("/b").await;
    page.says("Growth");
    page.says("<strong>$69.00</strong>");
    page.says("28 Feb 2027");
    page.says("3 of 10");
    page.says("aria-label=\"Chatbots\"");
    page.says("starts again on");
    page.says("10,500");
}

#[tokio::test]
async fn an_upgrade_charges_exactly_what_was_shown() {
    let mut browser = on_growth().await;
    off(|| browser.world.advance_days(10));
    let confirm = browser.get("/b/plans/pro?interval=month").await;
    let due = confirm.html.split("id=\"due\">").nth(1).unwrap().split('<').next().unwrap();
    let due = due.to_owned();
    let token = confirm.field_after("action=\"/b/change\"", "token");
    let fields = [("plan", "pro"), ("interval", "month"), ("token", token.as_str())];
    assert_eq!(browser.post("/b/change", &fields).await.to(), "/b?done=changed");
    browser.get("/b?done=changed").await.says("Your new plan counts from now on");
    let ana = "ana".parse().unwrap();
    let paid = off(|| browser.world.engine.invoices(Some(&ana), "", 1).unwrap()).remove(0);
    let paid = paid.total.to_string();
    assert_eq!(format!("${}", paid.strip_suffix(" USD").unwrap()), due);
    assert!(confirm.html.contains(&format!("Pay {due} and change now")));
    let again = browser.post("/b/change", &fields).await;
    assert_eq!(again.status, 409, "the same form once more changes nothing");
}

#[tokio::test]
async fn an_amount_that_no_longer_holds_is_shown_anew_and_not_charged() {
    let mut browser = on_growth().await;
    off(|| browser.world.advance_days(10));
    let confirm = browser.get("/b/plans/pro?interval=month").await;
    let token = confirm.field_after("action=\"/b/change\"", "token");
    off(|| browser.world.advance_days(1));
    let fields = [("plan", "pro"), ("interval", "month"), ("token", token.as_str())];
    let page = browser.post("/b/change", &fields).await;
    assert_eq!(page.status, 409);
    page.says("The amount has changed");
    assert_ne!(page.field_after("action=\"/b/change\"", "token"), token, "a new preview");
    assert_eq!(off(|| browser.world.state("ana")).plan, "growth");
}

#[tokio::test]
async fn a_refused_downgrade_says_what_has_to_go_for_each_feature() {
    let browser = on_growth().await;
    off(|| {
        browser.world.consume("ana", "chatbots", 5);
        browser.world.consume("ana", "galleries", 12);
    });
    for path in ["/b/plans", "/b/plans/starter?interval=month"] {
        let page = browser.get(path).await;
        page.says("Delete 2 chatbots before moving to Starter (5 used, 3 allowed)");
        page.says("Delete 2 galleries before moving to Starter (12 used, 10 allowed)");
    }
    let confirm = browser.get("/b/plans/starter?interval=month").await;
    confirm.says_not("action=\"/b/change\"");
    let forced = [("plan", "starter"), ("interval", "month"), ("token", "prv_1")];
    let forced = browser.post("/b/change", &forced).await;
    assert_eq!(forced.status, 409);
    forced.says("Delete 2 chatbots");
}

#[tokio::test]
async fn a_downgrade_waits_and_can_be_undone() {
    let browser = on_growth().await;
    let confirm = browser.get("/b/plans/starter?interval=month").await;
    confirm.says("You keep Growth until");
    confirm.says("id=\"due\">$0.00<");
    let token = confirm.field_after("action=\"/b/change\"", "token");
    let fields = [("plan", "starter"), ("interval", "month"), ("token", token.as_str())];
    assert_eq!(browser.post("/b/change", &fields).await.to(), "/b?done=scheduled");
    let page = browser.get("/b").await;
    page.says("Changes to <strong>Starter</strong>");
    page.says("<strong>$19.00</strong>");
    assert_eq!(browser.post("/b/resume", &[]).await.to(), "/b?done=resumed");
    browser.get("/b").await.says_not("Changes to");
}

#[tokio::test]
async fn the_second_tab_is_told_that_a_change_is_in_progress() {
    let browser = on_growth().await;
    let confirm = browser.get("/b/plans/pro?interval=month").await;
    let token = confirm.field_after("action=\"/b/change\"", "token");
    let fields = [("plan", "pro"), ("interval", "month"), ("token", token.as_str())];
    let fault = [("call", "POST /v1/subscriptions"), ("times", "1")];
    off(|| browser.world.provider().scenario("lost_after", &fault).unwrap());
    let first = browser.post("/b/change", &fields).await;
    assert_eq!(first.status, 503, "{}", first.html);
    let second = browser.post("/b/cancel", &[]).await;
    assert_eq!(second.status, 409);
    second.says("Another change is in progress");
    browser.get("/b").await.says("A change is being carried out");
}

#[tokio::test]
async fn canceling_says_when_and_what_is_kept_and_is_undone() {
    let browser = on_growth().await;
    let ask = browser.get("/b/cancel").await;
    assert_eq!(ask.html.matches("type=\"radio\"").count(), 8);
    ask.says("You keep Growth until <strong><time datetime=\"2027-02-28");
    ask.says("After that you are on Free");
    let fields = [("reason", "too_expensive"), ("comment", "<b>too much</b>")];
    assert_eq!(browser.post("/b/cancel", &fields).await.to(), "/b?done=canceled");
    let page = browser.get("/b").await;
    page.says("You move to Free on");
    page.says_not("Next charge");
    let told = off(|| browser.world.engine.timeline(&"ana".parse().unwrap(), None, 50).unwrap());
    assert!(format!("{told:?}").contains("too_expensive: <b>too much</b>"));
    assert!(told.iter().any(|entry| entry.actor == "customer:ana"));
    assert_eq!(browser.post("/b/resume", &[]).await.to(), "/b?done=resumed");
    browser.get("/b").await.says("Next charge");
}

#[tokio::test]
async fn a_failed_payment_is_said_in_plain_words_with_dates_and_two_ways_out() {
    let mut browser = on_growth().await;
    off(|| {
        browser.world.change_card("ana", FAILS_LATER);
        browser.world.advance_days(30);
    });
    let page = browser.get("/b").await;
    page.says("$69.00 could not be collected");
    page.says("Pay now");
    page.says("Use another card");
    page.says("the plan ends, if it is still not paid");
    page.says("7 Mar 2027");
    browser.get("/b/payment-methods").await.says("could not be collected");
}

/// The sandbox's name of a card that can be saved, and then fails.
const FAILS_LATER: &str = "pm_card_chargeCustomerFail";

#[tokio::test]
async fn cards_are_chosen_and_the_last_one_stays() {
    let browser = on_growth().await;
    let page = browser.get("/b/payment-methods").await;
    page.says("Visa ending in 4242");
    let card = page.field_after("action=\"/b/payment-methods/remove\"", "method");
    let refused = browser.post("/b/payment-methods/remove", &[("method", &card)]).await;
    assert_eq!(refused.status, 409);
    refused.says("It is the only payment method of a running subscription");
    let fault = [("call", "GET /v1/customers"), ("times", "1")];
    off(|| browser.world.provider().scenario("rate_limited", &fault).unwrap());
    let partial = browser.get("/b/payment-methods").await;
    assert_eq!(partial.status, 200);
    partial.says("your cards cannot be shown right now");
}

#[tokio::test]
async fn invoices_lead_to_the_providers_documents() {
    let browser = on_growth().await;
    let page = browser.get("/b/invoices").await;
    page.says("$69.00");
    page.says("Paid");
}
