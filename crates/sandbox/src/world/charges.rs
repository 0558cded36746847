//! Charges: one attempt each to take money from a card.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::cards::{Aftermath, Card, Decline};
use super::list::{PAGE, page};
use super::payment_intents::PaymentIntent;
use super::payment_methods::{PaymentMethod, billing_details};
use super::render::{Metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    created: i64,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: String,
    card: Card,
    failure: Option<Failure>,
    description: Option<String>,
    metadata: Metadata,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failure {
    code: String,
    decline_code: Option<String>,
    message: String,
}

impl Row for Charge {
    const KIND: &'static str = "charge";
    fn id(&self) -> &str {
        &self.id
    }
}

impl Charge {
    pub(crate) fn succeeded(&self) -> bool {
        self.failure.is_none()
    }

    pub(crate) fn brand(&self) -> &'static str {
        self.card.brand()
    }

    pub(crate) fn aftermath(&self) -> Aftermath {
        self.card.aftermath()
    }
}

const LIST: &[Field] = &[may("customer", Kind::Text), may("payment_intent", Kind::Text)];

impl World {
    /// Records that the amount of `intent` was taken from `method`, or declined; the charge's id.
    pub(super) fn new_charge(
        &mut self,
        intent: &PaymentIntent,
        method: &PaymentMethod,
        decline: Option<Decline>,
    ) -> String {
        let charge = Charge {
            id: self.new_id("ch_"),
            created: self.now(),
            amount: intent.amount,
            amount_refunded: 0,
            currency: intent.currency.clone(),
            customer: intent.customer.clone(),
            payment_intent: intent.id().to_owned(),
            payment_method: method.id().to_owned(),
            card: method.card.clone(),
            failure: decline.map(|decline| Failure {
                code: decline.code.to_owned(),
                decline_code: decline.decline_code.map(str::to_owned),
                message: decline.message.to_owned(),
            }),
            description: intent.description.clone(),
            metadata: intent.metadata.clone(),
        };
        let id = charge.id.clone();
        let rendered = self.render_charge(&charge);
        self.charges.put(charge);
        self.emit(if decline.is_none() { "charge.succeeded" } else { "charge.failed" }, rendered);
        id
    }

    /// Plans what follows a charge that went through.
    pub(super) fn follow_charge(&mut self, id: &str) {
        if let Some(charge) = self.charges.get(id).cloned() {
            self.plan_dispute(&charge, charge.aftermath());
        }
    }

    pub(super) fn retrieve_charge(&self, id: &str) -> Answer {
        let charge = self.charges.get(id).ok_or_else(|| ApiError::no_such("charge", id))?;
        Ok(self.render_charge(charge))
    }

    pub(super) fn list_charges(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let (customer, intent) = (params.text("customer"), params.text("payment_intent"));
        page(
            &self.charges,
            "/v1/charges",
            &params,
            |charge| charge.created,
            |charge| {
                (customer.is_none() || charge.customer.as_deref() == customer)
                    && intent.is_none_or(|intent| intent == charge.payment_intent)
            },
            |charge| self.render_charge(charge),
        )
    }

    pub(super) fn render_charge(&self, charge: &Charge) -> Value {
        let paid = charge.succeeded();
        let failure = charge.failure.as_ref();
        let object = json!({
            "id": charge.id,
            "object": "charge",
            "amount": charge.amount,
            "amount_captured": if paid { charge.amount } else { 0 },
            "amount_refunded": charge.amount_refunded,
            "billing_details": billing_details(None),
            "calculated_statement_descriptor": "SANDBOX",
            "captured": paid,
            "created": charge.created,
            "currency": charge.currency,
            "customer": charge.customer,
            "description": charge.description,
            "disputed": self.is_disputed(&charge.id),
            "failure_code": failure.map(|failure| failure.code.clone()),
            "failure_message": failure.map(|failure| failure.message.clone()),
            "fraud_details": {},
            "livemode": false,
            "metadata": charge.metadata,
            "outcome": outcome(failure),
            "paid": paid,
            "payment_intent": charge.payment_intent,
            "payment_method": charge.payment_method,
            "payment_method_details": {"type": "card", "card": self.charged_card(charge)},
            "refunded": charge.amount_refunded == charge.amount && paid,
            "status": if paid { "succeeded" } else { "failed" },
        });
        with_nulls(
            object,
            &[
                "application",
                "application_fee",
                "application_fee_amount",
                "balance_transaction",
                "failure_balance_transaction",
                "on_behalf_of",
                "receipt_email",
                "receipt_number",
                "receipt_url",
                "review",
                "shipping",
                "source",
                "source_transfer",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_data",
                "transfer_group",
            ],
        )
    }

    fn charged_card(&self, charge: &Charge) -> Value {
        let card = &charge.card;
        let object = json!({
            "amount_authorized": charge.amount,
            "brand": card.brand(),
            "checks": {
                "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
            },
            "country": "US",
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": self.fingerprint(card),
            "funding": card.funding(),
            "last4": card.last4(),
            "network": card.brand(),
            "regulated_status": "unregulated",
        });
        with_nulls(
            object,
            &[
                "authorization_code",
                "electronic_commerce_indicator",
                "installments",
                "mandate",
                "network_token",
                "network_transaction_id",
                "three_d_secure",
                "transaction_link_id",
                "wallet",
            ],
        )
    }
}

fn outcome(failure: Option<&Failure>) -> Value {
    let network_status =
        if failure.is_some() { "declined_by_network" } else { "approved_by_network" };
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": network_status,
        "reason": failure.map(|f| f.decline_code.clone().unwrap_or(f.code.clone())),
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": match failure {
            Some(_) => "The bank did not return any further details with this decline.",
            None => "Payment complete.",
        },
        "type": if failure.is_some() { "issuer_declined" } else { "authorized" },
    })
}
