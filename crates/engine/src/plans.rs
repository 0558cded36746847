//! The pricing table, with what each plan means for one customer.

use std::collections::BTreeMap;

use farthing_core::catalog::{Catalog, Direction, Limit, OverLimit, Plan, PlanCredits};
use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};
use farthing_store::{Tx, checkouts, customers, subscriptions, trials};
use serde::Serialize;

use crate::checkouts::claims;
use crate::room::held;
use crate::{Engine, EngineError};

/// One plan of the pricing table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanOffer {
    /// Its key.
    pub plan: String,
    /// The name that people see.
    pub name: String,
    /// Interval to currency to price; empty: free.
    pub prices: BTreeMap<&'static str, BTreeMap<String, Money>>,
    /// Feature key to `true`, a number, or `null` when unlimited.
    pub limits: BTreeMap<String, Option<Limit>>,
    /// Credit feature key to what each paid period grants.
    pub credits: BTreeMap<String, PlanCredits>,
    /// The trial's length in days, where the plan has one and the customer may still have it.
    pub trial_days: Option<i64>,
    /// What the plan is for the customer: `current`, `checkout`, `upgrade`, `downgrade`, or `null`
    /// without a customer.
    pub action: Option<&'static str>,
    /// What has to go before the customer can move to it, in sentences.
    pub blocked_by: Vec<String>,
}

impl Engine {
    /// The pricing table, from the lowest tier to the highest. Errors: no such customer.
    pub fn plans(&self, customer: Option<&CustomerId>) -> Result<Vec<PlanOffer>, EngineError> {
        self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let standing = match customer {
                None => None,
                Some(id) => Some(standing(tx, id, engine.now())?),
            };
            let plans = catalog.tiers.iter().filter_map(|key| Some((key, catalog.plans.get(key)?)));
            let mut offers = Vec::new();
            for (key, plan) in plans {
                let mut shown = offer(&catalog, (key, plan), standing.as_ref());
                if let Some(id) = customer
                    && had_trial(engine, tx, id, plan)?
                {
                    shown.trial_days = None;
                }
                offers.push(shown);
            }
            Ok(offers)
        })
    }
}

/// Where a customer stands, for comparing plans with it.
struct Standing {
    plan: String,
    interval: Option<Interval>,
    subscribed: bool,
    held: BTreeMap<String, i64>,
}

fn standing(tx: &mut Tx<'_>, id: &CustomerId, now: Timestamp) -> Result<Standing, EngineError> {
    let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
    let running = subscriptions::of_customer(tx, id)?
        .into_iter()
        .find(|stored| stored.subscription.status.is_entitled());
    Ok(Standing {
        plan: customer.plan,
        interval: running.as_ref().map(|running| running.subscription.interval),
        subscribed: running.is_some(),
        held: held(tx, id, now)?,
    })
}

/// Whether the customer cannot have the plan's trial any more, as far as is known without a card.
fn had_trial(
    engine: &Engine,
    tx: &mut Tx<'_>,
    id: &CustomerId,
    plan: &Plan,
) -> Result<bool, EngineError> {
    let (Some(trial), Some(pepper)) = (&plan.trial, engine.known_pepper(tx)?) else {
        return Ok(false);
    };
    let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
    for claim in claims(&trial.once_per, &customer, None, &pepper) {
        let Some(holder) = trials::holder(tx, &claim)? else {
            continue;
        };
        // A page that is still open can still become the trial that it shows.
        let open = checkouts::find(tx, &holder)?
            .is_some_and(|held| held.customer == *id && held.status == checkouts::Status::Open);
        if !open {
            return Ok(true);
        }
    }
    Ok(false)
}

fn offer(catalog: &Catalog, (key, plan): (&String, &Plan), of: Option<&Standing>) -> PlanOffer {
    let prices = plan.prices.iter().map(|(interval, prices)| {
        let prices = prices.iter().map(|(currency, money)| (currency.to_string(), *money));
        (interval.as_str(), prices.collect())
    });
    let limits = plan.limits.iter().map(|(feature, limit)| {
        (feature.clone(), Some(*limit).filter(|limit| *limit != Limit::Unlimited))
    });
    let action = of.map(|of| action(catalog, key, of));
    let over = of
        .filter(|of| of.plan != *key && catalog.changes.over_limit == OverLimit::Block)
        .map(|of| catalog.over_limits(key, &of.held));
    PlanOffer {
        plan: key.clone(),
        name: plan.name.clone(),
        prices: prices.collect(),
        limits: limits.collect(),
        credits: plan.credits.clone(),
        trial_days: plan.trial.as_ref().map(|trial| trial.days),
        action,
        blocked_by: over.into_iter().flatten().map(|found| found.message).collect(),
    }
}

fn action(catalog: &Catalog, plan: &str, of: &Standing) -> &'static str {
    let direction = catalog.direction((&of.plan, of.interval), (plan, of.interval));
    match (direction, of.subscribed) {
        (Some(Direction::Same), _) => "current",
        (_, false) => "checkout",
        (Some(Direction::Downgrade), true) => "downgrade",
        (_, true) => "upgrade",
    }
}
