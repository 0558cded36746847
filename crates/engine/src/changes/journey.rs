//! Getting to where a change leads: look, take the step that is missing, look again.

use farthing_core::change::{self, Goal, Step};
use farthing_core::snapshot::{Snapshot, SubscriptionSnapshot};
use farthing_core::time::Timestamp;
use farthing_providers::CallError;
use farthing_providers::stripe::{PhasesUpdate, PriceChange};
use farthing_store::intents::{self, Intent};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::boundary::Blocked;
use crate::absorb::Sighting;
use crate::{Call, Engine, EngineError};

/// What is stored with an intent: all that is needed to get there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Journey {
    pub(super) subscription: String,
    pub(super) provider_id: String,
    pub(super) goal: Goal,
    pub(super) price: Option<String>,
    pub(super) proration_at: Timestamp,
    /// Why nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blocked: Option<Blocked>,
}

/// How many steps a journey may take; the longest there is has three.
const STEPS_MAX: usize = 8;
/// How often a step is tried with one key; the last pauses between them are minutes long, so that
/// no earlier try can still be on its way.
const TRIES_PER_KEY: i64 = 8;

impl Engine {
    /// Looks, takes the step that is missing, and looks again, until nothing is missing; then
    /// absorbs what is there and opens the lock.
    pub(super) fn get_there(&self, call: &Call, intent: &Intent) -> Result<(), EngineError> {
        let journey = journey(intent)?;
        for _ in 0..STEPS_MAX {
            let fetch = self.next_fetch()?;
            let seen = match self.stripe()?.fetch_subscription(&journey.provider_id) {
                Ok(seen) => seen,
                Err(error) => return self.lost(intent, &error),
            };
            let Some(step) = change::next_step(&seen, &journey.goal, journey.price.as_deref())
            else {
                return self.arrive(call, (intent, &journey), (seen, fetch));
            };
            match self.take_step(intent, &journey, (&seen, &step)) {
                Ok(()) => {}
                Err(CallError::Refused { code, message, .. }) => {
                    return self.give_up(call, intent, (seen, fetch), (code, message));
                }
                Err(error) => return self.lost(intent, &error),
            }
        }
        let (code, message) = ("no_end".to_owned(), "the provider never got there".to_owned());
        self.close_refused(intent, &code, &message)?;
        Err(EngineError::ProviderRefused { code, message })
    }

    fn take_step(
        &self,
        intent: &Intent,
        journey: &Journey,
        (seen, step): (&SubscriptionSnapshot, &Step),
    ) -> Result<(), CallError> {
        let Some(stripe) = &self.inner.stripe else {
            return Err(CallError::Unavailable("no provider is configured".to_owned()));
        };
        let key = key_of(intent, step);
        let price = journey.price.as_deref().unwrap_or_default();
        match step {
            Step::ReleaseSchedule { schedule } => stripe.release_schedule(schedule, &key).map(drop),
            Step::ClearCancel => stripe.clear_cancel_at(&seen.id, &key).map(drop),
            Step::ChangePrice => stripe
                .change_price_now(&PriceChange {
                    subscription: seen.id.clone(),
                    item: seen.item.clone(),
                    price: price.to_owned(),
                    proration_at: Some(journey.proration_at),
                    key,
                })
                .map(drop),
            Step::CreateSchedule => stripe.create_schedule(&seen.id, &key).map(drop),
            Step::SetNextPhase { schedule } => {
                let running = seen.schedule.as_ref().and_then(|known| known.current.clone());
                let (Some(current), Goal::Later { interval, .. }) = (running, &journey.goal) else {
                    return Err(CallError::Unknown(format!("{schedule} has no running phase")));
                };
                let update = PhasesUpdate {
                    schedule: schedule.clone(),
                    current,
                    boundary: seen.period.end,
                    next_price: price.to_owned(),
                    next_interval: *interval,
                    key,
                };
                stripe.update_schedule(&update).map(drop)
            }
            Step::CancelAtPeriodEnd => {
                stripe.set_cancel_at_period_end(&seen.id, true, &key).map(drop)
            }
            Step::MoveTrialEnd => match &journey.goal {
                Goal::TrialUntil { until } => {
                    stripe.set_trial_end(&seen.id, *until, &key).map(drop)
                }
                _ => Ok(()),
            },
            Step::CancelNow => stripe.cancel_subscription_now(&seen.id).map(drop),
        }
    }

    /// Nothing is missing: what is there is absorbed, and the lock opens.
    fn arrive(
        &self,
        call: &Call,
        (intent, journey): (&Intent, &Journey),
        (seen, fetch): (SubscriptionSnapshot, i64),
    ) -> Result<(), EngineError> {
        let (call, id, journey) = (call.clone(), intent.new.id.clone(), journey.clone());
        let snapshots = vec![Snapshot::Subscription(Box::new(seen))];
        self.write(move |engine, tx| {
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            engine.absorb(tx, &call, &sighting)?;
            let closed = intents::close(tx, &id, false, "{}", engine.now())?;
            if let (Goal::TrialUntil { until }, true) = (&journey.goal, closed) {
                engine.tell_extended(tx, &call, (&journey.subscription, *until))?;
            }
            match (&journey.blocked, closed) {
                (Some(blocked), true) => {
                    engine.tell_blocked(tx, &call, (&journey.subscription, blocked))
                }
                _ => Ok(()),
            }
        })
    }

    /// The provider said no: what is there is absorbed, the lock opens, and the caller is told.
    fn give_up(
        &self,
        call: &Call,
        intent: &Intent,
        (seen, fetch): (SubscriptionSnapshot, i64),
        (code, message): (String, String),
    ) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), intent.new.id.clone());
        let snapshots = vec![Snapshot::Subscription(Box::new(seen))];
        let response = json!({ "code": code, "message": message }).to_string();
        self.write(move |engine, tx| {
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            engine.absorb(tx, &call, &sighting)?;
            intents::close(tx, &id, true, &response, engine.now())?;
            Ok(())
        })?;
        Err(EngineError::ProviderRefused { code, message })
    }

    /// An answer was lost, or the provider is away. The lock stays until it has been asked.
    fn lost(&self, intent: &Intent, error: &CallError) -> Result<(), EngineError> {
        let id = intent.new.id.clone();
        // Who was not asked has not failed to answer.
        if !matches!(error, CallError::HeldBack { .. }) {
            self.write(move |engine, tx| {
                intents::mark_unknown(tx, &id, engine.now())?;
                Ok(())
            })?;
        }
        Err(error.clone().into())
    }

    fn close_refused(&self, intent: &Intent, code: &str, message: &str) -> Result<(), EngineError> {
        let id = intent.new.id.clone();
        let response = json!({ "code": code, "message": message }).to_string();
        self.write(move |engine, tx| {
            intents::close(tx, &id, true, &response, engine.now())?;
            Ok(())
        })
    }
}

/// The key of a step: the same for every try.
///
/// A provider keeps even an error of its own for a key, for a day. So after many tries, minutes
/// apart, before each of which the provider was seen not to have done it, there is another key; the
/// customer's lock does not stay for a day.
fn key_of(intent: &Intent, step: &Step) -> String {
    let key = format!("{}:{}", intent.new.idempotency_key, step.word());
    match intent.attempts / TRIES_PER_KEY {
        0 => key,
        n => format!("{key}:{n}"),
    }
}

/// What is stored with an intent.
pub(super) fn journey(intent: &Intent) -> Result<Journey, EngineError> {
    serde_json::from_str(&intent.new.request).map_err(|_| {
        EngineError::refused("unknown_intent", "this version does not know this intent; upgrade")
    })
}
