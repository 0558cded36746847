//! `expand[]`: ids in an answer are replaced by the objects they name.

use serde_json::{Value, json};

use super::World;
use crate::error::{Answer, ApiError};

/// How many objects deep an expansion may reach.
const DEPTH_MAX: usize = 4;

/// Fields that hold the id of another object, with what it is. `data` steps into a list.
const EXPANDABLE: &[(&str, Find)] = &[
    ("customer", World::retrieve_customer),
    ("subscription", World::retrieve_subscription),
    ("invoice", World::retrieve_invoice),
    ("latest_invoice", World::retrieve_invoice),
    ("payment_intent", World::retrieve_payment_intent),
    ("setup_intent", World::retrieve_setup_intent),
    ("pending_setup_intent", World::retrieve_setup_intent),
    ("payment_method", World::retrieve_payment_method),
    ("default_payment_method", World::retrieve_payment_method),
    ("schedule", World::retrieve_schedule),
    ("released_subscription", World::retrieve_subscription),
    ("charge", World::retrieve_charge),
    ("latest_charge", World::retrieve_charge),
    ("product", World::retrieve_product),
    ("default_price", World::retrieve_price),
];

/// Objects and lists that an expansion may step through on its way.
const STEPS: &[&str] = &[
    "data",
    "items",
    "lines",
    "price",
    "parent",
    "subscription_details",
    "subscription_item_details",
    "invoice_settings",
    "payment",
    "pricing",
    "price_details",
    "last_payment_error",
    "schedule",
];

/// Lists that Stripe leaves out unless they are asked for.
const INCLUDABLE: &[&str] =
    &["payments", "confirmation_secret", "line_items", "subscriptions", "refunds"];

type Find = fn(&World, &str) -> Answer;

impl World {
    /// Refuses paths that nothing could be found under, before the request has effects.
    pub(super) fn check_expand(&self, paths: &[String]) -> Result<(), ApiError> {
        for path in paths {
            let steps: Vec<&str> = path.split('.').collect();
            if DEPTH_MAX < steps.iter().filter(|step| **step != "data").count() {
                let message = format!(
                    "You cannot expand more than {DEPTH_MAX} levels of a property. (You tried to \
                     expand {path})."
                );
                return Err(ApiError::bad_param("expand", message));
            }
            let known = |step: &&str| {
                STEPS.contains(step)
                    || INCLUDABLE.contains(step)
                    || EXPANDABLE.iter().any(|(name, _)| name == step)
            };
            if !steps.iter().all(known) {
                let message = format!("This property cannot be expanded ({path}).");
                return Err(ApiError::bad_param("expand", message));
            }
        }
        Ok(())
    }

    /// Replaces what `paths` name in `value`.
    pub(super) fn expand(&self, value: &mut Value, paths: &[String]) -> Result<(), ApiError> {
        for path in paths {
            let steps: Vec<&str> = path.split('.').collect();
            self.expand_steps(value, &steps, path)?;
        }
        Ok(())
    }

    fn expand_steps(&self, value: &mut Value, steps: &[&str], path: &str) -> Result<(), ApiError> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        if let Value::Array(values) = value {
            return values.iter_mut().try_for_each(|inner| self.expand_steps(inner, steps, path));
        }
        // Of what is deleted nothing is left to be expanded.
        if value.is_null() || value["deleted"] == true {
            return Ok(());
        }
        if value.get(step).is_none() {
            match self.included(value, step) {
                Some(list) => value[*step] = list,
                None => {
                    let message = format!("This property cannot be expanded ({path}).");
                    return Err(ApiError::bad_param("expand", message));
                }
            }
        }
        let inner = &mut value[*step];
        if let (Some(id), Some((_, find))) =
            (inner.as_str(), EXPANDABLE.iter().find(|(name, _)| name == step))
        {
            *inner = find(self, id)?;
        }
        self.expand_steps(inner, rest, path)
    }

    /// A list of `object` that is only rendered on request.
    fn included(&self, object: &Value, step: &str) -> Option<Value> {
        let id = object["id"].as_str()?;
        match (object["object"].as_str()?, step) {
            ("invoice", "payments") => Some(self.payments_of_invoice(id)),
            ("invoice", "confirmation_secret") => Some(self.confirmation_secret(id)),
            ("checkout.session", "line_items") => Some(self.items_of_session(id)),
            ("customer", "subscriptions") => Some(self.subscriptions_of_customer(id)),
            ("charge", "refunds") => Some(self.refunds_of_charge(id)),
            _ => None,
        }
    }

    /// `GET /v1/account`.
    pub(super) fn render_account(&self) -> Value {
        json!({
            "id": self.account_id(),
            "object": "account",
            "business_profile": {
                "annual_revenue": null, "mcc": null, "minority_owned_business_designation": null,
                "name": "Sandbox", "product_description": null,
                "specified_commercial_transactions_act_url": null, "support_address": null,
                "support_email": null, "support_phone": null, "support_url": null, "url": null,
            },
            "business_type": null,
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": true,
            "controller": {"type": "account"},
            "country": "US",
            "created": 0,
            "default_currency": "usd",
            "details_submitted": true,
            "email": "sandbox@example.com",
            "external_accounts": super::render::sublist(
                Vec::new(),
                &format!("/v1/accounts/{}/external_accounts", self.account_id()),
            ),
            "metadata": {},
            "payouts_enabled": true,
            "settings": null,
            "type": "standard",
        })
    }
}
