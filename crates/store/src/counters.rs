//! Numbers that only grow, shared by all nodes.

use crate::{Row, StoreError, Tx, params};

/// Takes the next number of the counter `name`; the first is 1.
pub fn next(tx: &mut Tx<'_>, name: &str) -> Result<i64, StoreError> {
    const SQL: &str = "
        INSERT INTO counters (name, value) VALUES ($1, 1)
        ON CONFLICT (name) DO UPDATE SET value = counters.value + 1
        RETURNING name, value";
    let row: Option<Row> = tx.query_opt(SQL, &params![name])?;
    row.map_or(Ok(1), |row| row.int(1))
}
