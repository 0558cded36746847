//! `Idempotency-Key`: a POST that is sent again is answered again, and done once.
//!
//! The key, scoped to the API key, is written down before the work starts and the answer after
//! it. Once started, the work runs to its end even when the client has gone: the answer is kept
//! for the next try. An answer that only says "not now" (5xx, or with `Retry-After`) is not kept,
//! and neither is one with a secret in it (`Cache-Control: no-store`).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use farthing_engine::idempotency::{Begun, Keyed};
use sha2::{Digest, Sha256};

use crate::auth::{self, CallerId};
use crate::body;
use crate::codes::Code;
use crate::error::{ApiError, PROBLEM_JSON, render};
use crate::query;
use crate::request::RequestId;
use crate::state::App;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest answer that is kept, in bytes. Answers to a POST are far shorter.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Around every route under `/v1`: who is it, may they go on, was this done before?
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match auth::authenticate(&mut parts, &app).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let rate = app.rates.take(&caller.key_id, (app.uptime)());
    let checked = if rate.allowed { check(&app, &mut parts).await } else { Err(rate.refusal()) };
    let request = Request::from_parts(parts, body);
    let mut response = match checked {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => once(&app, &caller.key_id, key, request, next).await,
        Err(error) => error.into_response(),
    };
    rate.write(response.headers_mut());
    response.extensions_mut().insert(CallerId(caller.key_id));
    response
}

/// What is wrong whatever the route does; else the request's idempotency key, if it has one.
async fn check(app: &App, parts: &mut Parts) -> Result<Option<String>, ApiError> {
    query::check(app, parts).await?;
    if parts.method == Method::POST { key_of(&parts.headers) } else { Ok(None) }
}

/// The client's key. Errors: it is none of 1 to 255 printable characters, or there are two.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim);
    let key = key.filter(|key| (1..=255).contains(&key.len()) && values.next().is_none());
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let detail = "an Idempotency-Key is one header of 1 to 255 printable ASCII characters";
        ApiError::new(Code::InvalidIdempotencyKey, format!("{detail}; nothing was changed"))
    })
}

async fn once(app: &App, caller: &str, key: String, request: Request, next: Next) -> Response {
    match begin(app, caller, key, request).await {
        Ok(Asked::Do(request, keyed)) => finish(app, keyed, *request, next).await,
        Ok(Asked::Answer(response)) => response,
        Err(error) => error.into_response(),
    }
}

/// What to do with a request that has a key.
enum Asked {
    Do(Box<Request>, Keyed),
    Answer(Response),
}

async fn begin(app: &App, caller: &str, key: String, request: Request) -> Result<Asked, ApiError> {
    let (parts, read) = request.into_parts();
    let mut copy = Request::new(read);
    copy.headers_mut().clone_from(&parts.headers);
    copy.uri_mut().clone_from(&parts.uri);
    let bytes = body::read(copy).await?;
    let request_hash = fingerprint(&parts.method, &parts.uri.to_string(), &bytes);
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let request_id = request_id.unwrap_or_default();
    let now = app.wall.now();
    let keyed = Keyed { scope: caller.to_owned(), key, request_hash, request_id, now };
    let asked = keyed.clone();
    let begun = app.ask(move |engine| engine.idempotency_begin(&asked)).await?;
    match begun {
        Begun::Started => {
            Ok(Asked::Do(Box::new(Request::from_parts(parts, Body::from(bytes))), keyed))
        }
        Begun::Replay { status, body } => Ok(Asked::Answer(replay(status, body))),
        Begun::Running => {
            let detail = "the first request with this Idempotency-Key is still running; this one \
                          did nothing, ask again in a moment";
            Err(ApiError::new(Code::IdempotencyKeyInUse, detail).retry_after(1))
        }
        Begun::OtherBody => {
            let detail = "this Idempotency-Key was used for another request; this one did nothing. \
                          Use a new key for a new request";
            Err(ApiError::new(Code::IdempotencyKeyReused, detail))
        }
    }
}

/// What makes two requests the same.
fn fingerprint(method: &Method, uri: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), uri.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn replay(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let media = if status.is_success() { "application/json" } else { PROBLEM_JSON };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Does the work and keeps its answer, in a task that nobody can cancel.
async fn finish(app: &App, keyed: Keyed, mut request: Request, next: Next) -> Response {
    let app = app.clone();
    request.extensions_mut().insert(keyed.clone());
    let id = keyed.request_id.clone();
    let work = async move {
        let answer = tokio::spawn(next.run(request)).await.unwrap_or_else(|err| {
            tracing::error!(request.id = id, panic = err.is_panic(), "a handler broke off");
            ApiError::new(Code::Internal, Code::INTERNAL_DETAIL).into_response()
        });
        let (parts, body) = render(answer, &id).into_parts();
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.ok();
        keep(&app, keyed, parts.status, &parts.headers, bytes.as_ref()).await;
        Response::from_parts(parts, Body::from(bytes.unwrap_or_default()))
    };
    tokio::spawn(work).await.unwrap_or_else(|err| {
        tracing::error!(panic = err.is_panic(), "keeping an answer broke off");
        ApiError::new(Code::Internal, Code::INTERNAL_DETAIL).into_response()
    })
}

async fn keep(
    app: &App,
    keyed: Keyed,
    status: StatusCode,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) {
    let secret = headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-store");
    let final_answer = !status.is_server_error() && !headers.contains_key(header::RETRY_AFTER);
    let kept = match body.filter(|_| final_answer && !secret) {
        Some(body) => {
            let (status, body) = (status.as_u16(), body.to_vec());
            app.ask(move |engine| engine.idempotency_finish(&keyed, status, &body)).await
        }
        None => app.ask(move |engine| engine.idempotency_forget(&keyed)).await,
    };
    if kept.is_err() {
        tracing::error!(
            "an answer could not be kept; its Idempotency-Key stays in use for a while"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_header_of_printable_characters() {
        let mut headers = HeaderMap::new();
        assert_eq!(key_of(&headers).unwrap(), None);
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("order-17"));
        assert_eq!(key_of(&headers).unwrap().as_deref(), Some("order-17"));
        for bad in [&b""[..], b" ", b"\xff", "é".as_bytes(), &[b'x'; 256]] {
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(bad).unwrap());
            assert!(key_of(&headers).is_err(), "{bad:?} was taken");
        }
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(key_of(&headers).is_err(), "two keys were taken");
    }

    #[test]
    fn requests_differ_in_their_parts_and_not_in_their_sum() {
        let post = Method::POST;
        assert_ne!(fingerprint(&post, "/a", b"bc"), fingerprint(&post, "/ab", b"c"));
        assert_eq!(fingerprint(&post, "/a", b"bc"), fingerprint(&post, "/a", b"bc"));
    }
}
