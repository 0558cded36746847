//! Migrations: the same numbers and names for both databases, embedded in the program.
//!
//! To add one: write `migrations/sqlite/NNNN_name.sql` and `migrations/postgres/NNNN_name.sql`,
//! and name it below. One that was released is never changed.

use ::postgres::Client;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::error::OpenError;

/// One step of the schema.
struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "0001_system",
    2 "0002_billing",
    3 "0003_changes",
    4 "0004_refunds",
    5 "0005_lifecycle",
    6 "0006_drift",
    7 "0007_people",
    8 "0008_mail",
    9 "0009_billing_sessions",
];

/// A migration that ran on a database.
struct Applied {
    number: i64,
    name: String,
    sha256: String,
}

fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql.as_bytes()))
}

/// Names the migrations of this program, all together.
#[cfg(feature = "testing")]
pub(crate) fn fingerprint() -> String {
    checksum(&MIGRATIONS.iter().map(|ours| ours.postgres).collect::<String>())
}

/// What is missing, in order. Errors when what was applied is not what this program knows.
fn missing(
    applied: &[Applied],
    sql_of: fn(&Migration) -> &'static str,
) -> Result<Vec<&'static Migration>, OpenError> {
    for row in applied {
        let ours = MIGRATIONS.iter().find(|ours| ours.number == row.number);
        let ours = ours.ok_or_else(|| OpenError::Newer { name: row.name.clone() })?;
        let sum = checksum(sql_of(ours));
        if row.sha256 != sum || row.name != ours.name {
            return Err(OpenError::MigrationChanged {
                name: row.name.clone(),
                applied: row.sha256.clone(),
                ours: sum,
            });
        }
    }
    let is_missing = |ours: &&Migration| applied.iter().all(|row| row.number != ours.number);
    Ok(MIGRATIONS.iter().filter(is_missing).collect())
}

fn names(missing: &[&Migration]) -> Vec<String> {
    missing.iter().map(|migration| migration.name.to_owned()).collect()
}

fn failed(name: &str, message: impl ToString) -> OpenError {
    OpenError::MigrationFailed { name: name.to_owned(), message: message.to_string() }
}

const PREPARING: &str = "schema_migrations";
const RECORD: &str = "INSERT INTO schema_migrations (number, name, sha256, applied_at)";

/// Applies what is missing on SQLite; the write lock keeps a second process out.
pub(crate) fn sqlite(connection: &Connection) -> Result<Vec<String>, OpenError> {
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                 number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL,
                 applied_at INTEGER NOT NULL) STRICT",
        )
        .map_err(|error| failed(PREPARING, error))?;
    let mut done = Vec::new();
    loop {
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failed(PREPARING, error))?;
        let step = sqlite_step(connection);
        let end = if matches!(step, Ok(Some(_))) { "COMMIT" } else { "ROLLBACK" };
        let ended = connection.execute_batch(end);
        let Some(name) = step? else { return Ok(done) };
        ended.map_err(|error| failed(name, error))?;
        tracing::info!(migration = name, "applied");
        done.push(name.to_owned());
    }
}

/// Applies the first migration that is missing, inside the open transaction.
fn sqlite_step(connection: &Connection) -> Result<Option<&'static str>, OpenError> {
    let missing = missing(&applied_sqlite(connection)?, |migration| migration.sqlite)?;
    let Some(next) = missing.first() else { return Ok(None) };
    let record =
        format!("{RECORD} VALUES (?1, ?2, ?3, CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000)");
    let params = (next.number, next.name, checksum(next.sqlite));
    connection
        .execute_batch(next.sqlite)
        .and_then(|()| connection.execute(&record, params))
        .map_err(|error| failed(next.name, error))?;
    Ok(Some(next.name))
}

/// What is missing on SQLite.
pub(crate) fn pending_sqlite(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let applied = applied_sqlite(connection)?;
    Ok(names(&missing(&applied, |migration| migration.sqlite)?))
}

fn applied_sqlite(connection: &Connection) -> Result<Vec<Applied>, OpenError> {
    let read = || -> rusqlite::Result<Vec<Applied>> {
        let table = "SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'";
        if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
            return Ok(Vec::new());
        }
        let sql = "SELECT number, name, sha256 FROM schema_migrations ORDER BY number";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Applied { number: row.get(0)?, name: row.get(1)?, sha256: row.get(2)? })
        })?;
        rows.collect()
    };
    read().map_err(|error| failed(PREPARING, error))
}

/// How often the first two tables are tried to be made: two nodes that start at the same moment
/// on an empty database can collide in PostgreSQL's own catalog, despite `IF NOT EXISTS`.
const FIRST_TRIES: usize = 5;

/// Applies what is missing on PostgreSQL; a locked row keeps a second node waiting.
pub(crate) fn postgres(client: &mut Client) -> Result<Vec<String>, OpenError> {
    let prepare = "
        SET lock_timeout = 0;
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number BIGINT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL,
            applied_at BIGINT NOT NULL);
        CREATE TABLE IF NOT EXISTS schema_lock (id BIGINT PRIMARY KEY CHECK (id = 1));
        INSERT INTO schema_lock (id) VALUES (1) ON CONFLICT DO NOTHING";
    let mut tried = client.batch_execute(prepare);
    for _ in 1..FIRST_TRIES {
        if tried.is_ok() {
            break;
        }
        tried = client.batch_execute(prepare);
    }
    tried.map_err(|error| failed(PREPARING, explain(&error)))?;
    let mut done = Vec::new();
    while let Some(name) = postgres_step(client)? {
        tracing::info!(migration = name, "applied");
        done.push(name.to_owned());
    }
    Ok(done)
}

/// Applies the first migration that is missing, in a transaction that holds the lock.
fn postgres_step(client: &mut Client) -> Result<Option<&'static str>, OpenError> {
    let mut tx = client.transaction().map_err(|error| failed(PREPARING, explain(&error)))?;
    tx.execute("SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE", &[])
        .map_err(|error| failed(PREPARING, explain(&error)))?;
    let missing = missing(&applied_postgres(&mut tx)?, |migration| migration.postgres)?;
    let Some(next) = missing.first() else { return Ok(None) };
    let record = format!(
        "{RECORD} VALUES ($1, $2, $3, CAST(extract(epoch FROM now()) * 1000000 AS BIGINT))"
    );
    tx.batch_execute(next.postgres)
        .and_then(|()| tx.execute(&record, &[&next.number, &next.name, &checksum(next.postgres)]))
        .and_then(|_| tx.commit())
        .map_err(|error| failed(next.name, explain(&error)))?;
    Ok(Some(next.name))
}

/// What is missing on PostgreSQL.
pub(crate) fn pending_postgres(client: &mut Client) -> Result<Vec<String>, OpenError> {
    let applied = applied_postgres(client)?;
    Ok(names(&missing(&applied, |migration| migration.postgres)?))
}

fn applied_postgres(
    client: &mut impl ::postgres::GenericClient,
) -> Result<Vec<Applied>, OpenError> {
    let mut read = || -> Result<Vec<Applied>, ::postgres::Error> {
        let known = "SELECT to_regclass('schema_migrations') IS NOT NULL";
        if !client.query_one(known, &[])?.try_get::<_, bool>(0)? {
            return Ok(Vec::new());
        }
        let sql = "SELECT number, name, sha256 FROM schema_migrations ORDER BY number";
        let rows = client.query(sql, &[])?;
        let read = |row: &::postgres::Row| {
            Ok(Applied { number: row.try_get(0)?, name: row.try_get(1)?, sha256: row.try_get(2)? })
        };
        rows.iter().map(read).collect()
    };
    read().map_err(|error| failed(PREPARING, explain(&error)))
}

fn explain(error: &::postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
