//! Mails for what is recorded outside of a subscription's own events: money that goes back,
//! disputes, and what is found out about an unpaid invoice later.

use farthing_core::money::Money;
use farthing_core::snapshot::{InvoiceSnapshot, InvoiceStatus};
use farthing_core::subscription::{Standing, Status};
use farthing_core::time::Timestamp;
use farthing_mail::Letter;
use farthing_mail::letter::{DisputeOpened, Refund as RefundMail, RefundToReview};
use farthing_store::Tx;
use farthing_store::customers::Customer;
use farthing_store::refunds::{self, Origin, Refund, State};
use farthing_store::subscriptions::{self, Stored};
use serde::Deserialize;
use serde_json::Value;

use super::Occasion;
use crate::follow_up::Change;
use crate::{Engine, EngineError};

/// What a change says of a dispute.
#[derive(Deserialize)]
struct Opened {
    dispute: String,
    amount: Money,
    reason: String,
    due_by: Option<Timestamp>,
}

impl Engine {
    /// Leaves the mails that a recorded change causes.
    pub(crate) fn mail_change(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
        change: &Change,
    ) -> Result<(), EngineError> {
        let Some(to) = &change.to else { return Ok(()) };
        match change.action {
            "refund.needs_review"
            | "refund.approved"
            | "refund.rejected"
            | "refund.succeeded"
            | "refund.failed" => self.mail_refund(tx, customer, to),
            "dispute.opened" => self.mail_dispute(tx, customer, to),
            "payment.action_required" => match to["subscription"].as_str() {
                Some(id) => self.mail_action_required(tx, id),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn mail_refund(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
        to: &Value,
    ) -> Result<(), EngineError> {
        let Some(id) = to["refund"].as_str() else { return Ok(()) };
        let Some(refund) = refunds::find(tx, id)? else { return Ok(()) };
        for letter in refund_letters(&refund) {
            let key = format!("{}:{}", letter.kind(), refund.id);
            let customer = Some(&customer.id);
            self.mail(tx, &Occasion { customer, key, subject: &refund.id, letter })?;
        }
        Ok(())
    }

    fn mail_dispute(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
        to: &Value,
    ) -> Result<(), EngineError> {
        let Ok(opened) = Opened::deserialize(to) else { return Ok(()) };
        let letter = Letter::DisputeOpened(DisputeOpened {
            id: opened.dispute.clone(),
            customer: Some(customer.id.to_string()),
            amount: opened.amount,
            reason: opened.reason,
            due_by: opened.due_by,
        });
        let key = format!("dispute_opened:{}", opened.dispute);
        let customer = Some(&customer.id);
        self.mail(tx, &Occasion { customer, key, subject: &opened.dispute, letter })
    }

    /// An unpaid invoice was seen again. `before` is how often it had been tried when it was seen
    /// last: when it was tried once more, and failed once more, its customer is told.
    pub(crate) fn mail_retry(
        &self,
        tx: &mut Tx<'_>,
        stored: Option<&Stored>,
        (before, invoice): (Option<i64>, &InvoiceSnapshot),
    ) -> Result<(), EngineError> {
        let (Some(stored), Some(before)) = (stored, before) else { return Ok(()) };
        let failed = invoice.status == InvoiceStatus::Open && before < invoice.attempts;
        if !is_overdue(stored) || !failed || before < 1 {
            return Ok(());
        }
        self.mail_retry_failed(tx, stored, &format!("{}:{}", invoice.id, invoice.attempts))
    }

    /// A try of ours was in vain. The provider does not count those on its invoice; the intent
    /// under which it was made says which one it was.
    pub(crate) fn mail_own_retry(
        &self,
        tx: &mut Tx<'_>,
        subscription: &str,
        intent: &str,
    ) -> Result<(), EngineError> {
        match subscriptions::find(tx, subscription)?.filter(is_overdue) {
            Some(stored) => self.mail_retry_failed(tx, &stored, intent),
            None => Ok(()),
        }
    }
}

fn is_overdue(stored: &Stored) -> bool {
    let sub = &stored.subscription;
    sub.status == Status::Active && sub.standing != Standing::Good
}

/// What is said to whom about a refund as it stands. Money that somebody sent back in the
/// provider's dashboard was asked for by nobody, so it is told once it is paid.
fn refund_letters(refund: &Refund) -> Vec<Letter> {
    let mail =
        |note: Option<String>| RefundMail { id: refund.id.clone(), amount: refund.amount, note };
    match (refund.state, refund.origin) {
        (State::NeedsReview, _) => vec![
            Letter::RefundAsked(mail(None)),
            Letter::RefundToReview(RefundToReview {
                id: refund.id.clone(),
                customer: refund.customer.to_string(),
                amount: refund.amount,
                reason: refund.reason.clone().unwrap_or_default(),
            }),
        ],
        (State::Sent, Origin::Request) => vec![Letter::RefundApproved(mail(None))],
        (State::Sent, Origin::Provider) | (State::Waiting, _) => Vec::new(),
        (State::Rejected, _) => vec![Letter::RefundRejected(mail(refund.reject_reason.clone()))],
        (State::Succeeded, _) => vec![Letter::RefundPaid(mail(None))],
        (State::Failed, _) => vec![Letter::RefundFailed(mail(None))],
    }
}

/// Whether a mail about a refund still says how it stands.
pub(super) fn is_current(letter: &Letter, refund: &Refund) -> bool {
    let state = refund.state;
    match letter {
        Letter::RefundAsked(_) | Letter::RefundToReview(_) => state == State::NeedsReview,
        Letter::RefundApproved(_) => matches!(state, State::Sent | State::Waiting),
        Letter::RefundRejected(_) => state == State::Rejected,
        Letter::RefundPaid(_) => state == State::Succeeded,
        Letter::RefundFailed(_) => state == State::Failed,
        _ => true,
    }
}
