//! Hosted checkouts: the page on which a plan or a pack is bought, or a card stored.
//!
//! `ui_mode` is left out on purpose: its words changed between API versions and the default is
//! the hosted page. Source: <https://docs.stripe.com/api/checkout/sessions>.

use farthing_core::money::Currency;
use farthing_core::snapshot::{CheckoutSnapshot, CheckoutStatus};
use farthing_core::time::Timestamp;

use super::amounts;
use super::answer::{answer, page};
use super::customers::{CUSTOMER_KEY, owner};
use super::form::{expand, field, path};
use super::payments::{read_payment_intent, read_payment_method};
use super::subscriptions::read_subscription;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// The metadata key under which our checkout's id travels on everything that it starts.
pub const CHECKOUT_KEY: &str = "farthing_checkout";

/// What is included with a checkout, so that one fetch tells everything.
const INCLUDED: &[&str] = &[
    "subscription.customer.invoice_settings.default_payment_method",
    "subscription.default_payment_method",
    "subscription.latest_invoice.payments",
    "subscription.schedule",
    "payment_intent.payment_method",
    "setup_intent.payment_method",
];

/// A checkout to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheckout {
    /// Stripe's customer, `cus_...`.
    pub customer: String,
    /// The app's own id of that customer.
    pub app_customer: String,
    /// Our own id of the checkout, `chk_...`.
    pub checkout: String,
    /// What it is for.
    pub what: CheckoutWhat,
    /// Where the customer lands afterwards.
    pub success_url: String,
    /// Where the customer lands who turns back.
    pub cancel_url: String,
    /// When the page stops working: 30 minutes to 24 hours ahead. `None`: 24 hours.
    pub expires_at: Option<Timestamp>,
    /// The idempotency key.
    pub key: String,
}

/// What a checkout is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutWhat {
    /// A subscription.
    Plan {
        /// Stripe's id of the recurring price.
        price: String,
        /// Days before the first payment, at least 1; a card is asked for all the same.
        trial_days: Option<i64>,
    },
    /// A purchase, once.
    Pack {
        /// Stripe's id of the price.
        price: String,
    },
    /// Only to store a card.
    Setup {
        /// The currency it will be charged in.
        currency: Currency,
    },
}

/// Creates.
pub fn encode_create_checkout(new: &NewCheckout) -> HttpRequest {
    let (mode, carrier) = match new.what {
        CheckoutWhat::Plan { .. } => ("subscription", "subscription_data"),
        CheckoutWhat::Pack { .. } => ("payment", "payment_intent_data"),
        CheckoutWhat::Setup { .. } => ("setup", "setup_intent_data"),
    };
    let mut form = vec![
        field("mode", mode),
        field("customer", &new.customer),
        field("client_reference_id", &new.app_customer),
        field("success_url", &new.success_url),
        field("cancel_url", &new.cancel_url),
        field(format!("metadata[{CUSTOMER_KEY}]"), &new.app_customer),
        field(format!("metadata[{CHECKOUT_KEY}]"), &new.checkout),
        field(format!("{carrier}[metadata][{CUSTOMER_KEY}]"), &new.app_customer),
        field(format!("{carrier}[metadata][{CHECKOUT_KEY}]"), &new.checkout),
    ];
    match &new.what {
        CheckoutWhat::Plan { price, trial_days } => {
            form.extend(one_of(price));
            let days = trial_days.map(|days| days.to_string());
            form.extend(days.map(|days| field("subscription_data[trial_period_days]", days)));
        }
        CheckoutWhat::Pack { price } => form.extend(one_of(price)),
        CheckoutWhat::Setup { currency } => {
            form.push(field("currency", amounts::currency_word(*currency)));
        }
    }
    form.extend(new.expires_at.map(|at| field("expires_at", at.seconds().to_string())));
    form.extend(expand(INCLUDED));
    HttpRequest::post(path(&["checkout", "sessions"], &[]), &new.key, form)
}

fn one_of(price: &str) -> [(String, String); 2] {
    [field("line_items[0][price]", price), field("line_items[0][quantity]", "1")]
}

/// Reads one with everything it started.
pub fn encode_fetch_checkout(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["checkout", "sessions", id], &expand(INCLUDED)))
}

/// Finds the one that collected a payment, with that payment. There is at most one.
pub fn encode_find_checkout(payment: &str) -> HttpRequest {
    let mut query = vec![field("payment_intent", payment), field("limit", "1")];
    query.extend(expand(&["data.payment_intent.payment_method"]));
    HttpRequest::get(path(&["checkout", "sessions"], &query))
}

/// Closes one that is open. Refused when it is complete or expired.
pub fn encode_expire_checkout(id: &str, key: &str) -> HttpRequest {
    HttpRequest::post(path(&["checkout", "sessions", id, "expire"], &[]), key, expand(INCLUDED))
}

/// The checkout that was created, read or expired.
pub fn decode_checkout(status: u16, body: &[u8]) -> Result<CheckoutSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_checkout(&Node::root(&body))?)
}

/// The checkout that was found, if there is one.
pub fn decode_found_checkout(
    status: u16,
    body: &[u8],
) -> Result<Option<CheckoutSnapshot>, CallError> {
    Ok(page(status, body, read_checkout)?.items.into_iter().next())
}

fn read_checkout(node: &Node) -> Result<CheckoutSnapshot, Malformed> {
    node.expect_kind("checkout.session")?;
    let own = match node.metadata(CUSTOMER_KEY)? {
        Some(own) => Some(own),
        None => node.opt_text("client_reference_id")?,
    };
    let payment_status = node.text("payment_status")?;
    let total = match node.get("amount_total") {
        Some(_) => Some(amounts::money(node, "amount_total")?),
        None => None,
    };
    let subscription = node.included("subscription")?;
    let payment = node.included("payment_intent")?;
    let method = match node.included("setup_intent")? {
        Some(intent) => intent.included("payment_method")?,
        None => None,
    };
    Ok(CheckoutSnapshot {
        id: node.text("id")?,
        checkout: node.metadata(CHECKOUT_KEY)?,
        customer: owner(node, own)?,
        status: read_status(node)?,
        paid: payment_status == "paid",
        nothing_due: payment_status == "no_payment_required",
        total,
        url: node.opt_text("url")?,
        expires_at: node.time("expires_at")?,
        subscription: subscription.as_ref().map(read_subscription).transpose()?,
        payment: payment.as_ref().map(read_payment_intent).transpose()?,
        payment_method: method.as_ref().map(read_payment_method).transpose()?,
    })
}

fn read_status(node: &Node) -> Result<CheckoutStatus, Malformed> {
    let status = node.need("status")?;
    match status.as_text()? {
        "open" => Ok(CheckoutStatus::Open),
        "complete" => Ok(CheckoutStatus::Complete),
        "expired" => Ok(CheckoutStatus::Expired),
        other => Err(status.wrong(format!("{other:?} is not a status that we know"))),
    }
}
