//! Which events are let in. The first vector was made with
//! `printf '1798761600.{"a": 1}' | openssl dgst -sha256 -hmac whsec_test_vector`.

use std::sync::Arc;

use farthing_core::time::Timestamp;
use farthing_providers::stripe::signature::check;
use farthing_providers::stripe::{EventEnvelope, Livemode, Subject, WebhookConfig, WebhookError};
use farthing_providers::{HttpRequest, HttpResponse, Stripe, Transport, TransportError};
use hmac::{Hmac, KeyInit, Mac};

const SECRET: &str = "whsec_test_vector";
const AT: i64 = 1_798_761_600;

fn sign(secret: &str, at: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn now(offset: i64) -> Timestamp {
    Timestamp::from_seconds(AT + offset).expect("an instant")
}

fn config(secrets: &[&str]) -> WebhookConfig {
    WebhookConfig::new(secrets.iter().map(|s| (*s).to_owned()).collect(), 300).expect("secrets")
}

const BODY: &[u8] = br#"{"a": 1}"#;
const BY_OPENSSL: &str = "0bc56499d493b6afa647583da11e790c60fc75bd9b49bb4fc761e6dfcab22f23";
const BY_OPENSSL_OLDER: &str = "6a76406991b66bbce8df27bfe69b1927208f480cac9b533a3ac184a96c3918f3";

#[test]
fn what_openssl_signed_is_accepted() {
    let header = format!("t={AT},v1={BY_OPENSSL}");
    assert_eq!(check(&config(&[SECRET]), &header, BODY, now(0)), Ok(()));
    let header = format!("t={AT},v1={BY_OPENSSL_OLDER}");
    assert_eq!(check(&config(&["whsec_the_older_one"]), &header, BODY, now(0)), Ok(()));
}

#[test]
fn while_a_secret_is_rolled_any_of_both_sides_is_enough() {
    let both = format!("t={AT},v1={BY_OPENSSL_OLDER},v1={BY_OPENSSL}");
    let swapped = format!("t={AT}, v1={BY_OPENSSL}, v1={BY_OPENSSL_OLDER}");
    for header in [&both, &swapped] {
        for secrets in [&[SECRET][..], &["whsec_the_older_one"], &["whsec_other", SECRET]] {
            assert_eq!(check(&config(secrets), header, BODY, now(0)), Ok(()), "{header}");
        }
    }
}

#[test]
fn other_schemes_and_unreadable_signatures_neither_help_nor_harm() {
    let config = config(&[SECRET]);
    let with_v0 = format!("t={AT},v0={BY_OPENSSL},v1={BY_OPENSSL},v1=zz,x=y,,=,nothing");
    assert_eq!(check(&config, &with_v0, BODY, now(0)), Ok(()));
    let only_v0 = format!("t={AT},v0={BY_OPENSSL}");
    let err = check(&config, &only_v0, BODY, now(0));
    assert_eq!(err, Err(WebhookError::BadHeader("has no v1 signature")));
}

#[test]
fn a_signature_is_good_for_the_tolerance_in_both_directions_and_no_longer() {
    let config = config(&[SECRET]);
    let header = format!("t={AT},v1={BY_OPENSSL}");
    let at = |offset: i64| check(&config, &header, BODY, now(offset));
    assert_eq!((at(300), at(-300)), (Ok(()), Ok(())));
    assert_eq!(at(301), Err(WebhookError::TooOld(301)));
    assert_eq!(at(-301), Err(WebhookError::InFuture(301)));
}

#[test]
fn a_changed_body_time_or_secret_matches_nothing() {
    let config = config(&[SECRET]);
    let header = format!("t={AT},v1={BY_OPENSSL}");
    let no_match = Err(WebhookError::NoMatch);
    assert_eq!(check(&config, &header, br#"{"a":1}"#, now(0)), no_match);
    let later = format!("t={},v1={BY_OPENSSL}", AT + 1);
    assert_eq!(check(&config, &later, BODY, now(0)), no_match);
    let short = format!("t={AT},v1={}", &BY_OPENSSL[..62]);
    assert_eq!(check(&config, &short, BODY, now(0)), no_match);
    let wrong = format!("t={AT},v1={}", sign("whsec_wrong", &AT.to_string(), BODY));
    assert_eq!(check(&config, &wrong, BODY, now(0)), no_match);
}

#[test]
fn a_header_that_cannot_be_read_is_refused_with_its_reason() {
    let config = config(&[SECRET]);
    let v1 = format!("v1={BY_OPENSSL}");
    let beyond = "9".repeat(30);
    let signed_beyond = format!("t={beyond},v1={}", sign(SECRET, &beyond, BODY));
    for (header, why) in [
        (String::new(), "is missing or empty"),
        (" ".to_owned(), "is missing or empty"),
        ("garbage".to_owned(), "has no time"),
        (v1.clone(), "has no time"),
        (format!("t={AT}"), "has no v1 signature"),
        (format!("t=,{v1}"), "has a time that is not a number"),
        (format!("t=-5,{v1}"), "has a time that is not a number"),
        (format!("t=1e9,{v1}"), "has a time that is not a number"),
        (format!("t={AT},t={AT},{v1}"), "has two times"),
        (signed_beyond, "has a time beyond all bounds"),
    ] {
        let err = check(&config, &header, BODY, now(0));
        assert_eq!(err, Err(WebhookError::BadHeader(why)), "{header:?}");
    }
}

#[test]
fn there_is_no_such_thing_as_an_empty_secret() {
    for secrets in [vec![], vec![""], vec![SECRET, ""], vec![" "], vec!["whsec_1\n"]] {
        let secrets: Vec<String> = secrets.into_iter().map(str::to_owned).collect();
        assert!(WebhookConfig::new(secrets.clone(), 300).is_err(), "{secrets:?}");
    }
    assert!(WebhookConfig::new(vec![SECRET.to_owned()], 0).is_err());
    let signed_with_nothing = format!("t={AT},v1={}", sign("", &AT.to_string(), BODY));
    let err = check(&WebhookConfig::absent(), &signed_with_nothing, BODY, now(0));
    assert_eq!(err, Err(WebhookError::NotConfigured));
    assert!(!format!("{:?}", config(&[SECRET])).contains(SECRET));
}

/// Webhooks need no transport.
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: &HttpRequest) -> Result<HttpResponse, TransportError> {
        Err(TransportError::NotSent("there is no network here".to_owned()))
    }
}

fn verify(body: &str) -> Result<EventEnvelope, WebhookError> {
    let stripe = Stripe::new(Arc::new(Nowhere), Livemode::Test, config(&[SECRET]));
    let header = format!("t={AT},v1={}", sign(SECRET, &AT.to_string(), body.as_bytes()));
    stripe.verify(&header, body.as_bytes(), now(3))
}

fn event(kind: &str, object: &str) -> String {
    format!(
        r#"{{"id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "type": "{kind}",
            "created": {AT}, "livemode": false, "data": {{"object": {object}}}}}"#
    )
}

#[test]
fn a_signed_event_says_what_it_is_about() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stripe/event_invoice_paid.json");
    let event = verify(&std::fs::read_to_string(path).unwrap()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap());
    assert_eq!(Stripe::subject(&event), Subject::Invoice("in_1".to_owned()));
}

#[test]
fn each_event_leads_to_the_object_that_settles_it() {
    let of = |kind: &str, object: &str| Stripe::subject(&verify(&event(kind, object)).unwrap());
    let session = r#"{"object": "checkout.session", "id": "cs_1"}"#;
    for kind in ["completed", "expired", "async_payment_succeeded", "async_payment_failed"] {
        let subject = of(&format!("checkout.session.{kind}"), session);
        assert_eq!(subject, Subject::Checkout("cs_1".to_owned()));
    }
    let subscription = r#"{"object": "subscription", "id": "sub_1", "customer": "cus_1"}"#;
    for kind in ["created", "updated", "deleted", "paused", "resumed", "trial_will_end"] {
        let subject = of(&format!("customer.subscription.{kind}"), subscription);
        assert_eq!(subject, Subject::Subscription("sub_1".to_owned()));
    }
    let invoice = r#"{"object": "invoice", "id": "in_1", "customer": {"id": "cus_1"}}"#;
    for kind in ["paid", "payment_succeeded", "payment_failed", "payment_action_required", "voided"]
    {
        let subject = of(&format!("invoice.{kind}"), invoice);
        assert_eq!(subject, Subject::Invoice("in_1".to_owned()));
    }
    let customer = r#"{"object": "customer", "id": "cus_1"}"#;
    assert_eq!(of("customer.deleted", customer), Subject::CustomerDeleted("cus_1".to_owned()));
}

#[test]
fn what_does_not_concern_us_is_ignored_and_not_an_error() {
    for (kind, object) in [
        ("customer.updated", r#"{"object": "customer", "id": "cus_1"}"#),
        ("balance.available", r#"{"object": "balance"}"#),
        ("invoice.upcoming", r#"{"object": "invoice", "customer": "cus_1"}"#),
        ("invoice.paid", r#"{"object": "invoice"}"#),
        ("invoice.from_the_future", r#"{"object": "invoice", "id": "in_1"}"#),
    ] {
        let event = verify(&event(kind, object)).unwrap();
        assert_eq!(Stripe::subject(&event), Subject::Ignored, "{kind}");
    }
}

#[test]
fn the_mode_and_the_account_are_told_and_not_judged() {
    let live = event("invoice.paid", r#"{"object": "invoice", "id": "in_1"}"#)
        .replace("\"livemode\": false", "\"livemode\": true, \"account\": \"acct_other\"");
    let event = verify(&live).unwrap();
    assert_eq!(event.livemode, Livemode::Live);
    assert_eq!(event.account.as_deref(), Some("acct_other"));
}

#[test]
fn signed_and_yet_no_event_of_ours() {
    let invoice = event("invoice.paid", r#"{"object": "invoice", "id": "in_1"}"#);
    let thin = invoice.replace("\"object\": \"event\"", "\"object\": \"v2.core.event\"");
    assert!(matches!(verify(&thin), Err(WebhookError::ThinEvent(_))));
    for version in ["2025-02-24.acacia", "2020-08-27", ""] {
        let old = invoice.replace("2026-10-28.endive", version);
        let err = verify(&old).unwrap_err();
        assert!(matches!(&err, WebhookError::OldVersion(found, _) if found == version), "{err:?}");
    }
    let basil = invoice.replace("2026-10-28.endive", "2025-03-31.basil");
    assert!(verify(&basil).is_ok());
    for body in ["", "null", "7", "[]", "{}", "{\"type\": 5}", "\u{0}"] {
        assert!(matches!(verify(body), Err(WebhookError::NotAnEvent(_))), "{body:?}");
    }
    let message = verify(&invoice.replace("\"livemode\": false", "\"livemode\": 0")).unwrap_err();
    assert!(message.to_string().contains("livemode: is neither true nor false"), "{message}");
}
