//! How sessions and their line items are rendered.

use serde_json::{Value, json};

use super::{Item, Mode, Session, Status};
use crate::error::Answer;
use crate::world::World;
use crate::world::catalog::render_price;
use crate::world::list::{PAGE, page_of};
use crate::world::render::{sublist, with_nulls};
use crate::world::route::Form;

const NULLS: &[&str] = &[
    "after_expiration",
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "discounts",
    "integration_identifier",
    "invoice_creation",
    "locale",
    "managed_payments",
    "origin_context",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "wallet_options",
];

impl World {
    pub(in crate::world) fn session_url(&self, id: &str) -> String {
        format!("{}/checkout/{id}", self.meta.base_url)
    }

    pub(super) fn render_session(&self, session: &Session) -> Value {
        let total = (session.mode != Mode::Setup).then(|| self.due_now(session));
        let open = session.status == Status::Open;

        let object = json!({
            "id": session.id,
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": false},
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "cancel_url": session.cancel_url,
            "client_reference_id": session.client_reference_id,
            "created": session.created,
            "currency": session.currency,
            "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null,
                "terms_of_service_acceptance": null,
            },
            "customer": session.customer,
            "customer_creation": self.customer_creation(session),
            "customer_details": self.customer_details(session),
            "customer_email": session.email.as_ref().filter(|_| session.customer.is_none()),
            "expires_at": session.expires_at,
            "invoice": session.made.invoice,
            "livemode": false,
            "metadata": session.metadata,
            "mode": session.mode,
            "payment_intent": session.made.intent.as_ref().filter(|_| session.mode == Mode::Payment),
            "payment_method_collection": match session.mode {
                Mode::Subscription if session.card_if_required => Some("if_required"),
                Mode::Subscription => Some("always"),
                Mode::Payment | Mode::Setup => None,
            },
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "payment_status": self.payment_status(session),
            "phone_number_collection": {"enabled": false},
            "setup_intent": session.made.setup_intent,
            "shipping_options": [],
            "status": session.status,
            "subscription": session.made.subscription,
            "success_url": session.success_url,
            "total_details": total.map(|_| json!({
                "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0,
            })),
            "ui_mode": "hosted_page",
            "url": open.then(|| self.session_url(&session.id)),
        });
        with_nulls(object, NULLS)
    }

    fn payment_status(&self, session: &Session) -> &'static str {
        let nothing = session.mode == Mode::Setup || self.due_now(session) == 0;
        match (session.made.paid, nothing && session.status == Status::Complete) {
            (true, _) => "paid",
            (false, true) => "no_payment_required",
            (false, false) if session.mode == Mode::Setup => "no_payment_required",
            (false, false) => "unpaid",
        }
    }

    fn customer_creation(&self, session: &Session) -> Option<&'static str> {
        match session.mode {
            // A customer that was given needs no creation; one that was made here does not undo it.
            Mode::Payment if session.always_customer => Some("always"),
            Mode::Payment if session.customer.is_none() => Some("if_required"),
            _ => None,
        }
    }

    fn customer_details(&self, session: &Session) -> Value {
        let email = self.email_of(session);
        if email.is_none() && session.status != Status::Complete {
            return Value::Null;
        }
        let customer = session.customer.as_deref().and_then(|id| self.customers.get(id));
        json!({
            "address": null, "business_name": null, "email": email, "individual_name": null,
            "name": customer.and_then(|customer| customer.name.clone()), "phone": null,
            "tax_exempt": "none", "tax_ids": [],
        })
    }

    pub(in crate::world) fn items_of_session(&self, id: &str) -> Value {
        let session = self.sessions.get(id);
        let items = session.iter().flat_map(|session| {
            session.items.iter().map(|item| self.render_session_item(session, item))
        });
        sublist(items.collect(), &format!("/v1/checkout/sessions/{id}/line_items"))
    }

    pub(in crate::world) fn list_session_items(&self, id: &str, form: &Form) -> Answer {
        self.session(id)?;
        let params = form.check(&[PAGE])?;
        page_of(self.items_of_session(id), &params)
    }

    fn render_session_item(&self, session: &Session, item: &Item) -> Value {
        let price = self.prices.get(&item.price);
        let amount = self.item_due(session, item);
        let product = price.and_then(|price| self.products.get(&price.product));
        json!({
            "id": item.id,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": session.currency,
            "description": product.map(|product| product.name.clone()),
            "metadata": {},
            "price": price.map(render_price),
            "quantity": item.quantity,
        })
    }
}
