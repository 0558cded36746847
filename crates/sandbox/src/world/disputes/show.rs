//! How disputes are rendered, with the two movements of money that they may cause.

use serde_json::{Value, json};

use super::respond::EVIDENCE;
use super::{Dispute, Status};
use crate::ids;
use crate::world::World;
use crate::world::render::with_nulls;

/// What Stripe keeps for a dispute, in minor units.
const FEE: i64 = 1_500;

/// Evidence that is a file, or that the sandbox does not take.
const NOT_TAKEN: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

impl World {
    pub(super) fn render_dispute(&self, dispute: &Dispute) -> Value {
        let inquiry = dispute.status.is_warning();
        let mut evidence = with_nulls(json!({"enhanced_evidence": {}}), NOT_TAKEN);
        for name in EVIDENCE {
            evidence[*name] = json!(dispute.evidence.get(*name));
        }
        let waits = matches!(dispute.status, Status::NeedsResponse | Status::WarningNeedsResponse);
        json!({
            "id": dispute.id,
            "object": "dispute",
            "amount": dispute.amount,
            "balance_transactions": self.movements(dispute),
            "charge": dispute.charge,
            "created": dispute.created,
            "currency": dispute.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": dispute.due_by,
                "enhanced_eligibility": {},
                "has_evidence": !dispute.evidence.is_empty(),
                "past_due": !waits && dispute.submissions == 0 && dispute.due_by <= self.now(),
                "submission_count": dispute.submissions,
                "submission_method": if dispute.submissions > 0 { "manual" } else { "not_submitted" },
            },
            "intended_submission_method": null,
            "is_charge_refundable": inquiry && !dispute.status.is_closed(),
            "livemode": false,
            "metadata": dispute.metadata,
            "payment_intent": dispute.payment_intent,
            "payment_method_details": {
                "card": {
                    "brand": dispute.brand,
                    "case_type": if inquiry { "inquiry" } else { "chargeback" },
                    "network": dispute.brand,
                    "network_reason_code": null,
                },
                "type": "card",
            },
            "reason": dispute.reason,
            "status": dispute.status,
        })
    }

    fn movements(&self, dispute: &Dispute) -> Vec<Value> {
        let taken = dispute.withdrawn_at.map(|at| self.movement(dispute, at, -1));
        let given = dispute.reinstated_at.map(|at| self.movement(dispute, at, 1));
        taken.into_iter().chain(given).collect()
    }

    /// `sign` is -1 for a withdrawal, with the fee, and 1 for the money coming back without it.
    fn movement(&self, dispute: &Dispute, at: i64, sign: i64) -> Value {
        let amount = dispute.amount.saturating_mul(sign);
        let fee = if sign < 0 { FEE } else { 0 };
        let fees = [json!({
            "amount": fee, "application": null, "currency": dispute.currency,
            "description": "Dispute fee", "type": "stripe_fee",
        })];
        let label = format!("movement {} {sign}", dispute.id);
        json!({
            "id": format!("txn_{}", ids::text(self.meta.seed, &label, 24)),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": at,
            "balance_type": "payments",
            "created": at,
            "currency": dispute.currency,
            "description": match sign {
                -1 => format!("Chargeback withdrawal for {}", dispute.charge),
                _ => format!("Chargeback reversal for {}", dispute.charge),
            },
            "exchange_rate": null,
            "fee": fee,
            "fee_details": if sign < 0 { fees.to_vec() } else { Vec::new() },
            "net": amount - fee,
            "reporting_category": if sign < 0 { "dispute" } else { "dispute_reversal" },
            "source": dispute.id,
            "status": "available",
            "type": "adjustment",
        })
    }
}
