//! What a change causes: rows for people, apps and jobs, in the same transaction as the change.

use farthing_core::catalog::{Catalog, GrantSource, OnCancel, OnRenewal, PlanCredits};
use farthing_core::credits as rules;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::subscription::{Event, PaidPeriod};
use farthing_core::time::{Interval, Period, Timestamp, period_at};
use farthing_store::credits::{Because, NewGrant};
use farthing_store::customers::Customer;
use farthing_store::subscriptions::{self, Stored, StoredPeriod};
use farthing_store::{Tx, audit, credits, customers, outbox};
use serde_json::{Value, json};

use crate::customers::materialize;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError};

/// One line for the audit log.
pub(crate) struct Change {
    /// What happened; also the name of the event that apps get.
    pub action: &'static str,
    /// Before.
    pub from: Option<Value>,
    /// After.
    pub to: Option<Value>,
    /// When it counts.
    pub effective_at: Timestamp,
}

/// Credits to be granted once for their business key.
pub(crate) struct NewCredits<'a> {
    pub credit: &'a str,
    pub business_key: String,
    pub source: GrantSource,
    pub amount: i64,
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Writes a change into the audit log and tells apps of it.
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        change: &Change,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let entry = audit::NewAudit {
            customer: Some(customer.id.clone()),
            actor: call.actor.clone(),
            action: change.action.to_owned(),
            cause: call.cause.clone(),
            entity: customer.id.to_string(),
            from_state: text(&change.from),
            to_state: text(&change.to),
            effective_at: change.effective_at,
            recorded_at: now,
        };
        audit::append(tx, &entry)?;
        let data = change.to.clone().unwrap_or_else(|| json!({}));
        self.announce(tx, call, customer, change.action, data)
    }

    /// Writes a change that is nobody's in particular into the audit log.
    pub(crate) fn note(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        action: &str,
        entity: &str,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let entry = audit::NewAudit {
            customer: None,
            actor: call.actor.clone(),
            action: action.to_owned(),
            cause: call.cause.clone(),
            entity: entity.to_owned(),
            from_state: None,
            to_state: None,
            effective_at: now,
            recorded_at: now,
        };
        audit::append(tx, &entry)?;
        Ok(())
    }

    /// Tells apps the whole state: the one event that most of them need.
    pub(crate) fn announce_state(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
    ) -> Result<(), EngineError> {
        let state = self.state_in(tx, customer)?;
        self.announce(tx, call, customer, "customer.state_changed", json!(state))
    }

    fn announce(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        kind: &str,
        data: Value,
    ) -> Result<(), EngineError> {
        let event = outbox::OutEvent {
            id: self.new_id(IdKind::Event),
            customer: Some(customer.id.clone()),
            kind: kind.to_owned(),
            revision: customer.revision,
            data: data.to_string(),
            cause: call.cause.clone(),
            created_at: self.now(),
        };
        Ok(outbox::insert(tx, &event)?)
    }

    /// What the events of one absorbed sighting cause. `customer` is locked; it is brought up to
    /// date and saved here, under its next revision.
    pub(crate) fn follow_up(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &mut Customer,
        stored: &Stored,
        events: &[Event],
    ) -> Result<(), EngineError> {
        let now = self.now();
        let (_, catalog) = self.catalog(tx)?;
        let before = customer.clone();
        let all = subscriptions::of_customer(tx, &customer.id)?;
        let running = all.iter().find(|one| one.subscription.status.is_entitled());
        let another_runs = running.is_some_and(|running| running.id != stored.id);
        let sub = running.map_or(&stored.subscription, |running| &running.subscription);
        let entitled = running.is_some();
        customer.plan = if entitled { sub.plan.clone() } else { catalog.fallback.clone() };
        customer.on_trial = sub.status == farthing_core::subscription::Status::Trialing;
        customer.standing = sub.standing;
        customer.revision += 1;
        customer.updated_at = now;
        if entitled {
            customer.anchor = sub.anchor;
            customer.currency = Some(sub.currency);
        }
        customers::save(tx, customer)?;
        let restart = events.iter().any(starts_windows);
        materialize(tx, &catalog, customer, restart, now)?;
        for event in events {
            // The end of one that never ran takes nothing from the one that does.
            if !another_runs {
                self.follow_up_one(tx, call, (customer, &catalog), stored, event)?;
            }
            let (from, to) = (Some(summary(&before)), Some(event_summary(customer, stored, event)));
            let change = Change { action: event.name(), from, to, effective_at: now };
            self.record(tx, call, customer, &change)?;
        }
        self.announce_state(tx, call, customer)
    }

    /// What one event causes besides new entitlements. A new event has to say it here.
    fn follow_up_one(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, catalog): (&Customer, &Catalog),
        stored: &Stored,
        event: &Event,
    ) -> Result<(), EngineError> {
        match event {
            Event::TrialStarted => {
                let period = stored.subscription.period;
                self.open_period(tx, stored, period, None)?;
                self.grant_plan_credits(tx, call, (catalog, stored), (period.start, true))?;
                self.enqueue(tx, &Job::ExpireTrial { subscription: stored.id.clone() }, period.end)
            }
            Event::Activated(paid) | Event::TrialConverted(paid) => {
                self.paid(tx, call, (catalog, stored), (paid, true))
            }
            Event::Renewed(paid) => self.paid(tx, call, (catalog, stored), (paid, false)),
            Event::PlanChanged { paid, .. } => self.paid(tx, call, (catalog, stored), (paid, true)),
            Event::TrialEnded => self.end_plan_credits(tx, call, customer, None),
            Event::Ended => self.end_plan_credits(tx, call, customer, Some(catalog)),
            Event::WentPastDue
            | Event::Recovered
            | Event::CancelScheduled(_)
            | Event::CancelUndone
            | Event::ChangeScheduled(_)
            | Event::ChangeUnscheduled
            | Event::Paused
            | Event::Resumed => Ok(()),
        }
    }

    /// A period was paid: it is written down, its credits are granted, and the provider is asked
    /// again after its end in case no event comes.
    fn paid(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, stored): (&Catalog, &Stored),
        (paid, replaces): (&PaidPeriod, bool),
    ) -> Result<(), EngineError> {
        if !paid.prorated {
            self.open_period(tx, stored, paid.period, Some(paid))?;
        }
        self.grant_plan_credits(tx, call, (catalog, stored), (paid.period.start, replaces))?;
        let sync = Job::SyncSubscription { subscription: stored.id.clone() };
        self.enqueue(tx, &sync, paid.period.end.plus_seconds(SYNC_AFTER))
    }

    fn open_period(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        period: Period,
        paid: Option<&PaidPeriod>,
    ) -> Result<(), EngineError> {
        let plan = paid.map_or(&stored.subscription.plan, |paid| &paid.plan).clone();
        let invoice = paid.map(|paid| paid.invoice.clone());
        subscriptions::cut_periods(tx, &stored.customer, &stored.id, period.start)?;
        let row = StoredPeriod { period, plan, invoice };
        subscriptions::insert_period(tx, &stored.customer, &stored.id, &row, self.now())?;
        Ok(())
    }

    /// Grants what the plan in force gives for the credit window that starts at, or contains,
    /// `start`. `replaces`: what is left of another plan's credits ends, whatever the new plan
    /// says about renewals.
    pub(crate) fn grant_plan_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, stored): (&Catalog, &Stored),
        (start, replaces): (Timestamp, bool),
    ) -> Result<(), EngineError> {
        let sub = &stored.subscription;
        let Some(plan) = catalog.plans.get(&sub.plan) else {
            return Ok(());
        };
        for (credit, granted) in &plan.credits {
            let rule = if replaces { OnRenewal::Reset } else { granted.on_renewal };
            let gift = NewCredits {
                credit,
                business_key: format!("period:{}:{}:{}", stored.id, start.micros(), sub.plan),
                source: GrantSource::Plan,
                amount: granted.amount,
                expires_at: None,
            };
            self.replace_credits(tx, call, (&stored.customer, rule), &gift)?;
            self.enqueue_next_grant(tx, stored, granted, start)?;
        }
        Ok(())
    }

    /// On yearly plans with monthly credits the next grant is a job of ours: nobody pays then.
    fn enqueue_next_grant(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        granted: &PlanCredits,
        start: Timestamp,
    ) -> Result<(), EngineError> {
        let sub = &stored.subscription;
        let next = period_at(sub.anchor, granted.every, start).end;
        let inside = granted.every == Interval::Month && next < sub.period.end;
        if !inside || sub.interval == Interval::Month {
            return Ok(());
        }
        let job = Job::GrantCredits { subscription: stored.id.clone(), window_start: next };
        self.enqueue(tx, &job, next)
    }

    /// Ends what `rule` does not leave of earlier plan credits and grants the new ones: both, or,
    /// when that business key had its grant, neither.
    fn replace_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, rule): (&CustomerId, OnRenewal),
        gift: &NewCredits<'_>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let Some(mut account) = credits::lock(tx, customer, gift.credit)? else {
            return Ok(());
        };
        self.expire_credits(tx, customer, &mut account, now)?;
        let left = credits::grants(tx, customer, gift.credit)?;
        if !self.grant(tx, call, customer, gift, now)? {
            return Ok(());
        }
        if let Some(posting) = rules::end_plan_grants(&left, rule, now)
            && let Some(mut account) = credits::lock(tx, customer, gift.credit)?
        {
            let id = self.new_id(IdKind::Ledger);
            let because = Because { id: &id, cause: &call.cause, now };
            credits::post(tx, customer, &mut account, &posting, because)?;
        }
        Ok(())
    }

    /// Grants credits; `false` when that business key had its grant before.
    pub(crate) fn grant(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &CustomerId,
        gift: &NewCredits<'_>,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(mut account) = credits::lock(tx, customer, gift.credit)? else {
            return Ok(false);
        };
        let grant = NewGrant {
            id: self.new_id(IdKind::Grant),
            credit: gift.credit.to_owned(),
            business_key: gift.business_key.clone(),
            source: gift.source,
            amount: gift.amount,
            expires_at: gift.expires_at,
        };
        if !credits::insert_grant(tx, customer, &grant, now)? {
            return Ok(false);
        }
        let id = self.new_id(IdKind::Ledger);
        let because = Because { id: &id, cause: &call.cause, now };
        credits::post(tx, customer, &mut account, &rules::grant(gift.amount), because)?;
        if let Some(end) = grant.expires_at {
            let job = Job::ExpireCredits {
                customer: customer.clone(),
                credit: grant.credit,
                grant: grant.id,
            };
            self.enqueue(tx, &job, end)?;
        }
        Ok(true)
    }

    /// Ends plan credits when a subscription ends: always after an unpaid trial (`None`), else
    /// where the catalog says so.
    fn end_plan_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        catalog: Option<&Catalog>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        for mut account in credits::of_customer(tx, &customer.id)? {
            let on_cancel = catalog.map_or(OnCancel::ExpireAtPeriodEnd, |catalog| {
                match catalog.features.get(&account.credit) {
                    Some(farthing_core::catalog::Feature::Credits(credit)) => credit.on_cancel,
                    _ => OnCancel::Keep,
                }
            });
            let grants = credits::grants(tx, &customer.id, &account.credit)?;
            if on_cancel == OnCancel::ExpireAtPeriodEnd
                && let Some(posting) = rules::end_plan_grants(&grants, OnRenewal::Reset, now)
            {
                let id = self.new_id(IdKind::Ledger);
                let because = Because { id: &id, cause: &call.cause, now };
                credits::post(tx, &customer.id, &mut account, &posting, because)?;
            }
        }
        Ok(())
    }
}

/// How long after a period's end the provider is asked by ourselves, in seconds: its own invoice
/// takes about an hour.
const SYNC_AFTER: i64 = 2 * 3_600;

/// Whether usage windows start anew: something else was bought than before.
fn starts_windows(event: &Event) -> bool {
    match event {
        Event::TrialStarted
        | Event::Activated(_)
        | Event::TrialConverted(_)
        | Event::PlanChanged { .. } => true,
        Event::Renewed(_)
        | Event::TrialEnded
        | Event::WentPastDue
        | Event::Recovered
        | Event::CancelScheduled(_)
        | Event::CancelUndone
        | Event::ChangeScheduled(_)
        | Event::ChangeUnscheduled
        | Event::Paused
        | Event::Resumed
        | Event::Ended => false,
    }
}

fn summary(customer: &Customer) -> Value {
    json!({ "plan": customer.plan, "standing": customer.standing.as_str() })
}

fn event_summary(customer: &Customer, stored: &Stored, event: &Event) -> Value {
    let mut summary = summary(customer);
    summary["subscription"] = json!(stored.id);
    match event {
        Event::TrialStarted => summary["trial_ends_at"] = json!(stored.subscription.trial_ends_at),
        Event::Activated(paid)
        | Event::TrialConverted(paid)
        | Event::Renewed(paid)
        | Event::PlanChanged { paid, .. } => {
            summary["invoice"] = json!(paid.invoice);
            summary["period"] = json!(paid.period);
        }
        Event::CancelScheduled(at) => summary["cancel_at"] = json!(at),
        Event::ChangeScheduled(pending) => {
            summary["to_plan"] = json!(pending.plan);
            summary["effective_at"] = json!(pending.at);
        }
        Event::TrialEnded
        | Event::WentPastDue
        | Event::Recovered
        | Event::CancelUndone
        | Event::ChangeUnscheduled
        | Event::Paused
        | Event::Resumed
        | Event::Ended => {}
    }
    summary
}
