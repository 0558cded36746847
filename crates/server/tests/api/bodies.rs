//! What cannot be read is refused, before anything else, and nothing is changed.

use axum::body::Body;
use axum::http::{Method, Request};
use farthing_server::schema::CustomerState;
use serde_json::json;

use crate::harness::{Answer, Server};

async fn consume(server: &Server, body: &[u8]) -> Answer {
    server.raw(Method::POST, "/v1/consume", body.to_vec()).await
}

#[tokio::test]
async fn malformed_bodies_are_refused_and_change_nothing() {
    let server = Server::new();
    server.customer("u_1").await;
    let of = |amount: &str| {
        format!(r#"{{"customer": "u_1", "feature": "chatbots", "amount": {amount}}}"#)
    };
    let table: Vec<(String, u16, &str)> = vec![
        (String::new(), 400, "malformed_json"),
        ("{".to_owned(), 400, "malformed_json"),
        ("nonsense".to_owned(), 400, "malformed_json"),
        (of("1,}"), 400, "malformed_json"),
        (of("NaN"), 400, "malformed_json"),
        ("[".repeat(200_000), 422, "too_deep"),
        ("[]".to_owned(), 422, "wrong_type"),
        (r#"["u_1", "chatbots", 1]"#.to_owned(), 422, "wrong_type"),
        (of("0"), 422, "/amount invalid_amount"),
        (of("-1"), 422, "/amount invalid_amount"),
        (of("1.0"), 422, "/amount invalid_amount"),
        (of("1e2"), 422, "/amount invalid_amount"),
        (of("1e400"), 422, "/amount out_of_range"),
        (of("9223372036854775808"), 422, "/amount invalid_amount"),
        (of("1000000000000001"), 422, "/amount invalid_amount"),
        (of("\"1\""), 422, "/amount invalid_amount"),
        (of("null"), 422, "/amount wrong_type"),
        (of("1, \"amount\": 2"), 422, "/amount duplicate_field"),
        (of("1, \"amuont\": 2"), 422, "/amuont unknown_field"),
        (of("1, \"operation\": \"a\\u0000\""), 422, "/operation control_character"),
        (r#"{"customer": "u_1"}"#.to_owned(), 422, "/feature missing_field"),
        (r#"{"customer": "../x", "feature": "chatbots"}"#.to_owned(), 422, "/customer invalid_id"),
    ];
    for (body, status, expected) in table {
        let answer = consume(&server, body.as_bytes()).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown}");
        let code = answer.problem();
        let found = answer.fields().join(", ");
        assert!(code == expected || found.ends_with(expected), "{shown}: {code} {found}");
    }
    let answer = consume(&server, b"{\"customer\": \"\xff\"}").await;
    assert_eq!(answer.problem(), "malformed_json");
    let detail = consume(&server, b"{\n  \"customer\" 7}").await.json()["detail"].to_string();
    assert!(detail.contains("line 2 column 14"), "{detail}");
    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    assert_eq!(state.features["chatbots"].used, 0);
}

#[tokio::test]
async fn a_body_longer_than_its_route_takes_is_refused() {
    let server = Server::new();
    let long = vec![b' '; (256 << 10) + 1];
    let answer = consume(&server, &long).await;
    assert_eq!(answer.problem(), "body_too_large");
    let endless = futures_of_blanks(2_000);
    let request = server.request(Method::POST, "/v1/consume");
    let request = request.header("content-type", "application/json").body(endless).unwrap();
    assert_eq!(server.send(request).await.problem(), "body_too_large", "without a length");
    let usage = server.raw(Method::POST, "/v1/usage", long).await;
    assert_eq!(usage.problem(), "malformed_json", "there it is not too long");
}

/// A body of unknown length: `chunks` times a thousand blanks.
fn futures_of_blanks(chunks: usize) -> Body {
    struct Blanks(usize);
    impl axum::body::HttpBody for Blanks {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            let left = self.0.checked_sub(1);
            std::task::Poll::Ready(left.map(|left| {
                self.0 = left;
                Ok(http_body::Frame::data(axum::body::Bytes::from_static(&[b' '; 1_000])))
            }))
        }
    }
    Body::new(Blanks(chunks))
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "feature": "chatbots" }).to_string();
    for media in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let mut request = server.request(Method::POST, "/v1/consume");
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        let answer = server.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(answer.problem(), "unsupported_media_type", "{media:?}");
    }
    let request = server.request(Method::POST, "/v1/consume");
    let request = request.header("content-type", "application/json");
    let zipped = request.header("content-encoding", "gzip").body(Body::from(body.clone()));
    assert_eq!(server.send(zipped.unwrap()).await.problem(), "unsupported_media_type");
    let request = server.request(Method::POST, "/v1/consume");
    let request = request.header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(server.send(request.body(Body::from(body)).unwrap()).await.status, 200);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let server = Server::new();
    for path in ["/", "/v1", "/v1/", "/v1/nonsense", "/v1/plans/", "/v2/plans", "/docs/../etc"] {
        assert_eq!(server.get(path).await.problem(), "not_found", "{path}");
    }
    for (method, path, allow) in [
        (Method::POST, "/v1/plans", "GET,HEAD"),
        (Method::PATCH, "/v1/customers/u_1", "PUT"),
        (Method::GET, "/v1/consume", "POST"),
        (Method::OPTIONS, "/v1/consume", "POST"),
        (Method::TRACE, "/healthz", "GET,HEAD"),
    ] {
        let request = server.request(method.clone(), path).body(Body::empty()).unwrap();
        let answer = server.send(request).await;
        assert_eq!(answer.problem(), "method_not_allowed", "{method} {path}");
        assert!(answer.header("allow").contains(allow), "{answer:?}");
    }
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let server = Server::new();
    server.customer("u_1").await;
    for (path, expected) in [
        ("/v1/customers?limit=0", "?limit out_of_range"),
        ("/v1/customers?limit=201", "?limit out_of_range"),
        ("/v1/customers?limit=-1", "?limit out_of_range"),
        ("/v1/customers?limit=%2B5", "?limit out_of_range"),
        ("/v1/customers?limit=", "?limit out_of_range"),
        ("/v1/customers?limit=5&limit=6", "?limit duplicate_field"),
        ("/v1/customers?serach=x", "?serach unknown_field"),
        ("/v1/customers?search=a%00b", "?search control_character"),
        ("/v1/plans?customer=%20", "?customer invalid_id"),
        ("/v1/events?state=nonsense", "?state invalid_value"),
        ("/v1/checkouts/chk_1?wait=61", "?wait out_of_range"),
        ("/v1/checkouts/chk_1?wait=1.5", "?wait out_of_range"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.problem(), "invalid_request", "{path}");
        assert_eq!(answer.fields(), [expected], "{path}");
    }
    for path in ["/v1/customers?limit=200", "/v1/customers?limit=1&after=zzz&search="] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.get("/v1/subscriptions/sub%00").await.problem(), "not_found");
}

#[tokio::test]
async fn nothing_is_taken_from_where_the_client_says_it_is() {
    let server = Server::new();
    let request = server.request(Method::GET, "/v1/plans");
    let request = request
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-request-id", "req_chosen_by_client")
        .header("origin", "https://evil.example");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(!format!("{answer:?}").contains("evil"));
    assert_ne!(answer.header("x-request-id"), "req_chosen_by_client");
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    let two = Request::get("/v1/plans")
        .header("authorization", format!("Bearer {}", server.full))
        .header("authorization", format!("Bearer {}", server.full));
    assert_eq!(server.send(two.body(Body::empty()).unwrap()).await.problem(), "unauthorized");
}
