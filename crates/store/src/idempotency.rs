//! API requests that were answered already, by the key that the caller gave them.
//!
//! [`begin`] and [`finish`] belong into the transaction of the effect where there is only one:
//! then a request is never seen half done. A request that needs a call to a provider is `running`
//! in between; when its process dies it can be started again after its lease, and whatever it did
//! is found by its own keys.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;

/// A request with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyedRequest<'a> {
    /// Whose keys these are: the id of the API key.
    pub scope: &'a str,
    /// The caller's key.
    pub key: &'a str,
    /// SHA-256 over method, path and body.
    pub request_hash: &'a [u8; 32],
    /// `req_…` of this request.
    pub request_id: &'a str,
    /// Now.
    pub now: Timestamp,
    /// If it is not finished by then, the process that ran it is taken for dead.
    pub lease_until: Timestamp,
    /// From then on the key is free again.
    pub expires_at: Timestamp,
}

/// What is to be done with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// Run it, and [`finish`] it.
    Started,
    /// The first one with this key still runs: ask to try again.
    Running,
    /// It was answered: answer the same.
    Replay {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// The key belongs to another request: refuse.
    OtherBody,
}

/// Looks the key up, and takes it if it is free.
pub fn begin(tx: &mut Tx<'_>, request: &KeyedRequest<'_>) -> Result<Begun, StoreError> {
    const INSERT: &str = "
        INSERT INTO idempotency_keys (scope, key, request_hash, request_id, state, created_at,
            lease_until, expires_at)
        VALUES ($1, $2, $3, $4, 'running', $5, $6, $7)
        ON CONFLICT (scope, key) DO NOTHING";
    const FIND: &str = "
        SELECT key, request_hash, status, body, lease_until, expires_at FROM idempotency_keys
        WHERE scope = $1 AND key = $2
        FOR UPDATE";
    const TAKE_OVER: &str = "
        UPDATE idempotency_keys SET request_hash = $3, request_id = $4, state = 'running',
            status = NULL, body = NULL, created_at = $5, lease_until = $6, expires_at = $7
        WHERE scope = $1 AND key = $2";
    let KeyedRequest { scope, key, request_hash, request_id, now, lease_until, expires_at } =
        *request;
    let params = params![scope, key, request_hash, request_id, now, lease_until, expires_at];
    if tx.execute(INSERT, &params)? == 1 {
        return Ok(Begun::Started);
    }
    let row = tx.query_opt(FIND, &params![scope, key])?;
    // Forgotten between the two statements.
    let Some(row) = row else { return Err(tx.contended()) };
    let is_free = row.time(5)? <= now;
    if !is_free && row.bytes(1)? != request_hash {
        return Ok(Begun::OtherBody);
    }
    match row.opt_int(2)? {
        Some(status) if !is_free => {
            let status = u16::try_from(status).map_err(|_| row.bad(2, "is not an HTTP status"))?;
            Ok(Begun::Replay { status, body: row.bytes(3)? })
        }
        None if !is_free && now < row.time(4)? => Ok(Begun::Running),
        _ => {
            tx.execute(TAKE_OVER, &params)?;
            Ok(Begun::Started)
        }
    }
}

/// Stores the answer, also once more. `LeaseLost` when someone else has started the request again since.
pub fn finish(
    tx: &mut Tx<'_>,
    request: &KeyedRequest<'_>,
    status: u16,
    body: &[u8],
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE idempotency_keys SET state = 'done', status = $4, body = $5
        WHERE scope = $1 AND key = $2 AND request_id = $3";
    let KeyedRequest { scope, key, request_id, .. } = *request;
    let params = params![scope, key, request_id, i64::from(status), body];
    if tx.execute(SQL, &params)? == 1 {
        return Ok(());
    }
    Err(StoreError::LeaseLost { table: "idempotency_keys", id: request_id.to_owned() })
}

/// Frees the key again: the request failed before it had any effect. Does nothing when the
/// request is finished or someone else has started it again.
pub fn forget(tx: &mut Tx<'_>, request: &KeyedRequest<'_>) -> Result<(), StoreError> {
    const SQL: &str = "
        DELETE FROM idempotency_keys
        WHERE scope = $1 AND key = $2 AND request_id = $3 AND state = 'running'";
    let KeyedRequest { scope, key, request_id, .. } = *request;
    tx.execute(SQL, &params![scope, key, request_id]).map(drop)
}

/// Deletes keys that expired, up to `limit` of them. Answers how many.
pub fn purge_expired(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "
        DELETE FROM idempotency_keys WHERE (scope, key) IN (
            SELECT scope, key FROM idempotency_keys WHERE expires_at <= $1
            ORDER BY expires_at LIMIT $2)
            AND expires_at <= $1";
    tx.execute(SQL, &params![now, limit])
}
