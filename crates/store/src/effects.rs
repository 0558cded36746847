//! Which business facts had their effect: one row each, whatever event brought the news.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// Claims a fact for this transaction; `false` when it had its effect before.
pub fn insert(
    tx: &mut Tx<'_>,
    provider: &str,
    fact_key: &str,
    (customer, cause): (&CustomerId, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO effects (provider, fact_key, customer_id, cause, applied_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    Ok(tx.execute(SQL, &params![provider, fact_key, customer, cause, now])? == 1)
}
