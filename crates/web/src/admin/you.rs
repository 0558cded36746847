//! Oneself: where one is signed in, and light or dark.

use axum::extract::Path;
use axum::http::header;
use maud::html;

use super::desk::{Answer, Desk};
use super::words::{role_name, you as words};
use crate::cookies::{self, Cookie};
use crate::forms::Form;
use crate::refusal;
use crate::show;

pub(crate) async fn show(desk: Desk) -> Answer {
    let (id, at) = (desk.signed.person.id.clone(), desk.site.at());
    let sessions = desk.ask(move |engine| engine.sessions(&id, at)).await?;
    let person = &desk.signed.person;
    let body = html! {
        h1 { (person.name) }
        dl.card {
            dt { (words::EMAIL) } dd { (person.email) }
            dt { (words::ROLE) } dd { (role_name(person.role)) }
            dt { (words::SECOND) } dd { (if person.has_totp { words::ON } else { words::OFF }) }
        }
        form.card method="post" action="/admin/you/theme" {
            (desk.field())
            h2 { (words::LOOK) }
            div.row {
                @for (value, name) in [("system", words::SYSTEM), ("light", words::LIGHT), ("dark", words::DARK)] {
                    button.quiet type="submit" name="theme" value=(value) { (name) }
                }
            }
        }
        section.card {
            table.stack {
                caption { (words::SESSIONS) }
                thead { tr { th scope="col" { (words::BROWSER) } th scope="col" { (words::SINCE) }
                    th scope="col" { (words::SEEN) } th scope="col" { (words::END) } } }
                tbody {
                    @for session in &sessions {
                        tr {
                            td { (session.agent) @if session.id == desk.signed.session { " " span.tag.good { (words::THIS) } } }
                            td data-label=(words::SINCE) { (show::instant(session.created_at)) }
                            td data-label=(words::SEEN) { (show::instant(session.seen_at)) }
                            td { (desk.button(&format!("/admin/you/sessions/{}/end", session.id), words::END, "quiet")) }
                        }
                    }
                }
            }
        }
    };
    desk.page(words::TITLE, &body)
}

pub(crate) async fn end_session(desk: Desk, Path(session): Path<String>, _form: Form) -> Answer {
    let (call, id, at) = (desk.call(), desk.signed.person.id.clone(), desk.site.at());
    desk.ask(move |engine| engine.end_session(&call, &id, &session, at)).await?;
    Ok(refusal::to("/admin/you"))
}

pub(crate) async fn theme(desk: Desk, form: Form) -> Answer {
    let theme = match form.get("theme") {
        theme @ ("light" | "dark") => theme,
        _ => "",
    };
    let mut answer = refusal::to("/admin/you");
    let cookie = cookies::set(Cookie::Theme, theme, desk.site.base.is_secure());
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}
