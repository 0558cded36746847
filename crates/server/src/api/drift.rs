//! Ours against the provider's: compare, repair, and what was found before.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::reconcile::{self, DriftReport, DriftView};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::auth::{Reader, Writer};
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::optional::Optional;
use crate::query::{CustomerPath, IdPath, Limit, Page, Params, customer_id};
use crate::schema;
use crate::state::App;

/// What to do about differences.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"fix": true}))]
pub struct ReconcileRequest {
    /// Repair what can be repaired. Without it nothing is changed.
    fix: bool,
}

/// Compares everything of a customer with the provider, field by field.
///
/// Without `fix` it tells exactly what a repair would do, and does nothing. What was found is listed
/// at `GET /v1/drift` either way. The body may be left out.
#[utoipa::path(
    post, path = "/v1/customers/{id}/reconcile", operation_id = "reconcileCustomer",
    tag = "operations",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    request_body = ReconcileRequest,
    responses((status = 200, description = "What differs", body = schema::DriftReport)),
    security(("api_key" = ["full"]))
)]
pub async fn reconcile_customer(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
    Optional(body): Optional<ReconcileRequest>,
) -> Result<Answered<DriftReport>, ApiError> {
    app.ask(move |engine| engine.reconcile_customer(&call, &id, body.fix)).await.map(Answered)
}

/// Which ones.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DriftParams {
    /// Only those in this state.
    #[param(inline)]
    state: Option<DriftStateName>,
    /// Only those of this customer.
    #[param(value_type = Option<String>)]
    customer: String,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: String,
}

/// Where a difference stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DriftStateName {
    Open,
    Repaired,
    Gone,
    Ignored,
}

impl From<DriftStateName> for reconcile::State {
    fn from(name: DriftStateName) -> Self {
        match name {
            DriftStateName::Open => Self::Open,
            DriftStateName::Repaired => Self::Repaired,
            DriftStateName::Gone => Self::Gone,
            DriftStateName::Ignored => Self::Ignored,
        }
    }
}

/// Differences from the provider that were found, the newest first.
#[utoipa::path(
    get, path = "/v1/drift", operation_id = "listDrift", tag = "operations",
    params(DriftParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Drift>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_drift(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<DriftParams>,
) -> Result<Answered<Page<DriftView>>, ApiError> {
    let DriftParams { state, customer, limit, after } = params;
    let customer = match customer.as_str() {
        "" => None,
        text => Some(customer_id(text, "?customer")?),
    };
    let state = state.map(reconcile::State::from);
    let rows =
        app.ask(move |engine| engine.drift(state, customer.as_ref(), &after, limit.0 + 1)).await?;
    Ok(Answered(Page::of(rows, limit, |view| view.id.clone())))
}

/// Why a difference may stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "a partner's own deal, made in the dashboard"}))]
pub struct IgnoreRequest {
    /// At least ten characters, for whoever asks later.
    #[schema(value_type = String, min_length = 10, max_length = 500)]
    reason: Text<500>,
}

/// Lets a difference be, as long as it stays as it is.
#[utoipa::path(
    post, path = "/v1/drift/{id}/ignore", operation_id = "ignoreDrift", tag = "operations",
    params(("id" = String, Path, description = "Of the difference")),
    request_body = IgnoreRequest,
    responses((status = 200, description = "The difference", body = schema::Drift)),
    security(("api_key" = ["full"]))
)]
pub async fn ignore_drift(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Json(body): Json<IgnoreRequest>,
) -> Result<Answered<DriftView>, ApiError> {
    app.ask(move |engine| engine.ignore_drift(&call, &id, &body.reason.0)).await.map(Answered)
}
