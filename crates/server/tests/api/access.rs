//! Check, consume, release, sync, usage.

use farthing_server::schema::{AccessAnswer, AccessCode, CheckAnswer, CustomerState};
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn a_customer_takes_what_the_plan_allows_and_is_told_why_not_more() {
    let server = Server::new();
    server.customer("u_1").await;
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    let limit = state.features["chatbots"].limit.unwrap();
    let want = json!({ "customer": "u_1", "feature": "chatbots" });
    for used in 1..=limit {
        let answer: AccessAnswer = server.post("/v1/consume", want.clone()).await.as_promised();
        assert!(answer.allowed, "{answer:?}");
        assert_eq!((answer.used, answer.remaining), (used, Some(limit - used)));
    }
    let refused = server.post("/v1/consume", want.clone()).await;
    assert_eq!(refused.status, 200, "a refusal is an answer");
    let refused: AccessAnswer = refused.as_promised();
    assert!(!refused.allowed && refused.upgrade_to.is_some(), "{refused:?}");
    assert_eq!((refused.code, refused.used), (AccessCode::LimitReached, limit));
    let given: AccessAnswer = server.post("/v1/release", want.clone()).await.as_promised();
    assert_eq!(given.used, limit - 1);
    let again: AccessAnswer = server.post("/v1/consume", want).await.as_promised();
    assert!(again.allowed);
}

#[tokio::test]
async fn a_check_writes_nothing_and_takes_one_feature_or_many() {
    let server = Server::new();
    server.customer("u_1").await;
    let one = json!({ "customer": "u_1", "feature": "chatbots", "amount": 1 });
    for _ in 0..3 {
        let answer = server.post("/v1/check", one.clone()).await.as_promised();
        let CheckAnswer::One(answer) = answer else { panic!("{answer:?}") };
        assert_eq!((answer.allowed, answer.used), (true, 0));
    }
    let many = json!({ "customer": "u_1", "features": ["chatbots", "messages", "nonsense"] });
    let answer = server.post("/v1/check", many).await;
    assert_eq!(answer.json()["customer"], "u_1");
    let CheckAnswer::Many(many) = answer.as_promised() else { panic!("{answer:?}") };
    assert_eq!(many.answers.len(), 3);
    assert_eq!(many.answers["nonsense"].code, AccessCode::UnknownFeature);
    for wrong in [
        json!({ "customer": "u_1" }),
        json!({ "customer": "u_1", "features": [] }),
        json!({ "customer": "u_1", "feature": "chatbots", "features": ["messages"] }),
        json!({ "customer": "u_1", "features": vec!["chatbots"; 101] }),
    ] {
        let answer = server.post("/v1/check", wrong).await;
        assert_eq!(answer.problem(), "invalid_request");
        assert_eq!(answer.fields(), ["/feature invalid_value"]);
    }
}

#[tokio::test]
async fn sync_sets_what_is_held() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = |used: i64| json!({ "customer": "u_1", "feature": "chatbots", "used": used });
    let answer: AccessAnswer = server.post("/v1/sync", body(1)).await.as_promised();
    assert_eq!(answer.used, 1);
    let answer: AccessAnswer = server.post("/v1/sync", body(0)).await.as_promised();
    assert_eq!(answer.used, 0);
    let answer = server.post("/v1/sync", body(-1)).await;
    assert_eq!(answer.fields(), ["/used invalid_amount"]);
    let usage = json!({ "customer": "u_1", "feature": "messages", "used": 1 });
    let answer = server.post("/v1/sync", usage).await;
    assert_eq!(answer.fields(), ["/feature not_a_count"]);
}

#[tokio::test]
async fn reported_events_count_once_and_the_wrong_ones_are_listed() {
    let server = Server::new();
    server.customer("u_1").await;
    let now = server.world.now().to_string();
    let event = |id: &str, customer: &str, feature: &str, at: &str| json!({ "id": id, "customer": customer, "feature": feature, "amount": 2, "at": at });
    let events = json!({ "events": [
        event("a", "u_1", "messages", &now),
        event("a", "u_1", "messages", &now),
        event("b", "u_2", "messages", &now),
        event("c", "u_1", "chatbots", &now),
        event("d", "u_1", "nonsense", &now),
        event("e", "u_1", "messages", "2020-01-01T00:00:00Z"),
        event("f", "u_1", "messages", "2999-01-01T00:00:00Z"),
    ]});
    let answer = server.post("/v1/usage", events).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "accepted": 1, "duplicates": 1, "rejected": [
            { "id": "b", "code": "unknown_customer" },
            { "id": "c", "code": "not_usage" },
            { "id": "d", "code": "unknown_feature" },
            { "id": "e", "code": "too_old" },
            { "id": "f", "code": "in_the_future" },
        ]})
    );
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    assert_eq!(state.features["messages"].used, 2);
}

#[tokio::test]
async fn one_request_reports_a_thousand_events_and_not_one_more() {
    let server = Server::new();
    server.customer("u_1").await;
    let now = server.world.now().to_string();
    let events = |n: usize| {
        let event = |id: usize| {
            let id = format!("{id:0180}");
            json!({ "id": id, "customer": "u_1", "feature": "messages", "amount": 1, "at": now })
        };
        json!({ "events": (0..n).map(event).collect::<Vec<_>>() })
    };
    let answer = server.post("/v1/usage", events(1_000)).await;
    assert_eq!(answer.json()["accepted"], 1_000);
    for wrong in [0, 1_001] {
        let answer = server.post("/v1/usage", events(wrong)).await;
        assert_eq!(answer.fields(), ["/events invalid_length"]);
    }
}

#[tokio::test]
async fn what_the_engine_finds_wrong_is_named_by_its_place() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "messages" });
    let answer = server.post("/v1/release", body).await;
    assert_eq!(answer.problem(), "invalid_request");
    assert_eq!(answer.fields(), ["/feature not_a_count"]);
    let body = json!({ "customer": "u_1", "feature": "ai", "operation": "nonsense" });
    let answer = server.post("/v1/consume", body).await;
    assert_eq!(answer.fields(), ["/operation unknown_operation"]);
}
