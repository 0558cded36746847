//! The call to the provider for a refund that was agreed to: made once, whatever gets lost.
//!
//! The key is derived from the refund. After a lost answer the provider is asked first, by the id
//! that we leave on every refund. Another key is used only when the provider provably has nothing
//! and the last try is long over, because it repeats a saved error under the old one.

use farthing_core::snapshot::RefundSnapshot;
use farthing_providers::CallError;
use farthing_providers::stripe::{NewRefund, RefundReason};
use farthing_store::intents::{self, Intent, IntentState};
use farthing_store::payments::{self, Payment};
use farthing_store::refunds::{self as rows, Refund, State};
use farthing_store::{Tx, customers};
use serde_json::json;

use crate::absorb_back::state_of;
use crate::refunds::find_refund;
use crate::{Call, Engine, EngineError};

/// How long after the last try another key may be used, in seconds: longer than any request lives
/// and any list lags.
const STUCK_AFTER: i64 = 600;

impl Engine {
    /// Goes on with a refund that was agreed to; does nothing with any other. `resolving`: an
    /// earlier call may have been made, so the provider is asked first.
    pub(crate) fn send_refund(
        &self,
        call: &Call,
        id: &str,
        resolving: bool,
    ) -> Result<(), EngineError> {
        let Some((refund, payment, intent)) = self.read(|_, tx| on_its_way(tx, id))? else {
            return Ok(());
        };
        let stripe = self.stripe()?;
        let asks_first = resolving || intent.state == IntentState::Unknown;
        let fetch = self.next_fetch()?;
        let mut attempt = refund.attempt;
        if asks_first {
            if let Some(found) = self.find_at_provider(&refund, &payment)? {
                return self.refund_answered(call, id, (found, fetch));
            }
            if intent.updated_at.plus_seconds(STUCK_AFTER) <= self.now() {
                attempt = self.next_attempt(&refund)?;
            }
        }
        let made = stripe.create_refund(&NewRefund {
            payment: payment.provider_id.clone(),
            amount: Some(refund.amount),
            reason: Some(RefundReason::RequestedByCustomer),
            refund: refund.id.clone(),
            app_customer: refund.customer.to_string(),
            key: format!("{}:{attempt}", intent.new.idempotency_key),
        });
        match made {
            Ok(made) => self.refund_answered(call, id, (made, fetch)),
            Err(CallError::Refused { code, message, .. }) => {
                // The refusal may be about a first call of ours that was made after all.
                if let Some(found) = self.find_at_provider(&refund, &payment)? {
                    return self.refund_answered(call, id, (found, fetch));
                }
                self.refund_refused(call, id, (code, message))
            }
            Err(error) => {
                let intent = intent.new.id;
                self.write(move |engine, tx| {
                    Ok(intents::mark_unknown(tx, &intent, engine.now())?)
                })?;
                Err(error.into())
            }
        }
    }

    /// The provider's refund with our id on it, if there is one.
    fn find_at_provider(
        &self,
        refund: &Refund,
        payment: &Payment,
    ) -> Result<Option<RefundSnapshot>, EngineError> {
        let all = self.stripe()?.list_refunds(&payment.provider_id)?;
        Ok(all.into_iter().find(|one| one.refund.as_ref() == Some(&refund.id)))
    }

    /// Gives the key up under which the provider has nothing.
    fn next_attempt(&self, refund: &Refund) -> Result<i64, EngineError> {
        let id = refund.id.clone();
        self.write(move |_, tx| {
            let refund = find_refund(tx, &id)?;
            let next = Refund { attempt: refund.attempt + 1, ..refund };
            rows::save(tx, &next)?;
            Ok(next.attempt)
        })
    }

    /// The provider has it: that is absorbed, and the call is closed, in one transaction.
    fn refund_answered(
        &self,
        call: &Call,
        id: &str,
        (snapshot, fetch): (RefundSnapshot, i64),
    ) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let owner = find_refund(tx, &id)?.customer;
            let customer = customers::lock(tx, &owner)?;
            let refund = find_refund(tx, &id)?;
            close(tx, &refund, false, "{}", engine)?;
            let payment = payments::find(tx, &refund.payment)?;
            match (customer, payment) {
                (Some(mut customer), Some(payment)) => {
                    let of = (&mut customer, &payment);
                    engine.absorb_refund_of(tx, &call, of, &snapshot, fetch)
                }
                // The customer was erased meanwhile: the money goes back all the same.
                _ => {
                    let state = state_of(&snapshot)?;
                    let saved = engine.save_refund(tx, refund, (&snapshot, state), fetch)?;
                    engine.note(tx, &call, engine.refund_change(&saved).action, &saved.id)
                }
            }
        })
    }

    /// The provider said no, for good.
    fn refund_refused(
        &self,
        call: &Call,
        id: &str,
        (code, message): (String, String),
    ) -> Result<(), EngineError> {
        tracing::warn!(refund.id = id, code, message, "the provider refused a refund");
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let owner = find_refund(tx, &id)?.customer;
            let customer = customers::lock(tx, &owner)?;
            let refund = find_refund(tx, &id)?;
            let response = json!({ "code": code, "message": message }).to_string();
            close(tx, &refund, true, &response, engine)?;
            if refund.state != State::Sent {
                return Ok(());
            }
            let failure = Some(code.clone());
            let next = Refund { state: State::Failed, failure, updated_at: engine.now(), ..refund };
            rows::save(tx, &next)?;
            engine.tell_failure(tx, &next)?;
            let change = engine.refund_change(&next);
            engine.tell(tx, &call, customer.as_ref(), &change, &next.id)
        })
    }
}

fn close(
    tx: &mut Tx<'_>,
    refund: &Refund,
    refused: bool,
    response: &str,
    engine: &Engine,
) -> Result<(), EngineError> {
    if let Some(intent) = &refund.intent {
        intents::close(tx, intent, refused, response, engine.now())?;
    }
    Ok(())
}

/// A refund that was agreed to and has not been answered, with its payment and its call. One that
/// an event was faster about has a call to close; it is answered again.
fn on_its_way(tx: &mut Tx<'_>, id: &str) -> Result<Option<(Refund, Payment, Intent)>, EngineError> {
    let refund = find_refund(tx, id)?;
    let Some(intent) = &refund.intent else {
        return Ok(None);
    };
    let Some(intent) = intents::get(tx, intent)? else {
        return Ok(None);
    };
    if !matches!(intent.state, IntentState::Open | IntentState::Unknown) {
        return Ok(None);
    }
    let payment = payments::find(tx, &refund.payment)?;
    Ok(payment.map(|payment| (refund, payment, intent)))
}
