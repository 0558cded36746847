//! What a customer may use now: one entitlement per feature, and what taking from it does.
//!
//! Everything here is decided on one row, so that the store can lock that row, ask, and write the
//! answer back. Credits have their own module: a balance is not a limit.

use crate::access::Code;
use crate::time::{Interval, Period, Timestamp, day_in_zone, period_at};

/// The most that one call may take, give back or set.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// How an entitlement is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off; taking is asking.
    Boolean,
    /// A number that the app reads; taking is asking whether the number is at least that much.
    Value,
    /// Held until given back.
    Count,
    /// Counted within a window.
    Usage(Window),
}

/// How long a usage window is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// Months counted from the entitlement's anchor.
    Month,
    /// Days in this IANA zone.
    Day(String),
}

/// Why a customer has an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The plan has it.
    Plan,
    /// The plan on trial has it.
    Trial,
    /// An exception for this customer.
    Override,
}

/// What the state of payments leaves of the access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// All of it.
    Full,
    /// Nothing may be taken, only given back.
    ReadOnly,
}

/// One customer's right to one feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// How it is used up.
    pub kind: Kind,
    /// Why the customer has it; `None` when the plan does not have it.
    pub source: Option<Source>,
    /// The most that may be used, at least 0; `None`: unlimited. A boolean that is on is `Some(1)`.
    pub limit: Option<i64>,
    /// With billed overage, the most in all; above `limit`.
    pub cap: Option<i64>,
    /// Used in the present window, or held; at least 0.
    pub used: i64,
    /// Set aside by reservations; at least 0.
    pub reserved: i64,
    /// What was used when the limit was lowered or a count was set: until `used` falls below the
    /// limit it may be as high as this, and no higher.
    pub floor_used: i64,
    /// The present window, for usage.
    pub window: Option<Period>,
    /// What monthly windows are counted from.
    pub anchor: Timestamp,
    /// Grows with each new window, so that events are counted in exactly one.
    pub epoch: i64,
    /// What the state of payments leaves.
    pub access: Access,
}

/// What was decided about taking some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why; says whether it was allowed.
    pub code: Code,
    /// The entitlement afterwards: with the taken amount, or only with the window brought up to
    /// date when refused.
    pub next: Entitlement,
}

impl Entitlement {
    /// The same entitlement in the window that contains `now`.
    pub fn at(&self, now: Timestamp) -> Self {
        let Kind::Usage(window) = &self.kind else {
            return self.clone();
        };
        if self.window.is_some_and(|window| now < window.end) {
            return self.clone();
        }
        Self {
            window: Some(window.around(self.anchor, now)),
            used: 0,
            floor_used: 0,
            epoch: self.epoch + 1,
            ..self.clone()
        }
    }

    /// A new window that starts `now`, with nothing used: what a paid change of plan does.
    pub fn restarted(&self, anchor: Timestamp, now: Timestamp) -> Self {
        let Kind::Usage(window) = &self.kind else {
            return self.clone();
        };
        let end = window.around(anchor, now).end;
        Self {
            window: Some(Period { start: now, end }),
            anchor,
            used: 0,
            floor_used: 0,
            epoch: self.epoch + 1,
            ..self.clone()
        }
    }

    /// What is left below the limit; `None` when unlimited, 0 when the plan does not have it.
    pub fn remaining(&self) -> Option<i64> {
        if self.source.is_none() {
            return Some(0);
        }
        self.limit.map(|limit| (limit - self.used - self.reserved).max(0))
    }

    /// How much of what is held is beyond what may be: it stays, and nothing more can be taken
    /// until it is gone. 0 for what is not held.
    pub fn frozen(&self) -> i64 {
        match (&self.kind, self.ceiling()) {
            (Kind::Count, Some(ceiling)) => (self.used + self.reserved - ceiling).max(0),
            _ => 0,
        }
    }

    /// Whether `amount`, 1 to [`AMOUNT_MAX`], may be taken at `now`, and what that leaves.
    pub fn take(&self, amount: i64, now: Timestamp) -> Decision {
        let current = self.at(now);
        let code = current.may_take(amount);
        let taken = code.allowed() && current.is_counted();
        let used = if taken { current.used + amount } else { current.used };
        Decision { code, next: Self { used, ..current } }
    }

    fn may_take(&self, amount: i64) -> Code {
        let Some(source) = self.source else {
            return Code::NotInPlan;
        };
        if self.access == Access::ReadOnly {
            return Code::ReadOnly;
        }
        let granted = match source {
            Source::Plan => Code::Ok,
            Source::Trial => Code::Trial,
            Source::Override => Code::Override,
        };
        let held = if self.is_counted() { self.used.saturating_add(self.reserved) } else { 0 };
        let Some(wanted) = held.checked_add(amount) else {
            return Code::LimitReached;
        };
        match (self.limit, self.cap) {
            (None, _) => granted,
            (Some(limit), _) if wanted <= limit => granted,
            (Some(0), None) if !self.is_counted() => Code::NotInPlan,
            (Some(_), None) => Code::LimitReached,
            (Some(_), Some(cap)) if wanted <= cap => Code::Overage,
            (Some(_), Some(_)) => Code::OverageCap,
        }
    }

    /// Gives back up to `amount` of what is held: never below zero. Only counts are held.
    pub fn give_back(&self, amount: i64) -> Self {
        let used = (self.used - amount).max(0);
        Self { used, floor_used: self.floor_used.min(used + self.reserved), ..self.clone() }
    }

    /// Sets what is held to what the app really has, also above the limit: it is there already.
    pub fn set_held(&self, used: i64) -> Self {
        Self { used, floor_used: used + self.reserved, ..self.clone() }
    }

    /// Whether taking adds to `used`.
    pub fn is_counted(&self) -> bool {
        matches!(self.kind, Kind::Count | Kind::Usage(_))
    }

    /// The most that `used + reserved` may come to by consuming; `None`: unlimited.
    pub fn ceiling(&self) -> Option<i64> {
        if self.source.is_none() {
            return Some(0);
        }
        self.limit.map(|limit| self.cap.unwrap_or(limit).max(limit))
    }
}

impl Window {
    /// The window that contains `now`.
    pub fn around(&self, anchor: Timestamp, now: Timestamp) -> Period {
        match self {
            Self::Month => period_at(anchor, Interval::Month, now),
            Self::Day(zone) => day_in_zone(zone, now).expect("the catalog admits only known zones"),
        }
    }
}

#[cfg(test)]
#[path = "entitlement_tests.rs"]
mod tests;
