//! The line to the provider, on which requests and answers get lost.

use std::sync::mpsc::{Receiver, Sender, channel};
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
    /// The provider has had too many requests, and did nothing.
    TooMany,
    /// The provider is still busy with an earlier request of the same key, and did nothing more.
    Busy,
    /// Our process dies before it sends.
    KilledBefore,
    /// The provider did it, and our process dies with the answer in its hands.
    KilledAfter,
}

/// What the thread of a process that dies ends with.
pub struct Killed;

type Decide = Box<dyn FnMut(&HttpRequest) -> Fate + Send>;
type Meanwhile = Box<dyn FnOnce() + Send>;

pub struct Line {
    provider: Arc<Mutex<Provider>>,
    decide: Mutex<Decide>,
    /// What happens while the next answer is on its way.
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Line {
    pub fn to(provider: Arc<Mutex<Provider>>) -> Self {
        let decide: Decide = Box::new(|_| Fate::Answered);
        Self { provider, decide: Mutex::new(decide), meanwhile: Mutex::new(None) }
    }

    /// From now on `decide` says what becomes of each request.
    pub fn set(&self, decide: impl FnMut(&HttpRequest) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// Everything is answered again.
    pub fn heal(&self) {
        self.set(|_| Fate::Answered);
    }

    /// Holds the next answer back. The receiver hears when it is held, the sender lets it go.
    pub fn hold_next(&self) -> (Receiver<()>, Sender<()>) {
        let ((held, is_held), (go, may_go)) = (channel(), channel());
        *self.meanwhile.lock().unwrap() = Some(Box::new(move || {
            held.send(()).unwrap();
            may_go.recv().unwrap();
        }));
        (is_held, go)
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
        let error = |status, body: &str| {
            let body = format!(r#"{{"error":{{{body},"message":"try again"}}}}"#).into_bytes();
            Ok(HttpResponse { status, headers: Vec::new(), body })
        };
        match fate {
            Fate::NotSent => return Err(TransportError::NotSent("no route".to_owned())),
            Fate::Failed => return error(500, r#""type":"api_error""#),
            Fate::TooMany => return error(429, r#""type":"invalid_request_error""#),
            Fate::Busy => {
                let body = r#""type":"idempotency_error","code":"idempotency_key_in_use""#;
                return error(409, body);
            }
            Fate::KilledBefore => std::panic::resume_unwind(Box::new(Killed)),
            Fate::Answered | Fate::AnswerLost | Fate::KilledAfter => {}
        }
        let response = super::call(&mut self.provider.lock().unwrap(), request);
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        match fate {
            Fate::KilledAfter => std::panic::resume_unwind(Box::new(Killed)),
            _ if response.is_lost() => Err(TransportError::Unknown("timed out".to_owned())),
            Fate::AnswerLost => Err(TransportError::Unknown("timed out".to_owned())),
            _ => Ok(HttpResponse {
                status: response.status,
                headers: response.headers,
                body: response.body,
            }),
        }
    }
}
