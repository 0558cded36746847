//! Trials: the reminder before the end, and a later end.
//!
//! How a trial begins and ends is in `absorb` and `jobs`: the provider is asked at its end, and without
//! a payment it is over three hours later, whether or not anything was heard.

use farthing_core::change::Command;
use farthing_core::subscription::Status;
use farthing_core::time::Timestamp;
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers, effects};
use serde_json::json;

use crate::changes::Changed;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

/// How far from now a trial's end may be moved, in seconds: 90 days.
const EXTEND_AT_MOST: i64 = 90 * 86_400;

/// Until when a trial is to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// So many days more than now, 1 to 90.
    Days(i64),
    /// Until this instant.
    At(Timestamp),
}

impl Engine {
    /// Lets a trial end later, at the provider and here, for a `reason` that people read later.
    ///
    /// Errors: no such subscription, not on trial, an end that is not later or more than 90 days
    /// away, a scheduled end or change, a change in flight, and the provider's.
    pub fn extend_trial(
        &self,
        call: &Call,
        id: &str,
        (until, reason): (Until, &str),
    ) -> Result<Changed, EngineError> {
        let call = Call { reason: Some(checked_reason(reason)?), ..call.clone() };
        let ends_at = self.subscription(id)?.trial_ends_at.unwrap_or_else(|| self.now());
        let (pointer, until) = match until {
            Until::Days(days) => {
                let days = days.clamp(0, 100_000);
                ("/days", ends_at.plus_seconds(days * 86_400))
            }
            Until::At(at) => ("/until", at.plus_seconds(0)),
        };
        let last = self.now().plus_seconds(EXTEND_AT_MOST);
        if until <= self.now() || last < until {
            return Err(EngineError::invalid(
                pointer,
                "out_of_range",
                "the trial would end in the past, or more than 90 days from now",
                format!("name an end before {last}"),
            ));
        }
        let seconds = Timestamp::from_seconds(until.seconds()).unwrap_or(until);
        self.change(&call, id, &Command::ExtendTrial { until: seconds }, None)
    }

    /// Says that a trial lasts longer, and reminds of its new end.
    pub(crate) fn tell_extended(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (id, until): (&str, Timestamp),
    ) -> Result<(), EngineError> {
        let Some(stored) = subscriptions::find(tx, id)? else {
            return Ok(());
        };
        let sub = &stored.subscription;
        let lasts = sub.status == Status::Trialing && sub.trial_ends_at == Some(until);
        let Some(mut customer) = customers::lock(tx, &stored.customer)?.filter(|_| lasts) else {
            return Ok(());
        };
        self.enqueue(tx, &Job::ExpireTrial { subscription: id.to_owned() }, until)?;
        self.leave_reminder(tx, &stored)?;
        // The mail finds out itself that it is too early, and waits for the new end.
        self.enqueue(tx, &Job::MailTrialEnding { subscription: id.to_owned() }, self.now())?;
        self.next_revision(tx, &mut customer)?;
        let to = Some(json!({ "subscription": id, "plan": sub.plan, "trial_ends_at": until }));
        let change = Change { action: "trial.extended", from: None, to, effective_at: self.now() };
        self.record(tx, call, &customer, &change)?;
        self.announce_state(tx, call, &customer)
    }

    /// Leaves the reminder of a trial's end, where its plan has one.
    pub(crate) fn leave_reminder(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
    ) -> Result<(), EngineError> {
        let Some(due) = self.reminder_due(tx, stored)? else {
            return Ok(());
        };
        let job = Job::RemindTrial { subscription: stored.id.clone() };
        self.enqueue(tx, &job, due.max(self.now()))
    }

    fn reminder_due(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
    ) -> Result<Option<Timestamp>, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let sub = &stored.subscription;
        let trial = catalog.plans.get(&sub.plan).and_then(|plan| plan.trial.as_ref());
        let days = trial.and_then(|trial| trial.remind_days_before);
        let runs = sub.status == Status::Trialing && sub.cancel_at.is_none();
        let ends_at = sub.trial_ends_at.filter(|_| runs);
        Ok(ends_at.zip(days).map(|(ends_at, days)| ends_at.plus_seconds(-days * 86_400)))
    }

    /// Says once that a trial ends soon; not when it will not be paid for, or is over.
    pub(crate) fn remind_trial(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let Some(owner) = subscriptions::find(tx, &id)?.map(|stored| stored.customer) else {
                return Ok(());
            };
            let Some((customer, stored)) =
                customers::lock(tx, &owner)?.zip(subscriptions::find(tx, &id)?)
            else {
                return Ok(());
            };
            let now = engine.now();
            let (Some(due), Some(ends_at)) =
                (engine.reminder_due(tx, &stored)?, stored.subscription.trial_ends_at)
            else {
                return Ok(());
            };
            if now < due {
                return engine.leave_reminder(tx, &stored);
            }
            let key = format!("trial_ending:{id}:{}", ends_at.micros());
            let first = now < ends_at
                && effects::insert(tx, STRIPE, &key, (&customer.id, &call.cause), now)?;
            if !first {
                return Ok(());
            }
            let (_, catalog) = engine.catalog(tx)?;
            let sub = &stored.subscription;
            let plan = catalog.plans.get(&sub.plan);
            let to = Some(json!({
                "subscription": id,
                "plan": sub.plan,
                "trial_ends_at": ends_at,
                "next_charge": plan.and_then(|plan| plan.price(sub.interval, sub.currency)),
            }));
            let change = Change { action: "trial.ending", from: None, to, effective_at: ends_at };
            engine.record(tx, &call, &customer, &change)
        })
    }
}

fn checked_reason(reason: &str) -> Result<String, EngineError> {
    let reason = reason.trim();
    if (1..=500).contains(&reason.chars().count()) {
        return Ok(reason.to_owned());
    }
    Err(EngineError::invalid(
        "/reason",
        "invalid_reason",
        "a longer trial needs a reason of 1 to 500 characters",
        "say why, so that others understand it later",
    ))
}
