//! What is sent to Stripe, word for word.

#[path = "requests/every.rs"]
mod every;

use farthing_core::money::Money;
use farthing_providers::stripe::prices::{NewPrice, encode_create_price};
use farthing_providers::stripe::subscriptions::encode_fetch_subscription;

#[test]
fn every_request_is_exactly_as_reviewed() {
    let mut text = String::new();
    for request in every::every_request() {
        text.push_str(&format!("{} {}\n", request.method, request.path));
        if let Some(key) = &request.idempotency_key {
            text.push_str(&format!("  Idempotency-Key: {key}\n"));
        }
        for (name, value) in &request.form {
            text.push_str(&format!("  {name} = {value}\n"));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_list_of_requests_names_every_encoder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/stripe");
    let mut found = 0;
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        let source = std::fs::read_to_string(file).unwrap();
        for rest in source.split("fn encode_").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let call = format!("encode_{name}(");
            assert!(every::SOURCE.contains(&call), "{call}) is missing in tests/requests/every.rs");
            found += 1;
        }
    }
    assert!(45 < found, "only {found} encoders were found, so the search is broken");
}

#[test]
fn every_post_that_changes_something_has_a_key_and_nothing_else_has_one() {
    for request in every::every_request() {
        let changes = request.method == "POST" && request.path != "/v1/invoices/create_preview";
        assert_eq!(changes, request.idempotency_key.is_some(), "{request:?}");
        assert!(request.method == "POST" || request.form.is_empty(), "{request:?}");
    }
}

#[test]
fn an_id_from_outside_cannot_lead_to_another_path() {
    let request = encode_fetch_subscription("../customers/cus_1?limit=1#");
    let path = request.path.split('?').next().unwrap();
    assert_eq!(path, "/v1/subscriptions/%2E%2E%2Fcustomers%2Fcus_1%3Flimit%3D1%23");
}

#[test]
fn a_price_that_stripe_would_round_is_refused_before_it_is_sent() {
    let new = NewPrice {
        product: "p".to_owned(),
        lookup_key: "k".to_owned(),
        amount: Money::new(5_123, "KWD".parse().unwrap()),
        interval: None,
        key: "price".to_owned(),
    };
    let err = encode_create_price(&new).unwrap_err();
    assert!(err.is_refusal("amount_not_representable"), "{err:?}");
}
