//! A transport that leaves a provider alone while it does not answer.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use farthing_core::time::Timestamp;

use crate::breaker::{Breaker, BreakerRules, BreakerState};
use crate::http::{HttpRequest, HttpResponse, Transport, TransportError};

/// The time and chance, as whoever runs this has them.
pub trait Moment: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Any number.
    fn chance(&self) -> u64;
}

/// Sends over another transport, unless too many calls have failed in a row: then a call fails at
/// once, was not sent, and is told so.
pub struct GuardedTransport<T, M> {
    inner: T,
    moment: M,
    breaker: Mutex<Breaker>,
}

impl<T: Transport, M: Moment> GuardedTransport<T, M> {
    /// Over `inner`, which does its own repetitions: they count as one call.
    pub fn new(inner: T, moment: M, rules: BreakerRules) -> Self {
        Self { inner, moment, breaker: Mutex::new(Breaker::new(rules)) }
    }

    /// Where the breaker stands, for people and metrics.
    pub fn state(&self) -> BreakerState {
        self.breaker().state()
    }

    /// A panic elsewhere leaves no half-made change behind: each is one assignment.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Transport, M: Moment> Transport for GuardedTransport<T, M> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let admitted = self.breaker().admit(self.moment.now());
        let ticket = admitted.map_err(|held| {
            let why = "circuit open: too many calls in a row had no answer; the next try is at";
            TransportError::NotSent(format!("{why} {}", held.until))
        })?;
        let outcome = self.inner.send(request);
        let alive = is_sign_of_life(&outcome);
        let (before, after) = {
            let mut breaker = self.breaker();
            let before = breaker.state();
            breaker.record(ticket, alive, self.moment.now(), self.moment.chance());
            (before, breaker.state())
        };
        tell(before, after);
        outcome
    }
}

/// Whether the provider does its work. A refusal is an answer; an answer that was saved earlier and
/// is only said again is one, too, whatever it says. A key that is not accepted and too many
/// requests are not: with neither of them will the next call fare better.
fn is_sign_of_life(outcome: &Result<HttpResponse, TransportError>) -> bool {
    match outcome {
        Err(_) => false,
        Ok(response) => {
            response.header("idempotent-replayed") == Some("true")
                || !matches!(response.status, 401 | 429 | 500..)
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
impl<T, M> fmt::Debug for GuardedTransport<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "GuardedTransport({:?})", breaker.state())
    }
}
