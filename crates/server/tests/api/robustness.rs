//! No input breaks an operation: every field of every example, replaced by what hurts.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::auth::operations;
use crate::harness::{Answer, Server};

/// What hurts somewhere.
fn nasty() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("\u{202e}x\u{2066}"),
        json!("'; DROP TABLE customers; --"),
        json!("%00%ff../../etc/passwd"),
        json!("x".repeat(10_000)),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!("-0001-01-01T00:00:00Z"),
        json!("2016-12-31T23:59:60Z"),
        json!([]),
        json!([[[[]]]]),
        json!({}),
        json!({ "$ref": "#", "__proto__": {} }),
    ]
}

/// `body` with each of its fields replaced by each nasty value, one at a time.
fn variants(body: &Value) -> Vec<Value> {
    let mut variants = nasty();
    for key in body.as_object().unwrap().keys() {
        for value in nasty() {
            let mut variant = body.clone();
            variant[key] = value;
            variants.push(variant);
        }
        let mut without = body.clone();
        without.as_object_mut().unwrap().shift_remove(key);
        variants.push(without);
    }
    if let Some(inner) = body["events"].get(0) {
        variants.extend(variants_of_event(inner));
    }
    variants
}

fn variants_of_event(event: &Value) -> impl Iterator<Item = Value> {
    variants(event).into_iter().map(|event| json!({ "events": [event] }))
}

#[track_caller]
fn judge(answer: &Answer, what: &str) {
    let status = answer.status.as_u16();
    assert!(status < 500 || status == 503, "{what}: {answer:?}");
    if 400 <= status {
        answer.problem();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_breaks_an_operation() {
    let server = Server::new();
    server.customer("u_1").await;
    let mut sent = 0;
    for operation in operations() {
        let Some(body) = &operation.body else { continue };
        for variant in variants(body) {
            let request = Request::builder()
                .method(operation.method.as_str())
                .uri(&operation.path)
                .header("authorization", format!("Bearer {}", server.full))
                .header("content-type", "application/json");
            let text = variant.to_string();
            let answer = server.send(request.body(Body::from(text.clone())).unwrap()).await;
            judge(&answer, &format!("{} {} {text:.200}", operation.method, operation.path));
            sent += 1;
        }
    }
    assert!(500 < sent, "only {sent} were sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_or_parameter_breaks_an_operation() {
    let server = Server::new();
    let parts = [
        "%00",
        "%ff",
        "%2e%2e%2f",
        "..",
        "'",
        "%27%20OR%201=1",
        "%E2%80%AE",
        "a%0Ab",
        "-1",
        "9223372036854775808",
        "%",
        "%zz",
        "+",
        "sub_",
        "evt_%00",
    ];
    let long = "x".repeat(4_000);
    for operation in operations() {
        let (method, path) = (&operation.method, &operation.path);
        for part in parts.into_iter().chain([long.as_str()]) {
            let named = path.replace("nobody", part).replace("chatbots", part);
            for uri in [
                named,
                format!("{path}?limit={part}"),
                format!("{path}?after={part}"),
                format!("{path}?search={part}&customer={part}&wait={part}&state={part}"),
                format!("{path}?{part}={part}"),
            ] {
                let Ok(uri) = uri.parse::<axum::http::Uri>() else { continue };
                let mut request = operation.request(Some(&format!("Bearer {}", server.full)));
                *request.uri_mut() = uri.clone();
                let answer = server.send(request).await;
                judge(&answer, &format!("{method} {uri}"));
            }
        }
    }
}
