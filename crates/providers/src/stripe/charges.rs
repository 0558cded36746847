//! Charges: one try to take money each, and what it paid.
//!
//! Since API version 2025-03-31 neither a charge nor a payment intent names the invoice that it
//! pays; the invoice payments do. Source: <https://docs.stripe.com/api/charges>,
//! <https://docs.stripe.com/api/invoice-payment>.

use farthing_core::snapshot::ChargeSnapshot;

use super::amounts;
use super::answer::{answer, page};
use super::checkouts::CHECKOUT_KEY;
use super::customers::{CUSTOMER_KEY, owner};
use super::form::{expand, field, path};
use super::payments::read_card;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// Reads one, with its customer.
pub fn encode_fetch_charge(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["charges", id], &expand(&["customer"])))
}

/// Finds the invoice that a payment intent pays.
pub fn encode_find_paid_invoice(payment: &str) -> HttpRequest {
    let query = [
        field("payment[type]", "payment_intent"),
        field("payment[payment_intent]", payment),
        field("limit", "100"),
    ];
    HttpRequest::get(path(&["invoice_payments"], &query))
}

/// The charge, without the invoice that it paid.
pub fn decode_charge(status: u16, body: &[u8]) -> Result<ChargeSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_charge(&Node::root(&body))?)
}

/// Stripe's id of the invoice that was paid, else of one that was to be; `None` for a payment
/// without an invoice.
pub fn decode_paid_invoice(status: u16, body: &[u8]) -> Result<Option<String>, CallError> {
    let read = |node: &Node| Ok((node.need("invoice")?.as_id()?, node.text("status")? == "paid"));
    let found = page(status, body, read)?.items;
    Ok(found.into_iter().max_by_key(|(_, paid)| *paid).map(|(id, _)| id))
}

fn read_charge(node: &Node) -> Result<ChargeSnapshot, Malformed> {
    node.expect_kind("charge")?;
    let method = node.object("payment_method_details");
    Ok(ChargeSnapshot {
        id: node.text("id")?,
        payment: node.opt_id("payment_intent")?,
        customer: owner(node, node.metadata(CUSTOMER_KEY)?)?,
        invoice: None,
        checkout: node.metadata(CHECKOUT_KEY)?,
        amount: amounts::money(node, "amount")?,
        refunded: amounts::money(node, "amount_refunded")?,
        paid: node.flag("paid")?,
        disputed: node.opt_flag("disputed")?.unwrap_or(false),
        card: method.as_ref().map(read_card).transpose()?.flatten(),
        created_at: node.time("created")?,
    })
}
