//! Showing again who one is, before money moves or a door is opened.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use maud::{Markup, html};

use super::desk::{Answer, Desk, Hall};
use super::sign_in::Onward;
use super::words::confirm as words;
use super::{paths, second_factor};
use crate::forms::Form;
use crate::layout::notice;
use crate::refusal;

pub(crate) async fn show(desk: Desk, Query(onward): Query<Onward>) -> Answer {
    desk.page(words::TITLE, &form(&desk, &onward.next, None))
}

pub(crate) async fn check(desk: Desk, hall: Hall, form: Form) -> Answer {
    let key = second_factor::slowed(&hall, &desk.signed)?;
    let (signed, at) = (desk.signed.clone(), desk.site.at());
    let typed = form.raw("proof").to_owned();
    let right = desk.ask(move |engine| engine.confirm_operator(&signed, &typed, at)).await?;
    if right {
        hall.site.slow.right(&key);
        return Ok(refusal::to(paths::onward(form.get("next"))));
    }
    hall.site.slow.wrong(&key, hall.site.uptime());
    let page = desk.page(words::TITLE, &self::form(&desk, form.get("next"), Some(words::WRONG)))?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

fn form(desk: &Desk, next: &str, error: Option<&str>) -> Markup {
    html! {
        h1 { (words::TITLE) }
        @if let Some(error) = error { (notice("bad", error)) }
        p { (words::WHY) }
        form.card method="post" action="/admin/confirm" {
            (desk.field())
            input type="hidden" name="next" value=(paths::onward(next));
            label for="proof" { (words::PROOF) }
            input id="proof" name="proof" type="password" autocomplete="one-time-code" required;
            button type="submit" { (words::SUBMIT) }
        }
    }
}
