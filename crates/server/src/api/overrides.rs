//! Exceptions from the plan, for one customer.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::overrides::NewOverride;
use farthing_engine::state::State as CustomerState;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Writer;
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::query::FeaturePath;
use crate::schema;
use crate::state::App;
use crate::values::{Instant, LimitValue};

/// An exception to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "limit": 20, "reason": "promised by sales", "expires_at": "2027-12-31T00:00:00Z"
}))]
pub struct OverrideRequest {
    /// `true` or `false` for a boolean feature, a number from 0, or `"unlimited"`.
    #[schema(value_type = Value)]
    limit: LimitValue,
    /// Why, for people.
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    reason: Text<500>,
    /// The first instant at which it no longer counts; for good when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
}

/// Allows one customer something else than the plan does.
#[utoipa::path(
    put, path = "/v1/customers/{id}/overrides/{feature}", operation_id = "putOverride",
    tag = "customers",
    params(
        ("id" = String, Path, description = "The app's own id of the customer"),
        ("feature" = String, Path, description = "The feature's key")
    ),
    request_body = OverrideRequest,
    responses((status = 200, description = "The state now", body = schema::CustomerState)),
    security(("api_key" = ["full"]))
)]
pub async fn put_override(
    State(app): State<App>,
    Writer(call): Writer,
    FeaturePath(id, feature): FeaturePath,
    Json(body): Json<OverrideRequest>,
) -> Result<Answered<CustomerState>, ApiError> {
    let new = NewOverride {
        limit: body.limit.0,
        reason: body.reason.0,
        expires_at: body.expires_at.map(|at| at.0),
    };
    let state = app.ask(move |engine| engine.put_override(&call, &id, &feature, &new)).await?;
    Ok(Answered(state))
}

/// Ends an exception. Ending what is not there changes nothing.
#[utoipa::path(
    delete, path = "/v1/customers/{id}/overrides/{feature}", operation_id = "deleteOverride",
    tag = "customers",
    params(
        ("id" = String, Path, description = "The app's own id of the customer"),
        ("feature" = String, Path, description = "The feature's key")
    ),
    responses((status = 200, description = "The state now", body = schema::CustomerState)),
    security(("api_key" = ["full"]))
)]
pub async fn delete_override(
    State(app): State<App>,
    Writer(call): Writer,
    FeaturePath(id, feature): FeaturePath,
) -> Result<Answered<CustomerState>, ApiError> {
    app.ask(move |engine| engine.delete_override(&call, &id, &feature)).await.map(Answered)
}
