//! The line to the provider, on which requests and answers get lost.

use std::sync::{Arc, Mutex};

use farthing_providers::{HttpRequest, HttpResponse, Transport, TransportError};
use farthing_sandbox::World as Provider;

/// What becomes of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// The provider did it, and nobody hears of it.
    AnswerLost,
    /// The provider never saw it.
    NotSent,
    /// The provider answers with an error of its own, and did nothing.
    Failed,
}

type Decide = Box<dyn FnMut(&HttpRequest) -> Fate + Send>;

pub struct Line {
    provider: Arc<Mutex<Provider>>,
    decide: Mutex<Decide>,
}

impl Line {
    pub fn to(provider: Arc<Mutex<Provider>>) -> Self {
        Self { provider, decide: Mutex::new(Box::new(|_| Fate::Answered)) }
    }

    /// From now on `decide` says what becomes of each request.
    pub fn set(&self, decide: impl FnMut(&HttpRequest) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// Everything is answered again.
    pub fn heal(&self) {
        self.set(|_| Fate::Answered);
    }

    /// The answer to the change number `n` from now, counted from 0, gets lost; all others arrive.
    pub fn lose_answer(&self, n: usize) {
        let mut changes = 0..=n;
        self.set(move |request| {
            let is_it = request.method != "GET" && changes.next() == Some(n);
            if is_it { Fate::AnswerLost } else { Fate::Answered }
        });
    }
}

impl Transport for Line {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let fate = (self.decide.lock().unwrap())(request);
        let failed = br#"{"error":{"type":"api_error","message":"try again"}}"#;
        match fate {
            Fate::NotSent => return Err(TransportError::NotSent("no route".to_owned())),
            Fate::Failed => {
                return Ok(HttpResponse {
                    status: 500,
                    headers: Vec::new(),
                    body: failed.to_vec(),
                });
            }
            Fate::Answered | Fate::AnswerLost => {}
        }
        let response = super::call(&mut self.provider.lock().unwrap(), request);
        match fate {
            Fate::AnswerLost => Err(TransportError::Unknown("timed out".to_owned())),
            _ => Ok(HttpResponse {
                status: response.status,
                headers: response.headers,
                body: response.body,
            }),
        }
    }
}
