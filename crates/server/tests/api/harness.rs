//! A server in memory, and how to talk to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use farthing_engine::clock::ManualClock;
use farthing_engine::keys::Scope;
use farthing_server::{AppState, Lab, RateLimit, router};
use farthing_store::testing::Backend;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

#[path = "../../../engine/tests/world/mod.rs"]
pub mod world;

pub use world::World;

/// A server with a key of each scope.
pub struct Server {
    pub world: World,
    pub router: Router,
    pub full: String,
    pub read: String,
    pub usage: String,
    /// By how many seconds the process seems to be older than it is.
    pub older: Arc<AtomicU64>,
    /// The machine's clock.
    pub wall: Arc<ManualClock>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Reads the body as the type that the document promises.
    pub fn as_promised<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, after a look at its form.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: farthing_server::schema::Problem = self.as_promised();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert!(problem.request_id.starts_with("req_"), "{problem:?}");
        assert!(!problem.title.is_empty() && !problem.detail.is_empty(), "{problem:?}");
        let known = farthing_server::codes::Code::of(&problem.code).expect("a known code");
        assert_eq!(known.status(), self.status, "{problem:?}");
        problem.code
    }

    /// `pointer code` of each field.
    pub fn fields(&self) -> Vec<String> {
        let problem: farthing_server::schema::Problem = self.as_promised();
        problem.errors.iter().map(|it| format!("{} {}", it.pointer, it.code)).collect()
    }
}

/// Runs `work` on a thread of its own: the engine blocks, and a thread of the runtime must not.
pub fn off<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

impl Server {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with_lab(lab: Arc<dyn Lab>) -> Self {
        Self::with(|state| state.sandbox_lab = Some(lab))
    }

    pub fn with_rate(limit: RateLimit) -> Self {
        Self::with(|state| state.rate_limit = limit)
    }

    /// All those without a key together may send so much.
    pub fn with_strangers(limit: RateLimit) -> Self {
        Self::with(|state| state.stranger_limit = limit)
    }

    fn with(adjust: impl FnOnce(&mut AppState) + Send) -> Self {
        crate::logs::capture();
        off(|| Self::build(World::new(Backend::Sqlite), adjust))
    }

    /// With a circuit breaker before the provider.
    pub fn guarded() -> Self {
        crate::logs::capture();
        off(|| Self::build(World::new(Backend::Sqlite).guarded(), |_| {}))
    }

    fn build(world: World, adjust: impl FnOnce(&mut AppState)) -> Self {
        let key = |scope: Scope| {
            let name = scope.as_str();
            world.engine.create_key(&world::caller(), name, scope).unwrap().key
        };
        let (full, read, usage) = (key(Scope::Full), key(Scope::Read), key(Scope::Usage));
        let started = Instant::now();
        let older = Arc::new(AtomicU64::new(0));
        let offset = Arc::clone(&older);
        let wall = Arc::new(ManualClock::at(world.now()));
        let uptime = move || started.elapsed() + Duration::from_secs(offset.load(Ordering::SeqCst));
        let mut state = AppState::new(world.engine.clone(), Arc::new(uptime), wall.clone());
        adjust(&mut state);
        Self { router: router(state), world, full, read, usage, older, wall }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// With the full key.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        self.raw(method, path, body.to_string().into_bytes()).await
    }

    pub async fn raw(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let bearer = format!("Bearer {}", self.full);
        Request::builder().method(method).uri(path).header("authorization", bearer)
    }

    /// A customer made over HTTP.
    pub async fn customer(&self, id: &str) {
        let profile = serde_json::json!({ "email": format!("{id}@example.com") });
        let answer = self.put(&format!("/v1/customers/{id}"), profile).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
}
