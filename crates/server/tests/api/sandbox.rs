//! The sandbox's clock, and what a slow or broken request leaves behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use farthing_core::time::Timestamp;
use farthing_engine::Clock as _;
use farthing_server::{Advanced, BoxFuture, Lab, LabError, Scenario, ScenarioSetUp};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, Server, off};

/// A clock that can be moved; what a move does is told by how far it goes.
#[derive(Default)]
struct Clock {
    moves: AtomicUsize,
}

const NOW: &str = "2027-01-31T10:00:00Z";

impl Lab for Clock {
    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, LabError>> {
        let count = self.moves.fetch_add(1, Ordering::SeqCst);
        let far = to.seconds() - self.now().seconds();
        Box::pin(async move {
            if far == 14 && count == 0 {
                return Err(LabError { message: "the sandbox is stuck at 14 s".to_owned() });
            }
            match far {
                13 if count == 0 => panic!("thirteen seconds on the first move"),
                15 => tokio::time::sleep(Duration::from_millis(400)).await,
                _ => {}
            }
            Ok(Advanced { now: to, events_delivered: 3 })
        })
    }

    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    fn scenarios(&self) -> &'static [Scenario] {
        &[("dispute", "charge", "the bank takes a charge back"), ("calm", "", "all is well")]
    }

    fn set_up(
        &self,
        scenario: ScenarioSetUp,
    ) -> BoxFuture<'_, Result<BTreeMap<&'static str, String>, LabError>> {
        Box::pin(async move {
            match scenario.customer {
                None if scenario.parameters.is_empty() => {
                    Err(LabError { message: "dispute needs \"charge\"".to_owned() })
                }
                None => Ok(scenario.parameters.into_iter().collect()),
                Some(customer) => Ok([("charge", format!("ch_of_{customer}"))].into()),
            }
        })
    }
}

async fn advance(server: &Server, by: &str) -> Answer {
    let request = server.request(Method::POST, "/v1/sandbox/clock/advance");
    let request = request.header("idempotency-key", by).header("content-type", "application/json");
    server.send(request.body(Body::from(json!({ "by": by }).to_string())).unwrap()).await
}

#[tokio::test]
async fn the_clock_moves_by_a_duration_or_to_an_instant() {
    let server = Server::with_lab(Arc::new(Clock::default()));
    let path = "/v1/sandbox/clock/advance";
    let by = server.post(path, json!({ "by": "31d" })).await.json();
    assert_eq!(by, json!({ "now": "2027-03-03T10:00:00Z", "events_delivered": 3 }));
    let to = server.post(path, json!({ "to": "2027-02-01T00:00:00Z" })).await.json();
    assert_eq!(to["now"], "2027-02-01T00:00:00Z");
    for (body, expected) in [
        (json!({}), "/by invalid_value"),
        (json!({ "by": "1d", "to": NOW }), "/by invalid_value"),
        (json!({ "by": "0d" }), "/by invalid_duration"),
        (json!({ "by": "-1d" }), "/by invalid_duration"),
        (json!({ "by": "1month" }), "/by invalid_duration"),
        (json!({ "by": "99999999d" }), "/by invalid_duration"),
        (json!({ "by": 31 }), "/by wrong_type"),
        (json!({ "to": "2027-01-01T00:00:00Z" }), "/to in_the_past"),
        (json!({ "to": "2100-01-01T00:00:00Z" }), "/to out_of_range"),
        (json!({ "to": "2027-02-30T00:00:00Z" }), "/to invalid_timestamp"),
    ] {
        let answer = server.post(path, body.clone()).await;
        assert_eq!(answer.fields(), [expected], "{body}");
    }
}

#[tokio::test]
async fn a_month_later_on_the_sandboxs_clock_a_key_is_still_remembered() {
    let lab = Arc::new(Clock::default());
    let server = Server::with_lab(lab.clone());
    let moved = advance(&server, "31d").await;
    let month = server.world.now().plus_seconds(62 * 86_400);
    server.world.clock.set(month);
    off(|| server.world.engine.idempotency_purge(server.wall.now()).unwrap());
    let again = advance(&server, "31d").await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &moved.body));
    assert_eq!(lab.moves.load(Ordering::SeqCst), 1);
    server.wall.set(server.wall.now().plus_seconds(31 * 86_400));
    assert_eq!(advance(&server, "31d").await.header("idempotent-replayed"), "");
    assert_eq!(lab.moves.load(Ordering::SeqCst), 2, "a month has passed outside");
}

#[tokio::test]
async fn there_is_no_clock_to_move_outside_of_the_sandbox() {
    let server = Server::new();
    let answer = server.post("/v1/sandbox/clock/advance", json!({ "by": "31d" })).await;
    assert_eq!(answer.problem(), "not_found");
}

#[tokio::test]
async fn an_answer_that_failed_is_not_kept() {
    for (by, code) in [("13s", "internal"), ("14s", "sandbox_failed")] {
        let lab = Arc::new(Clock::default());
        let server = Server::with_lab(lab.clone());
        let failed = advance(&server, by).await;
        assert_eq!((failed.status.as_u16(), failed.problem().as_str()), (500, code));
        let again = advance(&server, by).await;
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, ""));
        let replayed = advance(&server, by).await;
        assert_eq!(replayed.header("idempotent-replayed"), "true");
        assert_eq!(lab.moves.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_gave_up_waiting_for_is_finished_and_kept() {
    let lab = Arc::new(Clock::default());
    let server = Server::with_lab(lab.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let body = json!({ "by": "15s" }).to_string();
    let request = format!(
        "POST /v1/sandbox/clock/advance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: 15s\r\nContent-Length: {}\r\n\r\n{body}",
        server.full,
        body.len()
    );
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    drop(client);
    assert_eq!(advance(&server, "15s").await.problem(), "idempotency_key_in_use");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let again = advance(&server, "15s").await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(lab.moves.load(Ordering::SeqCst), 1);
    serving.abort();
}

#[tokio::test]
async fn scenarios_are_listed_and_set_up_and_are_not_there_without_a_sandbox() {
    let server = Server::with_lab(Arc::new(Clock::default()));
    let list = server.get("/v1/sandbox/scenarios").await.json();
    assert_eq!(
        list["data"][0],
        json!({"name": "dispute", "parameters": ["charge"], "does": "the bank takes a charge back"})
    );
    let path = "/v1/sandbox/scenarios/dispute";
    let set = server.post(path, json!({"charge": "ch_1", "times": 3, "on": true})).await.json();
    assert_eq!(
        set["about"],
        json!({"charge": "ch_1", "times": "3", "on": "true"}),
        "numbers and truths arrive as texts"
    );
    let set = server.post(path, json!({"customer": "u_1"})).await.json();
    assert_eq!(
        (set["scenario"].as_str(), &set["about"]["charge"]),
        (Some("dispute"), &json!("ch_of_u_1"))
    );
    let refused = server.raw(Method::POST, path, Vec::new()).await;
    assert_eq!((refused.problem().as_str(), refused.status.as_u16()), ("invalid_request", 422));
    assert!(refused.json()["errors"][0]["message"].as_str().unwrap().contains("charge"));
    let unknown = server.post("/v1/sandbox/scenarios/nonsense", json!({})).await;
    assert_eq!(unknown.problem(), "not_found");
    let odd = server.post(path, json!({"chrage": "ch_1"})).await;
    assert_eq!(odd.fields(), ["/chrage unknown_field"]);
    let without = Server::new();
    assert_eq!(without.post(path, json!({})).await.problem(), "not_found");
    assert_eq!(without.get("/v1/sandbox/scenarios").await.problem(), "not_found");
}
