//! Changing a subscription: what may be asked for, where that leads, and the steps there.
//!
//! A command is decided once, into a [`Goal`]. Getting there is convergent: look at what the
//! provider has, take the one step that is missing, look again. A process that was killed in the
//! middle, a lost answer and a change that somebody made in the provider's own portal are then the
//! same thing: the next look says what is still missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Direction, OverLimit, OverLimitFinding};
use crate::snapshot::{SubscriptionSnapshot, SubscriptionStatus};
use crate::subscription::{Pending, Standing, Status, Subscription};
use crate::time::{Interval, Timestamp};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Another plan, or another interval.
    Change {
        /// The plan's key.
        plan: String,
        /// How often it is paid; `None`: as often as now.
        interval: Option<Interval>,
    },
    /// An end.
    Cancel {
        /// At once, or at the end of what was paid for.
        at_once: bool,
    },
    /// Nothing of what was scheduled.
    Resume,
    /// A later end of the trial.
    ExtendTrial {
        /// The first instant after the trial; whole seconds.
        until: Timestamp,
    },
}

/// Where the provider has to get to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "goal", rename_all = "snake_case")]
pub enum Goal {
    /// On this plan now, paid for, with nothing scheduled.
    Now {
        /// The plan's key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
    },
    /// On this plan from the end of the period on.
    Later {
        /// The plan's key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
    },
    /// Ended at the end of the period.
    EndLater,
    /// Ended.
    EndNow,
    /// As it is, with nothing scheduled.
    Stay,
    /// On trial until then.
    TrialUntil {
        /// The first instant after the trial; whole seconds.
        until: Timestamp,
    },
}

/// Why a command is refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The catalog has no such plan.
    UnknownPlan,
    /// The plan is not sold at that interval, or not in the subscription's currency.
    NotSold,
    /// That is what the customer has, with nothing scheduled.
    SamePlan,
    /// Nothing is scheduled that could be undone.
    NothingToUndo,
    /// The subscription does not run.
    NotRunning(Status),
    /// A payment is overdue: it has to be paid before more is bought.
    PastDue,
    /// It is not on trial.
    NotOnTrial,
    /// An end or a change is scheduled: it has to be undone before the trial is made longer.
    ChangeScheduled,
    /// The trial would not become longer.
    NotLater {
        /// When it ends.
        ends_at: Timestamp,
    },
    /// The plan has no room for what is held.
    OverLimit(Vec<OverLimitFinding>),
}

impl Rejection {
    /// The word in the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownPlan => "unknown_plan",
            Self::NotSold => "not_sold",
            Self::SamePlan => "same_plan",
            Self::NothingToUndo => "nothing_to_undo",
            Self::NotRunning(_) => "no_running_subscription",
            Self::PastDue => "past_due",
            Self::NotOnTrial => "not_on_trial",
            Self::ChangeScheduled => "change_scheduled",
            Self::NotLater { .. } => "trial_not_longer",
            Self::OverLimit(_) => "over_limit",
        }
    }
}

/// What a command leads to, for a customer who holds `held` (feature key to how much).
///
/// `Ok(None)`: it is so already; nothing has to be done.
pub fn decide(
    catalog: &Catalog,
    sub: &Subscription,
    command: &Command,
    held: &BTreeMap<String, i64>,
) -> Result<Option<Goal>, Rejection> {
    if !sub.status.is_entitled() {
        return match command {
            Command::Cancel { .. } if sub.status == Status::Canceled => Ok(None),
            _ => Err(Rejection::NotRunning(sub.status)),
        };
    }
    let scheduled = sub.cancel_at.is_some() || sub.pending.is_some();
    match command {
        Command::Cancel { at_once: true } => Ok(Some(Goal::EndNow)),
        Command::Cancel { at_once: false } if sub.cancel_at.is_some() => Ok(None),
        Command::Cancel { at_once: false } => Ok(Some(Goal::EndLater)),
        Command::Resume if scheduled => Ok(Some(Goal::Stay)),
        Command::Resume => Err(Rejection::NothingToUndo),
        Command::ExtendTrial { until } => extend_trial(sub, *until),
        Command::Change { plan, interval } => {
            let interval = interval.unwrap_or(sub.interval);
            decide_change(catalog, sub, (plan, interval), held)
        }
    }
}

fn extend_trial(sub: &Subscription, until: Timestamp) -> Result<Option<Goal>, Rejection> {
    let Some(ends_at) = sub.trial_ends_at.filter(|_| sub.status == Status::Trialing) else {
        return Err(Rejection::NotOnTrial);
    };
    if until == ends_at {
        return Ok(None);
    }
    if sub.cancel_at.is_some() || sub.pending.is_some() {
        return Err(Rejection::ChangeScheduled);
    }
    match ends_at < until {
        true => Ok(Some(Goal::TrialUntil { until })),
        false => Err(Rejection::NotLater { ends_at }),
    }
}

fn decide_change(
    catalog: &Catalog,
    sub: &Subscription,
    (plan, interval): (&str, Interval),
    held: &BTreeMap<String, i64>,
) -> Result<Option<Goal>, Rejection> {
    let wanted = catalog.plans.get(plan).ok_or(Rejection::UnknownPlan)?;
    let direction = catalog
        .direction((&sub.plan, Some(sub.interval)), (plan, Some(interval)))
        .unwrap_or(Direction::Downgrade);
    let scheduled = sub.cancel_at.is_some() || sub.pending.is_some();
    if direction == Direction::Same {
        return if scheduled { Ok(Some(Goal::Stay)) } else { Err(Rejection::SamePlan) };
    }
    if !wanted.is_free() && wanted.price(interval, sub.currency).is_none() {
        return Err(Rejection::NotSold);
    }
    let plan = plan.to_owned();
    if direction.is_immediate() {
        return match sub.standing {
            Standing::Good => Ok(Some(Goal::Now { plan, interval })),
            Standing::PastDue { .. } | Standing::ReadOnly { .. } => Err(Rejection::PastDue),
        };
    }
    let over = catalog.over_limits(&plan, held);
    if catalog.changes.over_limit == OverLimit::Block && !over.is_empty() {
        return Err(Rejection::OverLimit(over));
    }
    if wanted.is_free() {
        return Ok(sub.cancel_at.is_none().then_some(Goal::EndLater));
    }
    let same = |pending: &Pending| pending.plan == plan && pending.interval == interval;
    match &sub.pending {
        Some(pending) if same(pending) && sub.cancel_at.is_none() => Ok(None),
        _ => Ok(Some(Goal::Later { plan, interval })),
    }
}

/// One thing to do at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take a schedule off the subscription.
    ReleaseSchedule {
        /// The provider's id of the schedule.
        schedule: String,
    },
    /// Take a scheduled end off the subscription.
    ClearCancel,
    /// Change the price now and charge the difference.
    ChangePrice,
    /// Put a schedule on the subscription, still without another price.
    CreateSchedule,
    /// Let a schedule change the price at the period's end.
    SetNextPhase {
        /// The provider's id of the schedule.
        schedule: String,
    },
    /// Schedule the end.
    CancelAtPeriodEnd,
    /// End it.
    CancelNow,
    /// Move the end of the trial.
    MoveTrialEnd,
}

impl Step {
    /// A word for it, part of the key under which it is sent.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ReleaseSchedule { .. } => "release",
            Self::ClearCancel => "clear_cancel",
            Self::ChangePrice => "change_price",
            Self::CreateSchedule => "create_schedule",
            Self::SetNextPhase { .. } => "set_next_phase",
            Self::CancelAtPeriodEnd => "cancel_at_period_end",
            Self::CancelNow => "cancel_now",
            Self::MoveTrialEnd => "move_trial_end",
        }
    }
}

/// The one step that is missing between what the provider has and the goal; `None`: it is there.
///
/// `price` is the provider's id of the goal's price, for goals that have one. A price change that
/// waits for its payment counts as done: the payment is the customer's to make.
pub fn next_step(seen: &SubscriptionSnapshot, goal: &Goal, price: Option<&str>) -> Option<Step> {
    if seen.ended_at.is_some() {
        return None;
    }
    let schedule = seen.schedule.as_ref();
    let release = schedule.map(|s| Step::ReleaseSchedule { schedule: s.id.clone() });
    let clear = seen.cancel_at.map(|_| Step::ClearCancel);
    match goal {
        Goal::EndNow => Some(Step::CancelNow),
        Goal::EndLater => release.or(match seen.cancel_at {
            None => Some(Step::CancelAtPeriodEnd),
            Some(_) => None,
        }),
        Goal::Stay => release.or(clear),
        // A trial that is over at the provider is not begun anew.
        Goal::TrialUntil { until } => seen
            .trial
            .is_some_and(|trial| trial.end < *until && seen.status == SubscriptionStatus::Trialing)
            .then_some(Step::MoveTrialEnd),
        Goal::Now { .. } => {
            let waiting = seen.pending_update.as_ref().map(|update| update.price.as_str());
            let there =
                Some(seen.price.as_str()) == price || (waiting.is_some() && waiting == price);
            let change = (!there).then_some(Step::ChangePrice);
            release.or(clear).or(change)
        }
        Goal::Later { .. } => {
            let next = schedule.and_then(|s| s.next.as_ref()).map(|phase| phase.price.as_str());
            clear.or_else(|| match schedule {
                None => Some(Step::CreateSchedule),
                Some(_) if next.is_some() && next == price => None,
                Some(s) => Some(Step::SetNextPhase { schedule: s.id.clone() }),
            })
        }
    }
}

/// When a change that waits takes effect.
pub fn effective_at(sub: &Subscription, goal: &Goal, now: Timestamp) -> Timestamp {
    match goal {
        Goal::Now { .. } | Goal::EndNow | Goal::Stay | Goal::TrialUntil { .. } => now,
        Goal::Later { .. } | Goal::EndLater => sub.period.end,
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
