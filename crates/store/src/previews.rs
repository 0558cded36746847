//! What customers were shown before they confirm a change.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A change as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Who was shown it.
    pub customer: CustomerId,
    /// The token.
    pub id: String,
    /// Our id of the subscription.
    pub subscription: String,
    /// Where it leads, as JSON.
    pub goal: String,
    /// What was to be paid at once.
    pub due_now: Money,
    /// The instant that the shares were counted from.
    pub proration_at: Timestamp,
    /// The first instant at which it no longer counts.
    pub expires_at: Timestamp,
}

/// Remembers what was shown.
pub fn insert(tx: &mut Tx<'_>, preview: &Preview) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO previews (customer_id, preview_id, subscription_id, goal, amount, currency,
            proration_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let p = preview;
    let values = params![
        &p.customer,
        &p.id,
        &p.subscription,
        &p.goal,
        p.due_now.minor,
        p.due_now.currency.code(),
        p.proration_at,
        p.expires_at
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// What a customer was shown under a token.
pub fn find(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    id: &str,
) -> Result<Option<Preview>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, preview_id, subscription_id, goal, amount, currency, proration_at,
               expires_at
        FROM previews WHERE customer_id = $1 AND preview_id = $2";
    tx.query_opt(SQL, &params![customer, id])?.map(|row| read(&row)).transpose()
}

/// Forgets what no longer counts at `now`.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM previews WHERE expires_at <= $1", &params![now])
}

fn read(row: &Row) -> Result<Preview, StoreError> {
    Ok(Preview {
        customer: row.customer(0)?,
        id: row.text(1)?,
        subscription: row.text(2)?,
        goal: row.text(3)?,
        due_now: Money::new(row.int(4)?, row.parse(5)?),
        proration_at: row.time(6)?,
        expires_at: row.time(7)?,
    })
}
