//! Changing a running subscription.

use axum::Json as Answered;
use axum::extract::State;
use farthing_core::change::Command;
use farthing_core::time::Interval;
use farthing_engine::Call;
use farthing_engine::changes::{ChangePreview, Changed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Writer;
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::optional::{Nothing, Optional};
use crate::query::{IdPath, Params, PreviewParams};
use crate::schema;
use crate::state::App;

/// Another plan, or another interval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan": "pro"}))]
pub struct ChangeRequest {
    /// The plan's key.
    #[schema(value_type = String)]
    plan: Text<64>,
    /// How often it is paid: `month` or `year`; as often as now when left out.
    #[schema(value_type = Option<String>)]
    interval: Option<Interval>,
    /// From a preview: it costs exactly what was shown, or is refused.
    #[schema(value_type = Option<String>)]
    preview_token: Option<Text<128>>,
}

/// When it ends.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelAt {
    /// At the end of what was paid for; it can be undone until then.
    PeriodEnd,
    /// At once, for good.
    Now,
}

/// An end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "period_end"}))]
pub struct CancelRequest {
    /// When.
    at: CancelAt,
    /// What the customer said, for the timeline.
    #[schema(value_type = Option<String>)]
    reason: Option<Text<500>>,
}

/// What it would be, or what it became.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// With `?preview=true`.
    Preview(ChangePreview),
    /// Without.
    Changed(Changed),
}

/// Changes plan or interval: up at once and prorated, down at the end of the period.
///
/// With `?preview=true` it answers what is due now and a `preview_token`, and changes nothing.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/change", operation_id = "changeSubscription",
    tag = "billing", params(("id" = String, Path, description = "Of the subscription"), PreviewParams),
    request_body = ChangeRequest,
    responses((status = 200, description = "The preview, or what became of it",
               body = schema::ChangeAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn change_subscription(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Params(params): Params<PreviewParams>,
    Json(body): Json<ChangeRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let command = Command::Change { plan: body.plan.0, interval: body.interval };
    let token = body.preview_token.map(|token| token.0);
    run(&app, call, (id, command), (params.preview(), token)).await
}

/// Ends a subscription, at the end of what was paid for or at once. Again is nothing more.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/cancel", operation_id = "cancelSubscription",
    tag = "billing", params(("id" = String, Path, description = "Of the subscription"), PreviewParams),
    request_body = CancelRequest,
    responses((status = 200, description = "The preview, or what became of it",
               body = schema::ChangeAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn cancel_subscription(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Params(params): Params<PreviewParams>,
    Json(body): Json<CancelRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let command = Command::Cancel { at_once: matches!(body.at, CancelAt::Now) };
    let call = Call { reason: body.reason.map(|reason| reason.0), ..call };
    run(&app, call, (id, command), (params.preview(), None)).await
}

/// Undoes a scheduled cancellation or change.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/resume", operation_id = "resumeSubscription",
    tag = "billing", params(("id" = String, Path, description = "Of the subscription")),
    responses((status = 200, description = "What became of it", body = schema::ChangeAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn resume_subscription(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    _: Optional<Nothing>,
) -> Result<Answered<Answer>, ApiError> {
    run(&app, call, (id, Command::Resume), (false, None)).await
}

async fn run(
    app: &App,
    call: Call,
    (id, command): (String, Command),
    (preview, token): (bool, Option<String>),
) -> Result<Answered<Answer>, ApiError> {
    let work = move |engine: &farthing_engine::Engine| {
        if preview {
            return engine.preview_change(&id, &command).map(Answer::Preview);
        }
        engine.change(&call, &id, &command, token.as_deref()).map(Answer::Changed)
    };
    app.ask(work).await.map(Answered)
}
