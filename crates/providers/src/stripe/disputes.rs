//! Disputes: payments that the customer's bank contests.
//!
//! Whether money moved is told by the balance transactions and not by the status. Their amounts
//! are in the currency that we are paid in, so only their signs are read.
//! Source: <https://docs.stripe.com/api/disputes>.

use farthing_core::snapshot::{DisputeSnapshot, DisputeStatus};

use super::amounts;
use super::answer::{Page, answer, page};
use super::form::{expand, field, path};
use super::refunds::owner_by_charge;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// Reads one, with its charge.
pub fn encode_fetch_dispute(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["disputes", id], &expand(&["charge.customer"])))
}

/// Reads one page of a payment's disputes, the newest first.
pub fn encode_list_disputes(payment: &str, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("payment_intent", payment), field("limit", "100")];
    query.extend(after.map(|id| field("starting_after", id)));
    query.extend(expand(&["data.charge.customer"]));
    HttpRequest::get(path(&["disputes"], &query))
}

/// The dispute.
pub fn decode_dispute(status: u16, body: &[u8]) -> Result<DisputeSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_dispute(&Node::root(&body))?)
}

/// One page of disputes.
pub fn decode_disputes(status: u16, body: &[u8]) -> Result<Page<DisputeSnapshot>, CallError> {
    page(status, body, read_dispute)
}

fn read_dispute(node: &Node) -> Result<DisputeSnapshot, Malformed> {
    node.expect_kind("dispute")?;
    let moves = node.need("balance_transactions")?.elements()?;
    let moves = moves.iter().map(|entry| entry.int("amount")).collect::<Result<Vec<_>, _>>()?;
    let due_by = match node.get("evidence_details") {
        Some(details) => details.opt_time("due_by")?,
        None => None,
    };
    Ok(DisputeSnapshot {
        id: node.text("id")?,
        customer: owner_by_charge(node)?,
        payment: node.opt_id("payment_intent")?,
        charge: node.need("charge")?.as_id()?,
        amount: amounts::money(node, "amount")?,
        status: read_status(node.text("status")?),
        reason: node.text("reason")?,
        due_by,
        funds_withdrawn: moves.iter().any(|amount| *amount < 0),
        funds_reinstated: moves.iter().any(|amount| 0 < *amount),
        created_at: node.time("created")?,
    })
}

fn read_status(word: String) -> DisputeStatus {
    match word.as_str() {
        "warning_needs_response" => DisputeStatus::WarningNeedsResponse,
        "warning_under_review" => DisputeStatus::WarningUnderReview,
        "warning_closed" => DisputeStatus::WarningClosed,
        "needs_response" => DisputeStatus::NeedsResponse,
        "under_review" => DisputeStatus::UnderReview,
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        "prevented" => DisputeStatus::Prevented,
        "appeal_needs_response" => DisputeStatus::AppealNeedsResponse,
        "appeal_under_review" => DisputeStatus::AppealUnderReview,
        _ => DisputeStatus::Other(word),
    }
}
