//! One connection: statements, values, and what errors mean.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::session::Session;
use crate::error::StoreError;
use crate::row::{Columns, Row, beginning};
use crate::tx::{On, Tx};
use crate::value::Value;

/// A connection and the statements prepared on it.
pub(super) struct PostgresConnection {
    session: Session,
    statements: Statements,
    /// What begins the transaction, until its first statement is sent.
    begin: Option<&'static str>,
}

/// Prepared statements by the place of their text in the program.
type Statements = HashMap<(usize, usize), (Statement, Columns)>;

impl PostgresConnection {
    pub(super) fn new(session: Session) -> Self {
        Self { session, statements: HashMap::new(), begin: None }
    }

    /// A transaction that starts as `begin` says, with its first statement.
    pub(super) fn transaction(&mut self, begin: &'static str) -> Tx<'_> {
        self.begin = Some(begin);
        Tx::new(On::Postgres(PgTx { connection: self }))
    }

    /// Commits. The error is the driver's, since it decides what is known.
    pub(super) fn commit(&mut self) -> Result<(), tokio_postgres::Error> {
        // Without a statement there is no transaction.
        if self.begin.take().is_some() { Ok(()) } else { self.session.batch("COMMIT") }
    }

    pub(super) fn roll_back(&mut self) -> Result<(), StoreError> {
        self.session.batch("ROLLBACK").map_err(|error| store_error(&error))
    }

    /// Ends a read that went well, without waiting for it.
    pub(super) fn end_read(&mut self) -> Result<(), StoreError> {
        if self.begin.take().is_some() {
            return Ok(());
        }
        self.session.send("ROLLBACK").map_err(|error| store_error(&error))
    }
}

/// PostgreSQL's half of [`Tx`].
pub(crate) struct PgTx<'a> {
    connection: &'a mut PostgresConnection,
}

impl PgTx<'_> {
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, StoreError> {
        let (statement, _) = self.prepare(sql)?;
        let PostgresConnection { session, begin, .. } = self.connection;
        session.execute(begin.take(), &statement, &by_reference(params))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let (statement, columns) = self.prepare(sql)?;
        let PostgresConnection { session, begin, .. } = self.connection;
        let found = session.query(begin.take(), &statement, &by_reference(params))?;
        let read = |row: &tokio_postgres::Row| {
            let values = columns.iter().enumerate().map(|(at, column)| {
                row.try_get(at).map_err(|error| StoreError::Inconsistent {
                    column: column.to_string(),
                    problem: describe(&error),
                    statement: beginning(sql),
                })
            });
            Ok(Row::new(values.collect::<Result<_, _>>()?, Arc::clone(&columns), sql))
        };
        found.iter().map(read).collect()
    }

    /// Prepared once per connection, which is no part of any transaction.
    fn prepare(&mut self, sql: &'static str) -> Result<(Statement, Columns), StoreError> {
        let place = (sql.as_ptr() as usize, sql.len());
        let PostgresConnection { session, statements, .. } = self.connection;
        if let Some((statement, columns)) = statements.get(&place) {
            return Ok((statement.clone(), Arc::clone(columns)));
        }
        let statement = session.prepare(sql).map_err(|error| store_error(&error))?;
        let names: Vec<Box<str>> = statement.columns().iter().map(|c| c.name().into()).collect();
        let columns: Columns = names.into();
        statements.insert(place, (statement.clone(), Arc::clone(&columns)));
        Ok((statement, columns))
    }
}

fn by_reference(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(n), &Type::INT8) => n.to_sql(ty, out),
            (Self::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            _ => Err(format!("a parameter is of type {ty}; CAST it in the statement").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|n| Self::Int(n.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(|yes| Self::Int(yes.into())),
            Type::TEXT | Type::VARCHAR | Type::NAME => String::from_sql(ty, raw).map(Self::Text),
            Type::BYTEA => Vec::<u8>::from_sql(ty, raw).map(Self::Bytes),
            _ => Err(format!("is of type {ty}; CAST it to BIGINT or TEXT").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What an error of the driver means for the transaction it happened in, before COMMIT.
pub(super) fn store_error(error: &tokio_postgres::Error) -> StoreError {
    let message = describe(error);
    let Some(code) = error.code().map(SqlState::code) else {
        let from_socket =
            std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        let lost = error.is_closed() || from_socket;
        return if lost {
            StoreError::Unavailable { message }
        } else {
            StoreError::Driver { message }
        };
    };
    match code {
        "40001" | "40P01" => StoreError::Contended,
        // A lock was not there in time.
        "55P03" => StoreError::Busy,
        "25006" => StoreError::ReadOnly,
        // Shut down, starting up, idle for too long, too many connections.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => {
            StoreError::Unavailable { message }
        }
        _ if code.starts_with("08") => StoreError::Unavailable { message },
        _ if code.starts_with("23") => StoreError::Constraint { message },
        _ => StoreError::Driver { message },
    }
}

/// The driver's words, with what the server said, and without the values of any row.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
