//! The provider's side of a running development server, over its own wire format.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::support::{Dev, eventually, http};

const KEY: &str = "sk_test_sandbox";

/// One request to the sandbox, as the provider's dashboard would make it.
fn call(dev: &Dev, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
    let url = format!("{}/sandbox/stripe{path}", dev.api());
    let request = http().request(method.parse().unwrap(), url).bearer_auth(KEY);
    let request = if form.is_empty() { request } else { request.form(form) };
    let response = request.send().unwrap();
    let (status, body) = (response.status(), response.json::<Value>().unwrap());
    assert!(status.is_success(), "{method} {path}: {status} {body}");
    body
}

/// Every event of the provider's that Farthing has stored.
pub fn stored_events(dev: &Dev) -> Vec<Value> {
    let stored = dev.get("/v1/events?limit=200");
    let stored = stored["data"].as_array().unwrap();
    let ours = |event: &Value| stored.iter().any(|known| known["event_id"] == event["id"]);
    events(dev).into_iter().filter(ours).collect()
}

/// Every event that the provider keeps, page by page.
fn events(dev: &Dev) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or(String::new(), |event| {
            format!("&starting_after={}", event["id"].as_str().unwrap())
        });
        let page = call(dev, "GET", &format!("/v1/events?limit=100{after}"), &[]);
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return all;
        }
    }
}

/// Delivers an event once more, signed afresh with the endpoint's secret; the status.
pub fn deliver(dev: &Dev, event: &Value) -> u16 {
    let body = event.to_string();
    let secret = std::fs::read_to_string(dev.dir().join("webhook-secret")).unwrap();
    let clock = dev.cli(&["clock", "show", "--json"]).exits(0).json();
    let now: jiff::Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
    let seconds = now.as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.trim().as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let request = http().post(format!("{}/webhooks/stripe", dev.api()));
    let request = request.header("stripe-signature", format!("t={seconds},v1={signature}"));
    request.body(body).send().unwrap().status().as_u16()
}

/// Waits until the provider has delivered every event and all of them have been handled.
pub fn settles(dev: &Dev) {
    eventually("events are delivered and handled", || {
        let told = events(dev).iter().all(|event| event["pending_webhooks"] == 0);
        let waiting = dev.get("/v1/events?state=received");
        told && waiting["data"].as_array().unwrap().is_empty()
    });
}

/// The customer stores another card at the provider.
pub fn change_card(dev: &Dev, customer: &str, card: &str) {
    let found = call(dev, "GET", "/v1/subscriptions", &[]);
    let mine = |sub: &&Value| sub["metadata"]["farthing_customer"] == customer;
    let sub = found["data"].as_array().unwrap().iter().find(mine).unwrap().clone();
    let owner = sub["customer"].as_str().unwrap();
    let path = format!("/v1/payment_methods/{card}/attach");
    let method = call(dev, "POST", &path, &[("customer", owner)]);
    let path = format!("/v1/subscriptions/{}", sub["id"].as_str().unwrap());
    let method = method["id"].as_str().unwrap();
    call(dev, "POST", &path, &[("default_payment_method", method)]);
}
