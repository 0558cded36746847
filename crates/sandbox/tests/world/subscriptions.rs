//! Subscriptions over time: renewals, trials, endings.

use serde_json::json;

use crate::shop::{DAY, HOUR, START, Shop, day, field, id};

fn status(shop: &mut Shop, subscription: &str) -> String {
    field(&shop.get(&format!("/v1/subscriptions/{subscription}")), "status")
}

#[test]
fn a_renewal_moves_the_period_first_and_charges_an_hour_later() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let end = subscription["items"]["data"][0]["current_period_end"].as_i64().expect("an instant");
    let before = shop.n_events();
    shop.world.advance_to(end);
    assert_eq!(shop.events_since(before), ["invoice.created", "customer.subscription.updated"]);
    let path = format!("/v1/subscriptions/{}?expand[]=latest_invoice", id(&subscription));
    let renewed = shop.get(&path);
    assert_eq!(renewed["status"], "active");
    assert_eq!(renewed["items"]["data"][0]["current_period_start"], end);
    let invoice = &renewed["latest_invoice"];
    assert_eq!(invoice["status"], "draft");
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    assert_eq!((&invoice["period_start"], &invoice["period_end"]), (&START.into(), &end.into()));
    assert_eq!(invoice["lines"]["data"][0]["period"]["start"], end);
    let before = shop.n_events();
    shop.advance(HOUR);
    assert_eq!(
        shop.events_since(before),
        [
            "payment_intent.created",
            "invoice.updated",
            "invoice.finalized",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice_payment.paid",
            "invoice.updated",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    assert_eq!(shop.last_event("invoice.paid")["created"], end + HOUR);
}

#[test]
fn a_subscription_of_the_31st_renews_at_the_end_of_short_months_across_a_leap_year() {
    // 31 January 2028, 10:00 UTC.
    let mut shop = Shop::at(START + 365 * DAY);
    let customer = shop.customer_with("pm_card_visa");
    let subscription = id(&shop.subscribe(&customer, ""));
    let mut days = Vec::new();
    for _ in 0..14 {
        let now = shop.get(&format!("/v1/subscriptions/{subscription}"));
        let end = &now["items"]["data"][0]["current_period_end"];
        days.push(day(end));
        shop.world.advance_to(end.as_i64().expect("an instant") + HOUR);
    }
    assert_eq!(
        days,
        [
            "2028-02-29",
            "2028-03-31",
            "2028-04-30",
            "2028-05-31",
            "2028-06-30",
            "2028-07-31",
            "2028-08-31",
            "2028-09-30",
            "2028-10-31",
            "2028-11-30",
            "2028-12-31",
            "2029-01-31",
            "2029-02-28",
            "2029-03-31",
        ]
    );
}

#[test]
fn a_long_sleep_renews_every_period_once_and_in_order() {
    let mut asleep = Shop::open();
    let mut awake = Shop::open();
    for shop in [&mut asleep, &mut awake] {
        let customer = shop.customer_with("pm_card_visa");
        shop.subscribe(&customer, "");
    }
    asleep.advance(20 * DAY);
    asleep.advance(72 * DAY);
    for _ in 0..92 * 24 {
        awake.advance(HOUR);
    }
    let invoices = |shop: &mut Shop| shop.get("/v1/invoices?limit=100");
    assert_eq!(invoices(&mut asleep)["data"].as_array().map(Vec::len), Some(4));
    assert_eq!(invoices(&mut asleep), invoices(&mut awake));
}

#[test]
fn a_trial_announces_its_end_and_then_bills() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = id(&shop.subscribe(&customer, "trial_period_days=7"));
    assert_eq!(status(&mut shop, &subscription), "trialing");
    shop.advance(4 * DAY);
    assert_eq!(shop.last_event("customer.subscription.trial_will_end")["created"], START + 4 * DAY);
    shop.advance(3 * DAY);
    let now = shop.get(&format!("/v1/subscriptions/{subscription}?expand[]=latest_invoice"));
    assert_eq!(now["status"], "active");
    assert_eq!(now["billing_cycle_anchor"], START + 7 * DAY);
    assert_eq!(now["items"]["data"][0]["current_period_start"], START + 7 * DAY);
    assert_eq!(now["latest_invoice"]["status"], "draft");
    let updated = shop.last_event("customer.subscription.updated");
    assert_eq!(updated["data"]["previous_attributes"]["status"], "trialing");
    shop.advance(HOUR);
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&now["latest_invoice"], "id")));
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&"paid".into(), &4_900.into()));
}

#[test]
fn a_short_trial_announces_its_end_at_once() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    shop.subscribe(&customer, "trial_period_days=2");
    assert_eq!(shop.last_event("customer.subscription.trial_will_end")["created"], START);
}

#[test]
fn a_trial_without_a_card_ends_as_it_was_told() {
    for (setting, expected) in
        [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
    {
        let mut shop = Shop::open();
        let customer = shop.customer("ada@example.com");
        let more = format!(
            "trial_period_days=7&trial_settings[end_behavior][missing_payment_method]={setting}"
        );
        let subscription = id(&shop.subscribe(&customer, &more));
        shop.advance(7 * DAY + HOUR);
        assert_eq!(status(&mut shop, &subscription), expected, "{setting}");
    }
}

#[test]
fn ending_at_the_period_end_can_be_taken_back() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let end = &subscription["items"]["data"][0]["current_period_end"];
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    shop.advance(DAY);
    let ending = shop.post(&path, "cancel_at_period_end=true");
    assert_eq!(ending["status"], "active");
    assert_eq!(&ending["cancel_at"], end);
    assert_eq!(ending["canceled_at"], START + DAY);
    let back = shop.post(&path, "cancel_at_period_end=false");
    assert_eq!((&back["cancel_at"], &back["canceled_at"]), (&json!(null), &json!(null)));
    shop.post(&path, "cancel_at=max_period_end");
    let back = shop.post(&path, "cancel_at=");
    assert_eq!((&back["cancel_at"], &back["cancel_at_period_end"]), (&json!(null), &json!(false)));
    shop.post(&path, "cancel_at_period_end=true");
    shop.world.advance_to(end.as_i64().expect("an instant"));
    let ended = shop.get(&path);
    assert_eq!((&ended["status"], &ended["ended_at"]), (&json!("canceled"), end));
    assert_eq!(shop.get("/v1/invoices")["data"].as_array().map(Vec::len), Some(1), "no renewal");
    assert_eq!(
        shop.last_event("customer.subscription.deleted")["data"]["object"]["status"],
        "canceled"
    );
}

#[test]
fn what_has_ended_stays_ended() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = id(&shop.subscribe(&customer, ""));
    let path = format!("/v1/subscriptions/{subscription}");
    let ended = shop.delete(&path);
    assert_eq!(ended["cancellation_details"]["reason"], "cancellation_requested");
    shop.refused(404, "DELETE", &path, "");
    shop.refused(400, "POST", &path, "cancel_at_period_end=false");
    shop.post(&path, "metadata[note]=gone");
    let before = shop.n_events();
    shop.advance(25 * DAY);
    assert_eq!(shop.events_since(before), Vec::<String>::new());
    assert_eq!(shop.get("/v1/subscriptions")["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(shop.get("/v1/subscriptions?status=all")["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_payment_behaviors_differ_when_the_card_says_no() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_chargeCustomerFail");
    let growth = shop.growth.clone();
    let body = |behavior: &str| {
        format!("customer={customer}&items[0][price]={growth}&payment_behavior={behavior}")
    };
    let before = shop.n_events();
    let error = shop.refused(402, "POST", "/v1/subscriptions", &body("error_if_incomplete"));
    assert_eq!(
        (&error["type"], &error["decline_code"]),
        (&json!("card_error"), &json!("generic_decline"))
    );
    assert_eq!(shop.n_events(), before, "nothing was changed");
    for behavior in ["allow_incomplete", "default_incomplete"] {
        let subscription = shop.post("/v1/subscriptions", &body(behavior));
        assert_eq!(subscription["status"], "incomplete", "{behavior}");
    }
    shop.advance(23 * HOUR);
    let listed = shop.get("/v1/subscriptions?status=incomplete_expired");
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));
    let invoices = shop.get("/v1/invoices?status=void");
    assert_eq!(invoices["data"].as_array().map(Vec::len), Some(2));
}

#[test]
fn prices_of_two_currencies_do_not_mix() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let body = "product=growth&currency=eur&unit_amount=4500&recurring[interval]=month";
    let euro = id(&shop.post("/v1/prices", body));
    shop.subscribe(&customer, "");
    let body = format!("customer={customer}&items[0][price]={euro}");
    let error = shop.refused(400, "POST", "/v1/subscriptions", &body);
    assert!(field(&error, "message").contains("combine currencies"));
}
