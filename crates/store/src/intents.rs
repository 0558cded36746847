//! Calls to a provider: written before the call, closed after it.
//!
//! The key is derived from what is wanted, so a second try is the same call. `unknown` means that
//! the answer was lost: ask the provider, with the same key, before anything else. An open or
//! unknown change of plan is the lock for the customer's next one.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// Where a call stands.
    IntentState {
        /// It is to be made, or being made.
        Open = "open",
        /// It was made, and had its effect.
        Done = "done",
        /// The provider refused it for good.
        Refused = "refused",
        /// Whether it had its effect is not known.
        Unknown = "unknown",
    }
}

/// A call to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIntent {
    /// `op_…`
    pub id: String,
    /// For whom; `None` for the system, such as publishing a price.
    pub customer: Option<CustomerId>,
    /// Which call.
    pub kind: String,
    /// Whether it changes the plan: one at a time per customer.
    pub is_change: bool,
    /// Unique per customer, and derived from what is wanted.
    pub idempotency_key: String,
    /// JSON: all that is needed to make the call.
    pub request: String,
    /// Now.
    pub created_at: Timestamp,
}

/// A call as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// What is to be called.
    pub new: NewIntent,
    /// Where it stands.
    pub state: IntentState,
    /// JSON: what the provider answered.
    pub response: Option<String>,
    /// How often it ended without a clear answer.
    pub attempts: i64,
    /// When its state was last written.
    pub updated_at: Timestamp,
    /// When it was done or refused.
    pub closed_at: Option<Timestamp>,
}

/// What became of a new intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// It is stored: commit, then call.
    Inserted,
    /// The same was wanted before, with this key: go on with that one.
    Same(Intent),
    /// Another change of the customer's plan is not closed yet.
    ChangeInProgress(Intent),
}

/// Stores an intent, unless the same or another change is in its way.
pub fn insert(tx: &mut Tx<'_>, intent: &NewIntent) -> Result<Inserted, StoreError> {
    const SQL: &str = "
        INSERT INTO intents (customer_id, id, kind, is_change, idempotency_key, request,
            created_at, updated_at, state, attempts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 'open', 0)
        ON CONFLICT DO NOTHING";
    const SAME: &str = "
        SELECT id, customer_id, kind, is_change, idempotency_key, request, created_at, state,
            response, attempts, updated_at, closed_at
        FROM intents WHERE customer_id = $1 AND idempotency_key = $2";
    let NewIntent { id, customer, kind, is_change, idempotency_key, request, created_at } = intent;
    let name = customer.as_ref().map_or("", CustomerId::as_str);
    let params = params![name, id, kind, is_change, idempotency_key, request, created_at];
    if tx.execute(SQL, &params)? == 1 {
        return Ok(Inserted::Inserted);
    }
    if let Some(row) = tx.query_opt(SAME, &params![name, idempotency_key])? {
        return Ok(Inserted::Same(read(&row)?));
    }
    if let (true, Some(customer)) = (*is_change, customer)
        && let Some(other) = open_change(tx, customer)?
    {
        return Ok(Inserted::ChangeInProgress(other));
    }
    // What was in the way is gone since.
    Err(tx.contended())
}

/// The change of the customer's plan that is not closed yet, if there is one.
pub fn open_change(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Option<Intent>, StoreError> {
    const SQL: &str = "
        SELECT id, customer_id, kind, is_change, idempotency_key, request, created_at, state,
            response, attempts, updated_at, closed_at
        FROM intents
        WHERE customer_id = $1 AND is_change = 1 AND state IN ('open', 'unknown')";
    tx.query_opt(SQL, &params![customer])?.as_ref().map(read).transpose()
}

/// The call ended without a clear answer. False when the intent is closed already.
pub fn mark_unknown(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE intents SET state = 'unknown', attempts = attempts + 1, updated_at = $2
        WHERE id = $1 AND state IN ('open', 'unknown')";
    Ok(tx.execute(SQL, &params![id, now])? == 1)
}

/// The provider did it, or refused for good. False when the intent is closed already: then
/// someone else has had the effects, and nothing more is to be done.
pub fn close(
    tx: &mut Tx<'_>,
    id: &str,
    refused: bool,
    response: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE intents SET state = $2, response = $3, updated_at = $4, closed_at = $4
        WHERE id = $1 AND state IN ('open', 'unknown')";
    let state = if refused { IntentState::Refused } else { IntentState::Done };
    Ok(tx.execute(SQL, &params![id, state, response, now])? == 1)
}

/// The intent of this id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Intent>, StoreError> {
    const SQL: &str = "
        SELECT id, customer_id, kind, is_change, idempotency_key, request, created_at, state,
            response, attempts, updated_at, closed_at
        FROM intents WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// The intents that are not closed and were last written at `before` or earlier, the oldest
/// first.
pub fn list_open(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Intent>, StoreError> {
    const SQL: &str = "
        SELECT id, customer_id, kind, is_change, idempotency_key, request, created_at, state,
            response, attempts, updated_at, closed_at
        FROM intents WHERE state IN ('open', 'unknown') AND updated_at <= $1
        ORDER BY updated_at, id LIMIT $2";
    tx.query(SQL, &params![before, limit])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Intent, StoreError> {
    let new = NewIntent {
        id: row.text(0)?,
        customer: row.opt_customer(1)?,
        kind: row.text(2)?,
        is_change: row.bool(3)?,
        idempotency_key: row.text(4)?,
        request: row.text(5)?,
        created_at: row.time(6)?,
    };
    Ok(Intent {
        new,
        state: row.parse(7)?,
        response: row.opt_text(8)?,
        attempts: row.int(9)?,
        updated_at: row.time(10)?,
        closed_at: row.opt_time(11)?,
    })
}
