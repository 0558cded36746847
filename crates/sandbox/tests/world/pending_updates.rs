//! Changes that wait until they are paid.

use serde_json::{Value, json};

use crate::shop::{DAY, HOUR, Shop, field, id, period, switch_body};

const PENDING: &str = "proration_behavior=always_invoice&payment_behavior=pending_if_incomplete";

/// A running subscription whose card does not pay any more, and a dearer price.
fn failing(shop: &mut Shop) -> (Value, String) {
    let scale = shop.price("Scale", 9_900, "month");
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let bad = id(&shop.post(attach, &format!("customer={customer}")));
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    shop.post(&path, &format!("default_payment_method={bad}"));
    (subscription, scale)
}

fn price(subscription: &Value) -> &Value {
    &subscription["items"]["data"][0]["price"]["id"]
}

#[test]
fn an_upgrade_that_is_paid_at_once_waits_for_nothing() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let changed = shop.switch(&subscription, &scale, PENDING);
    assert_eq!(price(&changed), scale.as_str());
    assert!(changed["pending_update"].is_null());
}

#[test]
fn an_unpaid_upgrade_grants_nothing_until_its_invoice_is_paid() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    shop.advance(7 * DAY);
    let waiting = shop.switch(&subscription, &scale, PENDING);
    assert_eq!((&waiting["status"], price(&waiting)), (&json!("active"), price(&subscription)));
    let pending = &waiting["pending_update"];
    assert_eq!(pending["expires_at"], shop.world.now() + 23 * HOUR);
    assert_eq!(pending["subscription_items"][0]["price"]["id"], scale.as_str());
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&waiting, "latest_invoice")));
    assert_eq!((&invoice["status"], &invoice["amount_due"]), (&json!("open"), &json!(3_750)));
    shop.advance(HOUR);
    shop.post(&format!("/v1/subscriptions/{}", id(&subscription)), "default_payment_method=");
    let before = shop.n_events();
    shop.post(&format!("/v1/invoices/{}/pay", id(&invoice)), "");
    let kinds = shop.events_since(before);
    assert!(
        kinds.contains(&"customer.subscription.pending_update_applied".to_owned()),
        "{kinds:?}"
    );
    let applied = shop.subscription(&id(&subscription));
    assert_eq!((price(&applied), &applied["pending_update"]), (&json!(scale), &Value::Null));
    assert_eq!(period(&applied), period(&subscription));
}

#[test]
fn an_upgrade_that_nobody_pays_expires_and_its_invoice_is_void() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    let waiting = shop.switch(&subscription, &scale, PENDING);
    let before = shop.n_events();
    shop.advance(23 * HOUR);
    let kinds = shop.events_since(before);
    assert!(
        kinds.contains(&"customer.subscription.pending_update_expired".to_owned()),
        "{kinds:?}"
    );
    assert!(kinds.contains(&"invoice.voided".to_owned()), "{kinds:?}");
    let after = shop.subscription(&id(&subscription));
    assert_eq!((price(&after), &after["pending_update"]), (price(&subscription), &Value::Null));
    let invoice = format!("/v1/invoices/{}", field(&waiting, "latest_invoice"));
    assert_eq!(shop.get(&invoice)["status"], "void");
}

#[test]
fn it_expires_with_the_period_and_the_renewal_is_at_the_old_price() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    let (_, end) = period(&subscription);
    shop.world.advance_to(end - HOUR);
    let waiting = shop.switch(&subscription, &scale, PENDING);
    assert_eq!(waiting["pending_update"]["expires_at"], end);
    shop.post(&format!("/v1/subscriptions/{}", id(&subscription)), "default_payment_method=");
    shop.world.advance_to(end + 2 * HOUR);
    let renewed = shop.subscription(&id(&subscription));
    assert_eq!((price(&renewed), period(&renewed).0), (price(&subscription), end));
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&renewed, "latest_invoice")));
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(4_900), &json!("paid")));
}

#[test]
fn a_new_change_takes_the_place_of_the_one_that_waits() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    let giant = shop.price("Giant", 19_900, "month");
    let first = field(&shop.switch(&subscription, &scale, PENDING), "latest_invoice");
    let second = shop.switch(&subscription, &giant, PENDING);
    assert_eq!(shop.get(&format!("/v1/invoices/{first}"))["status"], "void");
    assert_eq!(second["pending_update"]["subscription_items"][0]["price"]["id"], giant.as_str());
    let path = format!("/v1/invoices/{}/void", field(&second, "latest_invoice"));
    shop.post(&path, "");
    assert!(shop.subscription(&id(&subscription))["pending_update"].is_null());
}

#[test]
fn only_what_can_wait_may_be_asked_with_it() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let body = switch_body(&subscription, &scale, &format!("{PENDING}&cancel_at_period_end=true"));
    assert_eq!(shop.refused(400, "POST", &path, &body)["param"], "cancel_at_period_end");
}

#[test]
fn what_had_waited_for_an_invoice_waits_again_when_that_is_void() {
    let mut shop = Shop::open();
    let (subscription, scale) = failing(&mut shop);
    let giant = shop.price("Giant", 19_900, "month");
    shop.advance(14 * DAY);
    shop.switch(&subscription, &scale, "");
    let total = |shop: &mut Shop| {
        let body = format!("subscription={}", id(&subscription));
        shop.post("/v1/invoices/create_preview", &body)["total"].clone()
    };
    let before = total(&mut shop);
    assert_eq!(before, 9_900 + 4_950 - 2_450);
    let waiting = shop.switch(&subscription, &giant, PENDING);
    assert!(waiting["pending_update"].is_object());
    shop.advance(DAY);
    assert_eq!(total(&mut shop), before);
}
