//! What a subscription owes: its newest unpaid invoice with the last try to pay it.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// An unpaid invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Our id of it.
    pub invoice: String,
    /// The sum.
    pub total: Money,
    /// What was paid of it.
    pub paid: Money,
    /// How often a payment was tried.
    pub attempts: i64,
    /// When the provider tries again.
    pub next_attempt_at: Option<Timestamp>,
    /// A page on which it can be paid.
    pub hosted_url: Option<String>,
    /// Where the last try stands, as a word.
    pub payment: Option<String>,
    /// The provider's code for why the last try failed.
    pub failure_code: Option<String>,
    /// The card of the last try, as JSON.
    pub card: Option<String>,
}

/// The newest invoice of a subscription that waits for its payment; `None` when nothing is owed.
pub fn by_subscription(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
) -> Result<Option<Owed>, StoreError> {
    const SQL: &str = "
        SELECT i.invoice_id, i.total, i.paid, i.currency, i.attempts, i.next_attempt_at,
               i.hosted_url, p.status, p.failure_code, p.card
        FROM invoices AS i
        LEFT JOIN payments AS p ON p.customer_id = i.customer_id AND p.invoice_id = i.invoice_id
        WHERE i.customer_id = $1 AND i.subscription_id = $2
          AND i.status IN ('open', 'uncollectible')
        ORDER BY i.created_at DESC, i.invoice_id DESC, p.payment_id DESC LIMIT 1";
    let row = tx.query_opt(SQL, &params![customer, subscription])?;
    row.map(|row| {
        let currency = row.parse(3)?;
        Ok(Owed {
            invoice: row.text(0)?,
            total: Money::new(row.int(1)?, currency),
            paid: Money::new(row.int(2)?, currency),
            attempts: row.int(4)?,
            next_attempt_at: row.opt_time(5)?,
            hosted_url: row.opt_text(6)?,
            payment: row.opt_text(7)?,
            failure_code: row.opt_text(8)?,
            card: row.opt_text(9)?,
        })
    })
    .transpose()
}

/// How often the payment of an invoice had been tried when it was seen last; `None`: it was never
/// seen.
pub fn attempts(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT attempts FROM invoices WHERE provider = $1 AND provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| row.int(0)).transpose()
}
