//! Whether the provider answers: what pages, probes and metrics show of it.

use farthing_core::time::Timestamp;
use farthing_providers::{BreakerState, Stripe};
use serde::Serialize;

use crate::{Engine, EngineError, STRIPE};

/// Whether calls go through to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderState {
    /// `stripe`.
    pub provider: &'static str,
    /// `closed`: calls go through. `open`: none does, the provider is left alone. `half_open`: one
    /// goes through as a probe.
    pub state: &'static str,
    /// Since when calls are held back.
    pub since: Option<Timestamp>,
    /// When the next call may go through.
    pub until: Option<Timestamp>,
    /// How many calls in a row failed, while it is closed; how many probes, while it is not.
    pub failures: u32,
    /// Why the last call failed that did, also when others have succeeded since.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
}

impl ProviderState {
    /// Every word that `state` can be.
    pub const STATES: [&'static str; 3] = ["closed", "open", "half_open"];
}

impl Engine {
    /// Whether the provider answers, as this process sees it; `None` without a provider, or when
    /// its transport does not keep count.
    pub fn provider_state(&self) -> Option<ProviderState> {
        let health = self.inner.stripe.as_ref().and_then(Stripe::health)?;
        let (state, since, until, failures) = match health.breaker {
            BreakerState::Closed { failures } => ("closed", None, None, failures),
            BreakerState::Open { since, until, probes } => {
                ("open", Some(since), Some(until), probes)
            }
            BreakerState::HalfOpen { since, until, probes } => {
                ("half_open", Some(since), Some(until), probes)
            }
        };
        let (last_error, last_error_at) =
            health.last_failure.map(|last| (last.why, last.at)).unzip();
        Some(ProviderState {
            provider: STRIPE,
            state,
            since,
            until,
            failures,
            last_error,
            last_error_at,
        })
    }

    /// Errors: the provider is left alone for now, so what needs it is not even begun.
    pub(crate) fn reachable(&self) -> Result<(), EngineError> {
        let Some(health) = self.stripe()?.health() else {
            return Ok(());
        };
        match health.held_back_for(self.now()) {
            Some(seconds) => {
                Err(EngineError::ProviderHeldBack { seconds, detail: health.why_held_back() })
            }
            None => Ok(()),
        }
    }
}
