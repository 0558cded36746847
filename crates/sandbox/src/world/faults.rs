//! What goes wrong on purpose: webhooks that are lost, late, repeated or out of order, calls whose
//! answers never arrive, and answers that are errors or out of date.
//!
//! Deterministic: a fault hits the next calls or events that it fits, as often as it was told to,
//! and is used up. [`super::scenarios`] gives each a name.

use serde::{Deserialize, Serialize};

/// How the answer to a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFault {
    /// The call acts; its answer never arrives ([`crate::Response::is_lost`]).
    LostAfter,
    /// The call never arrives.
    LostBefore,
    /// The answer is a 500 that is kept for its idempotency key. The call has `acted`, or not.
    Fails {
        /// Whether it had its effect.
        acted: bool,
    },
    /// 429, with `Retry-After`. Nothing is kept.
    RateLimited {
        /// Seconds.
        retry_after: u32,
    },
}

/// How the delivery of an event goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookFault {
    /// It is never delivered.
    Lost,
    /// It is delivered so many seconds later.
    Late(u32),
    /// It is delivered two times.
    Twice,
    /// It is delivered, and the same fact again under another event id.
    OtherId,
}

/// The faults that wait for what they hit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Faults {
    calls: Vec<Planned<CallFault>>,
    webhooks: Vec<Planned<WebhookFault>>,
    newest_first: bool,
    stale_seconds: i64,
}

/// One fault, what it fits, and how often it still hits.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Planned<F> {
    fault: F,
    /// `POST /v1/subscriptions` or an event type; the beginning is enough, and empty fits all.
    fits: String,
    left: u64,
}

impl Faults {
    /// The next `times` calls whose method and path (`POST /v1/refunds`) begin with `fits` go
    /// wrong. An empty text fits every call.
    pub fn plan_call(&mut self, fault: CallFault, fits: &str, times: u64) {
        self.calls.push(Planned { fault, fits: fits.to_owned(), left: times });
    }

    /// The next `times` events whose type begins with `fits`, and which an endpoint wants, go
    /// wrong. An empty text fits every event.
    pub fn plan_webhook(&mut self, fault: WebhookFault, fits: &str, times: u64) {
        self.webhooks.push(Planned { fault, fits: fits.to_owned(), left: times });
    }

    /// Deliveries that are due together are handed out newest event first, or in order again.
    pub fn reverse_webhooks(&mut self, newest_first: bool) {
        self.newest_first = newest_first;
    }

    /// Lists leave out what was made within the last `seconds`, as a replica that lags does. 0
    /// ends that.
    pub fn lag_lists(&mut self, seconds: u32) {
        self.stale_seconds = i64::from(seconds);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&mut self) {
        *self = Faults::default();
    }

    pub(super) fn take_call(&mut self, method: &str, path: &str) -> Option<CallFault> {
        take(&mut self.calls, &format!("{method} {path}"))
    }

    pub(super) fn take_webhook(&mut self, kind: &str) -> Option<WebhookFault> {
        take(&mut self.webhooks, kind)
    }

    pub(super) fn newest_first(&self) -> bool {
        self.newest_first
    }

    pub(super) fn stale_seconds(&self) -> i64 {
        self.stale_seconds
    }
}

/// The first fault that fits; it is used up by one.
fn take<F: Copy>(planned: &mut Vec<Planned<F>>, what: &str) -> Option<F> {
    let at = planned.iter().position(|plan| plan.left > 0 && what.starts_with(&plan.fits))?;
    let plan = &mut planned[at];
    plan.left -= 1;
    let fault = plan.fault;
    planned.retain(|plan| plan.left > 0);
    Some(fault)
}
