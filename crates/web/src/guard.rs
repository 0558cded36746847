//! Around every page: who is there, whether a form is ours, and the headers of the answer.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use farthing_engine::operators::sessions::Signed;
use maud::html;

use crate::admin::paths;
use crate::admin::words::refused as words;
use crate::cookies::{self, Cookie};
use crate::layout::{self, Frame};
use crate::refusal::Refusal;
use crate::site::Site;
use crate::{RequestId, forms, security};

/// Who asks, as far as that is known.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Who is signed in, at least half-way.
    pub(crate) signed: Option<Signed>,
    /// What forms carry.
    pub(crate) token: String,
    /// What the browser calls itself.
    pub(crate) agent: String,
    /// A cookie of an earlier session.
    pub(crate) known: Option<String>,
    /// Light or dark, where it was chosen.
    pub(crate) theme: Option<String>,
    /// The path of the page, without its parameters.
    pub(crate) path: String,
    /// Whether they showed within the last five minutes who they are.
    pub(crate) confirmed: bool,
    /// Where to come back to: this page, or for a form the page that it is on.
    pub(crate) here: String,
    /// The request's id.
    pub(crate) request_id: String,
}

/// Wraps every page.
pub(crate) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let secure = site.base.is_secure();
    let (parts, body) = request.into_parts();
    let (visitor, fresh) = match visitor(&site, &parts).await {
        Ok(found) => found,
        Err(refusal) => return finish(refusal.into_response(), secure),
    };
    let mut answer = match admit(&site, &visitor, (parts, body)).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if let Some(visit) = fresh {
        let cookie = cookies::set(Cookie::Visit, &visit, secure);
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let answer = show(&site, &visitor, answer);
    finish(answer, secure)
}

/// Who asks; and the new cookie of a browser that had none.
async fn visitor(site: &Site, request: &Parts) -> Result<(Visitor, Option<String>), Refusal> {
    let headers = &request.headers;
    let cookie = |cookie| cookies::read(headers, cookie, site.base.is_secure());
    let at = site.at();
    let signed = match cookie(Cookie::Session) {
        None => None,
        Some(session) => {
            let asked = session.clone();
            let found = site.ask(move |engine| engine.session(&asked, at)).await?;
            found.map(|signed| (signed, session))
        }
    };
    let (secret, fresh) = match (&signed, cookie(Cookie::Visit)) {
        (Some((_, session)), _) => (session.clone(), None),
        (None, Some(visit)) => (visit, None),
        (None, None) => {
            let visit = site.engine.unguessable();
            (visit.clone(), Some(visit))
        }
    };
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let path = request.uri.path().to_owned();
    let whole = request.uri.path_and_query().map_or(path.as_str(), |it| it.as_str());
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let form_on = referer.and_then(|page| page.split_once("://")?.1.split_once('/'));
    let here = match (&request.method, form_on) {
        (&Method::GET, _) => whole.to_owned(),
        (_, Some((_, page))) => paths::onward(&format!("/{page}")).to_owned(),
        (_, None) => "/admin".to_owned(),
    };
    let id = request.extensions.get::<RequestId>().map_or("", |id| id.0.as_str());
    let confirmed = signed.as_ref().is_some_and(|(signed, _)| signed.is_confirmed(at));
    let visitor = Visitor {
        confirmed,
        signed: signed.map(|(signed, _)| signed),
        token: forms::token(&secret),
        agent: agent.unwrap_or_default().to_owned(),
        known: cookie(Cookie::Known),
        theme: cookie(Cookie::Theme).filter(|theme| theme == "light" || theme == "dark"),
        path,
        here,
        request_id: id.to_owned(),
    };
    Ok((visitor, fresh))
}

/// The request with everything that handlers take. Errors: a form that is not ours.
async fn admit(
    site: &Site,
    visitor: &Visitor,
    (mut parts, body): (Parts, Body),
) -> Result<Request, Refusal> {
    parts.extensions.insert(visitor.clone());
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    if !site.base.is_own(&parts.headers) {
        return Err(Refusal::ForeignForm);
    }
    let form = forms::read(body, &visitor.token).await?;
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, Body::empty()))
}

/// Writes the page of a refusal; leaves every other answer as it is.
fn show(site: &Site, visitor: &Visitor, mut answer: Response) -> Response {
    let Some(refusal) = answer.extensions_mut().remove::<Refusal>() else { return answer };
    if !refusal.is_shown() {
        return answer;
    }
    if refusal.status().is_server_error() {
        tracing::error!(request.id = visitor.request_id, ?refusal, "a page could not be shown");
    }
    let person = visitor.signed.as_ref().filter(|signed| crate::admin::is_whole(signed));
    let frame = Frame {
        title: refusal.title(),
        person: person.map(|signed| &signed.person),
        path: &visitor.path,
        theme: visitor.theme.as_deref(),
        token: &visitor.token,
        mode: site.engine.mode(),
    };
    let body = html! {
        h1 { (refusal.title()) }
        (refusal.body())
        p.muted { (words::REQUEST) " " code { (visitor.request_id) } }
        p { a href="/admin" { (words::BACK) } }
    };
    let page = layout::page(&frame, &body).into_string();
    let (parts, _) = answer.into_parts();
    let mut shown = Response::from_parts(parts, Body::from(page));
    let html = header::HeaderValue::from_static("text/html; charset=utf-8");
    shown.headers_mut().insert(header::CONTENT_TYPE, html);
    shown.headers_mut().remove(header::CONTENT_LENGTH);
    shown
}

fn finish(mut answer: Response, secure: bool) -> Response {
    security::write_headers(answer.headers_mut(), secure);
    answer
}
