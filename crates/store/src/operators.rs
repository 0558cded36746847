//! The people who use the admin panel. Passwords, links, cookies and codes are stored as hashes.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// What an operator is trusted with.
    Role {
        /// Everything, and who else may come in.
        Owner = "owner",
        /// Money: refunds, disputes, exports.
        Finance = "finance",
        /// Customers: notes, exceptions, asking for refunds.
        Support = "support",
        /// The app's side: keys, catalog, events.
        Developer = "developer",
        /// Looking.
        Viewer = "viewer",
    }
}

/// An operator as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// `opr_…`
    pub id: String,
    /// In lower case; what they sign in with.
    pub email: String,
    /// What others call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The password's hash with its parameters; `None` before one was chosen.
    pub password: Option<String>,
    /// What their second factor counts from; `None` before there is one.
    pub totp_secret: Option<Vec<u8>>,
    /// The newest time step whose code was used: none up to it is taken again.
    pub totp_step: i64,
    /// When they came.
    pub created_at: Timestamp,
    /// From this instant on they may do nothing.
    pub removed_at: Option<Timestamp>,
}

/// Adds an operator. False when somebody who was not removed has the address.
pub fn insert(tx: &mut Tx<'_>, operator: &Operator) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO operators (id, email, name, role, password, totp_secret, totp_step, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (email) WHERE removed_at IS NULL DO NOTHING";
    let Operator { id, email, name, role, password, totp_secret, .. } = operator;
    let (step, created) = (operator.totp_step, operator.created_at);
    let params = params![id, email, name, *role, password, totp_secret, step, created];
    Ok(tx.execute(SQL, &params)? == 1)
}

/// The operator of this id, also one who was removed.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Operator>, StoreError> {
    const SQL: &str = "
        SELECT id, email, name, role, password, totp_secret, totp_step, created_at, removed_at
        FROM operators WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// The same, locked until the transaction ends: what changes one operator queues here.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Operator>, StoreError> {
    const SQL: &str = "
        SELECT id, email, name, role, password, totp_secret, totp_step, created_at, removed_at
        FROM operators WHERE id = $1 FOR UPDATE";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// Who signs in with this address, written in lower case; nobody who was removed.
pub fn find_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<Operator>, StoreError> {
    const SQL: &str = "
        SELECT id, email, name, role, password, totp_secret, totp_step, created_at, removed_at
        FROM operators WHERE email = $1 AND removed_at IS NULL";
    tx.query_opt(SQL, &params![email])?.as_ref().map(read).transpose()
}

/// Everybody, the first first, also those who were removed.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Operator>, StoreError> {
    const SQL: &str = "
        SELECT id, email, name, role, password, totp_secret, totp_step, created_at, removed_at
        FROM operators ORDER BY created_at, id";
    tx.query(SQL, &[])?.iter().map(read).collect()
}

/// Writes everything but the id, the address and `created_at`. Not for [`Operator::totp_step`],
/// which only [`use_step`] moves.
pub fn save(tx: &mut Tx<'_>, operator: &Operator) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE operators SET name = $2, role = $3, password = $4, totp_secret = $5, removed_at = $6
        WHERE id = $1";
    let Operator { id, name, role, password, totp_secret, removed_at, .. } = operator;
    match tx.execute(SQL, &params![id, name, *role, password, totp_secret, removed_at])? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "operators", id: id.clone() }),
    }
}

/// Uses up the code of a time step. False when it, or a later one, was used before.
pub fn use_step(tx: &mut Tx<'_>, id: &str, step: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE operators SET totp_step = $2 WHERE id = $1 AND totp_step < $2";
    Ok(tx.execute(SQL, &params![id, step])? == 1)
}

/// Gives an operator new recovery codes, by their SHA-256; the ones before end.
pub fn put_recovery(tx: &mut Tx<'_>, id: &str, hashes: &[[u8; 32]]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO operator_recovery_codes (operator_id, hash) VALUES ($1, $2)";
    tx.execute("DELETE FROM operator_recovery_codes WHERE operator_id = $1", &params![id])?;
    for hash in hashes {
        tx.execute(SQL, &params![id, hash])?;
    }
    Ok(())
}

/// Uses up a recovery code. False when there is none such, or it was used before.
pub fn use_recovery(
    tx: &mut Tx<'_>,
    id: &str,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE operator_recovery_codes SET used_at = $3
        WHERE operator_id = $1 AND hash = $2 AND used_at IS NULL";
    Ok(tx.execute(SQL, &params![id, hash, now])? == 1)
}

fn read(row: &Row) -> Result<Operator, StoreError> {
    Ok(Operator {
        id: row.text(0)?,
        email: row.text(1)?,
        name: row.text(2)?,
        role: row.parse(3)?,
        password: row.opt_text(4)?,
        totp_secret: row.opt_bytes(5)?,
        totp_step: row.int(6)?,
        created_at: row.time(7)?,
        removed_at: row.opt_time(8)?,
    })
}
