//! What comes out of a statement, read by position. A value that cannot be right is an error
//! that names its column, never a default.

use std::str::FromStr;
use std::sync::Arc;

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::error::StoreError;
use crate::value::Value;

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    values: Vec<Value>,
    columns: Columns,
    statement: &'static str,
}

/// The names of a statement's columns, shared by its rows.
pub(crate) type Columns = Arc<[Box<str>]>;

impl Row {
    pub(crate) fn new(values: Vec<Value>, columns: Columns, statement: &'static str) -> Self {
        Self { values, columns, statement }
    }

    /// The whole number in column `at`.
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.opt_int(at)?.ok_or_else(|| self.bad(at, "is NULL"))
    }

    /// The whole number in column `at`, or `None` for NULL.
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.value(at)? {
            Value::Null => Ok(None),
            Value::Int(n) => Ok(Some(*n)),
            _ => Err(self.bad(at, "is not a whole number")),
        }
    }

    /// The text in column `at`.
    pub fn text(&self, at: usize) -> Result<String, StoreError> {
        self.opt_text(at)?.ok_or_else(|| self.bad(at, "is NULL"))
    }

    /// The text in column `at`, or `None` for NULL.
    pub fn opt_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        Ok(self.str(at)?.map(str::to_owned))
    }

    /// The bytes in column `at`.
    pub fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        self.opt_bytes(at)?.ok_or_else(|| self.bad(at, "is NULL"))
    }

    /// The bytes in column `at`, or `None` for NULL.
    pub fn opt_bytes(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.value(at)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes.clone())),
            _ => Err(self.bad(at, "is not bytes")),
        }
    }

    /// The 0 or 1 in column `at`.
    pub fn bool(&self, at: usize) -> Result<bool, StoreError> {
        match self.int(at)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad(at, "is neither 0 nor 1")),
        }
    }

    /// The instant in column `at`.
    pub fn time(&self, at: usize) -> Result<Timestamp, StoreError> {
        self.opt_time(at)?.ok_or_else(|| self.bad(at, "is NULL"))
    }

    /// The instant in column `at`, or `None` for NULL.
    pub fn opt_time(&self, at: usize) -> Result<Option<Timestamp>, StoreError> {
        let micros = self.opt_int(at)?;
        let time = micros.map(Timestamp::from_micros).transpose();
        time.map_err(|_| self.bad(at, "is not an instant between 1970 and 9999"))
    }

    /// The customer in column `at`.
    pub fn customer(&self, at: usize) -> Result<CustomerId, StoreError> {
        self.parse(at)
    }

    /// The customer in column `at`, or `None` for NULL and for `''`, which keys use for "no
    /// customer".
    pub fn opt_customer(&self, at: usize) -> Result<Option<CustomerId>, StoreError> {
        match self.str(at)? {
            None | Some("") => Ok(None),
            Some(_) => self.parse(at).map(Some),
        }
    }

    /// The text in column `at` as anything that can be read from text.
    pub fn parse<T: FromStr>(&self, at: usize) -> Result<T, StoreError> {
        let text = self.str(at)?.ok_or_else(|| self.bad(at, "is NULL"))?;
        text.parse().map_err(|_| self.bad(at, "is not a text that is known here"))
    }

    /// [`StoreError::Inconsistent`] about column `at`, for rules that a caller checks itself.
    pub fn bad(&self, at: usize, problem: &str) -> StoreError {
        let name = self.columns.get(at).map_or("?", AsRef::as_ref);
        let column = match self.values.first() {
            Some(Value::Text(key)) if at != 0 && key.len() <= 128 => format!("{name} of {key:?}"),
            Some(Value::Int(key)) if at != 0 => format!("{name} of {key}"),
            _ => name.to_owned(),
        };
        let statement = beginning(self.statement);
        StoreError::Inconsistent { column, problem: problem.to_owned(), statement }
    }

    fn str(&self, at: usize) -> Result<Option<&str>, StoreError> {
        match self.value(at)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.bad(at, "is not text")),
        }
    }

    fn value(&self, at: usize) -> Result<&Value, StoreError> {
        self.values.get(at).ok_or_else(|| self.bad(at, "is not a column of the statement"))
    }
}

/// The first words of a statement, on one line.
pub(crate) fn beginning(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    words.join(" ").chars().take(100).collect()
}
