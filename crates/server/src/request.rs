//! The outermost layer: an id for every request, a line in the log, a count, and the one place
//! where an error gets its body.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use farthing_core::ids::IdKind;
use tokio::task::JoinSet;

use crate::auth::CallerId;
use crate::codes::Code;
use crate::error::{ApiError, render};
use crate::state::App;

/// The header that names a request.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub use farthing_web::RequestId;

/// Wraps everything.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = (app.uptime)();
    let id = app.engine.new_id(IdKind::Request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    // What the client wrote as a path may hold an e-mail address; the pattern does not.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unknown".to_owned());
    // A panic must not take the connection down without an answer. A client that goes away ends
    // the task: what has to be finished runs in tasks and threads of its own.
    let mut task = JoinSet::new();
    task.spawn(next.run(request));
    let answer = match task.join_next().await {
        Some(Ok(answer)) => answer,
        broken => {
            let panic = broken.is_some_and(|end| end.is_err_and(|err| err.is_panic()));
            tracing::error!(request.id = id, panic, "a handler broke off");
            ApiError::new(Code::Internal, Code::INTERNAL_DETAIL).into_response()
        }
    };
    let mut response = render(answer, &id);
    finish(&mut response, &id);
    let took = (app.uptime)().saturating_sub(started);
    let status = response.status().as_u16();
    let known = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
    let method = if known.contains(&method.as_str()) { method.as_str() } else { "other" };
    app.metrics.count(method, &route, status, took);
    let key = response.extensions().get::<CallerId>().map_or("", |caller| caller.0.as_str());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(request.id = id, method, route, status, key.id = key, micros, "answered");
    response
}

/// The headers of every answer.
fn finish(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// For what no route is there.
pub async fn unknown_route() -> ApiError {
    let detail = "there is no such route; /docs lists those that are there";
    ApiError::new(Code::NotFound, detail)
}

/// For a route that is there with other methods.
pub async fn unknown_method() -> ApiError {
    let detail = "this route has other methods; the header Allow lists them";
    ApiError::new(Code::MethodNotAllowed, detail)
}
