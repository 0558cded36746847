//! Subscriptions.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::subscriptions::SubscriptionView;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::Reader;
use crate::error::ApiError;
use crate::query::{IdPath, Limit, Page, Params};
use crate::schema;
use crate::state::App;
use crate::values::CustomerRef;

/// Which ones.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct OwnedParams {
    /// Only those of this customer, by the app's own id.
    #[param(value_type = Option<String>)]
    pub customer: Option<CustomerRef>,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: String,
}

/// Subscriptions, the oldest first.
#[utoipa::path(
    get, path = "/v1/subscriptions", operation_id = "listSubscriptions", tag = "billing",
    params(OwnedParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Subscription>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_subscriptions(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<OwnedParams>,
) -> Result<Answered<Page<SubscriptionView>>, ApiError> {
    let OwnedParams { customer, limit, after } = params;
    let customer = customer.map(|it| it.0);
    let rows = app
        .ask(move |engine| engine.subscriptions(customer.as_ref(), &after, i64::from(limit.0) + 1));
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}

/// One subscription.
#[utoipa::path(
    get, path = "/v1/subscriptions/{id}", operation_id = "getSubscription", tag = "billing",
    params(("id" = String, Path, description = "Of the subscription")),
    responses((status = 200, description = "The subscription", body = schema::Subscription)),
    security(("api_key" = ["read"]))
)]
pub async fn get_subscription(
    State(app): State<App>,
    _: Reader,
    IdPath(id): IdPath,
) -> Result<Answered<SubscriptionView>, ApiError> {
    app.ask(move |engine| engine.subscription(&id)).await.map(Answered)
}
