//! What goes wrong on purpose, by its name.

use farthing_sandbox::{CallFault, Response, SCENARIOS, WebhookFault};
use serde_json::{Value, json};

use crate::shop::{DAY, HOUR, Shop, field, header, id, json};

/// A shop that tells somebody of everything.
fn told() -> Shop {
    let mut shop = Shop::open();
    shop.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/hook&enabled_events[]=*");
    shop
}

/// What is delivered now: event ids with their types. Everything is acknowledged.
fn delivered(shop: &mut Shop) -> Vec<(String, String)> {
    let due = shop.world.deliveries_due();
    let told = due.iter().map(|delivery| {
        let event: Value = serde_json::from_slice(&delivery.body).expect("an event");
        (id(&event), field(&event, "type"))
    });
    let told = told.collect();
    for delivery in due {
        shop.world.delivered(delivery.id, Some(200));
    }
    told
}

fn kinds(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(_, kind)| kind.as_str()).collect()
}

fn set_up(shop: &mut Shop, name: &str, params: &[(&str, &str)]) {
    shop.world.scenario(name, params).expect("a scenario");
}

fn keyed(shop: &mut Shop, key: &str) -> Response {
    shop.call("POST", "/v1/customers", "email=a@b.c", &[("idempotency-key", key)])
}

#[test]
fn a_webhook_is_lost_and_the_event_log_has_it() {
    let mut shop = told();
    set_up(&mut shop, "webhook_lost", &[("type", "customer.created")]);
    shop.customer("a@b.c");
    shop.customer("b@b.c");
    assert_eq!(kinds(&delivered(&mut shop)), ["customer.created"]);
    let missed = shop.get("/v1/events?delivery_success=false")["data"].clone();
    assert_eq!(missed[0]["data"]["object"]["email"], "a@b.c");
    assert_eq!(missed.as_array().map(Vec::len), Some(1));
    shop.advance(4 * DAY);
    assert_eq!(delivered(&mut shop), []);
}

#[test]
fn a_webhook_is_late_twice_or_told_again_under_another_id() {
    let mut shop = told();
    set_up(&mut shop, "webhook_late", &[("seconds", "3600")]);
    shop.customer("a@b.c");
    assert_eq!(delivered(&mut shop), []);
    shop.advance(HOUR);
    assert_eq!(kinds(&delivered(&mut shop)), ["customer.created"]);
    shop.world.faults_mut().plan_webhook(WebhookFault::Twice, "", 1);
    shop.customer("b@b.c");
    let twice = delivered(&mut shop);
    assert_eq!((twice.len(), &twice[0]), (2, &twice[1]));
    set_up(&mut shop, "webhook_other_id", &[]);
    shop.customer("c@b.c");
    let other = delivered(&mut shop);
    assert_eq!(kinds(&other), ["customer.created", "customer.created"]);
    assert_ne!(other[0].0, other[1].0);
    assert_eq!(shop.get("/v1/events?delivery_success=false")["data"], json!([]));
}

#[test]
fn webhooks_arrive_out_of_order() {
    let mut shop = told();
    set_up(&mut shop, "webhooks_reversed", &[]);
    let customer = shop.customer_with("pm_card_visa");
    delivered(&mut shop);
    shop.subscribe(&customer, "");
    let told = delivered(&mut shop);
    assert_eq!(told.first().map(|(_, kind)| kind.as_str()), Some("customer.subscription.updated"));
    assert_eq!(told.last().map(|(_, kind)| kind.as_str()), Some("customer.subscription.created"));
}

#[test]
fn an_answer_is_lost_after_the_call_has_acted_and_its_key_tells_it_again() {
    let mut shop = Shop::open();
    set_up(&mut shop, "lost_after", &[("call", "POST /v1/customers")]);
    assert!(shop.call("GET", "/v1/customers", "", &[]).status == 200);
    assert!(keyed(&mut shop, "k1").is_lost());
    assert_eq!(shop.get("/v1/customers")["data"].as_array().map(Vec::len), Some(1));
    let again = keyed(&mut shop, "k1");
    assert_eq!(header(&again, "idempotent-replayed"), Some("true"));
    assert_eq!(json(&again)["email"], "a@b.c");
}

#[test]
fn a_call_is_lost_before_it_acts() {
    let mut shop = Shop::open();
    shop.world.faults_mut().plan_call(CallFault::LostBefore, "", 2);
    for _ in 0..2 {
        assert!(keyed(&mut shop, "k1").is_lost());
    }
    assert_eq!(shop.get("/v1/customers")["data"], json!([]));
    assert_eq!(keyed(&mut shop, "k1").status, 200);
}

#[test]
fn a_500_is_kept_for_its_key_whether_the_call_acted_or_not() {
    for (name, made) in [("fails_before", 0), ("fails_after", 1)] {
        let mut shop = Shop::open();
        set_up(&mut shop, name, &[]);
        assert_eq!(keyed(&mut shop, "k1").status, 500);
        let again = keyed(&mut shop, "k1");
        assert_eq!((again.status, header(&again, "idempotent-replayed")), (500, Some("true")));
        let customers = shop.get("/v1/customers")["data"].clone();
        assert_eq!(customers.as_array().map(Vec::len), Some(made), "{name}");
        assert_eq!(keyed(&mut shop, "k2").status, 200);
    }
}

#[test]
fn a_storm_of_429_says_when_to_come_back_and_keeps_nothing() {
    let mut shop = Shop::open();
    set_up(&mut shop, "rate_limited", &[("times", "3"), ("seconds", "7")]);
    for _ in 0..3 {
        let answer = keyed(&mut shop, "k1");
        assert_eq!((answer.status, header(&answer, "retry-after")), (429, Some("7")));
        assert_eq!(json(&answer)["error"]["code"], "rate_limit");
    }
    assert_eq!(keyed(&mut shop, "k1").status, 200);
}

#[test]
fn lists_lag_behind_and_catch_up() {
    let mut shop = Shop::open();
    set_up(&mut shop, "stale_lists", &[("seconds", "30")]);
    let customer = shop.customer("a@b.c");
    assert_eq!(shop.get("/v1/customers")["data"], json!([]));
    assert_eq!(shop.get(&format!("/v1/customers/{customer}"))["email"], "a@b.c");
    shop.advance(30);
    assert_eq!(shop.get("/v1/customers")["data"][0]["id"], customer.as_str());
}

#[test]
fn a_saved_card_begins_to_fail_and_heals() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = id(&shop.subscribe(&customer, ""));
    let method = id(&shop.get("/v1/payment_methods")["data"][0]);
    let card = [("payment_method", method.as_str()), ("decline_code", "expired_card")];
    set_up(&mut shop, "card_fails", &card);
    shop.advance(29 * DAY);
    assert_eq!(shop.subscription(&subscription)["status"], "past_due");
    assert_eq!(shop.get("/v1/charges")["data"][0]["failure_code"], "expired_card");
    set_up(&mut shop, "card_heals", &[("payment_method", &method)]);
    shop.advance(3 * DAY);
    assert_eq!(shop.subscription(&subscription)["status"], "active");
}

#[test]
fn the_bank_disputes_a_charge_and_returns_a_refund() {
    let mut shop = Shop::open();
    for (name, event) in
        [("refund_fails", "refund.failed"), ("dispute", "charge.dispute.funds_withdrawn")]
    {
        let customer = shop.customer_with("pm_card_visa");
        shop.subscribe(&customer, "");
        let charge = id(&shop.get("/v1/charges")["data"][0]);
        if name == "dispute" {
            set_up(&mut shop, name, &[("charge", &charge)]);
        } else {
            let refund = id(&shop.post("/v1/refunds", &format!("charge={charge}")));
            set_up(&mut shop, name, &[("refund", &refund)]);
            let charge = shop.get(&format!("/v1/charges/{charge}"));
            assert_eq!(charge["amount_refunded"], 0);
        }
        shop.last_event(event);
    }
    assert_eq!(shop.get("/v1/disputes")["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn scenarios_are_set_up_over_http_and_mistakes_are_told() {
    let mut shop = Shop::open();
    let list = json(&shop.call("GET", "/_scenario", "", &[]));
    assert_eq!(list["scenarios"].as_array().map(Vec::len), Some(SCENARIOS.len()));
    let set = shop.call("POST", "/_scenario/rate_limited", "times=all", &[]);
    assert_eq!(set.status, 200);
    assert_eq!(shop.call("GET", "/v1/customers", "", &[]).status, 429);
    shop.call("POST", "/_scenario/calm", "", &[]);
    assert_eq!(shop.call("GET", "/v1/customers", "", &[]).status, 200);
    for (name, body, word) in [
        ("nonsense", "", "webhook_lost"),
        ("lost_after", "path=x", "call?"),
        ("lost_after", "times=many", "all"),
        ("webhook_late", "", "seconds"),
        ("webhook_late", "seconds=soon", "whole number"),
        ("card_fails", "payment_method=pm_gone", "No such PaymentMethod"),
        ("dispute", "charge=ch_gone", "No such charge"),
        ("dispute_won", "dispute=dp_gone", "No such dispute"),
    ] {
        let refused = shop.call("POST", &format!("/_scenario/{name}"), body, &[]);
        let message = field(&json(&refused)["error"], "message");
        assert_eq!(refused.status, 400, "{name}");
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_dispute_is_decided_on_purpose_and_the_newest_of_a_customer_is_found() {
    for (scenario, status) in [("dispute_won", "won"), ("dispute_lost", "lost")] {
        let mut shop = Shop::open();
        let customer = shop.customer_with("pm_card_visa");
        shop.subscribe(&customer, "");
        let charge = shop.world.newest("charge", &customer).expect("it was paid");
        assert_eq!(shop.world.newest("dispute", &customer), None);
        shop.world.scenario("dispute", &[("charge", &charge)]).unwrap();
        let dispute = shop.world.newest("dispute", &customer).expect("it was opened");
        shop.world.scenario(scenario, &[("dispute", &dispute)]).unwrap();
        assert_eq!(shop.get(&format!("/v1/disputes/{dispute}"))["status"], status);
        let again = shop.world.scenario(scenario, &[("dispute", &dispute)]).unwrap_err();
        assert!(again.contains("already closed"), "{again}");
        for kind in ["subscription", "payment_method"] {
            assert!(shop.world.newest(kind, &customer).is_some(), "{kind}");
            assert_eq!(shop.world.newest(kind, "cus_nobody"), None);
        }
    }
}
