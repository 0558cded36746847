//! One-time links with which operators come in. Only the hash of what is in the address is stored.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::operators::Role;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// What a link is for.
    LinkKind {
        /// The first operator, who becomes an owner.
        First = "first",
        /// Somebody who is to come in.
        Invite = "invite",
        /// An operator who lost the password.
        Reset = "reset",
        /// Whoever started the development server.
        Sandbox = "sandbox",
    }
}

/// A link as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// What it is for.
    pub kind: LinkKind,
    /// Whose password it resets.
    pub operator: Option<String>,
    /// Who is invited.
    pub email: Option<String>,
    /// As what.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first instant at which it no longer works.
    pub expires_at: Timestamp,
    /// When it was used: it works once.
    pub used_at: Option<Timestamp>,
}

/// Stores a link under the SHA-256 of what is in its address.
pub fn insert(tx: &mut Tx<'_>, link: &Link, hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO operator_links (hash, kind, operator_id, email, role, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Link { kind, operator, email, role, created_at, expires_at, .. } = link;
    let role = role.map(Role::as_str);
    tx.execute(SQL, &params![hash, *kind, operator, email, role, created_at, expires_at]).map(drop)
}

/// The link, also one that was used or is over.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
    const SQL: &str = "
        SELECT kind, operator_id, email, role, created_at, expires_at, used_at
        FROM operator_links WHERE hash = $1";
    tx.query_opt(SQL, &params![hash])?.as_ref().map(read).transpose()
}

/// Uses a link up. False when it was used before or is over: then it lets nobody in.
pub fn use_up(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE operator_links SET used_at = $2
        WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
    Ok(tx.execute(SQL, &params![hash, now])? == 1)
}

/// Ends the open links of a kind, for one invited address or one operator where it names one.
pub fn end_open(tx: &mut Tx<'_>, link: &Link, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE operator_links SET used_at = $4
        WHERE kind = $1 AND COALESCE(operator_id, '') = $2 AND COALESCE(email, '') = $3
          AND used_at IS NULL";
    let operator = link.operator.clone().unwrap_or_default();
    let email = link.email.clone().unwrap_or_default();
    tx.execute(SQL, &params![link.kind, operator, email, now]).map(drop)
}

/// The links of a kind that still work at `now`, the oldest first.
pub fn open(tx: &mut Tx<'_>, kind: LinkKind, now: Timestamp) -> Result<Vec<Link>, StoreError> {
    const SQL: &str = "
        SELECT kind, operator_id, email, role, created_at, expires_at, used_at
        FROM operator_links WHERE kind = $1 AND used_at IS NULL AND expires_at > $2
        ORDER BY created_at";
    tx.query(SQL, &params![kind, now])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Link, StoreError> {
    let role = row.opt_text(3)?.map(|_| row.parse(3)).transpose()?;
    Ok(Link {
        kind: row.parse(0)?,
        operator: row.opt_text(1)?,
        email: row.opt_text(2)?,
        role,
        created_at: row.time(4)?,
        expires_at: row.time(5)?,
        used_at: row.opt_time(6)?,
    })
}
