//! Who may have money back: the catalog's `[refunds]` applied to one payment.
//!
//! The window counts from the payment. The first rule whose transition is the one that the payment
//! bought decides, on what was really used since the payment; without a rule for it, use is not
//! asked about. Never more goes back than was taken and is not already on its way back.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::{RefundPolicy, RefundRule, Review};
use crate::money::Money;
use crate::time::Timestamp;

/// A payment that somebody wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid<'a> {
    /// The plan that it bought; `None` for a pack.
    pub to: Option<&'a str>,
    /// The plan that the customer had before; `None` for a pack.
    pub from: Option<&'a str>,
    /// When it was paid.
    pub at: Timestamp,
    /// What was taken.
    pub captured: Money,
    /// What went back or is on its way, refunds that wait for a person included; minor units.
    pub refunded: i64,
    /// What the customer's bank took and did not give back; minor units.
    pub disputed: i64,
    /// Feature key to the peak of what was held, or what was used up, since the payment.
    pub usage: &'a BTreeMap<String, i64>,
}

/// One comparison of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rule's name.
    pub rule: String,
    /// The feature's key.
    pub feature: String,
    /// Use above this refuses the refund.
    pub limit: i64,
    /// The use since the payment.
    pub used: i64,
    /// Whether it is within the limit.
    pub ok: bool,
}

/// What is in the way of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The catalog has no `[refunds]`.
    NoPolicy,
    /// The customer's bank has the money.
    Disputed,
    /// Everything went back or is on its way.
    NothingLeft,
    /// More is wanted than is left.
    TooMuch {
        /// What is left.
        left: Money,
    },
    /// The window is over.
    TooLate {
        /// The first instant at which it was.
        closed_at: Timestamp,
    },
    /// More was used than the rule allows.
    UsedTooMuch,
}

impl Obstacle {
    /// The word in the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "no_refunds",
            Self::Disputed => "payment_disputed",
            Self::NothingLeft => "nothing_to_refund",
            Self::TooMuch { .. } => "refund_too_large",
            Self::TooLate { .. } => "refund_window_over",
            Self::UsedTooMuch => "used_too_much",
        }
    }
}

/// Who has to agree to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Nobody.
    Nobody,
    /// One person.
    OnePerson,
    /// Two different people.
    TwoPeople,
}

/// What the policy says of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How much would go back; 0 when nothing is left.
    pub amount: Money,
    /// The most that could go back.
    pub refundable: Money,
    /// The first instant at which the window is over; `None` without a policy.
    pub closes_at: Option<Timestamp>,
    /// The rule that decided about use; `None` when none is about this transition.
    pub rule: Option<String>,
    /// Its comparisons.
    pub checks: Vec<Check>,
    /// Everything that is in the way; empty: it may go back.
    pub obstacles: Vec<Obstacle>,
    /// Who has to agree.
    pub agreement: Agreement,
}

/// Applies `policy` to a payment, of which `wanted` (all that is left when `None`) shall go back.
pub fn judge(
    policy: Option<&RefundPolicy>,
    paid: &Paid<'_>,
    wanted: Option<Money>,
    now: Timestamp,
) -> Verdict {
    let left = (paid.captured.minor - paid.refunded - paid.disputed).max(0);
    let refundable = Money::new(left, paid.captured.currency);
    let amount = wanted.unwrap_or(refundable);
    let mut obstacles = Vec::new();
    if 0 < paid.disputed {
        obstacles.push(Obstacle::Disputed);
    } else if left == 0 {
        obstacles.push(Obstacle::NothingLeft);
    } else if amount.currency != refundable.currency || left < amount.minor {
        obstacles.push(Obstacle::TooMuch { left: refundable });
    }
    let Some(policy) = policy else {
        obstacles.insert(0, Obstacle::NoPolicy);
        let (closes_at, rule, checks) = (None, None, Vec::new());
        let agreement = Agreement::OnePerson;
        return Verdict { amount, refundable, closes_at, rule, checks, obstacles, agreement };
    };
    let closes_at = policy.window.after(paid.at);
    if closes_at <= now {
        obstacles.push(Obstacle::TooLate { closed_at: closes_at });
    }
    let rule = policy.rules.iter().find(|rule| rule.is_about(paid));
    let checks: Vec<Check> = rule.map(|rule| rule.compare(paid.usage)).unwrap_or_default();
    if checks.iter().any(|check| !check.ok) {
        obstacles.push(Obstacle::UsedTooMuch);
    }
    Verdict {
        amount,
        refundable,
        closes_at: Some(closes_at),
        rule: rule.map(|rule| rule.name.clone()),
        checks,
        obstacles,
        agreement: agreement(policy, amount),
    }
}

/// Who has to agree to `amount`. A currency without a threshold has none: for `auto_max` that means
/// that a person decides, for the second person that none is needed.
pub fn agreement(policy: &RefundPolicy, amount: Money) -> Agreement {
    let above = |threshold: Option<&Money>| threshold.map(|most| most.minor < amount.minor);
    let nobody = match policy.review {
        Review::Never => true,
        Review::Auto => above(policy.auto_max.get(&amount.currency)) == Some(false),
        Review::Always => false,
    };
    if nobody {
        Agreement::Nobody
    } else if above(policy.second_approver_above.get(&amount.currency)) == Some(true) {
        Agreement::TwoPeople
    } else {
        Agreement::OnePerson
    }
}

impl RefundRule {
    /// Whether it is about the transition that was paid for. A rule that names plans is never about
    /// a pack.
    fn is_about(&self, paid: &Paid<'_>) -> bool {
        let names = |plans: &[String], plan: Option<&str>| {
            plans.is_empty() || plan.is_some_and(|plan| plans.iter().any(|one| one == plan))
        };
        names(&self.from, paid.from) && names(&self.to, paid.to)
    }

    fn compare(&self, usage: &BTreeMap<String, i64>) -> Vec<Check> {
        let check = |(feature, limit): (&String, &i64)| {
            let used = usage.get(feature).copied().unwrap_or(0);
            let (rule, feature, limit) = (self.name.clone(), feature.clone(), *limit);
            Check { rule, feature, limit, used, ok: used <= limit }
        };
        self.refuse_above.iter().map(check).collect()
    }
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
