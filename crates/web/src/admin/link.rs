//! One-time links. Looking at one does nothing: mail scanners look at links too.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use farthing_engine::EngineError;
use farthing_engine::operators::links::{Acceptance, LinkKind, LinkView};
use maud::{Markup, html};

use super::desk::{Answer, Hall};
use super::door;
use super::words::{link as words, role_name};
use crate::forms::Form;
use crate::layout::notice;
use crate::refusal::Refusal;

pub(crate) async fn show(hall: Hall, Path(token): Path<String>) -> Answer {
    let link = find(&hall, &token).await?;
    let body = page(&hall, &token, &link, &Acceptance::default(), None);
    Ok(hall.page(words::TITLE, &body))
}

async fn find(hall: &Hall, token: &str) -> Result<LinkView, Refusal> {
    let (at, token) = (hall.site.at(), token.to_owned());
    let found = hall.site.ask(move |engine| engine.link(&token, at)).await?;
    found.ok_or(Refusal::DeadLink)
}

pub(crate) async fn accept(hall: Hall, Path(token): Path<String>, form: Form) -> Answer {
    let link = find(&hall, &token).await?;
    let typed = Acceptance {
        name: form.get("name").to_owned(),
        email: form.get("email").to_owned(),
        password: form.raw("password").to_owned(),
        agent: hall.visitor.agent.clone(),
    };
    let (at, asked, sent) = (hall.site.at(), token.clone(), typed.clone());
    let session = hall.site.run(move |engine| engine.accept_link(&asked, &sent, at)).await?;
    match session {
        Ok(Some(session)) => Ok(door::let_in(&hall, &session, "/admin")),
        Ok(None) => Err(Refusal::DeadLink),
        Err(EngineError::Invalid(errors)) => {
            let said: Vec<String> =
                errors.iter().map(|error| format!("{}: {}.", error.message, error.fix)).collect();
            let body = page(&hall, &token, &link, &typed, Some(&said.join(" ")));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, hall.page(words::TITLE, &body)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn enter(hall: Hall, Path(token): Path<String>, _form: Form) -> Answer {
    let (at, agent) = (hall.site.at(), hall.visitor.agent.clone());
    let session = hall.site.ask(move |engine| engine.enter_sandbox(&token, &agent, at)).await?;
    let session = session.ok_or(Refusal::DeadLink)?;
    let answer: Response = door::let_in(&hall, &session, "/admin");
    Ok(answer)
}

fn page(
    hall: &Hall,
    token: &str,
    link: &LinkView,
    typed: &Acceptance,
    error: Option<&str>,
) -> Markup {
    let sandbox = link.kind == LinkKind::Sandbox;
    html! {
        h1 { (words::title(link.kind)) }
        @if let Some(error) = error { (notice("bad", error)) }
        @if sandbox {
            p { (words::SANDBOX) }
            form method="post" action={ "/admin/link/" (token) "/enter" } {
                (hall.field())
                button type="submit" { (words::ENTER) }
            }
            details open[error.is_some()] {
                summary { (words::OR_PASSWORD) }
                (form(hall, token, link, typed))
            }
        } @else {
            p { (words::AS) " " strong { (role_name(link.role)) } "." }
            (form(hall, token, link, typed))
        }
    }
}

fn form(hall: &Hall, token: &str, link: &LinkView, typed: &Acceptance) -> Markup {
    html! {
        form method="post" action={ "/admin/link/" (token) } {
            (hall.field())
            @if link.kind != LinkKind::Reset {
                label for="name" { (words::NAME) }
                input id="name" name="name" autocomplete="name" maxlength="100" value=(typed.name);
            }
            @match &link.email {
                Some(email) => {
                    p.label { (words::EMAIL) }
                    p { (email) }
                    input type="hidden" name="username" autocomplete="username" value=(email);
                }
                None => {
                    label for="email" { (words::EMAIL) }
                    input id="email" name="email" type="email" autocomplete="username" required value=(typed.email);
                }
            }
            label for="password" { (words::PASSWORD) }
            input id="password" name="password" type="password" autocomplete="new-password"
                minlength="12" maxlength="200" required aria-describedby="password-hint";
            span.hint id="password-hint" { (words::PASSWORD_HINT) }
            button type="submit" { (words::SUBMIT) }
        }
    }
}
