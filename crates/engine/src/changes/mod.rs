//! Changing a subscription: decide, take the lock, and get there step by step.
//!
//! The open intent is the lock: a partial unique index allows one per customer. It is closed in the
//! same transaction that absorbs what the provider has afterwards. When an answer is lost the
//! intent stays, and a job goes on from what the provider has, with the same keys.
//!
//! By the stages of the way: `preview` shows it, `decide` decides and takes the lock, `journey` gets
//! there, `boundary` looks at a move down once more before it happens.

pub(crate) mod boundary;
mod decide;
mod journey;
mod preview;

use farthing_core::change::{Command, Goal};
use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::Timestamp;
use farthing_store::intents::{self, IntentState};
use farthing_store::subscriptions;
use serde::Serialize;

pub(crate) use self::decide::in_progress;
use self::journey::{Journey, journey};
pub(crate) use self::preview::{PREVIEW_FOR, preview_changed};
use crate::dunning::PAY;
use crate::payment_methods;
use crate::subscriptions::SubscriptionView;
use crate::{Call, Engine, EngineError};

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

impl Engine {
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
                match intent.new.kind.as_str() {
                    PAY => self.get_paid(call, &intent).map(drop),
                    payment_methods::KIND => self.go_on_with_method(call, &intent),
                    _ => self.get_there(call, &intent),
                }
            }
            _ => Ok(()),
        }
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
            Goal::EndNow | Goal::Stay | Goal::TrialUntil { .. } => self.changed(id, "done", now),
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
}
