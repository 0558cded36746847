//! One connection: statements, values, and what errors mean.

use std::collections::HashMap;
use std::sync::Arc;

use ::postgres::error::SqlState;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, Statement};

use crate::error::StoreError;
use crate::row::{Columns, Row, beginning};
use crate::tx::{On, Tx};
use crate::value::Value;

/// A connection and the statements prepared on it.
pub(crate) struct PostgresConnection {
    pub(super) client: Client,
    statements: Statements,
}

/// Prepared statements by the place of their text in the program.
type Statements = HashMap<(usize, usize), (Statement, Columns)>;

impl PostgresConnection {
    pub(super) fn new(client: Client) -> Self {
        Self { client, statements: HashMap::new() }
    }

    /// The transaction that is open on the connection.
    pub(super) fn transaction(&mut self) -> Tx<'_> {
        let Self { client, statements } = self;
        Tx::new(On::Postgres(PgTx { client, statements }))
    }

    /// Runs a statement that has no parameters and no answer.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(|error| store_error(&error))
    }
}

/// PostgreSQL's half of [`Tx`].
pub(crate) struct PgTx<'a> {
    client: &'a mut Client,
    statements: &'a mut Statements,
}

impl PgTx<'_> {
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, StoreError> {
        let (statement, _) = self.prepare(sql)?;
        self.client.execute(&statement, &by_reference(params)).map_err(|error| store_error(&error))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let (statement, columns) = self.prepare(sql)?;
        let found = self.client.query(&statement, &by_reference(params));
        let found = found.map_err(|error| store_error(&error))?;
        let read = |row: &::postgres::Row| {
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

    fn prepare(&mut self, sql: &'static str) -> Result<(Statement, Columns), StoreError> {
        let place = (sql.as_ptr() as usize, sql.len());
        if let Some((statement, columns)) = self.statements.get(&place) {
            return Ok((statement.clone(), Arc::clone(columns)));
        }
        let statement = self.client.prepare(sql).map_err(|error| store_error(&error))?;
        let names: Vec<Box<str>> = statement.columns().iter().map(|c| c.name().into()).collect();
        let columns: Columns = names.into();
        self.statements.insert(place, (statement.clone(), Arc::clone(&columns)));
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
pub(super) fn store_error(error: &::postgres::Error) -> StoreError {
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
pub(super) fn describe(error: &::postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
