//! Events out: what happened, for the app to know. Written with the change, never changed.
//!
//! Lists are in the order of ids, which are ordered by time. Ids are given before the commit, so
//! an event can appear behind one that was read already: who follows the list reads again the
//! last minute, and drops what it knows by id.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;

/// An event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutEvent {
    /// `evt_…`
    pub id: String,
    /// `None` for events of the system, such as a new catalog.
    pub customer: Option<CustomerId>,
    /// Such as `subscription.renewed`.
    pub kind: String,
    /// Of the customer's state; grows.
    pub revision: i64,
    /// JSON.
    pub data: String,
    /// What triggered it: the id of an API request, a provider event or a job.
    pub cause: String,
    /// When it happened.
    pub created_at: Timestamp,
}

/// Stores an event.
pub fn insert(tx: &mut Tx<'_>, event: &OutEvent) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO outbox (id, customer_id, type, revision, data, cause, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let OutEvent { id, customer, kind, revision, data, cause, created_at } = event;
    let customer = customer.as_ref().map_or("", CustomerId::as_str);
    tx.execute(SQL, &params![id, customer, kind, revision, data, cause, created_at]).map(drop)
}

/// The event of this id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<OutEvent>, StoreError> {
    const SQL: &str = "
        SELECT id, customer_id, type, revision, data, cause, created_at FROM outbox
        WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// The events after the id `after` (`""` for the first), of one customer or of all.
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    after: &str,
    limit: u32,
) -> Result<Vec<OutEvent>, StoreError> {
    const OF_ALL: &str = "
        SELECT id, customer_id, type, revision, data, cause, created_at FROM outbox
        WHERE $1 < id ORDER BY id LIMIT $2";
    const OF_ONE: &str = "
        SELECT id, customer_id, type, revision, data, cause, created_at FROM outbox
        WHERE customer_id = $3 AND $1 < id ORDER BY id LIMIT $2";
    let rows = match customer {
        None => tx.query(OF_ALL, &params![after, limit])?,
        Some(customer) => tx.query(OF_ONE, &params![after, limit, customer])?,
    };
    rows.iter().map(read).collect()
}

/// Up to `limit` events of everybody older than the id `before` (`""`: from the newest), the newest
/// first: for people who look at what happened last.
pub fn newest(tx: &mut Tx<'_>, before: &str, limit: u32) -> Result<Vec<OutEvent>, StoreError> {
    const SQL: &str = "
        SELECT id, customer_id, type, revision, data, cause, created_at FROM outbox
        WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    tx.query(SQL, &params![before, limit])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<OutEvent, StoreError> {
    Ok(OutEvent {
        id: row.text(0)?,
        customer: row.opt_customer(1)?,
        kind: row.text(2)?,
        revision: row.int(3)?,
        data: row.text(4)?,
        cause: row.text(5)?,
        created_at: row.time(6)?,
    })
}

/// The highest revision of a customer that apps were told of; 0 when they were told of none.
pub fn last_revision(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT revision FROM outbox WHERE customer_id = $1 ORDER BY revision DESC LIMIT 1";
    tx.query_opt(SQL, &params![customer])?.map_or(Ok(0), |row| row.int(0))
}
