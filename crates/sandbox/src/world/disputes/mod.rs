//! Disputes: the customer's bank takes a payment back, or asks about it.
//!
//! Here: the state, finding it, what time does. [`respond`]: what the merchant can do.
//! [`show`]: how disputes are rendered. Money moves with `funds_withdrawn` and
//! `funds_reinstated`. Source: <https://docs.stripe.com/testing#disputes>

mod respond;
mod show;

use serde::{Deserialize, Serialize};

use super::World;
use super::cards::{Aftermath, LATER};
use super::charges::Charge;
use super::list::{PAGE, page};
use super::render::Metadata;
use super::route::Form;
use super::table::Row;
use crate::calendar::DAY;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    id: String,
    /// When the bank opens, or has opened it.
    created: i64,
    charge: String,
    payment_intent: String,
    /// Minor units.
    amount: i64,
    currency: String,
    brand: String,
    reason: String,
    status: Status,
    evidence: Metadata,
    submissions: u32,
    due_by: i64,
    /// How the bank will decide, and when.
    verdict: Option<(Status, i64)>,
    withdrawn_at: Option<i64>,
    reinstated_at: Option<i64>,
    metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// The bank has not opened it yet: nobody knows of it.
    Unopened,
    /// As before, of an inquiry.
    WarningUnopened,
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl Status {
    fn is_unopened(self) -> bool {
        matches!(self, Status::Unopened | Status::WarningUnopened)
    }

    fn is_warning(self) -> bool {
        matches!(
            self,
            Status::WarningUnopened
                | Status::WarningNeedsResponse
                | Status::WarningUnderReview
                | Status::WarningClosed
        )
    }

    fn is_closed(self) -> bool {
        matches!(self, Status::WarningClosed | Status::Won | Status::Lost)
    }
}

/// The merchant may answer for so long; Stripe gives 7 to 21 days, as the card network wants.
const ANSWER_WITHIN: i64 = 7 * DAY;

impl Row for Dispute {
    const KIND: &'static str = "dispute";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        match (self.status, self.verdict) {
            (Status::Unopened | Status::WarningUnopened, _) => Some(self.created),
            (Status::NeedsResponse | Status::WarningNeedsResponse, _) => Some(self.due_by),
            (Status::UnderReview | Status::WarningUnderReview, Some((_, at))) => Some(at),
            _ => None,
        }
    }
}

const LIST: &[Field] = &[may("charge", Kind::Text), may("payment_intent", Kind::Text)];

impl World {
    /// Plans the dispute that follows a charge of certain test cards.
    pub(super) fn plan_dispute(&mut self, charge: &Charge, aftermath: Aftermath) {
        let (reason, status) = match aftermath {
            Aftermath::Dispute(reason) => (reason, Status::Unopened),
            Aftermath::Inquiry(reason) => (reason, Status::WarningUnopened),
            _ => return,
        };
        let created = self.now() + LATER;
        let dispute = Dispute {
            id: self.new_id("du_"),
            created,
            charge: charge.id().to_owned(),
            payment_intent: charge.payment_intent.clone(),
            amount: charge.amount,
            currency: charge.currency.clone(),
            brand: charge.brand().to_owned(),
            reason: reason.to_owned(),
            status,
            evidence: Metadata::new(),
            submissions: 0,
            due_by: created + ANSWER_WITHIN,
            verdict: None,
            withdrawn_at: None,
            reinstated_at: None,
            metadata: Metadata::new(),
        };
        self.disputes.put(dispute);
    }

    /// Opens a dispute of a charge that went through, now: for scenarios.
    pub(super) fn open_dispute(&mut self, charge: &str, reason: &'static str) {
        let found = self.charges.get(charge).filter(|charge| charge.succeeded()).cloned();
        let Some(charge) = found else { return };
        self.plan_dispute(&charge, Aftermath::Dispute(reason));
        let planned = self.disputes.newest_first().next().cloned();
        if let Some(planned) = planned.filter(|planned| planned.charge == charge.id()) {
            self.dispute_due(Dispute { created: self.now(), ..planned });
        }
    }

    /// Runs what is due about `dispute` now.
    pub(super) fn dispute_due(&mut self, dispute: Dispute) {
        match dispute.status {
            Status::Unopened | Status::WarningUnopened => self.begin_dispute(dispute),
            Status::WarningNeedsResponse => self.close(dispute, Status::WarningClosed),
            Status::NeedsResponse => self.close(dispute, Status::Lost),
            _ => {
                if let Some((verdict, _)) = dispute.verdict {
                    self.close(dispute, verdict);
                }
            }
        }
    }

    fn begin_dispute(&mut self, mut dispute: Dispute) {
        let inquiry = dispute.status.is_warning();
        dispute.status = if inquiry { Status::WarningNeedsResponse } else { Status::NeedsResponse };
        let id = dispute.id.clone();
        let rendered = self.render_dispute(&dispute);
        self.disputes.put(dispute.clone());
        self.emit("charge.dispute.created", rendered);
        if !inquiry {
            dispute.withdrawn_at = Some(self.now());
            self.disputes.put(dispute);
            self.emit_dispute("charge.dispute.funds_withdrawn", &id);
        }
    }

    fn close(&mut self, mut dispute: Dispute, verdict: Status) {
        let now = self.now();
        let id = dispute.id.clone();
        dispute.status = verdict;
        dispute.verdict = None;
        let back = verdict == Status::Won && dispute.withdrawn_at.is_some();
        self.disputes.put(dispute.clone());
        self.emit_dispute("charge.dispute.closed", &id);
        if back {
            dispute.reinstated_at = Some(now);
            self.disputes.put(dispute);
            self.emit_dispute("charge.dispute.funds_reinstated", &id);
        }
    }

    /// The bank decides now, for us or against us. Refused when it has.
    pub(super) fn decide_dispute(&mut self, id: &str, won: bool) -> Result<(), ApiError> {
        let dispute = self.dispute(id)?.clone();
        if dispute.status.is_closed() {
            return Err(ApiError::refused("This dispute is already closed."));
        }
        let verdict = match (won, dispute.status.is_warning()) {
            (true, true) => Status::WarningClosed,
            (true, false) => Status::Won,
            (false, _) => Status::Lost,
        };
        self.close(dispute, verdict);
        Ok(())
    }

    fn emit_dispute(&mut self, kind: &str, id: &str) {
        if let Ok(rendered) = self.retrieve_dispute(id) {
            self.emit(kind, rendered);
        }
    }

    fn dispute(&self, id: &str) -> Result<&Dispute, ApiError> {
        let found = self.disputes.get(id).filter(|dispute| !dispute.status.is_unopened());
        found.ok_or_else(|| ApiError::no_such("dispute", id))
    }

    pub(super) fn retrieve_dispute(&self, id: &str) -> Answer {
        self.dispute(id).map(|dispute| self.render_dispute(dispute))
    }

    pub(super) fn list_disputes(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        page(
            &self.disputes,
            "/v1/disputes",
            &params,
            |dispute| dispute.created,
            |dispute| {
                !dispute.status.is_unopened()
                    && params.text("charge").is_none_or(|id| id == dispute.charge)
                    && params.text("payment_intent").is_none_or(|id| id == dispute.payment_intent)
            },
            |dispute| self.render_dispute(dispute),
        )
    }

    /// The charge is or was disputed; an inquiry counts.
    pub(super) fn is_disputed(&self, charge: &str) -> bool {
        let mut disputes = self.disputes.oldest_first();
        disputes.any(|dispute| dispute.charge == charge && !dispute.status.is_unopened())
    }

    /// The money of the charge is with the bank, so that it cannot be refunded.
    pub(super) fn is_charged_back(&self, charge: &str) -> bool {
        let mut disputes = self.disputes.oldest_first();
        disputes.any(|dispute| {
            dispute.charge == charge
                && dispute.withdrawn_at.is_some()
                && dispute.status != Status::Won
        })
    }
}
