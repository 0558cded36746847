//! Provider events as they were received: stored before they are answered, worked on later.
//!
//! The provider's id makes an event unique. Nothing is ever deleted here, so what was received
//! can be looked at and worked on again.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::lease::{Claim, Lease, held};
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// Where an event stands.
    EventState {
        /// It waits, or a worker has it.
        Received = "received",
        /// What it said was absorbed.
        Done = "done",
        /// It says nothing that matters here.
        Ignored = "ignored",
        /// It could not be understood or is not ours: no effect until a person decides.
        Quarantined = "quarantined",
        /// Working on it failed too often: a person must look.
        Dead = "dead",
    }
}

/// An event, as it is received and as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderEvent {
    /// `evt_…`: ours.
    pub id: String,
    /// `stripe`, `paddle`, …
    pub provider: String,
    /// The provider's id.
    pub event_id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// The version of the provider's API that the payload is written in.
    pub api_version: Option<String>,
    /// When it happened, by the provider's clock.
    pub created_at: Timestamp,
    /// When it arrived first.
    pub received_at: Timestamp,
    /// The raw body.
    pub payload: Vec<u8>,
    /// The provider's id of the object it is about.
    pub subject: Option<String>,
    /// Whose event, once that is known.
    pub customer: Option<CustomerId>,
}

/// How far an event has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Where it stands.
    pub state: EventState,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    /// Why the last attempt failed, or why it was quarantined.
    pub last_error: Option<String>,
    /// When it was done, ignored, quarantined or dead.
    pub processed_at: Option<Timestamp>,
}

/// Stores a new event, due at once. False when the provider sent it before.
pub fn insert(tx: &mut Tx<'_>, event: &ProviderEvent) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO provider_events (id, provider, event_id, type, api_version, created_at,
            received_at, payload, subject, customer_id, state, attempts, next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'received', 0, $7)
        ON CONFLICT (provider, event_id) DO NOTHING";
    let params = params![
        &event.id,
        &event.provider,
        &event.event_id,
        &event.kind,
        &event.api_version,
        event.created_at,
        event.received_at,
        &event.payload,
        &event.subject,
        &event.customer,
    ];
    Ok(tx.execute(SQL, &params)? == 1)
}

/// Claims events that are due, the longest due first. Two workers never get the same one.
pub fn claim_due(
    tx: &mut Tx<'_>,
    claim: Claim<'_>,
) -> Result<Vec<(ProviderEvent, Progress)>, StoreError> {
    const END_OVERDUE: &str = "
        WITH overdue AS MATERIALIZED (
            SELECT id AS overdue_id FROM provider_events
            WHERE state = 'received' AND lease_token IS NOT NULL AND lease_until <= $1
            ORDER BY lease_until LIMIT $2
            FOR UPDATE SKIP LOCKED)
        UPDATE provider_events SET lease_until = NULL, lease_token = NULL
        FROM overdue WHERE id = overdue_id";
    const CLAIM: &str = "
        WITH due AS MATERIALIZED (
            SELECT id AS due_id FROM provider_events
            WHERE state = 'received' AND lease_token IS NULL AND next_attempt_at <= $1
            ORDER BY next_attempt_at, id LIMIT $2
            FOR UPDATE SKIP LOCKED)
        UPDATE provider_events
        SET lease_until = $3, lease_token = $4, attempts = attempts + 1
        FROM due WHERE id = due_id
        RETURNING id, provider, event_id, type, api_version, created_at, received_at, payload,
            subject, customer_id, state, attempts, last_error, processed_at, next_attempt_at";
    let Claim { now, lease_until, token, limit } = claim;
    tx.execute(END_OVERDUE, &params![now, limit])?;
    let rows = tx.query(CLAIM, &params![now, limit, lease_until, token])?;
    let with_time = |row: &Row| Ok((row.time(14)?, read(row)?));
    let mut events: Vec<(Timestamp, (ProviderEvent, Progress))> =
        rows.iter().map(with_time).collect::<Result<_, StoreError>>()?;
    events.sort_by(|(a_at, (a, _)), (b_at, (b, _))| (a_at, &a.id).cmp(&(b_at, &b.id)));
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// The event was absorbed, or ignored; `customer` when it is known by now.
pub fn finish(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    ignored: bool,
    customer: Option<&CustomerId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE provider_events SET state = $3, customer_id = COALESCE($4, customer_id),
            processed_at = $5, next_attempt_at = NULL, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    let state = if ignored { EventState::Ignored } else { EventState::Done };
    let params = params![lease.id, lease.token, state, customer, now];
    held(tx.execute(SQL, &params)?, "provider_events", lease)
}

/// The attempt failed: the next is at `at`.
pub fn retry_at(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE provider_events SET next_attempt_at = $3, last_error = $4, lease_until = NULL,
            lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    let params = params![lease.id, lease.token, at, error];
    held(tx.execute(SQL, &params)?, "provider_events", lease)
}

/// The event cannot be worked on before `at`, for the reason given, which is not a failed attempt.
pub fn not_before(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    at: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE provider_events SET next_attempt_at = $3, last_error = $4,
            attempts = attempts - 1, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    let params = params![lease.id, lease.token, at, why];
    held(tx.execute(SQL, &params)?, "provider_events", lease)
}

/// The event is not ours or not understood. It has no effect until a person replays it.
pub fn quarantine(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    now: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    close(tx, lease, EventState::Quarantined, now, reason)
}

/// Working on the event failed too often. Raise an alert with it.
pub fn dead(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    now: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    close(tx, lease, EventState::Dead, now, error)
}

fn close(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    state: EventState,
    now: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE provider_events SET state = $3, processed_at = $4, last_error = $5,
            next_attempt_at = NULL, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    let params = params![lease.id, lease.token, state, now, reason];
    held(tx.execute(SQL, &params)?, "provider_events", lease)
}

/// Works on an event again, from now on. False when there is none of this id or it still waits.
pub fn replay(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE provider_events SET state = 'received', attempts = 0, next_attempt_at = $2,
            processed_at = NULL
        WHERE id = $1 AND state <> 'received'";
    Ok(tx.execute(SQL, &params![id, now])? == 1)
}

/// The event of our id `id`.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<(ProviderEvent, Progress)>, StoreError> {
    const SQL: &str = "
        SELECT id, provider, event_id, type, api_version, created_at, received_at, payload,
            subject, customer_id, state, attempts, last_error, processed_at
        FROM provider_events WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// Whether the provider's event `event_id` was stored.
pub fn is_known(tx: &mut Tx<'_>, provider: &str, event_id: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT id FROM provider_events WHERE provider = $1 AND event_id = $2";
    Ok(tx.query_opt(SQL, &params![provider, event_id])?.is_some())
}

/// The events, the newest first, older than our id `before` (`""`: from the newest on), in one
/// state or in all.
pub fn list(
    tx: &mut Tx<'_>,
    state: Option<EventState>,
    before: &str,
    limit: u32,
) -> Result<Vec<(ProviderEvent, Progress)>, StoreError> {
    const IN_ANY: &str = "
        SELECT id, provider, event_id, type, api_version, created_at, received_at, payload,
            subject, customer_id, state, attempts, last_error, processed_at
        FROM provider_events WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    const IN_ONE: &str = "
        SELECT id, provider, event_id, type, api_version, created_at, received_at, payload,
            subject, customer_id, state, attempts, last_error, processed_at
        FROM provider_events WHERE state = $3 AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    let rows = match state {
        None => tx.query(IN_ANY, &params![before, limit])?,
        Some(state) => tx.query(IN_ONE, &params![before, limit, state])?,
    };
    rows.iter().map(read).collect()
}

/// The event that a provider calls `event_id`.
pub fn find_by_event(
    tx: &mut Tx<'_>,
    provider: &str,
    event_id: &str,
) -> Result<Option<(ProviderEvent, Progress)>, StoreError> {
    const SQL: &str = "
        SELECT id, provider, event_id, type, api_version, created_at, received_at, payload,
            subject, customer_id, state, attempts, last_error, processed_at
        FROM provider_events WHERE provider = $1 AND event_id = $2";
    tx.query_opt(SQL, &params![provider, event_id])?.as_ref().map(read).transpose()
}

/// How many events there are in each state that has some.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<(EventState, i64)>, StoreError> {
    const SQL: &str = "SELECT state, COUNT(*) FROM provider_events GROUP BY state ORDER BY state";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.parse(0)?, row.int(1)?))).collect()
}

/// When the next event is due, or the next lease is over; `None` when none waits.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    const WAITING: &str = "
        SELECT MIN(next_attempt_at) FROM provider_events
        WHERE state = 'received' AND lease_token IS NULL";
    const LEASED: &str = "
        SELECT MIN(lease_until) FROM provider_events
        WHERE state = 'received' AND lease_token IS NOT NULL";
    let mut earliest = None;
    for sql in [WAITING, LEASED] {
        let row = tx.query_opt(sql, &[])?;
        let at = row.map(|row| row.opt_time(0)).transpose()?.flatten();
        earliest = earliest.into_iter().chain(at).min();
    }
    Ok(earliest)
}

fn read(row: &Row) -> Result<(ProviderEvent, Progress), StoreError> {
    let event = ProviderEvent {
        id: row.text(0)?,
        provider: row.text(1)?,
        event_id: row.text(2)?,
        kind: row.text(3)?,
        api_version: row.opt_text(4)?,
        created_at: row.time(5)?,
        received_at: row.time(6)?,
        payload: row.bytes(7)?,
        subject: row.opt_text(8)?,
        customer: row.opt_customer(9)?,
    };
    let progress = Progress {
        state: row.parse(10)?,
        attempts: row.int(11)?,
        last_error: row.opt_text(12)?,
        processed_at: row.opt_time(13)?,
    };
    Ok((event, progress))
}
