//! The way to a customer's billing page, and what the customer pays with.

use axum::Json as Answered;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use farthing_core::ids::CustomerId;
use farthing_engine::billing_sessions::{BillingLink, NewLink};
use farthing_engine::payment_methods::{PaymentMethodView, SetupView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Reader, Writer};
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::query::{CustomerPath, customer_id};
use crate::schema;
use crate::state::App;

/// A link to a billing page.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "return_path": "/account" }))]
pub struct LinkRequest {
    /// Where on the app's site the page leads back to; `/` when left out.
    #[schema(value_type = Option<String>, max_length = 500)]
    return_path: Option<Text<500>>,
    /// `true`: the page shows everything and changes nothing.
    #[serde(default)]
    #[schema(default = false)]
    read_only: bool,
}

/// A page for another card.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "return_path": "/account" }))]
pub struct SetupRequest {
    /// Where on the app's site the customer comes back to; the billing page when left out.
    #[schema(value_type = Option<String>, max_length = 500)]
    return_path: Option<Text<500>>,
}

/// Everything that a customer can pay with.
#[derive(Debug, Serialize)]
pub struct Methods {
    data: Vec<PaymentMethodView>,
}

/// The customer and the payment method in a path.
pub struct MethodPath(CustomerId, String);

impl<S: Send + Sync> FromRequestParts<S> for MethodPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((id, method)) = path.map_err(|_| ApiError::not_found("payment method"))?;
        let possible = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if 128 < method.len() || !method.bytes().all(possible) {
            return Err(ApiError::not_found("payment method"));
        }
        Ok(Self(customer_id(&id, "{id}")?, method))
    }
}

/// A secret is sent once and kept nowhere, also not for the next request of the same key.
type Unkept<T> = ([(HeaderName, &'static str); 1], T);

fn unkept<T>(answer: T) -> Unkept<T> {
    ([(header::CACHE_CONTROL, "no-store")], answer)
}

/// Makes a link to a customer's billing page.
///
/// It opens once, within 15 minutes: make it when the customer asks for the page, and send the
/// browser there. Under an `Idempotency-Key` that was used before another link is made: a link is
/// kept nowhere.
#[utoipa::path(
    post, path = "/v1/customers/{id}/sessions", operation_id = "makeBillingLink",
    tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    request_body = LinkRequest,
    responses((status = 201, description = "The link", body = schema::BillingLink)),
    security(("api_key" = ["full"]))
)]
pub async fn make_link(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
    Json(body): Json<LinkRequest>,
) -> Result<(StatusCode, Unkept<Answered<BillingLink>>), ApiError> {
    let return_path = body.return_path.map(|path| path.0);
    let new = NewLink { return_path, read_only: body.read_only };
    let now = app.wall.now();
    let link = app.ask(move |engine| engine.make_billing_link(&call, &id, (&new, now))).await?;
    Ok((StatusCode::CREATED, unkept(Answered(link))))
}

/// What a customer can pay with, as the provider has it now; what pays next comes first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/payment-methods", operation_id = "listPaymentMethods",
    tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    responses((status = 200, description = "All of them", body = schema::PaymentMethods)),
    security(("api_key" = ["read"]))
)]
pub async fn list_methods(
    State(app): State<App>,
    _: Reader,
    CustomerPath(id): CustomerPath,
) -> Result<Answered<Methods>, ApiError> {
    let data = app.ask(move |engine| engine.payment_methods(&id)).await?;
    Ok(Answered(Methods { data }))
}

/// Opens the provider's page on which the customer stores another card.
///
/// Without `return_path` the customer comes back to the billing page, and the new card pays from
/// then on. With one, make it the default yourself.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payment-methods", operation_id = "addPaymentMethod",
    tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    request_body = SetupRequest,
    responses((status = 201, description = "The page", body = schema::SetupPage)),
    security(("api_key" = ["full"]))
)]
pub async fn add_method(
    State(app): State<App>,
    Writer(_): Writer,
    CustomerPath(id): CustomerPath,
    Json(body): Json<SetupRequest>,
) -> Result<(StatusCode, Answered<SetupView>), ApiError> {
    let path = body.return_path.map(|path| path.0);
    let page = app.ask(move |engine| engine.start_card_setup(&id, path.as_deref())).await?;
    Ok((StatusCode::CREATED, Answered(page)))
}

/// Makes a payment method the one that pays, also for the running subscription.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payment-methods/{method}/default",
    operation_id = "setDefaultPaymentMethod", tag = "customers",
    params(
        ("id" = String, Path, description = "The app's own id of the customer"),
        ("method" = String, Path, description = "Of the payment method")
    ),
    responses((status = 204, description = "It pays from now on")),
    security(("api_key" = ["full"]))
)]
pub async fn set_default_method(
    State(app): State<App>,
    Writer(call): Writer,
    MethodPath(id, method): MethodPath,
) -> Result<StatusCode, ApiError> {
    app.ask(move |engine| engine.set_default_payment_method(&call, &id, &method)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a payment method away, for good.
///
/// The last one of a running subscription stays. When it was the default, the newest of the others
/// pays from now on.
#[utoipa::path(
    delete, path = "/v1/customers/{id}/payment-methods/{method}",
    operation_id = "removePaymentMethod", tag = "customers",
    params(
        ("id" = String, Path, description = "The app's own id of the customer"),
        ("method" = String, Path, description = "Of the payment method")
    ),
    responses((status = 204, description = "It is gone")),
    security(("api_key" = ["full"]))
)]
pub async fn remove_method(
    State(app): State<App>,
    Writer(call): Writer,
    MethodPath(id, method): MethodPath,
) -> Result<StatusCode, ApiError> {
    app.ask(move |engine| engine.remove_payment_method(&call, &id, &method)).await?;
    Ok(StatusCode::NO_CONTENT)
}
