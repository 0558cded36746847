//! Idempotency keys.

use crate::shop::{DAY, Shop, header, json};

const KEY: &str = "Idempotency-Key";

#[test]
fn the_same_key_gets_the_same_answer_for_a_day() {
    let mut shop = Shop::open();
    let create = |shop: &mut Shop| {
        shop.call("POST", "/v1/customers", "email=a@b.c&name=Ada", &[(KEY, "customer:ada")])
    };
    let first = create(&mut shop);
    let before = shop.n_events();
    // The order of parameters does not matter.
    let again =
        shop.call("POST", "/v1/customers", "name=Ada&email=a@b.c", &[(KEY, "customer:ada")]);
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(header(&again, "idempotent-replayed"), Some("true"));
    assert_eq!(header(&again, "original-request"), header(&first, "request-id"));
    assert_ne!(header(&again, "request-id"), header(&first, "request-id"));
    assert_eq!(shop.n_events(), before);
    shop.advance(DAY - 1);
    assert_eq!(create(&mut shop).body, first.body);
    shop.advance(1);
    let later = create(&mut shop);
    assert_ne!(later.body, first.body, "the key is forgotten");
}

#[test]
fn the_same_key_for_something_else_is_refused() {
    let mut shop = Shop::open();
    shop.call("POST", "/v1/customers", "name=Ada", &[(KEY, "k")]);
    for (path, body) in [("/v1/customers", "name=Bob"), ("/v1/products", "name=Ada")] {
        let other = shop.call("POST", path, body, &[(KEY, "k")]);
        assert_eq!(other.status, 400);
        assert_eq!(json(&other)["error"]["type"], "idempotency_error");
    }
    let long = "k".repeat(256);
    assert_eq!(shop.call("POST", "/v1/customers", "", &[(KEY, &long)]).status, 400);
}

#[test]
fn a_refused_request_leaves_its_key_free() {
    let mut shop = Shop::open();
    let wrong = shop.call("POST", "/v1/customers", "nmae=Ada", &[(KEY, "k")]);
    assert_eq!(wrong.status, 400);
    assert_eq!(shop.call("POST", "/v1/customers", "name=Ada", &[(KEY, "k")]).status, 200);
}

#[test]
fn a_decline_is_kept_and_said_again() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_chargeCustomerFail");
    let growth = shop.growth.clone();
    let body = format!(
        "customer={customer}&items[0][price]={growth}&payment_behavior=error_if_incomplete"
    );
    let first = shop.call("POST", "/v1/subscriptions", &body, &[(KEY, "k")]);
    assert_eq!(first.status, 402);
    let again = shop.call("POST", "/v1/subscriptions", &body, &[(KEY, "k")]);
    assert_eq!((again.status, again.body.clone()), (402, first.body));
    assert_eq!(header(&again, "idempotent-replayed"), Some("true"));
}

#[test]
fn events_name_the_request_and_its_key() {
    let mut shop = Shop::open();
    let response = shop.call("POST", "/v1/customers", "", &[(KEY, "customer:ada")]);
    let event = shop.last_event("customer.created");
    assert_eq!(event["request"]["idempotency_key"], "customer:ada");
    assert_eq!(event["request"]["id"].as_str(), header(&response, "request-id"));
}
