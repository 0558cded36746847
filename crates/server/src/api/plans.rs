//! The pricing table.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::plans::PlanOffer;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::auth::Reader;
use crate::error::ApiError;
use crate::query::Params;
use crate::schema;
use crate::state::App;
use crate::values::CustomerRef;

/// For whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlansParams {
    /// The app's own id of the customer that the `action` of each plan is for.
    #[param(value_type = Option<String>)]
    customer: Option<CustomerRef>,
}

/// All plans, from the lowest tier to the highest.
#[derive(Debug, Serialize)]
pub struct Plans {
    data: Vec<PlanOffer>,
}

/// The pricing table, from the lowest tier to the highest.
///
/// With `customer`, each plan says what it is for that customer (`current`, `checkout`, `upgrade`,
/// `downgrade`) and what is in the way of moving to it.
#[utoipa::path(
    get, path = "/v1/plans", operation_id = "listPlans", tag = "buying",
    params(PlansParams),
    responses((status = 200, description = "The plans", body = schema::Plans)),
    security(("api_key" = ["read"]))
)]
pub async fn list_plans(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<PlansParams>,
) -> Result<Answered<Plans>, ApiError> {
    let customer = params.customer.map(|it| it.0);
    let data = app.ask(move |engine| engine.plans(customer.as_ref())).await?;
    Ok(Answered(Plans { data }))
}
