//! API keys. Only a hash of the secret is stored, and its last characters as a hint for people.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// What a key may be used for.
    Scope {
        /// Everything.
        Full = "full",
        /// Reading only.
        Read = "read",
        /// Checking and consuming entitlements only.
        Usage = "usage",
    }
}

/// A key as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// `key_…`, its public name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// The last four characters of the secret.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From this instant on it is refused.
    pub revoked_at: Option<Timestamp>,
}

/// Stores a key under the SHA-256 of its secret.
pub fn insert(tx: &mut Tx<'_>, key: &ApiKey, hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO api_keys (id, name, scope, hint, created_at, revoked_at, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let ApiKey { id, name, scope, hint, created_at, revoked_at } = key;
    let params = params![id, name, *scope, hint, created_at, revoked_at, hash];
    tx.execute(SQL, &params).map(drop)
}

/// The key whose secret has this SHA-256; `None` when there is none or it is revoked.
pub fn find_by_hash(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    const SQL: &str = "
        SELECT id, name, scope, hint, created_at, revoked_at FROM api_keys
        WHERE hash = $1 AND revoked_at IS NULL";
    tx.query_opt(SQL, &params![hash])?.as_ref().map(read).transpose()
}

/// All keys, the oldest first, with the revoked ones.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<ApiKey>, StoreError> {
    const SQL: &str = "
        SELECT id, name, scope, hint, created_at, revoked_at FROM api_keys
        ORDER BY created_at, id";
    tx.query(SQL, &[])?.iter().map(read).collect()
}

/// Revokes a key from now on. False when there is no such key or it is revoked already.
pub fn revoke(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.execute(SQL, &params![id, now])? == 1)
}

fn read(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.text(0)?,
        name: row.text(1)?,
        scope: row.parse(2)?,
        hint: row.text(3)?,
        created_at: row.time(4)?,
        revoked_at: row.opt_time(5)?,
    })
}
