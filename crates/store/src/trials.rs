//! Who had a trial: one for good per customer, card, e-mail address and device.

use farthing_core::catalog::TrialClaim;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{StoreError, Tx, params};

/// What a trial is counted by, hashed so that it survives the customer's erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is counted.
    pub kind: TrialClaim,
    /// The hash of its value.
    pub value_hash: String,
}

/// Takes a claim for a checkout; `false` when another checkout has it.
pub fn claim(
    tx: &mut Tx<'_>,
    claim: &Claim,
    (customer, checkout): (&CustomerId, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO trial_claims (kind, value_hash, customer_id, checkout_id, claimed_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    let kind = word(claim.kind);
    if tx.execute(SQL, &params![kind, &claim.value_hash, customer, checkout, now])? == 1 {
        return Ok(true);
    }
    Ok(holder(tx, claim)?.as_deref() == Some(checkout))
}

/// Our id of the checkout that has a claim.
pub fn holder(tx: &mut Tx<'_>, claim: &Claim) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT checkout_id FROM trial_claims WHERE kind = $1 AND value_hash = $2";
    let row = tx.query_opt(SQL, &params![word(claim.kind), &claim.value_hash])?;
    row.map(|row| row.text(0)).transpose()
}

/// Gives back the claims of a checkout that never became a trial.
pub fn release(tx: &mut Tx<'_>, checkout: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM trial_claims WHERE checkout_id = $1", &params![checkout])?;
    Ok(())
}

fn word(kind: TrialClaim) -> &'static str {
    match kind {
        TrialClaim::Customer => "customer",
        TrialClaim::Card => "card",
        TrialClaim::Email => "email",
        TrialClaim::Device => "device",
    }
}
