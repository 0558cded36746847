//! A customer's credits: the ledger, what is given and taken by hand, and spending that was paused.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::spending::{Adjustment, LedgerView};
use farthing_engine::state::State as CustomerState;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::auth::{Reader, Writer};
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::query::{self, CustomerPath, Limit, Page, Params};
use crate::schema;
use crate::state::App;
use crate::values::Instant;

/// Credits to give or take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"credit": "ai", "amount": 500, "reason": "sorry for the outage"}))]
pub struct AdjustRequest {
    /// The credit feature's key.
    #[schema(value_type = String)]
    credit: Text<64>,
    /// How many: positive gives, negative takes; not 0.
    amount: i64,
    /// Why, for people.
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    reason: Text<500>,
    /// The first instant at which given ones can no longer be spent; for good when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
}

/// Which part of the ledger.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LedgerParams {
    /// The credit feature's key; the catalog's first when left out.
    #[param(value_type = Option<String>)]
    credit: Option<Text<64>>,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: String,
}

/// The ledger of a customer's credits, the newest transaction first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/credits", operation_id = "getLedger", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer"), LedgerParams),
    responses((status = 200, description = "A page of it", body = Page<schema::LedgerEntry>)),
    security(("api_key" = ["read"]))
)]
pub async fn get_ledger(
    State(app): State<App>,
    _: Reader,
    CustomerPath(id): CustomerPath,
    Params(params): Params<LedgerParams>,
) -> Result<Answered<Page<LedgerView>>, ApiError> {
    let LedgerParams { credit, limit, after } = params;
    let before = query::before(&after)?;
    let credit = credit.map(|text| text.0);
    let rows = app
        .ask(move |engine| engine.ledger(&id, credit.as_deref(), before, i64::from(limit.0) + 1));
    Ok(Answered(Page::of(rows.await?, limit, |entry| entry.seq.to_string())))
}

/// Gives a customer credits, or takes some, with a reason. What is given pays what is owed first.
#[utoipa::path(
    post, path = "/v1/customers/{id}/credits", operation_id = "adjustCredits", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    request_body = AdjustRequest,
    responses((status = 200, description = "The state now", body = schema::CustomerState)),
    security(("api_key" = ["full"]))
)]
pub async fn adjust_credits(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
    Json(body): Json<AdjustRequest>,
) -> Result<Answered<CustomerState>, ApiError> {
    let adjustment = Adjustment {
        credit: body.credit.0,
        amount: body.amount,
        reason: body.reason.0,
        expires_at: body.expires_at.map(|at| at.0),
    };
    app.ask(move |engine| engine.adjust_credits(&call, &id, &adjustment)).await.map(Answered)
}

/// Lets a customer spend credits again after a person has looked at what paused it.
#[utoipa::path(
    post, path = "/v1/customers/{id}/spending/resume", operation_id = "resumeSpending",
    tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    responses((status = 200, description = "The state now", body = schema::CustomerState)),
    security(("api_key" = ["full"]))
)]
pub async fn resume_spending(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
) -> Result<Answered<CustomerState>, ApiError> {
    app.ask(move |engine| engine.resume_spending(&call, &id)).await.map(Answered)
}
