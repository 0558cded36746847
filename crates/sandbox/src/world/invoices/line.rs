//! Lines of invoices: a price for a period, a part of one, or credit for what is left of one.

use serde::{Deserialize, Serialize};

use crate::world::catalog::Price;
use crate::world::render::amount;
use crate::world::table::Row;

/// One line: a price, how many of it, and the period that it pays for, `[start, end)`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// Minor units; negative for credit.
    pub(crate) amount: i64,
    pub(super) unit_amount: i64,
    pub(super) quantity: i64,
    pub(super) currency: String,
    pub(super) description: String,
    pub(super) price: String,
    pub(super) product: String,
    pub(crate) period: (i64, i64),
    pub(crate) origin: Origin,
    /// For a part of a period, because something was changed in its middle.
    #[serde(default)]
    pub(crate) proration: bool,
    /// The invoice item that waited for the next invoice.
    #[serde(default)]
    pub(super) invoice_item: Option<String>,
    /// What is credited: an invoice and its line.
    #[serde(default)]
    pub(super) credits: Option<(String, String)>,
}

/// Why a line is there: an item of the subscription, or something paid once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Origin {
    SubscriptionItem(String),
    InvoiceItem(String),
}

impl Line {
    /// A line for `quantity` of a subscription's item over `period`.
    pub(crate) fn of_item(
        id: String,
        price: &Price,
        item: &str,
        quantity: i64,
        period: (i64, i64),
    ) -> Line {
        Line::new(id, price, quantity, period, Origin::SubscriptionItem(item.to_owned()))
    }

    /// A line for something paid once, at `now`.
    pub(crate) fn once(id: String, price: &Price, item: String, quantity: i64, now: i64) -> Line {
        Line::new(id, price, quantity, (now, now), Origin::InvoiceItem(item))
    }

    fn new(id: String, price: &Price, quantity: i64, period: (i64, i64), origin: Origin) -> Line {
        Line {
            id,
            amount: price.unit_amount.saturating_mul(quantity),
            unit_amount: price.unit_amount,
            quantity,
            currency: price.currency.clone(),
            description: String::new(),
            price: price.id().to_owned(),
            product: price.product.clone(),
            period,
            origin,
            proration: false,
            invoice_item: None,
            credits: None,
        }
    }

    /// What is charged for the rest of a period that has begun, or (negative) credited for it.
    pub(crate) fn prorated(self, amount: i64, description: String) -> Line {
        Line { amount, description, proration: true, ..self }
    }

    /// The line as credit for `line` of `invoice`.
    pub(crate) fn crediting(self, invoice: &str, line: &str) -> Line {
        Line { credits: Some((invoice.to_owned(), line.to_owned())), ..self }
    }

    /// The line as one that waits for the next invoice under the id `invoice_item`.
    pub(crate) fn waiting(self, invoice_item: String) -> Line {
        Line { invoice_item: Some(invoice_item), ..self }
    }

    pub(crate) fn has_waited(&self) -> bool {
        self.invoice_item.is_some()
    }

    /// The subscription item that it bills.
    pub(crate) fn item(&self) -> Option<&str> {
        match &self.origin {
            Origin::SubscriptionItem(item) => Some(item),
            Origin::InvoiceItem(_) => None,
        }
    }

    /// The line of a trial: nothing to pay.
    pub(crate) fn free(self, product: &str) -> Line {
        let description = format!("Trial period for {product}");
        Line { amount: 0, unit_amount: 0, description, ..self }
    }

    /// The line with words as Stripe puts them: `2 × Growth (at $49.00 / month)`.
    pub(crate) fn described(self, price: &Price, product: &str) -> Line {
        let each = amount(self.unit_amount, &self.currency);
        let every = match price.recurring {
            Some(every) if every.count == 1 => format!(" / {}", every.unit.name()),
            Some(every) => format!(" every {} {}s", every.count, every.unit.name()),
            None => String::new(),
        };
        let description = format!("{} × {product} (at {each}{every})", self.quantity);
        Line { description, ..self }
    }
}
