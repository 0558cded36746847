//! What a plan, exceptions and the state of payments add up to: one entitlement per feature.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Feature, Limit, Overage, Plan, Reset};
use crate::entitlement::{Access, Entitlement, Kind, Source, Window};
use crate::time::Timestamp;

/// An exception for one customer and feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What is allowed instead of what the plan says.
    pub limit: Limit,
    /// The first instant at which it no longer counts.
    pub expires_at: Option<Timestamp>,
}

/// A limit of the plan before that still counts for a while, because more is held than the plan
/// now allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// What may be held; `None`: unlimited.
    pub limit: Option<i64>,
    /// The first instant at which it no longer counts.
    pub until: Timestamp,
}

/// What decides a customer's entitlements besides the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis<'a> {
    /// The key of the plan in force.
    pub plan: &'a str,
    /// Whether that plan is on trial.
    pub on_trial: bool,
    /// What the state of payments leaves.
    pub access: Access,
    /// What monthly windows are counted from.
    pub anchor: Timestamp,
    /// Feature key to exception.
    pub overrides: &'a BTreeMap<String, Override>,
    /// Feature key to a limit of the plan before. Only what is held has one.
    pub grace: &'a BTreeMap<String, Grace>,
}

/// The entitlement to every feature of the catalog but credits, with nothing used yet.
///
/// A plan that the catalog no longer has allows nothing.
pub fn entitlements(
    catalog: &Catalog,
    basis: &Basis<'_>,
    now: Timestamp,
) -> BTreeMap<String, Entitlement> {
    let plan = catalog.plans.get(basis.plan);
    let of = |(key, feature): (&String, &Feature)| {
        let kind = kind(feature)?;
        Some((key.clone(), entitlement(key, kind, plan, basis, now)))
    };
    catalog.features.iter().filter_map(of).collect()
}

fn kind(feature: &Feature) -> Option<Kind> {
    match feature {
        Feature::Boolean => Some(Kind::Boolean),
        Feature::Value => Some(Kind::Value),
        Feature::Count { .. } => Some(Kind::Count),
        Feature::Usage { resets: Reset::Month, .. } => Some(Kind::Usage(Window::Month)),
        Feature::Usage { resets: Reset::Day { timezone }, .. } => {
            Some(Kind::Usage(Window::Day(timezone.clone())))
        }
        Feature::Credits(_) => None,
    }
}

fn entitlement(
    key: &str,
    kind: Kind,
    plan: Option<&Plan>,
    basis: &Basis<'_>,
    now: Timestamp,
) -> Entitlement {
    let live = |over: &&Override| over.expires_at.is_none_or(|end| now < end);
    let exception = basis.overrides.get(key).filter(live);
    let planned = plan.and_then(|plan| plan.limits.get(key)).copied();
    let (source, limit) = match (exception, planned) {
        (Some(exception), _) => (Some(Source::Override), Some(exception.limit)),
        (None, Some(limit)) if basis.on_trial => (Some(Source::Trial), Some(limit)),
        (None, Some(limit)) => (Some(Source::Plan), Some(limit)),
        (None, None) => (None, None),
    };
    let (source, limit) = match limit {
        None | Some(Limit::Switch(false)) => (None, Some(0)),
        Some(Limit::Switch(true)) => (source, Some(1)),
        Some(Limit::Amount(amount)) => (source, Some(amount)),
        Some(Limit::Unlimited) => (source, None),
    };
    let grace = basis.grace.get(key).filter(|grace| now < grace.until && exception.is_none());
    let (source, limit) = match (grace, limit) {
        (Some(grace), Some(planned)) if grace.limit.is_none_or(|kept| planned < kept) => {
            (source.or(Some(Source::Plan)), grace.limit)
        }
        _ => (source, limit),
    };
    let overage = plan.and_then(|plan: &Plan| plan.overage.get(key));
    let cap = overage.filter(|_| exception.is_none() && source.is_some());
    let fresh = Entitlement {
        kind,
        source,
        limit,
        cap: cap.map(|overage: &Overage| overage.cap),
        used: 0,
        reserved: 0,
        floor_used: 0,
        window: None,
        anchor: basis.anchor,
        epoch: 0,
        access: basis.access,
    };
    let at_start = fresh.at(now);
    Entitlement { epoch: 0, ..at_start }
}

/// `granted` with what `held` has used: a change of plan keeps what is held, and keeps the present
/// window's use unless `restart` says that a payment starts a new one.
pub fn carry_over(
    granted: &Entitlement,
    held: &Entitlement,
    restart: bool,
    now: Timestamp,
) -> Entitlement {
    let held = held.at(now);
    let carried = Entitlement {
        used: if granted.is_counted() { held.used } else { 0 },
        reserved: held.reserved,
        window: if granted.kind == held.kind { held.window } else { granted.window },
        epoch: held.epoch,
        ..granted.clone()
    };
    let carried = if restart { carried.restarted(granted.anchor, now) } else { carried };
    let above = carried.ceiling().is_some_and(|ceiling| ceiling < carried.used + carried.reserved);
    let floor_used = if above { carried.used + carried.reserved } else { 0 };
    Entitlement { floor_used, ..carried }
}
