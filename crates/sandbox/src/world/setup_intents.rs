//! Setup intents: the wish to keep a payment method for later.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::list::{PAGE, page};
use super::render::{Metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetupIntent {
    id: String,
    created: i64,
    customer: Option<String>,
    description: Option<String>,
    metadata: Metadata,
    payment_method: Option<String>,
    succeeded: bool,
}

/// What was set up.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewSetup {
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) payment_method: String,
}

impl Row for SetupIntent {
    const KIND: &'static str = "setup_intent";
    fn id(&self) -> &str {
        &self.id
    }
}

const LIST: &[Field] = &[may("customer", Kind::Text), may("payment_method", Kind::Text)];

impl World {
    /// Records an intent whose method was kept at once; its id.
    pub(super) fn succeeded_setup(&mut self, new: NewSetup) -> String {
        let mut intent = SetupIntent {
            id: self.new_id("seti_"),
            created: self.now(),
            customer: new.customer,
            description: new.description,
            metadata: new.metadata,
            payment_method: None,
            succeeded: false,
        };
        let begun = self.render_setup_intent(&intent);
        self.emit("setup_intent.created", begun);
        intent.payment_method = Some(new.payment_method);
        intent.succeeded = true;
        let done = self.render_setup_intent(&intent);
        let id = intent.id.clone();
        self.setup_intents.put(intent);
        self.emit("setup_intent.succeeded", done);
        id
    }

    pub(super) fn retrieve_setup_intent(&self, id: &str) -> Answer {
        let intent =
            self.setup_intents.get(id).ok_or_else(|| ApiError::no_such("setup_intent", id))?;
        Ok(self.render_setup_intent(intent))
    }

    pub(super) fn list_setup_intents(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let (customer, method) = (params.text("customer"), params.text("payment_method"));
        page(
            &self.setup_intents,
            "/v1/setup_intents",
            &params,
            |intent| intent.created,
            |intent| {
                (customer.is_none() || intent.customer.as_deref() == customer)
                    && (method.is_none() || intent.payment_method.as_deref() == method)
            },
            |intent| self.render_setup_intent(intent),
        )
    }

    fn render_setup_intent(&self, intent: &SetupIntent) -> Value {
        let object = json!({
            "id": intent.id,
            "object": "setup_intent",
            "client_secret": self.client_secret(&intent.id),
            "created": intent.created,
            "customer": intent.customer,
            "description": intent.description,
            "livemode": false,
            "metadata": intent.metadata,
            "payment_method": intent.payment_method,
            "payment_method_options": {"card": {
                "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
            }},
            "payment_method_types": ["card"],
            "status": if intent.succeeded { "succeeded" } else { "requires_payment_method" },
            "usage": "off_session",
        });
        with_nulls(
            object,
            &[
                "allowed_payment_method_types",
                "application",
                "automatic_payment_methods",
                "cancellation_reason",
                "customer_account",
                "excluded_payment_method_types",
                "flow_directions",
                "last_setup_error",
                "latest_attempt",
                "mandate",
                "next_action",
                "on_behalf_of",
                "payment_method_configuration_details",
                "single_use_mandate",
            ],
        )
    }
}
