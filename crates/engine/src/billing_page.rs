//! What a customer's billing page shows at its front: what is paid next, what is used, what is
//! overdue and what happens then. One reading, so that all of it fits together.

use std::collections::BTreeSet;

use farthing_core::catalog::{Catalog, Feature, Unit};
use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::subscription::{Standing, Status};
use farthing_core::time::{Interval, Timestamp};
use farthing_store::subscriptions::Stored;
use farthing_store::{Tx, customers, intents, invoices, provider_prices, subscriptions};

use crate::changes::NextCharge;
use crate::sold::{currency, pack_item};
use crate::state::{CreditState, State};
use crate::{Engine, EngineError, STRIPE};

/// Everything at the front of a billing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingOverview {
    /// Whose it is.
    pub customer: CustomerId,
    /// Who is looking.
    pub email: String,
    /// The present instant.
    pub now: Timestamp,
    /// The name of the plan in force.
    pub plan_name: String,
    /// Plan, subscription, features and credits, as the app sees them.
    pub state: State,
    /// What is charged next, and when; `None` when nothing is.
    pub next_charge: Option<NextCharge>,
    /// The name of the plan that follows, when one is scheduled.
    pub next_plan_name: Option<String>,
    /// What is not paid, and what that leads to.
    pub overdue: Option<Overdue>,
    /// What is held or used, against its limit.
    pub meters: Vec<Meter>,
    /// What can be paid in, the usual one first.
    pub currencies: Vec<String>,
    /// The features that count bytes.
    pub sizes: BTreeSet<String>,
    /// Since when a change is being carried out.
    pub changing_since: Option<Timestamp>,
    /// How many days before the trial's end a reminder is sent.
    pub trial_reminder_days: Option<i64>,
    /// The name of the plan after an end.
    pub fallback_name: String,
}

/// A payment that failed, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Since when.
    pub since: Timestamp,
    /// What is owed, as far as its invoice is known.
    pub amount: Option<Money>,
    /// The provider's code for why the last payment failed.
    pub failure_code: Option<String>,
    /// A page on which it can be paid.
    pub pay_url: Option<String>,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether only reading works already.
    pub read_only: bool,
    /// From when on only reading works.
    pub read_only_at: Timestamp,
    /// When the plan ends.
    pub ends_at: Timestamp,
}

/// What is used of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// The feature's key.
    pub feature: String,
    /// What is used in the present window, or held.
    pub used: i64,
    /// The most that may be used; `None` when unlimited.
    pub limit: Option<i64>,
    /// When `used` starts again at zero.
    pub resets_at: Option<Timestamp>,
    /// Whether it counts bytes.
    pub bytes: bool,
}

/// A pack that could be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackOffer {
    /// Its key.
    pub pack: String,
    /// The name that people see.
    pub name: String,
    /// What it costs.
    pub price: Money,
    /// Credit feature key to credits.
    pub credits: Vec<(String, i64)>,
    /// The first instant at which the credits could no longer be spent, if it were bought now;
    /// `None`: they last for good.
    pub expires_at: Option<Timestamp>,
    /// Why this customer cannot have it now.
    pub refused: Option<String>,
}

/// The packs that are sold, and what they would add to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacksPage {
    /// All packs.
    pub packs: Vec<PackOffer>,
    /// Credit feature key to what there is, and the words for what is spent first.
    pub credits: Vec<(String, CreditState, Vec<&'static str>)>,
}

impl Engine {
    /// The front of a customer's billing page. Errors: there is none of that id.
    pub fn billing_overview(&self, id: &CustomerId) -> Result<BillingOverview, EngineError> {
        self.read(|engine, tx| {
            let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
            let (_, catalog) = engine.catalog(tx)?;
            let state = engine.state_in(tx, &customer)?;
            let running = subscriptions::of_customer(tx, id)?
                .into_iter()
                .find(|stored| stored.subscription.status.is_entitled());
            let name = |plan: &str| {
                catalog.plans.get(plan).map_or_else(|| plan.to_owned(), |plan| plan.name.clone())
            };
            let pending = running.as_ref().and_then(|stored| stored.subscription.pending.as_ref());
            Ok(BillingOverview {
                customer: id.clone(),
                email: customer.email.clone(),
                now: engine.now(),
                plan_name: name(&customer.plan),
                next_charge: match &running {
                    Some(running) => next_charge(tx, &catalog, running)?,
                    None => None,
                },
                next_plan_name: pending.map(|pending| name(&pending.plan)),
                overdue: match &running {
                    Some(running) => overdue(tx, &catalog, running)?,
                    None => None,
                },
                meters: meters(&catalog, &state),
                currencies: catalog.currencies.iter().map(ToString::to_string).collect(),
                sizes: sizes(&catalog),
                changing_since: intents::open_change(tx, id)?.map(|open| open.new.created_at),
                trial_reminder_days: running
                    .as_ref()
                    .and_then(|stored| catalog.plans.get(&stored.subscription.plan))
                    .and_then(|plan| plan.trial.as_ref()?.remind_days_before),
                fallback_name: name(&catalog.fallback),
                state,
            })
        })
    }

    /// The packs that are sold, for one customer. Errors: there is none of that id.
    pub fn packs_page(&self, id: &CustomerId) -> Result<PacksPage, EngineError> {
        self.read(|engine, tx| {
            let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
            let (_, catalog) = engine.catalog(tx)?;
            let state = engine.state_in(tx, &customer)?;
            let currency = currency(&catalog, &customer, state.currency)?;
            let packs = catalog.packs.iter().filter_map(|(key, pack)| {
                let refused = pack_item(&catalog, &customer, key, currency).err();
                Some(PackOffer {
                    pack: key.clone(),
                    name: pack.name.clone(),
                    price: *pack.price.get(&currency)?,
                    credits: pack.credits.iter().map(|(key, n)| (key.clone(), *n)).collect(),
                    expires_at: pack.expires.map(|span| span.after(engine.now())),
                    refused: refused.map(|error| error.to_string()),
                })
            });
            let packs = packs.collect();
            let credits = state.credits.into_iter().map(|(key, state)| {
                let spend = match catalog.features.get(&key) {
                    Some(Feature::Credits(credits)) => credits.spend.clone(),
                    _ => Vec::new(),
                };
                (key, state, spend.iter().map(|source| source.as_str()).collect())
            });
            Ok(PacksPage { packs, credits: credits.collect() })
        })
    }
}

fn next_charge(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    stored: &Stored,
) -> Result<Option<NextCharge>, EngineError> {
    let sub = &stored.subscription;
    let at = match sub.status {
        Status::Trialing => sub.trial_ends_at.unwrap_or(sub.period.end),
        Status::Active if sub.standing == Standing::Good => sub.period.end,
        _ => return Ok(None),
    };
    if sub.cancel_at.is_some() {
        return Ok(None);
    }
    let price_of = |plan: &str, interval: Interval| {
        catalog.plans.get(plan).and_then(|plan| plan.price(interval, sub.currency))
    };
    let amount = match &sub.pending {
        Some(pending) => price_of(&pending.plan, pending.interval),
        // The price that was bought, whatever the catalog asks of new customers now.
        None => provider_prices::find_by_price_id(tx, STRIPE, &sub.price)?
            .map(|price| price.amount)
            .or_else(|| price_of(&sub.plan, sub.interval)),
    };
    Ok(amount.map(|amount| NextCharge { at, amount }))
}

fn overdue(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    stored: &Stored,
) -> Result<Option<Overdue>, EngineError> {
    let sub = &stored.subscription;
    let Some(since) = sub.standing.since() else {
        return Ok(None);
    };
    let open = invoices::list(tx, Some(&stored.customer), "", 20)?.into_iter().find(|invoice| {
        invoice.status == "open" && invoice.subscription.as_ref() == Some(&stored.id)
    });
    let failure_code = match &open {
        Some(open) => invoices::payments(tx, &stored.customer, &open.id)?
            .into_iter()
            .rev()
            .find_map(|payment| payment.failure_code),
        None => None,
    };
    Ok(Some(Overdue {
        since,
        amount: open
            .as_ref()
            .map(|open| Money::new(open.total.minor - open.paid.minor, open.total.currency)),
        failure_code,
        pay_url: open.as_ref().and_then(|open| open.hosted_url.clone()),
        next_attempt_at: open.as_ref().and_then(|open| open.next_attempt_at),
        read_only: matches!(sub.standing, Standing::ReadOnly { .. }),
        read_only_at: catalog.dunning.full_access.after(since),
        ends_at: catalog.dunning.read_only_until.after(since),
    }))
}

fn meters(catalog: &Catalog, state: &State) -> Vec<Meter> {
    let counted = state.features.iter().filter(|(_, feature)| {
        matches!(feature.kind, "count" | "usage") && (feature.included || 0 < feature.used)
    });
    let sizes = sizes(catalog);
    counted
        .map(|(key, feature)| Meter {
            feature: key.clone(),
            used: feature.used,
            limit: feature.limit,
            resets_at: feature.resets_at,
            bytes: sizes.contains(key),
        })
        .collect()
}

fn sizes(catalog: &Catalog) -> BTreeSet<String> {
    let is_size = |feature: &Feature| match feature {
        Feature::Count { unit } | Feature::Usage { unit, .. } => *unit == Some(Unit::Byte),
        Feature::Boolean | Feature::Value | Feature::Credits(_) => false,
    };
    let sizes = catalog.features.iter().filter(|(_, feature)| is_size(feature));
    sizes.map(|(key, _)| key.clone()).collect()
}
