//! Stored cards and other ways of paying, and the setup intents that store them.
//!
//! Source: <https://docs.stripe.com/api/payment_methods>,
//! <https://docs.stripe.com/api/setup_intents>.

use farthing_core::snapshot::PaymentMethodSnapshot;

use super::answer::{Page, answer, page};
use super::form::{expand, field, path};
use super::payments::read_payment_method;
use super::wire::Node;
use crate::error::CallError;
use crate::http::HttpRequest;

/// Reads one page of a customer's, the newest first.
pub fn encode_list_payment_methods(customer: &str, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("limit", "100")];
    query.extend(after.map(|id| field("starting_after", id)));
    HttpRequest::get(path(&["customers", customer, "payment_methods"], &query))
}

/// Reads one, with its customer.
pub fn encode_fetch_payment_method(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["payment_methods", id], &expand(&["customer"])))
}

/// Takes one from its customer, for good: it cannot be stored again.
pub fn encode_detach_payment_method(id: &str, key: &str) -> HttpRequest {
    HttpRequest::post(path(&["payment_methods", id, "detach"], &[]), key, Vec::new())
}

/// Reads a setup intent, with what it stored.
pub fn encode_fetch_setup_intent(id: &str) -> HttpRequest {
    let query = expand(&["payment_method.customer"]);
    HttpRequest::get(path(&["setup_intents", id], &query))
}

/// The payment method that was read or taken away.
pub fn decode_payment_method(status: u16, body: &[u8]) -> Result<PaymentMethodSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_payment_method(&Node::root(&body))?)
}

/// One page of payment methods.
pub fn decode_payment_methods(
    status: u16,
    body: &[u8],
) -> Result<Page<PaymentMethodSnapshot>, CallError> {
    page(status, body, read_payment_method)
}

/// What a setup intent stored; `None` when it has not.
pub fn decode_setup_intent(
    status: u16,
    body: &[u8],
) -> Result<Option<PaymentMethodSnapshot>, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    root.expect_kind("setup_intent")?;
    if root.text("status")? != "succeeded" {
        return Ok(None);
    }
    let method = root.included("payment_method")?;
    Ok(method.as_ref().map(read_payment_method).transpose()?)
}
