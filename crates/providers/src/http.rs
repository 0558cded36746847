//! One request to a provider and its answer, as plain data, and what carries them.

use std::sync::Arc;

use crate::guard::Health;

/// A request, ready to be sent: no credentials and no address of a server in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// For example `/v1/customers`, with its query if it has one, already percent-encoded.
    pub path: String,
    /// The same key means the same operation, however often it is sent. On every `POST` that
    /// changes something, and on nothing else.
    pub idempotency_key: Option<String>,
    /// The form body as plain text, not yet percent-encoded. Empty for `GET` and `DELETE`.
    pub form: Vec<(String, String)>,
}

impl HttpRequest {
    /// Reads the object at `path`.
    pub fn get(path: String) -> Self {
        Self { method: "GET", path, idempotency_key: None, form: Vec::new() }
    }

    /// Changes something, at most once per `key`.
    pub fn post(path: String, key: &str, form: Vec<(String, String)>) -> Self {
        Self { method: "POST", path, idempotency_key: Some(key.to_owned()), form }
    }

    /// Asks something that needs a form and changes nothing, so that it needs no key. Its answer is
    /// never one that was saved before.
    pub fn ask(path: String, form: Vec<(String, String)>) -> Self {
        Self { method: "POST", path, idempotency_key: None, form }
    }

    /// Ends the object at `path`. Providers keep no key for this; a second one finds nothing.
    pub fn delete(path: String) -> Self {
        Self { method: "DELETE", path, idempotency_key: None, form: Vec::new() }
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name, which must be given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// There was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request never left: nothing happened.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It timed out or broke off: it may have happened.
    #[error("no answer: {0}")]
    Unknown(String),
    /// The provider is left alone for now: the request never left. Try again after so long.
    #[error("held back for {seconds} s: {why}")]
    HeldBack {
        /// Seconds from now, at least 1.
        seconds: u32,
        /// Why the provider is left alone.
        why: String,
    },
}

/// Carries a request to a provider, or to something that speaks like one.
pub trait Transport: Send + Sync {
    /// Sends and waits for the answer. An answer of any status is `Ok`.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;

    /// Whether the provider answers; `None` from a transport that does not keep count.
    fn health(&self) -> Option<Health> {
        None
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.as_ref().send(request)
    }

    fn health(&self) -> Option<Health> {
        self.as_ref().health()
    }
}
