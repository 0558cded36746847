//! Mails: what was sent to whom, and what was not, with the reason.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::mails::view::{MailView, WholeMail};

use crate::api::subscriptions::OwnedParams;
use crate::auth::Reader;
use crate::error::ApiError;
use crate::query::{IdPath, Page, Params};
use crate::schema;
use crate::state::App;

/// Mails, the newest first.
#[utoipa::path(
    get, path = "/v1/mails", operation_id = "listMails", tag = "billing",
    params(OwnedParams),
    responses((status = 200, description = "A page of them", body = Page<schema::Mail>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_mails(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<OwnedParams>,
) -> Result<Answered<Page<MailView>>, ApiError> {
    let OwnedParams { customer, limit, after } = params;
    let customer = customer.map(|it| it.0);
    let rows = app.ask(move |engine| engine.mails(customer.as_ref(), &after, limit.0 + 1));
    Ok(Answered(Page::of(rows.await?, limit, |view| view.id.clone())))
}

/// One mail, with what it says.
#[utoipa::path(
    get, path = "/v1/mails/{id}", operation_id = "getMail", tag = "billing",
    params(("id" = String, Path, description = "Of the mail")),
    responses((status = 200, description = "The mail", body = schema::WholeMail)),
    security(("api_key" = ["read"]))
)]
pub async fn get_mail(
    State(app): State<App>,
    _: Reader,
    IdPath(id): IdPath,
) -> Result<Answered<WholeMail>, ApiError> {
    app.ask(move |engine| engine.whole_mail(&id)).await.map(Answered)
}
