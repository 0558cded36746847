//! The line between a node and the provider, on which calls go wrong as they were told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_providers::{HttpRequest, HttpResponse, Transport, TransportError};
use farthing_sandbox::{CallFault, Request, Response, World as Provider};

use crate::given::{Given, Point};
use crate::plants::Plant;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    LostBefore,
    /// It acts, and its answer never arrives.
    LostAfter,
    /// It is answered with a 500 that is kept for its key; it has acted, or not.
    Fails {
        /// Whether it acted.
        acted: bool,
    },
    /// It is answered with 429.
    RateLimited,
}

impl Fate {
    /// A name for people and milestones.
    pub fn name(self) -> &'static str {
        match self {
            Self::LostBefore => "call lost",
            Self::LostAfter => "answer lost",
            Self::Fails { acted: true } => "500 after it acted",
            Self::Fails { acted: false } => "500 without acting",
            Self::RateLimited => "429",
        }
    }
}

/// A provider in memory and the line to it.
pub struct Line {
    provider: Arc<Mutex<Provider>>,
    given: Arc<Given>,
    waiting: Mutex<Waiting>,
    plant: Option<Plant>,
}

#[derive(Default)]
struct Waiting {
    /// For the next calls that change something.
    changes: VecDeque<Fate>,
    /// For the next calls of any kind.
    any: VecDeque<Fate>,
    /// What went wrong since it was last asked for.
    happened: Vec<String>,
}

impl Line {
    /// A line without faults; `plant` is a mistake that the node's adapter is given.
    pub fn new(provider: Arc<Mutex<Provider>>, given: Arc<Given>, plant: Option<Plant>) -> Self {
        Self { provider, given, waiting: Mutex::default(), plant }
    }

    /// The next `times` calls go wrong; with `changes` only those that change something.
    pub fn plan(&self, fate: Fate, changes: bool, times: u32) {
        let mut waiting = lock(&self.waiting);
        let queue = if changes { &mut waiting.changes } else { &mut waiting.any };
        (0..times).for_each(|_| queue.push_back(fate));
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.changes.clear();
        waiting.any.clear();
    }

    /// What went wrong since the last time this was asked.
    pub fn take_happened(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.waiting).happened)
    }

    fn fate(&self, request: &HttpRequest) -> Option<Fate> {
        let mut waiting = lock(&self.waiting);
        let is_change = request.idempotency_key.is_some() || request.method == "DELETE";
        let fate = match is_change {
            true => waiting.changes.pop_front().or_else(|| waiting.any.pop_front()),
            false => waiting.any.pop_front(),
        }?;
        let name = format!("{}: {} {}", fate.name(), request.method, general(&request.path));
        waiting.happened.push(name);
        Some(fate)
    }
}

/// `/v1/subscriptions/sub_1?x=y` without what differs from one object to the next.
fn general(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let part =
        |part: &str| if part.contains('_') && part.len() > 20 { "ID" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

impl Transport for Line {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let is_change = request.idempotency_key.is_some() || request.method == "DELETE";
        if is_change {
            self.given.pass(Point::BeforeCall);
        }
        let fate = self.fate(request);
        if fate == Some(Fate::LostBefore) {
            return Err(TransportError::Unknown("timed out".to_owned()));
        }
        let mut request = request.clone();
        if let Some(plant) = &self.plant {
            plant.change_request(&mut request);
        }
        let mut response = {
            let mut provider = lock(&self.provider);
            let fault = match fate {
                Some(Fate::Fails { acted }) => Some(CallFault::Fails { acted }),
                Some(Fate::RateLimited) => Some(CallFault::RateLimited { retry_after: 2 }),
                _ => None,
            };
            if let Some(fault) = fault {
                provider.faults_mut().plan_call(fault, "", 1);
            }
            call(&mut provider, &request)
        };
        if let Some(plant) = &self.plant {
            plant.change_response(&request, &mut response);
        }
        if is_change {
            self.given.pass(Point::AfterCall);
        }
        if fate == Some(Fate::LostAfter) || response.is_lost() {
            return Err(TransportError::Unknown("timed out".to_owned()));
        }
        let Response { status, headers, body } = response;
        Ok(HttpResponse { status, headers, body })
    }
}

/// One request to the provider, with the account's key.
pub fn call(provider: &mut Provider, request: &HttpRequest) -> Response {
    let mut headers = vec![
        ("authorization".to_owned(), "Bearer sk_test_simulation".to_owned()),
        ("stripe-version".to_owned(), farthing_sandbox::API_VERSION.to_owned()),
    ];
    if let Some(key) = &request.idempotency_key {
        headers.push(("idempotency-key".to_owned(), key.clone()));
    }
    let body = form(&request.form);
    let (method, path) = (request.method.to_owned(), request.path.clone());
    provider.handle(&Request { method, path, headers, body })
}

/// A form body.
pub fn form(pairs: &[(String, String)]) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish().into_bytes()
}

/// What is behind a lock, also after a node stopped while it held it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
