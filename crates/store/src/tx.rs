//! One transaction, on whichever database it is open.

use crate::error::StoreError;
use crate::postgres::PgTx;
use crate::row::{Row, beginning};
use crate::sqlite::SqliteTx;
use crate::value::Value;

/// Which database this is, for the few statements that must differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite, in a file or in memory.
    Sqlite,
    /// PostgreSQL, or something that speaks its protocol.
    Postgres,
}

/// An open transaction. It is committed or rolled back by [`crate::Store`], not from inside.
///
/// Statements are one text for both databases, with `$1` to `$n`; see [`crate::sqlite`] for
/// what is rewritten. After a failed statement the transaction can only be rolled back, as
/// PostgreSQL has it: every further statement answers the same error, and so does the
/// transaction as a whole, even if the work goes on and returns `Ok`. Write `ON CONFLICT` for
/// conflicts that are expected.
pub struct Tx<'a> {
    on: On<'a>,
    failed: Option<StoreError>,
}

pub(crate) enum On<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(PgTx<'a>),
}

impl<'a> Tx<'a> {
    pub(crate) fn new(on: On<'a>) -> Self {
        Self { on, failed: None }
    }

    /// Runs a statement and answers how many rows it changed.
    pub fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        self.check(params)?;
        let done = match &mut self.on {
            On::Sqlite(tx) => tx.execute(sql, params),
            On::Postgres(tx) => tx.execute(sql, params),
        };
        done.inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Runs a statement and answers all its rows.
    pub fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.check(params)?;
        let rows = match &mut self.on {
            On::Sqlite(tx) => tx.query(sql, params),
            On::Postgres(tx) => tx.query(sql, params),
        };
        rows.inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Runs a statement that has at most one row; more than one is `Inconsistent`.
    pub fn query_opt(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        let mut rows = self.query(sql, params)?;
        if 1 < rows.len() {
            return Err(StoreError::Inconsistent {
                column: "all columns".into(),
                problem: format!("{} rows where at most one can be", rows.len()),
                statement: beginning(sql),
            });
        }
        Ok(rows.pop())
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.on {
            On::Sqlite(_) => Dialect::Sqlite,
            On::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Something else was in the way that is gone by now: roll back and run the work again.
    pub fn contended(&mut self) -> StoreError {
        self.failed.get_or_insert(StoreError::Contended).clone()
    }

    /// The first statement that failed, if one did: then nothing may be committed.
    pub(crate) fn failed(&self) -> Option<&StoreError> {
        self.failed.as_ref()
    }

    /// Refuses what only one of the databases would take.
    fn check(&mut self, params: &[Value]) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
        if params.iter().any(has_nul) {
            let message = "a text holds a NUL character, which PostgreSQL cannot store".to_owned();
            let error = StoreError::Constraint { message };
            self.failed = Some(error.clone());
            return Err(error);
        }
        Ok(())
    }
}
