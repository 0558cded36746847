//! What the strict reader refuses, and how it says so.

use serde::Deserialize;

use super::*;
use crate::values::Amount;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Want {
    customer: Text<10>,
    #[serde(default)]
    amount: Amount,
    #[serde(default)]
    inner: Vec<Object<Inner>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    name: String,
}

/// The status, and where, what and how to mend it.
async fn refused(body: &[u8]) -> String {
    use axum::response::IntoResponse;
    let error = parse::<Want>(body).expect_err("it was accepted");
    let response = crate::error::render(error.into_response(), "req_1");
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let fields = value["errors"].as_array().unwrap().iter().map(|it| {
        let part = |name: &str| it[name].as_str().unwrap();
        format!("{} {}: {} -> {}", part("pointer"), part("code"), part("message"), part("fix"))
    });
    let fields: Vec<String> = fields.collect();
    let what = if fields.is_empty() { value["detail"].to_string() } else { fields.join("; ") };
    format!("{} {what}", value["status"])
}

#[tokio::test]
async fn every_mistake_has_a_place_and_a_way_out() {
    let deep = format!("{{\"customer\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let abyss = "[".repeat(100_000);
    let bodies: Vec<&[u8]> = vec![
        b"",
        b"{",
        b"{\"customer\": \"a\",}",
        b"{\"customer\": \"a\"} x",
        b"\xff\xfe",
        b"{\"customer\": \"\\ud800\"}",
        b"[]",
        b"[\"a\", 1]",
        b"null",
        b"\"text\"",
        b"{}",
        b"{\"customer\": null}",
        b"{\"customer\": 7}",
        b"{\"customer\": \"\"}",
        b"{\"customer\": \"elevenchars\"}",
        b"{\"customer\": \"a\\u0000b\"}",
        b"{\"customer\": \"a\\nb\"}",
        b"{\"customer\": \"a\", \"customer\": \"b\"}",
        b"{\"customer\": \"a\", \"amuont\": 1}",
        b"{\"customer\": \"a\", \"is_admin\": true}",
        b"{\"customer\": \"a\", \"a`b, expected `c\": true}",
        b"{\"customer\": \"a\", \"inner\": [{\"name\": \"x\"}, {\"nam/e\": \"y\"}]}",
        b"{\"customer\": \"a\", \"inner\": [{}]}",
        b"{\"customer\": \"a\", \"inner\": {}}",
        b"{\"customer\": \"a\", \"inner\": [[\"x\"]]}",
        b"{\"customer\": \"a\", \"inner\": [{\"name\": \"x\", \"name\": \"y\"}]}",
        b"{\"customer\": \"a\", \"cust\\u0000omer\": \"a\"}",
        b"{\"customer\": \"a\", \"amount\": 0}",
        b"{\"customer\": \"a\", \"amount\": -1}",
        b"{\"customer\": \"a\", \"amount\": 1.5}",
        b"{\"customer\": \"a\", \"amount\": 1e3}",
        b"{\"customer\": \"a\", \"amount\": 1e400}",
        b"{\"customer\": \"a\", \"amount\": \"5\"}",
        b"{\"customer\": \"a\", \"amount\": null}",
        b"{\"customer\": \"a\", \"amount\": true}",
        b"{\"customer\": \"a\", \"amount\": 1000000000000001}",
        b"{\"customer\": \"a\", \"amount\": 99999999999999999999999}",
        b"{\"customer\": \"a\", \"amount\": NaN}",
        deep.as_bytes(),
        abyss.as_bytes(),
    ];
    let mut table = String::new();
    for body in bodies {
        let shown: String = String::from_utf8_lossy(body).chars().take(70).collect();
        table.push_str(&format!("{shown}\n    {}\n", refused(body).await));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn what_is_right_is_read() {
    let read: Want = parse(b" {\"customer\": \"\xc3\xa9\", \"amount\": 5}\n").unwrap();
    assert_eq!(read, Want { customer: Text("é".to_owned()), amount: Whole(5), inner: vec![] });
    let read: Want = parse(b"{\"customer\": \"a\"}").unwrap();
    assert_eq!(read.amount, Whole(1));
}

use crate::values::Whole;
