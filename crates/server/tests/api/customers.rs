//! Customers, their state, their timeline and exceptions for them.

use axum::body::Body;
use axum::http::Method;
use farthing_server::schema::{CustomerState, TimelineEntry};
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

/// All `data` of a list, page by page.
async fn pages(server: &Server, path: &str) -> (Vec<Value>, usize) {
    let (mut entries, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = server.get(&format!("{path}&after={after}")).await;
        assert_eq!(page.status, 200, "{}", page.json());
        let page = page.json();
        pages += 1;
        entries.extend(page["data"].as_array().unwrap().clone());
        assert_eq!(page["has_more"], page["next"].is_string());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return (entries, pages),
        }
    }
}

#[tokio::test]
async fn a_customer_is_made_changed_read_and_forgotten() {
    let server = Server::new();
    let profile = json!({
        "email": "ana@example.com", "name": "Ana; DROP TABLE customers;--", "currency": "USD",
        "device_fingerprint": "fp_1", "metadata": { "seats": 3, "note": "שלום" }
    });
    let made = server.put("/v1/customers/u_1", profile.clone()).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["name"], profile["name"]);
    assert_eq!(made["metadata"], profile["metadata"]);
    let again = server.put("/v1/customers/u_1", profile).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, made.clone()));
    let changed = server.put("/v1/customers/u_1", json!({ "email": "eva@example.com" })).await;
    assert_eq!(changed.json()["email"], "eva@example.com");
    assert_eq!(changed.json()["name"], made["name"], "what is left out is kept");
    assert_eq!(server.get("/v1/customers/u_1").await.json(), changed.json());
    let gone = server.delete("/v1/customers/u_1").await;
    assert_eq!((gone.status.as_u16(), gone.body.len()), (204, 0));
    assert_eq!(server.get("/v1/customers/u_1").await.problem(), "not_found");
}

#[tokio::test]
async fn customers_are_found_and_listed_page_by_page() {
    let server = Server::new();
    for n in 0..7 {
        server.customer(&format!("u_{n}")).await;
    }
    let (all, pages_n) = pages(&server, "/v1/customers?limit=3").await;
    let ids: Vec<&str> = all.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!((ids, pages_n), (vec!["u_0", "u_1", "u_2", "u_3", "u_4", "u_5", "u_6"], 3));
    let exactly = server.get("/v1/customers?limit=7").await.json();
    assert_eq!((&exactly["has_more"], &exactly["next"]), (&json!(false), &json!(null)));
    let found = server.get("/v1/customers?search=U_3%40example").await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let nothing = server.get("/v1/customers?search=%25").await.json();
    assert_eq!(nothing["data"], json!([]), "a percent sign is a percent sign");
}

#[tokio::test]
async fn what_cannot_be_a_customer_is_refused() {
    let server = Server::new();
    let ana = json!({ "email": "ana@example.com" });
    for id in ["_x", "a%20b", "%00", "a%2Fb", "%D0%B0na", &"x".repeat(129)] {
        let answer = server.put(&format!("/v1/customers/{id}"), ana.clone()).await;
        assert_eq!(answer.problem(), "invalid_request", "{id}");
        assert_eq!(answer.fields(), ["{id} invalid_id"]);
    }
    assert_eq!(server.put("/v1/customers/%ff", ana).await.problem(), "malformed_request");
    for (body, field) in [
        (json!({}), "/email missing_field"),
        (json!({ "email": "nonsense" }), "/email invalid_email"),
        (json!({ "email": "a@b.cd", "currency": "usd" }), "/currency unknown_currency"),
        (json!({ "email": "a@b.cd", "currency": "KWD" }), "/currency unknown_currency"),
        (json!({ "email": "a@b.cd", "name": "" }), "/name invalid_length"),
        (json!({ "email": "a@b.cd", "name": "a\u{7}" }), "/name control_character"),
        (json!({ "email": "a@b.cd", "metadata": [] }), "/metadata wrong_type"),
        (
            json!({ "email": "a@b.cd", "metadata": { "a": "x".repeat(17_000) } }),
            "/metadata invalid_length",
        ),
        (json!({ "email": "a@b.cd", "plan": "scale" }), "/plan unknown_field"),
        (json!({ "email": "a@b.cd", "revision": 7 }), "/revision unknown_field"),
    ] {
        let answer = server.put("/v1/customers/u_1", body.clone()).await;
        assert_eq!(answer.problem(), "invalid_request", "{body}");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(server.get("/v1/customers").await.json()["data"], json!([]), "nothing was changed");
}

async fn state_if_none_match(server: &Server, tag: &str) -> Answer {
    let request = server.request(Method::GET, "/v1/customers/u_1/state");
    server.send(request.header("if-none-match", tag).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_state_that_has_not_changed_is_not_sent_again() {
    let server = Server::new();
    server.customer("u_1").await;
    let first = server.get("/v1/customers/u_1/state").await;
    let state: CustomerState = first.as_promised();
    assert_eq!(state.customer, "u_1");
    let tag = first.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = state_if_none_match(&server, &known).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let want = json!({ "customer": "u_1", "feature": "chatbots" });
    server.post("/v1/consume", want).await;
    let changed = state_if_none_match(&server, &tag).await;
    assert_eq!(changed.status, 200, "use counts");
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn the_timeline_says_what_happened_and_by_whom() {
    let server = Server::new();
    server.customer("u_1").await;
    for n in 0..4 {
        let email = format!("ana{n}@example.com");
        server.put("/v1/customers/u_1", json!({ "email": email })).await;
    }
    let (entries, pages_n) = pages(&server, "/v1/customers/u_1/timeline?limit=2").await;
    assert!(2 < pages_n, "{pages_n} pages");
    let entries: Vec<TimelineEntry> =
        entries.into_iter().map(|it| serde_json::from_value(it).unwrap()).collect();
    assert!(entries.windows(2).all(|pair| pair[1].seq < pair[0].seq), "the newest first");
    let updated = &entries[0];
    assert_eq!(updated.action, "customer.updated");
    assert!(updated.actor.starts_with("key:key_"), "{updated:?}");
    assert!(updated.cause.starts_with("req_"), "{updated:?}");
    let to = updated.to.as_ref().unwrap();
    assert_eq!(to["changed"], json!(["email"]), "what changed, and nothing personal");
    let bad = server.get("/v1/customers/u_1/timeline?after=x").await;
    assert_eq!(bad.fields(), ["?after invalid_value"]);
}

#[tokio::test]
async fn an_exception_counts_until_it_is_ended() {
    let server = Server::new();
    server.customer("u_1").await;
    let path = "/v1/customers/u_1/overrides/chatbots";
    let before: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    let put = server.put(path, json!({ "limit": 77, "reason": "promised" })).await;
    let state: CustomerState = put.as_promised();
    assert_eq!(state.features["chatbots"].limit, Some(77));
    let put = server.put(path, json!({ "limit": "unlimited", "reason": "promised" })).await;
    let state: CustomerState = put.as_promised();
    assert_eq!(state.features["chatbots"].limit, None);
    let ended: CustomerState = server.delete(path).await.as_promised();
    assert_eq!(ended.features["chatbots"].limit, before.features["chatbots"].limit);
    for (feature, body, field) in [
        ("chatbots", json!({ "limit": 1.5, "reason": "x" }), "/limit invalid_limit"),
        ("chatbots", json!({ "limit": -1, "reason": "x" }), "/limit invalid_limit"),
        ("chatbots", json!({ "limit": "many", "reason": "x" }), "/limit invalid_limit"),
        ("chatbots", json!({ "limit": true, "reason": "x" }), "/limit invalid_limit"),
        ("chatbots", json!({ "limit": 1, "reason": " " }), "/reason invalid_reason"),
        ("chatbots", json!({ "limit": 1 }), "/reason missing_field"),
        ("nonsense", json!({ "limit": 1, "reason": "x" }), "/feature unknown_feature"),
        (
            "chatbots",
            json!({ "limit": 1, "reason": "x", "expires_at": "2020-01-01T00:00:00Z" }),
            "/expires_at in_the_past",
        ),
        (
            "chatbots",
            json!({ "limit": 1, "reason": "x", "expires_at": "tomorrow" }),
            "/expires_at invalid_timestamp",
        ),
    ] {
        let answer = server.put(&format!("/v1/customers/u_1/overrides/{feature}"), body).await;
        assert_eq!(answer.fields(), [field]);
    }
}
