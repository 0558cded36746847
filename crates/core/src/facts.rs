//! What a provider's snapshots mean in business terms.
//!
//! Whatever event carried it, "invoice in_1 paid for growth, for this period" is one fact with one
//! key; it is absorbed once. A snapshot whose meaning is not certain is not guessed at: it is
//! [`Puzzle`], goes to quarantine with a reason, and can be replayed after a person has fixed it.

use std::collections::BTreeMap;

use crate::money::Money;
use crate::snapshot::{
    InvoiceLine, InvoiceSnapshot, InvoiceStatus, SubscriptionSnapshot, SubscriptionStatus,
};
use crate::subscription::{PaidPeriod, Payment, Pending, ProviderStatus, Seen};
use crate::time::Interval;

/// What a provider's price sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A plan, per interval.
    Plan {
        /// The plan's key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
    },
    /// A pack, once.
    Pack {
        /// The pack's key.
        pack: String,
    },
}

/// One price that we created at the provider. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// What it sells.
    pub offer: Offer,
    /// For how much.
    pub amount: Money,
}

/// The provider's price ids that we know, also of older catalogs: a late payment of an old price
/// still buys what was sold.
pub type PriceBook = BTreeMap<String, Sold>;

/// Why a snapshot cannot be understood. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Puzzle {
    /// Nothing says whose it is.
    #[error(
        "no customer of ours: {0} has neither our reference nor a customer that we know; link the customer, then replay"
    )]
    NoCustomer(String),
    /// A price that is not in our price book.
    #[error(
        "unknown price {0}: it was not created by this catalog; apply a catalog that has it, or move the subscription, then replay"
    )]
    UnknownPrice(String),
    /// A subscription with several prices.
    #[error(
        "{0} has several prices; Farthing's subscriptions have one: remove the others at the provider, then replay"
    )]
    SeveralPrices(String),
    /// The money is in another currency than the price.
    #[error("{object} was paid in {paid}, but its price is in {price}: nothing was granted")]
    Currency {
        /// The provider's id of the invoice or checkout.
        object: String,
        /// The currency of the payment.
        paid: String,
        /// The currency of the price.
        price: String,
    },
    /// The money is not the price.
    #[error("{object} was paid with {paid} for a price of {price}: nothing was granted")]
    Amount {
        /// The provider's id of the invoice or checkout.
        object: String,
        /// The payment.
        paid: Money,
        /// The price.
        price: Money,
    },
    /// The customer already has another running subscription.
    #[error(
        "{new} is a second subscription of a customer who has {running}: cancel and refund one at the provider, then replay"
    )]
    SecondSubscription {
        /// The provider's id of the one that came second.
        new: String,
        /// The provider's id of the one that runs.
        running: String,
    },
    /// It is not for us, for a reason that a person should see.
    #[error("set aside: {0}; nothing was changed")]
    SetAside(&'static str),
    /// A status or shape that this version does not know.
    #[error("{0}: this version of Farthing does not know it; upgrade, then replay")]
    Unknown(String),
}

/// The period that a paid invoice of a subscription pays for, with the plan that was bought.
///
/// `None` when it is not paid, or pays for nothing: a trial's invoice over zero is not a payment.
pub fn paid_period(
    invoice: &InvoiceSnapshot,
    book: &PriceBook,
) -> Result<Option<PaidPeriod>, Puzzle> {
    if invoice.status != InvoiceStatus::Paid || invoice.subscription.is_none() {
        return Ok(None);
    }
    let charged = invoice.lines.iter().filter(|line| 0 < line.amount.minor && line.price.is_some());
    let Some(line) = charged.max_by_key(|line| (line.period.end, line.period.start)) else {
        return Ok(None);
    };
    let id = line.price.as_deref().unwrap_or_default();
    let sold = book.get(id).ok_or_else(|| Puzzle::UnknownPrice(id.to_owned()))?;
    let Offer::Plan { plan, interval } = &sold.offer else {
        return Err(Puzzle::Unknown(format!("{}: a pack's price on a subscription", invoice.id)));
    };
    check_line(invoice, line, sold)?;
    Ok(Some(PaidPeriod {
        invoice: invoice.id.clone(),
        plan: plan.clone(),
        interval: *interval,
        price: id.to_owned(),
        amount: sold.amount,
        period: line.period,
        prorated: line.proration,
    }))
}

fn check_line(invoice: &InvoiceSnapshot, line: &InvoiceLine, sold: &Sold) -> Result<(), Puzzle> {
    if line.amount.currency != sold.amount.currency {
        return Err(Puzzle::Currency {
            object: invoice.id.clone(),
            paid: line.amount.currency.to_string(),
            price: sold.amount.currency.to_string(),
        });
    }
    let whole = sold.amount.minor.checked_mul(line.quantity);
    if !line.proration && whole != Some(line.amount.minor) {
        return Err(Puzzle::Amount {
            object: invoice.id.clone(),
            paid: line.amount,
            price: sold.amount,
        });
    }
    Ok(())
}

/// What a subscription's snapshot says, in the words of [`crate::subscription`].
///
/// `invoices` are further invoices of it that were fetched at the same time.
pub fn seen(
    snapshot: &SubscriptionSnapshot,
    invoices: &[&InvoiceSnapshot],
    book: &PriceBook,
) -> Result<Seen, Puzzle> {
    if snapshot.items != 1 {
        return Err(Puzzle::SeveralPrices(snapshot.id.clone()));
    }
    let unknown_price = || Puzzle::UnknownPrice(snapshot.price.clone());
    let sold = book.get(&snapshot.price).ok_or_else(unknown_price)?;
    let Offer::Plan { plan, interval } = &sold.offer else {
        return Err(Puzzle::Unknown(format!("{}: a pack's price on a subscription", snapshot.id)));
    };
    let mut paid: Vec<PaidPeriod> = Vec::new();
    for invoice in snapshot.latest_invoice.iter().chain(invoices.iter().copied()) {
        paid.extend(paid_period(invoice, book)?);
    }
    paid.sort_by_key(|paid| (paid.period.end, paid.period.start, paid.invoice.clone()));
    paid.dedup();
    Ok(Seen {
        status: ProviderStatus::try_from(&snapshot.status)
            .map_err(|word| Puzzle::Unknown(format!("{}: status {word:?}", snapshot.id)))?,
        plan: plan.clone(),
        interval: *interval,
        price: snapshot.price.clone(),
        currency: sold.amount.currency,
        anchor: snapshot.anchor,
        cancel_at: snapshot.cancel_at,
        ended_at: snapshot.ended_at,
        trial: snapshot.trial,
        pending: pending(snapshot, book)?,
        payment: payment_of(snapshot),
        paid,
    })
}

/// What is scheduled to follow at the end of the period.
fn pending(snapshot: &SubscriptionSnapshot, book: &PriceBook) -> Result<Option<Pending>, Puzzle> {
    let next = snapshot.schedule.as_ref().and_then(|schedule| schedule.next.as_ref());
    let Some(next) = next.filter(|next| next.price != snapshot.price) else {
        return Ok(None);
    };
    match book.get(&next.price).map(|sold| &sold.offer) {
        Some(Offer::Plan { plan, interval }) => {
            let (plan, interval) = (plan.clone(), *interval);
            Ok(Some(Pending { plan, interval, at: next.start }))
        }
        Some(Offer::Pack { .. }) | None => Err(Puzzle::UnknownPrice(next.price.clone())),
    }
}

/// How its payments stand. An open invoice for a change that waits for its payment is not a debt:
/// the change is given up in the end, and what was paid for goes on.
fn payment_of(snapshot: &SubscriptionSnapshot) -> Payment {
    let owed = snapshot.latest_invoice.as_ref().is_some_and(|invoice| match &invoice.status {
        InvoiceStatus::Paid | InvoiceStatus::Void => false,
        InvoiceStatus::Draft
        | InvoiceStatus::Open
        | InvoiceStatus::Uncollectible
        | InvoiceStatus::Other(_) => true,
    });
    if !owed {
        Payment::NoneDue
    } else if snapshot.status == SubscriptionStatus::PastDue {
        Payment::Failed
    } else if snapshot.pending_update.is_some() {
        Payment::NoneDue
    } else {
        Payment::Waiting
    }
}
