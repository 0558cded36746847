//! What a change of price would cost, asked without making it.
//!
//! Stripe answers with the invoice that would come next. It holds what is charged at once, and it
//! may hold the next regular charge as well; the two are told apart here by when the lines start.
//! Source: <https://docs.stripe.com/api/invoices/create_preview>.

use farthing_core::money::Money;
use farthing_core::snapshot::PreviewSnapshot;
use farthing_core::time::Timestamp;

use super::amounts;
use super::answer::answer;
use super::form::{field, path};
use super::invoices::read_line;
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// Asks what changing `item` of `subscription` to `price` would cost, prorated as of
/// `proration_at`, which must lie in the current period.
pub fn encode_preview_change(
    subscription: &str,
    item: &str,
    price: &str,
    proration_at: Timestamp,
) -> HttpRequest {
    let of = |key: &str| format!("subscription_details{key}");
    let form = vec![
        field("subscription", subscription),
        field(of("[items][0][id]"), item),
        field(of("[items][0][price]"), price),
        field(of("[items][0][quantity]"), "1"),
        field(of("[proration_behavior]"), "always_invoice"),
        field(of("[proration_date]"), proration_at.seconds().to_string()),
    ];
    HttpRequest::ask(path(&["invoices", "create_preview"], &[]), form)
}

/// What it would cost, as of the instant that was asked for.
pub fn decode_preview(
    status: u16,
    body: &[u8],
    proration_at: Timestamp,
) -> Result<PreviewSnapshot, CallError> {
    let body = answer(status, body)?;
    Ok(read_preview(&Node::root(&body), proration_at)?)
}

fn read_preview(node: &Node, proration_at: Timestamp) -> Result<PreviewSnapshot, Malformed> {
    node.expect_kind("invoice")?;
    if node.need("lines")?.flag("has_more")? {
        return Err(node.wrong("has more lines than were sent"));
    }
    let none = amounts::from_stripe(0, amounts::currency(node)?);
    let none = none.map_err(|err| node.wrong(err.to_string()))?;
    let mut preview = PreviewSnapshot {
        due_now: none,
        total: none,
        lines: Vec::new(),
        proration_at,
        next_charge: None,
    };
    for line in node.list("lines")? {
        let read = read_line(&line)?;
        let net = net(&line, read.amount)?;
        let start = read.period.start;
        // A change of interval charges its whole first period at once; that is no share.
        if read.proration || start <= proration_at {
            preview.total = sum(&line, preview.total, net)?;
            preview.lines.push(read);
        } else {
            let (at, before) = preview.next_charge.unwrap_or((start, none));
            preview.next_charge = Some((at.min(start), sum(&line, before, net)?));
        }
    }
    preview.due_now = match preview.next_charge {
        None => amounts::money(node, "amount_due")?,
        Some(_) => due(node, preview.total)?,
    };
    Ok(preview)
}

/// What is left to pay of `total` after the customer's balance, which Stripe counts negative when
/// it is the customer's.
fn due(node: &Node, total: Money) -> Result<Money, Malformed> {
    if node.get("starting_balance").is_none() {
        return Ok(Money { minor: total.minor.max(0), ..total });
    }
    let left = sum(node, total, amounts::money(node, "starting_balance")?)?;
    Ok(Money { minor: left.minor.max(0), ..left })
}

/// A line's amount with its discounts and the tax that is not in it yet.
fn net(line: &Node, amount: Money) -> Result<Money, Malformed> {
    let mut net = amount;
    let elements = |key: &str| line.get(key).map_or(Ok(Vec::new()), |list| list.elements());
    for discount in elements("discount_amounts")? {
        let off = part(&discount, amount)?;
        net = sum(&discount, net, Money { minor: off.minor.saturating_neg(), ..off })?;
    }
    for tax in elements("taxes")? {
        if tax.text("tax_behavior")? == "exclusive" {
            net = sum(&tax, net, part(&tax, amount)?)?;
        }
    }
    Ok(net)
}

/// The amount in `node`, which names no currency and so has that of `whole`.
fn part(node: &Node, whole: Money) -> Result<Money, Malformed> {
    let field = node.need("amount")?;
    amounts::from_stripe(field.as_int()?, whole.currency)
        .map_err(|err| field.wrong(err.to_string()))
}

fn sum(node: &Node, a: Money, b: Money) -> Result<Money, Malformed> {
    a.checked_add(b).map_err(|err| node.wrong(err.to_string()))
}
