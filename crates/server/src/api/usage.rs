//! Use that the app reports afterwards.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::access::{Report, Reported};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Meter;
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Object, Text};
use crate::state::App;
use crate::values::{Amount, CustomerRef, Instant};

/// How many events one request may carry.
const EVENTS_MAX: usize = 1_000;

/// Events that happened already.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageRequest {
    /// 1 to 1,000 of them.
    #[schema(value_type = Vec<UsageEvent>, min_items = 1, max_items = 1000)]
    events: Vec<Object<UsageEvent>>,
}

/// One event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "msg_871", "customer": "u_1", "feature": "messages", "amount": 3,
    "at": "2027-01-31T12:00:00Z"
}))]
pub struct UsageEvent {
    /// The app's own id of it; the same id counts once.
    #[schema(value_type = String, max_length = 200)]
    id: Text<200>,
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The feature's key; it is of type usage.
    #[schema(value_type = String)]
    feature: Text<64>,
    /// How much.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000_000_000_i64)]
    amount: Amount,
    /// When it happened: at most 35 days ago and not in the future.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// What became of the events.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "accepted": 998, "duplicates": 1, "rejected": [{"id": "msg_871", "code": "unknown_feature"}]
}))]
pub struct UsageAnswer {
    /// How many count.
    accepted: usize,
    /// How many counted before.
    duplicates: usize,
    /// Those that do not count.
    rejected: Vec<RejectedEvent>,
}

/// An event that does not count.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedEvent {
    /// The app's own id of it.
    id: String,
    /// Why: `in_the_future`, `too_old`, `unknown_customer`, `unknown_feature`, `not_usage` or
    /// `invalid_amount`.
    code: String,
}

/// Counts events that happened already, each once by its id.
///
/// What was used is used: an event may lead above the limit. Events that do not count are listed
/// in the answer with the reason and do not keep the others from counting.
#[utoipa::path(
    post, path = "/v1/usage", operation_id = "reportUsage", tag = "access",
    request_body = UsageRequest,
    responses((status = 200, description = "What became of the events", body = UsageAnswer)),
    security(("api_key" = ["usage"]))
)]
pub async fn report_usage(
    State(app): State<App>,
    _: Meter,
    Json(body): Json<UsageRequest>,
) -> Result<Answered<UsageAnswer>, ApiError> {
    let n = body.events.len();
    if !(1..=EVENTS_MAX).contains(&n) {
        let message = format!("{n} events were sent; one request takes 1 to {EVENTS_MAX}");
        let fix = "split them over several requests";
        let problem = FieldProblem::new("/events", Code::InvalidLength, message, fix);
        return Err(ApiError::invalid(vec![problem]));
    }
    let ids: Vec<String> = body.events.iter().map(|event| event.0.id.0.clone()).collect();
    let reports = body.events.into_iter().map(|Object(event)| Report {
        id: event.id.0,
        customer: event.customer.0,
        feature: event.feature.0,
        amount: event.amount.0,
        at: event.at.0,
    });
    let reports = reports.collect();
    let outcomes = app.ask(move |engine| engine.report(reports)).await?;
    let mut answer = UsageAnswer::default();
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        match outcome {
            Reported::Accepted => answer.accepted += 1,
            Reported::Duplicate => answer.duplicates += 1,
            Reported::Rejected(code) => {
                answer.rejected.push(RejectedEvent { id, code: code.to_owned() });
            }
        }
    }
    Ok(Answered(answer))
}
