//! The catalog over HTTP.

use axum::body::Body;
use axum::http::Method;
use farthing_core::catalog::SAMPLE;
use farthing_server::schema::{CatalogApplied, CatalogInForce, CatalogPlan};
use serde_json::json;

use crate::harness::{Answer, Server, off};

async fn send(server: &Server, path: &str, media: &str, source: &str) -> Answer {
    let request = server.request(Method::POST, path).header("content-type", media);
    server.send(request.body(Body::from(source.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_catalog_is_read_planned_and_applied_in_each_form() {
    let server = Server::new();
    let current: CatalogInForce = server.get("/v1/catalog").await.as_promised();
    assert_eq!((current.version, current.source.as_str()), (1, SAMPLE));
    let next = SAMPLE.replace("name = \"Growth\"", "name = \"Bigger\"");
    assert_ne!(next, SAMPLE);
    for media in ["application/toml", "text/plain; charset=utf-8"] {
        let plan: CatalogPlan = send(&server, "/v1/catalog/plan", media, &next).await.as_promised();
        assert_eq!((plan.version, plan.changes.len(), plan.blocked), (Some(1), 1, false));
    }
    let applied = server.post("/v1/catalog/apply", json!({ "source": next })).await;
    let applied: CatalogApplied = applied.as_promised();
    assert_eq!((applied.version, applied.prices_created), (2, 0));
    let again: CatalogApplied =
        send(&server, "/v1/catalog/apply", "application/toml", &next).await.as_promised();
    assert_eq!((again.version, again.changes.len()), (2, 0), "the same again changes nothing");
}

#[tokio::test]
async fn every_mistake_of_a_catalog_is_listed_with_its_place() {
    let server = Server::new();
    let wrong = SAMPLE.replace("fallback", "fallbak").replace("\"USD\"", "\"XXQ\"");
    for path in ["/v1/catalog/plan", "/v1/catalog/apply"] {
        let answer = send(&server, path, "application/toml", &wrong).await;
        assert_eq!(answer.problem(), "invalid_catalog");
        let fields = answer.fields();
        assert!(1 < fields.len() && fields.iter().all(|it| it.starts_with("/source catalog_")));
        let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("line "), "{message}");
    }
    let current: CatalogInForce = server.get("/v1/catalog").await.as_promised();
    assert_eq!(current.version, 1, "nothing was changed");
}

#[tokio::test]
async fn a_catalog_that_takes_away_what_is_in_use_is_refused() {
    let mut server = Server::new();
    server.customer("u_1").await;
    off(|| server.world.buy("u_1", "growth"));
    let without = farthing_core::catalog::SEATS;
    let plan: CatalogPlan =
        send(&server, "/v1/catalog/plan", "text/plain", without).await.as_promised();
    assert!(plan.blocked, "the other template has no plan growth");
    let answer = send(&server, "/v1/catalog/apply", "text/plain", without).await;
    assert_eq!(answer.problem(), "catalog_blocked");
    assert!(!answer.fields().is_empty());
}

#[tokio::test]
async fn a_catalog_of_another_type_or_size_is_refused() {
    let server = Server::new();
    let answer = send(&server, "/v1/catalog/plan", "application/yaml", SAMPLE).await;
    assert_eq!(answer.problem(), "unsupported_media_type");
    let long = "#".repeat(1_000_001);
    let answer = send(&server, "/v1/catalog/plan", "application/toml", &long).await;
    assert_eq!(answer.problem(), "invalid_catalog");
    let longer = "#".repeat((2 << 20) + 1);
    let answer = send(&server, "/v1/catalog/plan", "application/toml", &longer).await;
    assert_eq!(answer.problem(), "body_too_large");
    let request = server.request(Method::POST, "/v1/catalog/plan");
    let request = request.header("content-type", "application/toml").body(Body::from(vec![0xff]));
    assert_eq!(server.send(request.unwrap()).await.problem(), "malformed_request");
}
