//! Buying a plan or a pack on the provider's page.

use std::time::Duration;

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use farthing_core::time::Interval;
use farthing_engine::checkout_preview::CheckoutPreview;
use farthing_engine::checkouts::{Buy, CheckoutView, Purchase};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::{Reader, Writer};
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Text};
use crate::query::{IdPath, Params, PreviewParams, Wait};
use crate::schema;
use crate::state::App;
use crate::values::{CurrencyCode, CustomerRef};

/// How often a waiting request asks the provider.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What a customer wants to buy: either `plan` or `pack`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer": "u_1", "plan": "growth", "interval": "month", "return_path": "/billing"
}))]
pub struct CheckoutRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// The plan's key.
    #[schema(value_type = Option<String>)]
    plan: Option<Text<64>>,
    /// How often the plan is paid; `month` when left out.
    #[schema(value_type = Option<String>, pattern = "^(day|month|year)$", default = "month")]
    interval: Option<Interval>,
    /// The pack's key.
    #[schema(value_type = Option<String>)]
    pack: Option<Text<64>>,
    /// What it is paid in; the customer's own currency, else the catalog's first, when left out.
    #[schema(value_type = Option<String>)]
    currency: Option<CurrencyCode>,
    /// Whether the plan starts with a trial; when left out, if it has one and the customer may
    /// still have it.
    trial: Option<bool>,
    /// Where on the app's site the customer comes back to.
    #[schema(value_type = Option<String>, max_length = 500)]
    return_path: Option<Text<500>>,
}

impl CheckoutRequest {
    fn buy(&self) -> Result<Buy, ApiError> {
        let refuse = |pointer: &str, message: &str, fix: &str| {
            let problem = FieldProblem::new(pointer, Code::InvalidValue, message, fix);
            Err(ApiError::invalid(vec![problem]))
        };
        match (&self.plan, &self.pack) {
            (Some(plan), None) => Ok(Buy::Plan {
                plan: plan.0.clone(),
                interval: self.interval.unwrap_or(Interval::Month),
                trial: self.trial,
            }),
            (None, Some(_)) if self.trial.is_some() => {
                refuse("/trial", "a pack has no trial", "leave \"trial\" out")
            }
            (None, Some(_)) if self.interval.is_some() => {
                refuse("/interval", "a pack is paid once", "leave \"interval\" out")
            }
            (None, Some(pack)) => Ok(Buy::Pack { pack: pack.0.clone() }),
            _ => refuse("/plan", "send either \"plan\" or \"pack\"", "name one thing to buy"),
        }
    }
}

/// For how long to wait.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WaitParams {
    /// Answer when the checkout is no longer open, at the latest after this many seconds.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 60, default = 0)]
    wait: Wait,
}

/// What it would be, or the checkout.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Started {
    /// With `?preview=true`.
    Preview(CheckoutPreview),
    /// Without.
    Open(CheckoutView),
}

/// Opens the provider's page for a purchase.
///
/// Send the customer to `url`. The same purchase again answers the same page while it is open.
/// With `?preview=true` it answers what is due when, and makes nothing.
#[utoipa::path(
    post, path = "/v1/checkouts", operation_id = "startCheckout", tag = "buying",
    params(PreviewParams), request_body = CheckoutRequest,
    responses(
        (status = 200, description = "The preview", body = schema::CheckoutPreview),
        (status = 201, description = "The page is open", body = schema::Checkout)
    ),
    security(("api_key" = ["full"]))
)]
pub async fn start_checkout(
    State(app): State<App>,
    Writer(call): Writer,
    Params(params): Params<PreviewParams>,
    Json(body): Json<CheckoutRequest>,
) -> Result<(StatusCode, Answered<Started>), ApiError> {
    let purchase = Purchase {
        buy: body.buy()?,
        customer: body.customer.0,
        currency: body.currency.map(|currency| currency.0),
        return_path: body.return_path.map(|path| path.0),
    };
    if params.preview() {
        let shown = app.ask(move |engine| engine.preview_checkout(&purchase)).await?;
        return Ok((StatusCode::OK, Answered(Started::Preview(shown))));
    }
    let view = app.ask(move |engine| engine.start_checkout(&call, &purchase)).await?;
    Ok((StatusCode::CREATED, Answered(Started::Open(view))))
}

/// How a checkout stands, after asking the provider.
///
/// With `wait`, the answer comes as soon as the checkout is settled, expired or failed, so that a
/// page the customer comes back to need not poll.
#[utoipa::path(
    get, path = "/v1/checkouts/{id}", operation_id = "getCheckout", tag = "buying",
    params(("id" = String, Path, description = "Of the checkout"), WaitParams),
    responses((status = 200, description = "The checkout", body = schema::Checkout)),
    security(("api_key" = ["read"]))
)]
pub async fn get_checkout(
    State(app): State<App>,
    _: Reader,
    IdPath(id): IdPath,
    Params(params): Params<WaitParams>,
) -> Result<Answered<CheckoutView>, ApiError> {
    let until = (app.uptime)() + Duration::from_secs(u64::from(params.wait.0));
    loop {
        let id = id.clone();
        let view = app.ask(move |engine| engine.refresh_checkout(&id)).await?;
        let left = until.saturating_sub((app.uptime)());
        if view.status != "open" || left.is_zero() {
            return Ok(Answered(view));
        }
        tokio::time::sleep(ASK_EVERY.min(left)).await;
    }
}
