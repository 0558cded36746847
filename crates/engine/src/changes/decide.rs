//! Deciding a change, and taking the customer's lock for it.

use farthing_core::change::{self, Command, Goal, Rejection};
use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_store::customers::Customer;
use farthing_store::intents::{self, Inserted, Intent, NewIntent};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers};
use serde_json::json;

use super::boundary::Blocked;
use super::journey::Journey;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::room::{held, no_room};
use crate::{Call, Engine, EngineError};

/// A change that may be made: whose, of what, to where.
pub(super) struct Decided {
    pub(super) stored: Stored,
    pub(super) goal: Goal,
    /// Why a scheduled move is given up, when nobody asked for it.
    pub(super) blocked: Option<Blocked>,
}

/// How long after a lost answer the provider is asked, in seconds.
const RESOLVE_AFTER: i64 = 20;

impl Engine {
    pub(super) fn decided(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        command: &Command,
    ) -> Result<(Stored, Result<Option<Goal>, Rejection>), EngineError> {
        let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
        let stored = subscriptions::find(tx, id)?.ok_or_else(missing)?;
        let (_, catalog) = self.catalog(tx)?;
        let held = held(tx, &stored.customer, self.now())?;
        let decided = change::decide(&catalog, &stored.subscription, command, &held);
        Ok((stored, decided))
    }

    /// Decides, and takes the lock; `None` when there is nothing to do.
    pub(super) fn take_lock(
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
        let decided = Decided { stored, goal, blocked: None };
        self.begin(tx, call, &customer, (&decided, proration_at)).map(Some)
    }

    /// Takes the lock for what was decided. `customer` is locked.
    pub(super) fn begin(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        (decided, proration_at): (&Decided, Timestamp),
    ) -> Result<Intent, EngineError> {
        let journey = self.plan_journey(tx, decided, proration_at)?;
        let now = self.now();
        let intent_id = self.new_id(IdKind::Intent);
        let new = NewIntent {
            id: intent_id.clone(),
            customer: Some(customer.id.clone()),
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
        if decided.blocked.is_none() {
            self.note_request(tx, call, customer, (&intent_id, &journey.goal))?;
        }
        let missing = || EngineError::NotFound { what: "intent", id: intent_id.clone() };
        intents::get(tx, &intent_id)?.ok_or_else(missing)
    }

    fn note_request(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        (intent_id, goal): (&str, &Goal),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let to = json!({ "intent": intent_id, "goal": goal, "reason": call.reason });
        let to = Some(to);
        let action = "subscription.change_requested";
        let change = Change { action, from: None, to, effective_at: now };
        self.record(tx, call, customer, &change)
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
            Goal::EndLater | Goal::EndNow | Goal::Stay | Goal::TrialUntil { .. } => None,
        };
        Ok(Journey {
            subscription: decided.stored.id.clone(),
            provider_id: decided.stored.provider_id.clone(),
            goal: decided.goal.clone(),
            price,
            proration_at,
            blocked: decided.blocked.clone(),
        })
    }
}

pub(crate) fn in_progress(open: &Intent) -> EngineError {
    EngineError::refused(
        "change_in_progress",
        format!(
            "another change of this customer is in progress since {}; nothing was changed by this one, try again in a moment",
            open.new.created_at
        ),
    )
}

/// A rejection in words.
pub(super) fn refusal(rejection: &Rejection, stored: &Stored) -> EngineError {
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
        Rejection::NotOnTrial => {
            format!("the subscription is {}, not on trial", sub.status.as_str())
        }
        Rejection::ChangeScheduled => {
            "an end or a change is scheduled: resume first, then make the trial longer".to_owned()
        }
        Rejection::NotLater { ends_at } => {
            format!("the trial ends at {ends_at}, which is not earlier: name a later instant")
        }
        Rejection::OverLimit(over) => return no_room(over),
    };
    EngineError::refused(code, format!("nothing was changed: {message}"))
}
