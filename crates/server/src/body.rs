//! Reading a request's body: never more than its route takes, and never for longer than 30 s.

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::codes::Code;
use crate::error::ApiError;

/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest body that the route at `path` takes, in bytes.
///
/// 256 KiB; 1 MiB for `/v1/usage` (1,000 events) and provider events; 2 MiB for a catalog, whose
/// source has at most 1,000,000 bytes and may be written as a JSON string.
pub fn bytes_max(path: &str) -> usize {
    match path {
        "/v1/usage" | "/webhooks/stripe" => 1 << 20,
        "/v1/catalog/plan" | "/v1/catalog/apply" => 2 << 20,
        _ => 256 << 10,
    }
}

/// The whole body of `request`.
///
/// Errors: 413 when it is longer than its route takes, 408 when it comes too slowly, 415 when it
/// is compressed, 400 when it breaks off.
pub async fn read(request: Request) -> Result<Bytes, ApiError> {
    let most = bytes_max(request.uri().path());
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding != "identity") {
        let detail = "compressed bodies are not taken; send it without Content-Encoding";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let body = request.into_body();
    if u64::try_from(most).is_ok_and(|most| most < body.size_hint().lower()) {
        return Err(too_large(most));
    }
    match tokio::time::timeout(READ_TIMEOUT, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(err)) if err.is::<LengthLimitError>() => Err(too_large(most)),
        Ok(Err(_)) => {
            let detail = "the body broke off before its end; nothing was changed, send it again";
            Err(ApiError::new(Code::MalformedRequest, detail))
        }
        Err(_) => {
            let seconds = READ_TIMEOUT.as_secs();
            let detail = format!("the body did not arrive within {seconds} s; nothing was changed");
            Err(ApiError::new(Code::RequestTimeout, detail)
                .with_header(header::CONNECTION, HeaderValue::from_static("close")))
        }
    }
}

fn too_large(most: usize) -> ApiError {
    let detail = format!(
        "the body is longer than the {most} bytes that this endpoint takes; nothing was changed"
    );
    ApiError::new(Code::BodyTooLarge, detail)
}

/// What the headers say the body is, in lower case and without parameters.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split_once(';').map_or(value, |(media, _)| media);
    Some(media.trim().to_ascii_lowercase())
}

/// The body is of a type that this endpoint does not take.
pub fn unsupported(found: Option<&str>, takes: &str) -> ApiError {
    let found = match found {
        Some(found) => format!("the body is said to be {found:?}"),
        None => "the request does not say what its body is".to_owned(),
    };
    let detail = format!("{found}; send it with Content-Type: {takes}. Nothing was changed");
    ApiError::new(Code::UnsupportedMediaType, detail)
}
