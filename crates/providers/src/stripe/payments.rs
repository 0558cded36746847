//! Payments and the cards behind them, wherever they appear in other objects.
//! Requests about stored cards are in [`super::payment_methods`].
//!
//! Source: <https://docs.stripe.com/api/payment_intents>,
//! <https://docs.stripe.com/api/invoice-payment>.

use farthing_core::snapshot::{Card, PaymentMethodSnapshot, PaymentSnapshot, PaymentStatus};

use super::amounts;
use super::customers::owner;
use super::wire::{Malformed, Node};

/// A payment intent.
pub fn read_payment_intent(node: &Node) -> Result<PaymentSnapshot, Malformed> {
    node.expect_kind("payment_intent")?;
    let word = node.text("status")?;
    let error = node.get("last_payment_error");
    let status = match (word.as_str(), &error) {
        ("succeeded", _) => PaymentStatus::Succeeded,
        ("processing", _) => PaymentStatus::Processing,
        ("requires_action", _) => PaymentStatus::RequiresAction,
        ("requires_payment_method", Some(_)) => PaymentStatus::Failed,
        ("canceled", _) => PaymentStatus::Canceled,
        // Without an error, nobody has tried to pay yet.
        _ => PaymentStatus::Other(word),
    };
    let failed = error.filter(|_| status != PaymentStatus::Succeeded);
    let failure_code = match &failed {
        Some(error) => match error.opt_text("decline_code")? {
            Some(code) => Some(code),
            None => error.opt_text("code")?,
        },
        None => None,
    };
    let method = node.object("payment_method");
    let method = method.or_else(|| failed.and_then(|error| error.object("payment_method")));
    Ok(PaymentSnapshot {
        id: node.text("id")?,
        status,
        amount: amounts::money(node, "amount")?,
        failure_code,
        card: method.as_ref().map(read_card).transpose()?.flatten(),
    })
}

/// An invoice's payment: with the whole intent if it is included, else with what the invoice
/// knows of it.
pub fn read_invoice_payment(node: &Node) -> Result<PaymentSnapshot, Malformed> {
    let payment = node.need("payment")?;
    let kind = payment.text("type")?;
    if let Some(intent) = payment.object("payment_intent") {
        return read_payment_intent(&intent);
    }
    let word = node.text("status")?;
    let status = match word.as_str() {
        "paid" => PaymentStatus::Succeeded,
        "canceled" => PaymentStatus::Canceled,
        // Open: being tried, failed or waiting for the customer. The intent would say.
        _ => PaymentStatus::Other(word),
    };
    let paid = node.opt_int("amount_paid")?.is_some();
    let amount = amounts::money(node, if paid { "amount_paid" } else { "amount_requested" })?;
    let id = payment.need(&kind)?.as_id()?;
    Ok(PaymentSnapshot { id, status, amount, failure_code: None, card: None })
}

/// The card of a payment method; `None` when it is something else, such as a bank debit.
pub fn read_card(method: &Node) -> Result<Option<Card>, Malformed> {
    let Some(card) = method.object("card") else { return Ok(None) };
    Ok(Some(Card {
        brand: card.text("brand")?,
        last4: card.text("last4")?,
        fingerprint: card.opt_text("fingerprint")?,
        exp_month: card.opt_int("exp_month")?,
        exp_year: card.opt_int("exp_year")?,
    }))
}

/// A payment method, stored or not.
pub fn read_payment_method(node: &Node) -> Result<PaymentMethodSnapshot, Malformed> {
    node.expect_kind("payment_method")?;
    Ok(PaymentMethodSnapshot {
        id: node.text("id")?,
        kind: node.text("type")?,
        card: read_card(node)?,
        customer: owner(node, None)?,
    })
}
