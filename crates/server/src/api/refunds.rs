//! Refunds, disputes, and the payments that they are about.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use farthing_core::ids::CustomerId;
use farthing_engine::refunds::{
    DisputeView, Eligibility, PaymentDetail, RefundAsk, RefundFilter, RefundState, RefundView,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::subscriptions::OwnedParams;
use crate::auth::{Reader, Writer};
use crate::error::ApiError;
use crate::json::{Json, Text};
use crate::query::{IdPath, Limit, Page, Params, PreviewParams};
use crate::schema;
use crate::state::App;
use crate::values::CustomerRef;

/// What somebody wants back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "u_1", "reason": "it does not do what I need"}))]
pub struct RefundRequest {
    /// The app's own id of the customer.
    #[schema(value_type = String)]
    customer: CustomerRef,
    /// Our id of the payment; the newest of which something is left when left out.
    #[schema(value_type = Option<String>)]
    payment: Option<Text<128>>,
    /// How much, in minor units of the payment's currency; all that is left when left out.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// Why, 10 to 1,000 characters.
    #[schema(value_type = String, min_length = 10, max_length = 1000)]
    reason: Text<1000>,
    /// From a preview: it is exactly what was shown, or is refused.
    #[schema(value_type = Option<String>)]
    preview_token: Option<Text<128>>,
}

/// Why not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "61 GB were stored since the payment"}))]
pub struct RejectRequest {
    /// For the customer and the timeline, 1 to 1,000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    reason: Text<1000>,
}

/// Whose payment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EligibilityParams {
    /// The app's own id of the customer.
    #[param(value_type = String)]
    customer: CustomerRef,
    /// Our id of the payment; the newest of which something is left when left out.
    #[param(value_type = Option<String>)]
    payment: Option<Text<128>>,
}

/// A state to look for.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// A person has to decide.
    NeedsReview,
    /// Agreed to; whether the provider has it is not known yet.
    Sent,
    /// The provider has it, and waits for somebody.
    Waiting,
    /// The money is on its way.
    Succeeded,
    /// A person said no.
    Rejected,
    /// The provider said no, or the money came back.
    Failed,
}

/// Which refunds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RefundParams {
    /// Only those of this customer, by the app's own id.
    #[param(value_type = Option<String>)]
    customer: Option<CustomerRef>,
    /// Only those in this state; `needs_review` is the queue.
    #[param(value_type = Option<String>)]
    state: Option<WantedState>,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: String,
}

/// Whether a customer may have money back: rule by rule, with numbers.
#[utoipa::path(
    get, path = "/v1/refunds/eligibility", operation_id = "getRefundEligibility", tag = "billing",
    params(EligibilityParams),
    responses((status = 200, description = "What the policy says", body = schema::RefundEligibility)),
    security(("api_key" = ["read"]))
)]
pub async fn get_eligibility(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<EligibilityParams>,
) -> Result<Answered<Eligibility>, ApiError> {
    let (customer, payment) = (params.customer.0, params.payment.map(|text| text.0));
    let ask = move |engine: &farthing_engine::Engine| {
        engine.refund_eligibility(&customer, payment.as_deref())
    };
    app.ask(ask).await.map(Answered)
}

/// Asks for a refund. Where nobody has to agree it is made at once, else it waits for a person.
///
/// With `?preview=true` it answers what would go back and follow, with a `preview_token`, and
/// changes nothing.
#[utoipa::path(
    post, path = "/v1/refunds", operation_id = "requestRefund", tag = "billing",
    params(PreviewParams), request_body = RefundRequest,
    responses(
        (status = 200, description = "The preview", body = schema::RefundAnswer),
        (status = 201, description = "The refund", body = schema::RefundAnswer)
    ),
    security(("api_key" = ["full"]))
)]
pub async fn request_refund(
    State(app): State<App>,
    Writer(call): Writer,
    Params(params): Params<PreviewParams>,
    Json(body): Json<RefundRequest>,
) -> Result<Response, ApiError> {
    let customer: CustomerId = body.customer.0;
    let payment = body.payment.map(|text| text.0);
    let ask = RefundAsk { customer, payment, amount: body.amount, reason: body.reason.0 };
    if params.preview() {
        let shown = app.ask(move |engine| engine.preview_refund(&ask)).await?;
        return Ok(Answered(shown).into_response());
    }
    let token = body.preview_token.map(|token| token.0);
    let made = app.ask(move |engine| engine.request_refund(&call, &ask, token.as_deref())).await?;
    Ok((StatusCode::CREATED, Answered(made)).into_response())
}

/// Refunds, the newest first.
#[utoipa::path(
    get, path = "/v1/refunds", operation_id = "listRefunds", tag = "billing",
    params(RefundParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Refund>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_refunds(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<RefundParams>,
) -> Result<Answered<Page<RefundView>>, ApiError> {
    let RefundParams { customer, state, limit, after } = params;
    let state = state.map(|state| match state {
        WantedState::NeedsReview => RefundState::NeedsReview,
        WantedState::Sent => RefundState::Sent,
        WantedState::Waiting => RefundState::Waiting,
        WantedState::Succeeded => RefundState::Succeeded,
        WantedState::Rejected => RefundState::Rejected,
        WantedState::Failed => RefundState::Failed,
    });
    let filter = RefundFilter { customer: customer.map(|it| it.0), payment: None, state };
    let rows = app.ask(move |engine| engine.refunds(&filter, &after, i64::from(limit.0) + 1));
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}

/// One refund.
#[utoipa::path(
    get, path = "/v1/refunds/{id}", operation_id = "getRefund", tag = "billing",
    params(("id" = String, Path, description = "Of the refund")),
    responses((status = 200, description = "The refund", body = schema::Refund)),
    security(("api_key" = ["read"]))
)]
pub async fn get_refund(
    State(app): State<App>,
    _: Reader,
    IdPath(id): IdPath,
) -> Result<Answered<RefundView>, ApiError> {
    app.ask(move |engine| engine.refund(&id)).await.map(Answered)
}

/// Agrees to a refund: the money goes back, once. Above `second_approver_above` another key, or
/// another person in the panel, has to agree, too. Again is nothing more.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/approve", operation_id = "approveRefund", tag = "billing",
    params(("id" = String, Path, description = "Of the refund")),
    responses((status = 200, description = "The refund", body = schema::Refund)),
    security(("api_key" = ["full"]))
)]
pub async fn approve_refund(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
) -> Result<Answered<RefundView>, ApiError> {
    app.ask(move |engine| engine.approve_refund(&call, &id)).await.map(Answered)
}

/// Says no to a refund. Again is nothing more.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/reject", operation_id = "rejectRefund", tag = "billing",
    params(("id" = String, Path, description = "Of the refund")),
    request_body = RejectRequest,
    responses((status = 200, description = "The refund", body = schema::Refund)),
    security(("api_key" = ["full"]))
)]
pub async fn reject_refund(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Json(body): Json<RejectRequest>,
) -> Result<Answered<RefundView>, ApiError> {
    app.ask(move |engine| engine.reject_refund(&call, &id, &body.reason.0)).await.map(Answered)
}

/// Disputes, the newest first.
#[utoipa::path(
    get, path = "/v1/disputes", operation_id = "listDisputes", tag = "billing",
    params(OwnedParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Dispute>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_disputes(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<OwnedParams>,
) -> Result<Answered<Page<DisputeView>>, ApiError> {
    let OwnedParams { customer, limit, after } = params;
    let customer = customer.map(|it| it.0);
    let rows = app.ask(move |engine| {
        engine.disputes((customer.as_ref(), false), &after, i64::from(limit.0) + 1)
    });
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}

/// Payments with what went back of them, the newest first.
#[utoipa::path(
    get, path = "/v1/payments", operation_id = "listPayments", tag = "billing",
    params(OwnedParams),
    responses((status = 200, description = "A page of them", body = Page<schema::PaymentDetail>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_payments(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<OwnedParams>,
) -> Result<Answered<Page<PaymentDetail>>, ApiError> {
    let OwnedParams { customer, limit, after } = params;
    let customer = customer.map(|it| it.0);
    let rows =
        app.ask(move |engine| engine.payments(customer.as_ref(), &after, i64::from(limit.0) + 1));
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}
