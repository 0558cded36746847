//! What [`Stripe`] asks for, in which order, and what it makes of the answers.

mod script;

use farthing_core::snapshot::Snapshot;
use farthing_providers::stripe::{EVENTS, Subject};
use farthing_providers::{CallError, Livemode};
use script::{asked, fixture, refusal, stripe};
use serde_json::{Value, json};

#[test]
fn a_product_that_exists_is_not_created_again() {
    let (stripe, script) = stripe(vec![(200, fixture("product"))]);
    let id = stripe.ensure_product("farthing_plan_growth", "Growth", "key").unwrap();
    assert_eq!(id, "farthing_plan_growth");
    assert_eq!(asked(&script), ["GET /v1/products/farthing_plan_growth"]);
}

#[test]
fn a_product_created_by_somebody_else_meanwhile_is_found() {
    let (stripe, script) = stripe(vec![
        (404, refusal("resource_missing")),
        (400, refusal("resource_already_exists")),
        (200, fixture("product")),
    ]);
    assert!(stripe.ensure_product("farthing_plan_growth", "Growth", "key").is_ok());
    let find = "GET /v1/products/farthing_plan_growth";
    assert_eq!(asked(&script), [find, "POST /v1/products", find]);
}

#[test]
fn a_product_is_not_created_while_it_is_unclear_whether_it_exists() {
    for status in [500, 429] {
        let (stripe, script) = stripe(vec![(status, json!({}))]);
        assert!(stripe.ensure_product("p", "P", "key").is_err());
        assert_eq!(asked(&script).len(), 1);
    }
}

#[test]
fn prices_are_looked_up_ten_keys_at_a_time_and_page_by_page() {
    let page = |id: &str, more: bool| {
        let mut price = fixture("prices")["data"][0].clone();
        price["id"] = id.into();
        (200, json!({ "object": "list", "data": [price], "has_more": more }))
    };
    let (stripe, script) = stripe(vec![page("a", true), page("b", false), page("c", false)]);
    let keys: Vec<String> = (0..11).map(|i| format!("key{i}")).collect();
    let found = stripe.find_prices(&keys).unwrap();
    assert_eq!(found.iter().map(|price| price.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = script.asked.lock().unwrap();
    assert!(asked[0].contains("key9") && !asked[0].contains("key10"), "{}", asked[0]);
    assert!(asked[1].contains("key9") && asked[1].contains("starting_after=a"), "{}", asked[1]);
    assert!(asked[2].contains("key10") && !asked[2].contains("starting_after"), "{}", asked[2]);
}

#[test]
fn no_keys_are_no_requests_and_a_list_that_repeats_itself_ends() {
    let (nothing, script) = stripe(vec![]);
    assert_eq!(nothing.find_prices(&[]).unwrap(), []);
    assert!(asked(&script).is_empty());
    let mut page = fixture("prices");
    page["has_more"] = true.into();
    let (endless, _) = stripe(vec![(200, page.clone()), (200, page)]);
    let err = endless.find_prices(&["a".to_owned()]).unwrap_err();
    assert!(matches!(err, CallError::Unknown(_)), "{err:?}");
}

#[test]
fn each_event_of_a_purchase_yields_the_whole_purchase() {
    let of = |subject: Subject, answers: Vec<(u16, Value)>| {
        let (stripe, script) = stripe(answers);
        let found = stripe.fetch(&subject).unwrap();
        asked(&script);
        found
    };
    let id = || "x".to_owned();
    let subscription = || (200, fixture("subscription_active"));

    let by_checkout = of(Subject::Checkout(id()), vec![(200, fixture("checkout_complete"))]);
    let [Snapshot::Checkout(checkout)] = by_checkout.as_slice() else { panic!("{by_checkout:?}") };
    let bought = checkout.subscription.as_ref().unwrap();

    let by_subscription = of(Subject::Subscription(id()), vec![subscription()]);
    assert_eq!(by_subscription, [Snapshot::Subscription(Box::new(bought.clone()))]);

    let by_invoice =
        of(Subject::Invoice(id()), vec![(200, fixture("invoice_paid")), subscription()]);
    let [Snapshot::Invoice(invoice), Snapshot::Subscription(same)] = by_invoice.as_slice() else {
        panic!("{by_invoice:?}")
    };
    assert_eq!(same.as_ref(), bought);
    assert_eq!(invoice.as_ref(), bought.latest_invoice.as_ref().unwrap());
}

#[test]
fn an_invoice_without_a_subscription_stands_alone() {
    let mut invoice = fixture("invoice_paid");
    invoice["parent"] = Value::Null;
    let (stripe, script) = stripe(vec![(200, invoice)]);
    assert_eq!(stripe.fetch(&Subject::Invoice("in_1".to_owned())).unwrap().len(), 1);
    assert_eq!(asked(&script), ["GET /v1/invoices/in_1"]);
}

#[test]
fn a_customer_who_is_still_there_is_not_reported_gone() {
    let subject = Subject::CustomerDeleted("cus_Ada".to_owned());
    let (there, _) = stripe(vec![(200, fixture("customer"))]);
    assert_eq!(there.fetch(&subject).unwrap(), []);
    let (gone, _) = stripe(vec![(200, fixture("customer_deleted"))]);
    assert!(matches!(gone.fetch(&subject).unwrap()[..], [Snapshot::CustomerDeleted(_)]));
    let (unasked, script) = stripe(vec![]);
    assert_eq!(unasked.fetch(&Subject::Ignored).unwrap(), []);
    assert!(asked(&script).is_empty());
}

#[test]
fn an_invoice_of_many_lines_is_read_to_its_end() {
    let line = |i: usize| {
        let mut line = fixture("invoice_paid")["lines"]["data"][0].clone();
        line["id"] = format!("il_{i}").into();
        line
    };
    let mut invoice = fixture("invoice_paid");
    invoice["lines"]["data"] = (0..10).map(line).collect();
    invoice["lines"]["has_more"] = true.into();
    let all: Value = (0..13).map(line).collect();
    let page = json!({ "object": "list", "data": all, "has_more": false });
    let (stripe_, script) = stripe(vec![(200, invoice.clone()), (200, page)]);
    assert_eq!(stripe_.fetch_invoice("in_1").unwrap().lines.len(), 13);
    assert_eq!(asked(&script), ["GET /v1/invoices/in_1", "GET /v1/invoices/in_1/lines"]);

    invoice["lines"]["data"] = json!([line(0)]);
    let (stripe_, _) = stripe(vec![(200, invoice)]);
    let err = stripe_.fetch_invoice("in_1").unwrap_err().to_string();
    assert!(err.contains("lines: has more"), "{err}");
}

/// A list with one endpoint: the fixture with these changes.
fn endpoints(changes: &[(&str, Value)]) -> (u16, Value) {
    let mut endpoint = fixture("webhook_endpoint");
    endpoint["enabled_events"] = json!(EVENTS);
    endpoint.as_object_mut().expect("an object").remove("secret");
    for (key, value) in changes {
        endpoint[*key] = value.clone();
    }
    (200, json!({ "object": "list", "data": [endpoint], "has_more": false }))
}

const URL: &str = "https://billing.example.com/webhooks/stripe";
const LIST: &str = "GET /v1/webhook_endpoints";

#[test]
fn the_webhook_endpoint_is_created_once_and_found_again() {
    let elsewhere = endpoints(&[("url", "https://other.example.com".into())]);
    let (new, script) = stripe(vec![elsewhere, (200, fixture("webhook_endpoint"))]);
    let created = new.ensure_webhook_endpoint(URL, "key").unwrap();
    assert_eq!(created.secret.as_deref(), Some("whsec_only_told_once"));
    assert_eq!(asked(&script), [LIST, "POST /v1/webhook_endpoints"]);

    let (again, script) = stripe(vec![endpoints(&[])]);
    let found = again.ensure_webhook_endpoint(URL, "key").unwrap();
    assert_eq!((found.id.as_str(), found.secret), ("we_1", None));
    assert_eq!(asked(&script), [LIST]);
}

#[test]
fn an_endpoint_that_misses_events_or_is_switched_off_is_put_right() {
    let everything = endpoints(&[("enabled_events", json!(["*"]))]);
    let (stripe_, script) = stripe(vec![everything]);
    assert!(stripe_.ensure_webhook_endpoint(URL, "key").is_ok());
    assert_eq!(asked(&script), [LIST]);
    for change in [("enabled_events", json!(["invoice.paid"])), ("status", "disabled".into())] {
        let (stripe, script) =
            stripe(vec![endpoints(&[change]), (200, fixture("webhook_endpoint"))]);
        assert!(stripe.ensure_webhook_endpoint(URL, "key").is_ok());
        assert_eq!(asked(&script), [LIST, "POST /v1/webhook_endpoints/we_1"]);
    }
}

#[test]
fn an_endpoint_of_another_version_is_left_alone_and_explained() {
    for version in ["2024-06-20".into(), Value::Null] {
        let (stripe, script) = stripe(vec![endpoints(&[("api_version", version)])]);
        let err = stripe.ensure_webhook_endpoint(URL, "key").unwrap_err();
        assert!(err.is_refusal("webhook_endpoint_version"), "{err:?}");
        assert_eq!(asked(&script), [LIST]);
    }
}

#[test]
fn the_account_is_told_with_the_mode_of_the_key() {
    let (stripe, _) = stripe(vec![(200, fixture("account"))]);
    let account = stripe.account().unwrap();
    assert_eq!((account.id.as_str(), account.livemode), ("acct_1", Livemode::Test));
}

#[test]
fn what_was_not_sent_is_unavailable() {
    let (stripe, _) = stripe(vec![]);
    let err = stripe.fetch_subscription("sub_1").unwrap_err();
    assert_eq!(err, CallError::Unavailable("the script is over".to_owned()));
}
