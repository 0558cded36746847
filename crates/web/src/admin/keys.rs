//! API keys: made and shown once, seen by their ends, revoked.

use axum::extract::Path;
use farthing_engine::keys::{ApiKey, Scope};
use maud::{Markup, html};

use super::desk::{Answer, Desk};
use super::words::keys as words;
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::refusal::{self, Refusal};
use crate::show;

pub(crate) async fn show(desk: Desk) -> Answer {
    let keys = desk.ask(farthing_engine::Engine::keys).await?;
    let body = html! {
        h1 { (words::TITLE) }
        p { (words::ABOUT) " " a href="/docs" { (words::DOCS) } }
        @if keys.is_empty() { (empty(words::NONE, words::NONE_MORE, Some("farthing keys create \"web app\""))) }
        @else { (table(&keys)) }
        (new(&desk))
    };
    desk.page(words::TITLE, &body)
}

fn table(keys: &[ApiKey]) -> Markup {
    html! {
        table.stack {
            thead { tr { th scope="col" { (words::NAME) } th scope="col" { (words::SCOPE) } th scope="col" { (words::MADE) } th scope="col" { (words::STATE) } } }
            tbody {
                @for key in keys {
                    tr {
                        td { strong { (key.name) } br; span.muted { code { (key.id) } " · …" (key.hint) } }
                        td data-label=(words::SCOPE) { (words::scope(key.scope)) }
                        td data-label=(words::MADE) { (show::day(key.created_at)) }
                        td data-label=(words::STATE) {
                            @match key.revoked_at {
                                Some(at) => { span.tag.bad { (words::REVOKED) } " " (show::day(at)) }
                                None => a.button.quiet href={ "/admin/keys/" (key.id) "/revoke" } { (words::REVOKE) },
                            }
                        }
                    }
                }
            }
        }
    }
}

fn new(desk: &Desk) -> Markup {
    html! {
        section.card aria-labelledby="new" {
            h2 id="new" { (words::NEW) }
            form.row method="post" action="/admin/keys" {
                (desk.field())
                div.grow {
                    label for="name" { (words::USED_BY) }
                    input id="name" name="name" required maxlength="100";
                }
                div {
                    label for="scope" { (words::SCOPE) }
                    select id="scope" name="scope" {
                        @for scope in [Scope::Full, Scope::Read, Scope::Usage] { option value=(scope.as_str()) { (words::scope(scope)) } }
                    }
                }
                button type="submit" { (words::MAKE) }
            }
        }
    }
}

pub(crate) async fn create(desk: Desk, form: Form) -> Answer {
    let scope: Scope = form.get("scope").parse().map_err(|_| Refusal::NoPage)?;
    let (call, name) = (desk.call(), form.get("name").to_owned());
    let new = desk.ask(move |engine| engine.create_key(&call, &name, scope)).await?;
    let body = html! {
        h1 { (new.stored.name) }
        p { (words::ONCE) }
        p { code.secret { (new.key) } }
        p { a href="/admin/keys" { (words::KEPT) } }
    };
    desk.page(words::NEW, &body)
}

pub(crate) async fn ask_revoke(desk: Desk, Path(id): Path<String>) -> Answer {
    let keys = desk.ask(farthing_engine::Engine::keys).await?;
    let key = keys.into_iter().find(|key| key.id == id).ok_or(Refusal::NoPage)?;
    let title = words::revoke(&key.name);
    let body = html! {
        h1 { (title) }
        div.card {
            (notice("warn", words::REVOKE_ABOUT))
            form method="post" action={ "/admin/keys/" (key.id) "/revoke" } {
                (desk.field())
                button.danger type="submit" { (title) }
            }
        }
        p { a href="/admin/keys" { (words::BACK) } }
    };
    desk.page(&title, &body)
}

pub(crate) async fn revoke(desk: Desk, Path(id): Path<String>, _form: Form) -> Answer {
    let call = desk.call();
    desk.ask(move |engine| engine.revoke_key(&call, &id)).await?;
    Ok(refusal::to("/admin/keys"))
}
