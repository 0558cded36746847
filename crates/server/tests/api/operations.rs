//! Health, readiness and metrics.

use axum::body::Body;
use axum::http::Request;

use crate::harness::{Answer, Server};

async fn open(server: &Server, path: &str) -> Answer {
    server.send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_process_is_alive_and_ready() {
    let server = Server::new();
    for path in ["/healthz", "/readyz"] {
        let answer = open(&server, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("x-request-id").starts_with("req_"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn metrics_count_by_pattern_and_never_by_customer() {
    let server = Server::new();
    server.customer("secret.person").await;
    server.get("/v1/customers/secret.person").await;
    open(&server, "/somewhere/secret.person").await;
    let text = String::from_utf8(open(&server, "/metrics").await.body).unwrap();
    assert!(!text.contains("secret"), "{text}");
    for expected in [
        "farthing_http_requests_total{method=\"GET\",route=\"/v1/customers/{id}\",status=\"200\"} 1",
        "farthing_http_requests_total{method=\"PUT\",route=\"/v1/customers/{id}\",status=\"201\"} 1",
        "farthing_http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 1",
        "farthing_http_request_duration_seconds_count{route=\"/v1/customers/{id}\"} 2",
        "# TYPE farthing_jobs gauge",
        "# TYPE farthing_provider_events gauge",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}
