//! Every catalog that was ever applied, word for word. The one with the highest number is current.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::row::Row;
use crate::tx::Tx;

/// A catalog as it was applied, without its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogVersion {
    /// 1, 2, 3, …
    pub version: i64,
    /// Of its text, as 64 hexadecimal digits.
    pub sha256: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// Who did it.
    pub actor: String,
}

/// Stores the next version. False when someone else applied one of this number in between.
pub fn insert(tx: &mut Tx<'_>, catalog: &CatalogVersion, source: &str) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO catalog_versions (version, sha256, applied_at, actor, source)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    let CatalogVersion { version, sha256, applied_at, actor } = catalog;
    Ok(tx.execute(SQL, &params![version, sha256, applied_at, actor, source])? == 1)
}

/// The number of the version in force; `None` when there is none yet.
pub fn current_number(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT version FROM catalog_versions ORDER BY version DESC LIMIT 1";
    tx.query_opt(SQL, &[])?.map(|row| row.int(0)).transpose()
}

/// The catalog that applies now, and its text; `None` before the first.
pub fn current(tx: &mut Tx<'_>) -> Result<Option<(CatalogVersion, String)>, StoreError> {
    const SQL: &str = "
        SELECT version, sha256, applied_at, actor, source FROM catalog_versions
        ORDER BY version DESC LIMIT 1";
    tx.query_opt(SQL, &[])?.as_ref().map(read_with_source).transpose()
}

/// One version, and its text.
pub fn get(tx: &mut Tx<'_>, version: i64) -> Result<Option<(CatalogVersion, String)>, StoreError> {
    const SQL: &str = "
        SELECT version, sha256, applied_at, actor, source FROM catalog_versions
        WHERE version = $1";
    tx.query_opt(SQL, &params![version])?.as_ref().map(read_with_source).transpose()
}

/// The versions, newest first.
pub fn list(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<CatalogVersion>, StoreError> {
    const SQL: &str = "
        SELECT version, sha256, applied_at, actor FROM catalog_versions
        ORDER BY version DESC LIMIT $1";
    tx.query(SQL, &params![limit])?.iter().map(read).collect()
}

fn read_with_source(row: &Row) -> Result<(CatalogVersion, String), StoreError> {
    Ok((read(row)?, row.text(4)?))
}

fn read(row: &Row) -> Result<CatalogVersion, StoreError> {
    Ok(CatalogVersion {
        version: row.int(0)?,
        sha256: row.text(1)?,
        applied_at: row.time(2)?,
        actor: row.text(3)?,
    })
}
