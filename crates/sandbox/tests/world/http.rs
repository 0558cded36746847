//! The sandbox behind HTTP, with a real endpoint that listens.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use farthing_sandbox::{Request, Sandbox};

use crate::shop::START;

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn calls_pages_and_webhooks_go_over_the_wire() {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = heard.clone();
    let listener = Router::new().fallback(move |headers: HeaderMap, body: String| async move {
        assert!(headers.contains_key("stripe-signature"));
        let mut heard = ears.lock().expect("no panic");
        heard.push(body);
        if heard.len() == 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    });
    let hook = serve(listener).await;
    let clock = Arc::new(|| START * 1_000_000);
    let sandbox = Sandbox::open(None, 7, clock, "http://x/sandbox/stripe").expect("in memory");
    let base = serve(Router::new().nest("/sandbox/stripe", sandbox.router())).await;
    let api = format!("{base}/sandbox/stripe/v1");
    let client = reqwest::Client::new();
    let post = |path: &str, body: String| {
        client
            .post(format!("{api}{path}"))
            .bearer_auth("sk_test_1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    let body = format!("url={hook}&enabled_events[]=customer.created");
    assert_eq!(post("/webhook_endpoints", body).await.expect("an answer").status(), 200);
    let made = post("/customers", "email=ada@example.com".into()).await.expect("an answer");
    assert!(made.headers()["request-id"].to_str().is_ok_and(|id| id.starts_with("req_")));
    assert_eq!(sandbox.deliver_due().await, 1);
    assert_eq!(sandbox.deliver_due().await, 0, "the retry is a minute away");
    let next = sandbox.with(|world| world.next_due());
    assert_eq!(next, Some(START + 60));
    assert_eq!(heard.lock().expect("no panic").len(), 1);
    let page = client.get(format!("{base}/sandbox/stripe/checkout/none")).send().await;
    assert_eq!(page.expect("an answer").status(), 404);
}

#[tokio::test]
async fn an_answer_that_is_lost_keeps_the_caller_waiting_and_the_call_has_acted() {
    let clock = Arc::new(|| START * 1_000_000);
    let sandbox = Sandbox::open(None, 7, clock, "http://x/sandbox/stripe").expect("in memory");
    let base = serve(Router::new().nest("/sandbox/stripe", sandbox.router())).await;
    let client = reqwest::Client::new();
    let call = |path: &str| {
        client
            .post(format!("{base}/sandbox/stripe{path}"))
            .bearer_auth("sk_test_1")
            .timeout(std::time::Duration::from_millis(300))
            .send()
    };
    let set = call("/_scenario/lost_after").await.expect("an answer");
    assert_eq!(set.status(), 200);
    let lost = call("/v1/customers").await.expect_err("no answer arrives");
    assert!(lost.is_timeout(), "{lost}");
    assert_eq!(call("/v1/customers").await.expect("an answer").status(), 200);
    let events = sandbox.with(|world| {
        let headers = vec![("authorization".to_owned(), "Bearer sk_test_1".to_owned())];
        let path = "/v1/events?type=customer.created".to_owned();
        let request = Request { method: "GET".to_owned(), path, headers, body: Vec::new() };
        crate::shop::json(&world.handle(&request))
    });
    assert_eq!(events["data"].as_array().map(Vec::len), Some(2));
}
