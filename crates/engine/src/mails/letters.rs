//! Which event makes which mail. One match: a new event has to say whether somebody is told.

use farthing_core::catalog::Catalog;
use farthing_core::subscription::{Event, PaidPeriod, Pending, Subscription};
use farthing_mail::letter::{
    ChangeScheduled, Direction, Ending, Lapse, Letter, PlanChanged, Standing,
};
use farthing_store::Tx;
use farthing_store::customers::Customer;
use farthing_store::subscriptions::Stored;

use super::{Occasion, plan_name};
use crate::{Engine, EngineError};

/// What a mail about a subscription is made from.
pub(super) struct Scene<'a> {
    /// The customer before the change.
    pub before: &'a Customer,
    /// The customer now.
    pub customer: &'a Customer,
    pub catalog: &'a Catalog,
    /// The subscription now.
    pub stored: &'a Stored,
}

impl Engine {
    /// Leaves the mails that the events of one change cause.
    pub(crate) fn mail_events(
        &self,
        tx: &mut Tx<'_>,
        (before, customer, catalog): (&Customer, &Customer, &Catalog),
        stored: &Stored,
        events: &[Event],
    ) -> Result<(), EngineError> {
        let scene = Scene { before, customer, catalog, stored };
        for event in events.iter().filter(|event| !is_overtaken(event, events)) {
            let Some((key, letter)) = self.letter(tx, &scene, event)? else { continue };
            let (customer, subject) = (Some(&customer.id), stored.id.as_str());
            self.mail(tx, &Occasion { customer, key, subject, letter })?;
        }
        Ok(())
    }

    /// The letter for an event, with the fact that it tells; `None`: nobody is told.
    fn letter(
        &self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_>,
        event: &Event,
    ) -> Result<Option<(String, Letter)>, EngineError> {
        let sub = &scene.stored.subscription;
        // What can happen again later, such as a cancellation, is told by the state's revision.
        let fact = |word: &str| format!("{word}:{}:{}", scene.stored.id, scene.customer.revision);
        Ok(match event {
            Event::WentPastDue
            | Event::AccessLimited
            | Event::DunningExhausted
            | Event::Recovered => self.dunning_letter(tx, scene, event)?,
            Event::TrialEnded => {
                let key = format!("trial_ended:{}", scene.stored.id);
                Some((key, Letter::TrialEnded(lapse(scene, None))))
            }
            Event::PlanChanged { from, paid } => {
                let key = format!("plan_changed:{}", paid.invoice);
                Some((key, Letter::PlanChanged(changed(scene, from, paid))))
            }
            Event::ChangeScheduled(pending) => {
                let letter = Letter::ChangeScheduled(scheduled(scene, pending));
                Some((fact("change_scheduled"), letter))
            }
            Event::ChangeUnscheduled => {
                Some((fact("change_undone"), Letter::ChangeUndone(standing(scene.catalog, sub))))
            }
            Event::CancelScheduled(at) => {
                let ending = Ending {
                    plan: plan_name(scene.catalog, &sub.plan),
                    at: *at,
                    then: plan_name(scene.catalog, &scene.catalog.fallback),
                };
                Some((fact("cancel_scheduled"), Letter::CancelScheduled(ending)))
            }
            Event::CancelUndone => {
                Some((fact("cancel_undone"), Letter::CancelUndone(standing(scene.catalog, sub))))
            }
            // After a trial or a payment that never came the plan was gone before, and told so.
            Event::Ended if scene.before.plan != scene.customer.plan => {
                let key = format!("plan_ended:{}", scene.stored.id);
                Some((key, Letter::PlanEnded(lapse(scene, None))))
            }
            // The provider's receipt, or the page that the customer looks at, says it already.
            Event::TrialStarted => {
                self.remind_of_trial(tx, scene.catalog, scene.stored)?;
                None
            }
            Event::Ended
            | Event::TrialConverted(_)
            | Event::Activated(_)
            | Event::Renewed(_)
            | Event::PaidLate(_)
            | Event::Paused
            | Event::Resumed => None,
        })
    }
}

/// Whether another event of the same change says more: a new schedule replaces the one before,
/// which need not be told as undone as well.
fn is_overtaken(event: &Event, all: &[Event]) -> bool {
    let replaces = |other: &Event| {
        matches!(
            other,
            Event::PlanChanged { .. }
                | Event::ChangeScheduled(_)
                | Event::CancelScheduled(_)
                | Event::Ended
        )
    };
    matches!(event, Event::ChangeUnscheduled | Event::CancelUndone) && all.iter().any(replaces)
}

/// A plan that the customer no longer has.
pub(super) fn lapse(
    scene: &Scene<'_>,
    kept_until: Option<farthing_core::time::Timestamp>,
) -> Lapse {
    Lapse {
        plan: plan_name(scene.catalog, &scene.before.plan),
        now: plan_name(scene.catalog, &scene.customer.plan),
        kept_until,
    }
}

/// A subscription in good order.
pub(super) fn standing(catalog: &Catalog, sub: &Subscription) -> Standing {
    Standing { plan: plan_name(catalog, &sub.plan), renews_at: Some(sub.period.end) }
}

fn changed(scene: &Scene<'_>, from: &str, paid: &PaidPeriod) -> PlanChanged {
    use farthing_core::catalog::Direction as Move;
    let catalog = scene.catalog;
    let to = (paid.plan.as_str(), Some(paid.interval));
    let direction = match catalog.direction((from, Some(paid.interval)), to) {
        Some(Move::Upgrade) => Direction::Up,
        Some(Move::Downgrade) | None => Direction::Down,
        Some(Move::LongerInterval | Move::ShorterInterval | Move::Same) => Direction::Interval,
    };
    PlanChanged {
        direction,
        from: plan_name(catalog, from),
        to: plan_name(catalog, &paid.plan),
        price: paid.amount,
        interval: paid.interval,
        renews_at: paid.period.end,
    }
}

fn scheduled(scene: &Scene<'_>, pending: &Pending) -> ChangeScheduled {
    ChangeScheduled {
        from: plan_name(scene.catalog, &scene.stored.subscription.plan),
        to: plan_name(scene.catalog, &pending.plan),
        interval: pending.interval,
        at: pending.at,
    }
}
