//! Failed payments, retries and what comes after the last one.

use farthing_sandbox::AfterLastRetry;
use serde_json::{Value, json};

use crate::shop::{DAY, HOUR, Shop, field, id};

/// A shop whose only subscription has just failed to renew, and the subscription's path.
fn failed_renewal() -> (Shop, String, String) {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let method = shop.post(
        "/v1/payment_methods/pm_card_chargeCustomerFail/attach",
        &format!("customer={customer}"),
    );
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    shop.post(&path, &format!("default_payment_method={}", id(&method)));
    let end = subscription["items"]["data"][0]["current_period_end"].as_i64().expect("an instant");
    shop.world.advance_to(end);
    (shop, path, customer)
}

fn latest_invoice(shop: &mut Shop, path: &str) -> Value {
    let subscription = shop.get(path);
    shop.get(&format!("/v1/invoices/{}", field(&subscription, "latest_invoice")))
}

#[test]
fn a_renewal_that_fails_makes_the_subscription_past_due() {
    let (mut shop, path, customer) = failed_renewal();
    let before = shop.n_events();
    shop.advance(HOUR);
    assert_eq!(
        shop.events_since(before),
        [
            "payment_intent.created",
            "invoice.updated",
            "invoice.finalized",
            "charge.failed",
            "payment_intent.payment_failed",
            "invoice.updated",
            "invoice.payment_failed",
            "customer.updated",
            "customer.subscription.updated",
        ]
    );
    assert_eq!(shop.get(&path)["status"], "past_due");
    assert_eq!(shop.get(&format!("/v1/customers/{customer}"))["delinquent"], true);
    let invoice = latest_invoice(&mut shop, &path);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
    assert_eq!(invoice["next_payment_attempt"], shop.world.now() + 3 * DAY);
}

#[test]
fn retries_end_with_the_subscription_unless_set_otherwise() {
    for (setting, expected) in [
        (AfterLastRetry::Cancel, "canceled"),
        (AfterLastRetry::Unpaid, "unpaid"),
        (AfterLastRetry::PastDue, "past_due"),
    ] {
        let (mut shop, path, _) = failed_renewal();
        shop.world.set_after_last_retry(setting);
        shop.advance(HOUR + 15 * DAY - 1);
        assert_eq!(shop.get(&path)["status"], "past_due");
        shop.advance(1);
        assert_eq!(shop.get(&path)["status"], expected);
        let invoice = latest_invoice(&mut shop, &path);
        assert_eq!(invoice["attempt_count"], 4);
        assert_eq!(invoice["next_payment_attempt"], json!(null));
    }
    let (mut shop, path, _) = failed_renewal();
    shop.advance(HOUR + 15 * DAY);
    assert_eq!(shop.get(&path)["cancellation_details"]["reason"], "payment_failed");
}

#[test]
fn an_unpaid_subscription_only_drafts() {
    let (mut shop, path, _) = failed_renewal();
    shop.world.set_after_last_retry(AfterLastRetry::Unpaid);
    shop.advance(35 * DAY);
    let invoice = latest_invoice(&mut shop, &path);
    assert_eq!((&invoice["status"], &invoice["auto_advance"]), (&json!("draft"), &json!(false)));
}

#[test]
fn a_good_card_recovers_at_the_next_retry_or_at_once() {
    for at_once in [true, false] {
        let (mut shop, path, customer) = failed_renewal();
        shop.advance(HOUR);
        let invoice = latest_invoice(&mut shop, &path);
        let pay = format!("/v1/invoices/{}/pay", id(&invoice));
        let error = shop.refused(402, "POST", &pay, "");
        assert_eq!(error["code"], "card_declined");
        let body = format!("customer={customer}");
        let method = id(&shop.post("/v1/payment_methods/pm_card_mastercard/attach", &body));
        if at_once {
            shop.post(&pay, &format!("payment_method={method}"));
        } else {
            shop.post(&path, &format!("default_payment_method={method}"));
            shop.advance(3 * DAY);
        }
        assert_eq!(shop.get(&path)["status"], "active");
        assert_eq!(shop.get(&format!("/v1/customers/{customer}"))["delinquent"], false);
        let invoice = latest_invoice(&mut shop, &path);
        assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(4_900)));
        shop.refused(400, "POST", &pay, "");
    }
}

#[test]
fn paying_an_older_invoice_does_not_settle_the_latest() {
    let (mut shop, path, customer) = failed_renewal();
    shop.advance(HOUR);
    let older = id(&latest_invoice(&mut shop, &path));
    shop.world.set_after_last_retry(AfterLastRetry::PastDue);
    shop.advance(32 * DAY);
    assert_ne!(id(&latest_invoice(&mut shop, &path)), older);
    let body = format!("customer={customer}");
    let method = id(&shop.post("/v1/payment_methods/pm_card_visa/attach", &body));
    shop.post(&format!("/v1/invoices/{older}/pay"), &format!("payment_method={method}"));
    assert_eq!(shop.get(&path)["status"], "past_due");
}

#[test]
fn a_first_invoice_is_not_retried() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_chargeCustomerFail");
    let subscription = shop.subscribe(&customer, "");
    assert_eq!(subscription["status"], "incomplete");
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&subscription, "latest_invoice")));
    assert_eq!(
        (&invoice["attempt_count"], &invoice["next_payment_attempt"]),
        (&json!(1), &json!(null))
    );
}

#[test]
fn a_subscription_that_ended_is_not_charged_any_more() {
    let (mut shop, path, _) = failed_renewal();
    shop.advance(HOUR);
    shop.delete(&path);
    let charges = shop.get("/v1/charges")["data"].clone();
    shop.advance(20 * DAY);
    assert_eq!(shop.get("/v1/charges")["data"], charges);
}

#[test]
fn a_voided_invoice_asks_for_nothing() {
    let (mut shop, path, _) = failed_renewal();
    shop.advance(HOUR);
    let invoice = id(&latest_invoice(&mut shop, &path));
    let voided = shop.post(&format!("/v1/invoices/{invoice}/void"), "");
    assert_eq!((&voided["status"], &voided["amount_remaining"]), (&json!("void"), &json!(0)));
    let payments = shop.get(&format!("/v1/invoice_payments?invoice={invoice}"));
    assert_eq!(payments["data"][0]["status"], "canceled");
    shop.refused(400, "POST", &format!("/v1/invoices/{invoice}/void"), "");
    shop.refused(400, "POST", &format!("/v1/invoices/{invoice}/pay"), "");
}

#[test]
fn the_invoice_of_a_payment_is_found_by_its_intent() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let intent = id(&shop.get("/v1/payment_intents")["data"][0]);
    let path = format!(
        "/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}&expand[]=data.invoice"
    );
    let found = shop.get(&path);
    assert_eq!(found["data"][0]["invoice"]["id"], subscription["latest_invoice"]);
    assert_eq!(found["data"][0]["amount_paid"], 4_900);
}

#[test]
fn invoices_of_a_customer_are_numbered() {
    let (mut shop, _, customer) = failed_renewal();
    shop.advance(HOUR);
    let listed = shop.get(&format!("/v1/invoices?customer={customer}"));
    let number = |at: usize| field(&listed["data"][at], "number");
    assert!(number(1).ends_with("-0001") && number(0).ends_with("-0002"));
    assert_eq!(number(0)[..8], number(1)[..8]);
}
