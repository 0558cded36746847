//! The app's customers, and which of the provider's customers they are.

use farthing_core::ids::CustomerId;
use farthing_core::money::Currency;
use farthing_core::subscription::Standing;
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A customer as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The app's id.
    pub id: CustomerId,
    /// As the app gave it.
    pub email: String,
    /// The address in the form that trials are counted by.
    pub canonical_email: String,
    /// As the app gave it.
    pub name: Option<String>,
    /// What the customer pays in, once that is decided.
    pub currency: Option<Currency>,
    /// As the app gave it.
    pub device_fingerprint: Option<String>,
    /// A JSON object, as the app gave it.
    pub metadata: String,
    /// The key of the plan in force.
    pub plan: String,
    /// Whether that plan is on trial.
    pub on_trial: bool,
    /// Whether payments are in order.
    pub standing: Standing,
    /// What monthly windows are counted from.
    pub anchor: Timestamp,
    /// Grows by one with each change of state.
    pub revision: i64,
    /// When the customer was made.
    pub created_at: Timestamp,
    /// When the customer was last changed.
    pub updated_at: Timestamp,
}

const COLUMNS_FIND: &str = "
    SELECT customer_id, email, canonical_email, name, currency, device_fingerprint, metadata, plan,
           on_trial, standing, standing_since, anchor, revision, created_at, updated_at
    FROM customers WHERE customer_id = $1";

/// `None` when there is no such customer.
pub fn find(tx: &mut Tx<'_>, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
    tx.query_opt(COLUMNS_FIND, &params![id])?.map(|row| read(&row)).transpose()
}

/// The customer, locked until the transaction ends: changes of one customer's state queue here.
pub fn lock(tx: &mut Tx<'_>, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, email, canonical_email, name, currency, device_fingerprint, metadata,
               plan, on_trial, standing, standing_since, anchor, revision, created_at, updated_at
        FROM customers WHERE customer_id = $1 FOR UPDATE";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// Up to `limit` customers after `after`, in the order of their ids. `search` is matched anywhere
/// in the id, the e-mail address and the name, whatever the case of its letters from A to Z.
pub fn list(
    tx: &mut Tx<'_>,
    search: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Customer>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, email, canonical_email, name, currency, device_fingerprint, metadata,
               plan, on_trial, standing, standing_since, anchor, revision, created_at, updated_at
        FROM customers
        WHERE customer_id > $1
          AND (LOWER(customer_id) LIKE $2 ESCAPE '!' OR LOWER(email) LIKE $2 ESCAPE '!'
               OR LOWER(name) LIKE $2 ESCAPE '!')
        ORDER BY customer_id LIMIT $3";
    let rows = tx.query(SQL, &params![after, pattern(search), limit])?;
    rows.iter().map(read).collect()
}

/// As [`list`], of those only that have the plan, the standing and the trial that are asked for;
/// `""` and `None` ask for any.
pub fn list_narrowed(
    tx: &mut Tx<'_>,
    (search, plan, standing, on_trial): (&str, &str, &str, Option<bool>),
    after: &str,
    limit: i64,
) -> Result<Vec<Customer>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, email, canonical_email, name, currency, device_fingerprint, metadata,
               plan, on_trial, standing, standing_since, anchor, revision, created_at, updated_at
        FROM customers
        WHERE customer_id > $1
          AND (LOWER(customer_id) LIKE $2 ESCAPE '!' OR LOWER(email) LIKE $2 ESCAPE '!'
               OR LOWER(name) LIKE $2 ESCAPE '!')
          AND ($4 = '' OR plan = $4) AND ($5 = '' OR standing = $5)
          AND (CAST($6 AS BIGINT) < 0 OR on_trial = CAST($6 AS BIGINT))
        ORDER BY customer_id LIMIT $3";
    let trial = on_trial.map_or(-1, i64::from);
    let params = params![after, pattern(search), limit, plan, standing, trial];
    tx.query(SQL, &params)?.iter().map(read).collect()
}

/// How many customers there are of each standing, by whether they are on trial.
pub fn count_by_standing(tx: &mut Tx<'_>) -> Result<Vec<(String, bool, i64)>, StoreError> {
    const SQL: &str = "
        SELECT standing, on_trial, CAST(COUNT(*) AS BIGINT) FROM customers
        GROUP BY standing, on_trial";
    let rows = tx.query(SQL, &[])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.bool(1)?, row.int(2)?))).collect()
}

/// What `search` is looked for with: anywhere, whatever the case of its letters from A to Z, the
/// only ones that both databases lower.
fn pattern(search: &str) -> String {
    let pattern = search.to_ascii_lowercase();
    format!("%{}%", pattern.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

/// The ids of up to `limit` customers after `after`, in order: for jobs that visit everybody.
pub fn ids_after(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<CustomerId>, StoreError> {
    const SQL: &str = "
        SELECT customer_id FROM customers WHERE customer_id > $1 ORDER BY customer_id LIMIT $2";
    tx.query(SQL, &params![after, limit])?.iter().map(|row| row.customer(0)).collect()
}

/// Adds a customer; `false` when there is one of that id already.
pub fn insert(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO customers (customer_id, email, canonical_email, name, currency,
            device_fingerprint, metadata, plan, on_trial, standing, standing_since, anchor,
            revision, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT DO NOTHING";
    let c = customer;
    let values = params![
        &c.id,
        &c.email,
        &c.canonical_email,
        c.name.clone(),
        c.currency.map(|currency| currency.to_string()),
        c.device_fingerprint.clone(),
        &c.metadata,
        &c.plan,
        c.on_trial,
        c.standing.as_str(),
        c.standing.since(),
        c.anchor,
        c.revision,
        c.created_at,
        c.updated_at
    ];
    Ok(tx.execute(SQL, &values)? == 1)
}

/// Writes everything but the id and `created_at` over what is there; `Stale` unless the stored
/// revision is one less, or the same, as the one written.
pub fn save(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE customers
        SET email = $2, canonical_email = $3, name = $4, currency = $5, device_fingerprint = $6,
            metadata = $7, plan = $8, on_trial = $9, standing = $10, standing_since = $11,
            anchor = $12, revision = $13, updated_at = $14
        WHERE customer_id = $1 AND revision >= $13 - 1 AND revision <= $13";
    let c = customer;
    let values = params![
        &c.id,
        &c.email,
        &c.canonical_email,
        c.name.clone(),
        c.currency.map(|currency| currency.to_string()),
        c.device_fingerprint.clone(),
        &c.metadata,
        &c.plan,
        c.on_trial,
        c.standing.as_str(),
        c.standing.since(),
        c.anchor,
        c.revision,
        c.updated_at
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "customers", id: c.id.to_string() }),
    }
}

/// Removes the customer's row. What was bought and paid stays in the other tables.
pub fn delete(tx: &mut Tx<'_>, id: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM customers WHERE customer_id = $1", &params![id])?;
    Ok(())
}

/// How many customers are on each plan, by plan key.
pub fn count_by_plan(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT plan, CAST(COUNT(*) AS BIGINT) FROM customers GROUP BY plan";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// The provider's id of a customer.
pub fn provider_id(
    tx: &mut Tx<'_>,
    id: &CustomerId,
    provider: &str,
) -> Result<Option<String>, StoreError> {
    const SQL: &str =
        "SELECT provider_id FROM provider_customers WHERE customer_id = $1 AND provider = $2";
    tx.query_opt(SQL, &params![id, provider])?.map(|row| row.text(0)).transpose()
}

/// Whose the provider's customer is.
pub fn of_provider_id(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<CustomerId>, StoreError> {
    const SQL: &str =
        "SELECT customer_id FROM provider_customers WHERE provider = $1 AND provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| row.customer(0)).transpose()
}

/// Remembers the provider's id of a customer; what is known already stays.
pub fn link(
    tx: &mut Tx<'_>,
    id: &CustomerId,
    provider: &str,
    provider_id: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO provider_customers (customer_id, provider, provider_id) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    tx.execute(SQL, &params![id, provider, provider_id])?;
    Ok(())
}

/// Remembers that the provider's customers of an erased customer are nobody's any more.
pub fn retire(tx: &mut Tx<'_>, id: &CustomerId, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO former_provider_customers (provider, provider_id, ended_at)
        SELECT provider, provider_id, $2 FROM provider_customers WHERE customer_id = $1
        ON CONFLICT DO NOTHING";
    tx.execute(SQL, &params![id, now])?;
    unlink(tx, id)
}

/// Whether the provider's customer belonged to somebody who was erased.
pub fn is_former(tx: &mut Tx<'_>, provider: &str, provider_id: &str) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT provider_id FROM former_provider_customers WHERE provider = $1 AND provider_id = $2";
    Ok(tx.query_opt(SQL, &params![provider, provider_id])?.is_some())
}

/// Forgets which customers of the providers' a customer was.
pub fn unlink(tx: &mut Tx<'_>, id: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM provider_customers WHERE customer_id = $1", &params![id])?;
    Ok(())
}

fn read(row: &Row) -> Result<Customer, StoreError> {
    Ok(Customer {
        id: row.customer(0)?,
        email: row.text(1)?,
        canonical_email: row.text(2)?,
        name: row.opt_text(3)?,
        currency: row.opt_text(4)?.map(|_| row.parse(4)).transpose()?,
        device_fingerprint: row.opt_text(5)?,
        metadata: row.text(6)?,
        plan: row.text(7)?,
        on_trial: row.bool(8)?,
        standing: standing(row, 9, 10)?,
        anchor: row.time(11)?,
        revision: row.int(12)?,
        created_at: row.time(13)?,
        updated_at: row.time(14)?,
    })
}

/// A standing from its word and its time.
pub(crate) fn standing(row: &Row, word: usize, since: usize) -> Result<Standing, StoreError> {
    match (row.text(word)?.as_str(), row.opt_time(since)?) {
        ("good", None) => Ok(Standing::Good),
        ("past_due", Some(since)) => Ok(Standing::PastDue { since }),
        ("read_only", Some(since)) => Ok(Standing::ReadOnly { since }),
        _ => Err(row.bad(word, "is not a word that is known here")),
    }
}
