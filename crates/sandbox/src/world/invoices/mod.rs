//! Invoices: what is owed for one period, and the payments made for it.
//!
//! Here: the state, how it is made, finding it. [`collect`]: finalizing, charging, retrying,
//! voiding. [`payments`]: which intent pays which invoice. [`show`]: how it is rendered.

mod collect;
mod payments;
mod show;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use payments::InvoicePayment;

use super::World;
use super::catalog::Price;
use super::list::{PAGE, page, page_of};
use super::render::{Metadata, amount, sublist};
use super::route::Form;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    id: String,
    created: i64,
    customer: String,
    customer_email: Option<String>,
    customer_name: Option<String>,
    pub(crate) subscription: Option<String>,
    /// The subscription's metadata when the invoice was made.
    pub(crate) subscription_metadata: Metadata,
    status: Status,
    pub(crate) billing_reason: String,
    currency: String,
    pub(crate) lines: Vec<Line>,
    /// The window in which pending items were collected, `[period_start, period_end)`; what is
    /// paid for is in the lines.
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
    /// The provider finalizes and collects by itself.
    pub(crate) auto_advance: bool,
    /// When a draft is finalized by itself.
    pub(crate) finalizes_at: Option<i64>,
    attempt_count: u32,
    attempted: bool,
    next_attempt: Option<i64>,
    number: Option<String>,
    amount_paid: i64,
    finalized_at: Option<i64>,
    paid_at: Option<i64>,
    voided_at: Option<i64>,
    /// The intent that is to pay it; none for an invoice over nothing.
    intent: Option<String>,
    metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Draft,
    Open,
    Paid,
    Void,
}

/// One line: a price, how many of it, and the period that it pays for, `[start, end)`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    id: String,
    amount: i64,
    unit_amount: i64,
    quantity: i64,
    currency: String,
    description: String,
    price: String,
    product: String,
    period: (i64, i64),
    origin: Origin,
}

/// Why a line is there: an item of the subscription, or something paid once.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Origin {
    SubscriptionItem(String),
    InvoiceItem(String),
}

impl Row for Invoice {
    const KIND: &'static str = "invoice";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        match self.status {
            Status::Draft if self.auto_advance => self.finalizes_at,
            Status::Open if self.auto_advance => self.next_attempt,
            _ => None,
        }
    }
}

impl Invoice {
    /// An empty draft that collects itself.
    pub(crate) fn draft(id: String, now: i64, customer: &str, currency: &str) -> Invoice {
        Invoice {
            id,
            created: now,
            customer: customer.to_owned(),
            customer_email: None,
            customer_name: None,
            subscription: None,
            subscription_metadata: Metadata::new(),
            status: Status::Draft,
            billing_reason: "manual".to_owned(),
            currency: currency.to_owned(),
            lines: Vec::new(),
            period_start: now,
            period_end: now,
            auto_advance: true,
            finalizes_at: None,
            attempt_count: 0,
            attempted: false,
            next_attempt: None,
            number: None,
            amount_paid: 0,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            intent: None,
            metadata: Metadata::new(),
        }
    }

    /// Minor units.
    fn total(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount))
    }
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

const STATUSES: Kind = Kind::OneOf(&["draft", "open", "paid", "uncollectible", "void"]);
const LIST: &[Field] = &[
    may("customer", Kind::Text),
    may("subscription", Kind::Text),
    may("status", STATUSES),
    may("collection_method", Kind::OneOf(&["charge_automatically", "send_invoice"])),
];

impl World {
    pub(super) fn invoice(&self, id: &str) -> Result<&Invoice, ApiError> {
        self.invoices.get(id).ok_or_else(|| ApiError::no_such("invoice", id))
    }

    pub(super) fn retrieve_invoice(&self, id: &str) -> Answer {
        self.invoice(id).map(|invoice| self.render_invoice(invoice))
    }

    pub(super) fn list_invoices(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let subscription = params.text("subscription");
        page(
            &self.invoices,
            "/v1/invoices",
            &params,
            |invoice| invoice.created,
            |invoice| {
                params.text("customer").is_none_or(|id| id == invoice.customer)
                    && (subscription.is_none() || invoice.subscription.as_deref() == subscription)
                    && params.text("status").is_none_or(|word| json!(invoice.status) == word)
                    && params.text("collection_method") != Some("send_invoice")
            },
            |invoice| self.render_invoice(invoice),
        )
    }

    pub(super) fn list_invoice_lines(&self, id: &str, form: &Form) -> Answer {
        let invoice = self.invoice(id)?;
        let params = form.check(&[PAGE])?;
        let lines = invoice.lines.iter().map(|line| show::line(invoice, line)).collect();
        page_of(sublist(lines, &format!("/v1/invoices/{id}/lines")), &params)
    }

    /// Records a draft and tells of it; its id.
    pub(super) fn put_new_invoice(&mut self, mut invoice: Invoice) -> String {
        if let Some(customer) = self.customers.get(&invoice.customer) {
            invoice.customer_email = customer.email.clone();
            invoice.customer_name = customer.name.clone();
        }
        let id = invoice.id.clone();
        let rendered = self.render_invoice(&invoice);
        self.invoices.put(invoice);
        self.emit("invoice.created", rendered);
        id
    }

    /// Changes an invoice and tells of it, if anything was changed.
    fn change_invoice(&mut self, id: &str, change: impl FnOnce(&mut Invoice)) {
        let Some(mut invoice) = self.invoices.get(id).cloned() else { return };
        let old = self.render_invoice(&invoice);
        change(&mut invoice);
        let new = self.render_invoice(&invoice);
        self.invoices.put(invoice);
        self.emit_update("invoice.updated", &old, new);
    }

    fn emit_invoice(&mut self, kind: &str, id: &str) {
        if let Ok(rendered) = self.retrieve_invoice(id) {
            self.emit(kind, rendered);
        }
    }
}
