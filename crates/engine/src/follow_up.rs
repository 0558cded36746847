//! What a change causes: rows for people, apps and jobs, in the same transaction as the change.

use farthing_core::catalog::Catalog;
use farthing_core::dunning;
use farthing_core::facts::Puzzle;
use farthing_core::ids::IdKind;
use farthing_core::subscription::{Event, PaidPeriod};
use farthing_core::time::{Period, Timestamp};
use farthing_store::customers::Customer;
use farthing_store::subscriptions::{self, Stored, StoredPeriod};
use farthing_store::{Tx, audit, customers, outbox};
use serde_json::{Value, json};

use crate::customers::materialize;
use crate::grants::{Followed, PaidBy, Sold, Window};
use crate::jobs::Job;
use crate::room::note_over;
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
        self.mail_change(tx, customer, change)?;
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
        let moved = customer.plan != before.plan;
        if moved {
            self.settle_grace(tx, &catalog, customer, events)?;
        }
        self.open_case(tx, stored, events)?;
        let case = self.case_data(tx, &catalog, stored)?;
        let restart = events.iter().any(starts_windows);
        materialize(tx, &catalog, customer, restart, now)?;
        for event in events {
            self.remember_purchase(tx, &catalog, stored, event)?;
            // The end of one that never ran takes nothing from the one that does.
            if !another_runs {
                self.follow_up_one(tx, call, (customer, &catalog), stored, event)?;
            }
            let mut to = event_summary(customer, stored, event);
            if moved {
                note_over(tx, &customer.id, &mut to)?;
            }
            if is_about_a_debt(event) {
                merge(&mut to, case.as_ref());
            }
            let (from, to) = (Some(summary(&before)), Some(to));
            let change = Change { action: event.name(), from, to, effective_at: now };
            self.record(tx, call, customer, &change)?;
        }
        if !another_runs {
            self.mail_events(tx, (&before, customer, &catalog), stored, events)?;
        }
        self.close_case(tx, stored, events)?;
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
                let plan = self.plan_sold(catalog, &stored.subscription.plan)?;
                self.open_period(tx, stored, (period, plan), None)?;
                let window = Window { start: period.start, replaces: true, paid: PaidBy::Nothing };
                self.grant_plan_credits(tx, call, (plan, stored), window)?;
                self.leave_reminder(tx, stored)?;
                self.enqueue(tx, &Job::ExpireTrial { subscription: stored.id.clone() }, period.end)
            }
            Event::Activated(paid) | Event::TrialConverted(paid) => {
                self.paid(tx, call, (catalog, stored), (paid, true))
            }
            Event::PaidLate(paid) => self.paid_late(tx, call, (catalog, stored), paid),
            Event::Resumed => self.grant_this_window(tx, call, (catalog, stored)),
            Event::Renewed(paid) => self.paid(tx, call, (catalog, stored), (paid, false)),
            Event::PlanChanged { paid, .. } => self.paid(tx, call, (catalog, stored), (paid, true)),
            Event::TrialEnded => self.end_plan_credits(tx, call, customer, None),
            Event::Ended => self.end_plan_credits(tx, call, customer, Some(catalog)),
            Event::WentPastDue | Event::AccessLimited => {
                match dunning::next_step_at(&stored.subscription, &catalog.dunning) {
                    Some(due) => {
                        let job = Job::DunningStep { subscription: stored.id.clone() };
                        self.enqueue(tx, &job, due)
                    }
                    None => Ok(()),
                }
            }
            Event::DunningExhausted => {
                let job = Job::GiveUp { subscription: stored.id.clone() };
                self.enqueue(tx, &job, self.now())
            }
            Event::Recovered
            | Event::CancelScheduled(_)
            | Event::ChangeUnscheduled
            | Event::Paused => Ok(()),
            Event::CancelUndone => self.leave_reminder(tx, stored),
            Event::ChangeScheduled(pending) => self.watch_boundary(tx, stored, pending),
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
        let plan = self.plan_sold(catalog, &paid.plan)?;
        if !paid.prorated {
            self.open_period(tx, stored, (paid.period, plan), Some(paid))?;
        }
        let (start, invoice) = (paid.period.start, PaidBy::Invoice(&paid.invoice));
        let window = Window { start, replaces, paid: invoice };
        self.grant_plan_credits(tx, call, (plan, stored), window)?;
        let sync = Job::SyncSubscription { subscription: stored.id.clone() };
        self.enqueue(tx, &sync, paid.period.end.plus_seconds(SYNC_AFTER))
    }

    /// A period was paid after a later one, or after the end: it is written down, and its credits
    /// are granted as they would have been in time.
    fn paid_late(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, stored): (&Catalog, &Stored),
        paid: &PaidPeriod,
    ) -> Result<(), EngineError> {
        let plan = self.plan_sold(catalog, &paid.plan)?;
        if paid.prorated {
            return Ok(());
        }
        let newest = subscriptions::newest_period(tx, &stored.customer, &stored.id)?;
        self.open_period(tx, stored, (paid.period, plan), Some(paid))?;
        let sub = &stored.subscription;
        let another_plan = sub.price != paid.price && paid.period.end <= sub.period.end;
        let a_renewal = newest.is_some_and(|newest| paid.period.start < newest);
        let followed = Followed::by(another_plan, a_renewal);
        let window = (paid.period.start, Some(paid.invoice.as_str()), followed);
        self.grant_late_credits(tx, call, (plan, stored), window)
    }

    /// A plan that somebody has. Errors: the catalog no longer has it, and a person has to put it
    /// back before anything can be given for it.
    fn plan_sold<'a>(&self, catalog: &'a Catalog, plan: &'a str) -> Result<Sold<'a>, EngineError> {
        let missing = || Puzzle::SetAside("a plan was paid for that the catalog no longer has");
        Ok((plan, catalog.plans.get(plan).ok_or_else(missing)?))
    }

    fn open_period(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        (period, (key, plan)): (Period, Sold<'_>),
        paid: Option<&PaidPeriod>,
    ) -> Result<(), EngineError> {
        let invoice = paid.map(|paid| paid.invoice.clone());
        subscriptions::cut_periods(tx, &stored.customer, &stored.id, period.start)?;
        let grants = i64::try_from(plan.credits.len()).unwrap_or(i64::MAX);
        let row = StoredPeriod { period, plan: key.to_owned(), invoice, grants };
        subscriptions::insert_period(tx, &stored.customer, &stored.id, &row, self.now())?;
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
        | Event::PaidLate(_)
        | Event::TrialEnded
        | Event::WentPastDue
        | Event::AccessLimited
        | Event::DunningExhausted
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

/// Whether an event says what becomes of an overdue payment.
fn is_about_a_debt(event: &Event) -> bool {
    matches!(
        event,
        Event::WentPastDue | Event::AccessLimited | Event::DunningExhausted | Event::Recovered
    )
}

/// Adds what is known of the case to what an event says; what the event says itself stays.
fn merge(to: &mut Value, case: Option<&Value>) {
    let (Some(to), Some(case)) = (to.as_object_mut(), case.and_then(Value::as_object)) else {
        return;
    };
    for (key, value) in case {
        to.entry(key.clone()).or_insert_with(|| value.clone());
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
        | Event::PaidLate(paid)
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
        | Event::AccessLimited
        | Event::DunningExhausted
        | Event::Recovered
        | Event::CancelUndone
        | Event::ChangeUnscheduled
        | Event::Paused
        | Event::Resumed
        | Event::Ended => {}
    }
    summary
}
