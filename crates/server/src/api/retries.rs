//! Charging a failed invoice now.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::changes::ChangePreview;
use farthing_engine::dunning::Retried;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Writer;
use crate::error::ApiError;
use crate::json::{Text, Whole};
use crate::query::{IdPath, Params, PreviewParams};
use crate::schema;
use crate::state::App;

/// Charge it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct RetryRequest {
    /// From a preview: it charges exactly what was shown, or is refused.
    #[schema(value_type = Option<String>)]
    preview_token: Option<Text<128>>,
}

/// What it would be, or what it became.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// With `?preview=true`.
    Preview(ChangePreview),
    /// Without.
    Retried(Box<Retried>),
}

/// Charges the failed invoice of a subscription now, once. A decline is an answer: `outcome` says
/// so, with a sentence for the customer and the page where it can be paid. The body may be left out.
///
/// With `?preview=true` it answers what would be charged and a `preview_token`, and charges nothing.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/retry", operation_id = "retryPayment",
    tag = "billing", params(("id" = String, Path, description = "Of the subscription"), PreviewParams),
    request_body = Option<RetryRequest>,
    responses((status = 200, description = "The preview, or what became of it",
               body = schema::RetryAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn retry_payment(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Params(params): Params<PreviewParams>,
    Whole(body): Whole<RetryRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let token = body.preview_token.map(|token| token.0);
    let preview = params.preview();
    app.ask(move |engine| match preview {
        true => engine.preview_retry(&id).map(Answer::Preview),
        false => {
            let retried = engine.retry_payment(&call, &id, token.as_deref());
            retried.map(|retried| Answer::Retried(Box::new(retried)))
        }
    })
    .await
    .map(Answered)
}
