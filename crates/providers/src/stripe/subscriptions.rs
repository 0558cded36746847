//! Subscriptions, each with its newest invoice.
//!
//! Since API version 2025-03-31 the current period stands on the items. A scheduled end is
//! `cancel_at_period_end` or `cancel_at`: Stripe's own portal sets only the latter on
//! subscriptions in flexible billing mode. Source: <https://docs.stripe.com/api/subscriptions>.

use farthing_core::snapshot::{Card, InvoiceSnapshot, SubscriptionSnapshot, SubscriptionStatus};
use farthing_core::time::{Period, Timestamp};

use super::answer::{Page, answer, page};
use super::checkouts::CHECKOUT_KEY;
use super::customers::{CUSTOMER_KEY, required_owner};
use super::form::{expand, field, path};
use super::invoices::read_invoice;
use super::payments::read_card;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// What is included with a subscription.
const INCLUDED: &[&str] = &["customer", "default_payment_method", "latest_invoice.payments"];

/// Reads one with its newest invoice.
pub fn encode_fetch_subscription(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["subscriptions", id], &expand(INCLUDED)))
}

/// Reads one page of a customer's subscriptions, ended ones too.
pub fn encode_list_subscriptions(customer: &str, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("customer", customer), field("status", "all")];
    query.push(field("limit", "100"));
    query.extend(after.map(|id| field("starting_after", id)));
    let included: Vec<String> = INCLUDED.iter().map(|what| format!("data.{what}")).collect();
    query.extend(expand(&included.iter().map(String::as_str).collect::<Vec<_>>()));
    HttpRequest::get(path(&["subscriptions"], &query))
}

/// Ends one at once: no refund, no final invoice. It cannot be revived.
pub fn encode_cancel_subscription_now(id: &str) -> HttpRequest {
    HttpRequest::delete(path(&["subscriptions", id], &expand(INCLUDED)))
}

/// The subscription that was read or ended.
pub fn decode_subscription(status: u16, body: &[u8]) -> Result<SubscriptionSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_subscription(&Node::root(&body))?)
}

/// One page of subscriptions.
pub fn decode_subscriptions(
    status: u16,
    body: &[u8],
) -> Result<Page<SubscriptionSnapshot>, CallError> {
    page(status, body, read_subscription)
}

/// A subscription, also one inside another object.
pub(super) fn read_subscription(node: &Node) -> Result<SubscriptionSnapshot, Malformed> {
    node.expect_kind("subscription")?;
    let items = node.list("items")?;
    let first = items.first().ok_or_else(|| node.wrong("has no items"))?;
    let period = first.period("current_period_start", "current_period_end")?;
    Ok(SubscriptionSnapshot {
        id: node.text("id")?,
        customer: required_owner(node, node.metadata(CUSTOMER_KEY)?)?,
        checkout: node.metadata(CHECKOUT_KEY)?,
        status: read_status(node.text("status")?),
        price: first.need("price")?.as_id()?,
        item: first.text("id")?,
        items: items.len(),
        period,
        anchor: node.time("billing_cycle_anchor")?,
        cancel_at: read_cancel_at(node, &items)?,
        ended_at: node.opt_time("ended_at")?,
        trial: read_trial(node)?,
        card: read_default_card(node)?,
        latest_invoice: read_latest_invoice(node)?,
    })
}

fn read_status(word: String) -> SubscriptionStatus {
    match word.as_str() {
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" => SubscriptionStatus::IncompleteExpired,
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "paused" => SubscriptionStatus::Paused,
        "canceled" => SubscriptionStatus::Canceled,
        _ => SubscriptionStatus::Other(word),
    }
}

/// The instant that Stripe names, or the end of the last of the items' periods.
fn read_cancel_at(node: &Node, items: &[Node]) -> Result<Option<Timestamp>, Malformed> {
    if let Some(at) = node.opt_time("cancel_at")? {
        return Ok(Some(at));
    }
    if node.opt_flag("cancel_at_period_end")? != Some(true) {
        return Ok(None);
    }
    let ends = items.iter().map(|item| item.time("current_period_end"));
    Ok(ends.collect::<Result<Vec<_>, _>>()?.into_iter().max())
}

fn read_trial(node: &Node) -> Result<Option<Period>, Malformed> {
    if node.get("trial_start").is_none() && node.get("trial_end").is_none() {
        return Ok(None);
    }
    let trial = node.period("trial_start", "trial_end")?;
    // A trial that was over at once was none.
    Ok(Some(trial).filter(|trial| trial.start < trial.end))
}

fn read_default_card(node: &Node) -> Result<Option<Card>, Malformed> {
    let method = node.included("default_payment_method")?;
    Ok(method.as_ref().map(read_card).transpose()?.flatten())
}

fn read_latest_invoice(node: &Node) -> Result<Option<InvoiceSnapshot>, Malformed> {
    let invoice = node.included("latest_invoice")?;
    invoice.as_ref().map(read_invoice).transpose()
}
