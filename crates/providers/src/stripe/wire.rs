//! Reading Stripe's JSON: only the fields that are asked for, with the path of what is wrong.
//!
//! Tolerant where it can be: unknown fields are ignored and `null` is the same as absent. Strict
//! where it must be: a field that is asked for and has another type is an error, never a default.

use farthing_core::time::{Period, Timestamp};
use serde_json::Value;

use crate::error::CallError;

/// A field is missing or is not what it should be. Its text names the path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Malformed {
    /// For example `items.data[0].price`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// An answer that we cannot read may still be one of something that happened.
impl From<Malformed> for CallError {
    fn from(malformed: Malformed) -> Self {
        Self::Unknown(format!("Stripe's answer could not be read: {malformed}"))
    }
}

/// One JSON value and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// The whole document; paths are told from here.
    pub fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// An error about this value.
    pub fn wrong(&self, problem: impl Into<String>) -> Malformed {
        let path = if self.path.is_empty() { "the body".to_owned() } else { self.path.clone() };
        Malformed { path, problem: problem.into() }
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { value, path: format!("{}{dot}{key}", self.path) }
    }

    /// This value as it stands, as JSON.
    pub fn to_json(&self) -> String {
        self.value.to_string()
    }

    /// The field, unless it is absent or `null`.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// The field. Errors when it is absent or `null`.
    pub fn need(&self, key: &str) -> Result<Self, Malformed> {
        self.get(key).ok_or_else(|| self.child(key, &Value::Null).wrong("is missing"))
    }

    /// The field at the end of a path of objects, each of which may be absent.
    pub fn find(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self.clone(), |node, key| node.get(key))
    }

    /// This value as text.
    pub fn as_text(&self) -> Result<&'a str, Malformed> {
        self.value.as_str().ok_or_else(|| self.wrong("is not a text"))
    }

    /// This value as a whole number.
    pub fn as_int(&self) -> Result<i64, Malformed> {
        self.value.as_i64().ok_or_else(|| self.wrong("is not a whole number of 64 bits"))
    }

    /// This value as an instant, given in seconds after 1970.
    pub fn as_time(&self) -> Result<Timestamp, Malformed> {
        let seconds = self.as_int()?;
        Timestamp::from_seconds(seconds).map_err(|_| self.wrong("is not an instant we can hold"))
    }

    /// The text of a required field, which must not be empty.
    pub fn text(&self, key: &str) -> Result<String, Malformed> {
        let node = self.need(key)?;
        let text = node.as_text()?;
        if text.is_empty() { Err(node.wrong("is empty")) } else { Ok(text.to_owned()) }
    }

    /// The text of an optional field.
    pub fn opt_text(&self, key: &str) -> Result<Option<String>, Malformed> {
        self.get(key).map(|node| node.as_text().map(str::to_owned)).transpose()
    }

    /// A required whole number.
    pub fn int(&self, key: &str) -> Result<i64, Malformed> {
        self.need(key)?.as_int()
    }

    /// An optional whole number.
    pub fn opt_int(&self, key: &str) -> Result<Option<i64>, Malformed> {
        self.get(key).map(|node| node.as_int()).transpose()
    }

    /// A required truth value.
    pub fn flag(&self, key: &str) -> Result<bool, Malformed> {
        let node = self.need(key)?;
        node.value.as_bool().ok_or_else(|| node.wrong("is neither true nor false"))
    }

    /// An optional truth value.
    pub fn opt_flag(&self, key: &str) -> Result<Option<bool>, Malformed> {
        self.get(key).map(|_| self.flag(key)).transpose()
    }

    /// A required instant.
    pub fn time(&self, key: &str) -> Result<Timestamp, Malformed> {
        self.need(key)?.as_time()
    }

    /// An optional instant.
    pub fn opt_time(&self, key: &str) -> Result<Option<Timestamp>, Malformed> {
        self.get(key).map(|node| node.as_time()).transpose()
    }

    /// `[start, end)` from two required instants. Errors when the end lies before the start.
    pub fn period(&self, start: &str, end: &str) -> Result<Period, Malformed> {
        let period = Period { start: self.time(start)?, end: self.time(end)? };
        if period.end < period.start {
            return Err(self.wrong(format!("{end} lies before {start}")));
        }
        Ok(period)
    }

    /// The id in this value, which is an id or the whole object.
    pub fn as_id(&self) -> Result<String, Malformed> {
        if self.value.is_object() {
            return self.text("id");
        }
        match self.as_text()? {
            "" => Err(self.wrong("is empty")),
            id => Ok(id.to_owned()),
        }
    }

    /// The id in an optional field, which holds an id or the whole object.
    pub fn opt_id(&self, key: &str) -> Result<Option<String>, Malformed> {
        self.get(key).map(|node| node.as_id()).transpose()
    }

    /// The object in an optional field. `None` when there is none, or only its id.
    pub fn object(&self, key: &str) -> Option<Self> {
        self.get(key).filter(|node| node.value.is_object())
    }

    /// The object in an optional field that we asked Stripe to include. Errors when it is only an
    /// id, because then the answer lacks what the caller counts on.
    pub fn included(&self, key: &str) -> Result<Option<Self>, Malformed> {
        let Some(node) = self.get(key) else { return Ok(None) };
        if node.value.is_object() {
            return Ok(Some(node));
        }
        Err(node.wrong("is only an id, although the whole object was asked for"))
    }

    /// The elements of an array.
    pub fn elements(&self) -> Result<Vec<Self>, Malformed> {
        let elements = self.value.as_array().ok_or_else(|| self.wrong("is not a list"))?;
        let node = |(i, value)| Self { value, path: format!("{}[{i}]", self.path) };
        Ok(elements.iter().enumerate().map(node).collect())
    }

    /// The elements of a Stripe list object in a required field.
    pub fn list(&self, key: &str) -> Result<Vec<Self>, Malformed> {
        self.need(key)?.need("data")?.elements()
    }

    /// A text from the object's metadata.
    pub fn metadata(&self, key: &str) -> Result<Option<String>, Malformed> {
        match self.get("metadata") {
            Some(metadata) => Ok(metadata.opt_text(key)?.filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    /// Errors unless the object is of that kind, as its `object` field says.
    pub fn expect_kind(&self, kind: &str) -> Result<(), Malformed> {
        let found = self.text("object")?;
        if found == kind {
            return Ok(());
        }
        Err(self.child("object", self.value).wrong(format!("is {found:?} and not {kind:?}")))
    }
}
