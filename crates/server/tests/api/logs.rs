//! The log: a line per request, and nothing about people or secrets.

use std::io::Write;
use std::sync::{Mutex, Once};

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::harness::Server;

/// Everything that any test of this program has logged.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Tee;

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From now on, everything that is logged can be read by a test.
pub fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Tee);
        log.with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG).init();
    });
}

#[tokio::test]
async fn the_log_has_a_line_per_request_and_no_secrets() {
    let server = Server::new();
    let path = "/v1/customers/logged%40person.example";
    let made =
        server.put(path, json!({ "email": "logged@person.example", "name": "Loggia" })).await;
    assert_eq!(made.status, 201);
    server.get("/v1/customers?search=logged%40person.example").await;
    server.put(path, json!({ "email": "Loggia is no address" })).await;
    let request = server.request(Method::POST, "/webhooks/stripe");
    let request = request.header("stripe-signature", "t=1,v1=5ec2e7");
    server.send(request.body(Body::from("{\"secret\": \"Loggia\"}")).unwrap()).await;
    let logged = String::from_utf8(LOGGED.lock().unwrap().clone()).unwrap();
    let id = made.header("x-request-id");
    let line = logged.lines().find(|line| line.contains(id)).expect("a line for the request");
    for part in ["method=\"PUT\"", "route=\"/v1/customers/{id}\"", "status=201", "key.id=\"key_"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let secrets =
        [server.full.as_str(), "Loggia", "person.example", "sk_test_", "whsec_", "5ec2e7"];
    for secret in secrets {
        let line = logged.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret}: {line:?}");
    }
}
