//! A transport that answers from a list.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use farthing_providers::stripe::WebhookConfig;
use farthing_providers::{HttpRequest, HttpResponse, Livemode, Stripe, Transport, TransportError};
use serde_json::{Value, json};

/// Answers from a list, and remembers what was asked.
#[derive(Default)]
pub struct Script {
    /// What is still to be answered, in this order.
    pub answers: Mutex<VecDeque<(u16, Value)>>,
    /// The form of each request.
    pub forms: Mutex<Vec<Vec<(String, String)>>>,
    /// The key of each request.
    pub keys: Mutex<Vec<Option<String>>>,
    /// Each request as `GET /v1/...`.
    pub asked: Mutex<Vec<String>>,
}

impl Transport for Script {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let asked = format!("{} {}", request.method, request.path);
        self.asked.lock().expect("no panic").push(asked);
        self.forms.lock().expect("no panic").push(request.form.clone());
        self.keys.lock().expect("no panic").push(request.idempotency_key.clone());
        match self.answers.lock().expect("no panic").pop_front() {
            Some((status, body)) => {
                Ok(HttpResponse { status, headers: Vec::new(), body: body.to_string().into() })
            }
            None => Err(TransportError::NotSent("the script is over".to_owned())),
        }
    }
}

/// A client whose calls are answered with `answers`.
pub fn stripe(answers: Vec<(u16, Value)>) -> (Stripe, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
    (Stripe::new(script.clone(), Livemode::Test, WebhookConfig::absent()), script)
}

/// Which objects were asked for, without their queries. Every answer must have been used.
pub fn asked(script: &Script) -> Vec<String> {
    assert!(script.answers.lock().expect("no panic").is_empty(), "an answer was not asked for");
    let asked = script.asked.lock().expect("no panic");
    asked.iter().map(|asked| asked.split('?').next().unwrap_or_default().to_owned()).collect()
}

/// The body in `fixtures/stripe/<name>.json`.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/stripe/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

/// Stripe's error body.
pub fn refusal(code: &str) -> Value {
    json!({ "error": { "type": "invalid_request_error", "code": code, "message": "no" } })
}
