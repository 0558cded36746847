//! The reminder before a trial ends.

use farthing_core::catalog::Catalog;
use farthing_core::subscription::Status;
use farthing_core::time::{Interval, Timestamp};
use farthing_mail::Letter;
use farthing_mail::letter::TrialEnding;
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers, provider_prices};

use super::{Occasion, plan_name};
use crate::jobs::Job;
use crate::{Engine, EngineError, STRIPE};

impl Engine {
    /// Leaves the reminder of a trial for as many days before its end as the catalog says.
    pub(crate) fn remind_of_trial(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        stored: &Stored,
    ) -> Result<(), EngineError> {
        match reminder_at(catalog, stored) {
            Some(at) if self.now() < at => {
                self.enqueue(tx, &Job::MailTrialEnding { subscription: stored.id.clone() }, at)
            }
            _ => Ok(()),
        }
    }

    /// Reminds a customer of the end of a trial, once for each end; later when it ends later by now.
    pub(crate) fn mail_trial_ending(&self, id: &str) -> Result<(), EngineError> {
        let id = id.to_owned();
        self.write(move |engine, tx| {
            let Some(found) = subscriptions::find(tx, &id)? else { return Ok(()) };
            customers::lock(tx, &found.customer)?;
            // Once more behind the lock: it may have ended in between.
            let Some(stored) = subscriptions::find(tx, &id)? else { return Ok(()) };
            let (_, catalog) = engine.catalog(tx)?;
            let sub = &stored.subscription;
            let (Some(ends_at), Some(at)) = (sub.trial_ends_at, reminder_at(&catalog, &stored))
            else {
                return Ok(());
            };
            if sub.status != Status::Trialing || ends_at <= engine.now() {
                return Ok(());
            }
            if engine.now() < at {
                return engine.remind_of_trial(tx, &catalog, &stored);
            }
            let price = provider_prices::find_by_price_id(tx, STRIPE, &sub.price)?;
            let goes_on = sub.cancel_at.is_none();
            let charge = price.filter(|_| goes_on).map(|price| (price.amount, sub.interval));
            let letter = Letter::TrialEnding(TrialEnding {
                plan: plan_name(&catalog, &sub.plan),
                ends_at,
                charge,
                then: plan_name(&catalog, &catalog.fallback),
            });
            let key = format!("trial_ending:{id}:{}", ends_at.micros());
            let customer = Some(&stored.customer);
            engine.mail(tx, &Occasion { customer, key, subject: &id, letter })
        })
    }
}

/// When a trial's customer is to be reminded; `None`: never.
fn reminder_at(catalog: &Catalog, stored: &Stored) -> Option<Timestamp> {
    let plan = catalog.plans.get(&stored.subscription.plan)?;
    let days = plan.trial.as_ref()?.remind_days_before?;
    Some(stored.subscription.trial_ends_at?.plus_intervals(-days, Interval::Day))
}
