//! Taking credits back when their money goes back, and giving them back when it returns.
//!
//! What has to be taken of a grant is always computed from the whole: the grant's amount times the
//! share of its payment that is with the customer now, rounded down. Then the difference to what is
//! taken already is moved. So several partial refunds add up exactly, the same news twice moves
//! nothing, a refund and a dispute of one payment never take more than was granted, and money that
//! comes to us again gives back what it took.
//!
//! Taken is, in this order: what is left of the grant; what of it had ended unspent, which moves
//! nothing because it is gone already; what of it was spent, which becomes a debt. Giving back goes
//! the other way round, and pays what is still owed before anything can be spent again.

use crate::credits::{Bucket, Draw, Posting, Reason};

/// A grant with what became of it. `left + ended + taken` is at most `amount`; the rest was spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Ours, `grt_…`.
    pub id: String,
    /// What was granted, at least 1.
    pub amount: i64,
    /// What is left.
    pub left: i64,
    /// What ended unspent.
    pub ended: i64,
    /// What is taken back.
    pub clawed: Clawed,
}

/// What is taken back of a grant, by what it was when it was taken. Each is at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clawed {
    /// Of what was left.
    pub taken: i64,
    /// Of what had ended unspent.
    pub voided: i64,
    /// Of what was spent.
    pub owed: i64,
}

impl Clawed {
    /// All of it.
    pub fn total(self) -> i64 {
        self.taken + self.voided + self.owed
    }
}

/// How a grant gets to its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What is taken back afterwards.
    pub clawed: Clawed,
    /// What moves, in this order. Empty when only what had ended is concerned.
    pub postings: Vec<Posting>,
}

/// What has to be taken back of `amount` when `reversed` of `captured` is with the customer, both
/// in the same minor units: the share, rounded down. `reversed` above `captured` counts as all.
pub fn target(amount: i64, reversed: i64, captured: i64) -> i64 {
    if captured <= 0 {
        return 0;
    }
    let reversed = reversed.clamp(0, captured);
    let share = i128::from(amount) * i128::from(reversed) / i128::from(captured);
    i64::try_from(share).expect("a share is no larger than the whole")
}

/// What brings `grant` to its target, when `debt` is owed in its account; `None`: it is there.
pub fn settle(grant: &Granted, target: i64, debt: i64) -> Option<Settlement> {
    let missing = target.min(grant.amount) - grant.clawed.total();
    if 0 < missing {
        Some(take(grant, missing))
    } else if missing < 0 {
        Some(give(grant, -missing, debt))
    } else {
        None
    }
}

fn take(grant: &Granted, amount: i64) -> Settlement {
    let left = grant.left.min(amount);
    let voided = (grant.ended - grant.clawed.voided).min(amount - left);
    let owed = amount - left - voided;
    let Clawed { taken, voided: before, owed: owed_before } = grant.clawed;
    let clawed = Clawed { taken: taken + left, voided: before + voided, owed: owed_before + owed };
    let mut postings = Vec::new();
    let to = Bucket::Clawed;
    if 0 < left {
        let draws = vec![Draw { grant: grant.id.clone(), amount: left }];
        let from = Bucket::Available;
        postings.push(Posting { reason: Reason::ClawBack, from, to, amount: left, draws });
    }
    if 0 < owed {
        let (from, draws) = (Bucket::Debt, Vec::new());
        postings.push(Posting { reason: Reason::ClawBack, from, to, amount: owed, draws });
    }
    Settlement { clawed, postings }
}

fn give(grant: &Granted, amount: i64, debt: i64) -> Settlement {
    let owed = grant.clawed.owed.min(amount);
    let voided = grant.clawed.voided.min(amount - owed);
    let taken = amount - owed - voided;
    let Clawed { taken: before, voided: voided_before, owed: owed_before } = grant.clawed;
    let clawed =
        Clawed { taken: before - taken, voided: voided_before - voided, owed: owed_before - owed };
    let moves = owed + taken;
    let pays = moves.min(debt);
    let spendable = moves - pays;
    let mut postings = Vec::new();
    let from = Bucket::Clawed;
    if 0 < pays {
        let (to, draws) = (Bucket::Debt, Vec::new());
        postings.push(Posting { reason: Reason::Reinstate, from, to, amount: pays, draws });
    }
    if 0 < spendable {
        let draws = vec![Draw { grant: grant.id.clone(), amount: spendable }];
        let to = Bucket::Available;
        postings.push(Posting { reason: Reason::Reinstate, from, to, amount: spendable, draws });
    }
    Settlement { clawed, postings }
}

#[cfg(test)]
#[path = "clawback_tests.rs"]
mod tests;
