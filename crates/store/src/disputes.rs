//! Disputes: payments that a customer's bank contests.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A dispute as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Whose payment it is about.
    pub customer: CustomerId,
    /// Ours, `dsp_…`.
    pub id: String,
    /// Over which provider.
    pub provider: String,
    /// The provider's id.
    pub provider_id: String,
    /// Our id of the payment.
    pub payment: String,
    /// How much is contested, at least 1 minor unit of the payment's currency.
    pub amount: Money,
    /// The word for where it stands, for example `needs_response`.
    pub status: String,
    /// The bank's word for why.
    pub reason: String,
    /// Until when evidence can be given.
    pub due_by: Option<Timestamp>,
    /// Whether the bank took the money.
    pub withdrawn: bool,
    /// Whether we have it again.
    pub reinstated: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When we learned that it is over.
    pub closed_at: Option<Timestamp>,
    /// The number of the fetch it was last brought up to date with.
    pub seen: i64,
}

/// Brings a dispute up to date, or adds it.
pub fn put(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO disputes (customer_id, dispute_id, provider, provider_id, payment_id, amount,
            currency, status, reason, due_by, withdrawn, reinstated, opened_at, closed_at, seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (provider, provider_id) DO UPDATE
        SET amount = excluded.amount, status = excluded.status, reason = excluded.reason,
            due_by = excluded.due_by, withdrawn = excluded.withdrawn,
            reinstated = excluded.reinstated, closed_at = excluded.closed_at, seen = excluded.seen
        WHERE disputes.seen <= excluded.seen";
    let d = dispute;
    let values = params![
        &d.customer,
        &d.id,
        &d.provider,
        &d.provider_id,
        &d.payment,
        d.amount.minor,
        d.amount.currency.code(),
        &d.status,
        &d.reason,
        d.due_by,
        d.withdrawn,
        d.reinstated,
        d.opened_at,
        d.closed_at,
        d.seen
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// The dispute with the provider's id.
pub fn find_by_provider_id(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<Dispute>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, dispute_id, provider, provider_id, payment_id, amount, currency, status,
               reason, due_by, withdrawn, reinstated, opened_at, closed_at, seen
        FROM disputes WHERE provider = $1 AND provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| read(&row)).transpose()
}

/// Up to `limit` disputes of a customer (of everybody when `None`), the newest first, older than the
/// one with our id `before` (`""`: from the newest); with `open`, only those that are not over.
pub fn list(
    tx: &mut Tx<'_>,
    (customer, open): (Option<&CustomerId>, bool),
    before: &str,
    limit: i64,
) -> Result<Vec<Dispute>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, dispute_id, provider, provider_id, payment_id, amount, currency, status,
               reason, due_by, withdrawn, reinstated, opened_at, closed_at, seen
        FROM disputes
        WHERE ($1 = '' OR customer_id = $1) AND ($2 = '' OR closed_at IS NULL)
          AND ($3 = '' OR dispute_id < $3)
        ORDER BY dispute_id DESC LIMIT $4";
    let customer = customer.map_or("", CustomerId::as_str);
    tx.query(SQL, &params![customer, if open { "open" } else { "" }, before, limit])?
        .iter()
        .map(read)
        .collect()
}

fn read(row: &Row) -> Result<Dispute, StoreError> {
    Ok(Dispute {
        customer: row.customer(0)?,
        id: row.text(1)?,
        provider: row.text(2)?,
        provider_id: row.text(3)?,
        payment: row.text(4)?,
        amount: Money::new(row.int(5)?, row.parse(6)?),
        status: row.text(7)?,
        reason: row.text(8)?,
        due_by: row.opt_time(9)?,
        withdrawn: row.bool(10)?,
        reinstated: row.bool(11)?,
        opened_at: row.time(12)?,
        closed_at: row.opt_time(13)?,
        seen: row.int(14)?,
    })
}
