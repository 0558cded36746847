//! Work to do later: enqueued in the transaction that needs it, claimed with a lease, safe to run
//! twice.
//!
//! A job is pending until it is done or dead. While it is pending its `dedup_key` is taken. Who
//! asks for the same again while it waits gets nothing, or an earlier time; who asks while it
//! *runs* makes it run once more afterwards, since it may have read too early.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::lease::{Claim, Lease, held};
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// Where a job stands.
    JobState {
        /// It waits, or a worker has it.
        Pending = "pending",
        /// It was run.
        Done = "done",
        /// It will not be run again: a person must look.
        Dead = "dead",
    }
}

/// A job to enqueue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewJob {
    /// `job_…`
    pub id: String,
    /// Which work.
    pub kind: String,
    /// Whose work, where that is known.
    pub customer: Option<CustomerId>,
    /// JSON: ids, never data.
    pub payload: String,
    /// Jobs with the same key are the same job while one is pending.
    pub dedup_key: Option<String>,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// A job as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// `job_…`
    pub id: String,
    /// Which work.
    pub kind: String,
    /// Whose work, where that is known.
    pub customer: Option<CustomerId>,
    /// JSON.
    pub payload: String,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    /// Where it stands.
    pub state: JobState,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

/// Enqueues a job. False when it is the same as one that is pending; see above for what that one
/// gets.
pub fn enqueue(tx: &mut Tx<'_>, job: &NewJob) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO jobs (id, kind, customer_id, payload, dedup_key, run_at, attempts, state,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 'pending', $7)
        ON CONFLICT (dedup_key) WHERE state = 'pending' DO UPDATE SET
            run_at = CASE WHEN jobs.lease_token IS NULL AND excluded.run_at < jobs.run_at
                THEN excluded.run_at ELSE jobs.run_at END,
            rerun_at = CASE WHEN jobs.lease_token IS NOT NULL
                    AND (jobs.rerun_at IS NULL OR excluded.run_at < jobs.rerun_at)
                THEN excluded.run_at ELSE jobs.rerun_at END
        RETURNING id";
    let NewJob { id, kind, customer, payload, dedup_key, run_at, created_at } = job;
    let params = params![id, kind, customer, payload, dedup_key, run_at, created_at];
    let row = tx.query_opt(SQL, &params)?;
    Ok(row.map(|row| row.text(0)).transpose()?.as_ref() == Some(id))
}

/// Claims jobs that are due, the longest due first. Two workers never get the same one.
pub fn claim_due(tx: &mut Tx<'_>, claim: Claim<'_>) -> Result<Vec<Job>, StoreError> {
    const END_OVERDUE: &str = "
        WITH overdue AS MATERIALIZED (
            SELECT id AS overdue_id FROM jobs
            WHERE state = 'pending' AND lease_token IS NOT NULL AND lease_until <= $1
            ORDER BY lease_until LIMIT $2
            FOR UPDATE SKIP LOCKED)
        UPDATE jobs SET lease_until = NULL, lease_token = NULL
        FROM overdue WHERE id = overdue_id";
    const CLAIM: &str = "
        WITH due AS MATERIALIZED (
            SELECT id AS due_id FROM jobs
            WHERE state = 'pending' AND lease_token IS NULL AND run_at <= $1
            ORDER BY run_at, id LIMIT $2
            FOR UPDATE SKIP LOCKED)
        UPDATE jobs SET lease_until = $3, lease_token = $4, attempts = attempts + 1
        FROM due WHERE id = due_id
        RETURNING id, kind, customer_id, payload, run_at, attempts, state, last_error, created_at";
    let Claim { now, lease_until, token, limit } = claim;
    tx.execute(END_OVERDUE, &params![now, limit])?;
    let rows = tx.query(CLAIM, &params![now, limit, lease_until, token])?;
    let mut jobs: Vec<Job> = rows.iter().map(read).collect::<Result<_, _>>()?;
    jobs.sort_by(|a, b| (a.run_at, &a.id).cmp(&(b.run_at, &b.id)));
    Ok(jobs)
}

/// The job was done, unless it was asked for again in the meantime: then it waits again.
pub fn finish(tx: &mut Tx<'_>, lease: Lease<'_>, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE jobs SET
            state = CASE WHEN rerun_at IS NULL THEN 'done' ELSE 'pending' END,
            finished_at = CASE WHEN rerun_at IS NULL THEN $3 ELSE finished_at END,
            run_at = COALESCE(rerun_at, run_at),
            attempts = CASE WHEN rerun_at IS NULL THEN attempts ELSE 0 END,
            rerun_at = NULL, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, now])?, "jobs", lease)
}

/// The attempt failed: the next is at `at`.
pub fn retry(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE jobs SET
            run_at = CASE WHEN rerun_at < $3 THEN rerun_at ELSE $3 END,
            rerun_at = CASE WHEN rerun_at <= $3 THEN NULL ELSE rerun_at END,
            last_error = $4, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, at, error])?, "jobs", lease)
}

/// The job cannot be done before `at`, for the reason given, which is not a failed attempt.
pub fn not_before(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    at: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE jobs SET
            run_at = CASE WHEN rerun_at < $3 THEN rerun_at ELSE $3 END,
            rerun_at = CASE WHEN rerun_at <= $3 THEN NULL ELSE rerun_at END,
            attempts = attempts - 1, last_error = $4, lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, at, why])?, "jobs", lease)
}

/// The job will not be run again; a person must look. Raise an alert with it.
pub fn dead(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    now: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE jobs SET state = 'dead', finished_at = $3, last_error = $4, rerun_at = NULL,
            lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, now, error])?, "jobs", lease)
}

/// Whether a job of that kind with exactly that payload waits or runs.
pub fn is_pending(tx: &mut Tx<'_>, kind: &str, payload: &str) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT id FROM jobs WHERE state = 'pending' AND kind = $1 AND payload = $2 LIMIT 1";
    Ok(tx.query_opt(SQL, &params![kind, payload])?.is_some())
}

/// When the next job is due, or the next lease is over; `None` when none is pending.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    const WAITING: &str =
        "SELECT MIN(run_at) FROM jobs WHERE state = 'pending' AND lease_token IS NULL";
    const LEASED: &str =
        "SELECT MIN(lease_until) FROM jobs WHERE state = 'pending' AND lease_token IS NOT NULL";
    let mut earliest = None;
    for sql in [WAITING, LEASED] {
        let row = tx.query_opt(sql, &[])?;
        let at = row.map(|row| row.opt_time(0)).transpose()?.flatten();
        earliest = earliest.into_iter().chain(at).min();
    }
    Ok(earliest)
}

/// The job of this id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Job>, StoreError> {
    const SQL: &str = "
        SELECT id, kind, customer_id, payload, run_at, attempts, state, last_error, created_at
        FROM jobs WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// The jobs in `state` after the id `after` (`""` for the first).
pub fn list(
    tx: &mut Tx<'_>,
    state: JobState,
    after: &str,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    const SQL: &str = "
        SELECT id, kind, customer_id, payload, run_at, attempts, state, last_error, created_at
        FROM jobs WHERE state = $1 AND $2 < id ORDER BY id LIMIT $3";
    tx.query(SQL, &params![state, after, limit])?.iter().map(read).collect()
}

/// How many jobs there are in each state that has some.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<(JobState, i64)>, StoreError> {
    const SQL: &str = "SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.parse(0)?, row.int(1)?))).collect()
}

fn read(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.text(0)?,
        kind: row.text(1)?,
        customer: row.opt_customer(2)?,
        payload: row.text(3)?,
        run_at: row.time(4)?,
        attempts: row.int(5)?,
        state: row.parse(6)?,
        last_error: row.opt_text(7)?,
        created_at: row.time(8)?,
    })
}
