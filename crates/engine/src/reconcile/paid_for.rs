//! Credits against what was paid for: what is missing is granted, what nobody paid for is told.

use std::collections::BTreeSet;

use farthing_core::catalog::{Catalog, GrantSource};
use farthing_core::facts;
use farthing_core::ids::CustomerId;
use farthing_core::subscription::{PaidPeriod, Status};
use farthing_core::time::{Interval, Timestamp, period_at};
use farthing_store::checkouts::{self, Checkout, Item, Status as CheckoutStatus};
use farthing_store::credits::{self, Granted};
use farthing_store::drift::Repair;
use farthing_store::subscriptions::{self, Stored, StoredPeriod};
use farthing_store::{StoreError, Tx};

use super::Drift;
use super::look::{CHECKOUTS, Theirs};
use crate::books::price_book;
use crate::checkouts::SoldPack;
use crate::grants::{Followed, NewCredits, PaidBy, Window, period_key};
use crate::{Call, Engine, EngineError, STRIPE};

/// How long a grant may take after its window has begun, in seconds.
const SETTLES_WITHIN: i64 = 600;

/// What was granted, by credit and by what for.
type Held = BTreeSet<(String, String)>;

impl Engine {
    /// Grants what was paid for and is missing.
    pub(super) fn missing_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &CustomerId,
    ) -> Result<Vec<Drift>, EngineError> {
        let held = held(tx, id)?;
        let (_, catalog) = self.catalog(tx)?;
        let ours = subscriptions::of_customer(tx, id)?;
        let periods = subscriptions::periods(tx, id)?;
        let mut drift = Vec::new();
        for (n, (sub, period)) in periods.iter().enumerate() {
            let Some(stored) = ours.iter().find(|stored| stored.id == *sub) else {
                continue;
            };
            let followed = periods[n + 1..].iter().any(|(other, _)| other == sub);
            let of = (stored, period, followed);
            drift.extend(self.missing_in_period(tx, call, (&catalog, &held), of)?);
        }
        for stored in &ours {
            drift.extend(self.missing_in_window(tx, call, (&catalog, &held), stored)?);
        }
        for checkout in checkouts::of_customer(tx, id, CHECKOUTS)? {
            drift.extend(self.missing_of_pack(tx, call, &held, &checkout)?);
        }
        if drift.iter().any(|one| one.repair == Repair::Grant) {
            self.rematerialize_in(tx, call, id)?;
        }
        Ok(drift)
    }

    /// A period says how many kinds of credits it grants: what the catalog gained since is not
    /// among them.
    fn missing_in_period(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, held): (&Catalog, &Held),
        (stored, period, followed): (&Stored, &StoredPeriod, bool),
    ) -> Result<Vec<Drift>, EngineError> {
        let start = period.period.start;
        let key = period_key(&stored.id, start, &period.plan);
        let n = held.iter().filter(|(_, known)| *known == key).count();
        if i64::try_from(n).unwrap_or(i64::MAX) >= period.grants {
            return Ok(Vec::new());
        }
        let object = period.invoice.as_ref().unwrap_or(&stored.provider_id);
        let Some(plan) = catalog.plans.get(&period.plan) else {
            let theirs = format!("{} kinds, but the catalog has no {}", period.grants, period.plan);
            let ours = format!("{n} kinds");
            return Ok(vec![Drift::new(Repair::Person, (object, "credits"), (ours, theirs))]);
        };
        let missing = plan
            .credits
            .iter()
            .filter(|(credit, _)| !held.contains(&((*credit).clone(), key.clone())));
        let drift: Vec<Drift> =
            missing.map(|(credit, granted)| lacking(object, credit, granted.amount)).collect();
        let sub = &stored.subscription;
        let another_plan = sub.plan != period.plan && period.period.end <= sub.period.end;
        let followed = Followed::by(another_plan, followed);
        let window = (start, period.invoice.as_deref(), followed);
        self.grant_late_credits(tx, call, ((&period.plan, plan), stored), window)?;
        Ok(drift)
    }

    /// Months of a year that was paid at once are granted by jobs of ours.
    fn missing_in_window(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, held): (&Catalog, &Held),
        stored: &Stored,
    ) -> Result<Vec<Drift>, EngineError> {
        let sub = &stored.subscription;
        let now = self.now();
        let running = sub.status == Status::Active && sub.period.contains(now);
        let Some(plan) = catalog.plans.get(&sub.plan).filter(|_| running) else {
            return Ok(Vec::new());
        };
        if sub.interval != Interval::Year {
            return Ok(Vec::new());
        }
        let start = period_at(sub.anchor, Interval::Month, now).start;
        if start <= sub.period.start || now < start.plus_seconds(SETTLES_WITHIN) {
            return Ok(Vec::new());
        }
        let key = period_key(&stored.id, start, &sub.plan);
        let mut drift = Vec::new();
        for (credit, granted) in &plan.credits {
            let monthly = granted.every == Interval::Month;
            let first = period_key(&stored.id, sub.period.start, &sub.plan);
            let has = |key: &str| held.contains(&(credit.clone(), key.to_owned()));
            if monthly && has(&first) && !has(&key) {
                drift.push(lacking(&stored.provider_id, credit, granted.amount));
            }
        }
        if !drift.is_empty() {
            let window = Window { start, replaces: false, paid: PaidBy::AsBefore };
            self.grant_plan_credits(tx, call, ((&sub.plan, plan), stored), window)?;
        }
        Ok(drift)
    }

    fn missing_of_pack(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        held: &Held,
        checkout: &Checkout,
    ) -> Result<Vec<Drift>, EngineError> {
        let (Item::Pack { sold, .. }, Some(paid_at)) = (&checkout.item, checkout.settled_at) else {
            return Ok(Vec::new());
        };
        let Ok(sold) = serde_json::from_str::<SoldPack>(sold) else {
            return Ok(Vec::new());
        };
        let key = format!("checkout:{}", checkout.id);
        let expires_at = sold.expires.map(|span| span.after(paid_at));
        if expires_at.is_some_and(|end| end <= self.now()) {
            return Ok(Vec::new());
        }
        let mut drift = Vec::new();
        for (credit, amount) in &sold.credits {
            if held.contains(&(credit.clone(), key.clone())) {
                continue;
            }
            let gift = NewCredits {
                credit,
                business_key: key.clone(),
                source: GrantSource::Pack,
                amount: *amount,
                expires_at,
                paid_by: Some(checkout.id.clone()),
            };
            self.grant(tx, call, &checkout.customer, &gift, self.now())?;
            drift.push(lacking(&checkout.id, credit, *amount));
        }
        Ok(drift)
    }

    /// Grants of plans and packs that nothing was paid for. Nothing is taken away: a person decides.
    pub(super) fn unfounded(
        &self,
        tx: &mut Tx<'_>,
        id: &CustomerId,
        theirs: &Theirs,
    ) -> Result<Vec<Drift>, EngineError> {
        if !theirs.customer.as_ref().is_some_and(|linked| linked.there) {
            return Ok(Vec::new());
        }
        let book = price_book(tx, STRIPE)?;
        let paid = theirs.invoices.iter().filter_map(|invoice| {
            let paid = facts::paid_period(invoice, &book).ok().flatten()?;
            Some((invoice.subscription.clone()?, paid))
        });
        let paid: Vec<(String, PaidPeriod)> = paid.collect();
        let ours = subscriptions::of_customer(tx, id)?;
        let packs = checkouts::of_customer(tx, id, CHECKOUTS)?;
        let mut drift = Vec::new();
        for granted in credits::granted(tx, id)? {
            if !is_founded(&granted, (theirs, &paid), (&ours, &packs)) {
                let Granted { credit, business_key, amount } = granted;
                let (field, ours) = (format!("credits.{credit}"), amount.to_string());
                let words = (ours, "not paid for");
                drift.push(Drift::new(Repair::Person, (business_key, field), words));
            }
        }
        Ok(drift)
    }
}

fn held(tx: &mut Tx<'_>, id: &CustomerId) -> Result<Held, StoreError> {
    let granted = credits::granted(tx, id)?;
    Ok(granted.into_iter().map(|it| (it.credit, it.business_key)).collect())
}

fn lacking(object: &str, credit: &str, amount: i64) -> Drift {
    let words = ("not granted".to_owned(), amount.to_string());
    Drift::new(Repair::Grant, (object, format!("credits.{credit}")), words)
}

/// Whether the provider knows of a payment, or of a trial, behind a grant. What is granted for other
/// reasons is founded on our own word.
fn is_founded(
    granted: &Granted,
    (theirs, paid): (&Theirs, &[(String, PaidPeriod)]),
    (ours, packs): (&[Stored], &[Checkout]),
) -> bool {
    if let Some(id) = granted.business_key.strip_prefix("checkout:") {
        let found = packs.iter().find(|it| it.id == id);
        return found.is_none_or(|it| it.status == CheckoutStatus::Settled);
    }
    let mut parts = granted.business_key.splitn(4, ':');
    let (Some("period"), Some(sub), Some(start), Some(plan)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return true;
    };
    let start = start.parse().ok().and_then(|micros| Timestamp::from_micros(micros).ok());
    let (Some(stored), Some(start)) = (ours.iter().find(|it| it.id == sub), start) else {
        return false;
    };
    let on_trial = theirs.subscriptions.iter().any(|it| {
        it.id == stored.provider_id && it.trial.is_some_and(|trial| trial.contains(start))
    });
    let gone = theirs.missing.contains(&stored.provider_id);
    // What paid for an earlier period may be older than what was asked for.
    let not_asked = theirs.invoices_from.is_some() && start < stored.subscription.period.start;
    let bought = |(id, paid): &(String, PaidPeriod)| {
        *id == stored.provider_id && paid.plan == plan && paid.period.contains(start)
    };
    on_trial || gone || not_asked || paid.iter().any(bought)
}
