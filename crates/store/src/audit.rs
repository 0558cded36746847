//! Who changed what, and why: one chain of rows per customer, each with the hash of the one
//! before, so that a change or a gap is found.
//!
//! The chain of `None` is the system's. Nothing personal belongs here: ids and words only.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;

/// What to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAudit {
    /// Whose chain; `None` for the system's.
    pub customer: Option<CustomerId>,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What triggered it: the id of an API request, a provider event or a job.
    pub cause: String,
    /// The id of what was changed.
    pub entity: String,
    /// JSON; `None` when it was not there.
    pub from_state: Option<String>,
    /// JSON; `None` when it is gone.
    pub to_state: Option<String>,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// Now.
    pub recorded_at: Timestamp,
}

/// A row of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    /// Its place in the chain: 1, 2, 3, …
    pub seq: i64,
    /// What was recorded.
    pub record: NewAudit,
    /// The hash of the row before; zeros for the first.
    pub prev_hash: Vec<u8>,
    /// SHA-256 over all the above.
    pub hash: Vec<u8>,
}

/// What is wrong with a chain, at the first place where something is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The place.
    pub seq: i64,
    /// What is wrong there.
    pub problem: &'static str,
}

/// How many rows [`verify`] holds in memory.
const PAGE: u32 = 500;

/// Appends to a customer's chain and answers the row's place in it. Until the transaction ends
/// nobody else can append to the same chain.
pub fn append(tx: &mut Tx<'_>, record: &NewAudit) -> Result<i64, StoreError> {
    const FIRST: &str = "
        INSERT INTO audit_heads (customer_id, seq, hash) VALUES ($1, 0, $2)
        ON CONFLICT (customer_id) DO NOTHING";
    const INSERT: &str = "
        INSERT INTO audit (customer_id, seq, actor, action, cause, entity, from_state, to_state,
            effective_at, recorded_at, prev_hash, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    const MOVE: &str = "UPDATE audit_heads SET seq = $2, hash = $3 WHERE customer_id = $1";
    let customer = chain_name(record.customer.as_ref());
    let mut last = lock_head(tx, customer)?;
    if last.is_none() {
        tx.execute(FIRST, &params![customer, [0; 32]])?;
        last = lock_head(tx, customer)?;
    }
    let (seq, prev_hash) = last.ok_or_else(|| tx.contended())?;
    let seq = seq + 1;
    let hash = hash_of(seq, record, &prev_hash);
    let NewAudit { actor, action, cause, entity, from_state, to_state, .. } = record;
    let (effective_at, recorded_at) = (record.effective_at, record.recorded_at);
    let params = params![
        customer,
        seq,
        actor,
        action,
        cause,
        entity,
        from_state,
        to_state,
        effective_at,
        recorded_at,
        prev_hash,
        hash,
    ];
    tx.execute(INSERT, &params)?;
    tx.execute(MOVE, &params![customer, seq, hash])?;
    Ok(seq)
}

/// A chain from its end: the rows before the place `before` (`i64::MAX` for all), newest first.
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    before: i64,
    limit: u32,
) -> Result<Vec<Audit>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, seq, actor, action, cause, entity, from_state, to_state,
            effective_at, recorded_at, prev_hash, hash
        FROM audit WHERE customer_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
    let rows = tx.query(SQL, &params![chain_name(customer), before, limit])?;
    rows.iter().map(read).collect()
}

/// Recomputes a whole chain. `None` when every row is the one that was written, in its place,
/// and the last one is where the chain ends.
pub fn verify(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
) -> Result<Option<Broken>, StoreError> {
    const PAGE_OF: &str = "
        SELECT customer_id, seq, actor, action, cause, entity, from_state, to_state,
            effective_at, recorded_at, prev_hash, hash
        FROM audit WHERE customer_id = $1 AND $2 < seq ORDER BY seq LIMIT $3";
    const HEAD: &str = "SELECT customer_id, seq, hash FROM audit_heads WHERE customer_id = $1";
    let name = chain_name(customer);
    let (mut seq, mut hash) = (0, vec![0; 32]);
    loop {
        let rows = tx.query(PAGE_OF, &params![name, seq, PAGE])?;
        for row in &rows {
            let row = read(row)?;
            seq += 1;
            let problem = if row.seq != seq {
                "the row is missing"
            } else if row.prev_hash != hash {
                "the row before is not the one that was written"
            } else if row.hash != hash_of(seq, &row.record, &hash) {
                "the row was changed"
            } else {
                hash = row.hash;
                continue;
            };
            return Ok(Some(Broken { seq, problem }));
        }
        if rows.is_empty() {
            break;
        }
    }
    let head = tx.query_opt(HEAD, &params![name])?;
    let head = head.map(|row| Ok::<_, StoreError>((row.int(1)?, row.bytes(2)?))).transpose()?;
    let ends_well = head.map_or(seq == 0, |head| head == (seq, hash));
    let problem = "the chain does not end where it was left";
    Ok(if ends_well { None } else { Some(Broken { seq: seq + 1, problem }) })
}

/// Whose chains there are, by name, for checking all of them: after the name `after`, or from
/// the first (the system's, `None`, if it has one).
pub fn chains(
    tx: &mut Tx<'_>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Option<CustomerId>>, StoreError> {
    const FIRST: &str = "SELECT customer_id FROM audit_heads ORDER BY customer_id LIMIT $1";
    const NEXT: &str = "
        SELECT customer_id FROM audit_heads WHERE $2 < customer_id ORDER BY customer_id LIMIT $1";
    let rows = match after {
        None => tx.query(FIRST, &params![limit])?,
        Some(after) => tx.query(NEXT, &params![limit, after])?,
    };
    rows.iter().map(|row| row.opt_customer(0)).collect()
}

fn chain_name(customer: Option<&CustomerId>) -> &str {
    customer.map_or("", CustomerId::as_str)
}

fn lock_head(tx: &mut Tx<'_>, customer: &str) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, seq, hash FROM audit_heads WHERE customer_id = $1 FOR UPDATE";
    let row = tx.query_opt(SQL, &params![customer])?;
    row.map(|row| Ok((row.int(1)?, row.bytes(2)?))).transpose()
}

/// Every field with its length before it, so that no two rows have the same text.
fn hash_of(seq: i64, record: &NewAudit, prev_hash: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    let mut add = |field: Option<&[u8]>| match field {
        None => sha.update([0]),
        Some(bytes) => {
            sha.update([1]);
            sha.update((bytes.len() as u64).to_be_bytes());
            sha.update(bytes);
        }
    };
    add(Some(b"farthing audit 1"));
    add(Some(chain_name(record.customer.as_ref()).as_bytes()));
    add(Some(&seq.to_be_bytes()));
    for text in [&record.actor, &record.action, &record.cause, &record.entity] {
        add(Some(text.as_bytes()));
    }
    for state in [&record.from_state, &record.to_state] {
        add(state.as_ref().map(String::as_bytes));
    }
    for at in [record.effective_at, record.recorded_at] {
        add(Some(&at.micros().to_be_bytes()));
    }
    add(Some(prev_hash));
    sha.finalize().into()
}

fn read(row: &Row) -> Result<Audit, StoreError> {
    let record = NewAudit {
        customer: row.opt_customer(0)?,
        actor: row.text(2)?,
        action: row.text(3)?,
        cause: row.text(4)?,
        entity: row.text(5)?,
        from_state: row.opt_text(6)?,
        to_state: row.opt_text(7)?,
        effective_at: row.time(8)?,
        recorded_at: row.time(9)?,
    };
    Ok(Audit { seq: row.int(1)?, record, prev_hash: row.bytes(10)?, hash: row.bytes(11)? })
}
