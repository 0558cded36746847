//! Refunds: money back of a charge, whole or in parts, never more than was taken.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::cards::{Aftermath, LATER};
use super::list::{PAGE, page};
use super::render::{Metadata, amount, new_metadata, sublist, update_metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, METADATA, Params, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    id: String,
    created: i64,
    amount: i64,
    currency: String,
    charge: String,
    customer: Option<String>,
    payment_intent: String,
    payment_method: String,
    reason: Option<String>,
    metadata: Metadata,
    #[serde(default)]
    status: Status,
    /// What the bank answers later, and when.
    #[serde(default)]
    later: Option<(Status, i64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    #[default]
    Succeeded,
    Failed,
}

impl Row for Refund {
    const KIND: &'static str = "refund";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        self.later.map(|(_, at)| at)
    }
}

const CREATE: &[Field] = &[
    may("charge", Kind::Text),
    may("payment_intent", Kind::Text),
    may("amount", Kind::Int(1, 99_999_999)),
    may("reason", Kind::OneOf(&["duplicate", "fraudulent", "requested_by_customer"])),
    may("metadata", METADATA),
];
const UPDATE: &[Field] = &[may("metadata", METADATA)];
const LIST: &[Field] = &[may("charge", Kind::Text), may("payment_intent", Kind::Text)];

impl World {
    pub(super) fn create_refund(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let mut charge = self.refundable(&params)?;
        if self.is_charged_back(&charge.id) {
            let message =
                format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
            return Err(ApiError::invalid("charge_disputed", "charge", message));
        }
        let left = charge.amount - charge.amount_refunded;
        let wanted = params.int("amount").unwrap_or(left);
        if left == 0 {
            let message = format!("Charge {} has already been refunded.", charge.id);
            return Err(ApiError::invalid("charge_already_refunded", "charge", message));
        }
        if left < wanted {
            let message = format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({}).",
                amount(wanted, &charge.currency),
                amount(left, &charge.currency)
            );
            return Err(ApiError::bad_param("amount", message));
        }
        let at = self.now() + LATER;
        let (status, later) = match charge.aftermath() {
            Aftermath::RefundPends => (Status::Pending, Some((Status::Succeeded, at))),
            Aftermath::RefundFails => (Status::Succeeded, Some((Status::Failed, at))),
            _ => (Status::Succeeded, None),
        };
        let refund = Refund {
            id: self.new_id("re_"),
            created: self.now(),
            amount: wanted,
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            customer: charge.customer.clone(),
            payment_intent: charge.payment_intent.clone(),
            payment_method: charge.payment_method.clone(),
            reason: params.string("reason"),
            metadata: new_metadata(&params),
            status,
            later,
        };
        let rendered = render(&refund);
        self.refunds.put(refund);
        let old = self.render_charge(&charge);
        charge.amount_refunded += wanted;
        let new = self.render_charge(&charge);
        self.charges.put(charge);
        self.emit("refund.created", rendered.clone());
        self.emit_update("charge.refunded", &old, new);
        Ok(rendered)
    }

    /// The bank answers: a pending refund succeeds, or one that had succeeded fails and the money
    /// is ours again.
    pub(super) fn refund_due(&mut self, mut refund: Refund) {
        let Some((status, _)) = refund.later.take() else { return };
        let old = render(&refund);
        refund.status = status;
        let new = render(&refund);
        let (charge, amount) = (refund.charge.clone(), refund.amount);
        self.refunds.put(refund);
        if status == Status::Failed
            && let Some(mut charge) = self.charges.get(&charge).cloned()
        {
            let old = self.render_charge(&charge);
            charge.amount_refunded -= amount;
            let new = self.render_charge(&charge);
            self.charges.put(charge);
            self.emit_update("charge.updated", &old, new);
        }
        self.emit_update("refund.updated", &old, new.clone());
        self.emit_update("charge.refund.updated", &old, new.clone());
        if status == Status::Failed {
            self.emit("refund.failed", new);
        }
    }

    /// Makes the refund `id` fail now, as a bank may do days later: for scenarios.
    pub(super) fn fail_refund(&mut self, id: &str) {
        if let Some(refund) = self.refunds.get(id).filter(|refund| refund.status != Status::Failed)
        {
            let later = Some((Status::Failed, self.now()));
            self.refund_due(Refund { later, ..refund.clone() });
        }
    }

    fn refundable(&self, params: &Params) -> Result<super::charges::Charge, ApiError> {
        let (id, at) = match (params.text("charge"), params.text("payment_intent")) {
            (Some(charge), None) => (charge, "charge"),
            (None, Some(intent)) => {
                if self.payment_intents.get(intent).is_none() {
                    let at = "payment_intent";
                    return Err(ApiError::unknown_reference("payment_intent", intent, at));
                }
                let charge = self.charge_of_intent(intent).ok_or_else(|| {
                    let message = "This PaymentIntent does not have a successful charge to refund.";
                    ApiError::bad_param("payment_intent", message)
                })?;
                (charge, "payment_intent")
            }
            _ => {
                return Err(ApiError::invalid(
                    "parameter_missing",
                    "payment_intent",
                    "One of the following params should be provided for this request: \
                     payment_intent or charge.",
                ));
            }
        };
        let charge = self.charges.get(id);
        let charge = charge.ok_or_else(|| ApiError::unknown_reference("charge", id, at))?;
        if charge.succeeded() {
            return Ok(charge.clone());
        }
        Err(ApiError::bad_param(at, format!("Charge {id} did not succeed; nothing to refund.")))
    }

    pub(super) fn update_refund(&mut self, id: &str, form: &Form) -> Answer {
        let found = self.refunds.get(id).ok_or_else(|| ApiError::no_such("refund", id))?;
        let mut refund = found.clone();
        let params = form.check(&[UPDATE])?;
        let old = render(&refund);
        update_metadata(&mut refund.metadata, &params);
        let new = render(&refund);
        self.refunds.put(refund);
        self.emit_update("refund.updated", &old, new.clone());
        Ok(new)
    }

    pub(super) fn retrieve_refund(&self, id: &str) -> Answer {
        self.refunds.get(id).map(render).ok_or_else(|| ApiError::no_such("refund", id))
    }

    pub(super) fn list_refunds(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let (charge, intent) = (params.text("charge"), params.text("payment_intent"));
        page(
            &self.refunds,
            "/v1/refunds",
            &params,
            |refund| refund.created,
            |refund| {
                charge.is_none_or(|charge| charge == refund.charge)
                    && intent.is_none_or(|intent| intent == refund.payment_intent)
            },
            render,
        )
    }

    pub(super) fn refunds_of_charge(&self, charge: &str) -> Value {
        let refunds = self.refunds.newest_first().filter(|refund| refund.charge == charge);
        sublist(refunds.map(render).collect(), &format!("/v1/charges/{charge}/refunds"))
    }
}

fn render(refund: &Refund) -> Value {
    let mut object = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "customer": refund.customer,
        "customer_account": null,
        "destination_details": {
            "card": {
                "reference": null, "reference_status": "pending",
                "reference_type": "acquirer_reference_number", "type": "refund",
            },
            "type": "card",
        },
        "metadata": refund.metadata,
        "payment_intent": refund.payment_intent,
        "payment_method": refund.payment_method,
        "reason": refund.reason,
        "status": refund.status,
    });
    if refund.status == Status::Failed {
        object["failure_reason"] = json!("expired_or_canceled_card");
    }
    if refund.status == Status::Pending {
        object["pending_reason"] = json!("processing");
    }
    with_nulls(
        object,
        &["balance_transaction", "receipt_number", "source_transfer_reversal", "transfer_reversal"],
    )
}
