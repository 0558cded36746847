//! What the merchant can do about a dispute: submit evidence, or accept it.
//!
//! `winning_evidence` and `losing_evidence` as the uncategorized text decide it, as at Stripe in
//! test mode. Source: <https://docs.stripe.com/testing#evidence>

use super::{Dispute, Status};
use crate::error::{Answer, ApiError};
use crate::params::{CLEARABLE, Field, Kind, METADATA, may};
use crate::world::World;
use crate::world::cards::LATER;
use crate::world::render::update_metadata;
use crate::world::route::Form;

/// The texts that evidence is made of; files are not here.
pub(super) const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
];
const FIELDS: &[Field] = &[
    may("access_activity_log", CLEARABLE),
    may("billing_address", CLEARABLE),
    may("cancellation_policy_disclosure", CLEARABLE),
    may("cancellation_rebuttal", CLEARABLE),
    may("customer_email_address", CLEARABLE),
    may("customer_name", CLEARABLE),
    may("customer_purchase_ip", CLEARABLE),
    may("duplicate_charge_explanation", CLEARABLE),
    may("duplicate_charge_id", CLEARABLE),
    may("product_description", CLEARABLE),
    may("refund_policy_disclosure", CLEARABLE),
    may("refund_refusal_explanation", CLEARABLE),
    may("service_date", CLEARABLE),
    may("shipping_address", CLEARABLE),
    may("shipping_carrier", CLEARABLE),
    may("shipping_date", CLEARABLE),
    may("shipping_tracking_number", CLEARABLE),
    may("uncategorized_text", CLEARABLE),
];
const UPDATE: &[Field] =
    &[may("evidence", Kind::Object(FIELDS)), may("submit", Kind::Bool), may("metadata", METADATA)];

impl World {
    pub(in crate::world) fn update_dispute(&mut self, id: &str, form: &Form) -> Answer {
        let mut dispute = self.dispute(id)?.clone();
        let params = form.check(&[UPDATE])?;
        let old = self.render_dispute(&dispute);
        if params.has("evidence") {
            still_open(&dispute)?;
            let given = params.object("evidence");
            for name in EVIDENCE.iter().filter(|name| given.has(name)) {
                match given.string(name) {
                    Some(text) => dispute.evidence.insert((*name).to_owned(), text),
                    None => dispute.evidence.remove(*name),
                };
            }
            if params.flag("submit") != Some(false) {
                submit(&mut dispute, self.now());
            }
        }
        update_metadata(&mut dispute.metadata, &params);
        let new = self.render_dispute(&dispute);
        self.disputes.put(dispute);
        self.emit_update("charge.dispute.updated", &old, new.clone());
        Ok(new)
    }

    /// Accepts a dispute: it is lost at once.
    pub(in crate::world) fn close_dispute(&mut self, id: &str, form: &Form) -> Answer {
        let dispute = self.dispute(id)?.clone();
        form.check(&[])?;
        still_open(&dispute)?;
        self.close(dispute, Status::Lost);
        self.retrieve_dispute(id)
    }
}

fn still_open(dispute: &Dispute) -> Result<(), ApiError> {
    if dispute.status.is_closed() || dispute.submissions > 0 {
        return Err(ApiError::refused("This dispute is already closed or under review."));
    }
    Ok(())
}

/// Hands the evidence in. What the bank says depends on the text; without one of the two words it
/// reviews for ever.
fn submit(dispute: &mut Dispute, now: i64) {
    let warning = dispute.status.is_warning();
    dispute.status = if warning { Status::WarningUnderReview } else { Status::UnderReview };
    dispute.submissions += 1;
    let verdict = match dispute.evidence.get("uncategorized_text").map(String::as_str) {
        Some("winning_evidence") if warning => Some(Status::WarningClosed),
        Some("winning_evidence") => Some(Status::Won),
        Some("losing_evidence") => Some(Status::Lost),
        _ => None,
    };
    dispute.verdict = verdict.map(|verdict| (verdict, now + LATER));
}
