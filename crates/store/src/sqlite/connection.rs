//! One connection: statements, values, and what errors mean.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::error::StoreError;
use crate::row::{Columns, Row, beginning};
use crate::tx::{On, Tx};
use crate::value::Value;

/// How many prepared statements a connection keeps: more than there are in the program.
const STATEMENTS_MAX: usize = 1024;

/// A connection and the statements it has seen.
pub(crate) struct SqliteConnection {
    pub(super) connection: Connection,
    texts: HashMap<(usize, usize), Arc<Text>>,
}

struct Text {
    sql: String,
    /// Whether PostgreSQL would lock rows, which it refuses in a read.
    locks: bool,
    columns: OnceLock<Columns>,
}

impl SqliteConnection {
    pub(super) fn memory() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self::new(connection))
    }

    pub(super) fn writer(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
        Ok(Self::new(connection))
    }

    pub(super) fn reader(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        Ok(Self::new(connection))
    }

    fn new(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self { connection, texts: HashMap::new() }
    }

    pub(super) fn transaction(&mut self, read_only: bool) -> (&Connection, Tx<'_>) {
        let Self { connection, texts } = self;
        let connection = &*connection;
        (connection, Tx::new(On::Sqlite(SqliteTx { connection, texts, read_only })))
    }

    pub(super) fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// SQLite's half of [`Tx`].
pub(crate) struct SqliteTx<'a> {
    connection: &'a Connection,
    texts: &'a mut HashMap<(usize, usize), Arc<Text>>,
    read_only: bool,
}

impl SqliteTx<'_> {
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, StoreError> {
        let (_, mut statement) = self.prepare(sql)?;
        let changed = statement.execute(params_from_iter(params)).map_err(store_error)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let (text, mut statement) = self.prepare(sql)?;
        let columns = text
            .columns
            .get_or_init(|| statement.column_names().map(Into::into).collect::<Vec<_>>().into());
        let mut found = statement.query(params_from_iter(params)).map_err(store_error)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(store_error)? {
            let mut values = Vec::with_capacity(columns.len());
            for (at, column) in columns.iter().enumerate() {
                let value = row.get_ref(at).map_err(store_error)?;
                values.push(read_value(value).ok_or_else(|| StoreError::Inconsistent {
                    column: column.to_string(),
                    problem: "is neither a whole number, text nor bytes".into(),
                    statement: beginning(sql),
                })?);
            }
            rows.push(Row::new(values, Arc::clone(columns), sql));
        }
        Ok(rows)
    }

    fn prepare(
        &mut self,
        sql: &'static str,
    ) -> Result<(Arc<Text>, rusqlite::CachedStatement<'_>), StoreError> {
        let place = (sql.as_ptr() as usize, sql.len());
        let text = self.texts.entry(place).or_insert_with(|| {
            let locks = sql.contains("FOR UPDATE");
            Arc::new(Text { sql: rewrite(sql), locks, columns: OnceLock::new() })
        });
        let text = Arc::clone(text);
        let statement = self.connection.prepare_cached(&text.sql).map_err(store_error)?;
        if self.read_only && (text.locks || !statement.readonly()) {
            return Err(StoreError::ReadOnly);
        }
        Ok((text, statement))
    }
}

/// PostgreSQL's text as SQLite reads it; see the top of this file.
fn rewrite(sql: &str) -> String {
    sql.replace("FOR UPDATE SKIP LOCKED", "").replace("FOR UPDATE", "").replace('$', "?")
}

fn read_value(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(n) => Some(Value::Int(n)),
        ValueRef::Text(text) => Some(Value::Text(String::from_utf8(text.to_vec()).ok()?)),
        ValueRef::Blob(bytes) => Some(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => None,
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint { message },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Driver { message },
    }
}
