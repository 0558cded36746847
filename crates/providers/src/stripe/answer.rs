//! What an answer's status means, and its body when it is a good one.

use serde_json::Value;

use super::wire::{Malformed, Node};
use crate::error::CallError;

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

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
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
