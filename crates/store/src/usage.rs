//! What was really used since an instant: what refunds are judged by.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// The most that was held of a feature at one time, at `since` or later.
pub fn peak_since(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    feature: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    const BEFORE: &str = "
        SELECT level FROM (
            SELECT at, version, CAST(SUM(delta) OVER (PARTITION BY epoch ORDER BY version)
                AS BIGINT) AS level
            FROM usage_events WHERE customer_id = $1 AND feature = $2
        ) AS levels WHERE at < $3 ORDER BY version DESC LIMIT 1";
    const SINCE: &str = "
        SELECT CAST(MAX(level) AS BIGINT) FROM (
            SELECT at, CAST(SUM(delta) OVER (PARTITION BY epoch ORDER BY version)
                AS BIGINT) AS level
            FROM usage_events WHERE customer_id = $1 AND feature = $2
        ) AS levels WHERE at >= $3";
    let mut peak = 0;
    for sql in [BEFORE, SINCE] {
        if let Some(row) = tx.query_opt(sql, &params![customer, feature, since])? {
            peak = peak.max(row.opt_int(0)?.unwrap_or(0));
        }
    }
    Ok(peak)
}

/// How much of a feature was used up at `since` or later, over all its windows.
pub fn used_since(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    feature: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT CAST(SUM(delta) AS BIGINT) FROM usage_events
        WHERE customer_id = $1 AND feature = $2 AND at >= $3 AND kind IN ('consume', 'report')";
    let row = tx.query_opt(SQL, &params![customer, feature, since])?;
    row.map_or(Ok(0), |row| Ok(row.opt_int(0)?.unwrap_or(0)))
}

/// How many credits were spent at `since` or later.
pub fn spent_since(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT CAST(SUM(amount) AS BIGINT) FROM ledger_entries
        WHERE customer_id = $1 AND credit = $2 AND recorded_at >= $3 AND bucket = 'spent'";
    let row = tx.query_opt(SQL, &params![customer, credit, since])?;
    row.map_or(Ok(0), |row| Ok(row.opt_int(0)?.unwrap_or(0)))
}
