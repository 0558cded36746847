//! Who may do what: every operation of the document with every kind of key.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use farthing_server::RateLimit;
use serde_json::Value;

use crate::harness::{Server, off, world};

/// One operation, with a request that is right but for its key.
pub struct Operation {
    pub method: String,
    pub path: String,
    pub scopes: Vec<String>,
    pub body: Option<Value>,
}

/// All operations under `/v1`, made from the document.
pub fn operations() -> Vec<Operation> {
    let document = farthing_server::openapi_document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array();
            assert_eq!(security.is_some(), path.starts_with("/v1/"), "{method} {path}");
            let Some(security) = security else { continue };
            let scopes = security.iter().map(|it| it["api_key"][0].as_str().unwrap().to_owned());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
            let body = name.map(|name| example(document.pointer(name).unwrap()));
            let path = path.replace("{id}", "nobody").replace("{feature}", "chatbots");
            let method = method.to_uppercase();
            operations.push(Operation { method, path, scopes: scopes.collect(), body });
        }
    }
    assert!(20 < operations.len());
    operations
}

fn example(schema: &Value) -> Value {
    schema.get("example").cloned().unwrap_or_else(|| match &schema["properties"] {
        of if of.get("events").is_some() => {
            serde_json::json!({ "events": [{ "id": "a", "customer": "nobody",
                "feature": "messages", "amount": 1, "at": "2027-01-31T00:00:00Z" }] })
        }
        of if of.get("source").is_some() => serde_json::json!({ "source": "" }),
        _ => panic!("give this schema an example: {schema}"),
    })
}

impl Operation {
    pub fn request(&self, authorization: Option<&str>) -> Request<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let body = match &self.body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        request.body(body).unwrap()
    }
}

#[tokio::test]
async fn no_operation_can_be_reached_without_a_key() {
    let server = Server::new();
    let unknown = format!("Bearer {}", server.full.replace("sk_test_", "sk_test_0"));
    let basic = format!("Basic {}", server.full);
    let tries = [None, Some("Bearer nonsense"), Some(unknown.as_str()), Some(basic.as_str())];
    for operation in operations() {
        for authorization in tries {
            let answer = server.send(operation.request(authorization)).await;
            assert_eq!(answer.problem(), "unauthorized", "{} {}", operation.method, operation.path);
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn every_key_reaches_what_its_scope_says_and_nothing_else() {
    let server = Server::new();
    for operation in operations() {
        let keys = [("full", &server.full), ("read", &server.read), ("usage", &server.usage)];
        for (scope, key) in keys {
            let answer = server.send(operation.request(Some(&format!("Bearer {key}")))).await;
            let may = scope == "full" || operation.scopes.iter().any(|it| it == scope);
            let what = format!("{} {} with {scope}", operation.method, operation.path);
            if may {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{what}: {answer:?}");
            } else {
                assert_eq!(answer.problem(), "forbidden_scope", "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_reading_key_writes_nothing() {
    let writes = operations().into_iter().filter(|it| it.method != "GET");
    let open: Vec<String> = writes
        .filter(|it| it.scopes.iter().any(|scope| scope == "read"))
        .map(|it| it.path)
        .collect();
    assert_eq!(open, ["/v1/catalog/plan", "/v1/check"], "these two write nothing");
}

#[tokio::test]
async fn an_unknown_object_is_not_found_wherever_it_is_named() {
    let server = Server::new();
    let mut seen = 0;
    for operation in operations() {
        let named = operation.path.contains("nobody") && operation.method != "PUT"
            || operation.path.contains("overrides");
        if !named {
            continue;
        }
        let answer = server.send(operation.request(Some(&format!("Bearer {}", server.full)))).await;
        assert_eq!(answer.problem(), "not_found", "{} {}", operation.method, operation.path);
        seen += 1;
    }
    assert_eq!(seen, 29);
    for (path, body) in [
        ("/v1/check", serde_json::json!({ "customer": "nobody", "feature": "chatbots" })),
        ("/v1/consume", serde_json::json!({ "customer": "nobody", "feature": "chatbots" })),
        ("/v1/release", serde_json::json!({ "customer": "nobody", "feature": "chatbots" })),
        ("/v1/sync", serde_json::json!({ "customer": "nobody", "feature": "chatbots", "used": 1 })),
        ("/v1/checkouts", serde_json::json!({ "customer": "nobody", "plan": "growth" })),
    ] {
        assert_eq!(server.post(path, body).await.problem(), "not_found", "{path}");
    }
    assert_eq!(server.get("/v1/plans?customer=nobody").await.problem(), "not_found");
}

#[tokio::test]
async fn a_key_of_another_mode_is_told_so() {
    let server = Server::new();
    let live = format!("Bearer {}", server.full.replace("sk_test_", "sk_live_"));
    let request = Request::get("/v1/plans").header("authorization", live);
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), "wrong_mode");
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_five_seconds() {
    let server = Server::new();
    assert_eq!(server.get("/v1/plans").await.status, 200);
    let keys = off(|| server.world.engine.keys().unwrap());
    for key in keys.iter().filter(|key| key.name != "usage") {
        off(|| server.world.engine.revoke_key(&world::caller(), &key.id).unwrap());
    }
    let reading =
        Request::get("/v1/plans").header("authorization", format!("Bearer {}", server.read));
    let answer = server.send(reading.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), "unauthorized", "a key that was not used before");
    assert_eq!(server.get("/v1/plans").await.status, 200, "a key that was good a moment ago");
    server.older.store(5, Ordering::SeqCst);
    assert_eq!(server.get("/v1/plans").await.problem(), "unauthorized");
}

#[tokio::test]
async fn a_key_that_sends_too_much_has_to_wait() {
    let server = Server::with_rate(RateLimit { burst: 3, per_second: 1 });
    for left in [2, 1, 0] {
        let answer = server.get("/v1/plans").await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("ratelimit").contains(&format!("r={left}")), "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=3");
    }
    let answer = server.get("/v1/plans").await;
    assert_eq!(answer.problem(), "rate_limited");
    assert_eq!(answer.header("retry-after"), "1");
    let other =
        Request::get("/v1/plans").header("authorization", format!("Bearer {}", server.read));
    assert_eq!(server.send(other.body(Body::empty()).unwrap()).await.status, 200);
}
