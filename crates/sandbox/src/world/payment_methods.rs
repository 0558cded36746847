//! Payment methods: cards, and which customer keeps them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::cards::{self, Card, Refusal};
use super::list::{PAGE, page};
use super::render::{Metadata, new_metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::calendar;
use crate::error::{Answer, ApiError};
use crate::ids;
use crate::params::{Field, INSTANT, Kind, METADATA, may, need};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    id: String,
    created: i64,
    pub(crate) card: Card,
    pub(crate) customer: Option<String>,
    /// Detached, or used without a customer: it cannot be attached any more.
    spent: bool,
    /// The person has confirmed that it may be charged without them.
    #[serde(default)]
    pub(crate) set_up: bool,
    /// From some instant on the bank says no, in this word.
    #[serde(default)]
    refuses: Option<String>,
    email: Option<String>,
    metadata: Metadata,
}

impl PaymentMethod {
    /// Whether it pays; the person has confirmed this charge, or not.
    pub(crate) fn charge(&self, authenticated: bool) -> Result<(), Refusal> {
        match self.refuses.as_deref().and_then(cards::decline_named) {
            Some(decline) => Err(Refusal::Declined(decline)),
            None => self.card.charge(authenticated, self.set_up),
        }
    }
}

impl Row for PaymentMethod {
    const KIND: &'static str = "payment_method";
    fn id(&self) -> &str {
        &self.id
    }
}

const CARD: &[Field] = &[
    may("number", Kind::Text),
    may(
        "token",
        Kind::OneOf(&["tok_visa", "tok_mastercard", "tok_amex", "tok_chargeCustomerFail"]),
    ),
    may("exp_month", Kind::Int(1, 12)),
    may("exp_year", INSTANT),
    may("cvc", Kind::Text),
];
const CREATE: &[Field] = &[
    need("type", Kind::OneOf(&["card"])),
    need("card", Kind::Object(CARD)),
    may("metadata", METADATA),
];
const ATTACH: &[Field] = &[need("customer", Kind::Text)];
const LIST: &[Field] = &[may("customer", Kind::Text), may("type", Kind::OneOf(&["card"]))];
const LIST_OF_CUSTOMER: &[Field] = &[may("type", Kind::OneOf(&["card"]))];
/// New cards are good for so many years.
const YEARS_VALID: i64 = 8;

impl World {
    pub(super) fn create_payment_method(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let given = params.object("card");
        let mut card = match (given.text("number"), given.text("token")) {
            (Some(number), None) => Card::typed(number, self.card_expiry())?,
            (None, Some(token)) => {
                let id = token.replacen("tok_", "pm_card_", 1);
                cards::ready_made(&id, self.card_expiry())
                    .ok_or_else(|| ApiError::unknown_reference("token", token, "card[token]"))?
            }
            _ => {
                return Err(ApiError::invalid(
                    "parameter_missing",
                    "card",
                    "Give either card[number] or card[token].",
                ));
            }
        };
        card.exp_month = given.int("exp_month").unwrap_or(card.exp_month);
        card.exp_year = given.int("exp_year").unwrap_or(card.exp_year);
        let mut method = self.new_method(card, None);
        method.metadata = new_metadata(&params);
        let id = method.id.clone();
        self.payment_methods.put(method);
        self.retrieve_payment_method(&id)
    }

    /// A payment method with a card that was typed into a hosted page; nobody keeps it yet.
    pub(super) fn new_method(&mut self, card: Card, email: Option<String>) -> PaymentMethod {
        PaymentMethod {
            id: self.new_id("pm_"),
            created: self.now(),
            card,
            customer: None,
            spent: false,
            set_up: false,
            refuses: None,
            email,
            metadata: Metadata::new(),
        }
    }

    pub(super) fn card_expiry(&self) -> i64 {
        calendar::year(self.now()) + YEARS_VALID
    }

    /// A payment method that a customer may keep: one that exists, or a new one of a ready-made
    /// id such as `pm_card_visa`. Nothing is changed yet.
    pub(super) fn attachable(&mut self, id: &str) -> Result<PaymentMethod, ApiError> {
        let method = match (self.payment_methods.get(id), cards::ready_made(id, self.card_expiry()))
        {
            (Some(method), _) => method.clone(),
            (None, Some(card)) => {
                card.save().map_err(super::cards::Decline::error)?;
                self.new_method(card, None)
            }
            (None, None) => {
                return Err(ApiError::unknown_reference("PaymentMethod", id, "payment_method"));
            }
        };
        if method.spent {
            return Err(ApiError::refused(
                "This PaymentMethod was previously used without being attached to a Customer or \
                 was detached from a Customer, and may not be used again.",
            ));
        }
        if method.customer.is_some() {
            return Err(ApiError::refused(
                "The payment method you provided has already been attached to a customer.",
            ));
        }
        method.card.save().map_err(super::cards::Decline::error)?;
        Ok(method)
    }

    /// Gives `method` to `customer`; its id.
    pub(super) fn attach(&mut self, method: PaymentMethod, customer: &str) -> String {
        let method = PaymentMethod { customer: Some(customer.to_owned()), ..method };
        let id = method.id.clone();
        let rendered = self.render_payment_method(&method);
        self.payment_methods.put(method);
        self.emit("payment_method.attached", rendered);
        id
    }

    /// Keeps a method that pays once and belongs to nobody; its id.
    pub(super) fn keep_unattached(&mut self, method: PaymentMethod) -> String {
        let id = method.id.clone();
        self.payment_methods.put(PaymentMethod { spent: true, ..method });
        id
    }

    pub(super) fn attach_payment_method(&mut self, id: &str, form: &Form) -> Answer {
        let params = form.check(&[ATTACH])?;
        let customer = params.text("customer").unwrap_or_default();
        self.customer_param(customer)?;
        let owner = self.payment_methods.get(id).and_then(|method| method.customer.as_deref());
        if owner == Some(customer) {
            return self.retrieve_payment_method(id);
        }
        let method = self.attachable(id)?;
        let id = self.attach(method, customer);
        self.retrieve_payment_method(&id)
    }

    pub(super) fn detach_payment_method(&mut self, id: &str, form: &Form) -> Answer {
        let method = self.payment_method(id)?;
        form.check(&[])?;
        if method.customer.is_none() {
            return Err(ApiError::refused(
                "The payment method you provided is not attached to a customer so detachment is \
                 impossible.",
            ));
        }
        self.detach(id);
        self.retrieve_payment_method(id)
    }

    fn detach(&mut self, id: &str) {
        let Some(mut method) = self.payment_methods.get(id).cloned() else { return };
        let old = self.render_payment_method(&method);
        let customer = method.customer.take();
        method.spent = true;
        let new = self.render_payment_method(&method);
        self.payment_methods.put(method);
        self.emit_update("payment_method.detached", &old, new);
        self.forget_default_method(id);
        if let Some(customer) = customer {
            self.change_customer(&customer, |customer| {
                if customer.default_payment_method.as_deref() == Some(id) {
                    customer.default_payment_method = None;
                }
            });
        }
    }

    /// From now on every charge of `id` is declined with `word`; an unknown word heals it.
    pub(super) fn break_card(&mut self, id: &str, word: &str) {
        if let Some(mut method) = self.payment_methods.get(id).cloned() {
            method.refuses = cards::decline_named(word).map(|_| word.to_owned());
            self.payment_methods.put(method);
        }
    }

    /// The person has confirmed that `id` may be charged without them.
    pub(super) fn note_set_up(&mut self, id: &str) {
        if let Some(mut method) = self.payment_methods.get(id).cloned() {
            method.set_up = true;
            self.payment_methods.put(method);
        }
    }

    /// Detaches everything that `customer` keeps.
    pub(super) fn detach_all(&mut self, customer: &str) {
        let kept: Vec<String> = self
            .payment_methods
            .oldest_first()
            .filter(|method| method.customer.as_deref() == Some(customer))
            .map(|method| method.id.clone())
            .collect();
        for id in kept {
            self.detach(&id);
        }
    }

    pub(super) fn retrieve_payment_method(&self, id: &str) -> Answer {
        self.payment_method(id).map(|method| self.render_payment_method(method))
    }

    fn payment_method(&self, id: &str) -> Result<&PaymentMethod, ApiError> {
        self.payment_methods.get(id).ok_or_else(|| ApiError::no_such("PaymentMethod", id))
    }

    /// The payment method `id` that the parameter `at` names for `customer`.
    pub(super) fn method_of_customer(
        &self,
        id: &str,
        customer: &str,
        at: &str,
    ) -> Result<&PaymentMethod, ApiError> {
        let method = self
            .payment_methods
            .get(id)
            .ok_or_else(|| ApiError::unknown_reference("PaymentMethod", id, at))?;
        if method.customer.as_deref() == Some(customer) {
            return Ok(method);
        }
        let message = format!(
            "The customer does not have a payment method with the ID {id}. The payment method \
             must be attached to the customer."
        );
        Err(ApiError::invalid("resource_missing", at, message))
    }

    pub(super) fn list_payment_methods(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let customer = params.text("customer");
        page(
            &self.payment_methods,
            "/v1/payment_methods",
            &params,
            |method| method.created,
            |method| {
                method.customer.is_some()
                    && (customer.is_none() || method.customer.as_deref() == customer)
            },
            |method| self.render_payment_method(method),
        )
    }

    pub(super) fn list_customer_payment_methods(&self, customer: &str, form: &Form) -> Answer {
        self.customer(customer)?;
        let params = form.check(&[LIST_OF_CUSTOMER, PAGE])?;
        page(
            &self.payment_methods,
            &format!("/v1/customers/{customer}/payment_methods"),
            &params,
            |method| method.created,
            |method| method.customer.as_deref() == Some(customer),
            |method| self.render_payment_method(method),
        )
    }

    /// The same for the same number, different in another world.
    pub(super) fn fingerprint(&self, card: &Card) -> String {
        ids::text(self.meta.seed, &format!("fingerprint {}", card.number), 16)
    }

    pub(super) fn render_payment_method(&self, method: &PaymentMethod) -> Value {
        let card = &method.card;
        json!({
            "id": method.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(method.email.as_deref()),
            "card": {
                "brand": card.brand(),
                "checks": {
                    "address_line1_check": null, "address_postal_code_check": null,
                    "cvc_check": "pass",
                },
                "country": "US",
                "display_brand": card.brand(),
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "fingerprint": self.fingerprint(card),
                "funding": card.funding(),
                "generated_from": null,
                "last4": card.last4(),
                "networks": {"available": [card.brand()], "preferred": null},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": true},
                "wallet": null,
            },
            "created": method.created,
            "customer": method.customer,
            "customer_account": null,
            "livemode": false,
            "metadata": method.metadata,
            "type": "card",
        })
    }
}

/// Billing details with nothing but an email.
pub(super) fn billing_details(email: Option<&str>) -> Value {
    let address =
        with_nulls(json!({}), &["city", "country", "line1", "line2", "postal_code", "state"]);
    json!({"address": address, "email": email, "name": null, "phone": null, "tax_id": null})
}
