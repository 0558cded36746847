//! Payments of subscriptions that failed, and what is done about them. One is open at a time.

use farthing_core::decline::Path;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A failed payment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Whose.
    pub customer: CustomerId,
    /// `dun_…`
    pub id: String,
    /// Our id of the subscription.
    pub subscription: String,
    /// The provider's id of the invoice, once it was looked at.
    pub invoice: Option<String>,
    /// When we learned of the failure.
    pub started_at: Timestamp,
    /// Whether people and apps were told.
    pub announced: bool,
    /// How many tries were ours.
    pub attempts: i64,
    /// When it is tried next, by us or by the provider.
    pub next_retry_at: Option<Timestamp>,
    /// When our last try began.
    pub tried_at: Option<Timestamp>,
    /// The way out.
    pub path: Path,
    /// Why the last try failed, in the provider's word.
    pub decline_code: Option<String>,
    /// The provider's id of what pays; `""`: nothing. `None`: not looked at.
    pub method: Option<String>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was paid.
    Recovered,
    /// It was given up.
    Exhausted,
    /// The subscription ended for another reason.
    Ended,
}

/// Opens a case; `false` when the subscription has one.
pub fn open(tx: &mut Tx<'_>, case: &Case) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO dunning_cases (customer_id, case_id, subscription_id, started_at, path)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    let path = case.path.as_str();
    let values = params![&case.customer, &case.id, &case.subscription, case.started_at, path];
    Ok(tx.execute(SQL, &values)? == 1)
}

/// The open case of a subscription. Lock the customer before changing it.
pub fn open_of(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
) -> Result<Option<Case>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, case_id, subscription_id, invoice, started_at, announced, attempts,
               next_retry_at, tried_at, path, decline_code, method
        FROM dunning_cases
        WHERE customer_id = $1 AND subscription_id = $2 AND closed_at IS NULL";
    tx.query_opt(SQL, &params![customer, subscription])?.as_ref().map(read).transpose()
}

/// Every open case, or those of one customer, the oldest first.
pub fn list_open(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, case_id, subscription_id, invoice, started_at, announced, attempts,
               next_retry_at, tried_at, path, decline_code, method
        FROM dunning_cases
        WHERE closed_at IS NULL AND ($1 = '' OR customer_id = $1)
        ORDER BY started_at, case_id LIMIT $2";
    let customer = customer.map_or("", CustomerId::as_str);
    tx.query(SQL, &params![customer, limit])?.iter().map(read).collect()
}

/// Writes what is known of an open case.
pub fn save(tx: &mut Tx<'_>, case: &Case) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE dunning_cases
        SET invoice = $3, announced = $4, attempts = $5, next_retry_at = $6, tried_at = $7,
            path = $8, decline_code = $9, method = $10
        WHERE customer_id = $1 AND case_id = $2 AND closed_at IS NULL";
    let values = params![
        &case.customer,
        &case.id,
        case.invoice.clone(),
        case.announced,
        case.attempts,
        case.next_retry_at,
        case.tried_at,
        case.path.as_str(),
        case.decline_code.clone(),
        case.method.clone()
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "dunning_cases", id: case.id.clone() }),
    }
}

/// Closes the open case of a subscription, if it has one.
pub fn close(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
    (outcome, now): (Outcome, Timestamp),
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE dunning_cases
        SET closed_at = $3, outcome = $4, recovered_by = $5, next_retry_at = NULL
        WHERE customer_id = $1 AND subscription_id = $2 AND closed_at IS NULL";
    let (word, by) = match outcome {
        Outcome::Recovered => ("recovered", Some("customer")),
        Outcome::Exhausted => ("exhausted", None),
        Outcome::Ended => ("ended", None),
    };
    tx.execute(SQL, &params![customer, subscription, now, word, by])?;
    Ok(())
}

/// Says what brought the money of a case that was recovered.
pub fn recovered_by(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    case: &str,
    by: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE dunning_cases SET recovered_by = $3
        WHERE customer_id = $1 AND case_id = $2 AND outcome = 'recovered'";
    tx.execute(SQL, &params![customer, case, by])?;
    Ok(())
}

fn read(row: &Row) -> Result<Case, StoreError> {
    let word = row.text(9)?;
    let path = Path::ALL.into_iter().find(|path| path.as_str() == word);
    Ok(Case {
        customer: row.customer(0)?,
        id: row.text(1)?,
        subscription: row.text(2)?,
        invoice: row.opt_text(3)?,
        started_at: row.time(4)?,
        announced: row.bool(5)?,
        attempts: row.int(6)?,
        next_retry_at: row.opt_time(7)?,
        tried_at: row.opt_time(8)?,
        path: path.ok_or_else(|| row.bad(9, "is not a word that is known here"))?,
        decline_code: row.opt_text(10)?,
        method: row.opt_text(11)?,
    })
}
