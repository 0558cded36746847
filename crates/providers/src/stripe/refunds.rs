//! Refunds: money that goes back because we say so.
//!
//! One that succeeded can still fail days later; then the money is with us again.
//! Source: <https://docs.stripe.com/api/refunds>, <https://docs.stripe.com/refunds#failed-refunds>.

use farthing_core::money::Money;
use farthing_core::snapshot::{CustomerRef, RefundSnapshot, RefundStatus};

use super::amounts;
use super::answer::{Page, answer, page};
use super::customers::{CUSTOMER_KEY, owner};
use super::form::{expand, field, path};
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// The metadata key under which our refund's id travels on Stripe's.
pub const REFUND_KEY: &str = "farthing_refund";

/// What is included with a refund: only the charge says for certain whose it is.
const INCLUDED: &[&str] = &["charge.customer"];

/// A refund to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The payment to give back, `pi_...`.
    pub payment: String,
    /// How much of it, in its currency; `None`: all that is left.
    pub amount: Option<Money>,
    /// Why, in Stripe's words.
    pub reason: Option<RefundReason>,
    /// Our own id of the refund.
    pub refund: String,
    /// The app's own id of the customer.
    pub app_customer: String,
    /// The idempotency key.
    pub key: String,
}

/// The reasons that Stripe takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundReason {
    /// Paid twice.
    Duplicate,
    /// Not paid by whom it should have been; the card is blocked for us.
    Fraudulent,
    /// The customer asked for it.
    RequestedByCustomer,
}

impl RefundReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::RequestedByCustomer => "requested_by_customer",
        }
    }
}

/// Creates. Refused here when Stripe cannot give back the amount exactly.
pub fn encode_create_refund(new: &NewRefund) -> Result<HttpRequest, CallError> {
    let amount = new.amount.map(amounts::to_stripe).transpose();
    let amount = amount
        .map_err(|err| CallError::refused_here("amount_not_representable", err.to_string()))?;
    let mut form = vec![field("payment_intent", &new.payment)];
    form.extend(amount.map(|amount| field("amount", amount.to_string())));
    form.extend(new.reason.map(|reason| field("reason", reason.as_str())));
    form.push(field(format!("metadata[{CUSTOMER_KEY}]"), &new.app_customer));
    form.push(field(format!("metadata[{REFUND_KEY}]"), &new.refund));
    form.extend(expand(INCLUDED));
    Ok(HttpRequest::post(path(&["refunds"], &[]), &new.key, form))
}

/// Reads one.
pub fn encode_fetch_refund(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["refunds", id], &expand(INCLUDED)))
}

/// Reads one page of a payment's refunds, the newest first.
pub fn encode_list_refunds(payment: &str, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("payment_intent", payment), field("limit", "100")];
    query.extend(after.map(|id| field("starting_after", id)));
    query.extend(expand(&["data.charge.customer"]));
    HttpRequest::get(path(&["refunds"], &query))
}

/// The refund that was created or read.
pub fn decode_refund(status: u16, body: &[u8]) -> Result<RefundSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_refund(&Node::root(&body))?)
}

/// One page of refunds.
pub fn decode_refunds(status: u16, body: &[u8]) -> Result<Page<RefundSnapshot>, CallError> {
    page(status, body, read_refund)
}

fn read_refund(node: &Node) -> Result<RefundSnapshot, Malformed> {
    node.expect_kind("refund")?;
    Ok(RefundSnapshot {
        id: node.text("id")?,
        refund: node.metadata(REFUND_KEY)?,
        customer: owner_by_charge(node)?,
        payment: node.opt_id("payment_intent")?,
        charge: node.opt_id("charge")?,
        amount: amounts::money(node, "amount")?,
        status: read_status(node.text("status")?),
        reason: node.opt_text("reason")?,
        failure_reason: node.opt_text("failure_reason")?,
        created_at: node.time("created")?,
    })
}

/// Whose the charge is that a refund or a dispute is about. What we left on the object itself
/// counts most.
pub(super) fn owner_by_charge(node: &Node) -> Result<Option<CustomerRef>, Malformed> {
    let own = node.metadata(CUSTOMER_KEY)?;
    let Some(charge) = node.included("charge")? else { return owner(node, own) };
    let own = match own {
        Some(own) => Some(own),
        None => charge.metadata(CUSTOMER_KEY)?,
    };
    owner(&charge, own)
}

fn read_status(word: String) -> RefundStatus {
    match word.as_str() {
        "pending" => RefundStatus::Pending,
        "requires_action" => RefundStatus::RequiresAction,
        "succeeded" => RefundStatus::Succeeded,
        "failed" => RefundStatus::Failed,
        "canceled" => RefundStatus::Canceled,
        _ => RefundStatus::Other(word),
    }
}
