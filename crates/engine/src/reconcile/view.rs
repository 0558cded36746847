//! What we stand by of one customer, as rows that can be compared before and after.

use farthing_core::ids::CustomerId;
use farthing_core::subscription::{Status, Subscription};
use farthing_core::time::Timestamp;
use farthing_store::drift::Repair;
use farthing_store::{Tx, checkouts, credits, invoices, subscriptions};

use super::Drift;
use super::look::{CHECKOUTS, Theirs};
use crate::EngineError;

/// How many invoices of a customer are compared, the newest first.
const INVOICES: i64 = 1_000;
/// How much earlier than now an invoice must have been made to be missed, in seconds: its event may
/// be on its way.
const SETTLES_WITHIN: i64 = 600;

/// One field of one object.
struct Row {
    object: String,
    field: String,
    value: String,
    /// What is told instead when the object is new: once, not field by field.
    whole: Option<&'static str>,
}

/// Our rows of one customer.
pub(super) struct View(Vec<Row>);

impl View {
    /// As the transaction sees them now.
    pub(super) fn of(
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        theirs: &Theirs,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let mut rows = Vec::new();
        for stored in subscriptions::of_customer(tx, customer)? {
            rows.extend(fields(&stored.subscription).into_iter().map(|(field, value)| Row {
                object: stored.provider_id.clone(),
                field: field.to_owned(),
                value,
                whole: Some("subscription"),
            }));
        }
        let young = |id: &str| {
            let settled = now.plus_seconds(-SETTLES_WITHIN);
            theirs.invoices.iter().any(|it| it.id == id && settled < it.created_at)
        };
        for invoice in invoices::list(tx, Some(customer), "", INVOICES)? {
            if !young(&invoice.provider_id) {
                let (object, value) = (invoice.provider_id, invoice.status);
                rows.push(Row { object, field: "invoice".to_owned(), value, whole: None });
            }
        }
        for checkout in checkouts::of_customer(tx, customer, CHECKOUTS)? {
            let (object, value) = (checkout.id, checkout.status.as_str().to_owned());
            rows.push(Row { object, field: "checkout".to_owned(), value, whole: None });
        }
        for account in credits::of_customer(tx, customer)? {
            let field = format!("credits.{}", account.credit);
            let value = match account.debt {
                0 => account.available.to_string(),
                debt => format!("{} and a debt of {debt}", account.available),
            };
            rows.push(Row { object: customer.to_string(), field, value, whole: None });
        }
        Ok(Self(rows))
    }

    /// What has changed since `self`.
    pub(super) fn changes_to(&self, after: &Self) -> Vec<Drift> {
        let mut drift = Vec::new();
        for row in &after.0 {
            let same = |it: &&Row| it.object == row.object && it.field == row.field;
            let (field, ours) = match self.0.iter().find(same) {
                Some(known) if known.value == row.value => continue,
                Some(known) => (row.field.as_str(), known.value.as_str()),
                // A new object is told once, by where it stands.
                None if row.whole.is_some() && row.field != "status" => continue,
                None => (row.whole.unwrap_or(&row.field), "missing"),
            };
            drift.push(Drift::new(Repair::Absorb, (&row.object, field), (ours, &row.value)));
        }
        drift
    }
}

/// What is compared of a subscription, in words. Of one that is over, only that it is.
pub(super) fn fields(sub: &Subscription) -> Vec<(&'static str, String)> {
    let mut fields = vec![("status", sub.status.as_str().to_owned())];
    if matches!(sub.status, Status::Canceled | Status::Incomplete) {
        return fields;
    }
    let pending = sub.pending.as_ref();
    let pending =
        pending.map(|it| format!("{} per {} at {}", it.plan, it.interval.as_str(), it.at));
    fields.extend([
        ("plan", sub.plan.clone()),
        ("interval", sub.interval.as_str().to_owned()),
        ("price", sub.price.clone()),
        ("currency", sub.currency.to_string()),
        ("standing", sub.standing.as_str().to_owned()),
        ("period_start", sub.period.start.to_string()),
        ("period_end", sub.period.end.to_string()),
        ("cancel_at", time(sub.cancel_at)),
        ("trial_ends_at", time(sub.trial_ends_at)),
        ("pending_change", pending.unwrap_or_else(|| "none".to_owned())),
    ]);
    fields
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "none".to_owned(), |at| at.to_string())
}
