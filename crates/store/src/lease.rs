//! Work that one worker at a time may do: who has it, and until when.

use crate::error::StoreError;

/// A claim on one row: its id, and the token under which it was claimed.
///
/// The token is new for every claim. Once the lease is over someone else may claim the row, and
/// then nothing can be written with the old token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease<'a> {
    /// The row's id.
    pub id: &'a str,
    /// What [`Claim::token`] was.
    pub token: &'a str,
}

/// What a worker asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim<'a> {
    /// Rows that are due at this instant, or before.
    pub now: farthing_core::time::Timestamp,
    /// From this instant on others may claim the same rows.
    pub lease_until: farthing_core::time::Timestamp,
    /// A text that is used for this claim only.
    pub token: &'a str,
    /// How many rows at most.
    pub limit: u32,
}

/// Turns the number of rows that were changed under a lease into its answer.
pub(crate) fn held(changed: u64, table: &'static str, lease: Lease<'_>) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::LeaseLost { table, id: lease.id.to_owned() })
}
