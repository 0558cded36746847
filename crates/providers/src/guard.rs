//! A transport that leaves a provider alone while it does not answer.
//!
//! The order is: breaker, then repetitions, then the wire. What the breaker counts is therefore
//! whole *calls*, each with all its attempts: a hiccup that a repetition gets over is no failure,
//! and a probe of a half-open breaker is tried as seriously as any other call.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use farthing_core::time::Timestamp;

use crate::breaker::{Breaker, BreakerRules, BreakerState, Ticket};
use crate::http::{HttpRequest, HttpResponse, Transport, TransportError};

/// The time and chance, as whoever runs this has them.
pub trait Moment: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Any number.
    fn chance(&self) -> u64;
}

/// Whether a provider answers, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Where the breaker stands.
    pub breaker: BreakerState,
    /// The last call that was no sign of life, also when many have succeeded since.
    pub last_failure: Option<Failure>,
}

/// A call that was no sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it ended.
    pub at: Timestamp,
    /// A status, or why there was no answer; nothing of what was sent or said.
    pub why: String,
}

/// While a probe is under way it may end any moment: others are told to come back after so many
/// seconds.
const PROBED: u32 = 2;

/// Sends over another transport, unless too many calls have failed in a row: then a call fails at
/// once, was not sent, and is told so.
pub struct GuardedTransport<T, M> {
    inner: T,
    moment: M,
    guard: Mutex<Guard>,
}

struct Guard {
    breaker: Breaker,
    last_failure: Option<Failure>,
}

impl<T: Transport, M: Moment> GuardedTransport<T, M> {
    /// Over `inner`, which does its own repetitions: they count as one call.
    pub fn new(inner: T, moment: M, rules: BreakerRules) -> Self {
        let guard = Guard { breaker: Breaker::new(rules), last_failure: None };
        Self { inner, moment, guard: Mutex::new(guard) }
    }

    /// Where the breaker stands.
    pub fn state(&self) -> BreakerState {
        self.guard().breaker.state()
    }

    /// A panic elsewhere leaves no half-made change behind: each is one assignment.
    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self) -> Result<Ticket, TransportError> {
        let now = self.moment.now();
        let mut guard = self.guard();
        guard.breaker.admit(now).map_err(|_| {
            let health = guard.health();
            TransportError::HeldBack {
                seconds: health.held_back_for(now).unwrap_or(1),
                why: health.why_held_back(),
            }
        })
    }
}

impl Guard {
    fn health(&self) -> Health {
        Health { breaker: self.breaker.state(), last_failure: self.last_failure.clone() }
    }
}

impl Health {
    /// For how many seconds from `now` no call goes through; `None`: one would.
    pub fn held_back_for(&self, now: Timestamp) -> Option<u32> {
        match self.breaker {
            BreakerState::Open { until, .. } if now < until => {
                let micros = until.micros().saturating_sub(now.micros());
                Some(u32::try_from(micros.saturating_add(999_999) / 1_000_000).unwrap_or(u32::MAX))
            }
            BreakerState::HalfOpen { until, .. } if now < until => Some(PROBED),
            BreakerState::Open { .. }
            | BreakerState::HalfOpen { .. }
            | BreakerState::Closed { .. } => None,
        }
    }

    /// Why calls are held back, for logs and operators.
    pub fn why_held_back(&self) -> String {
        let why = "too many calls in a row failed";
        let last = self.last_failure.as_ref();
        last.map_or_else(|| why.to_owned(), |last| format!("{why}, the last one: {}", last.why))
    }
}

impl<T: Transport, M: Moment> Transport for GuardedTransport<T, M> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let ticket = self.admit()?;
        let outcome = self.inner.send(request);
        let failure = failure(&outcome);
        let (before, after) = {
            let now = self.moment.now();
            let mut guard = self.guard();
            let before = guard.breaker.state();
            guard.breaker.record(ticket, failure.is_none(), now, self.moment.chance());
            if let Some(why) = failure {
                guard.last_failure = Some(Failure { at: now, why });
            }
            (before, guard.breaker.state())
        };
        tell(before, after);
        outcome
    }

    fn health(&self) -> Option<Health> {
        Some(self.guard().health())
    }
}

/// Why a call was no sign of life; `None` when it was one. A refusal is an answer; an answer that was saved earlier and
/// is only said again is one, too, whatever it says. A key that is not accepted and too many
/// requests are not: with neither of them will the next call fare better.
fn failure(outcome: &Result<HttpResponse, TransportError>) -> Option<String> {
    match outcome {
        Err(error) => Some(error.to_string()),
        Ok(response) => {
            let alive = response.header("idempotent-replayed") == Some("true")
                || !matches!(response.status, 401 | 429 | 500..);
            (!alive).then(|| format!("HTTP {}", response.status))
        }
    }
}

fn tell(before: BreakerState, after: BreakerState) {
    match (before, after) {
        (BreakerState::Closed { .. }, BreakerState::Open { until, .. }) => {
            tracing::warn!(%until, "the provider does not answer: calls are held back");
        }
        (BreakerState::HalfOpen { .. }, BreakerState::Closed { .. }) => {
            tracing::info!("the provider answers again: calls go through");
        }
        _ => {}
    }
}

/// Where it stands, and not what it sends over.
impl<T: Transport, M: Moment> fmt::Debug for GuardedTransport<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedTransport({:?})", self.state())
    }
}
