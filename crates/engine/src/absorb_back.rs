//! What the provider says of money that goes back: refunds, whoever made them, and disputes.

use farthing_core::facts::Puzzle;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::money::Money;
use farthing_core::snapshot::{
    ChargeSnapshot, DisputeSnapshot, DisputeStatus, RefundSnapshot, RefundStatus,
};
use farthing_store::customers::Customer;
use farthing_store::disputes::{self, Dispute};
use farthing_store::invoices::Place;
use farthing_store::payments::{self, Payment};
use farthing_store::refunds::{self, By, Origin, Refund, State};
use farthing_store::{Tx, alerts, customers};
use serde_json::json;

use crate::absorb::whose_if;
use crate::follow_up::Change;
use crate::{Call, Engine, EngineError, STRIPE};

impl Engine {
    /// A payment that we did not sell anything for gets its row, so that what goes back of it has a
    /// place; one that we know is mirrored with what it paid.
    pub(crate) fn absorb_charge(
        &self,
        tx: &mut Tx<'_>,
        charge: &ChargeSnapshot,
        fetch: i64,
    ) -> Result<Option<CustomerId>, EngineError> {
        let customer = whose_if(tx, charge.customer.as_ref())?;
        let (Some(id), Some(payment), true) = (&customer, &charge.payment, charge.paid) else {
            return Ok(customer);
        };
        if payments::find_by_provider_id(tx, STRIPE, payment)?.is_none() {
            let place = Place { customer: id, provider: STRIPE, seen: fetch };
            let new_id = self.new_id(IdKind::Payment);
            payments::insert_charge(tx, place, &new_id, (payment, charge))?;
        }
        Ok(customer)
    }

    /// A refund as the provider has it is the truth, whoever made it and whatever was here before.
    pub(crate) fn absorb_refund(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        snapshot: &RefundSnapshot,
        fetch: i64,
    ) -> Result<Option<CustomerId>, EngineError> {
        let Some(id) = whose_if(tx, snapshot.customer.as_ref())? else {
            return Ok(None);
        };
        let Some(mut customer) = customers::lock(tx, &id)? else {
            return Ok(None);
        };
        let payment = returned_payment(tx, &id, snapshot.payment.as_deref())?;
        self.absorb_refund_of(tx, call, (&mut customer, &payment), snapshot, fetch)?;
        Ok(Some(id))
    }

    /// The same for a payment that is known. `customer` is locked.
    pub(crate) fn absorb_refund_of(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, payment): (&mut Customer, &Payment),
        snapshot: &RefundSnapshot,
        fetch: i64,
    ) -> Result<(), EngineError> {
        check_money(&snapshot.id, snapshot.amount, payment)?;
        let state = state_of(snapshot)?;
        let known = known_refund(tx, snapshot, payment)?;
        if known.as_ref().is_some_and(|known| fetch < known.seen) {
            return Ok(());
        }
        let refund = match known {
            Some(known) if same(&known, snapshot, state) => {
                return self.follow_return(tx, call, (customer, payment), Vec::new());
            }
            Some(known) => self.save_refund(tx, known, (snapshot, state), fetch)?,
            None => self.insert_refund(tx, payment, (snapshot, state), fetch)?,
        };
        self.tell_failure(tx, &refund)?;
        let changes = vec![self.refund_change(&refund)];
        self.follow_return(tx, call, (customer, payment), changes)
    }

    /// Writes what the provider has into a refund that we know.
    pub(crate) fn save_refund(
        &self,
        tx: &mut Tx<'_>,
        known: Refund,
        (snapshot, state): (&RefundSnapshot, State),
        fetch: i64,
    ) -> Result<Refund, EngineError> {
        let next = Refund {
            provider_id: Some(snapshot.id.clone()),
            amount: snapshot.amount,
            state,
            failure: failure(snapshot, state),
            updated_at: self.now(),
            seen: fetch,
            ..known
        };
        refunds::save(tx, &next)?;
        Ok(Refund { version: next.version + 1, ..next })
    }

    /// Somebody made it in the provider's dashboard.
    fn insert_refund(
        &self,
        tx: &mut Tx<'_>,
        payment: &Payment,
        (snapshot, state): (&RefundSnapshot, State),
        fetch: i64,
    ) -> Result<Refund, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let refund = Refund {
            customer: payment.customer.clone(),
            id: self.new_id(IdKind::Refund),
            provider: STRIPE.to_owned(),
            provider_id: Some(snapshot.id.clone()),
            payment: payment.id.clone(),
            amount: snapshot.amount,
            state,
            origin: Origin::Provider,
            reason: None,
            judged: None,
            claws_back: catalog.refunds.as_ref().is_none_or(|policy| policy.then.claw_back),
            two_people: false,
            requested: By { actor: "provider:stripe".to_owned(), at: snapshot.created_at },
            approved: None,
            second_approved: None,
            rejected: None,
            reject_reason: None,
            intent: None,
            attempt: 0,
            failure: failure(snapshot, state),
            updated_at: self.now(),
            seen: fetch,
            version: 1,
        };
        refunds::insert(tx, &refund)?;
        Ok(refund)
    }

    /// The line for people, and the event for apps. Nobody's own words are in it: what is written
    /// here stays when a customer is erased.
    pub(crate) fn refund_change(&self, refund: &Refund) -> Change {
        let action = match refund.state {
            State::NeedsReview => "refund.needs_review",
            State::Sent => "refund.approved",
            State::Waiting => "refund.waiting",
            State::Succeeded => "refund.succeeded",
            State::Rejected => "refund.rejected",
            State::Failed => "refund.failed",
        };
        let to = Some(json!({
            "refund": refund.id,
            "payment": refund.payment,
            "amount": refund.amount,
            "origin": refund.origin.as_str(),
            "failure": refund.failure,
        }));
        Change { action, from: None, to, effective_at: self.now() }
    }

    /// A refund that failed leaves somebody waiting for money: a person has to look.
    pub(crate) fn tell_failure(&self, tx: &mut Tx<'_>, refund: &Refund) -> Result<(), EngineError> {
        if refund.state != State::Failed {
            alerts::resolve(tx, "refund", &refund.id, self.now())?;
            return Ok(());
        }
        let detail = format!(
            "a refund of {} to {} failed ({}): the money is with us, and its credits were given back; pay it another way",
            refund.amount,
            refund.customer,
            refund.failure.as_deref().unwrap_or("unknown")
        );
        self.alert(tx, "refund", &refund.id, &detail)
    }

    pub(crate) fn absorb_dispute(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        snapshot: &DisputeSnapshot,
        fetch: i64,
    ) -> Result<Option<CustomerId>, EngineError> {
        let Some(id) = whose_if(tx, snapshot.customer.as_ref())? else {
            return Ok(None);
        };
        let Some(mut customer) = customers::lock(tx, &id)? else {
            return Ok(None);
        };
        let payment = returned_payment(tx, &id, snapshot.payment.as_deref())?;
        let status = word_of(&snapshot.status).ok_or_else(|| {
            Puzzle::Unknown(format!("{}: status {:?}", snapshot.id, snapshot.status))
        })?;
        let known = disputes::find_by_provider_id(tx, STRIPE, &snapshot.id)?;
        if known.as_ref().is_some_and(|known| fetch < known.seen) {
            return Ok(Some(id));
        }
        let same_money = snapshot.amount.currency == payment.amount.currency;
        let now = self.now();
        let before = known.as_ref().and_then(|known| known.closed_at);
        let closed_at = is_over(status).then(|| before.unwrap_or(now));
        let next = Dispute {
            customer: id.clone(),
            id: known.as_ref().map_or_else(|| self.new_id(IdKind::Dispute), |it| it.id.clone()),
            provider: STRIPE.to_owned(),
            provider_id: snapshot.id.clone(),
            payment: payment.id.clone(),
            // The bank may count in its own currency; then the whole payment is contested.
            amount: if same_money { snapshot.amount } else { payment.amount },
            status: status.to_owned(),
            reason: snapshot.reason.clone(),
            due_by: snapshot.due_by,
            withdrawn: snapshot.funds_withdrawn,
            reinstated: snapshot.funds_reinstated,
            opened_at: snapshot.created_at,
            closed_at,
            seen: fetch,
        };
        disputes::put(tx, &next)?;
        self.tell_dispute(tx, &next)?;
        let changes = self.dispute_changes(known.as_ref(), &next);
        self.follow_return(tx, call, (&mut customer, &payment), changes)?;
        Ok(Some(id))
    }

    fn dispute_changes(&self, before: Option<&Dispute>, dispute: &Dispute) -> Vec<Change> {
        let to = json!({
            "dispute": dispute.id,
            "payment": dispute.payment,
            "amount": dispute.amount,
            "status": dispute.status,
            "reason": dispute.reason,
            "due_by": dispute.due_by,
        });
        let was = |flag: fn(&Dispute) -> bool| before.is_some_and(flag);
        let mut actions = Vec::new();
        if before.is_none() {
            actions.push("dispute.opened");
        }
        if dispute.withdrawn && !was(|it| it.withdrawn) {
            actions.push("dispute.funds_withdrawn");
        }
        if dispute.reinstated && !was(|it| it.reinstated) {
            actions.push("dispute.funds_reinstated");
        }
        if dispute.closed_at.is_some() && !was(|it| it.closed_at.is_some()) {
            actions.push("dispute.closed");
        }
        let change = |action| Change {
            action,
            from: before.map(|before| json!({ "status": before.status })),
            to: Some(to.clone()),
            effective_at: self.now(),
        };
        actions.into_iter().map(change).collect()
    }

    fn tell_dispute(&self, tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), EngineError> {
        if dispute.closed_at.is_some() {
            alerts::resolve(tx, "dispute", &dispute.id, self.now())?;
            return Ok(());
        }
        let due = dispute.due_by.map(|due| format!(" before {due}")).unwrap_or_default();
        let detail = format!(
            "the bank of {} contests {} ({}): answer at the provider{due}",
            dispute.customer, dispute.amount, dispute.reason
        );
        self.alert(tx, "dispute", &dispute.id, &detail)
    }
}

/// The payment that goes back. Errors: it is not known, or somebody else's.
fn returned_payment(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    provider_id: Option<&str>,
) -> Result<Payment, EngineError> {
    let unknown = || Puzzle::SetAside("money went back of a payment that is not known here");
    let id = provider_id.ok_or_else(unknown)?;
    let payment = payments::find_by_provider_id(tx, STRIPE, id)?.ok_or_else(unknown)?;
    if payment.customer != *customer {
        return Err(Puzzle::SetAside("money went back of another customer's payment").into());
    }
    Ok(payment)
}

fn check_money(object: &str, amount: Money, payment: &Payment) -> Result<(), Puzzle> {
    if amount.currency == payment.amount.currency && 0 < amount.minor {
        return Ok(());
    }
    Err(Puzzle::Currency {
        object: object.to_owned(),
        paid: amount.to_string(),
        price: payment.amount.currency.to_string(),
    })
}

/// The row of a refund: by the provider's id, else by ours, which we left on it. A second one at
/// the provider with our id on it is another refund.
fn known_refund(
    tx: &mut Tx<'_>,
    snapshot: &RefundSnapshot,
    payment: &Payment,
) -> Result<Option<Refund>, EngineError> {
    if let Some(known) = refunds::find_by_provider_id(tx, STRIPE, &snapshot.id)? {
        return Ok(Some(known));
    }
    let Some(id) = &snapshot.refund else {
        return Ok(None);
    };
    let ours = |known: &Refund| known.payment == payment.id && known.provider_id.is_none();
    Ok(refunds::find(tx, id)?.filter(ours))
}

/// Where the provider has a refund. Errors: in a state that is not known here.
pub(crate) fn state_of(snapshot: &RefundSnapshot) -> Result<State, Puzzle> {
    match &snapshot.status {
        RefundStatus::Pending | RefundStatus::RequiresAction => Ok(State::Waiting),
        RefundStatus::Succeeded => Ok(State::Succeeded),
        RefundStatus::Failed | RefundStatus::Canceled => Ok(State::Failed),
        RefundStatus::Other(word) => {
            Err(Puzzle::Unknown(format!("{}: status {word:?}", snapshot.id)))
        }
    }
}

fn same(known: &Refund, snapshot: &RefundSnapshot, state: State) -> bool {
    known.state == state
        && known.amount == snapshot.amount
        && known.provider_id.as_ref() == Some(&snapshot.id)
}

fn failure(snapshot: &RefundSnapshot, state: State) -> Option<String> {
    let canceled = snapshot.status == RefundStatus::Canceled;
    let word = if canceled { "canceled" } else { "unknown" };
    let why = snapshot.failure_reason.clone().unwrap_or_else(|| word.to_owned());
    (state == State::Failed).then_some(why)
}

/// The word of a dispute's status; `None` when it is not known here.
fn word_of(status: &DisputeStatus) -> Option<&'static str> {
    Some(match status {
        DisputeStatus::WarningNeedsResponse => "warning_needs_response",
        DisputeStatus::WarningUnderReview => "warning_under_review",
        DisputeStatus::WarningClosed => "warning_closed",
        DisputeStatus::NeedsResponse => "needs_response",
        DisputeStatus::UnderReview => "under_review",
        DisputeStatus::Won => "won",
        DisputeStatus::Lost => "lost",
        DisputeStatus::Prevented => "prevented",
        DisputeStatus::AppealNeedsResponse => "appeal_needs_response",
        DisputeStatus::AppealUnderReview => "appeal_under_review",
        DisputeStatus::Other(_) => return None,
    })
}

fn is_over(status: &str) -> bool {
    matches!(status, "warning_closed" | "won" | "lost" | "prevented")
}
