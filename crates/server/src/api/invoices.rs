//! Invoices and the payments on them.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::subscriptions::InvoiceView;

use crate::api::subscriptions::OwnedParams;
use crate::auth::Reader;
use crate::error::ApiError;
use crate::query::{Page, Params};
use crate::schema;
use crate::state::App;

/// Invoices, the newest first.
#[utoipa::path(
    get, path = "/v1/invoices", operation_id = "listInvoices", tag = "billing",
    params(OwnedParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Invoice>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_invoices(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<OwnedParams>,
) -> Result<Answered<Page<InvoiceView>>, ApiError> {
    let OwnedParams { customer, limit, after } = params;
    let customer = customer.map(|it| it.0);
    let rows =
        app.ask(move |engine| engine.invoices(customer.as_ref(), &after, i64::from(limit.0) + 1));
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}
