//! Changing a subscription: decide, take the lock, and get there step by step.
//!
//! The open intent is the lock: a partial unique index allows one per customer. It is closed in the
//! same transaction that absorbs what the provider has afterwards. When an answer is lost the
//! intent stays, and a job goes on from what the provider has, with the same keys.

use std::collections::BTreeMap;

use farthing_core::change::{self, Command, Goal, Rejection, Step};
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::money::Money;
use farthing_core::snapshot::{Snapshot, SubscriptionSnapshot};
use farthing_core::time::{Interval, Timestamp};
use farthing_providers::CallError;
use farthing_providers::stripe::{PhasesUpdate, PriceChange};
use farthing_store::intents::{self, Inserted, Intent, IntentState, NewIntent};
use farthing_store::previews::{self, Preview};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers, entitlements};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::absorb::Sighting;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::subscriptions::SubscriptionView;
use crate::{Call, Engine, EngineError, FieldError};

/// What a change would cost and do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangePreview {
    /// What is charged at once; 0 for a change that waits.
    pub due_now: Money,
    /// What that is made of.
    pub lines: Vec<PreviewLine>,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// What is charged next, and when; `null` when nothing is.
    pub next_charge: Option<NextCharge>,
    /// What has to go first, in sentences; when there is anything, the change is refused.
    pub blocked_by: Vec<String>,
    /// Sent with the change, it costs exactly this or is refused; `null` when it is blocked.
    pub preview_token: Option<String>,
}

/// One line of a [`ChangePreview`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewLine {
    /// What it is for.
    pub description: String,
    /// Its amount; negative for a credit.
    pub amount: Money,
}

/// The next regular charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextCharge {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `done`, `scheduled`, `payment_pending` or `unchanged`.
    pub outcome: &'static str,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// Where the customer can pay, when a payment is pending.
    pub payment_url: Option<String>,
    /// The subscription afterwards.
    pub subscription: SubscriptionView,
}

/// What is stored with an intent: all that is needed to get there.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Journey {
    subscription: String,
    provider_id: String,
    goal: Goal,
    price: Option<String>,
    proration_at: Timestamp,
}

/// A change that may be made: whose, of what, to where.
struct Decided {
    stored: Stored,
    goal: Goal,
}

/// How long a preview counts, in seconds.
const PREVIEW_FOR: i64 = 15 * 60;
/// How many steps a journey may take; the longest there is has three.
const STEPS_MAX: usize = 8;
/// How long after a lost answer the provider is asked, in seconds.
const RESOLVE_AFTER: i64 = 20;

impl Engine {
    /// What a change would cost and do. Nothing is changed, and nothing is promised beyond 15
    /// minutes.
    pub fn preview_change(
        &self,
        id: &str,
        command: &Command,
    ) -> Result<ChangePreview, EngineError> {
        let (stored, decided) = self.read(|engine, tx| engine.decided(tx, id, command))?;
        let sub = &stored.subscription;
        let zero = Money::new(0, sub.currency);
        let goal = match decided {
            Ok(goal) => goal,
            Err(Rejection::OverLimit(over)) => {
                return Ok(ChangePreview {
                    due_now: zero,
                    lines: Vec::new(),
                    effective_at: sub.period.end,
                    next_charge: None,
                    blocked_by: over.into_iter().map(|found| found.message).collect(),
                    preview_token: None,
                });
            }
            Err(rejection) => return Err(refusal(&rejection, &stored)),
        };
        let now = self.now();
        let effective_at = goal.as_ref().map_or(now, |goal| change::effective_at(sub, goal, now));
        let (due_now, lines, next_charge) = match &goal {
            Some(Goal::Now { plan, interval }) => {
                self.price_now(&stored, (plan, *interval), now)?
            }
            Some(Goal::EndNow | Goal::EndLater) => (zero, Vec::new(), None),
            Some(Goal::Later { plan, interval }) => {
                let amount = self.plan_price(&stored, plan, *interval)?;
                let next = amount.map(|amount| NextCharge { at: sub.period.end, amount });
                (zero, Vec::new(), next)
            }
            Some(Goal::Stay) | None => {
                let amount = self.plan_price(&stored, &sub.plan, sub.interval)?;
                let next = amount.map(|amount| NextCharge { at: sub.period.end, amount });
                (zero, Vec::new(), next)
            }
        };
        let token = self.remember(&stored, goal.as_ref(), due_now, now)?;
        let preview_token = Some(token);
        let blocked_by = Vec::new();
        Ok(ChangePreview { due_now, lines, effective_at, next_charge, blocked_by, preview_token })
    }

    /// Changes, cancels or resumes a subscription.
    ///
    /// With a preview's token it costs exactly what was shown. Errors: what is refused, a change
    /// that is in flight already, a preview that no longer holds, and the provider's.
    pub fn change(
        &self,
        call: &Call,
        id: &str,
        command: &Command,
        token: Option<&str>,
    ) -> Result<Changed, EngineError> {
        self.stripe()?;
        let proration_at = match token {
            None => self.now(),
            Some(token) => self.confirm(id, command, token)?,
        };
        let (call2, id2, command2) = (call.clone(), id.to_owned(), command.clone());
        let intent = self.write(move |engine, tx| {
            let intent = engine.take_lock(tx, &call2, &id2, &command2, proration_at)?;
            intent.is_some().then(|| engine.reachable()).transpose()?;
            Ok(intent)
        })?;
        let Some(intent) = intent else {
            return self.changed(id, "unchanged", self.now());
        };
        self.get_there(call, &intent)?;
        let journey = journey(&intent)?;
        self.outcome(id, &journey)
    }

    /// Goes on with an intent whose outcome is not known.
    pub(crate) fn resolve_intent(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let intent = self.read(|_, tx| Ok(intents::get(tx, id)?))?;
        match intent {
            Some(intent) if matches!(intent.state, IntentState::Open | IntentState::Unknown) => {
                self.get_there(call, &intent)
            }
            _ => Ok(()),
        }
    }

    fn decided(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        command: &Command,
    ) -> Result<(Stored, Result<Option<Goal>, Rejection>), EngineError> {
        let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
        let stored = subscriptions::find(tx, id)?.ok_or_else(missing)?;
        let (_, catalog) = self.catalog(tx)?;
        let held: BTreeMap<String, i64> = entitlements::of_customer(tx, &stored.customer)?
            .into_iter()
            .map(|stored| (stored.feature, stored.entitlement.used))
            .collect();
        let decided = change::decide(&catalog, &stored.subscription, command, &held);
        Ok((stored, decided))
    }

    /// Decides, and takes the lock; `None` when there is nothing to do.
    fn take_lock(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &str,
        command: &Command,
        proration_at: Timestamp,
    ) -> Result<Option<Intent>, EngineError> {
        let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
        let owner = subscriptions::find(tx, id)?.ok_or_else(missing)?.customer;
        let customer = customers::lock(tx, &owner)?;
        let customer = customer.ok_or_else(|| EngineError::no_customer(&owner))?;
        if let Some(open) = intents::open_change(tx, &owner)? {
            return Err(in_progress(&open));
        }
        let (stored, decided) = self.decided(tx, id, command)?;
        let goal = match decided {
            Ok(None) => return Ok(None),
            Ok(Some(goal)) => goal,
            Err(rejection) => return Err(refusal(&rejection, &stored)),
        };
        let decided = Decided { stored, goal };
        let journey = self.plan_journey(tx, &decided, proration_at)?;
        let now = self.now();
        let intent_id = self.new_id(IdKind::Intent);
        let new = NewIntent {
            id: intent_id.clone(),
            customer: Some(owner.clone()),
            kind: "subscription.change".to_owned(),
            is_change: true,
            idempotency_key: format!("farthing:change:{intent_id}"),
            request: serde_json::to_string(&journey).expect("a journey is plain data"),
            created_at: now,
        };
        match intents::insert(tx, &new)? {
            Inserted::Inserted => {}
            Inserted::Same(open) | Inserted::ChangeInProgress(open) => {
                return Err(in_progress(&open));
            }
        }
        let job = Job::ResolveIntent { intent: intent_id.clone() };
        self.enqueue(tx, &job, now.plus_seconds(RESOLVE_AFTER))?;
        let to = json!({ "intent": intent_id, "goal": journey.goal, "reason": call.reason });
        let to = Some(to);
        let action = "subscription.change_requested";
        let change = Change { action, from: None, to, effective_at: now };
        self.record(tx, call, &customer, &change)?;
        Ok(intents::get(tx, &intent_id)?)
    }

    fn plan_journey(
        &self,
        tx: &mut Tx<'_>,
        decided: &Decided,
        proration_at: Timestamp,
    ) -> Result<Journey, EngineError> {
        let sub = &decided.stored.subscription;
        let price = match &decided.goal {
            Goal::Now { plan, interval } | Goal::Later { plan, interval } => {
                Some(self.known_price(tx, (plan, *interval), sub.currency)?)
            }
            Goal::EndLater | Goal::EndNow | Goal::Stay => None,
        };
        Ok(Journey {
            subscription: decided.stored.id.clone(),
            provider_id: decided.stored.provider_id.clone(),
            goal: decided.goal.clone(),
            price,
            proration_at,
        })
    }

    /// Looks, takes the step that is missing, and looks again, until nothing is missing; then
    /// absorbs what is there and opens the lock.
    fn get_there(&self, call: &Call, intent: &Intent) -> Result<(), EngineError> {
        let journey = journey(intent)?;
        for _ in 0..STEPS_MAX {
            let fetch = self.next_fetch()?;
            let seen = match self.stripe()?.fetch_subscription(&journey.provider_id) {
                Ok(seen) => seen,
                Err(error) => return self.lost(intent, &error),
            };
            let Some(step) = change::next_step(&seen, &journey.goal, journey.price.as_deref())
            else {
                return self.arrive(call, intent, (seen, fetch));
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
        let key = format!("{}:{}", intent.new.idempotency_key, step.word());
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
            Step::CancelNow => stripe.cancel_subscription_now(&seen.id).map(drop),
        }
    }

    /// Nothing is missing: what is there is absorbed, and the lock opens.
    fn arrive(
        &self,
        call: &Call,
        intent: &Intent,
        (seen, fetch): (SubscriptionSnapshot, i64),
    ) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), intent.new.id.clone());
        let snapshots = vec![Snapshot::Subscription(Box::new(seen))];
        self.write(move |engine, tx| {
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            engine.absorb(tx, &call, &sighting)?;
            intents::close(tx, &id, false, "{}", engine.now())?;
            Ok(())
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
        self.write(move |engine, tx| {
            intents::mark_unknown(tx, &id, engine.now())?;
            Ok(())
        })?;
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

    /// The instant that a preview counted from, if it still holds.
    fn confirm(&self, id: &str, command: &Command, token: &str) -> Result<Timestamp, EngineError> {
        let changed = || {
            EngineError::refused(
                "preview_changed",
                "what was shown no longer holds; nothing was charged: ask for a new preview",
            )
        };
        let (stored, decided, preview) = self.read(|engine, tx| {
            let (stored, decided) = engine.decided(tx, id, command)?;
            let preview = previews::find(tx, &stored.customer, token)?;
            Ok((stored, decided, preview))
        })?;
        let goal = decided.map_err(|rejection| refusal(&rejection, &stored))?;
        let preview = preview.ok_or_else(changed)?;
        let same = preview.subscription == id && preview.goal == goal_text(goal.as_ref());
        if !same || preview.expires_at <= self.now() {
            return Err(changed());
        }
        if let Some(Goal::Now { plan, interval }) = &goal {
            let (due, _, _) = self.price_now(&stored, (plan, *interval), preview.proration_at)?;
            if due != preview.due_now {
                return Err(changed());
            }
        }
        Ok(preview.proration_at)
    }

    fn remember(
        &self,
        stored: &Stored,
        goal: Option<&Goal>,
        due_now: Money,
        now: Timestamp,
    ) -> Result<String, EngineError> {
        let preview = Preview {
            customer: stored.customer.clone(),
            id: self.new_id(IdKind::Preview),
            subscription: stored.id.clone(),
            goal: goal_text(goal),
            due_now,
            proration_at: now,
            expires_at: now.plus_seconds(PREVIEW_FOR),
        };
        self.write(move |_, tx| {
            previews::insert(tx, &preview)?;
            Ok(preview.id.clone())
        })
    }

    fn outcome(&self, id: &str, journey: &Journey) -> Result<Changed, EngineError> {
        let stored = self.read(|_, tx| Ok(subscriptions::find(tx, id)?))?;
        let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
        let sub = stored.ok_or_else(missing)?.subscription;
        let now = self.now();
        match &journey.goal {
            Goal::Now { plan, interval } if (&sub.plan, sub.interval) == (plan, *interval) => {
                self.changed(id, "done", now)
            }
            Goal::Now { .. } => self.changed(id, "payment_pending", now),
            Goal::Later { .. } | Goal::EndLater => self.changed(id, "scheduled", sub.period.end),
            Goal::EndNow | Goal::Stay => self.changed(id, "done", now),
        }
    }

    fn changed(
        &self,
        id: &str,
        outcome: &'static str,
        effective_at: Timestamp,
    ) -> Result<Changed, EngineError> {
        let subscription = self.subscription(id)?;
        let payment_url = match outcome {
            "payment_pending" => self.unpaid_url(&subscription.customer)?,
            _ => None,
        };
        Ok(Changed { outcome, effective_at, payment_url, subscription })
    }

    fn unpaid_url(&self, customer: &CustomerId) -> Result<Option<String>, EngineError> {
        let invoices = self.invoices(Some(customer), "", 5)?;
        let open = invoices.into_iter().find(|invoice| invoice.status == "open");
        Ok(open.and_then(|invoice| invoice.hosted_url))
    }

    fn price_now(
        &self,
        stored: &Stored,
        (plan, interval): (&str, Interval),
        at: Timestamp,
    ) -> Result<(Money, Vec<PreviewLine>, Option<NextCharge>), EngineError> {
        let stripe = self.stripe()?;
        let currency = stored.subscription.currency;
        let price = self.read(|engine, tx| engine.known_price(tx, (plan, interval), currency))?;
        let seen = stripe.fetch_subscription(&stored.provider_id)?;
        let shown = stripe.preview_change(&seen.id, &seen.item, &price, at)?;
        let lines = shown
            .lines
            .into_iter()
            .map(|line| PreviewLine { description: line.description, amount: line.amount });
        let next = shown.next_charge.map(|(at, amount)| NextCharge { at, amount });
        Ok((shown.due_now, lines.collect(), next))
    }

    fn plan_price(
        &self,
        stored: &Stored,
        plan: &str,
        interval: Interval,
    ) -> Result<Option<Money>, EngineError> {
        let currency = stored.subscription.currency;
        self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            Ok(catalog.plans.get(plan).and_then(|plan| plan.price(interval, currency)))
        })
    }
}

fn journey(intent: &Intent) -> Result<Journey, EngineError> {
    serde_json::from_str(&intent.new.request).map_err(|_| {
        EngineError::refused("unknown_intent", "this version does not know this intent; upgrade")
    })
}

fn goal_text(goal: Option<&Goal>) -> String {
    serde_json::to_string(&goal).expect("a goal is plain data")
}

fn in_progress(open: &Intent) -> EngineError {
    EngineError::refused(
        "change_in_progress",
        format!(
            "another change of this customer is in progress since {}; nothing was changed by this one, try again in a moment",
            open.new.created_at
        ),
    )
}

/// A rejection in words.
fn refusal(rejection: &Rejection, stored: &Stored) -> EngineError {
    let code = rejection.code();
    let sub = &stored.subscription;
    let message = match rejection {
        Rejection::UnknownPlan => "the catalog has no such plan".to_owned(),
        Rejection::NotSold => {
            format!("the plan is not sold at this interval in {}", sub.currency)
        }
        Rejection::SamePlan => format!("the customer is on {} already", sub.plan),
        Rejection::NothingToUndo => "nothing is scheduled that could be undone".to_owned(),
        Rejection::NotRunning(status) => {
            format!("the subscription is {}: buy a plan with a new checkout", status.as_str())
        }
        Rejection::PastDue => "a payment is overdue: it has to be paid first".to_owned(),
        Rejection::OverLimit(over) => {
            over.iter().map(|found| found.message.as_str()).collect::<Vec<_>>().join("; ")
        }
    };
    let errors = match rejection {
        Rejection::OverLimit(over) => over
            .iter()
            .map(|found| FieldError {
                pointer: "/plan".to_owned(),
                code: "over_limit",
                message: format!(
                    "{}: {} used, {} allowed",
                    found.feature, found.used, found.allowed
                ),
                fix: found.message.clone(),
            })
            .collect(),
        _ => Vec::new(),
    };
    EngineError::Refused { code, message: format!("nothing was changed: {message}"), errors }
}
