//! What customers may use now, one row per feature, and the events that changed what is used.

use farthing_core::entitlement::{Access, Entitlement, Kind, Source, Window};
use farthing_core::ids::CustomerId;
use farthing_core::time::{Period, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// An entitlement as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The feature's key.
    pub feature: String,
    /// The customer's right to it.
    pub entitlement: Entitlement,
    /// The revision of the customer's state that it was written with.
    pub revision: i64,
    /// Grows with each write.
    pub version: i64,
}

/// What changed `used`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageKind {
    /// A consume.
    Consume,
    /// A release.
    Release,
    /// The app said what it really has.
    Sync,
    /// The app reported it afterwards.
    Report,
}

impl UsageKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::Release => "release",
            Self::Sync => "sync",
            Self::Report => "report",
        }
    }
}

/// One entitlement, locked until the transaction ends; `None` also when the customer is gone, of
/// whom everything else is kept.
pub fn lock(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    feature: &str,
) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "
        SELECT feature, kind, reset_every, reset_zone, source, limit_amount, cap, used, reserved,
               floor_used, window_start, window_end, anchor, epoch, access, revision, version
        FROM entitlements WHERE customer_id = $1 AND feature = $2
          AND EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = $1) FOR UPDATE";
    tx.query_opt(SQL, &params![customer, feature])?.map(|row| read(&row)).transpose()
}

/// All of a customer's entitlements, in the order of their features' keys.
pub fn of_customer(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT feature, kind, reset_every, reset_zone, source, limit_amount, cap, used, reserved,
               floor_used, window_start, window_end, anchor, epoch, access, revision, version
        FROM entitlements WHERE customer_id = $1 ORDER BY feature";
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// The same, locked until the transaction ends.
pub fn lock_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT feature, kind, reset_every, reset_zone, source, limit_amount, cap, used, reserved,
               floor_used, window_start, window_end, anchor, epoch, access, revision, version
        FROM entitlements WHERE customer_id = $1 ORDER BY feature FOR UPDATE";
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// Writes an entitlement, new or locked before; `version` is the one to write.
pub fn put(tx: &mut Tx<'_>, customer: &CustomerId, stored: &Stored) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO entitlements (customer_id, feature, kind, reset_every, reset_zone, source,
            limit_amount, cap, ceiling, used, reserved, floor_used, window_start, window_end,
            anchor, epoch, access, revision, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19)
        ON CONFLICT (customer_id, feature) DO UPDATE
        SET kind = excluded.kind, reset_every = excluded.reset_every,
            reset_zone = excluded.reset_zone, source = excluded.source,
            limit_amount = excluded.limit_amount, cap = excluded.cap, ceiling = excluded.ceiling,
            used = excluded.used, reserved = excluded.reserved, floor_used = excluded.floor_used,
            window_start = excluded.window_start, window_end = excluded.window_end,
            anchor = excluded.anchor, epoch = excluded.epoch, access = excluded.access,
            revision = excluded.revision, version = excluded.version";
    let e = &stored.entitlement;
    let (kind, every, zone) = kind_words(&e.kind);
    let values = params![
        customer,
        &stored.feature,
        kind,
        every,
        zone,
        e.source.map(source_word),
        e.limit,
        e.cap,
        e.ceiling(),
        e.used,
        e.reserved,
        e.floor_used,
        e.window.map(|window| window.start),
        e.window.map(|window| window.end),
        e.anchor,
        e.epoch,
        access_word(e.access),
        stored.revision,
        stored.version
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Writes what consuming changes of an entitlement that was locked before, under its next version.
pub fn save_use(tx: &mut Tx<'_>, customer: &CustomerId, stored: &Stored) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE entitlements
        SET used = $3, floor_used = $4, window_start = $5, window_end = $6, epoch = $7,
            version = $8
        WHERE customer_id = $1 AND feature = $2 AND version = $8 - 1";
    let e = &stored.entitlement;
    let (start, end) = (e.window.map(|window| window.start), e.window.map(|window| window.end));
    let values = params![
        customer,
        &stored.feature,
        e.used,
        e.floor_used,
        start,
        end,
        e.epoch,
        stored.version
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "entitlements", id: stored.feature.clone() }),
    }
}

/// Removes everything that a customer may use, and what was used of it.
pub fn delete_all(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM entitlements WHERE customer_id = $1", &params![customer])?;
    tx.execute("DELETE FROM usage_events WHERE customer_id = $1", &params![customer])?;
    tx.execute("DELETE FROM usage_reports WHERE customer_id = $1", &params![customer])?;
    Ok(())
}

/// Writes down that `used` of `stored` changed by `delta` into its present version and epoch.
pub fn record_use(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    stored: &Stored,
    (kind, delta): (UsageKind, i64),
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO usage_events (at, customer_id, feature, version, epoch, delta, kind)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (version, epoch) = (stored.version, stored.entitlement.epoch);
    let values = params![now, customer, &stored.feature, version, epoch, delta, kind.as_str()];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Remembers the app's own id of a reported event; `false` when it was reported before.
pub fn insert_report(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    event_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO usage_reports (customer_id, event_id, recorded_at) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    Ok(tx.execute(SQL, &params![customer, event_id, now])? == 1)
}

fn kind_words(kind: &Kind) -> (&'static str, Option<&'static str>, Option<String>) {
    match kind {
        Kind::Boolean => ("boolean", None, None),
        Kind::Value => ("value", None, None),
        Kind::Count => ("count", None, None),
        Kind::Usage(Window::Month) => ("usage", Some("month"), None),
        Kind::Usage(Window::Day(zone)) => ("usage", Some("day"), Some(zone.clone())),
    }
}

fn source_word(source: Source) -> &'static str {
    match source {
        Source::Plan => "plan",
        Source::Trial => "trial",
        Source::Override => "override",
    }
}

/// The word for an access in the database.
pub(crate) fn access_word(access: Access) -> &'static str {
    match access {
        Access::Full => "full",
        Access::ReadOnly => "read_only",
    }
}

/// The access that a column's word says.
pub(crate) fn access(row: &Row, column: usize) -> Result<Access, StoreError> {
    match row.text(column)?.as_str() {
        "full" => Ok(Access::Full),
        "read_only" => Ok(Access::ReadOnly),
        _ => Err(row.bad(column, "is not a word that is known here")),
    }
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    let kind = match (row.text(1)?.as_str(), row.opt_text(2)?.as_deref(), row.opt_text(3)?) {
        ("boolean", None, None) => Kind::Boolean,
        ("value", None, None) => Kind::Value,
        ("count", None, None) => Kind::Count,
        ("usage", Some("month"), None) => Kind::Usage(Window::Month),
        ("usage", Some("day"), Some(zone)) => Kind::Usage(Window::Day(zone)),
        _ => return Err(row.bad(1, "is not a word that is known here")),
    };
    let source = match row.opt_text(4)?.as_deref() {
        None => None,
        Some("plan") => Some(Source::Plan),
        Some("trial") => Some(Source::Trial),
        Some("override") => Some(Source::Override),
        Some(_) => return Err(row.bad(4, "is not a word that is known here")),
    };
    let window = match (row.opt_time(10)?, row.opt_time(11)?) {
        (Some(start), Some(end)) => Some(Period { start, end }),
        _ => None,
    };
    let entitlement = Entitlement {
        kind,
        source,
        limit: row.opt_int(5)?,
        cap: row.opt_int(6)?,
        used: row.int(7)?,
        reserved: row.int(8)?,
        floor_used: row.int(9)?,
        window,
        anchor: row.time(12)?,
        epoch: row.int(13)?,
        access: access(row, 14)?,
    };
    let (revision, version) = (row.int(15)?, row.int(16)?);
    Ok(Stored { feature: row.text(0)?, entitlement, revision, version })
}
