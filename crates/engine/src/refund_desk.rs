//! Asking for a refund, and deciding about it.
//!
//! Everything here happens behind the customer's lock, so that two at once never send more back
//! than was taken, and agreeing twice sends once.

use farthing_core::ids::IdKind;
use farthing_core::money::Money;
use farthing_core::refund::Agreement;
use farthing_core::time::Timestamp;
use farthing_store::customers::Customer;
use farthing_store::intents::{self, NewIntent};
use farthing_store::previews::{self, Preview};
use farthing_store::refunds::{self as rows, By, Origin, Refund, State};
use farthing_store::{Tx, customers, payments};
use serde::Serialize;
use serde_json::json;

use crate::follow_up::Change;
use crate::jobs::Job;
use crate::refunds::{
    Eligibility, Judged, RefundAsk, RefundView, eligibility, find_refund, problems,
};
use crate::{Call, Engine, EngineError, FieldError, STRIPE};

/// What a refund would be and do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundPreview {
    /// Whether it may be, and what follows.
    #[serde(flatten)]
    pub eligibility: Eligibility,
    /// Sent with the request, it is exactly this or is refused; `null` when it may not be.
    pub preview_token: Option<String>,
}

/// How long a preview counts, in seconds.
const PREVIEW_FOR: i64 = 15 * 60;
/// How long after a lost answer the provider is asked, in seconds.
const RESOLVE_AFTER: i64 = 20;
/// The fewest characters of a reason.
const REASON_MIN: usize = 10;
/// The most characters of a reason.
const REASON_MAX: usize = 1_000;

impl Engine {
    /// What a refund would be and do. Nothing is changed, and nothing is promised beyond 15 minutes.
    pub fn preview_refund(&self, ask: &RefundAsk) -> Result<RefundPreview, EngineError> {
        check_ask(ask)?;
        let ask = ask.clone();
        self.write(move |engine, tx| {
            let found = customers::find(tx, &ask.customer)?;
            let customer = found.ok_or_else(|| EngineError::no_customer(&ask.customer))?;
            let judged = engine.judge_refund(tx, &customer, ask.payment.as_deref(), ask.amount)?;
            let shown = eligibility(&customer.id, judged);
            let mut preview_token = None;
            if shown.eligible {
                let now = engine.now();
                let preview = Preview {
                    customer: customer.id.clone(),
                    id: engine.new_id(IdKind::Preview),
                    subscription: shown.payment.clone(),
                    goal: promised(&shown),
                    due_now: shown.amount,
                    proration_at: now,
                    expires_at: now.plus_seconds(PREVIEW_FOR),
                };
                previews::insert(tx, &preview)?;
                preview_token = Some(preview.id);
            }
            Ok(RefundPreview { eligibility: shown, preview_token })
        })
    }

    /// Asks for a refund. Where nobody has to agree it is sent at once, else it waits for a person.
    ///
    /// With a preview's token it is exactly what was shown. Errors: what the policy refuses, with
    /// every number; a preview that no longer holds.
    pub fn request_refund(
        &self,
        call: &Call,
        ask: &RefundAsk,
        token: Option<&str>,
    ) -> Result<RefundView, EngineError> {
        check_ask(ask)?;
        self.stripe()?;
        let id = {
            let (call, ask, token) = (call.clone(), ask.clone(), token.map(str::to_owned));
            self.write(move |engine, tx| engine.file_refund(tx, &call, &ask, token.as_deref()))?
        };
        self.send_now(call, &id)
    }

    fn file_refund(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        ask: &RefundAsk,
        token: Option<&str>,
    ) -> Result<String, EngineError> {
        let found = customers::lock(tx, &ask.customer)?;
        let customer = found.ok_or_else(|| EngineError::no_customer(&ask.customer))?;
        let judged = self.judge_refund(tx, &customer, ask.payment.as_deref(), ask.amount)?;
        if !judged.verdict.obstacles.is_empty() {
            return Err(refusal(&judged));
        }
        let agreement = judged.verdict.agreement;
        let shown = eligibility(&customer.id, judged);
        if let Some(token) = token {
            let preview = previews::find(tx, &customer.id, token)?;
            let holds =
                preview.is_some_and(|it| it.goal == promised(&shown) && self.now() < it.expires_at);
            if !holds {
                return Err(EngineError::refused(
                    "preview_changed",
                    "what was shown no longer holds; nothing was refunded: ask for a new preview",
                ));
            }
        }
        let (_, catalog) = self.catalog(tx)?;
        let claws_back = catalog.refunds.as_ref().is_none_or(|policy| policy.then.claw_back);
        let refund = self.fresh_refund(call, ask, (&shown, agreement, claws_back));
        rows::insert(tx, &refund)?;
        let asked = Change { action: "refund.requested", ..self.refund_change(&refund) };
        self.record(tx, call, &customer, &asked)?;
        if agreement == Agreement::Nobody {
            let refund = Refund { approved: Some(self.by("policy")), ..refund };
            return self.open_refund(tx, call, (Some(&customer), refund));
        }
        self.record(tx, call, &customer, &self.refund_change(&refund))?;
        Ok(refund.id)
    }

    fn fresh_refund(
        &self,
        call: &Call,
        ask: &RefundAsk,
        (shown, agreement, claws_back): (&Eligibility, Agreement, bool),
    ) -> Refund {
        let judged = json!({
            "from": shown.from,
            "to": shown.to,
            "paid_at": shown.paid_at,
            "closes_at": shown.closes_at,
            "rule": shown.rule,
            "checks": shown.checks,
            "then": shown.then,
        });
        Refund {
            customer: ask.customer.clone(),
            id: self.new_id(IdKind::Refund),
            provider: STRIPE.to_owned(),
            provider_id: None,
            payment: shown.payment.clone(),
            amount: shown.amount,
            state: State::NeedsReview,
            origin: Origin::Request,
            reason: Some(ask.reason.trim().to_owned()),
            judged: Some(judged.to_string()),
            claws_back,
            two_people: agreement == Agreement::TwoPeople,
            requested: self.by(&call.actor),
            approved: None,
            second_approved: None,
            rejected: None,
            reject_reason: None,
            intent: None,
            attempt: 0,
            failure: None,
            updated_at: self.now(),
            seen: 0,
            version: 1,
        }
    }

    /// Agrees to a refund. Where two people have to agree, the first call waits for another actor's;
    /// the last one sends the money back, once. Agreeing to what was sent already changes nothing.
    ///
    /// The money may be on its way when this returns `sent`: the provider's answer was lost, and a
    /// job finds it out. Errors: no such refund, one that is over, the same person twice, more than
    /// is left by now.
    pub fn approve_refund(&self, call: &Call, id: &str) -> Result<RefundView, EngineError> {
        self.stripe()?;
        let opened = {
            let (call, id) = (call.clone(), id.to_owned());
            self.write(move |engine, tx| engine.agree(tx, &call, &id))?
        };
        // Only who opened the call makes it; a job makes it when that one is gone.
        if opened { self.send_now(call, id) } else { self.refund(id) }
    }

    /// Whether that was all it takes, and the call is open now.
    fn agree(&self, tx: &mut Tx<'_>, call: &Call, id: &str) -> Result<bool, EngineError> {
        let owner = find_refund(tx, id)?.customer;
        let customer = customers::lock(tx, &owner)?;
        // Once more behind the lock: somebody else may have decided in between.
        let refund = find_refund(tx, id)?;
        match refund.state {
            State::Sent | State::Waiting | State::Succeeded => return Ok(false),
            State::Rejected | State::Failed => return Err(decided(&refund)),
            State::NeedsReview => {}
        }
        self.still_left(tx, &refund)?;
        let by = Some(self.by(&call.actor));
        let agreed = match (&refund.approved, refund.two_people) {
            (None, false) => Refund { approved: by, ..refund },
            (None, true) => {
                let next = Refund { approved: by, updated_at: self.now(), ..refund };
                rows::save(tx, &next)?;
                let change = Change { action: "refund.approved_once", ..self.refund_change(&next) };
                self.tell(tx, call, customer.as_ref(), &change, &next.id)?;
                return Ok(false);
            }
            (Some(first), _) if first.actor == call.actor => {
                return Err(EngineError::refused(
                    "second_approver_needed",
                    format!(
                        "{} agreed already, and another person has to agree to {}; nothing was refunded",
                        first.actor, refund.amount
                    ),
                ));
            }
            (Some(_), _) => Refund { second_approved: by, ..refund },
        };
        self.open_refund(tx, call, (customer.as_ref(), agreed)).map(|_| true)
    }

    /// Says no to a refund. Saying it again changes nothing. Errors: no such refund, one that was
    /// sent already, no reason.
    pub fn reject_refund(
        &self,
        call: &Call,
        id: &str,
        reason: &str,
    ) -> Result<RefundView, EngineError> {
        check_reason(reason, 1)?;
        let (call, id, reason) = (call.clone(), id.to_owned(), reason.trim().to_owned());
        self.write(move |engine, tx| {
            let owner = find_refund(tx, &id)?.customer;
            let customer = customers::lock(tx, &owner)?;
            let refund = find_refund(tx, &id)?;
            match refund.state {
                State::NeedsReview => {}
                State::Rejected => return Ok(crate::refunds::refund_view(refund)),
                State::Sent | State::Waiting | State::Succeeded | State::Failed => {
                    return Err(decided(&refund));
                }
            }
            let next = Refund {
                state: State::Rejected,
                rejected: Some(engine.by(&call.actor)),
                reject_reason: Some(reason.clone()),
                updated_at: engine.now(),
                ..refund
            };
            rows::save(tx, &next)?;
            let change = engine.refund_change(&next);
            engine.tell(tx, &call, customer.as_ref(), &change, &next.id)?;
            Ok(crate::refunds::refund_view(next))
        })
    }

    /// Stores the call to the provider before it is made; answers the refund's id.
    fn open_refund(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, refund): (Option<&Customer>, Refund),
    ) -> Result<String, EngineError> {
        let now = self.now();
        let intent = self.new_id(IdKind::Intent);
        let new = NewIntent {
            id: intent.clone(),
            customer: Some(refund.customer.clone()),
            kind: "refund.create".to_owned(),
            is_change: false,
            idempotency_key: format!("farthing:refund:{}", refund.id),
            request: json!({ "refund": refund.id }).to_string(),
            created_at: now,
        };
        intents::insert(tx, &new)?;
        let next = Refund { state: State::Sent, intent: Some(intent), updated_at: now, ..refund };
        rows::save(tx, &next)?;
        let job = Job::SendRefund { refund: next.id.clone() };
        self.enqueue(tx, &job, now.plus_seconds(RESOLVE_AFTER))?;
        self.tell(tx, call, customer, &self.refund_change(&next), &next.id)?;
        Ok(next.id)
    }

    /// Writes a change down: for the customer, or for nobody when the customer was erased.
    pub(crate) fn tell(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: Option<&Customer>,
        change: &Change,
        refund: &str,
    ) -> Result<(), EngineError> {
        match customer {
            Some(customer) => self.record(tx, call, customer, change),
            None => self.note(tx, call, change.action, refund),
        }
    }

    /// Errors: others took what this refund wants, since it was asked for.
    fn still_left(&self, tx: &mut Tx<'_>, refund: &Refund) -> Result<(), EngineError> {
        let missing = || EngineError::NotFound { what: "payment", id: refund.payment.clone() };
        let payment = payments::find(tx, &refund.payment)?.ok_or_else(missing)?;
        let back = payments::returned(tx, &refund.customer, &payment.id)?;
        if 0 < back.disputed {
            return Err(EngineError::refused(
                "payment_disputed",
                "the customer's bank contests this payment and has the money; nothing was refunded: the dispute decides",
            ));
        }
        let left = payment.amount.minor - back.sent - back.refunded;
        if left < refund.amount.minor {
            let left = Money::new(left.max(0), payment.amount.currency);
            return Err(EngineError::refused(
                "refund_too_large",
                format!(
                    "only {left} of this payment is left; nothing was refunded: reject this one, and ask for less"
                ),
            ));
        }
        Ok(())
    }

    /// Sends a refund that was agreed to, and shows how it stands. A lost answer is found out later.
    fn send_now(&self, call: &Call, id: &str) -> Result<RefundView, EngineError> {
        match self.send_refund(call, id, false) {
            Ok(()) => {}
            Err(EngineError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(refund.id = id, %error, "a refund is not settled yet"),
        }
        self.refund(id)
    }

    fn by(&self, actor: &str) -> By {
        By { actor: actor.to_owned(), at: self.now() }
    }
}

/// What a preview promises, as text: the same refund shows the same.
fn promised(shown: &Eligibility) -> String {
    // Not the credits: they are spent while somebody reads.
    let promise: (&str, Money, Agreement, &Option<String>, &str) =
        (&shown.payment, shown.amount, shown.approval, &shown.then.move_to, shown.then.at);
    serde_json::to_string(&promise).expect("a promise is plain data")
}

fn check_ask(ask: &RefundAsk) -> Result<(), EngineError> {
    check_reason(&ask.reason, REASON_MIN)?;
    if ask.amount.is_some_and(|amount| amount < 1) {
        return Err(EngineError::invalid(
            "/amount",
            "invalid_amount",
            "the amount is less than 1",
            "send minor units of the payment's currency, such as 1900 for 19.00 USD",
        ));
    }
    Ok(())
}

fn check_reason(reason: &str, least: usize) -> Result<(), EngineError> {
    if (least..=REASON_MAX).contains(&reason.trim().chars().count()) {
        return Ok(());
    }
    Err(EngineError::invalid(
        "/reason",
        "invalid_reason",
        format!("the reason is not {least} to {REASON_MAX} characters long"),
        "say in a sentence why; people read it",
    ))
}

/// What the policy refuses, with every number.
fn refusal(judged: &Judged) -> EngineError {
    let problems = problems(judged);
    let sentences: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
    let over = judged.verdict.checks.iter().filter(|check| !check.ok);
    let errors = over.map(|check| FieldError {
        pointer: String::new(),
        code: "used_too_much",
        message: format!("{}: {} used, {} allowed", check.feature, check.used, check.limit),
        fix: "a person may still make this refund at the provider".to_owned(),
    });
    let code = problems.first().map_or("nothing_to_refund", |first| first.code);
    let message = format!("nothing was refunded: {}", sentences.join("; "));
    EngineError::Refused { code, message, errors: errors.collect() }
}

/// It is too late to decide.
fn decided(refund: &Refund) -> EngineError {
    let at: Timestamp = refund.updated_at;
    EngineError::refused(
        "refund_decided",
        format!("this refund is {} since {at}; nothing was changed", refund.state.as_str()),
    )
}
