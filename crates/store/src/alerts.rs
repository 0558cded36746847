//! What a person must look at. An alert stays open until it is resolved, and is raised once.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;

/// Something for a person to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Ours.
    pub id: String,
    /// What sort of trouble, such as `event_dead`.
    pub kind: String,
    /// What it is about, such as an event's id.
    pub subject: String,
    /// What happened and what to do, for people.
    pub detail: String,
    /// When it was raised first.
    pub created_at: Timestamp,
}

/// Raises an alert. While one of the same kind and subject is open, that one gets the new detail
/// instead. Answers the id of the one that is open.
pub fn raise(tx: &mut Tx<'_>, alert: &Alert) -> Result<String, StoreError> {
    const SQL: &str = "
        INSERT INTO alerts (id, kind, subject, detail, created_at, raised_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (kind, subject) WHERE resolved_at IS NULL
        DO UPDATE SET detail = excluded.detail, raised_at = excluded.raised_at
        RETURNING id";
    let Alert { id, kind, subject, detail, created_at } = alert;
    let row = tx.query_opt(SQL, &params![id, kind, subject, detail, created_at])?;
    row.map_or_else(|| Ok(id.clone()), |row| row.text(0))
}

/// Closes the open alert of this kind and subject. False when there is none.
pub fn resolve(
    tx: &mut Tx<'_>,
    kind: &str,
    subject: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE alerts SET resolved_at = $3
        WHERE kind = $1 AND subject = $2 AND resolved_at IS NULL";
    Ok(tx.execute(SQL, &params![kind, subject, now])? == 1)
}

/// The open alerts, the oldest first.
pub fn list_open(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Alert>, StoreError> {
    const SQL: &str = "
        SELECT id, kind, subject, detail, created_at FROM alerts
        WHERE resolved_at IS NULL ORDER BY created_at, id LIMIT $1";
    tx.query(SQL, &params![limit])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Alert, StoreError> {
    Ok(Alert {
        id: row.text(0)?,
        kind: row.text(1)?,
        subject: row.text(2)?,
        detail: row.text(3)?,
        created_at: row.time(4)?,
    })
}
