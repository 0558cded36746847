//! The try that somebody asks for: charge the failed invoice now, once.

use farthing_core::decline;
use farthing_core::money::Money;
use farthing_core::snapshot::{InvoiceSnapshot, InvoiceStatus};
use farthing_core::time::Timestamp;
use farthing_store::intents::Intent;
use farthing_store::previews::{self, Preview};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, dunning, invoices};
use serde::Serialize;

use super::pay::{By, Tried};
use crate::changes::{ChangePreview, PREVIEW_FOR, PreviewLine, preview_changed};
use crate::subscriptions::SubscriptionView;
use crate::{Call, Engine, EngineError};

/// How long after a try nobody may ask for another one, in seconds: a second click is none.
const NOT_AGAIN_FOR: i64 = 10;

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryOutcome {
    /// It is paid.
    Paid,
    /// The bank declined it.
    Declined,
    /// The bank wants to hear from the customer first.
    ActionRequired,
}

/// What became of a try that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// What it came to.
    pub outcome: RetryOutcome,
    /// What was to be paid.
    pub amount: Money,
    /// Why it was not, in the provider's word.
    pub decline_code: Option<String>,
    /// One sentence for the customer.
    pub message: String,
    /// Where the customer can pay or confirm, while it is not paid.
    pub payment_url: Option<String>,
    /// The subscription afterwards.
    pub subscription: SubscriptionView,
}

impl Engine {
    /// What a try would charge. Nothing is charged, and the token counts for 15 minutes.
    ///
    /// Errors: no such subscription, nothing is owed, and the provider's.
    pub fn preview_retry(&self, id: &str) -> Result<ChangePreview, EngineError> {
        let (stored, owed) = self.read(|_, tx| owed_of(tx, id))?;
        let seen = self.stripe()?.fetch_invoice(&owed.provider_id)?;
        let due_now = still_owed(&seen).ok_or_else(nothing_due)?;
        let now = self.now();
        let preview = Preview {
            customer: stored.customer,
            id: self.new_id(farthing_core::ids::IdKind::Preview),
            subscription: stored.id,
            goal: goal_of(&owed),
            due_now,
            proration_at: now,
            expires_at: now.plus_seconds(PREVIEW_FOR),
        };
        let token = preview.id.clone();
        self.write(move |_, tx| Ok(previews::insert(tx, &preview)?))?;
        let lines = seen.lines.into_iter().map(|line| {
            let (description, amount) = (line.description, line.amount);
            PreviewLine { description, amount }
        });
        Ok(ChangePreview {
            due_now,
            lines: lines.collect(),
            effective_at: now,
            next_charge: None,
            blocked_by: Vec::new(),
            preview_token: Some(token),
        })
    }

    /// Charges the failed invoice of a subscription now, once. A decline is an answer, not an error.
    ///
    /// Errors: no such subscription, nothing is owed, a try or change is in progress or was a moment
    /// ago, what was shown no longer holds, and the provider's.
    pub fn retry_payment(
        &self,
        call: &Call,
        id: &str,
        token: Option<&str>,
    ) -> Result<Retried, EngineError> {
        let (_, owed) = self.read(|_, tx| owed_of(tx, id))?;
        let seen = self.stripe()?.fetch_invoice(&owed.provider_id)?;
        let amount = still_owed(&seen).ok_or_else(nothing_due)?;
        let (call2, id2, token) = (call.clone(), id.to_owned(), token.map(str::to_owned));
        let intent = self.write(move |engine, tx| {
            engine.begin_asked(tx, &call2, &id2, (token.as_deref(), amount))
        })?;
        let tried = self.get_paid(call, &intent)?;
        self.retried(id, amount, &tried)
    }

    fn begin_asked(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &str,
        (token, amount): (Option<&str>, Money),
    ) -> Result<Intent, EngineError> {
        let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
        let (customer, stored) = self.owner_of(tx, id)?.ok_or_else(missing)?;
        let owed = invoices::newest_owed(tx, &customer.id, id)?.ok_or_else(nothing_due)?;
        if let Some(token) = token {
            let shown = previews::find(tx, &customer.id, token)?.ok_or_else(preview_changed)?;
            let same = shown.subscription == id && shown.goal == goal_of(&owed);
            if !same || shown.due_now != amount || shown.expires_at <= self.now() {
                return Err(preview_changed());
            }
        }
        let case = dunning::open_of(tx, &customer.id, id)?;
        let last = case.as_ref().and_then(|case| case.tried_at);
        if last.is_some_and(|last: Timestamp| self.now() < last.plus_seconds(NOT_AGAIN_FOR)) {
            return Err(EngineError::refused(
                "retry_too_soon",
                "this payment was tried a moment ago; nothing was charged by this request: read the subscription, and ask again in ten seconds if it is still owed",
            ));
        }
        self.reachable()?;
        let whose = (&customer, &stored, case);
        self.begin_pay(tx, call, whose, (&owed.provider_id, By::Asked))
    }

    fn retried(&self, id: &str, amount: Money, tried: &Tried) -> Result<Retried, EngineError> {
        let subscription = self.subscription(id)?;
        let (code, confirm) = match tried {
            Tried::Paid => {
                return Ok(Retried {
                    outcome: RetryOutcome::Paid,
                    amount,
                    decline_code: None,
                    message: "The payment went through.".to_owned(),
                    payment_url: None,
                    subscription,
                });
            }
            Tried::Refused { code, decline_code } => {
                let code = decline_code.as_deref().unwrap_or(code);
                (code.to_owned(), decline::is_confirm(code))
            }
        };
        let url = self.read(|_, tx| {
            let owed = invoices::newest_owed(tx, &subscription.customer, id)?;
            Ok(owed.and_then(|invoice| invoice.hosted_url))
        })?;
        let outcome = if confirm { RetryOutcome::ActionRequired } else { RetryOutcome::Declined };
        let message = decline::reason(Some(&code)).to_owned();
        let decline_code = Some(code);
        Ok(Retried { outcome, amount, decline_code, message, payment_url: url, subscription })
    }
}

/// What is owed for a subscription. Errors: there is no such subscription, or nothing is owed.
fn owed_of(tx: &mut Tx<'_>, id: &str) -> Result<(Stored, invoices::Invoice), EngineError> {
    let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
    let stored = subscriptions::find(tx, id)?.ok_or_else(missing)?;
    let owed = invoices::newest_owed(tx, &stored.customer, id)?.ok_or_else(nothing_due)?;
    Ok((stored, owed))
}

/// What a try would charge: what the invoice asks of the card, after credit. `None`: nothing.
fn still_owed(seen: &InvoiceSnapshot) -> Option<Money> {
    if !matches!(seen.status, InvoiceStatus::Open | InvoiceStatus::Uncollectible) {
        return None;
    }
    let rest = Money::new(seen.total.minor - seen.paid.minor, seen.total.currency);
    Some(seen.payments.last().map_or(rest, |payment| payment.amount))
}

fn goal_of(owed: &invoices::Invoice) -> String {
    format!("retry:{}", owed.provider_id)
}

fn nothing_due() -> EngineError {
    EngineError::refused(
        "nothing_due",
        "no payment of this subscription is overdue; nothing was charged",
    )
}
