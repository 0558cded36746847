//! Subscriptions, and the periods that were paid for or are on trial.

use farthing_core::ids::CustomerId;
use farthing_core::subscription::{Pending, Status, Subscription};
use farthing_core::time::{Interval, Period, Timestamp};

use crate::{Row, StoreError, Tx, customers, params};

/// A subscription as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is.
    pub customer: CustomerId,
    /// Ours, `sub_…`.
    pub id: String,
    /// Whose object it mirrors.
    pub provider: String,
    /// The provider's id.
    pub provider_id: String,
    /// What we stand by.
    pub subscription: Subscription,
    /// When we first saw it.
    pub created_at: Timestamp,
    /// The number of the fetch it was last brought up to date with.
    pub seen: i64,
    /// Grows with each write.
    pub version: i64,
}

/// The subscription with our id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, subscription_id, provider, provider_id, plan, pay_interval, price,
               currency, status, standing, standing_since, period_start, period_end, anchor,
               cancel_at, trial_ends_at, ended_at, created_at, seen, version, pending_plan,
               pending_interval, pending_at
        FROM subscriptions WHERE subscription_id = $1";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// The subscription with the provider's id.
pub fn find_by_provider_id(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, subscription_id, provider, provider_id, plan, pay_interval, price,
               currency, status, standing, standing_since, period_start, period_end, anchor,
               cancel_at, trial_ends_at, ended_at, created_at, seen, version, pending_plan,
               pending_interval, pending_at
        FROM subscriptions WHERE provider = $1 AND provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| read(&row)).transpose()
}

/// All of a customer's subscriptions, the newest first.
pub fn of_customer(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, subscription_id, provider, provider_id, plan, pay_interval, price,
               currency, status, standing, standing_since, period_start, period_end, anchor,
               cancel_at, trial_ends_at, ended_at, created_at, seen, version, pending_plan,
               pending_interval, pending_at
        FROM subscriptions WHERE customer_id = $1 ORDER BY subscription_id DESC";
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// Up to `limit` subscriptions of everybody, or of `customer`, after `after`, the oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    after: &str,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, subscription_id, provider, provider_id, plan, pay_interval, price,
               currency, status, standing, standing_since, period_start, period_end, anchor,
               cancel_at, trial_ends_at, ended_at, created_at, seen, version, pending_plan,
               pending_interval, pending_at
        FROM subscriptions
        WHERE subscription_id > $1 AND ($2 = '' OR customer_id = $2)
        ORDER BY subscription_id LIMIT $3";
    let customer = customer.map_or("", CustomerId::as_str);
    tx.query(SQL, &params![after, customer, limit])?.iter().map(read).collect()
}

/// Adds a subscription.
pub fn insert(tx: &mut Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO subscriptions (customer_id, subscription_id, provider, provider_id, plan,
            pay_interval, price, currency, status, standing, standing_since, period_start,
            period_end, anchor, cancel_at, trial_ends_at, ended_at, created_at, seen, version,
            pending_plan, pending_interval, pending_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23)";
    let s = &stored.subscription;
    let values = params![
        &stored.customer,
        &stored.id,
        &stored.provider,
        &stored.provider_id,
        &s.plan,
        s.interval.as_str(),
        &s.price,
        s.currency.code(),
        s.status.as_str(),
        s.standing.as_str(),
        s.standing.since(),
        s.period.start,
        s.period.end,
        s.anchor,
        s.cancel_at,
        s.trial_ends_at,
        s.ended_at,
        stored.created_at,
        stored.seen,
        stored.version,
        s.pending.as_ref().map(|pending| pending.plan.clone()),
        s.pending.as_ref().map(|pending| pending.interval.as_str()),
        s.pending.as_ref().map(|pending| pending.at)
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Writes over the version that was read; `Stale` if someone else wrote in between.
pub fn save(tx: &mut Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE subscriptions
        SET plan = $4, pay_interval = $5, price = $6, currency = $7, status = $8, standing = $9,
            standing_since = $10, period_start = $11, period_end = $12, anchor = $13,
            cancel_at = $14, trial_ends_at = $15, ended_at = $16, seen = $17, pending_plan = $18,
            pending_interval = $19, pending_at = $20, version = version + 1
        WHERE customer_id = $1 AND subscription_id = $2 AND version = $3";
    let s = &stored.subscription;
    let values = params![
        &stored.customer,
        &stored.id,
        stored.version,
        &s.plan,
        s.interval.as_str(),
        &s.price,
        s.currency.code(),
        s.status.as_str(),
        s.standing.as_str(),
        s.standing.since(),
        s.period.start,
        s.period.end,
        s.anchor,
        s.cancel_at,
        s.trial_ends_at,
        s.ended_at,
        stored.seen,
        s.pending.as_ref().map(|pending| pending.plan.clone()),
        s.pending.as_ref().map(|pending| pending.interval.as_str()),
        s.pending.as_ref().map(|pending| pending.at)
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "subscriptions", id: stored.id.clone() }),
    }
}

/// A stretch of time that was paid for, or is on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPeriod {
    /// `[start, end)`.
    pub period: Period,
    /// The plan's key.
    pub plan: String,
    /// The provider's id of the invoice that paid for it; `None`: on trial.
    pub invoice: Option<String>,
    /// How many kinds of credits it grants.
    pub grants: i64,
}

/// Remembers a period; `false` when one with that start is known already.
pub fn insert_period(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
    period: &StoredPeriod,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO periods (customer_id, subscription_id, starts_at, ends_at, state, plan, invoice,
            recorded_at, grants)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING";
    let state = if period.invoice.is_some() { "paid" } else { "trial" };
    let (start, end) = (period.period.start, period.period.end);
    let invoice = period.invoice.clone();
    let grants = period.grants;
    let values =
        params![customer, subscription, start, end, state, &period.plan, invoice, now, grants];
    Ok(tx.execute(SQL, &values)? == 1)
}

/// Every period of a customer's subscriptions with our id of the subscription, the earliest first.
pub fn periods(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
) -> Result<Vec<(String, StoredPeriod)>, StoreError> {
    const SQL: &str = "
        SELECT subscription_id, starts_at, ends_at, plan, invoice, grants FROM periods
        WHERE customer_id = $1 ORDER BY starts_at, subscription_id";
    let read = |row: &Row| {
        let period = Period { start: row.time(1)?, end: row.time(2)? };
        let (plan, invoice, grants) = (row.text(3)?, row.opt_text(4)?, row.int(5)?);
        Ok((row.text(0)?, StoredPeriod { period, plan, invoice, grants }))
    };
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// When the newest period of a subscription starts that was paid for or on trial; `None`: there
/// is none.
pub fn newest_period(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "
        SELECT starts_at FROM periods WHERE customer_id = $1 AND subscription_id = $2
        ORDER BY starts_at DESC LIMIT 1";
    tx.query_opt(SQL, &params![customer, subscription])?.map(|row| row.time(0)).transpose()
}

/// How many subscriptions that have not ended have each plan, now or next, by plan key.
pub fn count_by_plan(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "
        SELECT plan, CAST(COUNT(*) AS BIGINT) FROM (
            SELECT plan FROM subscriptions WHERE status <> 'canceled'
            UNION ALL
            SELECT pending_plan FROM subscriptions
            WHERE status <> 'canceled' AND pending_plan IS NOT NULL
        ) AS plans GROUP BY plan";
    tx.query(SQL, &[])?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Ends, at `start`, a period that began before and would reach beyond: another one begins there.
pub fn cut_periods(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
    start: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE periods SET ends_at = $3
        WHERE customer_id = $1 AND subscription_id = $2 AND starts_at < $3 AND ends_at > $3";
    tx.execute(SQL, &params![customer, subscription, start])?;
    Ok(())
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    let interval = interval(row, 5)?;
    let pending = match (row.opt_text(20)?, row.opt_time(22)?) {
        (Some(plan), Some(at)) => Some(Pending { plan, interval: self::interval(row, 21)?, at }),
        _ => None,
    };
    let word = row.text(8)?;
    let status = Status::ALL.into_iter().find(|status| status.as_str() == word);
    Ok(Stored {
        customer: row.customer(0)?,
        id: row.text(1)?,
        provider: row.text(2)?,
        provider_id: row.text(3)?,
        subscription: Subscription {
            plan: row.text(4)?,
            interval,
            price: row.text(6)?,
            currency: row.parse(7)?,
            status: status.ok_or_else(|| row.bad(8, "is not a word that is known here"))?,
            standing: customers::standing(row, 9, 10)?,
            period: Period { start: row.time(11)?, end: row.time(12)? },
            anchor: row.time(13)?,
            cancel_at: row.opt_time(14)?,
            trial_ends_at: row.opt_time(15)?,
            ended_at: row.opt_time(16)?,
            pending,
        },
        created_at: row.time(17)?,
        seen: row.int(18)?,
        version: row.int(19)?,
    })
}

fn interval(row: &Row, column: usize) -> Result<Interval, StoreError> {
    match row.text(column)?.as_str() {
        "day" => Ok(Interval::Day),
        "month" => Ok(Interval::Month),
        "year" => Ok(Interval::Year),
        _ => Err(row.bad(column, "is not a word that is known here")),
    }
}
