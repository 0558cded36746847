//! Making a trial longer.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::changes::Changed;
use farthing_engine::trials::Until;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Writer;
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Text};
use crate::query::IdPath;
use crate::schema;
use crate::state::App;
use crate::values::Instant;

/// By how much, or until when: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"days": 7, "reason": "was ill during the trial"}))]
pub struct ExtendTrialRequest {
    /// So many days more, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    days: Option<i64>,
    /// Until this instant, at most 90 days from now.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// Why, for people; 1 to 500 characters.
    #[schema(value_type = String)]
    reason: Text<500>,
}

/// Lets a trial end later, at the provider and here. Nothing is charged until then.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/extend-trial", operation_id = "extendTrial",
    tag = "billing", params(("id" = String, Path, description = "Of the subscription")),
    request_body = ExtendTrialRequest,
    responses((status = 200, description = "What became of it", body = schema::Changed)),
    security(("api_key" = ["full"]))
)]
pub async fn extend_trial(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Json(body): Json<ExtendTrialRequest>,
) -> Result<Answered<Changed>, ApiError> {
    let until = match (body.days, body.until) {
        (Some(days), None) if (1..=90).contains(&days) => Until::Days(days),
        (None, Some(until)) => Until::At(until.0),
        (days, _) => {
            let (pointer, code) = match days {
                Some(_) => ("/days", Code::OutOfRange),
                None => ("/days", Code::MissingField),
            };
            let message = "say by how many days, 1 to 90, or until when; one of the two";
            let fix = "send `days` or `until`";
            let problem = FieldProblem::new(pointer.to_owned(), code, message, fix);
            return Err(ApiError::invalid(vec![problem]));
        }
    };
    let reason = body.reason.0;
    app.ask(move |engine| engine.extend_trial(&call, &id, (until, &reason))).await.map(Answered)
}
