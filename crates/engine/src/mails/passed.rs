//! Whether what a mail says is still so. A mail that waited, because the server was down or the
//! program did not run, must not tell of what is over.

use farthing_core::catalog::Catalog;
use farthing_core::subscription::{Standing, Status, Subscription};
use farthing_core::time::Timestamp;
use farthing_mail::Letter;
use farthing_store::mails::Mail;
use farthing_store::{Tx, customers, refunds, subscriptions};

use super::{changes, dunning, plan_name};
use crate::{Engine, EngineError};

/// How old a mail may be when it is sent, in seconds.
pub(super) const MAX_AGE: i64 = 3 * 86_400;

const TOO_OLD: &str = "it waited for more than three days before anybody could send it";
const ERASED: &str = "the customer was erased in the meantime";
const PAID: &str = "it was paid, or given up, in the meantime";
const OVERDUE_AGAIN: &str = "the next payment failed in the meantime";
const CHANGED: &str = "it was changed in the meantime";
const TRIAL_OVER: &str = "the trial was over before it could be sent";
const OTHER_PLAN: &str = "the customer has another plan by now";
const DECIDED: &str = "the refund stands otherwise by now";
const NO_OPERATORS: &str = "no operator's address is configured; set FARTHING_MAIL_ADMINS";
const DUE_DATE_OVER: &str = "its date was over before it could be sent";

impl Engine {
    /// Why a mail is not to be sent any more; `None`: it is still true.
    pub(super) fn passed(
        &self,
        tx: &mut Tx<'_>,
        mail: &Mail,
        letter: &Letter,
    ) -> Result<Option<&'static str>, EngineError> {
        let now = self.now();
        if mail.created_at.plus_seconds(MAX_AGE) <= now && mail.attempts <= 1 {
            return Ok(Some(TOO_OLD));
        }
        if let Some(refund) = refunds::find(tx, &mail.subject)?
            && !changes::is_current(letter, &refund)
        {
            return Ok(Some(DECIDED));
        }
        let Some(customer) = &mail.customer else {
            return Ok(self.passed_for_operators(mail, letter));
        };
        let Some(customer) = customers::find(tx, customer)? else {
            return Ok(Some(ERASED));
        };
        let (_, catalog) = self.catalog(tx)?;
        let stored = subscriptions::find(tx, &mail.subject)?;
        let sub = stored.as_ref().map(|stored| &stored.subscription);
        let (still, otherwise) =
            self.is_true(mail, letter, (&catalog, customer.plan.as_str()), sub);
        Ok(if still { None } else { Some(otherwise) })
    }

    /// Whether what a mail to a customer says is so, and the reason to give when it is not.
    fn is_true(
        &self,
        mail: &Mail,
        letter: &Letter,
        (catalog, plan): (&Catalog, &str),
        sub: Option<&Subscription>,
    ) -> (bool, &'static str) {
        let now = self.now();
        let is = |sub: Option<&Subscription>, test: &dyn Fn(&Subscription) -> bool| {
            sub.is_some_and(test)
        };
        match letter {
            Letter::TrialEnding(trial) => {
                let runs = |sub: &Subscription| {
                    sub.status == Status::Trialing && sub.trial_ends_at == Some(trial.ends_at)
                };
                (is(sub, &runs) && now < trial.ends_at, TRIAL_OVER)
            }
            Letter::PaymentFailed(_) | Letter::RetryFailed(_) => {
                (is(sub, &|sub| is_overdue(mail, sub)), PAID)
            }
            Letter::LastChance(_) | Letter::AccessLimited(_) => {
                let limited = |sub: &Subscription| {
                    matches!(sub.standing, Standing::ReadOnly { .. }) && is_overdue(mail, sub)
                };
                (is(sub, &limited), PAID)
            }
            Letter::Recovered(_) => (is(sub, &|sub| sub.standing == Standing::Good), OVERDUE_AGAIN),
            Letter::PlanChanged(changed) => {
                (is(sub, &|sub| named(catalog, &sub.plan, &changed.to)), CHANGED)
            }
            Letter::ChangeScheduled(change) => {
                let waits = |sub: &Subscription| {
                    sub.pending.as_ref().is_some_and(|pending| {
                        pending.at == change.at && named(catalog, &pending.plan, &change.to)
                    })
                };
                (is(sub, &waits), CHANGED)
            }
            Letter::ChangeUndone(_) => (is(sub, &|sub| sub.pending.is_none()), CHANGED),
            Letter::CancelScheduled(ending) => {
                (is(sub, &|sub| sub.cancel_at == Some(ending.at)), CHANGED)
            }
            Letter::CancelUndone(_) => {
                (is(sub, &|sub| sub.cancel_at.is_none() && sub.ended_at.is_none()), CHANGED)
            }
            Letter::TrialEnded(lapse) | Letter::GivenUp(lapse) | Letter::PlanEnded(lapse) => {
                (named(catalog, plan, &lapse.now), OTHER_PLAN)
            }
            Letter::ActionRequired(due) => {
                let owed = sub.is_none_or(|sub| sub.standing != Standing::Good);
                (owed && due.until.is_none_or(|until| now < until), PAID)
            }
            Letter::RefundAsked(_)
            | Letter::RefundApproved(_)
            | Letter::RefundRejected(_)
            | Letter::RefundPaid(_)
            | Letter::RefundFailed(_)
            | Letter::RefundToReview(_)
            | Letter::DisputeOpened(_) => (true, CHANGED),
        }
    }

    fn passed_for_operators(&self, mail: &Mail, letter: &Letter) -> Option<&'static str> {
        if mail.recipient.is_empty() {
            return Some(NO_OPERATORS);
        }
        let over = |at: &Timestamp| *at <= self.now();
        match letter {
            Letter::DisputeOpened(dispute) if dispute.due_by.as_ref().is_some_and(over) => {
                Some(DUE_DATE_OVER)
            }
            _ => None,
        }
    }
}

/// Whether the very payment that a mail is about is still missing.
fn is_overdue(mail: &Mail, sub: &Subscription) -> bool {
    let Some(since) = sub.standing.since() else { return false };
    let by_retry = mail.kind == "retry_failed";
    by_retry || mail.business_key == dunning::episode(&mail.kind, &mail.subject, since)
}

fn named(catalog: &Catalog, key: &str, name: &str) -> bool {
    plan_name(catalog, key) == name
}
