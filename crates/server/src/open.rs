//! Around the routes that need no API key.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::query;
use crate::state::App;

/// What is answered however many ask. Neither health nor readiness asks the database for each
/// request, and a flood of strangers must not have a healthy server taken for a broken one;
/// provider events are counted when their signature is wrong.
const UNCOUNTED: [&str; 3] = ["/healthz", "/readyz", "/webhooks/stripe"];

/// Refuses unknown parameters, and too many requests for one route.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn check(app: &App, request: Request) -> Result<Request, ApiError> {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if !UNCOUNTED.contains(&path) {
        app.admit_stranger(path)?;
    }
    query::check(app, &mut parts).await?;
    Ok(Request::from_parts(parts, body))
}
