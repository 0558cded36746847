//! The one shape of every error: `application/problem+json` of RFC 9457.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc9457>. A handler answers an [`ApiError`]; the
//! outermost layer writes it out, because only that layer knows the id of the request.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::codes::Code;

/// The media type of an error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body, `?name` for a query parameter, `{name}` for a part of
    /// the path. `""` is the whole body.
    pub pointer: String,
    /// Stable; clients match on it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl FieldProblem {
    /// What is wrong at `pointer`, and what to do about it.
    pub fn new(
        pointer: impl Into<String>,
        code: Code,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (pointer, message, fix) = (pointer.into(), message.into(), fix.into());
        Self { pointer, code: code.code(), message, fix }
    }
}

/// A request that was not carried out. Unless `detail` says otherwise, nothing was changed.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error of this kind, with one or two sentences about this occurrence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code: code.code(),
            title: code.title(),
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// An error with a code that the engine gave.
    pub fn of_engine(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = Code::of(code).map_or("The request was refused", Code::title);
        let detail = detail.into();
        Self { status, code, title, detail, errors: Vec::new(), headers: Vec::new() }
    }

    /// There is no such thing, or not for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// The request is wrong in these places; nothing was changed.
    pub fn invalid(errors: Vec<FieldProblem>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}; nothing was changed", only.message),
            more => format!("{} things are wrong; nothing was changed", more.len()),
        };
        Self::new(Code::InvalidRequest, detail).with_errors(errors)
    }

    /// With what is wrong, place by place.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With how long to wait before the next try, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
}

/// The body of an error, as it is sent.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    errors: &'a [FieldProblem],
}

impl IntoResponse for ApiError {
    /// A response without a body: [`render`] writes it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of an error into `response`; leaves everything else as it is.
pub fn render(mut response: Response, request_id: &str) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else {
        return response;
    };
    let problem = Problem {
        r#type: format!("/docs#{}", error.code),
        title: error.title,
        status: error.status.as_u16(),
        detail: &error.detail,
        code: error.code,
        request_id,
        errors: &error.errors,
    };
    let body = serde_json::to_vec(&problem).expect("texts and numbers can always be written");
    let media = HeaderValue::from_static(PROBLEM_JSON);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_is_written_with_its_code_and_the_id_of_the_request() {
        let field = FieldProblem::new("/a~1b", Code::UnknownField, "no", "yes");
        let error = ApiError::invalid(vec![field]).retry_after(3);
        let response = render(error.into_response(), "req_1");
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()["retry-after"], "3");
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&body), @r##"{"type":"/docs#invalid_request","title":"The request is not valid","status":422,"detail":"no; nothing was changed","code":"invalid_request","request_id":"req_1","errors":[{"pointer":"/a~1b","code":"unknown_field","message":"no","fix":"yes"}]}"##);
    }
}
