//! Credits: grants that are spent in a declared order, and a ledger whose transactions balance.
//!
//! Credits are units, never money. A grant is immutable but for what is left of it. Every change
//! is a [`Posting`]: entries between buckets that sum to zero, so a balance can always be proven.

use crate::catalog::{GrantSource, OnRenewal};
use crate::time::Timestamp;

/// Where credits are, from one customer's point of view. The sum over all buckets is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// The mirror of everything ever granted; at most 0.
    Issued,
    /// Can be spent now; at least 0.
    Available,
    /// Was spent.
    Spent,
    /// Ended unspent: expired, or replaced at a renewal.
    Ended,
    /// Was taken back because the money for it went back.
    Clawed,
    /// What is owed because it had been spent before its money went back; at most 0.
    Debt,
}

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Issued, Self::Available, Self::Spent, Self::Ended, Self::Clawed, Self::Debt];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Available => "available",
            Self::Spent => "spent",
            Self::Ended => "ended",
            Self::Clawed => "clawed",
            Self::Debt => "debt",
        }
    }
}

/// Why credits moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A grant.
    Grant,
    /// A consume.
    Spend,
    /// A grant ran out of time.
    Expire,
    /// A renewal or change of plan replaced what was left.
    Reset,
    /// The money for it went back.
    ClawBack,
    /// The money came to us again: a refund failed, or a dispute was won.
    Reinstate,
    /// A grant pays what is owed.
    Repay,
    /// Taken by hand.
    Take,
}

impl Reason {
    /// The word in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Spend => "spend",
            Self::Expire => "expire",
            Self::Reset => "reset",
            Self::ClawBack => "claw_back",
            Self::Reinstate => "reinstate",
            Self::Repay => "repay",
            Self::Take => "take",
        }
    }
}

/// A gift of credits with something left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Ours, `grt_…`; grants made later have greater ids.
    pub id: String,
    /// Where it came from.
    pub source: GrantSource,
    /// What is left, at least 0.
    pub remaining: i64,
    /// The first instant at which it can no longer be spent.
    pub expires_at: Option<Timestamp>,
}

/// What one grant gives to a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The grant's id.
    pub grant: String,
    /// How much, at least 1.
    pub amount: i64,
}

/// One balanced transaction of the ledger: `amount` moves from one bucket to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Why.
    pub reason: Reason,
    /// What gives.
    pub from: Bucket,
    /// What receives.
    pub to: Bucket,
    /// How much, at least 1; the sum of the draws, if there are any.
    pub amount: i64,
    /// Which grants it comes out of, or goes back into; empty for a grant.
    pub draws: Vec<Draw>,
}

/// There are not enough credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditsEmpty {
    /// What could be spent.
    pub spendable: i64,
}

/// What can be spent of `grants` at `now`.
pub fn spendable(grants: &[Grant], now: Timestamp) -> i64 {
    grants.iter().filter(|grant| grant.is_live(now)).map(|grant| grant.remaining).sum()
}

/// Spends `amount`, at least 1: sources in the order given, inside one source the soonest expiry
/// first, then the oldest grant. Sources that `order` leaves out come last.
pub fn spend(
    grants: &[Grant],
    order: &[GrantSource],
    amount: i64,
    now: Timestamp,
) -> Result<Posting, CreditsEmpty> {
    let mut live: Vec<&Grant> = grants.iter().filter(|grant| grant.is_live(now)).collect();
    live.sort_by_key(|grant| {
        let rank = order.iter().position(|source| *source == grant.source);
        let expiry = grant.expires_at.map_or(i64::MAX, Timestamp::micros);
        (rank.unwrap_or(order.len()), expiry, grant.id.clone())
    });
    let mut draws = Vec::new();
    let mut missing = amount;
    for grant in live {
        let amount = grant.remaining.min(missing);
        if 0 < amount {
            draws.push(Draw { grant: grant.id.clone(), amount });
            missing -= amount;
        }
    }
    if 0 < missing {
        return Err(CreditsEmpty { spendable: amount - missing });
    }
    let (from, to) = (Bucket::Available, Bucket::Spent);
    Ok(Posting { reason: Reason::Spend, from, to, amount, draws })
}

/// Ends what is left of grants that expired at or before `now`; `None` when there is nothing.
pub fn expire(grants: &[Grant], now: Timestamp) -> Option<Posting> {
    let expired = |grant: &&Grant| !grant.is_live(now);
    end(grants.iter().filter(expired), 0, Reason::Expire)
}

/// Ends what a renewal or change of plan does not leave of earlier plan grants; `None` when
/// nothing ends. Rolled-over credits are what is left of the newest grants.
pub fn end_plan_grants(grants: &[Grant], rule: OnRenewal, now: Timestamp) -> Option<Posting> {
    let keep = match rule {
        OnRenewal::Stack => return None,
        OnRenewal::Reset => 0,
        OnRenewal::Rollover(cap) => cap,
    };
    let mut plan: Vec<&Grant> = grants
        .iter()
        .filter(|grant| grant.source == GrantSource::Plan && grant.is_live(now))
        .collect();
    plan.sort_by(|a, b| a.id.cmp(&b.id));
    end(plan.into_iter(), keep, Reason::Reset)
}

/// Ends all of `grants`; `None` when there is nothing.
pub fn end_all(grants: &[Grant]) -> Option<Posting> {
    end(grants.iter(), 0, Reason::Expire)
}

/// Moves all but the last `keep` credits of `grants`, oldest first, to where ended credits are.
fn end<'a>(grants: impl Iterator<Item = &'a Grant>, keep: i64, reason: Reason) -> Option<Posting> {
    let grants: Vec<&Grant> = grants.filter(|grant| 0 < grant.remaining).collect();
    let total: i64 = grants.iter().map(|grant| grant.remaining).sum();
    let amount = total - keep;
    let mut ending = amount;
    let mut draws = Vec::new();
    for grant in grants {
        let part = grant.remaining.min(ending);
        if 0 < part {
            draws.push(Draw { grant: grant.id.clone(), amount: part });
            ending -= part;
        }
    }
    let (from, to) = (Bucket::Available, Bucket::Ended);
    (0 < amount).then_some(Posting { reason, from, to, amount, draws })
}

/// The posting of a grant of `amount`, at least 1.
pub fn grant(amount: i64) -> Posting {
    let (from, to) = (Bucket::Issued, Bucket::Available);
    Posting { reason: Reason::Grant, from, to, amount, draws: Vec::new() }
}

/// The posting by which `grant`, just made over `amount`, pays what is owed; `None`: nothing is.
///
/// Every later grant pays, whatever its source, before anything of it can be spent: who buys a
/// pack after a chargeback pays the debt with it.
pub fn repay(grant: &str, amount: i64, debt: i64) -> Option<Posting> {
    let amount = amount.min(debt);
    let draws = vec![Draw { grant: grant.to_owned(), amount }];
    let (from, to) = (Bucket::Available, Bucket::Debt);
    (0 < amount).then_some(Posting { reason: Reason::Repay, from, to, amount, draws })
}

impl Grant {
    /// Whether it can still be spent at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
#[path = "credits_tests.rs"]
mod tests;
