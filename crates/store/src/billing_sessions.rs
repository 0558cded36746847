//! Links to the billing page, and the sessions that they open. Only hashes of the secrets are
//! stored.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A link, or the session that it opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Whose page it is.
    pub customer: CustomerId,
    /// Where on the app's site the page leads back to.
    pub return_path: Option<String>,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first instant at which it no longer counts.
    pub expires_at: Timestamp,
}

/// Stores a link under the SHA-256 of its secret.
pub fn insert_link(tx: &mut Tx<'_>, link: &Visit, hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO billing_links (customer_id, hash, return_path, read_only, created_at,
            expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(SQL, &values(link, hash)).map(drop)
}

/// Uses a link up: of two who try, one gets it. `None` when there is none, it was used, or it is
/// too old at `now`.
pub fn use_link(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Visit>, StoreError> {
    const TAKE: &str = "
        UPDATE billing_links SET used_at = $2
        WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
    const SQL: &str = "
        SELECT customer_id, return_path, read_only, created_at, expires_at
        FROM billing_links WHERE hash = $1";
    if tx.execute(TAKE, &params![hash, now])? != 1 {
        return Ok(None);
    }
    tx.query_opt(SQL, &params![hash])?.as_ref().map(read).transpose()
}

/// Stores a session under the SHA-256 of its secret.
pub fn insert(tx: &mut Tx<'_>, session: &Visit, hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO billing_sessions (customer_id, hash, return_path, read_only, created_at,
            expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(SQL, &values(session, hash)).map(drop)
}

/// The session of this secret's SHA-256; `None` when there is none, or it is over at `now`.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<Option<Visit>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, return_path, read_only, created_at, expires_at
        FROM billing_sessions WHERE hash = $1 AND expires_at > $2";
    tx.query_opt(SQL, &params![hash, now])?.as_ref().map(read).transpose()
}

/// Ends a session. Ending it twice is once.
pub fn end(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM billing_sessions WHERE hash = $1", &params![hash]).map(drop)
}

/// Ends every session and every link of a customer.
pub fn end_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM billing_sessions WHERE customer_id = $1", &params![customer])?;
    tx.execute("DELETE FROM billing_links WHERE customer_id = $1", &params![customer]).map(drop)
}

/// Forgets what no longer counts at `now`.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM billing_sessions WHERE expires_at <= $1", &params![now])?;
    tx.execute("DELETE FROM billing_links WHERE expires_at <= $1", &params![now]).map(drop)
}

fn values(visit: &Visit, hash: &[u8; 32]) -> [crate::Value; 6] {
    let Visit { customer, return_path, read_only, created_at, expires_at } = visit;
    params![customer, hash, return_path, read_only, created_at, expires_at]
}

fn read(row: &Row) -> Result<Visit, StoreError> {
    Ok(Visit {
        customer: row.customer(0)?,
        return_path: row.opt_text(1)?,
        read_only: row.bool(2)?,
        created_at: row.time(3)?,
        expires_at: row.time(4)?,
    })
}
