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

/// The body of a successful answer, or what the status means.
///
/// A 5xx is not a refusal: Stripe saves it, too, and replays it for the same key. 409 with
/// `idempotency_key_in_use` means that the first one is still running. Anything that is not
/// Stripe's own error body came from something in between, so its meaning is unknown.
/// Source: <https://docs.stripe.com/api/errors>, <https://docs.stripe.com/api/idempotent_requests>.
pub fn answer(status: u16, body: &[u8]) -> Result<Value, CallError> {
    if let 200..300 = status {
        return serde_json::from_slice(body)
            .map_err(|err| CallError::Unknown(format!("Stripe's answer is not JSON: {err}")));
    }
    let failure = Failure::read(body);
    let said = failure.as_ref().map_or("without a reason", |failure| failure.message.as_str());
    match (status, failure.as_ref()) {
        (429, _) => Err(CallError::Unavailable(format!("too many requests (429): {said}"))),
        (401, Some(_)) => {
            Err(CallError::Unavailable(format!("Stripe does not accept the API key (401): {said}")))
        }
        (409, Some(failure)) if failure.code != "idempotency_key_in_use" => {
            Err(CallError::Unavailable(format!("409 {}: {said}", failure.code)))
        }
        (400..409 | 410..500, Some(failure)) => Err(CallError::Refused {
            status,
            code: failure.code.clone(),
            decline_code: failure.decline_code.clone(),
            param: failure.param.clone(),
            message: failure.message.clone(),
        }),
        _ => Err(CallError::Unknown(format!("HTTP {status}: {said}"))),
    }
}

/// Stripe's error body.
struct Failure {
    code: String,
    decline_code: Option<String>,
    param: Option<String>,
    message: String,
}

impl Failure {
    fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let error = body.get("error")?;
        let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
        let kind = text("type")?;
        Some(Self {
            code: text("code").unwrap_or_else(|| kind.clone()),
            decline_code: text("decline_code"),
            param: text("param"),
            message: text("message").unwrap_or(kind),
        })
    }
}

/// A path of segments and a query, percent-encoded. Segments may come from outside.
pub fn path(segments: &[&str], query: &[(String, String)]) -> String {
    let mut path = String::from("/v1");
    for segment in segments {
        path.push('/');
        // A path of dots would climb; no id of Stripe's has one.
        path.push_str(&escape(segment).replace('.', "%2E"));
    }
    for (i, (key, value)) in query.iter().enumerate() {
        path.push(if i == 0 { '?' } else { '&' });
        path.push_str(&escape(key));
        path.push('=');
        path.push_str(&escape(value));
    }
    path
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// One field of a form or query.
pub fn field(key: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (key.into(), value.into())
}

/// The fields that ask Stripe to include whole objects in the place of their ids. At most four
/// levels each. Source: <https://docs.stripe.com/api/expanding_objects>.
pub fn expand(what: &[&str]) -> Vec<(String, String)> {
    what.iter().enumerate().map(|(i, path)| field(format!("expand[{i}]"), *path)).collect()
}

/// One page of a list.
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The id to continue after; `None` on the last page.
    pub next: Option<String>,
}

/// Reads one page of a list whose elements `read` understands.
pub fn page<T>(
    status: u16,
    body: &[u8],
    read: impl Fn(&Node) -> Result<T, Malformed>,
) -> Result<Page<T>, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    let elements = root.need("data")?.elements()?;
    let next = match (root.flag("has_more")?, elements.last()) {
        (false, _) => None,
        (true, Some(last)) => Some(last.text("id")?),
        (true, None) => return Err(root.wrong("has_more is true on an empty page").into()),
    };
    Ok(Page { items: elements.iter().map(read).collect::<Result<_, _>>()?, next })
}
