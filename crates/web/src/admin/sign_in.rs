//! Signing in with address and password, and out.

use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Hall};
use super::door;
use super::words::sign_in as words;
use crate::cookies::{self, Cookie};
use crate::forms::Form;
use crate::layout::notice;
use crate::refusal::{self, Refusal};

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Onward {
    #[serde(default)]
    pub(crate) next: String,
}

pub(crate) async fn show(hall: Hall, Query(onward): Query<Onward>) -> Response {
    if hall.visitor.signed.as_ref().is_some_and(super::is_whole) {
        return refusal::to(super::paths::onward(&onward.next));
    }
    hall.page(words::TITLE, &form(&hall, &onward.next, "", None))
}

pub(crate) async fn check(hall: Hall, form: Form) -> Answer {
    let email = form.get("email").to_lowercase();
    let password = form.raw("password").to_owned();
    let key = counted_by(&hall, &email).await?;
    let wait = hall.site.slow.wait(&key, hall.site.uptime());
    if !wait.is_zero() {
        return Err(Refusal::TooMany(wait.as_secs().max(1)));
    }
    let (at, agent, asked) = (hall.site.at(), hall.visitor.agent.clone(), email.clone());
    let session =
        hall.site.ask(move |engine| engine.sign_in((&asked, &password), &agent, at)).await?;
    match session {
        Some(session) => {
            hall.site.slow.right(&key);
            Ok(door::let_in(&hall, &session, form.get("next")))
        }
        None => {
            hall.site.slow.wrong(&key, hall.site.uptime());
            let body = self::form(&hall, form.get("next"), &email, Some(words::WRONG));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, hall.page(words::TITLE, &body)).into_response())
        }
    }
}

/// What wrong tries are counted by: the address, and whether its owner used this browser before.
async fn counted_by(hall: &Hall, email: &str) -> Result<String, Refusal> {
    let known = match hall.visitor.known.clone() {
        None => false,
        Some(token) => {
            let email = email.to_owned();
            hall.site.ask(move |engine| engine.is_known_browser(&token, &email)).await?
        }
    };
    let whose = if known { "known" } else { "strange" };
    Ok(format!("{whose}:{}", email.chars().take(254).collect::<String>()))
}

pub(crate) async fn sign_out(hall: Hall, _form: Form) -> Answer {
    if let Some(signed) = hall.visitor.signed.clone() {
        let (at, call) = (hall.site.at(), signed.call(&hall.visitor.request_id));
        let (id, session) = (signed.person.id, signed.session);
        hall.site.ask(move |engine| engine.end_session(&call, &id, &session, at)).await?;
    }
    let mut answer = refusal::to("/admin/sign-in");
    let gone = cookies::set(Cookie::Session, "", hall.site.base.is_secure());
    answer.headers_mut().append(header::SET_COOKIE, gone);
    Ok(answer)
}

fn form(hall: &Hall, next: &str, email: &str, error: Option<&str>) -> Markup {
    html! {
        h1 { (words::TITLE) }
        @if let Some(error) = error { (notice("bad", error)) }
        form method="post" action="/admin/sign-in" {
            (hall.field())
            input type="hidden" name="next" value=(next);
            label for="email" { (words::EMAIL) }
            input id="email" name="email" type="email" autocomplete="username" required value=(email);
            label for="password" { (words::PASSWORD) }
            input id="password" name="password" type="password" autocomplete="current-password" required;
            button type="submit" { (words::SUBMIT) }
        }
        p.muted { (words::LOST) " " code { "farthing admin reset" } "." }
    }
}
