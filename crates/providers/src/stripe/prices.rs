//! Prices: never changed, found again by lookup key.
//!
//! Source: <https://docs.stripe.com/api/prices>.

use farthing_core::money::Money;
use farthing_core::snapshot::PriceSnapshot;
use farthing_core::time::Interval;

use super::amounts;
use super::answer::{Page, answer, page};
use super::form::{field, path};
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// How many lookup keys one request may name.
pub const LOOKUP_KEYS_AT_ONCE: usize = 10;

/// A price to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrice {
    /// The product's id.
    pub product: String,
    /// How we find it again.
    pub lookup_key: String,
    /// What it costs, per interval if it has one.
    pub amount: Money,
    /// How often; `None`: once.
    pub interval: Option<Interval>,
    /// The idempotency key.
    pub key: String,
}

/// Creates. Refused here when Stripe cannot charge the amount exactly.
pub fn encode_create_price(new: &NewPrice) -> Result<HttpRequest, CallError> {
    let amount = amounts::to_stripe(new.amount)
        .map_err(|err| CallError::refused_here("amount_not_representable", err.to_string()))?;
    let mut form = vec![
        field("product", &new.product),
        field("lookup_key", &new.lookup_key),
        field("currency", amounts::currency_word(new.amount.currency)),
        field("unit_amount", amount.to_string()),
    ];
    if let Some(interval) = new.interval {
        form.push(field("recurring[interval]", interval.as_str()));
    }
    Ok(HttpRequest::post(path(&["prices"], &[]), &new.key, form))
}

/// Reads one page of the active prices with any of at most [`LOOKUP_KEYS_AT_ONCE`] keys.
pub fn encode_find_prices(lookup_keys: &[String], after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("active", "true"), field("limit", "100")];
    let keys = lookup_keys.iter().enumerate();
    query.extend(keys.map(|(i, key)| field(format!("lookup_keys[{i}]"), key)));
    query.extend(after.map(|id| field("starting_after", id)));
    HttpRequest::get(path(&["prices"], &query))
}

/// The price that was created.
pub fn decode_price(status: u16, body: &[u8]) -> Result<PriceSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_price(&Node::root(&body))?)
}

/// One page of prices.
pub fn decode_prices(status: u16, body: &[u8]) -> Result<Page<PriceSnapshot>, CallError> {
    page(status, body, read_price)
}

fn read_price(node: &Node) -> Result<PriceSnapshot, Malformed> {
    node.expect_kind("price")?;
    Ok(PriceSnapshot {
        id: node.text("id")?,
        product: node.need("product")?.as_id()?,
        lookup_key: node.opt_text("lookup_key")?,
        amount: amounts::money(node, "unit_amount")?,
        interval: node.get("recurring").as_ref().map(read_interval).transpose()?,
        active: node.flag("active")?,
    })
}

fn read_interval(recurring: &Node) -> Result<Interval, Malformed> {
    let word = recurring.text("interval")?;
    let count = recurring.opt_int("interval_count")?.unwrap_or(1);
    match (word.as_str(), count) {
        ("day", 1) => Ok(Interval::Day),
        ("month", 1) => Ok(Interval::Month),
        ("year", 1) => Ok(Interval::Year),
        _ => Err(recurring.wrong(format!("every {count} {word} is not an interval of ours"))),
    }
}
