//! Invoices: what a subscription bills, with its lines and payments.
//!
//! Since API version 2025-03-31 the subscription stands under `parent`, a line's price under
//! `pricing`, and payments are a list. What was paid for is the lines' periods: the invoice's own
//! period is the one before. Source: <https://docs.stripe.com/api/invoices>.

use farthing_core::snapshot::{CustomerRef, InvoiceLine, InvoiceSnapshot, InvoiceStatus};
use farthing_core::time::Timestamp;

use super::amounts;
use super::answer::{Page, answer, page};
use super::customers::{CUSTOMER_KEY, required_owner};
use super::form::{expand, field, path};
use super::payments::read_invoice_payment;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// What is included with an invoice. Four levels is as deep as Stripe goes.
const INCLUDED: &[&str] = &["customer", "payments.data.payment.payment_intent"];

/// How many lines Stripe sends with an invoice. When there are as many there may be more, which
/// [`encode_fetch_invoice_lines`] reads.
pub const LINES_INCLUDED: usize = 10;

/// Reads one, with the intents of its payments.
pub fn encode_fetch_invoice(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["invoices", id], &expand(INCLUDED)))
}

/// Reads one page of the invoices of a customer, or of all, the newest first.
///
/// The intents of the payments are not included, because that would be a level too deep: why a
/// payment failed is only told by [`encode_fetch_invoice`].
pub fn encode_list_invoices(
    customer: Option<&str>,
    since: Option<Timestamp>,
    after: Option<&str>,
) -> HttpRequest {
    let mut query = vec![field("limit", "100")];
    query.extend(customer.map(|id| field("customer", id)));
    query.extend(since.map(|at| field("created[gte]", at.seconds().to_string())));
    query.extend(after.map(|id| field("starting_after", id)));
    query.extend(expand(&["data.customer", "data.payments"]));
    HttpRequest::get(path(&["invoices"], &query))
}

/// Tries to collect an open one now, from what pays for it by default.
pub fn encode_pay_invoice(id: &str, key: &str) -> HttpRequest {
    HttpRequest::post(path(&["invoices", id, "pay"], &[]), key, expand(INCLUDED))
}

/// Has Stripe stop collecting one by itself; it can still be paid on request.
pub fn encode_hold_invoice(id: &str, key: &str) -> HttpRequest {
    let mut form = vec![field("auto_advance", "false")];
    form.extend(expand(INCLUDED));
    HttpRequest::post(path(&["invoices", id], &[]), key, form)
}

/// Gives up an open one for good, as if it had never been owed.
pub fn encode_void_invoice(id: &str, key: &str) -> HttpRequest {
    HttpRequest::post(path(&["invoices", id, "void"], &[]), key, expand(INCLUDED))
}

/// Reads one page of an invoice's lines.
pub fn encode_fetch_invoice_lines(id: &str, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("limit", "100")];
    query.extend(after.map(|line| field("starting_after", line)));
    HttpRequest::get(path(&["invoices", id, "lines"], &query))
}

/// The invoice that was read, paid or voided.
pub fn decode_invoice(status: u16, body: &[u8]) -> Result<InvoiceSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_invoice(&Node::root(&body))?)
}

/// One page of invoices.
pub fn decode_invoices(status: u16, body: &[u8]) -> Result<Page<InvoiceSnapshot>, CallError> {
    page(status, body, read_invoice)
}

/// One page of lines.
pub fn decode_invoice_lines(status: u16, body: &[u8]) -> Result<Page<InvoiceLine>, CallError> {
    page(status, body, read_line)
}

/// An invoice, also one inside another object.
pub(super) fn read_invoice(node: &Node) -> Result<InvoiceSnapshot, Malformed> {
    node.expect_kind("invoice")?;
    let subscription = node.find(&["parent", "subscription_details"]);
    let owner = read_owner(node, subscription.as_ref())?;
    let subscription = match subscription {
        Some(details) => details.opt_id("subscription")?,
        None => None,
    };
    let payments = match node.get("payments") {
        Some(payments) => payments.need("data")?.elements()?,
        None => Vec::new(),
    };
    Ok(InvoiceSnapshot {
        id: node.text("id")?,
        customer: owner,
        subscription,
        number: node.opt_text("number")?,
        status: read_status(node.text("status")?),
        reason: node.opt_text("billing_reason")?.unwrap_or_default(),
        total: amounts::money(node, "total")?,
        paid: amounts::money(node, "amount_paid")?,
        created_at: node.time("created")?,
        attempts: node.opt_int("attempt_count")?.unwrap_or(0),
        next_attempt_at: node.opt_time("next_payment_attempt")?,
        lines: read_lines(node)?,
        payments: payments.iter().map(read_invoice_payment).collect::<Result<_, _>>()?,
        hosted_url: node.opt_text("hosted_invoice_url")?,
    })
}

fn read_lines(node: &Node) -> Result<Vec<InvoiceLine>, Malformed> {
    let lines = node.need("lines")?;
    let read: Vec<_> = node.list("lines")?.iter().map(read_line).collect::<Result<_, _>>()?;
    if lines.flag("has_more")? && read.len() < LINES_INCLUDED {
        return Err(lines.wrong(format!("has more, but fewer than {LINES_INCLUDED} were sent")));
    }
    Ok(read)
}

fn read_owner(node: &Node, subscription: Option<&Node>) -> Result<CustomerRef, Malformed> {
    let own = match node.metadata(CUSTOMER_KEY)? {
        Some(own) => Some(own),
        None => match subscription {
            Some(details) => details.metadata(CUSTOMER_KEY)?,
            None => None,
        },
    };
    required_owner(node, own)
}

fn read_status(word: String) -> InvoiceStatus {
    match word.as_str() {
        "draft" => InvoiceStatus::Draft,
        "open" => InvoiceStatus::Open,
        "paid" => InvoiceStatus::Paid,
        "uncollectible" => InvoiceStatus::Uncollectible,
        "void" => InvoiceStatus::Void,
        _ => InvoiceStatus::Other(word),
    }
}

/// A line, of an invoice or of a preview.
pub(super) fn read_line(node: &Node) -> Result<InvoiceLine, Malformed> {
    let price = match node.find(&["pricing", "price_details"]) {
        Some(details) => details.opt_id("price")?,
        None => None,
    };
    let parent = |kind: &str| node.find(&["parent", kind]);
    let item = parent("subscription_item_details").or_else(|| parent("invoice_item_details"));
    let proration = match item {
        Some(item) => item.opt_flag("proration")?.unwrap_or(false),
        None => false,
    };
    Ok(InvoiceLine {
        description: node.opt_text("description")?.unwrap_or_default(),
        price,
        amount: amounts::money(node, "amount")?,
        // Absent means a one-off amount, which counts once.
        quantity: node.opt_int("quantity")?.unwrap_or(1),
        period: node.need("period")?.period("start", "end")?,
        proration,
    })
}
