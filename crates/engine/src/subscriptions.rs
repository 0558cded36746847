//! Subscriptions and invoices for the app and for people.

use farthing_core::catalog::Catalog;
use farthing_core::ids::CustomerId;
use farthing_core::money::{Currency, Money};
use farthing_core::time::{Interval, Period, Timestamp};
use farthing_store::{Tx, invoices, subscriptions};
use serde::Serialize;
use serde_json::Value;

use crate::state::{PendingChange, pending_change};
use crate::{Engine, EngineError};

/// A subscription for the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// The key of the plan in force.
    pub plan: String,
    /// How often it is paid.
    pub interval: Interval,
    /// What it is paid in.
    pub currency: Currency,
    /// `incomplete`, `trialing`, `active`, `paused` or `canceled`.
    pub status: &'static str,
    /// `good`, `past_due` or `read_only`.
    pub standing: &'static str,
    /// `[start, end)` of what was last paid for, or of the trial.
    pub period: Period,
    /// When it will end, if that is scheduled.
    pub cancel_at: Option<Timestamp>,
    /// When the trial ends or ended.
    pub trial_ends_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it will change to at the period's end.
    pub pending_change: Option<PendingChange>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An invoice for the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceView {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// The subscription it bills.
    pub subscription: Option<String>,
    /// The number printed on it.
    pub number: Option<String>,
    /// `draft`, `open`, `paid`, `uncollectible`, `void` or `unknown`.
    pub status: String,
    /// Why it was made, in the provider's word.
    pub reason: String,
    /// The sum.
    pub total: Money,
    /// What was paid so far.
    pub paid: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the provider tries again.
    pub next_attempt_at: Option<Timestamp>,
    /// What it is for.
    pub lines: Value,
    /// The payments made or tried on it.
    pub payments: Vec<PaymentView>,
    /// A page on which it can be paid.
    pub hosted_url: Option<String>,
}

/// A payment for the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    /// Ours.
    pub id: String,
    /// `succeeded`, `processing`, `requires_action`, `failed`, `canceled` or `unknown`.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    pub created_at: Timestamp,
}

impl Engine {
    /// Up to `limit` subscriptions after our id `after`, the oldest first; of one customer or all.
    pub fn subscriptions(
        &self,
        customer: Option<&CustomerId>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<SubscriptionView>, EngineError> {
        self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let mut views = Vec::new();
            for found in subscriptions::list(tx, customer, after, limit)? {
                views.push(subscription_view(tx, &catalog, found)?);
            }
            Ok(views)
        })
    }

    /// One subscription by our id. Errors: there is none.
    pub fn subscription(&self, id: &str) -> Result<SubscriptionView, EngineError> {
        self.read(|engine, tx| {
            let missing = || EngineError::NotFound { what: "subscription", id: id.to_owned() };
            let (_, catalog) = engine.catalog(tx)?;
            let found = subscriptions::find(tx, id)?.ok_or_else(missing)?;
            subscription_view(tx, &catalog, found)
        })
    }

    /// Up to `limit` invoices, the newest first, older than our id `before` (`""`: from the
    /// newest); of one customer or all.
    pub fn invoices(
        &self,
        customer: Option<&CustomerId>,
        before: &str,
        limit: i64,
    ) -> Result<Vec<InvoiceView>, EngineError> {
        self.read(|_, tx| {
            let mut views = Vec::new();
            for invoice in invoices::list(tx, customer, before, limit)? {
                let payments = invoices::payments(tx, &invoice.customer, &invoice.id)?;
                views.push(invoice_view(invoice, payments));
            }
            Ok(views)
        })
    }
}

fn subscription_view(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    stored: subscriptions::Stored,
) -> Result<SubscriptionView, EngineError> {
    let pending_change = pending_change(tx, catalog, &stored)?;
    let sub = stored.subscription;
    Ok(SubscriptionView {
        id: stored.id,
        customer: stored.customer,
        plan: sub.plan,
        interval: sub.interval,
        currency: sub.currency,
        status: sub.status.as_str(),
        standing: sub.standing.as_str(),
        period: sub.period,
        cancel_at: sub.cancel_at,
        trial_ends_at: sub.trial_ends_at,
        ended_at: sub.ended_at,
        pending_change,
        created_at: stored.created_at,
    })
}

fn invoice_view(invoice: invoices::Invoice, payments: Vec<invoices::Payment>) -> InvoiceView {
    let payments = payments.into_iter().map(|payment| PaymentView {
        id: payment.id,
        status: payment.status,
        amount: payment.amount,
        failure_code: payment.failure_code,
        created_at: payment.created_at,
    });
    InvoiceView {
        id: invoice.id,
        customer: invoice.customer,
        subscription: invoice.subscription,
        number: invoice.number,
        status: invoice.status,
        reason: invoice.reason,
        total: invoice.total,
        paid: invoice.paid,
        created_at: invoice.created_at,
        next_attempt_at: invoice.next_attempt_at,
        lines: serde_json::from_str(&invoice.lines).unwrap_or_default(),
        payments: payments.collect(),
        hosted_url: invoice.hosted_url,
    }
}
