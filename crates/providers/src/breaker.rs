//! When to stop asking a provider that does not answer, and when to try again.
//!
//! A pure state machine: the time and chance are given. [`crate::guard`] puts it before a transport.
//!
//! Closed, every call goes through. After some failures in a row it opens: no call goes through for
//! a pause. Then it is half open: one call goes through as a probe. If that succeeds it closes; if
//! not it is open again, for twice as long.

use farthing_core::time::Timestamp;
use serde::Serialize;

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row open it; at least 1.
    pub opens_after: u32,
    /// The first pause in seconds, of which up to half is left out at random, so that several nodes
    /// do not probe at once. Doubled with every probe that fails.
    pub first_pause_seconds: i64,
    /// The longest pause in seconds.
    pub longest_pause_seconds: i64,
    /// A probe without an outcome after so many seconds is given up, and another one goes. More
    /// than any call takes.
    pub probe_seconds: i64,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            opens_after: 5,
            first_pause_seconds: 5,
            longest_pause_seconds: 120,
            probe_seconds: 30,
        }
    }
}

/// Where a breaker stands, for people and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    Closed {
        /// How many failed in a row since the last that did not.
        failures: u32,
    },
    /// No call goes through.
    Open {
        /// Since when calls are held back.
        since: Timestamp,
        /// When the next probe may go.
        until: Timestamp,
        /// How many probes failed since then.
        probes: u32,
    },
    /// A probe is under way; no other call goes through.
    HalfOpen {
        /// Since when calls are held back.
        since: Timestamp,
        /// When the probe is given up and another one may go.
        until: Timestamp,
        /// How many probes failed since then.
        probes: u32,
    },
}

/// A call that goes through, and what was the case when it set out.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that goes through has an outcome to be recorded"]
pub struct Ticket {
    epoch: u64,
}

/// A call is held back: nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// When a call may go through again.
    pub until: Timestamp,
}

/// Decides which calls go through.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: BreakerRules,
    state: BreakerState,
    /// Counts the changes of state, so that a call that set out before one is not taken for news
    /// after it.
    epoch: u64,
}

impl Breaker {
    /// Closed.
    pub fn new(rules: BreakerRules) -> Self {
        Self { rules, state: BreakerState::Closed { failures: 0 }, epoch: 0 }
    }

    /// Where it stands. That a pause is over shows when the next call comes.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a call may go through now. The outcome of one that does belongs to
    /// [`Breaker::record`].
    pub fn admit(&mut self, now: Timestamp) -> Result<Ticket, HeldBack> {
        match self.state {
            BreakerState::Closed { .. } => {}
            BreakerState::Open { until, .. } | BreakerState::HalfOpen { until, .. }
                if now < until =>
            {
                return Err(HeldBack { until });
            }
            BreakerState::Open { since, probes, .. }
            | BreakerState::HalfOpen { since, probes, .. } => {
                let until = now.plus_seconds(self.rules.probe_seconds);
                self.enter(BreakerState::HalfOpen { since, until, probes });
            }
        }
        Ok(Ticket { epoch: self.epoch })
    }

    /// Takes in what became of a call: `alive` when the provider answered it. `chance` is any
    /// number.
    pub fn record(&mut self, ticket: Ticket, alive: bool, now: Timestamp, chance: u64) {
        if ticket.epoch != self.epoch {
            return;
        }
        match (self.state, alive) {
            (BreakerState::Closed { .. }, true) => {
                self.state = BreakerState::Closed { failures: 0 };
            }
            (BreakerState::Closed { failures }, false) => {
                let failures = failures.saturating_add(1);
                if failures < self.rules.opens_after {
                    self.state = BreakerState::Closed { failures };
                } else {
                    self.open(now, 0, now, chance);
                }
            }
            (BreakerState::HalfOpen { .. }, true) => {
                self.enter(BreakerState::Closed { failures: 0 });
            }
            (BreakerState::HalfOpen { since, probes, .. }, false) => {
                self.open(since, probes.saturating_add(1), now, chance);
            }
            // Nothing sets out while it is open, and what set out before has another epoch.
            (BreakerState::Open { .. }, _) => {}
        }
    }

    fn open(&mut self, since: Timestamp, probes: u32, now: Timestamp, chance: u64) {
        let doubled = 2_i64.saturating_pow(probes).saturating_mul(self.rules.first_pause_seconds);
        let pause = doubled.min(self.rules.longest_pause_seconds);
        let half = u64::try_from(pause / 2).unwrap_or(0);
        let left_out = i64::try_from(chance % half.saturating_add(1)).unwrap_or(0);
        let until = now.plus_seconds(pause - left_out);
        self.enter(BreakerState::Open { since, until, probes });
    }

    fn enter(&mut self, state: BreakerState) {
        self.state = state;
        self.epoch += 1;
    }
}
