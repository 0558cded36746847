//! Checkouts: what a customer set out to buy on the provider's page.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// What is being bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A plan.
    Plan {
        /// The plan's key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
        /// The trial's length, when it starts with one.
        trial_days: Option<i64>,
    },
    /// A pack.
    Pack {
        /// The pack's key.
        pack: String,
        /// What it holds, as JSON: as it was sold, whatever the catalog says when it is paid.
        sold: String,
    },
}

/// Where a checkout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The customer has not finished, or the money is on its way.
    Open,
    /// The provider said that money, or for a trial a payment method, arrived.
    Settled,
    /// Too late.
    Expired,
    /// It could not be started, or the money never came.
    Failed,
}

impl Status {
    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// A checkout as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Who buys.
    pub customer: CustomerId,
    /// Ours, `chk_…`.
    pub id: String,
    /// What.
    pub item: Item,
    /// The price; for a trial, of the first period after it.
    pub price: Money,
    /// Whose page it is.
    pub provider: String,
    /// The provider's id, once the provider has answered.
    pub provider_id: Option<String>,
    /// The page.
    pub url: Option<String>,
    /// Where the app wants its customer back.
    pub return_path: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the page stops being open.
    pub expires_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
    /// Why it failed, as a code.
    pub failure: Option<String>,
    /// How often the provider's answer to the request for its page was lost for good.
    pub attempt: i64,
    /// The number of the fetch it was last brought up to date with.
    pub seen: i64,
}

/// The checkout with our id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Checkout>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, checkout_id, kind, item, pay_interval, amount, currency, trial_days,
               provider, provider_id, url, return_path, status, created_at, expires_at, settled_at,
               seen, attempt, sold, failure
        FROM checkouts WHERE checkout_id = $1";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// The open checkout for a plan, of which a customer has one at most.
pub fn open_plan(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Option<Checkout>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, checkout_id, kind, item, pay_interval, amount, currency, trial_days,
               provider, provider_id, url, return_path, status, created_at, expires_at, settled_at,
               seen, attempt, sold, failure
        FROM checkouts WHERE customer_id = $1 AND kind = 'plan' AND status = 'open'";
    tx.query_opt(SQL, &params![customer])?.map(|row| read(&row)).transpose()
}

/// A customer's checkouts, the newest first, at most `limit`.
pub fn of_customer(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    limit: u32,
) -> Result<Vec<Checkout>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, checkout_id, kind, item, pay_interval, amount, currency, trial_days,
               provider, provider_id, url, return_path, status, created_at, expires_at, settled_at,
               seen, attempt, sold, failure
        FROM checkouts WHERE customer_id = $1 ORDER BY checkout_id DESC LIMIT $2";
    tx.query(SQL, &params![customer, limit])?.iter().map(read).collect()
}

/// Adds a checkout.
pub fn insert(tx: &mut Tx<'_>, checkout: &Checkout) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO checkouts (customer_id, checkout_id, kind, item, pay_interval, amount, currency,
            trial_days, provider, provider_id, url, return_path, status, created_at, expires_at,
            settled_at, seen, attempt, sold, failure)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20)";
    let c = checkout;
    let (kind, item, interval, trial_days, sold) = match &c.item {
        Item::Plan { plan, interval, trial_days } => {
            ("plan", plan, Some(interval.as_str()), *trial_days, None)
        }
        Item::Pack { pack, sold } => ("pack", pack, None, None, Some(sold.clone())),
    };
    let values = params![
        &c.customer,
        &c.id,
        kind,
        item,
        interval,
        c.price.minor,
        c.price.currency.code(),
        trial_days,
        &c.provider,
        c.provider_id.clone(),
        c.url.clone(),
        c.return_path.clone(),
        c.status.as_str(),
        c.created_at,
        c.expires_at,
        c.settled_at,
        c.seen,
        c.attempt,
        sold,
        c.failure.clone()
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Writes what the provider answered and where it stands.
pub fn save(tx: &mut Tx<'_>, checkout: &Checkout) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE checkouts
        SET provider_id = $3, url = $4, status = $5, expires_at = $6, settled_at = $7, seen = $8,
            attempt = $9, failure = $10
        WHERE customer_id = $1 AND checkout_id = $2";
    let c = checkout;
    let values = params![
        &c.customer,
        &c.id,
        c.provider_id.clone(),
        c.url.clone(),
        c.status.as_str(),
        c.expires_at,
        c.settled_at,
        c.seen,
        c.attempt,
        c.failure.clone()
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "checkouts", id: c.id.clone() }),
    }
}

/// How many open checkouts there are for each plan, by plan key.
pub fn count_open_by_plan(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "
        SELECT item, CAST(COUNT(*) AS BIGINT) FROM checkouts
        WHERE kind = 'plan' AND status = 'open' GROUP BY item";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

fn read(row: &Row) -> Result<Checkout, StoreError> {
    let interval = match row.opt_text(4)?.as_deref() {
        None => None,
        Some("month") => Some(Interval::Month),
        Some("year") => Some(Interval::Year),
        Some(_) => return Err(row.bad(4, "is not an interval that is known here")),
    };
    let item = match (row.text(2)?.as_str(), interval) {
        ("plan", Some(interval)) => {
            Item::Plan { plan: row.text(3)?, interval, trial_days: row.opt_int(7)? }
        }
        ("pack", None) => Item::Pack { pack: row.text(3)?, sold: row.text(18)? },
        _ => return Err(row.bad(2, "is not a kind that is known here")),
    };
    let status = match row.text(12)?.as_str() {
        "open" => Status::Open,
        "settled" => Status::Settled,
        "expired" => Status::Expired,
        "failed" => Status::Failed,
        _ => return Err(row.bad(12, "is not a status that is known here")),
    };
    Ok(Checkout {
        customer: row.customer(0)?,
        id: row.text(1)?,
        item,
        price: Money::new(row.int(5)?, row.parse(6)?),
        provider: row.text(8)?,
        provider_id: row.opt_text(9)?,
        url: row.opt_text(10)?,
        return_path: row.opt_text(11)?,
        status,
        created_at: row.time(13)?,
        expires_at: row.time(14)?,
        settled_at: row.opt_time(15)?,
        failure: row.opt_text(19)?,
        attempt: row.int(17)?,
        seen: row.int(16)?,
    })
}
