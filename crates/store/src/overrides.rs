//! Exceptions: what one customer may use instead of what the plan says.

use std::collections::BTreeMap;

use farthing_core::allowance::Override;
use farthing_core::catalog::Limit;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A customer's exceptions by feature key, also those that have expired.
pub fn of_customer(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
) -> Result<BTreeMap<String, Override>, StoreError> {
    const SQL: &str = "
        SELECT feature, limit_kind, amount, expires_at FROM overrides WHERE customer_id = $1";
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// Makes or replaces an exception.
pub fn put(
    tx: &mut Tx<'_>,
    (customer, feature): (&CustomerId, &str),
    exception: &Override,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO overrides (customer_id, feature, limit_kind, amount, reason, expires_at,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (customer_id, feature) DO UPDATE
        SET limit_kind = excluded.limit_kind, amount = excluded.amount, reason = excluded.reason,
            expires_at = excluded.expires_at, created_at = excluded.created_at";
    let (kind, amount) = match exception.limit {
        Limit::Switch(on) => ("switch", Some(i64::from(on))),
        Limit::Amount(amount) => ("amount", Some(amount)),
        Limit::Unlimited => ("unlimited", None),
    };
    let expires = exception.expires_at;
    tx.execute(SQL, &params![customer, feature, kind, amount, reason, expires, now])?;
    Ok(())
}

/// Removes an exception; `false` when there was none.
pub fn delete(tx: &mut Tx<'_>, customer: &CustomerId, feature: &str) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM overrides WHERE customer_id = $1 AND feature = $2";
    Ok(tx.execute(SQL, &params![customer, feature])? == 1)
}

/// Removes all of a customer's exceptions.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM overrides WHERE customer_id = $1", &params![customer])?;
    Ok(())
}

fn read(row: &Row) -> Result<(String, Override), StoreError> {
    let limit = match (row.text(1)?.as_str(), row.opt_int(2)?) {
        ("switch", Some(on)) => Limit::Switch(on != 0),
        ("amount", Some(amount)) => Limit::Amount(amount),
        ("unlimited", None) => Limit::Unlimited,
        _ => return Err(row.bad(1, "is not a limit that is known here")),
    };
    Ok((row.text(0)?, Override { limit, expires_at: row.opt_time(3)? }))
}
