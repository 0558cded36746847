//! Whether a plan has room for what a customer holds, and what becomes of what it has no room for.
//!
//! Nothing that is held is ever taken away here. A customer who holds more than the plan allows
//! keeps it, can give it back, and can take no more of it until it fits.

use std::collections::BTreeMap;

use farthing_core::allowance::Grace;
use farthing_core::catalog::{Catalog, Limit, OverLimit, OverLimitFinding};
use farthing_core::ids::CustomerId;
use farthing_core::subscription::Event;
use farthing_core::time::Timestamp;
use farthing_store::customers::Customer;
use farthing_store::{Tx, customers, entitlements, grace, overrides};
use serde_json::{Value, json};

use crate::follow_up::Change;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, FieldError};

/// How much a customer holds, by feature key. What an exception allows at `at` is in nobody's way.
pub(crate) fn held(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    at: Timestamp,
) -> Result<BTreeMap<String, i64>, EngineError> {
    let exceptions = overrides::of_customer(tx, customer)?;
    let covered = |feature: &str, held: i64| {
        let live = exceptions.get(feature).filter(|it| it.expires_at.is_none_or(|end| at < end));
        live.is_some_and(|exception| match exception.limit {
            Limit::Unlimited => true,
            Limit::Amount(limit) => held <= limit,
            Limit::Switch(_) => false,
        })
    };
    let rows = entitlements::of_customer(tx, customer)?.into_iter();
    let held = rows.map(|row| (row.feature, row.entitlement.used + row.entitlement.reserved));
    Ok(held.filter(|(feature, held)| !covered(feature, *held)).collect())
}

/// What a customer holds beyond what `plan` allows, at `at`.
pub(crate) fn over_limits(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &CustomerId,
    (plan, at): (&str, Timestamp),
) -> Result<Vec<OverLimitFinding>, EngineError> {
    Ok(catalog.over_limits(plan, &held(tx, customer, at)?))
}

/// The refusal of a plan that has no room, naming everything that has to go.
pub(crate) fn no_room(over: &[OverLimitFinding]) -> EngineError {
    let sentences: Vec<&str> = over.iter().map(|found| found.message.as_str()).collect();
    let errors = over.iter().map(|found| FieldError {
        pointer: "/plan".to_owned(),
        code: "over_limit",
        message: format!("{}: {} used, {} allowed", found.feature, found.used, found.allowed),
        fix: found.message.clone(),
    });
    EngineError::Refused {
        code: "over_limit",
        message: format!("nothing was changed: {}", sentences.join("; ")),
        errors: errors.collect(),
    }
}

impl Engine {
    /// Brings a customer's limits of plans before up to date after the plan has become another
    /// one: what fits needs none any more, and what does not keeps its limit for as long as the
    /// catalog says. Not after a trial: nothing was paid for. Call it before the new limits are
    /// written.
    pub(crate) fn settle_grace(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        customer: &Customer,
        events: &[Event],
    ) -> Result<(), EngineError> {
        let now = self.now();
        let over = over_limits(tx, catalog, &customer.id, (&customer.plan, now))?;
        let running = grace::of_customer(tx, &customer.id)?;
        for feature in running.keys() {
            if over.iter().all(|found| found.feature != *feature) {
                grace::delete(tx, &customer.id, feature)?;
            }
        }
        let OverLimit::Grace(span) = catalog.changes.over_limit else {
            return Ok(());
        };
        if events.iter().any(|event| matches!(event, Event::TrialEnded)) {
            return Ok(());
        }
        let until = span.after(now);
        let before: BTreeMap<String, Option<i64>> = entitlements::of_customer(tx, &customer.id)?
            .into_iter()
            .map(|row| (row.feature, row.entitlement.limit))
            .collect();
        for found in &over {
            let runs = running.get(&found.feature).is_some_and(|grace| now < grace.until);
            let limit = before.get(&found.feature).copied().unwrap_or(Some(0));
            if runs || limit.is_some_and(|limit| limit <= found.allowed) {
                continue;
            }
            let of = (&customer.id, found.feature.as_str());
            grace::put(tx, of, &Grace { limit, until }, now)?;
            self.enqueue(tx, &Job::EndGrace { customer: customer.id.clone() }, until)?;
        }
        Ok(())
    }

    /// Ends the limits of the plan before whose time is over.
    pub(crate) fn end_grace(&self, call: &Call, id: &CustomerId) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.clone());
        self.write(move |engine, tx| {
            let now = engine.now();
            let Some(mut customer) = customers::lock(tx, &id)? else {
                return Ok(());
            };
            let mut ended = Vec::new();
            for (feature, grace) in grace::of_customer(tx, &id)? {
                if grace.until <= now {
                    grace::delete(tx, &id, &feature)?;
                    ended.push(feature);
                }
            }
            if ended.is_empty() {
                return Ok(());
            }
            engine.next_revision(tx, &mut customer)?;
            let mut to = json!({ "plan": customer.plan, "features": ended });
            note_over(tx, &id, &mut to)?;
            let action = "subscription.grace_ended";
            let change = Change { action, from: None, to: Some(to), effective_at: now };
            engine.record(tx, &call, &customer, &change)?;
            engine.announce_state(tx, &call, &customer)
        })
    }
}

/// Adds to what an event says: `frozen`, feature key to how much is held beyond its limit, and
/// `grace`, feature key to when the limit of the plan before ends.
pub(crate) fn note_over(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    data: &mut Value,
) -> Result<(), EngineError> {
    let frozen: BTreeMap<String, i64> = entitlements::of_customer(tx, customer)?
        .into_iter()
        .map(|row| (row.feature, row.entitlement.frozen()))
        .filter(|(_, frozen)| 0 < *frozen)
        .collect();
    let grace: BTreeMap<String, Timestamp> = grace::of_customer(tx, customer)?
        .into_iter()
        .map(|(feature, grace)| (feature, grace.until))
        .collect();
    if !frozen.is_empty() {
        data["frozen"] = json!(frozen);
    }
    if !grace.is_empty() {
        data["grace"] = json!(grace);
    }
    Ok(())
}
