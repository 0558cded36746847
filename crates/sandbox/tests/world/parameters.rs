//! Requests that are wrong, and how that is said.

use farthing_sandbox::{API_VERSION, Request};
use serde_json::json;

use crate::shop::{Shop, header, json};

#[test]
fn wrong_parameters_are_named_and_change_nothing() {
    let mut shop = Shop::open();
    let before = shop.n_events();
    let cases = [
        ("/v1/customers", "nmae=Ada", "parameter_unknown", "nmae"),
        ("/v1/customers", "email=nobody", "email_invalid", "email"),
        ("/v1/products", "", "parameter_missing", "name"),
        (
            "/v1/prices",
            "currency=usd&unit_amount=x&product=growth",
            "parameter_invalid_integer",
            "unit_amount",
        ),
        (
            "/v1/prices",
            "currency=usd&unit_amount=-1&product=growth",
            "parameter_invalid_integer",
            "unit_amount",
        ),
        ("/v1/prices", "currency=usd&unit_amount=1&product=none", "resource_missing", "product"),
        ("/v1/prices", "currency=usd&unit_amount=1", "parameter_missing", "product"),
        ("/v1/products", "id=growth&name=Again", "resource_already_exists", "id"),
        ("/v1/subscriptions", "items[0][price]=p", "parameter_missing", "customer"),
        (
            "/v1/subscriptions",
            "customer=cus_none&items[0][price]=p",
            "resource_missing",
            "customer",
        ),
    ];
    for (path, body, code, param) in cases {
        let error = shop.refused(400, "POST", path, body);
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{body}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error["message"].is_string());
    }
    assert_eq!(shop.n_events(), before);
}

#[test]
fn what_is_not_there_is_missing() {
    let mut shop = Shop::open();
    for path in [
        "customers/cus_0",
        "prices/price_0",
        "subscriptions/sub_0",
        "invoices/in_0",
        "events/evt_0",
        "refunds/re_0",
        "checkout/sessions/cs_0",
    ] {
        let error = shop.refused(404, "GET", &format!("/v1/{path}"), "");
        assert_eq!(error["code"], "resource_missing", "{path}");
    }
    for (method, path) in [
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/customers"),
        ("GET", "/"),
        ("GET", "/v2/x"),
        ("DELETE", "/v1/invoices/in_0"),
    ] {
        let error = shop.refused(404, method, path, "");
        assert!(error["code"].is_null(), "{path}");
    }
}

#[test]
fn a_call_without_a_test_key_is_refused() {
    let mut shop = Shop::open();
    let bare = Request { method: "GET".into(), path: "/v1/customers".into(), ..Request::default() };
    let live = Request {
        headers: vec![("authorization".into(), "Bearer sk_live_1".into())],
        ..bare.clone()
    };
    for request in [bare, live] {
        let response = shop.world.handle(&request);
        assert_eq!(response.status, 401);
        assert_eq!(json(&response)["error"]["type"], "invalid_request_error");
    }
}

#[test]
fn every_answer_names_its_request_and_version() {
    let mut shop = Shop::open();
    let first = shop.call("GET", "/v1/account", "", &[("Stripe-Version", API_VERSION)]);
    let second = shop.call("GET", "/v1/nothing", "", &[]);
    for response in [&first, &second] {
        assert!(header(response, "request-id").is_some_and(|id| id.starts_with("req_")));
        assert_eq!(header(response, "stripe-version"), Some(API_VERSION));
        assert_eq!(header(response, "content-type"), Some("application/json"));
    }
    assert_ne!(header(&first, "request-id"), header(&second, "request-id"));
    assert_eq!(json(&first)["id"], shop.world.account_id());
    let old = shop.call("GET", "/v1/account", "", &[("Stripe-Version", "2024-06-20")]);
    assert_eq!(old.status, 400);
}
