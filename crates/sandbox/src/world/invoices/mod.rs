//! Invoices: what is owed for one period, and the payments made for it.
//!
//! Here: the state, how it is made, finding it. [`line`]: its lines. [`collect`]: finalizing,
//! charging, retrying, voiding. [`hosted`]: its page. [`payments`]: which intent pays which invoice. [`show`]: how it is rendered.

mod collect;
mod hosted;
mod line;
mod payments;
mod show;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use collect::Attempt;
pub(crate) use line::Line;
pub(crate) use payments::InvoicePayment;

use super::World;
use super::list::{PAGE, page, page_of};
use super::render::{Metadata, sublist};
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
    #[serde(default)]
    uncollectible_at: Option<i64>,
    /// The intent that is to pay it; none for an invoice over nothing.
    intent: Option<String>,
    metadata: Metadata,
    /// The customer's balance before and after it was finalized; negative is credit.
    #[serde(default)]
    balance: Option<(i64, i64)>,
    /// The instant at which its prorations were reckoned.
    #[serde(default)]
    pub(crate) proration_date: Option<i64>,
    /// It is for a change of the subscription that waits until this invoice is paid.
    #[serde(default)]
    pub(crate) for_pending_update: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
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
            uncollectible_at: None,
            intent: None,
            metadata: Metadata::new(),
            balance: None,
            proration_date: None,
            for_pending_update: false,
        }
    }

    /// Minor units; negative if more is credited than charged.
    fn total(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount))
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

    /// Lines of the invoice that had waited for it.
    pub(super) fn collected_lines(&self, id: &str) -> Vec<Line> {
        let lines = self.invoices.get(id).map(|invoice| invoice.lines.as_slice());
        lines.unwrap_or_default().iter().filter(|line| line.has_waited()).cloned().collect()
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

    /// The customer's balance before and after `invoice`: as it was when finalized, or as it would
    /// be now. Credit pays what it can; what is left over of a negative invoice becomes credit.
    fn balances(&self, invoice: &Invoice) -> (i64, i64) {
        if let Some(balance) = invoice.balance {
            return balance;
        }
        let before = self.customers.get(&invoice.customer).map_or(0, |customer| customer.balance);
        let total = invoice.total();
        let used = if total < 0 { total } else { total.min(-before).max(0) };
        (before, before.saturating_add(used))
    }

    pub(super) fn is_void(&self, id: &str) -> bool {
        self.invoices.get(id).is_some_and(|invoice| invoice.status == Status::Void)
    }

    /// What is to be paid by card, in minor units.
    pub(super) fn amount_due(&self, invoice: &Invoice) -> i64 {
        let (before, after) = self.balances(invoice);
        if invoice.total() <= 0 { 0 } else { invoice.total() - (after - before) }
    }

    pub(super) fn list_invoice_lines(&self, id: &str, form: &Form) -> Answer {
        let invoice = self.invoice(id)?;
        let params = form.check(&[PAGE])?;
        let lines = invoice.lines.iter().map(|line| show::line(invoice, line)).collect();
        page_of(sublist(lines, &format!("/v1/invoices/{id}/lines")), &params)
    }

    /// Copies what an invoice says about its customer.
    pub(super) fn name_customer(&self, invoice: &mut Invoice) {
        if let Some(customer) = self.customers.get(&invoice.customer) {
            invoice.customer_email = customer.email.clone();
            invoice.customer_name = customer.name.clone();
        }
    }

    /// Records a draft and tells of it; its id.
    pub(super) fn put_new_invoice(&mut self, mut invoice: Invoice) -> String {
        self.name_customer(&mut invoice);
        let id = invoice.id.clone();
        let rendered = self.render_invoice(&invoice);
        self.invoices.put(invoice);
        self.emit("invoice.created", rendered);
        id
    }

    /// Changes an invoice and tells of it, if anything was changed.
    pub(super) fn change_invoice(&mut self, id: &str, change: impl FnOnce(&mut Invoice)) {
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
