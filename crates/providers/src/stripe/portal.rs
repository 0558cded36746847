//! Stripe's own page for customers, on which they change their card and see their invoices.
//!
//! What else it offers is configured at Stripe. Its addresses are short-lived: make one when it is
//! wanted and keep none. Source: <https://docs.stripe.com/api/customer_portal/sessions>.

use super::answer::answer;
use super::form::{field, path};
use super::wire::Node;
use crate::error::CallError;
use crate::http::HttpRequest;

/// Where in the portal a customer starts, if not at its front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortalFlow {
    /// At changing the card, and then back to us.
    PaymentMethodUpdate,
}

/// Makes an address for a customer, who comes back to `return_url`.
pub fn encode_create_portal_session(
    customer: &str,
    return_url: &str,
    flow: Option<PortalFlow>,
    key: &str,
) -> HttpRequest {
    let mut form = vec![field("customer", customer), field("return_url", return_url)];
    if let Some(PortalFlow::PaymentMethodUpdate) = flow {
        form.push(field("flow_data[type]", "payment_method_update"));
    }
    HttpRequest::post(path(&["billing_portal", "sessions"], &[]), key, form)
}

/// The address.
pub fn decode_portal_session(status: u16, body: &[u8]) -> Result<String, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    root.expect_kind("billing_portal.session")?;
    Ok(root.text("url")?)
}
