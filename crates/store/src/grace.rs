//! Limits of the plan before that still count for a while.

use std::collections::BTreeMap;

use farthing_core::allowance::Grace;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// A customer's limits of the plan before by feature key, also those that are over.
pub fn of_customer(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
) -> Result<BTreeMap<String, Grace>, StoreError> {
    const SQL: &str =
        "SELECT feature, limit_amount, until FROM grace_limits WHERE customer_id = $1";
    tx.query(SQL, &params![customer])?
        .iter()
        .map(|row| Ok((row.text(0)?, Grace { limit: row.opt_int(1)?, until: row.time(2)? })))
        .collect()
}

/// Lets a limit count for a while, instead of another one for the same feature.
pub fn put(
    tx: &mut Tx<'_>,
    (customer, feature): (&CustomerId, &str),
    grace: &Grace,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO grace_limits (customer_id, feature, limit_amount, until, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer_id, feature) DO UPDATE
        SET limit_amount = excluded.limit_amount, until = excluded.until,
            created_at = excluded.created_at";
    tx.execute(SQL, &params![customer, feature, grace.limit, grace.until, now])?;
    Ok(())
}

/// Forgets a limit of the plan before.
pub fn delete(tx: &mut Tx<'_>, customer: &CustomerId, feature: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM grace_limits WHERE customer_id = $1 AND feature = $2";
    tx.execute(SQL, &params![customer, feature])?;
    Ok(())
}

/// Forgets all of a customer's limits of plans before.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM grace_limits WHERE customer_id = $1", &params![customer])?;
    Ok(())
}
