//! Customers: one per customer of the app.
//!
//! Source: <https://docs.stripe.com/api/customers>.

use farthing_core::snapshot::CustomerRef;

use super::answer::answer;
use super::form::{field, path};
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// The metadata key under which the app's customer id travels on every object that we make.
pub const CUSTOMER_KEY: &str = "farthing_customer";

/// A customer to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    /// The app's own id.
    pub app_id: String,
    /// Where receipts go.
    pub email: Option<String>,
    /// The name on invoices.
    pub name: Option<String>,
    /// The idempotency key.
    pub key: String,
}

/// What to change; `None` leaves it, an empty text removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerUpdate {
    /// Where receipts go.
    pub email: Option<String>,
    /// The name on invoices.
    pub name: Option<String>,
    /// The idempotency key.
    pub key: String,
}

/// A customer as Stripe has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedCustomer {
    /// Who.
    pub customer: CustomerRef,
    /// Whether it was deleted; then nothing else of it is known.
    pub deleted: bool,
    /// Stripe's id of the payment method that pays where nothing else is said.
    pub default_payment_method: Option<String>,
}

fn contact(email: Option<&String>, name: Option<&String>) -> Vec<(String, String)> {
    let email = email.map(|email| field("email", email));
    let name = name.map(|name| field("name", name));
    email.into_iter().chain(name).collect()
}

/// Creates.
pub fn encode_create_customer(new: &NewCustomer) -> HttpRequest {
    let mut form = contact(new.email.as_ref(), new.name.as_ref());
    form.push(field(format!("metadata[{CUSTOMER_KEY}]"), &new.app_id));
    HttpRequest::post(path(&["customers"], &[]), &new.key, form)
}

/// Changes e-mail or name.
pub fn encode_update_customer(id: &str, update: &CustomerUpdate) -> HttpRequest {
    let form = contact(update.email.as_ref(), update.name.as_ref());
    HttpRequest::post(path(&["customers", id], &[]), &update.key, form)
}

/// Makes a stored payment method the one that pays where nothing else is said.
pub fn encode_set_default_payment_method(id: &str, method: &str, key: &str) -> HttpRequest {
    let form = vec![field("invoice_settings[default_payment_method]", method)];
    HttpRequest::post(path(&["customers", id], &[]), key, form)
}

/// Reads one; a deleted one is still found.
pub fn encode_fetch_customer(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["customers", id], &[]))
}

/// Deletes for good. Stripe ends the subscriptions at once, too.
pub fn encode_delete_customer(id: &str) -> HttpRequest {
    HttpRequest::delete(path(&["customers", id], &[]))
}

/// Who it is. The same for what was created, changed, deleted or read.
pub fn decode_customer(status: u16, body: &[u8]) -> Result<FetchedCustomer, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    root.expect_kind("customer")?;
    let deleted = root.opt_flag("deleted")?.unwrap_or(false);
    let customer =
        CustomerRef { provider_id: root.text("id")?, app_id: root.metadata(CUSTOMER_KEY)? };
    let default_payment_method = match root.get("invoice_settings") {
        Some(settings) => settings.opt_id("default_payment_method")?,
        None => None,
    };
    Ok(FetchedCustomer { customer, deleted, default_payment_method })
}

/// Whose the object is: its own metadata first, then that of the customer if it is included.
pub fn owner(object: &Node, own: Option<String>) -> Result<Option<CustomerRef>, Malformed> {
    let Some(provider_id) = object.opt_id("customer")? else { return Ok(None) };
    let app_id = match (own, object.object("customer")) {
        (Some(own), _) => Some(own),
        (None, Some(customer)) => customer.metadata(CUSTOMER_KEY)?,
        (None, None) => None,
    };
    Ok(Some(CustomerRef { provider_id, app_id }))
}

/// Like [`owner`], for objects that always have one.
pub fn required_owner(object: &Node, own: Option<String>) -> Result<CustomerRef, Malformed> {
    owner(object, own)?.map_or_else(|| Err(object.wrong("has no customer")), Ok)
}
