//! The whole state of a customer as the app sees it, and sentences for people.

use std::collections::BTreeMap;

use farthing_core::access::Code;
use farthing_core::catalog::{Catalog, Feature, OverLimit, Unit};
use farthing_core::credits::Grant;
use farthing_core::entitlement::{Entitlement, Kind, Source};
use farthing_core::ids::CustomerId;
use farthing_core::money::Currency;
use farthing_core::subscription::Status;
use farthing_core::time::{Interval, Period, Timestamp};
use farthing_store::customers::Customer;
use farthing_store::{Tx, audit, credits, customers, entitlements, grace, subscriptions};
use serde::Serialize;
use serde_json::Value;

use crate::access::Want;
use crate::dunning::DunningCase;
use crate::room::over_limits;
use crate::{Engine, EngineError};

/// Everything an app needs to know of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// The app's own id.
    pub customer: CustomerId,
    /// Grows by one with each change; an older state can be dropped.
    pub revision: i64,
    /// The key of the plan in force.
    pub plan: String,
    /// How often it is paid; `null` on a plan without prices.
    pub interval: Option<Interval>,
    /// What the customer pays in, once that is decided.
    pub currency: Option<Currency>,
    /// `good`, `past_due` or `read_only`.
    pub standing: &'static str,
    /// The running or newest subscription.
    pub subscription: Option<SubscriptionState>,
    /// Feature key to what may be used.
    pub features: BTreeMap<String, FeatureState>,
    /// The payment that is overdue, if one is.
    pub dunning: Option<DunningCase>,
    /// Credit feature key to what can be spent.
    pub credits: BTreeMap<String, CreditState>,
}

/// A subscription in a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionState {
    /// Ours.
    pub id: String,
    /// `incomplete`, `trialing`, `active`, `paused` or `canceled`.
    pub status: &'static str,
    /// `[start, end)` of what was last paid for, or of the trial.
    pub period: Period,
    /// When it will end, if that is scheduled.
    pub cancel_at: Option<Timestamp>,
    /// When the trial ends or ended.
    pub trial_ends_at: Option<Timestamp>,
    /// What it will change to at the period's end.
    pub pending_change: Option<PendingChange>,
}

/// A change that will happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingChange {
    /// To this plan.
    pub plan: String,
    /// Paid this often.
    pub interval: Option<Interval>,
    /// Then.
    pub effective_at: Timestamp,
    /// What has to go before, in sentences: else the change is given up shortly before. Empty where
    /// the catalog lets it happen all the same.
    pub blocked_by: Vec<String>,
}

/// A feature in a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureState {
    /// `boolean`, `value`, `count` or `usage`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether the customer has it at all.
    pub included: bool,
    /// The most that may be used, or the value; `null` when unlimited.
    pub limit: Option<i64>,
    /// What is used in the present window, or held.
    pub used: i64,
    /// What is left; `null` when unlimited.
    pub remaining: Option<i64>,
    /// When `used` starts again at zero.
    pub resets_at: Option<Timestamp>,
    /// Why the customer has it: `plan`, `trial` or `override`; `null` when it is not included.
    pub source: Option<&'static str>,
    /// How much of what is held is beyond the limit: it stays, and no more can be taken.
    pub frozen: i64,
    /// Until when the limit of the plan before counts, `[now, grace_until)`.
    pub grace_until: Option<Timestamp>,
}

/// A kind of credits in a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditState {
    /// What can be spent.
    pub balance: i64,
    /// What is owed.
    pub debt: i64,
    /// What the balance is made of, in the order in which it was granted.
    pub grants: Vec<GrantState>,
}

/// A grant in a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantState {
    /// `plan`, `pack`, `signup` or `manual`.
    pub source: &'static str,
    /// What is left of it.
    pub remaining: i64,
    /// The first instant at which it can no longer be spent.
    pub expires_at: Option<Timestamp>,
}

/// One line of a customer's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// Counts from 1 for each customer.
    pub seq: i64,
    /// What happened.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// On what occasion.
    pub cause: String,
    /// Before.
    pub from: Option<Value>,
    /// After.
    pub to: Option<Value>,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was written down.
    pub at: Timestamp,
}

impl Engine {
    /// The whole state of a customer. Errors: there is none of that id.
    pub fn state(&self, id: &CustomerId) -> Result<State, EngineError> {
        self.read(|engine, tx| {
            let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
            engine.state_in(tx, &customer)
        })
    }

    /// Up to `limit` changes of a customer, the newest first, older than entry `before`.
    pub fn timeline(
        &self,
        id: &CustomerId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<TimelineEntry>, EngineError> {
        self.read(|_, tx| {
            let entries = audit::list(tx, Some(id), before.unwrap_or(i64::MAX), limit)?;
            if entries.is_empty() && customers::find(tx, id)?.is_none() {
                return Err(EngineError::no_customer(id));
            }
            Ok(entries.into_iter().map(timeline_entry).collect())
        })
    }

    pub(crate) fn state_in(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
    ) -> Result<State, EngineError> {
        let now = self.now();
        let (_, catalog) = self.catalog(tx)?;
        let newest = subscriptions::of_customer(tx, &customer.id)?;
        let newest = newest
            .iter()
            .find(|stored| stored.subscription.status.is_entitled())
            .or(newest.first());
        let entitled = newest.filter(|stored| stored.subscription.status.is_entitled());
        let grace = grace::of_customer(tx, &customer.id)?;
        let subscription = match newest {
            None => None,
            Some(newest) => Some(subscription_state(tx, &catalog, newest)?),
        };
        let mut features = BTreeMap::new();
        for stored in entitlements::of_customer(tx, &customer.id)? {
            if catalog.features.contains_key(&stored.feature) {
                let until = grace.get(&stored.feature).map(|grace| grace.until);
                let state = feature_state(&stored.entitlement.at(now), until);
                features.insert(stored.feature, state);
            }
        }
        let mut balances = BTreeMap::new();
        for account in credits::of_customer(tx, &customer.id)? {
            let grants = credits::grants(tx, &customer.id, &account.credit)?;
            balances.insert(account.credit.clone(), credit_state(&grants, account.debt, now));
        }
        Ok(State {
            customer: customer.id.clone(),
            revision: customer.revision,
            plan: customer.plan.clone(),
            interval: entitled.map(|stored| stored.subscription.interval),
            currency: entitled.map(|stored| stored.subscription.currency).or(customer.currency),
            standing: customer.standing.as_str(),
            subscription,
            features,
            dunning: self.case_in(tx, &customer.id)?,
            credits: balances,
        })
    }
}

/// An entry of the audit log for people.
pub(crate) fn timeline_entry(entry: audit::Audit) -> TimelineEntry {
    let json = |text: Option<String>| text.and_then(|t| serde_json::from_str(&t).ok());
    TimelineEntry {
        seq: entry.seq,
        action: entry.record.action,
        actor: entry.record.actor,
        cause: entry.record.cause,
        from: json(entry.record.from_state),
        to: json(entry.record.to_state),
        effective_at: entry.record.effective_at,
        at: entry.record.recorded_at,
    }
}

fn subscription_state(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    stored: &subscriptions::Stored,
) -> Result<SubscriptionState, EngineError> {
    let sub = &stored.subscription;
    Ok(SubscriptionState {
        id: stored.id.clone(),
        status: sub.status.as_str(),
        period: sub.period,
        cancel_at: sub.cancel_at.filter(|_| sub.status != Status::Canceled),
        trial_ends_at: sub.trial_ends_at,
        pending_change: pending_change(tx, catalog, stored)?,
    })
}

/// What a subscription will change to, with what is in the way of it.
pub(crate) fn pending_change(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    stored: &subscriptions::Stored,
) -> Result<Option<PendingChange>, EngineError> {
    let sub = &stored.subscription;
    let Some(pending) = &sub.pending else {
        return Ok(None);
    };
    let blocks = catalog.changes.over_limit == OverLimit::Block && pending.plan != sub.plan;
    let over = match blocks {
        true => over_limits(tx, catalog, &stored.customer, (&pending.plan, pending.at))?,
        false => Vec::new(),
    };
    Ok(Some(PendingChange {
        plan: pending.plan.clone(),
        interval: Some(pending.interval),
        effective_at: pending.at,
        blocked_by: over.into_iter().map(|found| found.message).collect(),
    }))
}

fn feature_state(entitlement: &Entitlement, grace_until: Option<Timestamp>) -> FeatureState {
    FeatureState {
        kind: match entitlement.kind {
            Kind::Boolean => "boolean",
            Kind::Value => "value",
            Kind::Count => "count",
            Kind::Usage(_) => "usage",
        },
        included: entitlement.source.is_some(),
        limit: entitlement.limit,
        used: entitlement.used,
        remaining: entitlement.remaining(),
        resets_at: entitlement.window.map(|window| window.end),
        source: entitlement.source.map(|source| match source {
            Source::Plan => "plan",
            Source::Trial => "trial",
            Source::Override => "override",
        }),
        frozen: entitlement.frozen(),
        grace_until,
    }
}

fn credit_state(grants: &[Grant], debt: i64, now: Timestamp) -> CreditState {
    let live = grants.iter().filter(|grant| grant.is_live(now));
    CreditState {
        balance: farthing_core::credits::spendable(grants, now),
        debt,
        grants: live
            .map(|grant| GrantState {
                source: grant.source.as_str(),
                remaining: grant.remaining,
                expires_at: grant.expires_at,
            })
            .collect(),
    }
}

/// The sentence for people that goes with an answer about a feature.
pub(crate) fn sentence(
    code: Code,
    want: &Want,
    entitlement: &Entitlement,
    upgrade_to: Option<&str>,
    catalog: &Catalog,
) -> String {
    let name = want.feature.replace('_', " ");
    let bytes = match catalog.features.get(&want.feature) {
        Some(Feature::Count { unit } | Feature::Usage { unit, .. }) => *unit == Some(Unit::Byte),
        _ => false,
    };
    let amount = |n: i64| {
        if bytes { farthing_core::catalog::about_size(n) } else { n.to_string() }
    };
    let limit = entitlement.limit.map_or_else(|| "unlimited".to_owned(), amount);
    let used = amount(entitlement.used);
    let resets = entitlement.window.map(|window| format!(" It starts again on {}.", window.end));
    let resets = resets.unwrap_or_default();
    let upgrade = upgrade_sentence(upgrade_to, catalog);
    match code {
        Code::Ok | Code::Trial | Code::Override => match entitlement.is_counted() {
            true => format!("{used} of {limit} {name} used."),
            false => format!("{name} is included."),
        },
        Code::Overage => format!("{used} {name} used; above {limit} they are billed."),
        Code::LimitReached if !entitlement.is_counted() => {
            format!("{name} is {limit} on this plan.{upgrade}")
        }
        Code::LimitReached => format!("{used} of {limit} {name} used.{resets}{upgrade}"),
        Code::OverageCap => {
            let cap = entitlement.cap.map_or_else(String::new, amount);
            format!("{used} {name} used; no more than {cap} may be billed.{resets}{upgrade}")
        }
        Code::NotInPlan => format!("{name} is not part of this plan.{upgrade}"),
        Code::ReadOnly => {
            "A payment is overdue, so nothing new can be used until it is paid.".to_owned()
        }
        Code::PastDue => "A payment is overdue.".to_owned(),
        Code::CreditsEmpty | Code::SpendingPaused | Code::UnknownFeature => String::new(),
    }
}

/// The sentence for people that goes with an answer about credits.
pub(crate) fn credits_sentence(
    code: Code,
    want: &Want,
    balance: i64,
    upgrade_to: Option<&str>,
    catalog: &Catalog,
) -> String {
    let name = want.feature.replace('_', " ");
    match code {
        Code::CreditsEmpty => {
            let upgrade = upgrade_sentence(upgrade_to, catalog);
            format!("{balance} {name} credits are left, which is not enough.{upgrade}")
        }
        Code::SpendingPaused => format!("Spending of {name} credits is paused."),
        Code::ReadOnly => {
            "A payment is overdue, so no credits can be spent until it is paid.".to_owned()
        }
        _ => format!("{balance} {name} credits are left."),
    }
}

fn upgrade_sentence(upgrade_to: Option<&str>, catalog: &Catalog) -> String {
    let plan = upgrade_to.and_then(|plan| catalog.plans.get(plan));
    plan.map(|plan| format!(" The {} plan allows it.", plan.name)).unwrap_or_default()
}
