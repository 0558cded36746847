//! Credits by hand, what looks wrong about credits, and spending that is paused because of it.

use farthing_core::catalog::{Catalog, Feature, GrantSource};
use farthing_core::credits::{self as rules, Bucket, Posting, Reason};
use farthing_core::entitlement::AMOUNT_MAX;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::subscription::Subscription;
use farthing_core::time::{Interval, Timestamp, period_at};
use farthing_store::{Tx, alerts, credits, customers};
use serde::Serialize;
use serde_json::json;

use crate::follow_up::Change;
use crate::grants::NewCredits;
use crate::state::State;
use crate::{Call, Engine, EngineError};

/// Credits to give or take by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The credit feature's key.
    pub credit: String,
    /// How many: positive gives, negative takes; not 0.
    pub amount: i64,
    /// Why, for people, 1 to 500 characters.
    pub reason: String,
    /// The first instant at which given ones can no longer be spent; for good when left out.
    pub expires_at: Option<Timestamp>,
}

/// One transaction of a customer's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerView {
    /// Ours.
    pub id: String,
    /// Counts from 1 in each account.
    pub seq: i64,
    /// `grant`, `spend`, `expire`, `reset`, `claw_back`, `reinstate`, `repay` or `take`.
    pub reason: String,
    /// What gave: `issued`, `available`, `spent`, `ended`, `clawed` or `debt`.
    pub from: String,
    /// What received.
    pub to: String,
    /// How many, at least 1.
    pub amount: i64,
    /// What caused it.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// How many of the newest grants are looked at.
const LOOK_AT: i64 = 50;
/// The most characters of a reason.
const REASON_MAX: usize = 500;

impl Engine {
    /// Up to `limit` transactions of an account, the newest first, older than number `before`. The
    /// catalog's first kind of credits when none is named. Errors: no such customer, no such kind.
    pub fn ledger(
        &self,
        customer: &CustomerId,
        credit: Option<&str>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<LedgerView>, EngineError> {
        self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let found = customers::find(tx, customer)?;
            found.ok_or_else(|| EngineError::no_customer(customer))?;
            let Some(credit) = credit.or_else(|| kinds(&catalog).first().copied()) else {
                return Ok(Vec::new());
            };
            check_credit(&catalog, credit)?;
            let before = before.unwrap_or(i64::MAX);
            let found = credits::transactions(tx, customer, credit, before, limit)?;
            let view = |it: credits::Transaction| LedgerView {
                id: it.id,
                seq: it.n,
                reason: it.reason,
                from: it.from,
                to: it.to,
                amount: it.amount,
                cause: it.cause,
                at: it.at,
            };
            Ok(found.into_iter().map(view).collect())
        })
    }

    /// Gives or takes credits by hand. What is given pays what is owed first; more than can be spent
    /// cannot be taken.
    pub fn adjust_credits(
        &self,
        call: &Call,
        customer: &CustomerId,
        adjustment: &Adjustment,
    ) -> Result<State, EngineError> {
        check_adjustment(adjustment, self.now())?;
        let (call, id, adjustment) = (call.clone(), customer.clone(), adjustment.clone());
        self.write(move |engine, tx| {
            let missing = || EngineError::no_customer(&id);
            let mut customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            let (_, catalog) = engine.catalog(tx)?;
            check_credit(&catalog, &adjustment.credit)?;
            engine.next_revision(tx, &mut customer)?;
            let action = if 0 < adjustment.amount {
                engine.give_by_hand(tx, &call, &id, &adjustment)?;
                "credits.granted"
            } else {
                engine.take_by_hand(tx, &call, (&id, &catalog), &adjustment)?;
                "credits.taken"
            };
            let to = json!({
                "credit": adjustment.credit,
                "amount": adjustment.amount,
                "reason": adjustment.reason.trim(),
            });
            let change = Change { action, from: None, to: Some(to), effective_at: engine.now() };
            engine.record(tx, &call, &customer, &change)?;
            engine.announce_state(tx, &call, &customer)?;
            engine.state_in(tx, &customer)
        })
    }

    fn give_by_hand(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &CustomerId,
        adjustment: &Adjustment,
    ) -> Result<(), EngineError> {
        let gift = NewCredits {
            credit: &adjustment.credit,
            business_key: format!("manual:{}", self.new_id(IdKind::Ledger)),
            source: GrantSource::Manual,
            amount: adjustment.amount,
            expires_at: adjustment.expires_at,
            paid_by: None,
        };
        self.grant(tx, call, id, &gift, self.now()).map(drop)
    }

    fn take_by_hand(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (id, catalog): (&CustomerId, &Catalog),
        adjustment: &Adjustment,
    ) -> Result<(), EngineError> {
        let grants = self.live_grants(tx, id, &adjustment.credit)?;
        let order = match catalog.features.get(&adjustment.credit) {
            Some(Feature::Credits(feature)) => feature.spend.clone(),
            _ => Vec::new(),
        };
        let taken = rules::spend(&grants, &order, -adjustment.amount, self.now());
        let taken = taken.map_err(|empty| {
            EngineError::refused(
                "not_enough_credits",
                format!("only {} can be taken; nothing was changed", empty.spendable),
            )
        })?;
        let posting = Posting { reason: Reason::Take, to: Bucket::Ended, ..taken };
        self.post(tx, call, (id, &adjustment.credit), Some(posting))
    }

    /// Lets a customer spend again after a person has looked at what paused it. Errors: no such
    /// customer.
    pub fn resume_spending(
        &self,
        call: &Call,
        customer: &CustomerId,
    ) -> Result<State, EngineError> {
        let (call, id) = (call.clone(), customer.clone());
        self.write(move |engine, tx| {
            let missing = || EngineError::no_customer(&id);
            let mut customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            let mut resumed = Vec::new();
            for account in credits::of_customer(tx, &id)? {
                alerts::resolve(tx, GRANTED, &subject(&id, &account.credit), engine.now())?;
                if account.paused {
                    credits::set_paused(tx, &id, &account.credit, false)?;
                    resumed.push(account.credit);
                }
            }
            if !resumed.is_empty() {
                engine.next_revision(tx, &mut customer)?;
                let to = Some(json!({ "credits": resumed }));
                let action = "credits.spending_resumed";
                let change = Change { action, from: None, to, effective_at: engine.now() };
                engine.record(tx, &call, &customer, &change)?;
                engine.announce_state(tx, &call, &customer)?;
            }
            engine.state_in(tx, &customer)
        })
    }

    /// Tells people when a plan's credits were granted more than 1.5 times over in one window, and
    /// pauses spending where the catalog wants that. What a change of plan ended unspent is not
    /// counted; windows of earlier periods that were paid late are not, either.
    pub(crate) fn watch_grants(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (sub, id): (&Subscription, &CustomerId),
        credit: &str,
    ) -> Result<(), EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let plan = catalog.plans.get(&sub.plan).and_then(|plan| plan.credits.get(credit));
        let Some(expected) = plan else {
            return Ok(());
        };
        let mut start = sub.period.start;
        if expected.every == Interval::Month && sub.interval == Interval::Year {
            start = start.max(period_at(sub.anchor, Interval::Month, self.now()).start);
        }
        let of_window = |key: &str| {
            let at = key.split(':').nth(2).and_then(|micros| micros.parse::<i64>().ok());
            at.is_some_and(|at| start.micros() <= at)
        };
        let mut granted = 0_i64;
        for grant in credits::plan_grants(tx, id, credit, LOOK_AT)? {
            if of_window(&grant.business_key) {
                granted = granted.saturating_add(grant.spendable);
            }
        }
        if granted.saturating_mul(2) <= expected.amount.saturating_mul(3) {
            return Ok(());
        }
        let pauses = catalog.anomalies.pause_spending;
        if pauses {
            credits::set_paused(tx, id, credit, true)?;
        }
        let then = if pauses { "spending is paused" } else { "nothing was stopped" };
        let detail = format!(
            "{granted} {credit} were granted to {id} since {start}, and the plan {} gives {}: {then}; look at the timeline, then resume spending",
            sub.plan, expected.amount
        );
        self.alert(tx, GRANTED, &subject(id, credit), &detail)?;
        let Some(customer) = customers::find(tx, id)? else {
            return Ok(());
        };
        let to = json!({ "credit": credit, "granted": granted, "expected": expected.amount, "paused": pauses });
        let (action, effective_at) = ("credits.anomaly", self.now());
        self.record(tx, call, &customer, &Change { action, from: None, to: Some(to), effective_at })
    }

    /// Tells people while an account owes more than it has.
    pub(crate) fn watch_debt(
        &self,
        tx: &mut Tx<'_>,
        id: &CustomerId,
        credit: &str,
    ) -> Result<(), EngineError> {
        let account = self.account(tx, id, credit)?;
        let subject = subject(id, credit);
        if account.debt <= account.available {
            alerts::resolve(tx, OWED, &subject, self.now())?;
            return Ok(());
        }
        let detail = format!(
            "{id} owes {} {credit} and has {}: money went back after its credits were spent; nothing is spent until later grants have paid",
            account.debt, account.available
        );
        self.alert(tx, OWED, &subject, &detail)
    }
}

/// The kind of alert about too many credits.
const GRANTED: &str = "credits_granted";
/// The kind of alert about credits that are owed.
const OWED: &str = "credits_owed";

fn subject(id: &CustomerId, credit: &str) -> String {
    format!("{id} {credit}")
}

fn check_credit(catalog: &Catalog, credit: &str) -> Result<(), EngineError> {
    if matches!(catalog.features.get(credit), Some(Feature::Credits(_))) {
        return Ok(());
    }
    Err(EngineError::invalid(
        "/credit",
        "unknown_feature",
        format!("the catalog has no credits {credit:?}"),
        format!("use one of: {}", kinds(catalog).join(", ")),
    ))
}

/// Every kind of credits.
fn kinds(catalog: &Catalog) -> Vec<&str> {
    let credits = catalog.features.iter().filter(|(_, it)| matches!(it, Feature::Credits(_)));
    credits.map(|(key, _)| key.as_str()).collect()
}

fn check_adjustment(adjustment: &Adjustment, now: Timestamp) -> Result<(), EngineError> {
    if !(1..=AMOUNT_MAX as u64).contains(&adjustment.amount.unsigned_abs()) {
        return Err(EngineError::invalid(
            "/amount",
            "invalid_amount",
            format!("the amount is 0, or beyond {AMOUNT_MAX}"),
            "send a positive number to give, a negative one to take",
        ));
    }
    let length = adjustment.reason.trim().chars().count();
    if !(1..=REASON_MAX).contains(&length) {
        return Err(EngineError::invalid(
            "/reason",
            "invalid_reason",
            format!("the reason is not 1 to {REASON_MAX} characters long"),
            "say why; people read it in the timeline",
        ));
    }
    if adjustment.expires_at.is_some_and(|at| at <= now) {
        return Err(EngineError::invalid(
            "/expires_at",
            "in_the_past",
            "they would have ended before they were given",
            "send a later instant, or leave it out",
        ));
    }
    Ok(())
}
