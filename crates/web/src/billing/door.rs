//! The way in: a link counts once.
//!
//! A browser that follows the link is let in at once. Whatever else fetches it (a mail scanner, the
//! preview of a chat) does not say that it navigates; it sees a button, and uses nothing up.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Posted, STRANGERS, set_cookie};
use super::{layout, words};

/// `GET /b/enter/{secret}`.
pub(super) async fn knock(
    State(pages): State<Pages>,
    Path(secret): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    pages.count(STRANGERS)?;
    if request.method() == Method::GET && navigates(request.headers()) {
        return open(&pages, secret).await;
    }
    let body = maud::html! {
        p { (words::KNOCK) }
        form method="post" { button type="submit" { (words::KNOCK_BUTTON) } }
    };
    Ok(layout::plain(&pages.theme, words::BILLING, &body).into_response())
}

/// `POST /b/enter/{secret}`: the button.
pub(super) async fn enter(
    State(pages): State<Pages>,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    pages.count(STRANGERS)?;
    open(&pages, secret).await
}

/// `POST /b/leave`: ends the session and goes back to the app.
pub(super) async fn leave(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let (secret, back) = (posted.visitor.secret(), posted.visitor.session.return_url.clone());
    pages.ask(move |engine| engine.end_billing_session(&secret)).await?;
    let body = maud::html! {
        p { (words::LEFT) }
        p { a.button href=(back) { (words::BACK_TO_APP) } }
    };
    let mut response = layout::plain(&pages.theme, words::LEFT_TITLE, &body).into_response();
    let cookie = set_cookie("", pages.base.is_secure());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn open(pages: &Pages, secret: String) -> Result<Response, Problem> {
    let now = pages.wall();
    let opened = pages.ask(move |engine| engine.open_billing_session(&secret, now)).await?;
    let Some((session, _)) = opened else {
        return Err(Problem::DeadLink);
    };
    let mut response = to("/b");
    let cookie = set_cookie(&session, pages.base.is_secure());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Whether a person's browser goes there, and does not only look ahead.
fn navigates(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| headers.contains_key(*name));
    text("sec-fetch-mode") == Some("navigate") && !ahead
}

/// `303 See Other`: the browser gets what is there with GET.
pub(super) fn to(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/b"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

/// Sends a browser that posted a form to the provider's page. One that the page's own policy does
/// not let forms lead to is offered as a link.
pub(super) fn leave_for(pages: &Pages, url: &str) -> Response {
    let rest = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let known = rest.is_some_and(|host| host.ends_with(".stripe.com"));
    let own = url.strip_prefix(pages.base.origin()).is_some_and(|rest| rest.starts_with('/'));
    if known || own {
        return to(url);
    }
    let body =
        maud::html! { p { (words::GO_AND_PAY) } p { a.button href=(url) { (words::GO_ON) } } };
    layout::plain(&pages.theme, words::GO_ON, &body).into_response()
}
