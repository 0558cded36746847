//! Subscriptions, each with its newest invoice.
//!
//! Since API version 2025-03-31 the current period stands on the items. A scheduled end is
//! `cancel_at_period_end` or `cancel_at`: Stripe's own portal sets only the latter on
//! subscriptions in flexible billing mode. Source: <https://docs.stripe.com/api/subscriptions>.
//!
//! While a schedule manages a subscription, Stripe refuses to change its end: release the schedule
//! first ([`super::schedules`]).

use farthing_core::snapshot::{
    Card, InvoiceSnapshot, PendingUpdate, SubscriptionSnapshot, SubscriptionStatus,
};
use farthing_core::time::{Period, Timestamp};

use super::answer::{Page, answer, page};
use super::checkouts::CHECKOUT_KEY;
use super::customers::{CUSTOMER_KEY, required_owner};
use super::form::{expand, field, path};
use super::invoices::read_invoice;
use super::payments::read_card;
use super::schedules::read_schedule;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// What is included with a subscription.
const INCLUDED: &[&str] = &[
    "customer.invoice_settings.default_payment_method",
    "default_payment_method",
    "latest_invoice.payments",
    "schedule",
];

/// A change of price to make now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    /// `sub_...`.
    pub subscription: String,
    /// Its item, `si_...`; without it Stripe would add a second one.
    pub item: String,
    /// The price to change to.
    pub price: String,
    /// The instant as of which it is prorated, in the current period. The same as in a preview
    /// makes the same amounts. `None`: when it arrives.
    pub proration_at: Option<Timestamp>,
    /// The idempotency key.
    pub key: String,
}

/// Reads one with its newest invoice.
pub fn encode_fetch_subscription(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["subscriptions", id], &expand(INCLUDED)))
}

/// Reads one page of the subscriptions of a customer, or of all, ended ones too, the newest first.
pub fn encode_list_subscriptions(customer: Option<&str>, after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("status", "all"), field("limit", "100")];
    query.extend(customer.map(|id| field("customer", id)));
    query.extend(after.map(|id| field("starting_after", id)));
    let included: Vec<String> = INCLUDED.iter().map(|what| format!("data.{what}")).collect();
    query.extend(expand(&included.iter().map(String::as_str).collect::<Vec<_>>()));
    HttpRequest::get(path(&["subscriptions"], &query))
}

/// Changes the price now and bills the difference now. Until that is paid the change is only
/// pending, so an unpaid one grants nothing.
///
/// Stripe takes nothing else together with a pending change, no metadata and no end either.
/// Source: <https://docs.stripe.com/billing/subscriptions/pending-updates-reference>.
pub fn encode_change_price_now(change: &PriceChange) -> HttpRequest {
    let mut form = vec![
        field("items[0][id]", &change.item),
        field("items[0][price]", &change.price),
        // Left out, Stripe would make it 1 as well; said, it is no accident.
        field("items[0][quantity]", "1"),
        field("payment_behavior", "pending_if_incomplete"),
        field("proration_behavior", "always_invoice"),
    ];
    let at = change.proration_at.map(|at| at.seconds().to_string());
    form.extend(at.map(|at| field("proration_date", at)));
    update(&change.subscription, &change.key, form)
}

/// Schedules the end for the end of the period, or takes that back.
pub fn encode_set_cancel_at_period_end(id: &str, ends: bool, key: &str) -> HttpRequest {
    update(id, key, vec![field("cancel_at_period_end", ends.to_string())])
}

/// Takes back an end that is scheduled for an instant.
pub fn encode_clear_cancel_at(id: &str, key: &str) -> HttpRequest {
    update(id, key, vec![field("cancel_at", "")])
}

/// Makes a stored payment method the one that pays for this subscription.
pub fn encode_set_subscription_payment_method(id: &str, method: &str, key: &str) -> HttpRequest {
    update(id, key, vec![field("default_payment_method", method)])
}

/// Moves the end of a trial (whole seconds); nothing is charged for it.
pub fn encode_set_trial_end(id: &str, at: Timestamp, key: &str) -> HttpRequest {
    let form =
        vec![field("trial_end", at.seconds().to_string()), field("proration_behavior", "none")];
    update(id, key, form)
}

fn update(id: &str, key: &str, mut form: Vec<(String, String)>) -> HttpRequest {
    form.extend(expand(INCLUDED));
    HttpRequest::post(path(&["subscriptions", id], &[]), key, form)
}

/// Ends one at once: no refund, no final invoice. It cannot be revived.
pub fn encode_cancel_subscription_now(id: &str) -> HttpRequest {
    HttpRequest::delete(path(&["subscriptions", id], &expand(INCLUDED)))
}

/// The subscription that was read, changed or ended.
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
    let price = first.need("price")?.as_id()?;
    let item = first.text("id")?;
    let (default_payment_method, card) = read_default_method(node)?;
    Ok(SubscriptionSnapshot {
        id: node.text("id")?,
        customer: required_owner(node, node.metadata(CUSTOMER_KEY)?)?,
        checkout: node.metadata(CHECKOUT_KEY)?,
        status: read_status(node.text("status")?),
        pending_update: read_pending_update(node, &price, &item)?,
        price,
        item,
        // Absent for a price that is billed by what was used.
        quantity: first.opt_int("quantity")?.unwrap_or(1),
        items: items.len(),
        period,
        anchor: node.time("billing_cycle_anchor")?,
        cancel_at: read_cancel_at(node, &items)?,
        cancel_at_period_end: node.opt_flag("cancel_at_period_end")?.unwrap_or(false),
        ended_at: node.opt_time("ended_at")?,
        trial: read_trial(node)?,
        pause_reason: read_pause_reason(node)?,
        schedule: node.included("schedule")?.as_ref().map(read_schedule).transpose()?,
        default_payment_method,
        card,
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

fn read_pause_reason(node: &Node) -> Result<Option<String>, Malformed> {
    match node.find(&["status_details", "paused", "subscription"]) {
        Some(paused) => paused.opt_text("type"),
        None => Ok(None),
    }
}

/// The change that waits for its payment, from `price` on `item`.
fn read_pending_update(
    node: &Node,
    price: &str,
    item: &str,
) -> Result<Option<PendingUpdate>, Malformed> {
    let Some(update) = node.get("pending_update") else { return Ok(None) };
    let expires_at = update.time("expires_at")?;
    let items = match update.get("subscription_items") {
        Some(items) => items.elements()?,
        None => Vec::new(),
    };
    for changed in &items {
        if changed.text("id")? == item {
            let price = changed.need("price")?.as_id()?;
            return Ok(Some(PendingUpdate { price, expires_at }));
        }
    }
    Ok(Some(PendingUpdate { price: price.to_owned(), expires_at }))
}

/// What pays: what the subscription names, else what its customer does.
fn read_default_method(node: &Node) -> Result<(Option<String>, Option<Card>), Malformed> {
    let of_customer = node.find(&["customer", "invoice_settings"]);
    let method = match node.included("default_payment_method")? {
        Some(own) => Some(own),
        None => of_customer.and_then(|settings| settings.get("default_payment_method")),
    };
    let Some(method) = method else { return Ok((None, None)) };
    Ok((Some(method.as_id()?), read_card(&method)?))
}

fn read_latest_invoice(node: &Node) -> Result<Option<InvoiceSnapshot>, Malformed> {
    let invoice = node.included("latest_invoice")?;
    invoice.as_ref().map(read_invoice).transpose()
}
