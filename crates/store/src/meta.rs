//! What this database is: facts that are written once and never change.

use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use crate::words::words;

words! {
    /// Which world a database belongs to. Keys, accounts and events of another are refused.
    Mode {
        /// The pretend provider: no money anywhere.
        Sandbox = "sandbox",
        /// A provider's test mode.
        Test = "test",
        /// Real money.
        Live = "live",
    }
}

/// Gives the database its mode, once. Answers the mode it has, which is another one if it was
/// stamped with that before.
pub fn stamp(tx: &mut Tx<'_>, mode: Mode, now: Timestamp) -> Result<Mode, StoreError> {
    put_once(tx, "mode", mode.as_str())?;
    put_once(tx, "stamped_at", &now.to_string())?;
    self::mode(tx)?.ok_or(StoreError::Inconsistent {
        column: "value of \"mode\"".into(),
        problem: "is missing though it was just written".into(),
        statement: "meta::stamp".into(),
    })
}

/// The database's mode; `None` before it was stamped.
pub fn mode(tx: &mut Tx<'_>) -> Result<Option<Mode>, StoreError> {
    let row = tx.query_opt("SELECT key, value FROM meta WHERE key = 'mode'", &[])?;
    row.map(|row| row.parse(1)).transpose()
}

/// Ties the database to an account at a provider, once. Answers the account it is tied to, which
/// is another one if it was tied to that before.
pub fn tie_account(tx: &mut Tx<'_>, provider: &str, account: &str) -> Result<String, StoreError> {
    put_once(tx, &account_key(provider), account)?;
    Ok(self::account(tx, provider)?.unwrap_or_else(|| account.to_owned()))
}

/// The account at a provider that the database is tied to, if it is.
pub fn account(tx: &mut Tx<'_>, provider: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT key, value FROM meta WHERE key = $1";
    let row = tx.query_opt(SQL, &params![account_key(provider)])?;
    row.map(|row| row.text(1)).transpose()
}

/// The value kept under `key`: `value` when there was none before.
pub fn keep(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<String, StoreError> {
    put_once(tx, key, value)?;
    Ok(kept(tx, key)?.unwrap_or_else(|| value.to_owned()))
}

/// The value kept under `key`; `None` before [`keep`].
pub fn kept(tx: &mut Tx<'_>, key: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT key, value FROM meta WHERE key = $1";
    tx.query_opt(SQL, &params![key])?.map(|row| row.text(1)).transpose()
}

fn account_key(provider: &str) -> String {
    format!("account:{provider}")
}

fn put_once(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(SQL, &params![key, value]).map(drop)
}
