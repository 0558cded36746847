//! What is asked for about what runs and what goes back, in which order, and what is made of it.

mod script;

use farthing_core::snapshot::Snapshot;
use farthing_core::time::Timestamp;
use farthing_providers::CallError;
use farthing_providers::stripe::{EVENTS, EventEnvelope, PriceChange, Stripe, Subject};
use script::{asked, fixture, refusal, stripe};
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "/v1/subscriptions/sub_1";

fn list(data: Value) -> (u16, Value) {
    (200, json!({ "object": "list", "data": data, "has_more": false }))
}

/// The subscription's newest invoice, with as many lines as make it worth asking for the rest.
fn subscription_with_long_invoice() -> Value {
    let mut subscription = fixture("subscription_active");
    let lines = &mut subscription["latest_invoice"]["lines"]["data"];
    *lines = vec![lines[0].clone(); 10].into();
    subscription
}

fn change() -> PriceChange {
    PriceChange {
        subscription: "sub_1".to_owned(),
        item: "si_1".to_owned(),
        price: "price_scale_month".to_owned(),
        proration_at: None,
        key: "change:1".to_owned(),
    }
}

#[test]
fn an_unpaid_upgrade_is_pending_and_a_paid_one_is_made() {
    let (pending, script) = stripe(vec![(200, fixture("subscription_pending_update"))]);
    let waiting = pending.change_price_now(&change()).unwrap();
    assert_eq!(waiting.price, "price_growth_month");
    assert_eq!(waiting.pending_update.unwrap().price, "price_scale_month");
    assert_eq!(asked(&script), [format!("POST {SUBSCRIPTION}")]);
}

#[test]
fn a_change_whose_invoice_could_not_be_read_is_never_said_to_have_changed_nothing() {
    for failing in [(429, json!({})), (500, json!({})), (404, refusal("resource_missing"))] {
        let (stripe, script) = stripe(vec![(200, subscription_with_long_invoice()), failing]);
        let err = stripe.change_price_now(&change()).unwrap_err();
        assert!(matches!(err, CallError::Unknown(_)), "{err:?}");
        assert_eq!(asked(&script).len(), 2);
    }
    let mut invoice = subscription_with_long_invoice()["latest_invoice"].clone();
    invoice["object"] = "invoice".into();
    let (stripe, _) = stripe(vec![(200, invoice), (429, json!({}))]);
    let err = stripe.pay_invoice("in_1", "retry:1").unwrap_err();
    assert!(matches!(err, CallError::Unknown(_)), "{err:?}");
}

#[test]
fn a_declined_payment_of_an_invoice_says_why() {
    let declined = json!({ "error": {
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
    }});
    let (stripe, _) = stripe(vec![(402, declined)]);
    let err = stripe.pay_invoice("in_1", "retry:1").unwrap_err();
    let CallError::Refused { decline_code, .. } = &err else { panic!("{err:?}") };
    assert_eq!(decline_code.as_deref(), Some("insufficient_funds"));
}

#[test]
fn a_scheduled_end_is_taken_back_the_way_it_was_made() {
    let clearing = |before: Value| {
        let (stripe, script) = stripe(vec![(200, before), (200, fixture("subscription_active"))]);
        let after = stripe.clear_cancel_at("sub_1", "resume:1").unwrap();
        assert_eq!((after.cancel_at, after.cancel_at_period_end), (None, false));
        let forms = script.forms.lock().unwrap().clone();
        let keys = script.keys.lock().unwrap().clone();
        (forms[1][0].clone(), keys[1].clone().unwrap())
    };
    let of = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let period = clearing(fixture("subscription_ends_with_period"));
    assert_eq!(period, (of("cancel_at_period_end", "false"), "resume:1".to_owned()));
    let instant = clearing(fixture("subscription_ends_at"));
    assert_eq!(instant, (of("cancel_at", ""), "resume:1:at".to_owned()));
}

#[test]
fn an_end_that_is_not_scheduled_needs_no_taking_back() {
    let (stripe, script) = stripe(vec![(200, fixture("subscription_active"))]);
    assert!(stripe.clear_cancel_at("sub_1", "resume:1").is_ok());
    assert_eq!(asked(&script), [format!("GET {SUBSCRIPTION}")]);
}

#[test]
fn the_account_is_walked_page_by_page() {
    let page = |id: &str, more: bool| {
        let mut found = fixture("subscription_active");
        found["id"] = id.into();
        (200, json!({ "object": "list", "data": [found], "has_more": more }))
    };
    let (stripe, script) = stripe(vec![page("sub_2", true), page("sub_1", false)]);
    let first = stripe.list_subscriptions_page(None).unwrap();
    assert_eq!(first.next.as_deref(), Some("sub_2"));
    let last = stripe.list_subscriptions_page(first.next.as_deref()).unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next), ("sub_1", None));
    let asked = script.asked.lock().unwrap();
    assert!(asked[1].contains("status=all") && asked[1].contains("starting_after=sub_2"));
}

#[test]
fn a_list_of_invoices_is_read_with_all_their_lines() {
    let mut invoice = fixture("invoice_paid");
    let line = invoice["lines"]["data"][0].clone();
    invoice["lines"]["data"] = vec![line.clone(); 10].into();
    let (stripe, script) = stripe(vec![list(json!([invoice])), list(vec![line; 13].into())]);
    let page = stripe.list_invoices_page(Some("cus_Ada"), None, None).unwrap();
    assert_eq!(page.items[0].lines.len(), 13);
    assert_eq!(asked(&script), ["GET /v1/invoices", "GET /v1/invoices/in_1/lines"]);
}

#[test]
fn too_many_types_of_events_are_refused_before_they_are_asked_for() {
    let (stripe, script) = stripe(vec![(200, fixture("events"))]);
    let err = stripe.list_events_page(EVENTS, None, None).unwrap_err();
    assert!(err.is_refusal("too_many_event_types"), "{err:?}");
    assert_eq!(stripe.list_events_page(&EVENTS[..20], None, None).unwrap().items.len(), 2);
    assert_eq!(asked(&script), ["GET /v1/events"]);
}

/// The kinds of what was found.
fn kinds(found: &[Snapshot]) -> Vec<String> {
    let kind = |snapshot| serde_json::to_value(snapshot).expect("JSON")["object"].to_string();
    found.iter().map(|snapshot| kind(snapshot).trim_matches('"').to_owned()).collect()
}

fn looked_at(subject: Subject, answers: Vec<(u16, Value)>) -> (Vec<String>, Vec<String>) {
    let (stripe, script) = stripe(answers);
    let found = stripe.fetch(&subject).expect("answered");
    (kinds(&found), asked(&script))
}

#[test]
fn a_refund_comes_with_its_charge_and_with_what_that_paid() {
    let (found, asked) = looked_at(
        Subject::Refund("re_1".to_owned()),
        vec![
            (200, fixture("refund")),
            (200, fixture("charge")),
            (200, fixture("invoice_payments")),
            (200, fixture("invoice_paid")),
            (200, fixture("subscription_active")),
        ],
    );
    assert_eq!(found, ["invoice", "subscription", "charge", "refund"]);
    assert_eq!(
        asked,
        [
            "GET /v1/refunds/re_1",
            "GET /v1/charges/ch_1",
            "GET /v1/invoice_payments",
            "GET /v1/invoices/in_1",
            "GET /v1/subscriptions/sub_1"
        ]
    );
}

/// A charge that paid a pack in a checkout of ours.
fn charge_of_pack() -> Value {
    let mut charge = fixture("charge");
    charge["metadata"]["farthing_checkout"] = "chk_1".into();
    charge
}

#[test]
fn a_dispute_of_a_pack_comes_with_its_checkout() {
    let (found, asked) = looked_at(
        Subject::Dispute("du_1".to_owned()),
        vec![
            (200, fixture("dispute")),
            (200, charge_of_pack()),
            list(json!([])),
            list(json!([fixture("checkout_pack")])),
        ],
    );
    assert_eq!(found, ["checkout", "charge", "dispute"]);
    assert_eq!(asked[2..], ["GET /v1/invoice_payments", "GET /v1/checkout/sessions"]);
}

#[test]
fn a_charge_comes_with_everything_that_went_back_of_it() {
    let mut charge = charge_of_pack();
    charge["disputed"] = true.into();
    let (found, asked) = looked_at(
        Subject::Charge("ch_1".to_owned()),
        vec![
            (200, charge),
            list(json!([])),
            list(json!([fixture("refund"), fixture("refund_failed")])),
            list(json!([fixture("dispute")])),
            list(json!([])),
        ],
    );
    assert_eq!(found, ["charge", "refund", "refund", "dispute"]);
    assert_eq!(asked[2..4], ["GET /v1/refunds", "GET /v1/disputes"]);
}

#[test]
fn a_refund_without_a_charge_stands_alone() {
    let mut refund = fixture("refund");
    refund["charge"] = Value::Null;
    let (found, _) = looked_at(Subject::Refund("re_1".to_owned()), vec![(200, refund)]);
    assert_eq!(found, ["refund"]);
}

#[test]
fn a_schedule_is_looked_at_through_its_subscription() {
    for schedule in ["schedule", "schedule_released"] {
        let answers = vec![(200, fixture(schedule)), (200, fixture("subscription_scheduled"))];
        let (found, asked) = looked_at(Subject::Schedule("sub_sched_1".to_owned()), answers);
        assert_eq!(found, ["subscription"]);
        assert_eq!(asked[1], "GET /v1/subscriptions/sub_1");
    }
    let mut unattached = fixture("schedule");
    unattached["subscription"] = Value::Null;
    let (found, _) = looked_at(Subject::Schedule("s".to_owned()), vec![(200, unattached)]);
    assert!(found.is_empty());
}

#[test]
fn a_stored_card_is_looked_at_itself_however_it_was_stored() {
    let method = Subject::PaymentMethod("pm_1".to_owned());
    let (by_method, _) = looked_at(method, vec![(200, fixture("payment_method"))]);
    let intent = Subject::SetupIntent("seti_1".to_owned());
    let (by_intent, _) = looked_at(intent, vec![(200, fixture("setup_intent"))]);
    assert_eq!(
        (by_method, by_intent),
        (vec!["payment_method".to_owned()], vec!["payment_method".to_owned()])
    );
}

#[test]
fn every_event_that_we_subscribe_to_is_about_something() {
    for kind in EVENTS {
        let object = match *kind {
            "customer.deleted" => "customer",
            kind if kind.starts_with("customer.subscription.") => "subscription",
            kind if kind.starts_with("charge.dispute.") => "dispute",
            kind => kind.rsplit_once('.').expect("two words").0,
        };
        let event = EventEnvelope {
            id: "evt_1".to_owned(),
            kind: (*kind).to_owned(),
            api_version: String::new(),
            livemode: farthing_providers::Livemode::Test,
            account: None,
            created: Timestamp::from_seconds(0).unwrap(),
            object_kind: object.to_owned(),
            object_id: Some("x".to_owned()),
            customer: None,
        };
        assert_ne!(Stripe::subject(&event), Subject::Ignored, "{kind}");
        let unasked = EventEnvelope { kind: format!("{object}.invented"), ..event.clone() };
        assert_eq!(Stripe::subject(&unasked), Subject::Ignored);
        let nameless = EventEnvelope { object_id: None, ..event };
        assert_eq!(Stripe::subject(&nameless), Subject::Ignored);
    }
}
