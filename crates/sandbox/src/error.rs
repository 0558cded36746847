//! What the API answers when it refuses: Stripe's error envelope.
//!
//! Source: <https://docs.stripe.com/api/errors>

use serde_json::{Map, Value, json};

/// A refusal, with everything Stripe's error envelope can carry. Boxed so that results stay small.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Envelope>);

#[derive(Debug, Clone)]
struct Envelope {
    status: u16,
    kind: &'static str,
    code: Option<String>,
    message: String,
    extra: Map<String, Value>,
}

/// The answer of every endpoint: a rendered object or a refusal.
pub(crate) type Answer = Result<Value, ApiError>;

impl ApiError {
    fn new(status: u16, kind: &'static str, code: Option<&str>, message: String) -> ApiError {
        let code = code.map(str::to_owned);
        ApiError(Box::new(Envelope { status, kind, code, message, extra: Map::new() }))
    }

    /// 400 with a code of Stripe's list, for example `parameter_missing`.
    pub(crate) fn invalid(code: &str, param: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(400, "invalid_request_error", Some(code), message.into()).with("param", param)
    }

    /// 400 about the request as a whole; Stripe gives these no code.
    pub(crate) fn refused(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "invalid_request_error", None, message.into())
    }

    /// 400 about one parameter, without a code.
    pub(crate) fn bad_param(param: &str, message: impl Into<String>) -> ApiError {
        ApiError::refused(message).with("param", param)
    }

    /// 404 for the object named in the path. One that a parameter names is 400:
    /// [`ApiError::unknown_reference`].
    pub(crate) fn no_such(what: &str, id: &str) -> ApiError {
        let message = format!("No such {what}: '{id}'");
        ApiError::new(404, "invalid_request_error", Some("resource_missing"), message)
            .with("param", "id")
    }

    /// 400 for an id in a parameter that belongs to nothing.
    pub(crate) fn unknown_reference(what: &str, id: &str, param: &str) -> ApiError {
        ApiError::invalid("resource_missing", param, format!("No such {what}: '{id}'"))
    }

    /// 404 for a path that is not an endpoint.
    pub(crate) fn no_such_url(method: &str, path: &str) -> ApiError {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). The sandbox does not have this endpoint."
        );
        ApiError::new(404, "invalid_request_error", None, message)
    }

    /// 401: the key is missing, malformed or of the wrong mode.
    pub(crate) fn unauthorized(message: impl Into<String>) -> ApiError {
        ApiError::new(401, "invalid_request_error", None, message.into())
    }

    /// 400: an idempotency key was used again with other parameters.
    pub(crate) fn idempotency(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "idempotency_error", None, message.into())
    }

    /// 402: the card said no.
    pub(crate) fn card(code: &str, decline_code: Option<&str>, message: &str) -> ApiError {
        let error = ApiError::new(402, "card_error", Some(code), message.to_owned());
        match decline_code {
            Some(decline) => error.with("decline_code", decline),
            None => error,
        }
    }

    /// 429: too many calls.
    pub(crate) fn rate_limited() -> ApiError {
        let message = "Request rate limit exceeded. Learn more about rate limits here \
                       https://stripe.com/docs/rate-limits. Nothing was changed.";
        ApiError::new(429, "invalid_request_error", Some("rate_limit"), message.to_owned())
    }

    /// 500: the sandbox itself is in trouble, for example its disk is full.
    pub(crate) fn internal(message: impl Into<String>) -> ApiError {
        ApiError::new(500, "api_error", None, message.into())
    }

    /// The same refusal with one more field in the envelope.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> ApiError {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// The body: `{"error": {...}}`.
    pub(crate) fn body(&self) -> Value {
        let mut error = Map::new();
        if let Some(code) = &self.0.code {
            error.insert("code".into(), json!(code));
            error.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        error.extend(self.0.extra.clone());
        error.insert("message".into(), json!(self.0.message));
        error.insert("type".into(), json!(self.0.kind));
        json!({ "error": error })
    }
}
