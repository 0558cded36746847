//! Stripe's objects in our words, from bodies in the shape of API version 2026-10-28.

mod fixtures;

use farthing_core::snapshot::{CheckoutStatus, InvoiceStatus, PaymentStatus, SubscriptionStatus};
use farthing_providers::stripe::checkouts::decode_checkout;
use farthing_providers::stripe::customers::decode_customer;
use farthing_providers::stripe::invoices::decode_invoice;
use farthing_providers::stripe::prices::decode_prices;
use farthing_providers::stripe::products::decode_product;
use farthing_providers::stripe::subscriptions::decode_subscription;
use farthing_providers::stripe::webhook_endpoints::decode_webhook_endpoint;
use farthing_providers::{CallError, stripe};
use fixtures::{at, fixture, pretty, with};
use serde_json::Value;

#[test]
fn a_subscription_carries_its_period_card_and_paid_invoice() {
    let subscription = decode_subscription(200, &fixture("subscription_active")).unwrap();
    insta::assert_snapshot!(pretty(&subscription));
}

#[test]
fn a_trial_has_its_own_period() {
    let subscription = decode_subscription(200, &fixture("subscription_trialing")).unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::Trialing);
    let trial = subscription.trial.unwrap();
    assert_eq!((trial.start, trial.end), (at("2027-01-01T00:00:00Z"), at("2027-01-08T00:00:00Z")));
    assert_eq!(subscription.period, trial);
    assert_eq!(subscription.anchor, trial.end);
}

#[test]
fn a_past_due_subscription_is_in_its_new_period_and_unpaid() {
    let subscription = decode_subscription(200, &fixture("subscription_past_due")).unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::PastDue);
    assert_eq!(subscription.period.start, at("2027-02-01T00:00:00Z"));
    let owner = subscription.customer.app_id.as_deref();
    assert_eq!(owner, Some("ada"), "told by the customer when the subscription does not");
    let invoice = subscription.latest_invoice.unwrap();
    assert_eq!((invoice.status, invoice.paid.minor), (InvoiceStatus::Open, 0));
    assert_eq!(invoice.payments[0].status, PaymentStatus::Other("open".to_owned()));
}

#[test]
fn a_trial_that_was_over_at_once_was_none_and_one_that_ends_before_it_starts_is_nonsense() {
    let start = 1_798_761_600_i64;
    let ending = |end: i64| with("subscription_trialing", "/trial_end", end.into());
    assert_eq!(decode_subscription(200, &ending(start)).unwrap().trial, None);
    assert!(decode_subscription(200, &ending(start - 1)).is_err());
    assert!(
        decode_subscription(200, &with("subscription_trialing", "/trial_end", Value::Null))
            .is_err()
    );
}

#[test]
fn both_ways_of_scheduling_an_end_are_understood() {
    let with_period = decode_subscription(200, &fixture("subscription_ends_with_period")).unwrap();
    assert_eq!(with_period.cancel_at, Some(at("2027-02-01T00:00:00Z")));
    let at_a_time = decode_subscription(200, &fixture("subscription_ends_at")).unwrap();
    assert_eq!(at_a_time.cancel_at, Some(at("2027-01-21T00:00:00Z")));
    assert_eq!((at_a_time.status, at_a_time.ended_at), (SubscriptionStatus::Active, None));
    let ended = decode_subscription(200, &fixture("subscription_canceled")).unwrap();
    assert_eq!(ended.ended_at, Some(at("2027-01-07T00:00:00Z")));
}

#[test]
fn an_unknown_status_is_unknown_and_not_a_guess() {
    let body = with("subscription_active", "/status", "hibernating".into());
    let subscription = decode_subscription(200, &body).unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::Other("hibernating".to_owned()));
}

#[test]
fn a_paid_invoice_says_what_was_paid_for_and_how() {
    let invoice = decode_invoice(200, &fixture("invoice_paid")).unwrap();
    insta::assert_snapshot!(pretty(&invoice));
}

#[test]
fn an_open_invoice_says_why_the_payment_failed_and_when_it_is_tried_again() {
    let invoice = decode_invoice(200, &fixture("invoice_open")).unwrap();
    assert_eq!((invoice.status, invoice.attempts), (InvoiceStatus::Open, 2));
    assert_eq!(invoice.next_attempt_at, Some(at("2027-02-04T00:00:00Z")));
    let payment = &invoice.payments[0];
    assert_eq!(payment.status, PaymentStatus::Failed);
    assert_eq!(payment.failure_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(payment.card.as_ref().unwrap().last4, "0341");
}

#[test]
fn a_payment_has_failed_only_after_somebody_tried() {
    let intent = "/payments/data/0/payment/payment_intent";
    let body = with("invoice_open", &format!("{intent}/last_payment_error"), Value::Null);
    let payment = decode_invoice(200, &body).unwrap().payments.remove(0);
    assert_eq!(payment.status, PaymentStatus::Other("requires_payment_method".to_owned()));
    assert_eq!((payment.failure_code, payment.card), (None, None));
    // A success after a failure has no failure, even if the error is still there.
    let body = with("invoice_open", &format!("{intent}/status"), "succeeded".into());
    let payment = decode_invoice(200, &body).unwrap().payments.remove(0);
    assert_eq!((payment.status, payment.failure_code), (PaymentStatus::Succeeded, None));
}

#[test]
fn a_draft_has_credits_shares_and_one_off_lines() {
    let invoice = decode_invoice(200, &fixture("invoice_draft")).unwrap();
    assert_eq!((invoice.status, invoice.number), (InvoiceStatus::Draft, None));
    let lines: Vec<_> =
        invoice.lines.iter().map(|l| (l.amount.minor, l.proration, l.quantity)).collect();
    assert_eq!(lines, [(-1613, true, 1), (7500, false, 3), (250, false, 1)]);
    assert_eq!(invoice.lines[2].price, None);
    assert_eq!(invoice.lines[2].period.start, invoice.lines[2].period.end);
}

#[test]
fn a_complete_checkout_tells_the_whole_purchase_at_once() {
    let checkout = decode_checkout(200, &fixture("checkout_complete")).unwrap();
    assert_eq!((checkout.status, checkout.paid), (CheckoutStatus::Complete, true));
    assert_eq!(checkout.checkout.as_deref(), Some("chk_1"));
    let subscription = checkout.subscription.unwrap();
    assert_eq!(subscription.card.unwrap().fingerprint.as_deref(), Some("fp4242"));
    let invoice = subscription.latest_invoice.unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Paid);
    assert_eq!((invoice.payments[0].id.as_str(), invoice.paid.minor), ("pi_1", 4900));
    assert_eq!(invoice.payments[0].status, PaymentStatus::Succeeded);
}

#[test]
fn a_pack_is_paid_in_our_minor_units_whatever_stripe_counts_in() {
    let checkout = decode_checkout(200, &fixture("checkout_pack")).unwrap();
    assert_eq!(checkout.total.unwrap().to_string(), "1500 ISK");
    let payment = checkout.payment.unwrap();
    assert_eq!((payment.status, payment.amount.minor), (PaymentStatus::Succeeded, 1500));
    assert_eq!(checkout.customer.unwrap().app_id.as_deref(), Some("ada"), "by reference");
}

#[test]
fn an_open_checkout_has_a_page_and_a_stored_card_costs_nothing() {
    let open = decode_checkout(200, &fixture("checkout_open")).unwrap();
    assert_eq!((open.status, open.paid, open.nothing_due), (CheckoutStatus::Open, false, false));
    assert!(open.url.is_some() && open.subscription.is_none());
    let setup = decode_checkout(200, &fixture("checkout_setup")).unwrap();
    assert_eq!((setup.paid, setup.nothing_due, setup.total), (false, true, None));
    let stored = setup.payment_method.unwrap();
    assert_eq!((stored.id.as_str(), stored.card.unwrap().last4.as_str()), ("pm_1", "4242"));
    let owner = stored.customer.unwrap();
    assert_eq!(owner.provider_id, "cus_Ada");
}

#[test]
fn prices_are_found_with_their_keys_and_intervals() {
    let page = decode_prices(200, &fixture("prices")).unwrap();
    assert_eq!(page.next, None);
    insta::assert_snapshot!(pretty(&page.items));
}

#[test]
fn a_deleted_customer_is_still_found_and_says_so() {
    assert!(!decode_customer(200, &fixture("customer")).unwrap().deleted);
    let gone = decode_customer(200, &fixture("customer_deleted")).unwrap();
    assert!(gone.deleted && gone.customer.provider_id == "cus_Ada");
}

#[test]
fn a_deleted_product_cannot_be_used_again() {
    assert_eq!(decode_product(200, &fixture("product")).unwrap(), "farthing_plan_growth");
    let body = br#"{"id": "farthing_plan_growth", "object": "product", "deleted": true}"#;
    assert!(decode_product(200, body).unwrap_err().is_refusal("product_deleted"));
}

#[test]
fn an_endpoints_secret_is_read_and_never_shown() {
    let endpoint = decode_webhook_endpoint(200, &fixture("webhook_endpoint")).unwrap();
    assert_eq!(endpoint.secret.as_deref(), Some("whsec_only_told_once"));
    assert!(!format!("{endpoint:?}").contains("whsec_only"));
}

#[test]
fn what_is_missing_or_nonsense_is_named_by_its_path() {
    let null = || Value::Null;
    let subscription = "subscription_active";
    for (name, pointer, value, path) in [
        (subscription, "/id", null(), "id: is missing"),
        (subscription, "/id", "".into(), "id: is empty"),
        (subscription, "/object", "plan".into(), "object: is \"plan\""),
        (subscription, "/customer", null(), "has no customer"),
        (subscription, "/items/data", Value::Array(vec![]), "has no items"),
        (subscription, "/items/data/0/price", null(), "items.data[0].price: is missing"),
        (subscription, "/items/data/0/current_period_end", 5.into(), "items.data[0]: current"),
        (subscription, "/items/data/0/current_period_end", "x".into(), "not a whole number"),
        (subscription, "/cancel_at", (-1).into(), "cancel_at: is not an instant"),
        (subscription, "/latest_invoice", "in_1".into(), "latest_invoice: is only an id"),
        (subscription, "/latest_invoice/total", 1.5.into(), "latest_invoice.total: is not a whole"),
        (subscription, "/latest_invoice/currency", "xxq".into(), "latest_invoice.currency"),
    ] {
        let err = decode_subscription(200, &with(name, pointer, value)).unwrap_err();
        let CallError::Unknown(text) = &err else { panic!("{pointer}: {err:?}") };
        assert!(text.contains(path), "{pointer}: {text}");
    }
    let err = decode_checkout(200, &with("checkout_pack", "/amount_total", 150_001.into()));
    assert!(err.unwrap_err().to_string().contains("amount_total: 150001 ISK"));
}

#[test]
fn a_refusal_is_final_and_anything_unclear_is_not() {
    let code = |status: u16, body: &str| decode_product(status, body.as_bytes()).unwrap_err();
    let error = |rest: &str| format!(r#"{{"error":{{"type":"invalid_request_error"{rest}}}}}"#);

    let missing = code(404, &error(r#","code":"resource_missing","param":"id","message":"No""#));
    let CallError::Refused { status: 404, code: word, param, message, .. } = &missing else {
        panic!("{missing:?}")
    };
    assert_eq!(
        (word.as_str(), param.as_deref(), message.as_str()),
        ("resource_missing", Some("id"), "No")
    );

    let reused = code(400, r#"{"error":{"type":"idempotency_error","message":"same key"}}"#);
    assert!(reused.is_refusal("idempotency_error"));
    let declined =
        r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"}}"#;
    let declined = code(402, declined);
    assert!(
        matches!(&declined, CallError::Refused { decline_code: Some(word), .. } if word == "lost_card")
    );

    let in_use = code(409, &error(r#","code":"idempotency_key_in_use""#));
    assert!(matches!(in_use, CallError::Unknown(_)), "{in_use:?}");
    for (status, body) in [(429, String::new()), (401, error("")), (409, error(r#","code":"x""#))] {
        let err = code(status, &body);
        assert!(matches!(err, CallError::Unavailable(_)), "{status}: {err:?}");
    }
    for (status, body) in
        [(500, error("")), (503, "<html>".into()), (404, "<html>".into()), (302, String::new())]
    {
        let err = code(status, &body);
        assert!(matches!(err, CallError::Unknown(_)), "{status}: {err:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_may_still_have_happened() {
    for body in ["", "null", "[]", "{\"id\":", "{\"object\":\"customer\"}"] {
        let err = decode_customer(200, body.as_bytes()).unwrap_err();
        assert!(matches!(err, CallError::Unknown(_)), "{body}: {err:?}");
    }
    assert_eq!(stripe::API_VERSION, "2026-10-28.endive");
}
