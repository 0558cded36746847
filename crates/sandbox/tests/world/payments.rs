//! Payment methods, refunds, customers and the catalog.

use serde_json::json;

use crate::shop::{Shop, field, id};

#[test]
fn a_card_keeps_its_fingerprint_and_its_customer() {
    let mut shop = Shop::open();
    let (ada, bob) = (shop.customer("ada@example.com"), shop.customer("bob@example.com"));
    let attach = "/v1/payment_methods/pm_card_visa/attach";
    let first = shop.post(attach, &format!("customer={ada}"));
    let second = shop.post(attach, &format!("customer={bob}"));
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["card"]["fingerprint"], second["card"]["fingerprint"]);
    let path = format!("/v1/payment_methods/{}", id(&first));
    shop.post(&format!("{path}/attach"), &format!("customer={ada}"));
    shop.refused(400, "POST", &format!("{path}/attach"), &format!("customer={bob}"));
    shop.post(
        &format!("/v1/customers/{ada}"),
        &format!("invoice_settings[default_payment_method]={}", id(&first)),
    );
    let detached = shop.post(&format!("{path}/detach"), "");
    assert!(detached["customer"].is_null());
    let customer = shop.get(&format!("/v1/customers/{ada}"));
    assert!(customer["invoice_settings"]["default_payment_method"].is_null());
    shop.refused(400, "POST", &format!("{path}/attach"), &format!("customer={ada}"));
}

#[test]
fn a_detached_card_is_no_subscriptions_default() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let body = format!("customer={customer}");
    let method = id(&shop.post("/v1/payment_methods/pm_card_mastercard/attach", &body));
    let subscription = shop.subscribe(&customer, &format!("default_payment_method={method}"));
    assert_eq!(subscription["default_payment_method"], method.as_str());
    shop.post(&format!("/v1/payment_methods/{method}/detach"), "");
    let subscription = shop.get(&format!("/v1/subscriptions/{}", id(&subscription)));
    assert!(subscription["default_payment_method"].is_null());
}

#[test]
fn cards_that_decline_cannot_be_attached() {
    let mut shop = Shop::open();
    let ada = shop.customer("ada@example.com");
    for method in ["pm_card_chargeDeclined", "pm_card_visa_chargeDeclinedInsufficientFunds"] {
        let path = format!("/v1/payment_methods/{method}/attach");
        let error = shop.refused(402, "POST", &path, &format!("customer={ada}"));
        assert_eq!(error["type"], "card_error");
    }
    let declined = shop.post("/v1/payment_methods", "type=card&card[number]=4000000000000069");
    let path = format!("/v1/payment_methods/{}/attach", id(&declined));
    let error = shop.refused(402, "POST", &path, &format!("customer={ada}"));
    assert_eq!(error["code"], "expired_card");
    assert_eq!(shop.get("/v1/payment_methods")["data"], json!([]));
}

#[test]
fn refunds_never_exceed_what_was_taken() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    shop.subscribe(&customer, "");
    let intent = id(&shop.get("/v1/payment_intents")["data"][0]);
    let part = shop.post(
        "/v1/refunds",
        &format!("payment_intent={intent}&amount=900&reason=requested_by_customer"),
    );
    assert_eq!((&part["status"], &part["amount"]), (&json!("succeeded"), &json!(900)));
    let error =
        shop.refused(400, "POST", "/v1/refunds", &format!("payment_intent={intent}&amount=4001"));
    assert_eq!(
        error["message"],
        "Refund amount ($40.01) is greater than unrefunded amount on charge ($40.00)."
    );
    let charge = field(&part, "charge");
    assert_eq!(shop.get(&format!("/v1/charges/{charge}"))["refunded"], false);
    let before = shop.n_events();
    shop.post("/v1/refunds", &format!("charge={charge}"));
    assert_eq!(shop.events_since(before), ["refund.created", "charge.refunded"]);
    let refunded = shop.get(&format!("/v1/charges/{charge}?expand[]=refunds"));
    assert_eq!(
        (&refunded["refunded"], &refunded["amount_refunded"]),
        (&json!(true), &json!(4_900))
    );
    assert_eq!(refunded["refunds"]["data"].as_array().map(Vec::len), Some(2));
    let error = shop.refused(400, "POST", "/v1/refunds", &format!("charge={charge}"));
    assert_eq!(error["code"], "charge_already_refunded");
    shop.refused(400, "POST", "/v1/refunds", "amount=1");
}

#[test]
fn a_deleted_customer_is_a_stub_and_its_subscriptions_end() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = id(&shop.subscribe(&customer, ""));
    let path = format!("/v1/customers/{customer}");
    let stub = json!({"id": customer, "object": "customer", "deleted": true});
    assert_eq!(shop.delete(&path), stub);
    assert_eq!(shop.get(&path), stub);
    shop.refused(404, "POST", &path, "name=Ada");
    assert_eq!(shop.get(&format!("/v1/subscriptions/{subscription}"))["status"], "canceled");
    assert_eq!(shop.get("/v1/customers")["data"], json!([]));
}

#[test]
fn a_checkout_of_a_deleted_customer_is_refused() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let session = shop.growth_session(&format!("customer={customer}"));
    shop.delete(&format!("/v1/customers/{customer}"));
    assert_eq!(shop.pay(&session, "4242424242424242").status, 404);
    assert_eq!(shop.get("/v1/subscriptions?status=all")["data"], json!([]));
}

#[test]
fn a_lookup_key_belongs_to_one_price_and_can_be_taken_over() {
    let mut shop = Shop::open();
    let body =
        "product=growth&currency=usd&unit_amount=5900&recurring[interval]=month&lookup_key=growth";
    shop.refused(400, "POST", "/v1/prices", body);
    let taker = shop.post("/v1/prices", &format!("{body}&transfer_lookup_key=true"));
    let listed = shop.get("/v1/prices?lookup_keys[]=growth&lookup_keys[]=other&active=true");
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0]["id"], taker["id"]);
    let growth = shop.growth.clone();
    assert!(shop.get(&format!("/v1/prices/{growth}"))["lookup_key"].is_null());
}

#[test]
fn an_inactive_price_cannot_be_sold() {
    let mut shop = Shop::open();
    let growth = shop.growth.clone();
    shop.post(&format!("/v1/prices/{growth}"), "active=false");
    let customer = shop.customer_with("pm_card_visa");
    let body = format!("customer={customer}&items[0][price]={growth}");
    let error = shop.refused(400, "POST", "/v1/subscriptions", &body);
    assert_eq!(error["param"], "items[0][price]");
}
