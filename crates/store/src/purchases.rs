//! What the payments of invoices bought: from which plan to which, until when.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// What the payment of one invoice bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Whose provider it was paid over.
    pub provider: String,
    /// The provider's id of the invoice.
    pub invoice: String,
    /// Our id of the subscription.
    pub subscription: String,
    /// The key of the plan before.
    pub from: String,
    /// The key of the plan that was bought.
    pub to: String,
    /// The provider's id of the price.
    pub price: String,
    /// The first instant that is not paid for.
    pub period_end: Timestamp,
    /// When we learned of the payment.
    pub purchased_at: Timestamp,
}

/// Remembers a purchase; the first word counts.
pub fn insert(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    purchase: &Purchase,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO purchases (customer_id, provider, invoice, subscription_id, plan_from, plan_to,
            price, period_end, purchased_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING";
    let p = purchase;
    let values = params![
        customer,
        &p.provider,
        &p.invoice,
        &p.subscription,
        &p.from,
        &p.to,
        &p.price,
        p.period_end,
        p.purchased_at
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// What an invoice bought, the latest end first; more than one when it paid for two things.
pub fn of_invoice(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    provider: &str,
    invoice: &str,
) -> Result<Vec<Purchase>, StoreError> {
    const SQL: &str = "
        SELECT provider, invoice, subscription_id, plan_from, plan_to, price, period_end,
               purchased_at
        FROM purchases WHERE customer_id = $1 AND provider = $2 AND invoice = $3
        ORDER BY period_end DESC, price";
    let read = |row: &Row| {
        Ok(Purchase {
            provider: row.text(0)?,
            invoice: row.text(1)?,
            subscription: row.text(2)?,
            from: row.text(3)?,
            to: row.text(4)?,
            price: row.text(5)?,
            period_end: row.time(6)?,
            purchased_at: row.time(7)?,
        })
    };
    tx.query(SQL, &params![customer, provider, invoice])?.iter().map(read).collect()
}
