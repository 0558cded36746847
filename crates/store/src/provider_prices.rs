//! Which price at a provider is which item of the catalog. Prices never change, so rows do not.

use farthing_core::money::{Currency, Money};
use farthing_core::time::{Interval, Timestamp};

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// What is sold at a price.
    PriceKind {
        /// A plan, each interval.
        Plan = "plan",
        /// A pack, once.
        Pack = "pack",
    }
}

/// A price at a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderPrice {
    /// `stripe`, `paddle`, …
    pub provider: String,
    /// Our name for the price there: says what is sold for how much, so it never gets another
    /// meaning.
    pub lookup_key: String,
    /// The provider's id of the price.
    pub provider_price_id: String,
    /// The provider's id of the product.
    pub product_id: String,
    /// What is sold.
    pub kind: PriceKind,
    /// The key of the plan or pack in the catalog.
    pub item: String,
    /// How often it is paid; `None` for once.
    pub interval: Option<Interval>,
    /// What it costs.
    pub amount: Money,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Stores a price. False when the very same is there already; `Constraint` when the lookup key
/// or the provider's id stands for another price.
pub fn insert(tx: &mut Tx<'_>, price: &ProviderPrice) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO provider_prices (provider, lookup_key, provider_price_id, product_id, kind,
            item, billing_interval, currency, amount, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT DO NOTHING";
    let params = params![
        &price.provider,
        &price.lookup_key,
        &price.provider_price_id,
        &price.product_id,
        price.kind,
        &price.item,
        price.interval.map(Interval::as_str),
        price.amount.currency.code(),
        price.amount.minor,
        price.created_at,
    ];
    if tx.execute(SQL, &params)? == 1 {
        return Ok(true);
    }
    let there = find_by_lookup_key(tx, &price.provider, &price.lookup_key)?;
    let same = |there: ProviderPrice| {
        there == ProviderPrice { created_at: there.created_at, ..price.clone() }
    };
    if there.is_some_and(same) {
        return Ok(false);
    }
    let ProviderPrice { provider, lookup_key, provider_price_id, .. } = price;
    let message = format!("{provider} has another price as {lookup_key} or {provider_price_id}");
    Err(StoreError::Constraint { message })
}

/// What is sold at the provider's price `id`.
pub fn find_by_price_id(
    tx: &mut Tx<'_>,
    provider: &str,
    id: &str,
) -> Result<Option<ProviderPrice>, StoreError> {
    const SQL: &str = "
        SELECT lookup_key, provider, provider_price_id, product_id, kind, item, billing_interval,
            currency, amount, created_at
        FROM provider_prices WHERE provider = $1 AND provider_price_id = $2";
    tx.query_opt(SQL, &params![provider, id])?.as_ref().map(read).transpose()
}

/// The price with our name `lookup_key`.
pub fn find_by_lookup_key(
    tx: &mut Tx<'_>,
    provider: &str,
    lookup_key: &str,
) -> Result<Option<ProviderPrice>, StoreError> {
    const SQL: &str = "
        SELECT lookup_key, provider, provider_price_id, product_id, kind, item, billing_interval,
            currency, amount, created_at
        FROM provider_prices WHERE provider = $1 AND lookup_key = $2";
    tx.query_opt(SQL, &params![provider, lookup_key])?.as_ref().map(read).transpose()
}

/// All prices at a provider, by our name.
pub fn list(tx: &mut Tx<'_>, provider: &str) -> Result<Vec<ProviderPrice>, StoreError> {
    const SQL: &str = "
        SELECT lookup_key, provider, provider_price_id, product_id, kind, item, billing_interval,
            currency, amount, created_at
        FROM provider_prices WHERE provider = $1 ORDER BY lookup_key";
    tx.query(SQL, &params![provider])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<ProviderPrice, StoreError> {
    let interval = match row.opt_text(6)?.as_deref() {
        None => None,
        Some("day") => Some(Interval::Day),
        Some("month") => Some(Interval::Month),
        Some("year") => Some(Interval::Year),
        Some(_) => return Err(row.bad(6, "is not an interval")),
    };
    let currency: Currency = row.parse(7)?;
    Ok(ProviderPrice {
        lookup_key: row.text(0)?,
        provider: row.text(1)?,
        provider_price_id: row.text(2)?,
        product_id: row.text(3)?,
        kind: row.parse(4)?,
        item: row.text(5)?,
        interval,
        amount: Money::new(row.int(8)?, currency),
        created_at: row.time(9)?,
    })
}
