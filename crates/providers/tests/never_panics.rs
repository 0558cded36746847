//! Whatever a provider sends, decoding it answers or errs and never panics.

use std::sync::LazyLock;

use farthing_core::time::Timestamp;
use farthing_providers::Livemode;
use farthing_providers::stripe::EventEnvelope;
use farthing_providers::stripe::account::decode_account;
use farthing_providers::stripe::charges::{decode_charge, decode_paid_invoice};
use farthing_providers::stripe::checkouts::{decode_checkout, decode_found_checkout};
use farthing_providers::stripe::customers::decode_customer;
use farthing_providers::stripe::disputes::{decode_dispute, decode_disputes};
use farthing_providers::stripe::events::decode_events;
use farthing_providers::stripe::invoices::{decode_invoice, decode_invoice_lines, decode_invoices};
use farthing_providers::stripe::payment_methods::{
    decode_payment_method, decode_payment_methods, decode_setup_intent,
};
use farthing_providers::stripe::portal::decode_portal_session;
use farthing_providers::stripe::previews::decode_preview;
use farthing_providers::stripe::prices::{decode_price, decode_prices};
use farthing_providers::stripe::products::decode_product;
use farthing_providers::stripe::refunds::{decode_refund, decode_refunds};
use farthing_providers::stripe::schedules::decode_schedule;
use farthing_providers::stripe::subscriptions::{decode_subscription, decode_subscriptions};
use farthing_providers::stripe::webhook_endpoints::{
    decode_webhook_endpoint, decode_webhook_endpoints,
};
use proptest::prelude::*;
use serde_json::Value;

/// Every decoder, on the same body. How many took it.
fn decode_all(status: u16, body: &[u8]) -> usize {
    [
        decode_account(status, body, Livemode::Test).is_ok(),
        decode_charge(status, body).is_ok(),
        decode_paid_invoice(status, body).is_ok(),
        decode_checkout(status, body).is_ok(),
        decode_found_checkout(status, body).is_ok(),
        decode_customer(status, body).is_ok(),
        decode_dispute(status, body).is_ok(),
        decode_disputes(status, body).is_ok(),
        decode_events(status, body).is_ok(),
        decode_invoice(status, body).is_ok(),
        decode_invoice_lines(status, body).is_ok(),
        decode_invoices(status, body).is_ok(),
        decode_payment_method(status, body).is_ok(),
        decode_payment_methods(status, body).is_ok(),
        decode_setup_intent(status, body).is_ok(),
        decode_portal_session(status, body).is_ok(),
        decode_preview(status, body, Timestamp::from_seconds(1_800_100_800).expect("an instant"))
            .is_ok(),
        decode_price(status, body).is_ok(),
        decode_prices(status, body).is_ok(),
        decode_product(status, body).is_ok(),
        decode_refund(status, body).is_ok(),
        decode_refunds(status, body).is_ok(),
        decode_schedule(status, body).is_ok(),
        decode_subscription(status, body).is_ok(),
        decode_subscriptions(status, body).is_ok(),
        decode_webhook_endpoint(status, body).is_ok(),
        decode_webhook_endpoints(status, body).is_ok(),
        EventEnvelope::parse(body).is_ok(),
    ]
    .into_iter()
    .filter(|taken| *taken)
    .count()
}

static FIXTURES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stripe");
    let files = std::fs::read_dir(folder).expect("the folder of fixtures");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path| serde_json::from_slice(&std::fs::read(path).expect("a file"));
    paths.into_iter().map(|path| read(path).expect("JSON")).collect()
});

/// Something else in the place of a value.
fn other_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 3.0)),
        ".{0,8}".prop_map(Value::from),
        Just(Value::Array(Vec::new())),
        Just(serde_json::json!({})),
        Just(serde_json::json!([{ "id": "x", "object": "y" }])),
    ]
}

/// Puts `value` in the place of the `n`th value of the document, counted depth first and around.
fn replace(document: &mut Value, n: usize, value: Value) {
    let count = count(document);
    let mut left = n % count;
    replace_nth(document, &mut left, &mut Some(value));
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn replace_nth(value: &mut Value, left: &mut usize, with: &mut Option<Value>) {
    if with.is_none() {
        return;
    }
    if *left == 0 {
        *value = with.take().expect("checked above");
        return;
    }
    *left -= 1;
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| replace_nth(element, left, with));
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| replace_nth(field, left, with));
        }
        _ => {}
    }
}

#[test]
fn every_fixture_is_understood_by_some_decoder() {
    for fixture in FIXTURES.iter() {
        let taken = decode_all(200, fixture.to_string().as_bytes());
        assert!(0 < taken, "nobody reads {fixture}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_document_is_read_or_refused(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<usize>(), other_value()), 1..4),
        status in prop_oneof![Just(200_u16), 100..600_u16],
    ) {
        let mut document = FIXTURES[which.index(FIXTURES.len())].clone();
        for (at, value) in changes {
            replace(&mut document, at, value);
        }
        decode_all(status, document.to_string().as_bytes());
    }

    #[test]
    fn bytes_are_read_or_refused(body: Vec<u8>, status: u16) {
        decode_all(status, &body);
    }

    #[test]
    fn a_document_cut_short_is_refused(which: prop::sample::Index, at: prop::sample::Index) {
        let text = FIXTURES[which.index(FIXTURES.len())].to_string();
        let cut = &text.as_bytes()[..at.index(text.len())];
        prop_assert_eq!(decode_all(200, cut), 0);
    }
}
