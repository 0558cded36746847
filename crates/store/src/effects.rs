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

/// Whether a fact had its effect.
pub fn exists(tx: &mut Tx<'_>, provider: &str, fact_key: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT fact_key FROM effects WHERE provider = $1 AND fact_key = $2";
    Ok(tx.query_opt(SQL, &params![provider, fact_key])?.is_some())
}
