//! Mails that are owed: written with the change that causes them, sent later by one worker at a
//! time.
//!
//! A mail waits (`queued`, or `failed` once a try was in vain) until it is closed: `sent`, `dead`
//! (a person must look) or `suppressed` (not sent on purpose; the reason says why). One fact is one
//! mail: its business key is unique per customer, for good.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::lease::{Claim, Lease, held};
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// Where a mail stands.
    MailState {
        /// It waits for its first try.
        Queued = "queued",
        /// A try was in vain; there will be another one.
        Failed = "failed",
        /// The mail server took it.
        Sent = "sent",
        /// It will not be tried again: a person must look.
        Dead = "dead",
        /// It is not sent, on purpose.
        Suppressed = "suppressed",
    }
}

/// A mail to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMail {
    /// `mail_…`
    pub id: String,
    /// Whose; `None` for operators.
    pub customer: Option<CustomerId>,
    /// Which sort of mail.
    pub kind: String,
    /// Which fact it tells.
    pub business_key: String,
    /// What it is about, such as a subscription's id.
    pub subject: String,
    /// The address.
    pub recipient: String,
    /// What it says, as JSON.
    pub data: String,
    /// Not before this instant.
    pub due_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// A mail as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// `mail_…`
    pub id: String,
    /// Whose; `None` for operators.
    pub customer: Option<CustomerId>,
    /// Which sort of mail.
    pub kind: String,
    /// Which fact it tells.
    pub business_key: String,
    /// What it is about, such as a subscription's id.
    pub subject: String,
    /// The address it goes or went to.
    pub recipient: String,
    /// What it says, as JSON.
    pub data: String,
    /// Where it stands.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before this instant.
    pub due_at: Timestamp,
    /// Why it failed last, or why it is not sent.
    pub reason: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was sent, given up or suppressed.
    pub closed_at: Option<Timestamp>,
}

/// No address and nothing that it says: logs hold neither.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({} {} {:?})", self.id, self.kind, self.state)
    }
}

/// The same.
impl std::fmt::Debug for NewMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewMail({} {})", self.id, self.kind)
    }
}

/// Leaves a mail. False when there is one of the same fact already, whatever became of it.
pub fn insert(tx: &mut Tx<'_>, mail: &NewMail) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO mails (customer_id, id, kind, business_key, subject_id, recipient, data, state,
            attempts, due_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, $9)
        ON CONFLICT (customer_id, business_key) DO NOTHING";
    let m = mail;
    let customer = m.customer.as_ref().map_or("", CustomerId::as_str);
    let params = params![
        customer,
        &m.id,
        &m.kind,
        &m.business_key,
        &m.subject,
        &m.recipient,
        &m.data,
        m.due_at,
        m.created_at
    ];
    Ok(tx.execute(SQL, &params)? == 1)
}

/// Whether a mail is due at `now` that nobody is sending: asked often, so it takes no lock.
pub fn is_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT id FROM mails
        WHERE state IN ('queued', 'failed') AND due_at <= $1
          AND (lease_until IS NULL OR lease_until <= $1)
        LIMIT 1";
    Ok(tx.query_opt(SQL, &params![now])?.is_some())
}

/// Claims mails that are due, the longest due first, also those whose lease is over. Two workers
/// never get the same one while its lease runs.
pub fn claim_due(tx: &mut Tx<'_>, claim: Claim<'_>) -> Result<Vec<Mail>, StoreError> {
    const SQL: &str = "
        WITH due AS MATERIALIZED (
            SELECT id AS due_id FROM mails
            WHERE state IN ('queued', 'failed') AND due_at <= $1
              AND (lease_until IS NULL OR lease_until <= $1)
            ORDER BY due_at, id LIMIT $2
            FOR UPDATE SKIP LOCKED)
        UPDATE mails SET lease_until = $3, lease_token = $4, attempts = attempts + 1
        FROM due WHERE id = due_id
        RETURNING customer_id, id, kind, business_key, subject_id, recipient, data, state, attempts,
            due_at, reason, created_at, closed_at";
    let Claim { now, lease_until, token, limit } = claim;
    let rows = tx.query(SQL, &params![now, limit, lease_until, token])?;
    let mut mails: Vec<Mail> = rows.iter().map(read).collect::<Result<_, _>>()?;
    mails.sort_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
    Ok(mails)
}

/// The mail was taken by the server, for `recipient`, saying `data`.
pub fn sent(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    (recipient, data): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE mails SET state = 'sent', closed_at = $3, recipient = $4, data = $5, reason = NULL,
            lease_until = NULL, lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, now, recipient, data])?, "mails", lease)
}

/// The try was in vain: the next is at `at`.
pub fn retry(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    at: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE mails SET state = 'failed', due_at = $3, reason = $4, lease_until = NULL,
            lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, at, reason])?, "mails", lease)
}

/// The mail is given up; a person must look. Raise an alert with it.
pub fn dead(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    now: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    close(tx, lease, MailState::Dead, (now, reason))
}

/// The mail is not sent, on purpose.
pub fn suppress(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    now: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    close(tx, lease, MailState::Suppressed, (now, reason))
}

fn close(
    tx: &mut Tx<'_>,
    lease: Lease<'_>,
    state: MailState,
    (now, reason): (Timestamp, &str),
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE mails SET state = $3, closed_at = $4, reason = $5, lease_until = NULL,
            lease_token = NULL
        WHERE id = $1 AND lease_token = $2";
    held(tx.execute(SQL, &params![lease.id, lease.token, state, now, reason])?, "mails", lease)
}

/// Sends a dead or suppressed mail after all, from now on. False when there is none such.
pub fn revive(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE mails SET state = 'queued', closed_at = NULL, reason = NULL, attempts = 0, due_at = $2
        WHERE id = $1 AND state IN ('dead', 'suppressed')";
    Ok(tx.execute(SQL, &params![id, now])? == 1)
}

/// When the next mail is due; `None` when none waits.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT MIN(due_at) FROM mails WHERE state IN ('queued', 'failed')";
    Ok(tx.query_opt(SQL, &[])?.map(|row| row.opt_time(0)).transpose()?.flatten())
}

/// The mail of a fact.
pub fn find_by_key(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    business_key: &str,
) -> Result<Option<Mail>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, id, kind, business_key, subject_id, recipient, data, state, attempts,
            due_at, reason, created_at, closed_at
        FROM mails WHERE customer_id = $1 AND business_key = $2";
    tx.query_opt(SQL, &params![customer, business_key])?.as_ref().map(read).transpose()
}

/// The mail of this id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Mail>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, id, kind, business_key, subject_id, recipient, data, state, attempts,
            due_at, reason, created_at, closed_at
        FROM mails WHERE id = $1";
    tx.query_opt(SQL, &params![id])?.as_ref().map(read).transpose()
}

/// Up to `limit` mails, of one customer or of everybody and operators, the newest first, before
/// the id `before` (`""`: from the newest).
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    before: &str,
    limit: u32,
) -> Result<Vec<Mail>, StoreError> {
    const OF_ALL: &str = "
        SELECT customer_id, id, kind, business_key, subject_id, recipient, data, state, attempts,
            due_at, reason, created_at, closed_at
        FROM mails WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    const OF_ONE: &str = "
        SELECT customer_id, id, kind, business_key, subject_id, recipient, data, state, attempts,
            due_at, reason, created_at, closed_at
        FROM mails WHERE customer_id = $3 AND ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2";
    let rows = match customer {
        None => tx.query(OF_ALL, &params![before, limit])?,
        Some(customer) => tx.query(OF_ONE, &params![before, limit, customer])?,
    };
    rows.iter().map(read).collect()
}

/// How many mails there are in each state that has some.
pub fn counts(tx: &mut Tx<'_>) -> Result<Vec<(MailState, i64)>, StoreError> {
    const SQL: &str = "SELECT state, COUNT(*) FROM mails GROUP BY state ORDER BY state";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.parse(0)?, row.int(1)?))).collect()
}

/// Forgets every mail of a customer who is erased; those that wait are never sent.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM mails WHERE customer_id = $1", &params![customer]).map(drop)
}

fn read(row: &Row) -> Result<Mail, StoreError> {
    Ok(Mail {
        customer: row.opt_customer(0)?,
        id: row.text(1)?,
        kind: row.text(2)?,
        business_key: row.text(3)?,
        subject: row.text(4)?,
        recipient: row.text(5)?,
        data: row.text(6)?,
        state: row.parse(7)?,
        attempts: row.int(8)?,
        due_at: row.time(9)?,
        reason: row.opt_text(10)?,
        created_at: row.time(11)?,
        closed_at: row.opt_time(12)?,
    })
}
