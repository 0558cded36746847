//! Customers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::list::{PAGE, page};
use super::render::{Metadata, update_metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::ids;
use crate::params::{CLEARABLE, Field, Kind, METADATA, Params, may};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Customer {
    id: String,
    created: i64,
    deleted: bool,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    phone: Option<String>,
    description: Option<String>,
    address: Option<Address>,
    locales: Vec<String>,
    metadata: Metadata,
    pub(crate) currency: Option<String>,
    /// The latest charge of an invoice failed and nothing has succeeded since.
    pub(crate) delinquent: bool,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) next_invoice: u32,
    /// Minor units; negative is credit, which pays the next invoices.
    #[serde(default)]
    pub(crate) balance: i64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Address {
    city: Option<String>,
    country: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
    postal_code: Option<String>,
    state: Option<String>,
}

impl Row for Customer {
    const KIND: &'static str = "customer";
    fn id(&self) -> &str {
        &self.id
    }
}

const ADDRESS: &[Field] = &[
    may("city", CLEARABLE),
    may("country", CLEARABLE),
    may("line1", CLEARABLE),
    may("line2", CLEARABLE),
    may("postal_code", CLEARABLE),
    may("state", CLEARABLE),
];
const INVOICE_SETTINGS: &[Field] = &[may("default_payment_method", CLEARABLE)];
const SPEC: &[Field] = &[
    may("email", CLEARABLE),
    may("name", CLEARABLE),
    may("phone", CLEARABLE),
    may("description", CLEARABLE),
    may("address", Kind::Clear(&Kind::Object(ADDRESS))),
    may("preferred_locales", Kind::List(&Kind::Text)),
    may("invoice_settings", Kind::Object(INVOICE_SETTINGS)),
    may("metadata", METADATA),
];
const CREATE: &[Field] = &[may("payment_method", Kind::Text)];
const LIST: &[Field] = &[may("email", Kind::Text)];

impl World {
    pub(super) fn create_customer(&mut self, form: &Form) -> Answer {
        let params = form.check(&[SPEC, CREATE])?;
        valid_email(&params)?;
        let method = match params.text("payment_method") {
            Some(id) => Some(self.attachable(id)?),
            None => None,
        };
        let wanted = params.object("invoice_settings").string("default_payment_method");
        if wanted.is_some() && wanted != params.string("payment_method") {
            return Err(ApiError::bad_param(
                "invoice_settings[default_payment_method]",
                "The customer does not have this payment method. Give it as payment_method too.",
            ));
        }
        let mut customer = Customer {
            id: self.new_id("cus_"),
            created: self.now(),
            next_invoice: 1,
            ..Customer::default()
        };
        write(&mut customer, &params);
        let id = customer.id.clone();
        self.put_new_customer(customer);
        if let Some(method) = method {
            let attached = self.attach(method, &id);
            if wanted.is_some() {
                self.change_customer(&id, |customer| {
                    customer.default_payment_method = Some(attached)
                });
            }
        }
        self.retrieve_customer(&id)
    }

    /// A customer as the hosted checkout makes one.
    pub(super) fn new_checkout_customer(&mut self, email: Option<String>) -> String {
        let id = self.new_id("cus_");
        let customer = Customer {
            id: id.clone(),
            created: self.now(),
            email,
            next_invoice: 1,
            ..Customer::default()
        };
        self.put_new_customer(customer);
        id
    }

    fn put_new_customer(&mut self, customer: Customer) {
        let rendered = self.render_customer(&customer);
        self.customers.put(customer);
        self.emit("customer.created", rendered);
    }

    pub(super) fn update_customer(&mut self, id: &str, form: &Form) -> Answer {
        self.customer(id)?;
        let params = form.check(&[SPEC])?;
        valid_email(&params)?;
        let settings = params.object("invoice_settings");
        if let Some(method) = settings.text("default_payment_method") {
            self.method_of_customer(method, id, "invoice_settings[default_payment_method]")?;
        }
        self.change_customer(id, |customer| {
            write(customer, &params);
            settings.update("default_payment_method", &mut customer.default_payment_method);
        });
        self.retrieve_customer(id)
    }

    /// Changes a customer and tells of it, if anything was changed.
    pub(super) fn change_customer(&mut self, id: &str, change: impl FnOnce(&mut Customer)) {
        let Some(mut customer) = self.customers.get(id).cloned() else { return };
        let old = self.render_customer(&customer);
        change(&mut customer);
        let new = self.render_customer(&customer);
        self.customers.put(customer);
        self.emit_update("customer.updated", &old, new);
    }

    pub(super) fn delete_customer(&mut self, id: &str, form: &Form) -> Answer {
        let mut customer = self.customer(id)?.clone();
        form.check(&[])?;
        for subscription in self.running_subscriptions(id) {
            self.end_subscription(&subscription, "cancellation_requested");
        }
        self.detach_all(id);
        let rendered = self.render_customer(&customer);
        customer.deleted = true;
        self.customers.put(customer);
        self.emit("customer.deleted", rendered);
        Ok(json!({"id": id, "object": "customer", "deleted": true}))
    }

    pub(super) fn retrieve_customer(&self, id: &str) -> Answer {
        match self.customers.get(id) {
            Some(gone) if gone.deleted => {
                Ok(json!({"id": id, "object": "customer", "deleted": true}))
            }
            Some(customer) => Ok(self.render_customer(customer)),
            None => Err(ApiError::no_such("customer", id)),
        }
    }

    pub(super) fn list_customers(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let email = params.text("email");
        page(
            &self.customers,
            "/v1/customers",
            &params,
            |customer| customer.created,
            |customer| !customer.deleted && (email.is_none() || customer.email.as_deref() == email),
            |customer| self.render_customer(customer),
        )
    }

    /// The customer `id` of a path.
    pub(super) fn customer(&self, id: &str) -> Result<&Customer, ApiError> {
        let found = self.customers.get(id).filter(|customer| !customer.deleted);
        found.ok_or_else(|| ApiError::no_such("customer", id))
    }

    /// The customer `id` that a parameter names.
    pub(super) fn customer_param(&self, id: &str) -> Result<&Customer, ApiError> {
        self.customer(id).map_err(|_| ApiError::unknown_reference("customer", id, "customer"))
    }

    /// Prefix of the customer's invoice numbers.
    pub(super) fn invoice_prefix(&self, customer: &str) -> String {
        ids::text(self.meta.seed, &format!("invoice prefix {customer}"), 8).to_uppercase()
    }

    pub(super) fn subscriptions_of_customer(&self, id: &str) -> Value {
        let data = self
            .running_subscriptions(id)
            .iter()
            .filter_map(|id| self.retrieve_subscription(id).ok())
            .collect();
        super::render::sublist(data, &format!("/v1/customers/{id}/subscriptions"))
    }

    fn render_customer(&self, customer: &Customer) -> Value {
        let object = json!({
            "id": customer.id,
            "object": "customer",
            "address": customer.address,
            "balance": customer.balance,
            "created": customer.created,
            "currency": customer.currency,
            "delinquent": customer.delinquent,
            "description": customer.description,
            "email": customer.email,
            "invoice_prefix": self.invoice_prefix(&customer.id),
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": customer.default_payment_method,
                "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": customer.metadata,
            "name": customer.name,
            "next_invoice_sequence": customer.next_invoice,
            "phone": customer.phone,
            "preferred_locales": customer.locales,
            "tax_exempt": "none",
        });
        with_nulls(
            object,
            &["customer_account", "default_source", "discount", "shipping", "test_clock"],
        )
    }
}

fn write(customer: &mut Customer, params: &Params) {
    params.update("email", &mut customer.email);
    params.update("name", &mut customer.name);
    params.update("phone", &mut customer.phone);
    params.update("description", &mut customer.description);
    if params.has("address") {
        let given = params.object("address");
        let text = |name: &str| given.string(name);
        let cleared = !params.is_object("address");
        customer.address = (!cleared).then(|| Address {
            city: text("city"),
            country: text("country"),
            line1: text("line1"),
            line2: text("line2"),
            postal_code: text("postal_code"),
            state: text("state"),
        });
    }
    if params.has("preferred_locales") {
        customer.locales = params.texts("preferred_locales");
    }
    update_metadata(&mut customer.metadata, params);
}

fn valid_email(params: &Params) -> Result<(), ApiError> {
    match params.text("email") {
        Some(email) if !email.contains('@') || email.len() > 512 => {
            let message = format!("Invalid email address: {email}");
            Err(ApiError::invalid("email_invalid", "email", message))
        }
        _ => Ok(()),
    }
}
