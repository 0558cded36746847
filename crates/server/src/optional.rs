//! Bodies that may be left out. One that is sent is read as strictly as any other, so that nobody
//! thinks something counts that is not looked at.

use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::body;
use crate::error::ApiError;
use crate::json::{must_be_json, parse};
use crate::state::App;

/// A JSON body, or the default when nothing was sent.
pub struct Optional<T>(pub T);

/// The body of a route that takes none: nothing, or `{}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T: DeserializeOwned + Default> FromRequest<App> for Optional<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let headers = request.headers().clone();
        let bytes = body::read(request).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        must_be_json(&headers)?;
        parse(&bytes).map(Self)
    }
}
