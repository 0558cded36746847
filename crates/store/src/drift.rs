//! Where ours and the provider's differ, or did: one row per customer, object and field.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::words::words;
use crate::{Row, StoreError, Tx, params};

words! {
    /// What ends a difference.
    Repair {
        /// Taking over what the provider has, as an event would have done.
        Absorb = "absorb",
        /// Writing anew what plan, catalog and exceptions add up to.
        Rematerialize = "rematerialize",
        /// Granting credits that were paid for.
        Grant = "grant",
        /// A person has to decide.
        Person = "person",
    }
}

words! {
    /// Where a difference stands.
    DriftState {
        /// It is there.
        Open = "open",
        /// It was repaired.
        Repaired = "repaired",
        /// It was no longer there when somebody looked.
        Gone = "gone",
        /// A person said that it may stay as it is.
        Ignored = "ignored",
    }
}

/// How a difference ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// Who, as in the audit log.
    pub by: String,
    /// What the person said who lets it be.
    pub reason: Option<String>,
}

/// A difference as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is; `None`: of nobody that we know.
    pub customer: Option<CustomerId>,
    /// What differs: mostly the provider's id.
    pub object: String,
    /// In which field.
    pub field: String,
    /// Ours, `drf_…`.
    pub id: String,
    /// What we stand by.
    pub ours: String,
    /// What the provider has, or what should be.
    pub theirs: String,
    /// What ends it.
    pub repair: Repair,
    /// Where it stands.
    pub state: DriftState,
    /// When it was seen first, this time.
    pub opened_at: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
    /// How it ended; `None` while it is open.
    pub closed: Option<Closed>,
}

/// The difference of that customer, object and field, whatever its state.
pub fn find(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    (object, field): (&str, &str),
) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, object, field, drift_id, ours, theirs, repair, state, opened_at,
               seen_at, closed_at, closed_by, reason
        FROM drift WHERE customer_id = $1 AND object = $2 AND field = $3";
    tx.query_opt(SQL, &params![key(customer), object, field])?.map(|row| read(&row)).transpose()
}

/// The difference with our id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, object, field, drift_id, ours, theirs, repair, state, opened_at,
               seen_at, closed_at, closed_by, reason
        FROM drift WHERE drift_id = $1";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// The open differences of a customer; of nobody that we know when `None`.
pub fn open_of(tx: &mut Tx<'_>, customer: Option<&CustomerId>) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, object, field, drift_id, ours, theirs, repair, state, opened_at,
               seen_at, closed_at, closed_by, reason
        FROM drift WHERE customer_id = $1 AND state = 'open' ORDER BY drift_id";
    tx.query(SQL, &params![key(customer)])?.iter().map(read).collect()
}

/// Up to `limit` differences, the newest first, older than our id `before` (`""`: from the newest),
/// in one state or in all, of one customer or of everybody.
pub fn list(
    tx: &mut Tx<'_>,
    (state, customer): (Option<DriftState>, Option<&CustomerId>),
    before: &str,
    limit: u32,
) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, object, field, drift_id, ours, theirs, repair, state, opened_at,
               seen_at, closed_at, closed_by, reason
        FROM drift
        WHERE ($1 = '' OR state = $1) AND ($2 = '' OR customer_id = $2)
          AND ($3 = '' OR drift_id < $3)
        ORDER BY drift_id DESC LIMIT $4";
    let state = state.map_or("", DriftState::as_str);
    tx.query(SQL, &params![state, key(customer), before, limit])?.iter().map(read).collect()
}

/// How many are open.
pub fn count_open(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM drift WHERE state = 'open'";
    tx.query_opt(SQL, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Writes a difference over the one of the same customer, object and field.
pub fn save(tx: &mut Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO drift (customer_id, object, field, drift_id, ours, theirs, repair, state,
            opened_at, seen_at, closed_at, closed_by, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (customer_id, object, field) DO UPDATE SET
            drift_id = excluded.drift_id, ours = excluded.ours, theirs = excluded.theirs,
            repair = excluded.repair, state = excluded.state, opened_at = excluded.opened_at,
            seen_at = excluded.seen_at, closed_at = excluded.closed_at,
            closed_by = excluded.closed_by, reason = excluded.reason";
    let s = stored;
    let closed = s.closed.as_ref();
    let values = params![
        key(s.customer.as_ref()),
        &s.object,
        &s.field,
        &s.id,
        &s.ours,
        &s.theirs,
        s.repair,
        s.state,
        s.opened_at,
        s.seen_at,
        closed.map(|closed| closed.at),
        closed.map(|closed| closed.by.clone()),
        closed.and_then(|closed| closed.reason.clone())
    ];
    tx.execute(SQL, &values).map(drop)
}

/// Forgets a customer's differences.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM drift WHERE customer_id = $1", &params![customer]).map(drop)
}

fn key(customer: Option<&CustomerId>) -> &str {
    customer.map_or("", CustomerId::as_str)
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    let customer = if row.text(0)?.is_empty() { None } else { Some(row.customer(0)?) };
    let closed = match (row.opt_time(10)?, row.opt_text(11)?) {
        (Some(at), Some(by)) => Some(Closed { at, by, reason: row.opt_text(12)? }),
        _ => None,
    };
    Ok(Stored {
        customer,
        object: row.text(1)?,
        field: row.text(2)?,
        id: row.text(3)?,
        ours: row.text(4)?,
        theirs: row.text(5)?,
        repair: row.parse(6)?,
        state: row.parse(7)?,
        opened_at: row.time(8)?,
        seen_at: row.time(9)?,
        closed,
    })
}
