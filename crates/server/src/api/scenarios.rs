//! What goes wrong on purpose in the sandbox. These routes answer 404 where there is no sandbox.

use std::fmt;

use axum::Json as Answered;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Reader, Writer};
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::Text;
use crate::optional::Optional;
use crate::query::customer_id;
use crate::state::{App, Lab, Scenario, ScenarioSetUp};

/// The parameters of a scenario; which of them it takes is listed at `GET /v1/sandbox/scenarios`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1"}))]
pub struct ScenarioRequest {
    /// Whose newest payment, card, refund, dispute or subscription it is about, instead of its id.
    #[schema(value_type = Option<String>)]
    customer: Option<Text<128>>,
    /// The beginning of an event's type, such as `invoice.`; every event when left out.
    #[schema(value_type = Option<String>)]
    r#type: Option<Plain>,
    /// The beginning of a call, such as `POST /v1/subscriptions`; every call when left out.
    #[schema(value_type = Option<String>)]
    call: Option<Plain>,
    /// How often; once when left out. `all`: until `calm`.
    #[schema(value_type = Option<String>)]
    times: Option<Plain>,
    /// For how many seconds.
    #[schema(value_type = Option<u32>)]
    seconds: Option<Plain>,
    /// Whether it begins (`true`) or ends.
    #[schema(value_type = Option<bool>)]
    on: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    payment_method: Option<Plain>,
    /// The word of a card's bank, such as `insufficient_funds`.
    #[schema(value_type = Option<String>)]
    decline_code: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    charge: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    refund: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    dispute: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    subscription: Option<Plain>,
    /// The provider's id.
    #[schema(value_type = Option<String>)]
    price: Option<Plain>,
    /// `now` or `period_end`.
    #[schema(value_type = Option<String>)]
    when: Option<Plain>,
}

impl ScenarioRequest {
    fn parameters(self) -> Vec<(&'static str, String)> {
        let all = [
            ("type", self.r#type),
            ("call", self.call),
            ("times", self.times),
            ("seconds", self.seconds),
            ("on", self.on),
            ("payment_method", self.payment_method),
            ("decline_code", self.decline_code),
            ("charge", self.charge),
            ("refund", self.refund),
            ("dispute", self.dispute),
            ("subscription", self.subscription),
            ("price", self.price),
            ("when", self.when),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?.0))).collect()
    }
}

/// A text, a whole number, or true and false: the sandbox takes texts.
#[derive(Debug)]
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, true or false")
            }

            fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Every scenario.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScenarioList {
    /// In the order in which they are explained.
    data: Vec<ScenarioView>,
}

/// What can go wrong on purpose.
#[derive(Debug, Serialize, ToSchema)]
struct ScenarioView {
    /// Its name in the path.
    name: &'static str,
    /// What it takes; those with `?` may be left out.
    parameters: Vec<&'static str>,
    /// What it does, in a sentence.
    does: &'static str,
}

impl From<&Scenario> for ScenarioView {
    fn from(scenario: &Scenario) -> Self {
        let (name, takes, does) = *scenario;
        Self { name, parameters: takes.split_whitespace().collect(), does }
    }
}

/// What was set up.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScenarioAnswer {
    /// Its name.
    scenario: String,
    /// What it does, in a sentence.
    does: &'static str,
    /// The objects it is about, by what they are.
    #[schema(value_type = Object, example = json!({"charge": "ch_1"}))]
    about: std::collections::BTreeMap<&'static str, String>,
}

/// What can go wrong on purpose, each in a sentence.
#[utoipa::path(
    get, path = "/v1/sandbox/scenarios", operation_id = "listScenarios", tag = "sandbox",
    responses((status = 200, description = "All of them", body = ScenarioList)),
    security(("api_key" = ["read"]))
)]
pub async fn list_scenarios(
    State(app): State<App>,
    _: Reader,
) -> Result<Answered<ScenarioList>, ApiError> {
    let lab = lab(&app)?;
    Ok(Answered(ScenarioList { data: lab.scenarios().iter().map(ScenarioView::from).collect() }))
}

/// Sets a scenario up: a webhook that is lost, an answer that never arrives, a card that fails.
///
/// Faults hit the next calls or events that they fit, and are used up. `calm` ends all of them.
#[utoipa::path(
    post, path = "/v1/sandbox/scenarios/{name}", operation_id = "setUpScenario", tag = "sandbox",
    params(("name" = String, Path, description = "One of the list")),
    request_body = ScenarioRequest,
    responses((status = 200, description = "It was set up", body = ScenarioAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn set_up_scenario(
    State(app): State<App>,
    _: Writer,
    ScenarioName(name): ScenarioName,
    Optional(body): Optional<ScenarioRequest>,
) -> Result<Answered<ScenarioAnswer>, ApiError> {
    let lab = lab(&app)?;
    let known = lab.scenarios().iter().find(|(known, _, _)| *known == name);
    let Some((_, _, does)) = known else {
        return Err(ApiError::not_found("scenario: GET /v1/sandbox/scenarios has them all"));
    };
    let customer = match &body.customer {
        Some(Text(text)) => Some(customer_id(text, "/customer")?),
        None => None,
    };
    let set_up = ScenarioSetUp { name: name.clone(), customer, parameters: body.parameters() };
    let about = lab.set_up(set_up).await.map_err(|error| {
        let fix = "GET /v1/sandbox/scenarios says what it takes";
        ApiError::invalid(vec![FieldProblem::new("", Code::InvalidValue, error.message, fix)])
    })?;
    Ok(Answered(ScenarioAnswer { scenario: name, does, about }))
}

fn lab(app: &App) -> Result<std::sync::Arc<dyn Lab>, ApiError> {
    app.lab.clone().ok_or_else(|| ApiError::not_found("route: this server has no sandbox"))
}

/// The `{name}` of a scenario in the path.
pub struct ScenarioName(String);

impl<S: Send + Sync> FromRequestParts<S> for ScenarioName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(ApiError::not_found("scenario")),
        }
    }
}
