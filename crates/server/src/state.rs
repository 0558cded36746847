//! What every handler can reach, and how the engine is called from async code.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_engine::jobs::WorkCounts;
use farthing_engine::{Clock, Engine, EngineError};
use farthing_web::billing::Theme;

use crate::auth::KeyCache;
use crate::codes::Code;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::ratelimit::{RateLimit, RateLimiter};
use crate::remembered::Remembered;

/// For how long the process has been running. Only differences count; it never goes back.
///
/// Rates, caches and latencies are measured with it, and not with the engine's clock, which in the
/// sandbox jumps by months.
pub type Uptime = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The pretend world whose clock can be moved.
pub trait Lab: Send + Sync {
    /// Moves the clock to `to` and waits until everything that became due has happened and its
    /// events were delivered.
    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, LabError>>;

    /// What the clock shows.
    fn now(&self) -> Timestamp;

    /// What can go wrong on purpose.
    fn scenarios(&self) -> &'static [Scenario];

    /// Has it go wrong; answers the provider's ids of what it is about, by what they are. Errors:
    /// a parameter is missing or wrong; nothing was changed.
    fn set_up(
        &self,
        scenario: ScenarioSetUp,
    ) -> BoxFuture<'_, Result<BTreeMap<&'static str, String>, LabError>>;
}

/// A scenario: its name, its parameters (those with `?` may be left out), and what it does.
pub type Scenario = (&'static str, &'static str, &'static str);

/// A scenario to set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioSetUp {
    /// Its name.
    pub name: String,
    /// Whose newest object it is about, where its id is not among the parameters.
    pub customer: Option<CustomerId>,
    /// As texts.
    pub parameters: Vec<(&'static str, String)>,
}

/// What moving the clock did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// What the clock shows now.
    pub now: Timestamp,
    /// How many provider events were delivered on the way.
    pub events_delivered: u64,
}

/// The clock was not moved, or not everything that became due could be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabError {
    /// What happened, for the one who asked.
    pub message: String,
}

/// What the router is made from.
#[derive(Clone)]
pub struct AppState {
    /// Decides everything.
    pub engine: Engine,
    /// The sandbox; without it the routes under `/v1/sandbox` answer 404.
    pub sandbox_lab: Option<Arc<dyn Lab>>,
    /// See [`Uptime`].
    pub uptime: Uptime,
    /// The machine's clock, which the sandbox does not move.
    pub wall: Arc<dyn Clock>,
    /// How many requests one key may send.
    pub rate_limit: RateLimit,
    /// How many requests all those without a valid key may send together, to each open route and
    /// to the others.
    pub stranger_limit: RateLimit,
    /// Where the pages for people are reached; without it there are none.
    pub pages_base: Option<farthing_web::Base>,
    /// What the billing page looks like; plain when left out.
    pub theme: Option<Theme>,
}

impl AppState {
    /// Without a sandbox and with the usual rate limits.
    pub fn new(engine: Engine, uptime: Uptime, wall: Arc<dyn Clock>) -> Self {
        let rate_limit = RateLimit::default();
        let stranger_limit = RateLimit { burst: 1_000, per_second: 200 };
        Self {
            engine,
            sandbox_lab: None,
            uptime,
            wall,
            rate_limit,
            stranger_limit,
            pages_base: None,
            theme: None,
        }
    }
}

/// The state behind the routes. Clones share everything.
#[derive(Clone)]
pub struct App {
    /// Decides everything.
    pub engine: Engine,
    pub(crate) lab: Option<Arc<dyn Lab>>,
    pub(crate) uptime: Uptime,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) rates: Arc<RateLimiter>,
    pub(crate) strangers: Arc<RateLimiter>,
    pub(crate) wall: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) readiness: Arc<Remembered<()>>,
    pub(crate) gauges: Arc<Remembered<WorkCounts>>,
}

/// What is the same for every request and was made once.
pub(crate) struct Pages {
    /// The document at `/openapi.json`.
    pub openapi: String,
    /// The page at `/docs`.
    pub docs: crate::docs::Page,
    /// Method and path of the routes that take no query parameters.
    pub without_query: HashSet<(String, String)>,
}

impl App {
    pub(crate) fn new(state: AppState, pages: Pages) -> Self {
        Self {
            readiness: Arc::default(),
            gauges: Arc::default(),
            engine: state.engine,
            lab: state.sandbox_lab,
            uptime: state.uptime,
            keys: Arc::default(),
            rates: Arc::new(RateLimiter::new(state.rate_limit)),
            strangers: Arc::new(RateLimiter::new(state.stranger_limit)),
            wall: state.wall,
            metrics: Arc::default(),
            pages: Arc::new(pages),
        }
    }

    /// Counts a request that shows no key that is known to be good, under what it is for. Errors:
    /// there were too many of them, and nothing more is done for this one.
    pub(crate) fn admit_stranger(&self, to: &str) -> Result<(), ApiError> {
        let rate = self.strangers.take(to, (self.uptime)());
        if rate.allowed { Ok(()) } else { Err(rate.refusal()) }
    }

    /// Asks the engine, on a thread that may block. The work is finished even when nobody waits
    /// for it any more.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(work).await?.map_err(ApiError::from)
    }

    /// Runs `work` on a thread that may block. Errors: it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let engine = self.engine.clone();
        tokio::task::spawn_blocking(move || work(&engine)).await.map_err(|err| {
            tracing::error!(panic = err.is_panic(), "a request's work broke off");
            ApiError::new(Code::Internal, Code::INTERNAL_DETAIL)
        })
    }
}

impl FromRef<App> for Engine {
    fn from_ref(app: &App) -> Self {
        app.engine.clone()
    }
}
