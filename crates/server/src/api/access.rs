//! May this customer do that, and taking it.

use axum::Json as Answered;
use axum::extract::State;
use farthing_core::access::Answer;
use farthing_engine::access::Want;
use farthing_engine::{Engine, EngineError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::auth::{Checker, Meter};
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Text};
use crate::schema::AccessAnswer;
use crate::state::App;
use crate::values::{Amount, CustomerRef, Whole};

/// How many features one check may name.
const FEATURES_MAX: usize = 100;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1", "feature": "chatbots", "amount": 1}))]
pub struct CheckRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The feature's key. Send either this or `features`.
    #[schema(value_type = Option<String>)]
    feature: Option<Text<64>>,
    /// Several keys, 1 to 100. Send either this or `feature`.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100)]
    features: Option<Vec<Text<64>>>,
    /// How much of each; of a named operation, how many.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000_000_000_i64, default = 1)]
    amount: Amount,
    /// For credits: the named operation whose cost would be spent.
    #[schema(value_type = Option<String>)]
    operation: Option<Text<64>>,
}

/// What is to be taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1", "feature": "chatbots", "amount": 1}))]
pub struct ConsumeRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The feature's key.
    #[schema(value_type = String)]
    feature: Text<64>,
    /// How much; of a named operation, how many.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000_000_000_i64, default = 1)]
    amount: Amount,
    /// For credits: the named operation whose cost is spent.
    #[schema(value_type = Option<String>)]
    operation: Option<Text<64>>,
}

/// What is given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1", "feature": "chatbots", "amount": 1}))]
pub struct ReleaseRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The feature's key; it is of type count.
    #[schema(value_type = String)]
    feature: Text<64>,
    /// How much.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000_000_000_i64, default = 1)]
    amount: Amount,
}

/// What the app really has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1", "feature": "chatbots", "used": 4}))]
pub struct SyncRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The feature's key; it is of type count.
    #[schema(value_type = String)]
    feature: Text<64>,
    /// How many there are.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    used: Whole<0>,
}

/// One answer, or one for each feature that was asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Checked {
    /// `feature` was given.
    One(Answer),
    /// `features` were given.
    Many {
        /// Whose they are.
        customer: String,
        /// Feature key to answer.
        answers: BTreeMap<String, Answer>,
    },
}

/// May the customer do that? Writes nothing.
///
/// With `feature` the answer is flat; with `features` it is `{customer, answers: {KEY: answer}}`.
/// A refusal is an answer with `allowed: false`, not an error.
#[utoipa::path(
    post, path = "/v1/check", operation_id = "check", tag = "access",
    request_body = CheckRequest,
    responses((status = 200, description = "The answer", body = crate::schema::CheckAnswer)),
    security(("api_key" = ["read"]), ("api_key" = ["usage"]))
)]
pub async fn check(
    State(app): State<App>,
    _: Checker,
    Json(body): Json<CheckRequest>,
) -> Result<Answered<Checked>, ApiError> {
    let (customer, amount) = (body.customer.0, body.amount.0);
    let operation = body.operation.map(|name| name.0);
    let want = move |feature: String| Want {
        customer: customer.clone(),
        feature,
        amount,
        operation: operation.clone(),
    };
    let checked = match (body.feature, body.features) {
        (Some(feature), None) => {
            let want = want(feature.0);
            app.ask(move |engine| engine.check(&want)).await.map(Checked::One)
        }
        (None, Some(features)) if (1..=FEATURES_MAX).contains(&features.len()) => {
            let wants: Vec<Want> = features.into_iter().map(|feature| want(feature.0)).collect();
            app.ask(move |engine| check_all(engine, &wants)).await
        }
        _ => {
            let message = "send either \"feature\" or \"features\" with 1 to 100 keys";
            let fix = "name one feature in \"feature\"";
            let problem = FieldProblem::new("/feature", Code::InvalidValue, message, fix);
            Err(ApiError::invalid(vec![problem]))
        }
    };
    checked.map(Answered)
}

fn check_all(engine: &Engine, wants: &[Want]) -> Result<Checked, EngineError> {
    let customer = wants.first().map(|want| want.customer.to_string()).unwrap_or_default();
    let mut answers = BTreeMap::new();
    for want in wants {
        answers.insert(want.feature.clone(), engine.check(want)?);
    }
    Ok(Checked::Many { customer, answers })
}

/// Checks and takes in one step, so that nobody else can take the same.
///
/// When the answer says `allowed`, it has been taken, durably. A refusal takes nothing.
#[utoipa::path(
    post, path = "/v1/consume", operation_id = "consume", tag = "access",
    request_body = ConsumeRequest,
    responses((status = 200, description = "The answer", body = AccessAnswer)),
    security(("api_key" = ["usage"]))
)]
pub async fn consume(
    State(app): State<App>,
    Meter(call): Meter,
    Json(body): Json<ConsumeRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let want = Want {
        customer: body.customer.0,
        feature: body.feature.0,
        amount: body.amount.0,
        operation: body.operation.map(|name| name.0),
    };
    app.ask(move |engine| engine.consume(&call, &want)).await.map(Answered)
}

/// Gives something held back, for example after a chatbot was deleted. Never below zero.
#[utoipa::path(
    post, path = "/v1/release", operation_id = "release", tag = "access",
    request_body = ReleaseRequest,
    responses((status = 200, description = "The answer", body = AccessAnswer)),
    security(("api_key" = ["usage"]))
)]
pub async fn release(
    State(app): State<App>,
    Meter(call): Meter,
    Json(body): Json<ReleaseRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let (feature, amount) = (body.feature.0, body.amount.0);
    let want = Want { customer: body.customer.0, feature, amount, operation: None };
    app.ask(move |engine| engine.release(&call, &want)).await.map(Answered)
}

/// Sets what is held to what the app really has; the difference is written down.
#[utoipa::path(
    post, path = "/v1/sync", operation_id = "sync", tag = "access",
    request_body = SyncRequest,
    responses((status = 200, description = "The answer", body = AccessAnswer)),
    security(("api_key" = ["usage"]))
)]
pub async fn sync(
    State(app): State<App>,
    Meter(call): Meter,
    Json(body): Json<SyncRequest>,
) -> Result<Answered<Answer>, ApiError> {
    let (feature, amount) = (body.feature.0, body.used.0);
    let want = Want { customer: body.customer.0, feature, amount, operation: None };
    app.ask(move |engine| engine.sync(&call, &want)).await.map(Answered)
}
