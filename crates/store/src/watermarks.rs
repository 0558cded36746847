//! Up to when something that walks along time has come.

use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// How far `name` has come; `None` before it set out.
pub fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT reached FROM watermarks WHERE name = $1";
    tx.query_opt(SQL, &params![name])?.map(|row| row.time(0)).transpose()
}

/// Moves `name` ahead to `reached`; it never goes back.
pub fn advance(tx: &mut Tx<'_>, name: &str, reached: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO watermarks (name, reached) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET reached = excluded.reached
        WHERE watermarks.reached < excluded.reached";
    tx.execute(SQL, &params![name, reached]).map(drop)
}
