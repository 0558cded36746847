//! Health, readiness and metrics.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use farthing_server::RateLimit;

use crate::harness::{Answer, Server, off};

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

/// Makes the migrations unknown, or known again.
fn shift_migrations(server: &Server, sql: &'static str) {
    assert!(0 < off(|| server.world.by_hand(move |tx| tx.execute(sql, &[]))));
}

#[tokio::test]
async fn readiness_is_looked_at_every_five_seconds_and_trouble_every_second() {
    let server = Server::new();
    assert_eq!(open(&server, "/readyz").await.status, 200);
    shift_migrations(&server, "UPDATE schema_migrations SET number = number + 100");
    server.older.store(4, Ordering::SeqCst);
    assert_eq!(open(&server, "/readyz").await.status, 200, "as it was a moment ago");
    server.older.store(10, Ordering::SeqCst);
    assert_eq!(open(&server, "/readyz").await.problem(), "not_migrated");
    shift_migrations(&server, "UPDATE schema_migrations SET number = number - 100");
    server.older.store(12, Ordering::SeqCst);
    assert_eq!(open(&server, "/readyz").await.status, 200);
}

#[tokio::test]
async fn gauges_are_counted_every_five_seconds() {
    let server = Server::new();
    let jobs = |text: Answer| {
        let text = String::from_utf8(text.body).unwrap();
        let gauges = text.lines().filter(|line| line.starts_with("farthing_jobs{"));
        gauges.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = jobs(open(&server, "/metrics").await);
    server.customer("u_1").await;
    off(|| server.world.checkout(&server.world.plan("u_1", "growth")).unwrap());
    assert_eq!(jobs(open(&server, "/metrics").await), before, "as it was a moment ago");
    server.older.store(5, Ordering::SeqCst);
    assert_ne!(jobs(open(&server, "/metrics").await), before);
}

#[tokio::test]
async fn strangers_are_slowed_down_together_and_nobody_else_is() {
    let server = Server::with_strangers(RateLimit { burst: 3, per_second: 1 });
    assert_eq!(server.get("/v1/plans").await.status, 200);
    let guess = |n: usize| {
        let request =
            Request::get("/v1/plans").header("authorization", format!("Bearer sk_test_{n}"));
        server.send(request.body(Body::empty()).unwrap())
    };
    for n in 0..2 {
        assert_eq!(guess(n).await.problem(), "unauthorized");
    }
    let slowed = guess(2).await;
    assert_eq!((slowed.problem().as_str(), slowed.header("retry-after")), ("rate_limited", "1"));
    assert_eq!(open(&server, "/v1/plans").await.problem(), "rate_limited", "no key at all");
    assert_eq!(server.get("/v1/plans").await.status, 200, "a key that was good before");
    for path in ["/docs", "/openapi.json", "/metrics"] {
        for _ in 0..3 {
            assert_eq!(open(&server, path).await.status, 200, "{path}");
        }
        assert_eq!(open(&server, path).await.problem(), "rate_limited", "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        for _ in 0..5 {
            assert_eq!(open(&server, path).await.status, 200, "{path}");
        }
    }
    server.older.store(6, Ordering::SeqCst);
    assert_eq!(server.get("/v1/plans").await.status, 200, "is looked up again, and not held up");
    assert_eq!(guess(3).await.problem(), "unauthorized");
}

#[tokio::test]
async fn a_provider_that_is_left_alone_is_told_everywhere_and_fails_no_readiness() {
    let server = Server::guarded();
    let text = async |path| String::from_utf8(open(&server, path).await.body).unwrap();
    assert_eq!(text("/readyz").await, "ready\nstripe: closed\n");
    assert!(text("/metrics").await.contains("farthing_provider_breaker{state=\"closed\"} 1"));
    server.customer("u_1").await;
    server.world.line.set(|_| crate::harness::world::Fate::NotSent);
    let buy = serde_json::json!({"customer": "u_1", "plan": "growth"});
    for _ in 0..5 {
        assert_eq!(server.post("/v1/checkouts", buy.clone()).await.status, 503);
    }
    let refused = server.post("/v1/checkouts", buy.clone()).await;
    assert_eq!(
        (refused.problem().as_str(), refused.header("retry-after")),
        ("provider_unavailable", "5")
    );
    assert!(refused.json()["detail"].as_str().unwrap().contains("nothing was changed"));
    let ready = open(&server, "/readyz").await;
    assert_eq!(ready.status, 200, "most of what an app asks for needs no provider");
    assert!(String::from_utf8(ready.body).unwrap().contains("stripe: open since 20"));
    let metrics = text("/metrics").await;
    assert!(metrics.contains("farthing_provider_breaker{state=\"open\"} 1"), "{metrics}");
    assert!(metrics.contains("farthing_provider_breaker{state=\"closed\"} 0"), "{metrics}");
}
