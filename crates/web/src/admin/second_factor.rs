//! The second factor: set up once, asked for each time.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use farthing_engine::operators::sessions::{Signed, Stage};
use farthing_engine::operators::totp::Offer;
use maud::{Markup, html};

use super::desk::{Answer, Hall};
use super::door;
use super::sign_in::Onward;
use super::words::second_factor as words;
use crate::forms::Form;
use crate::layout::notice;
use crate::qr;
use crate::refusal::{self, Refusal};

pub(crate) async fn show(hall: Hall, Query(onward): Query<Onward>) -> Answer {
    let signed = half_way(&hall)?;
    let body = match signed.stage {
        Stage::Full => return Ok(refusal::to("/admin")),
        Stage::Password => asked(&hall, &onward.next, None),
        Stage::Enrolling => offered(&hall, &signed, None).await?,
    };
    Ok(hall.page(words::TITLE, &body))
}

pub(crate) async fn check(hall: Hall, form: Form) -> Answer {
    let signed = half_way(&hall)?;
    let key = slowed(&hall, &signed)?;
    let (at, typed) = (hall.site.at(), form.get("code").to_owned());
    let session = hall.site.ask(move |engine| engine.second_factor(&signed, &typed, at)).await?;
    match session {
        Some(session) => {
            hall.site.slow.right(&key);
            Ok(door::let_in(&hall, &session, form.get("next")))
        }
        None => {
            hall.site.slow.wrong(&key, hall.site.uptime());
            let body = asked(&hall, form.get("next"), Some(words::WRONG));
            Ok(again(&hall, &body))
        }
    }
}

pub(crate) async fn set_up(hall: Hall, form: Form) -> Answer {
    let signed = half_way(&hall)?;
    let key = slowed(&hall, &signed)?;
    let (at, typed, who) = (hall.site.at(), form.get("code").to_owned(), signed.clone());
    let enrolled = hall.site.ask(move |engine| engine.enroll_totp(&who, &typed, at)).await?;
    let Some(enrolled) = enrolled else {
        hall.site.slow.wrong(&key, hall.site.uptime());
        let body = offered(&hall, &signed, Some(words::WRONG)).await?;
        return Ok(again(&hall, &body));
    };
    hall.site.slow.right(&key);
    let mut answer = hall.page(words::RECOVERY, &recovery(&enrolled.recovery));
    door::write_cookies(&hall, &enrolled.session, &mut answer);
    Ok(answer)
}

pub(crate) async fn skip(hall: Hall, _form: Form) -> Answer {
    let (signed, at) = (half_way(&hall)?, hall.site.at());
    let session = hall.site.ask(move |engine| engine.skip_second_factor(&signed, at)).await?;
    let session = session.ok_or(Refusal::SignIn("/admin".to_owned()))?;
    Ok(door::let_in(&hall, &session, "/admin"))
}

/// Whoever has come past the password.
fn half_way(hall: &Hall) -> Result<Signed, Refusal> {
    hall.visitor.signed.clone().ok_or(Refusal::SignIn("/admin".to_owned()))
}

/// What wrong codes are counted by. Errors: there were too many.
pub(crate) fn slowed(hall: &Hall, signed: &Signed) -> Result<String, Refusal> {
    let key = format!("code:{}", signed.person.id);
    let wait = hall.site.slow.wait(&key, hall.site.uptime());
    if wait.is_zero() { Ok(key) } else { Err(Refusal::TooMany(wait.as_secs().max(1))) }
}

fn again(hall: &Hall, body: &Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, hall.page(words::TITLE, body)).into_response()
}

fn asked(hall: &Hall, next: &str, error: Option<&str>) -> Markup {
    html! {
        h1 { (words::TITLE) }
        @if let Some(error) = error { (notice("bad", error)) }
        form method="post" action="/admin/second-factor" {
            (hall.field())
            input type="hidden" name="next" value=(next);
            (code_field(words::CODE))
            button type="submit" { (words::SUBMIT) }
        }
        p.muted { (words::LOST) }
    }
}

async fn offered(hall: &Hall, signed: &Signed, error: Option<&str>) -> Result<Markup, Refusal> {
    let who = signed.clone();
    let offer: Offer = hall.site.ask(move |engine| engine.totp_offer(&who)).await?;
    Ok(html! {
        h1 { (words::SET_UP) }
        @if let Some(error) = error { (notice("bad", error)) }
        p { (words::SCAN) }
        (qr::picture(&offer.uri, words::QR))
        p { (words::OR_TYPE) " " code id="secret" { (offer.secret) } }
        form method="post" action="/admin/second-factor/set-up" {
            (hall.field())
            (code_field(words::FIRST_CODE))
            button type="submit" { (words::TURN_ON) }
        }
        @if hall.site.engine.second_factor_is_optional() {
            form method="post" action="/admin/second-factor/skip" {
                (hall.field())
                button.quiet type="submit" { (words::SKIP) }
            }
        }
    })
}

fn code_field(label: &str) -> Markup {
    html! {
        label for="code" { (label) }
        input id="code" name="code" autocomplete="one-time-code" autocapitalize="off"
            spellcheck="false" required;
    }
}

fn recovery(codes: &[String]) -> Markup {
    html! {
        h1 { (words::RECOVERY) }
        p { (words::RECOVERY_WHY) }
        ul.codes { @for code in codes { li { (code) } } }
        p { a.button href="/admin" { (words::KEPT) } }
    }
}
