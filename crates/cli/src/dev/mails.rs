//! The outbox of a development server: every mail that would have left, as it would have looked.
//!
//! What a mail says is shown in a frame of its own in which nothing runs and nothing is loaded but
//! pictures over https.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use farthing_core::ids::CustomerId;
use farthing_engine::mails::view::{MailView, WholeMail};
use farthing_engine::{Engine, EngineError};
use farthing_mail::{Rendered, samples};
use maud::{Markup, html};
use serde::Deserialize;

use super::pages::page;

/// How many mails the list shows.
const SHOWN: u32 = 200;

/// For what a mail says: nothing runs, nothing is sent, and only our own pages may show it.
const FRAME_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; \
                            frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox";
/// For the pages around it.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; \
                           base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The outbox, and a sample of every mail there is.
pub fn routes(engine: Engine) -> Router {
    Router::new()
        .route("/dev/mails", get(list))
        .route("/dev/mails/samples", get(all_samples))
        .route("/dev/mails/samples/{name}", get(sample))
        .route("/dev/mails/{id}", get(show))
        .route("/dev/mails/{id}/html", get(inside))
        .with_state(engine)
}

#[derive(Debug, Default, Deserialize)]
struct Of {
    customer: Option<String>,
}

async fn list(State(engine): State<Engine>, Query(of): Query<Of>) -> Response {
    let customer = of.customer.filter(|id| !id.is_empty());
    let asked = customer.as_deref().map(str::parse::<CustomerId>);
    let Ok(asked) = asked.transpose() else {
        return framed(StatusCode::UNPROCESSABLE_ENTITY, &trouble("That is no customer's id."));
    };
    let found = run(move || engine.mails(asked.as_ref(), "", SHOWN)).await;
    match found {
        Ok(mails) => framed(StatusCode::OK, &outbox(&mails, customer.as_deref())),
        Err(answer) => answer,
    }
}

async fn show(State(engine): State<Engine>, Path(id): Path<String>) -> Response {
    match run(move || engine.whole_mail(&id)).await {
        Ok(mail) => framed(StatusCode::OK, &one(&mail)),
        Err(answer) => answer,
    }
}

async fn inside(State(engine): State<Engine>, Path(id): Path<String>) -> Response {
    match run(move || engine.whole_mail(&id)).await {
        Ok(mail) => with_policy(StatusCode::OK, FRAME_POLICY, mail.html),
        Err(answer) => answer,
    }
}

async fn all_samples() -> Response {
    let body = html! {
        h1 { "Every mail there is" }
        p { "With made-up data, in the words and the layout of the real ones." }
        ul {
            @for (name, _) in samples::all() {
                li { a href={ "/dev/mails/samples/" (name) } { (name.replace('_', " ")) } }
            }
        }
        p { a href="/dev/mails" { "Back to the outbox" } }
    };
    framed(StatusCode::OK, &page("Every mail", false, &body))
}

async fn sample(Path(name): Path<String>) -> Response {
    let found = samples::all().into_iter().find(|(known, _)| *known == name);
    let Some((_, letter)) = found else {
        return framed(StatusCode::NOT_FOUND, &trouble("There is no such sample."));
    };
    let Rendered { html, .. } =
        farthing_mail::render(&letter, Some("Ana Silva"), &super::start::letterhead().brand);
    with_policy(StatusCode::OK, FRAME_POLICY, html)
}

/// Asks the engine on a thread that may wait. Errors: the page that says what is wrong.
async fn run<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, Response> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(EngineError::NotFound { .. })) => {
            Err(framed(StatusCode::NOT_FOUND, &trouble("There is no such mail.")))
        }
        _ => {
            let text = "The database does not answer. Try again in a moment.";
            Err(framed(StatusCode::SERVICE_UNAVAILABLE, &trouble(text)))
        }
    }
}

fn framed(status: StatusCode, body: &Markup) -> Response {
    with_policy(status, PAGE_POLICY, body.0.clone())
}

fn with_policy(status: StatusCode, policy: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, Html(body)).into_response()
}

fn trouble(text: &str) -> Markup {
    let body = html! {
        h1 { "Not found" }
        p { (text) }
        p { a href="/dev/mails" { "Back to the outbox" } }
    };
    page("Mails", false, &body)
}

fn outbox(mails: &[MailView], customer: Option<&str>) -> Markup {
    let body = html! {
        h1 { "Mails" }
        p {
            "What would have been sent. In a development server nothing leaves this machine. "
            a href="/dev/mails/samples" { "See every mail there is" }
        }
        form method="get" {
            label { "Customer " input name="customer" value=[customer]; }
            " " button { "Show" }
        }
        @if mails.is_empty() {
            p { "There are none yet. Let a payment fail, or cancel a plan:" }
            pre { "farthing clock advance 31d" }
        } @else {
            ul {
                @for mail in mails {
                    li {
                        a href={ "/dev/mails/" (mail.id) } { (mail.subject) }
                        p.muted {
                            (mail.created_at) " · " (mail.state) " · to " (mail.to)
                            @if let Some(customer) = &mail.customer { " · " (customer) }
                            @if let Some(reason) = &mail.reason { " · " (reason) }
                        }
                    }
                }
            }
        }
    };
    page("Mails", false, &body)
}

fn one(mail: &WholeMail) -> Markup {
    let view = &mail.mail;
    let body = html! {
        p { a href="/dev/mails" { "Back to the outbox" } }
        h1 { (view.subject) }
        dl {
            dt { "State" } dd { (view.state) @if let Some(why) = &view.reason { ": " (why) } }
            dt { "Kind" } dd { (view.kind) }
            dt { "To" } dd { (view.to) }
            dt { "About" } dd { code { (view.about) } }
            dt { "Written" } dd { (view.created_at) }
        }
        h2 { "As HTML" }
        iframe src={ "/dev/mails/" (view.id) "/html" } title="The mail as HTML" sandbox=""
            style="width:100%;height:48rem;border:1px solid #8886;border-radius:.4rem" {}
        p { a href={ "/dev/mails/" (view.id) "/html" } { "Open it alone" } }
        h2 { "As text" }
        pre { (mail.text) }
        h2 { "Headers" }
        pre { (mail.headers) }
    };
    page(&view.subject, false, &body)
}
