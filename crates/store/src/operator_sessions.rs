//! Who is signed in where. Only the hash of the cookie is stored.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// How far somebody has come with signing in.
    Stage {
        /// The password was right; the second factor is asked for.
        Password = "password",
        /// The password was right; there is no second factor yet, and one has to be set up.
        Enrolling = "enrolling",
        /// Signed in.
        Full = "full",
    }
}

/// A session as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// `ses_…`: its public name.
    pub id: String,
    /// Who is signed in.
    pub operator: String,
    /// How far.
    pub stage: Stage,
    /// What the browser calls itself.
    pub agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When something was last asked for with it, to the minute.
    pub seen_at: Timestamp,
    /// When the password or the second factor was last shown.
    pub confirmed_at: Timestamp,
    /// When it was ended before its time.
    pub ended_at: Option<Timestamp>,
}

/// Stores a session under the SHA-256 of its cookie.
pub fn insert(tx: &mut Tx<'_>, session: &Session, hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO operator_sessions (id, hash, operator_id, stage, agent, created_at, seen_at,
            confirmed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let Session { id, operator, stage, agent, created_at, seen_at, confirmed_at, .. } = session;
    let params = params![id, hash, operator, *stage, agent, created_at, seen_at, confirmed_at];
    tx.execute(SQL, &params).map(drop)
}

/// The session whose cookie has this SHA-256, unless it was ended.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "
        SELECT id, operator_id, stage, agent, created_at, seen_at, confirmed_at, ended_at
        FROM operator_sessions WHERE hash = $1 AND ended_at IS NULL";
    tx.query_opt(SQL, &params![hash])?.as_ref().map(read).transpose()
}

/// Whose session it is or was, whatever became of it.
pub fn whose(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT operator_id FROM operator_sessions WHERE hash = $1";
    tx.query_opt(SQL, &params![hash])?.map(|row| row.text(0)).transpose()
}

/// Writes that the session was used.
pub fn seen(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE operator_sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
    tx.execute(SQL, &params![id, now]).map(drop)
}

/// Writes that the password or the second factor was shown again.
pub fn confirmed(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE operator_sessions SET confirmed_at = $2 WHERE id = $1";
    tx.execute(SQL, &params![id, now]).map(drop)
}

/// Ends one session of an operator. False when there is none such that runs.
pub fn end(tx: &mut Tx<'_>, operator: &str, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE operator_sessions SET ended_at = $3
        WHERE operator_id = $1 AND id = $2 AND ended_at IS NULL";
    Ok(tx.execute(SQL, &params![operator, id, now])? == 1)
}

/// Ends all sessions of an operator, except the one of this id (`""`: all).
pub fn end_all(
    tx: &mut Tx<'_>,
    operator: &str,
    except: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "
        UPDATE operator_sessions SET ended_at = $3
        WHERE operator_id = $1 AND id <> $2 AND ended_at IS NULL";
    tx.execute(SQL, &params![operator, except, now])
}

/// The sessions of an operator that were not ended, the newest first. Some may be over by time.
pub fn of_operator(tx: &mut Tx<'_>, operator: &str) -> Result<Vec<Session>, StoreError> {
    const SQL: &str = "
        SELECT id, operator_id, stage, agent, created_at, seen_at, confirmed_at, ended_at
        FROM operator_sessions WHERE operator_id = $1 AND ended_at IS NULL
        ORDER BY created_at DESC, id DESC LIMIT 100";
    tx.query(SQL, &params![operator])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.text(0)?,
        operator: row.text(1)?,
        stage: row.parse(2)?,
        agent: row.text(3)?,
        created_at: row.time(4)?,
        seen_at: row.time(5)?,
        confirmed_at: row.time(6)?,
        ended_at: row.opt_time(7)?,
    })
}
