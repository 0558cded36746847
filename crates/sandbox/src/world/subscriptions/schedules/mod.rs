//! Subscription schedules: what a subscription will be for, phase after phase.
//!
//! Here: the state, finding it, ending it. [`write`]: how one is made and changed. [`phases`]: what
//! a phase may be, and what its beginning does. [`show`]: how schedules are rendered. Schedules
//! that begin with a subscription of their own are not here.
//! Source: <https://docs.stripe.com/billing/subscriptions/subscription-schedules>

mod phases;
mod show;
mod write;

use serde::{Deserialize, Serialize};

use super::proration::Prorations;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};
use crate::world::World;
use crate::world::list::{PAGE, page};
use crate::world::render::Metadata;
use crate::world::route::Form;
use crate::world::table::Row;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    id: String,
    created: i64,
    customer: String,
    /// The subscription that it manages, or managed until it was released.
    subscription: String,
    status: Status,
    end_behavior: EndBehavior,
    phases: Vec<Phase>,
    /// Which phase has begun last.
    current: usize,
    metadata: Metadata,
    ended_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Active,
    Canceled,
    Completed,
    Released,
}

/// What becomes of the subscription after the last phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndBehavior {
    Release,
    Cancel,
}

/// `[start, end)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Phase {
    start: i64,
    end: i64,
    items: Vec<PhaseItem>,
    prorations: Prorations,
    metadata: Metadata,
    trial_end: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PhaseItem {
    price: String,
    quantity: i64,
    metadata: Metadata,
}

impl Row for Schedule {
    const KIND: &'static str = "subscription_schedule";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        match self.status {
            Status::Active => self.phases.get(self.current).map(|phase| phase.end),
            _ => None,
        }
    }
}

const LIST: &[Field] = &[may("customer", Kind::Text), may("scheduled", Kind::Bool)];

impl World {
    fn schedule(&self, id: &str) -> Result<&Schedule, ApiError> {
        self.schedules.get(id).ok_or_else(|| ApiError::no_such("subscription schedule", id))
    }

    pub(in crate::world) fn retrieve_schedule(&self, id: &str) -> Answer {
        self.schedule(id).map(|schedule| self.render_schedule(schedule))
    }

    pub(in crate::world) fn list_schedules(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        page(
            &self.schedules,
            "/v1/subscription_schedules",
            &params,
            |schedule| schedule.created,
            |schedule| {
                params.text("customer").is_none_or(|id| id == schedule.customer)
                    // None of ours waits for its first phase.
                    && params.flag("scheduled") != Some(true)
            },
            |schedule| self.render_schedule(schedule),
        )
    }

    /// Changes a schedule and tells of it, if anything was changed.
    fn change_schedule(&mut self, id: &str, change: impl FnOnce(&mut Schedule)) {
        let Some(mut schedule) = self.schedules.get(id).cloned() else { return };
        let old = self.render_schedule(&schedule);
        change(&mut schedule);
        let new = self.render_schedule(&schedule);
        self.schedules.put(schedule);
        self.emit_update("subscription_schedule.updated", &old, new);
    }

    /// Ends a schedule, and tells of it under the name of its new status.
    fn end_schedule(&mut self, id: &str, status: Status) {
        let Some(mut schedule) = self.schedules.get(id).cloned() else { return };
        schedule.status = status;
        schedule.ended_at = Some(self.now());
        let subscription = schedule.subscription.clone();
        let rendered = self.render_schedule(&schedule);
        self.schedules.put(schedule);
        self.change_subscription(&subscription, |subscription| subscription.schedule = None);
        let kind = match status {
            Status::Active => return,
            Status::Canceled => "subscription_schedule.canceled",
            Status::Completed => "subscription_schedule.completed",
            Status::Released => "subscription_schedule.released",
        };
        self.emit(kind, rendered);
    }

    /// Takes note that a subscription has ended: so has the schedule that manages it.
    pub(super) fn schedule_of_ended(&mut self, subscription: &str) {
        let schedule =
            self.subscriptions.get(subscription).and_then(|found| found.schedule.clone());
        if let Some(schedule) = schedule {
            self.end_schedule(&schedule, Status::Canceled);
        }
    }
}
