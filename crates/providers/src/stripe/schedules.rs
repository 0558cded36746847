//! Subscription schedules: a change of price at the end of a period.
//!
//! A schedule is made from a running subscription and then told its phases: the present one as it
//! is, and after it one interval of the new price, after which it lets go of the subscription.
//! Source: <https://docs.stripe.com/api/subscription_schedules>.

use farthing_core::snapshot::{SchedulePhase, ScheduleSnapshot, ScheduleStatus};
use farthing_core::time::{Interval, Timestamp};

use super::answer::answer;
use super::form::{field, path};
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// What a schedule shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhasesUpdate {
    /// `sub_sched_...`.
    pub schedule: String,
    /// The phase that runs, as it was read: Stripe wants it told again.
    pub current: SchedulePhase,
    /// When the running phase ends and the next one starts: the end of the paid period.
    pub boundary: Timestamp,
    /// The price of the next phase.
    pub next_price: String,
    /// How often that price is paid; the next phase lasts one such interval.
    pub next_interval: Interval,
    /// The idempotency key.
    pub key: String,
}

/// Puts a subscription under a new schedule, whose only phase is the current period. Stripe takes
/// nothing else with it. Refused when it has one already.
pub fn encode_create_schedule(subscription: &str, key: &str) -> HttpRequest {
    let form = vec![field("from_subscription", subscription)];
    HttpRequest::post(path(&["subscription_schedules"], &[]), key, form)
}

/// Says what comes after the running phase. What was planned before is forgotten.
pub fn encode_update_schedule(update: &PhasesUpdate) -> HttpRequest {
    let PhasesUpdate { current, next_price, .. } = update;
    let mut form = vec![
        field("end_behavior", "release"),
        field("proration_behavior", "none"),
        field("phases[0][items][0][price]", &current.price),
        field("phases[0][items][0][quantity]", current.quantity.to_string()),
        field("phases[0][start_date]", current.start.seconds().to_string()),
        field("phases[0][end_date]", update.boundary.seconds().to_string()),
    ];
    let trial_end = current.trial_end.map(|at| at.seconds().to_string());
    form.extend(trial_end.map(|at| field("phases[0][trial_end]", at)));
    form.extend([
        field("phases[1][items][0][price]", next_price),
        field("phases[1][items][0][quantity]", "1"),
        field("phases[1][duration][interval]", update.next_interval.as_str()),
        field("phases[1][duration][interval_count]", "1"),
        field("phases[1][proration_behavior]", "none"),
    ]);
    HttpRequest::post(path(&["subscription_schedules", &update.schedule], &[]), &update.key, form)
}

/// Lets go of the subscription, which goes on as it is. Refused when it is over already.
pub fn encode_release_schedule(id: &str, key: &str) -> HttpRequest {
    HttpRequest::post(path(&["subscription_schedules", id, "release"], &[]), key, Vec::new())
}

/// Reads one.
pub fn encode_fetch_schedule(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["subscription_schedules", id], &[]))
}

/// The schedule that was created, changed, released or read.
pub fn decode_schedule(status: u16, body: &[u8]) -> Result<ScheduleSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_schedule(&Node::root(&body))?)
}

/// A schedule, also one inside a subscription.
pub(super) fn read_schedule(node: &Node) -> Result<ScheduleSnapshot, Malformed> {
    node.expect_kind("subscription_schedule")?;
    let status = read_status(node.text("status")?);
    let phases = node.need("phases")?.elements()?;
    let (current, ahead) = match node.get("current_phase") {
        Some(current) => split(&phases, &current)?,
        None if status == ScheduleStatus::NotStarted => (None, phases.as_slice()),
        None => (None, [].as_slice()),
    };
    let subscription = match node.opt_id("subscription")? {
        Some(managed) => Some(managed),
        None => node.opt_id("released_subscription")?,
    };
    Ok(ScheduleSnapshot {
        id: node.text("id")?,
        subscription,
        status,
        current: current.map(read_phase).transpose()?,
        next: ahead.first().map(read_phase).transpose()?,
        later: ahead.len().saturating_sub(1),
        releases: node.text("end_behavior")? == "release",
    })
}

/// The phase that runs, and those after it.
fn split<'a, 'b>(
    phases: &'a [Node<'b>],
    current: &Node,
) -> Result<(Option<&'a Node<'b>>, &'a [Node<'b>]), Malformed> {
    let start = current.time("start_date")?;
    let mut rest = phases;
    while let Some((phase, later)) = rest.split_first() {
        if phase.time("start_date")? == start {
            return Ok((Some(phase), later));
        }
        rest = later;
    }
    Err(current.wrong("is none of the phases"))
}

fn read_phase(phase: &Node) -> Result<SchedulePhase, Malformed> {
    let items = phase.need("items")?.elements()?;
    let first = items.first().ok_or_else(|| phase.wrong("has no items"))?;
    Ok(SchedulePhase {
        price: first.need("price")?.as_id()?,
        // Absent for a price that is billed by what was used.
        quantity: first.opt_int("quantity")?.unwrap_or(1),
        start: phase.time("start_date")?,
        end: phase.opt_time("end_date")?,
        trial_end: phase.opt_time("trial_end")?,
    })
}

fn read_status(word: String) -> ScheduleStatus {
    match word.as_str() {
        "not_started" => ScheduleStatus::NotStarted,
        "active" => ScheduleStatus::Active,
        "completed" => ScheduleStatus::Completed,
        "released" => ScheduleStatus::Released,
        "canceled" => ScheduleStatus::Canceled,
        _ => ScheduleStatus::Other(word),
    }
}
