//! What people of the team write down about a customer. It goes when the customer goes.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;

/// A note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// `not_…`
    pub id: String,
    /// Who wrote it.
    pub actor: String,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Adds a note.
pub fn insert(tx: &mut Tx<'_>, customer: &CustomerId, note: &Note) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO customer_notes (customer_id, id, actor, text, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    let Note { id, actor, text, created_at } = note;
    tx.execute(SQL, &params![customer, id, actor, text, created_at]).map(drop)
}

/// A customer's notes, the newest first; the last hundred.
pub fn of_customer(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Note>, StoreError> {
    const SQL: &str = "
        SELECT id, actor, text, created_at FROM customer_notes WHERE customer_id = $1
        ORDER BY created_at DESC, id DESC LIMIT 100";
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// Removes all notes about a customer.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM customer_notes WHERE customer_id = $1", &params![customer]).map(drop)
}

fn read(row: &Row) -> Result<Note, StoreError> {
    let (id, actor, text) = (row.text(0)?, row.text(1)?, row.text(2)?);
    Ok(Note { id, actor, text, created_at: row.time(3)? })
}
