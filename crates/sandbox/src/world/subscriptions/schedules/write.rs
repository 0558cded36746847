//! How a schedule is made from a subscription, changed, released and canceled.

use super::phases::{PHASE, after, as_phase_item, same_items};
use super::{EndBehavior, Phase, Schedule, Status};
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, METADATA, Params, may, need};
use crate::world::World;
use crate::world::render::{Metadata, update_metadata};
use crate::world::route::Form;
use crate::world::subscriptions::proration::Prorations;
use crate::world::subscriptions::{Item, Subscription};
use crate::world::table::Row;

const CREATE: &[Field] = &[need("from_subscription", Kind::Text)];
const UPDATE: &[Field] = &[
    may("phases", Kind::List(&Kind::Object(PHASE))),
    may("end_behavior", Kind::OneOf(&["cancel", "release"])),
    may("proration_behavior", Kind::OneOf(Prorations::NAMES)),
    may("metadata", METADATA),
];
const RELEASE: &[Field] = &[may("preserve_cancel_date", Kind::Bool)];
const CANCEL: &[Field] =
    &[may("invoice_now", Kind::OneOf(&["false"])), may("prorate", Kind::OneOf(&["false"]))];

impl World {
    pub(in crate::world) fn create_schedule(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let id = params.text("from_subscription").unwrap_or_default();
        let subscription = self
            .subscriptions
            .get(id)
            .ok_or_else(|| ApiError::unknown_reference("subscription", id, "from_subscription"))?
            .clone();
        if let Some(schedule) = &subscription.schedule {
            return Err(ApiError::refused(format!(
                "You cannot migrate a subscription that is already attached to a schedule: \
                 `{schedule}`."
            )));
        }
        if !subscription.is_running() {
            return Err(ApiError::refused(format!(
                "You cannot create a subscription schedule from a subscription in status `{}`.",
                serde_json::json!(subscription.status).as_str().unwrap_or_default()
            )));
        }
        let id = self.schedule_from(&subscription);
        self.retrieve_schedule(&id)
    }

    /// Makes a schedule that manages `subscription` from now on; its id.
    fn schedule_from(&mut self, subscription: &Subscription) -> String {
        let id = self.new_id("sub_sched_");
        let schedule = Schedule {
            id: id.clone(),
            created: self.now(),
            customer: subscription.customer.clone(),
            subscription: subscription.id().to_owned(),
            status: Status::Active,
            end_behavior: match subscription.cancellation.at {
                Some(_) => EndBehavior::Cancel,
                None => EndBehavior::Release,
            },
            phases: vec![current_phase(subscription)],
            current: 0,
            metadata: Metadata::new(),
            ended_at: None,
        };
        let rendered = self.render_schedule(&schedule);
        self.schedules.put(schedule);
        self.emit("subscription_schedule.created", rendered);
        self.change_subscription(subscription.id(), |subscription| {
            subscription.schedule = Some(id.clone());
        });
        id
    }

    /// Plans that `subscription` is for `items` when its current period ends, as the portal does
    /// for what it may not do at once.
    pub(in crate::world::subscriptions) fn schedule_switch(
        &mut self,
        subscription: &Subscription,
        items: &[Item],
    ) {
        let id = self.schedule_from(subscription);
        let start = subscription.period_end;
        let every = self.interval_of(items).unwrap_or(subscription.interval);
        let next = Phase {
            start,
            end: after(subscription, start, every),
            items: items.iter().map(as_phase_item).collect(),
            prorations: Prorations::None,
            metadata: Metadata::new(),
            trial_end: None,
        };
        self.change_schedule(&id, |schedule| {
            schedule.end_behavior = EndBehavior::Release;
            schedule.phases[0].end = start;
            schedule.phases.push(next);
        });
        self.plan_end(&id);
    }

    fn active_schedule(&self, id: &str, verb: &str) -> Result<Schedule, ApiError> {
        let schedule = self.schedule(id)?;
        if schedule.status == Status::Active {
            return Ok(schedule.clone());
        }
        Err(ApiError::refused(format!(
            "You cannot {verb} a subscription schedule that is currently in the `{}` status.",
            serde_json::json!(schedule.status).as_str().unwrap_or_default()
        )))
    }

    pub(in crate::world) fn update_schedule(&mut self, id: &str, form: &Form) -> Answer {
        self.schedule(id)?;
        let params = form.check(&[UPDATE])?;
        let schedule = self.active_schedule(id, "update")?;
        let subscription = self.subscription(&schedule.subscription)?.clone();
        let phases = match params.has("phases") {
            true => Some(self.read_phases(&schedule, &subscription, &params)?),
            false => None,
        };
        let changed = phases.as_ref().and_then(|phases| phases.first()).cloned();
        self.change_schedule(id, |schedule| {
            if let Some(phases) = phases {
                schedule.phases.truncate(schedule.current);
                schedule.phases.extend(phases);
            }
            update_metadata(&mut schedule.metadata, &params);
            match params.text("end_behavior") {
                Some("cancel") => schedule.end_behavior = EndBehavior::Cancel,
                Some(_) => schedule.end_behavior = EndBehavior::Release,
                None => {}
            }
        });
        let now = subscription.items.iter().map(as_phase_item).collect::<Vec<_>>();
        if let Some(first) = changed.filter(|first| !same_items(&first.items, &now)) {
            let prorations = params.text("proration_behavior").map(Prorations::parse);
            let prorations = prorations.unwrap_or(Prorations::Later);
            self.begin_phase(subscription.id(), &first, prorations);
        }
        self.plan_end(id);
        // A phase that was ended now gives way at once.
        while let Some(due) =
            self.schedules.get(id).filter(|found| found.due().is_some_and(|at| at <= self.now()))
        {
            self.schedule_due(due.clone());
        }
        self.retrieve_schedule(id)
    }

    /// Shows on the subscription when the schedule `id` will end it.
    fn plan_end(&mut self, id: &str) {
        let Some(schedule) = self.schedules.get(id) else { return };
        let end = schedule.phases.last().map(|phase| phase.end);
        let at = end.filter(|_| schedule.end_behavior == EndBehavior::Cancel);
        let (subscription, now) = (schedule.subscription.clone(), self.now());
        self.change_subscription(&subscription, |subscription| subscription.end_at(at, now));
    }

    pub(in crate::world) fn release_schedule(&mut self, id: &str, form: &Form) -> Answer {
        self.schedule(id)?;
        let params = form.check(&[RELEASE])?;
        let schedule = self.active_schedule(id, "release")?;
        let keep = keeps_end(&schedule, &params);
        self.end_schedule(id, Status::Released);
        if !keep {
            let now = self.now();
            self.change_subscription(&schedule.subscription, |subscription| {
                subscription.end_at(None, now);
            });
        }
        self.retrieve_schedule(id)
    }

    pub(in crate::world) fn cancel_schedule(&mut self, id: &str, form: &Form) -> Answer {
        self.schedule(id)?;
        form.check(&[CANCEL])?;
        let schedule = self.active_schedule(id, "cancel")?;
        self.end_schedule(id, Status::Canceled);
        self.end_subscription(&schedule.subscription, "cancellation_requested");
        self.retrieve_schedule(id)
    }
}

/// The end that the schedule has planned stays only if that is asked for.
fn keeps_end(schedule: &Schedule, params: &Params) -> bool {
    schedule.end_behavior == EndBehavior::Release
        || params.flag("preserve_cancel_date") == Some(true)
}

fn current_phase(subscription: &Subscription) -> Phase {
    let end = subscription.cancellation.at.unwrap_or(subscription.period_end);
    Phase {
        start: subscription.period_start,
        end: end.max(subscription.period_start + 1),
        items: subscription.items.iter().map(as_phase_item).collect(),
        prorations: Prorations::Later,
        metadata: Metadata::new(),
        trial_end: subscription.trial_end_in_period(),
    }
}
