//! Payment intents: the wish to be paid an amount once, over one or more charges.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::cards::Refusal;
use super::list::{PAGE, page};
use super::payment_methods::PaymentMethod;
use super::render::{Metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    id: String,
    created: i64,
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    /// `off_session` if the method is to be kept for later.
    pub(crate) setup_future_usage: Option<String>,
    pub(crate) status: Status,
    payment_method: Option<String>,
    latest_charge: Option<String>,
    last_error: Option<Value>,
    canceled_at: Option<i64>,
    cancellation_reason: Option<String>,
}

/// What a new intent is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewIntent {
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) setup_future_usage: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    #[default]
    RequiresPaymentMethod,
    /// The person has to confirm at their bank.
    RequiresAction,
    Succeeded,
    Canceled,
}

impl Row for PaymentIntent {
    const KIND: &'static str = "payment_intent";
    fn id(&self) -> &str {
        &self.id
    }
}

/// Code and words for a payment that the person did not confirm.
pub(crate) const AUTHENTICATION_FAILED: (&str, &str) = (
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a \
     new PaymentMethod to attempt to fulfill this PaymentIntent again.",
);
const LIST: &[Field] = &[may("customer", Kind::Text)];

impl World {
    /// Records a new intent, which waits for a payment method; its id.
    pub(super) fn new_payment_intent(&mut self, new: NewIntent) -> String {
        let id = self.new_id("pi_");
        let intent = PaymentIntent {
            id: id.clone(),
            created: self.now(),
            amount: new.amount,
            currency: new.currency,
            customer: new.customer,
            description: new.description,
            metadata: new.metadata,
            setup_future_usage: new.setup_future_usage,
            ..PaymentIntent::default()
        };
        let rendered = self.render_payment_intent(&intent);
        self.payment_intents.put(intent);
        self.emit("payment_intent.created", rendered);
        id
    }

    /// Charges the intent `id` to `method`; the person has confirmed it (`authenticated`) or not. A
    /// refusal leaves it open for another attempt.
    pub(super) fn charge_intent(
        &mut self,
        id: &str,
        method: &PaymentMethod,
        authenticated: bool,
    ) -> Result<(), Refusal> {
        let mut intent = self.payment_intents.get(id).cloned().expect("callers made the intent");
        let decline = match method.charge(authenticated) {
            Ok(()) => None,
            Err(Refusal::Declined(decline)) => Some(decline),
            Err(Refusal::NeedsAction) => {
                self.challenge_intent(intent, method);
                return Err(Refusal::NeedsAction);
            }
        };
        let charge = self.new_charge(&intent, method, decline);
        intent.latest_charge = Some(charge.clone());
        if let Some(decline) = decline {
            intent.payment_method = None;
            intent.status = Status::RequiresPaymentMethod;
            intent.last_error = Some(json!({
                "charge": charge,
                "code": decline.code,
                "decline_code": decline.decline_code,
                "doc_url": format!(
                    "https://stripe.com/docs/error-codes/{}", decline.code.replace('_', "-")
                ),
                "message": decline.message,
                "payment_method": self.render_payment_method(method),
                "type": "card_error",
            }));
            let rendered = self.render_payment_intent(&intent);
            self.payment_intents.put(intent);
            self.emit("payment_intent.payment_failed", rendered);
            return Err(Refusal::Declined(decline));
        }
        intent.payment_method = Some(method.id().to_owned());
        intent.last_error = None;
        intent.status = Status::Succeeded;
        let rendered = self.render_payment_intent(&intent);
        self.payment_intents.put(intent);
        self.emit("payment_intent.succeeded", rendered);
        self.follow_charge(&charge);
        Ok(())
    }

    /// Makes the intent wait until the person has confirmed it.
    fn challenge_intent(&mut self, mut intent: PaymentIntent, method: &PaymentMethod) {
        intent.status = Status::RequiresAction;
        intent.payment_method = Some(method.id().to_owned());
        intent.last_error = None;
        let rendered = self.render_payment_intent(&intent);
        self.payment_intents.put(intent);
        self.emit("payment_intent.requires_action", rendered);
    }

    /// Records that the person did not confirm the intent.
    pub(super) fn fail_challenge(&mut self, id: &str, method: Option<&PaymentMethod>) {
        let Some(mut intent) = self.payment_intents.get(id).cloned() else { return };
        let kept = intent.payment_method.take();
        let kept = kept.as_deref().and_then(|id| self.payment_methods.get(id));
        let shown = method.or(kept).map(|method| self.render_payment_method(method));
        intent.status = Status::RequiresPaymentMethod;
        let mut error = json!({
            "code": AUTHENTICATION_FAILED.0,
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
            "message": AUTHENTICATION_FAILED.1,
            "type": "invalid_request_error",
        });
        if let Some(shown) = shown {
            error["payment_method"] = shown;
        }
        intent.last_error = Some(error);
        let rendered = self.render_payment_intent(&intent);
        self.payment_intents.put(intent);
        self.emit("payment_intent.payment_failed", rendered);
    }

    /// The method that waits for the person's word, if the intent does.
    pub(super) fn challenged_method(&self, id: &str) -> Option<&PaymentMethod> {
        let intent = self.payment_intents.get(id)?;
        if intent.status != Status::RequiresAction {
            return None;
        }
        self.payment_methods.get(intent.payment_method.as_deref()?)
    }

    /// Gives an open intent up.
    pub(super) fn cancel_intent(&mut self, id: &str, reason: &str) {
        let Some(mut intent) = self.payment_intents.get(id).cloned() else { return };
        if matches!(intent.status, Status::Succeeded | Status::Canceled) {
            return;
        }
        intent.status = Status::Canceled;
        intent.canceled_at = Some(self.now());
        intent.cancellation_reason = Some(reason.to_owned());
        let rendered = self.render_payment_intent(&intent);
        self.payment_intents.put(intent);
        self.emit("payment_intent.canceled", rendered);
    }

    /// Names the customer of an intent that began without one.
    pub(super) fn claim_intent(&mut self, id: &str, customer: &str) {
        if let Some(mut intent) = self.payment_intents.get(id).cloned() {
            intent.customer = Some(customer.to_owned());
            self.payment_intents.put(intent);
        }
    }

    /// The charge that paid the intent, or the last one that failed.
    pub(super) fn charge_of_intent(&self, id: &str) -> Option<&str> {
        self.payment_intents.get(id)?.latest_charge.as_deref()
    }

    pub(super) fn retrieve_payment_intent(&self, id: &str) -> Answer {
        let intent =
            self.payment_intents.get(id).ok_or_else(|| ApiError::no_such("payment_intent", id))?;
        Ok(self.render_payment_intent(intent))
    }

    pub(super) fn list_payment_intents(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let customer = params.text("customer");
        page(
            &self.payment_intents,
            "/v1/payment_intents",
            &params,
            |intent| intent.created,
            |intent| customer.is_none() || intent.customer.as_deref() == customer,
            |intent| self.render_payment_intent(intent),
        )
    }

    fn next_action(&self, intent: &PaymentIntent) -> Value {
        if intent.status != Status::RequiresAction {
            return Value::Null;
        }
        json!({
            "redirect_to_url": {
                "return_url": null, "url": format!("{}/3ds/{}", self.meta.base_url, intent.id),
            },
            "type": "redirect_to_url",
        })
    }

    pub(super) fn render_payment_intent(&self, intent: &PaymentIntent) -> Value {
        let received = if intent.status == Status::Succeeded { intent.amount } else { 0 };
        let object = json!({
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": received,
            "canceled_at": intent.canceled_at,
            "cancellation_reason": intent.cancellation_reason,
            "capture_method": "automatic",
            "client_secret": self.client_secret(&intent.id),
            "confirmation_method": "automatic",
            "created": intent.created,
            "currency": intent.currency,
            "customer": intent.customer,
            "description": intent.description,
            "last_payment_error": intent.last_error,
            "latest_charge": intent.latest_charge,
            "livemode": false,
            "metadata": intent.metadata,
            "next_action": self.next_action(intent),
            "payment_method": intent.payment_method,
            "payment_method_options": {"card": {
                "installments": null, "mandate_options": null, "network": null,
                "request_three_d_secure": "automatic",
            }},
            "payment_method_types": ["card"],
            "setup_future_usage": intent.setup_future_usage,
            "status": intent.status,
        });
        with_nulls(
            object,
            &[
                "allowed_payment_method_types",
                "application",
                "application_fee_amount",
                "automatic_payment_methods",
                "customer_account",
                "excluded_payment_method_types",
                "managed_payments",
                "on_behalf_of",
                "payment_method_configuration_details",
                "payment_record",
                "processing",
                "receipt_email",
                "review",
                "shipping",
                "source",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_data",
                "transfer_group",
            ],
        )
    }
}
