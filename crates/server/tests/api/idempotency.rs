//! A POST that is sent again is answered again, and done once.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use farthing_server::schema::CustomerState;
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

async fn post(server: &Server, path: &str, key: &str, body: &Value) -> Answer {
    let request = server.request(Method::POST, path).header("idempotency-key", key);
    let request = request.header("content-type", "application/json");
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn used(server: &Server) -> i64 {
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    state.features["messages"].used
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once_with_one_key_have_one_effect() {
    let server = Arc::new(Server::new());
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "messages", "amount": 7 });
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (server, body) = (Arc::clone(&server), body.clone());
            tokio::spawn(async move { post(&server, "/v1/consume", "order-1", &body).await })
        })
        .collect();
    let mut first = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status.as_u16() {
            200 => first.push(answer),
            _ => {
                assert_eq!(answer.problem(), "idempotency_key_in_use");
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
    }
    assert_eq!(used(&server).await, 7);
    let fresh = first.iter().filter(|it| it.header("idempotent-replayed").is_empty()).count();
    assert_eq!(fresh, 1, "all but one were replayed");
    for _ in 0..10 {
        let again = post(&server, "/v1/consume", "order-1", &body).await;
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
        assert_eq!(again.header("content-type"), "application/json");
        assert_eq!(again.body, first[0].body);
    }
    assert_eq!(used(&server).await, 7);
    let other = json!({ "customer": "u_1", "feature": "messages", "amount": 8 });
    let answer = post(&server, "/v1/consume", "order-1", &other).await;
    assert_eq!(answer.problem(), "idempotency_key_reused");
    let answer = post(&server, "/v1/check", "order-1", &body).await;
    assert_eq!(answer.problem(), "idempotency_key_reused", "another path is another request");
    assert_eq!(used(&server).await, 7);
}

#[tokio::test]
async fn two_api_keys_never_meet_in_one_idempotency_key() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "messages", "amount": 1 });
    post(&server, "/v1/consume", "1", &body).await;
    let request = axum::http::Request::post("/v1/consume")
        .header("authorization", format!("Bearer {}", server.usage))
        .header("content-type", "application/json")
        .header("idempotency-key", "1");
    let answer = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.header("idempotent-replayed"), "");
    assert_eq!(used(&server).await, 2);
}

#[tokio::test]
async fn an_error_is_replayed_word_for_word() {
    let server = Server::new();
    let body = json!({ "customer": "nobody", "feature": "messages" });
    let first = post(&server, "/v1/consume", "k", &body).await;
    assert_eq!(first.problem(), "not_found");
    server.customer("nobody").await;
    let again = post(&server, "/v1/consume", "k", &body).await;
    assert_eq!((again.status.as_u16(), &again.body), (404, &first.body));
    assert_eq!(again.header("content-type"), "application/problem+json");
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let server = Server::new();
    let body = json!({ "customer": "u_1", "feature": "messages" });
    for key in ["", " ", &"x".repeat(256)] {
        let answer = post(&server, "/v1/consume", key, &body).await;
        assert_eq!(answer.problem(), "invalid_idempotency_key", "{key:?}");
    }
}

#[tokio::test]
async fn a_request_without_a_valid_api_key_takes_no_idempotency_key() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "messages" });
    let request = axum::http::Request::post("/v1/consume")
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    let answer = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.problem(), "unauthorized");
    let answer = post(&server, "/v1/consume", "k", &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("idempotent-replayed")), (200, ""));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_its_key_is_taken() {
    let server = Server::new();
    let long = json!({ "customer": "x".repeat(300_000), "feature": "messages" });
    assert_eq!(post(&server, "/v1/consume", "k", &long).await.problem(), "body_too_large");
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "messages" });
    assert_eq!(post(&server, "/v1/consume", "k", &body).await.status, 200);
}
