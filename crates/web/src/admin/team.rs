//! The team: who is in it and as what; inviting, changing, removing.

use axum::extract::Path;
use farthing_engine::operators::roles::{ACTIONS, ROLES};
use farthing_engine::operators::{Person, Role, may};
use maud::{Markup, html};

use super::desk::{Answer, Desk};
use super::words::{role_name, team as words};
use crate::forms::Form;
use crate::layout::notice;
use crate::refusal::{self, Refusal};
use crate::show;

pub(crate) async fn show(desk: Desk) -> Answer {
    let team = desk.ask(farthing_engine::Engine::team).await?;
    let (here, gone): (Vec<Person>, Vec<Person>) =
        team.into_iter().partition(|person| person.removed_at.is_none());
    let body = html! {
        h1 { (words::TITLE) }
        table.stack {
            thead { tr { th scope="col" { (words::WHO) } th scope="col" { (words::ROLE) } th scope="col" { (words::SECOND) } th scope="col" { (words::DO) } } }
            tbody { @for person in &here { (row(&desk, person)) } }
        }
        (invitation(&desk))
        (permissions())
        @if !gone.is_empty() {
            section.card {
                h2 { (words::GONE) }
                ul { @for person in &gone { li { (person.name) " · " (person.email) @if let Some(at) = person.removed_at { ", " (show::day(at)) } } } }
            }
        }
    };
    desk.page(words::TITLE, &body)
}

fn row(desk: &Desk, person: &Person) -> Markup {
    let here = format!("/admin/team/{}", person.id);
    html! {
        tr {
            td { strong { (person.name) } br; span.muted { (person.email) } }
            td data-label=(words::ROLE) {
                form.row method="post" action={ (here) "/role" } {
                    (desk.field())
                    (roles(&format!("role-{}", person.id), &words::role_of(&person.name), person.role))
                    button.quiet type="submit" { (words::CHANGE) }
                }
            }
            td data-label=(words::SECOND) { (if person.has_totp { words::ON } else { words::OFF }) }
            td {
                a.button.quiet href={ (here) "/reset" } { (words::RESET) }
                a.button.quiet href={ (here) "/remove" } { (words::REMOVE) }
            }
        }
    }
}

fn roles(id: &str, label: &str, chosen: Role) -> Markup {
    html! {
        select id=(id) name="role" aria-label=(label) {
            @for role in ROLES { option value=(role.as_str()) selected[role == chosen] { (role_name(role)) } }
        }
    }
}

fn invitation(desk: &Desk) -> Markup {
    html! {
        section.card aria-labelledby="invite" {
            h2 id="invite" { (words::INVITE) }
            form.row method="post" action="/admin/team" {
                (desk.field())
                div.grow {
                    label for="email" { (words::EMAIL) }
                    input id="email" name="email" type="email" required autocomplete="off";
                }
                div {
                    label for="new-role" { (words::ROLE) }
                    (roles("new-role", words::ROLE, Role::Viewer))
                }
                button type="submit" { (words::MAKE_LINK) }
            }
        }
    }
}

/// Who may do what: the engine's own table.
fn permissions() -> Markup {
    html! {
        section.card {
            details {
                summary { (words::PERMISSIONS) }
                table {
                    thead { tr { th scope="col" { (words::DO) } @for role in ROLES { th scope="col" { (role_name(role)) } } } }
                    tbody {
                        @for action in ACTIONS {
                            tr {
                                th scope="row" { (words::action(action)) }
                                @for role in ROLES { td { (if may(role, action) { words::YES } else { words::NO }) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn role(form: &Form) -> Result<Role, Refusal> {
    form.get("role").parse().map_err(|_| Refusal::NoPage)
}

pub(crate) async fn invite(desk: Desk, form: Form) -> Answer {
    let (call, at, role) = (desk.call(), desk.site.at(), role(&form)?);
    let email = form.get("email").to_owned();
    let token = desk.ask(move |engine| engine.invite(&call, &email, role, at)).await?;
    link(&desk, &token)
}

/// The page that shows a link, once.
fn link(desk: &Desk, token: &str) -> Answer {
    let link = format!("{}/admin/link/{token}", desk.site.base.origin());
    let body = html! {
        h1 { (words::LINK) }
        p { (words::LINK_ABOUT) }
        p { code.secret { (link) } }
        p { a href="/admin/team" { (words::BACK) } }
    };
    desk.page(words::LINK, &body)
}

pub(crate) async fn change_role(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let (call, at, role) = (desk.call(), desk.site.at(), role(&form)?);
    desk.ask(move |engine| engine.change_role(&call, &id, role, at)).await?;
    Ok(refusal::to("/admin/team"))
}

/// Somebody of the team. Errors: nobody is called that.
async fn person(desk: &Desk, id: String) -> Result<Person, Refusal> {
    let team = desk.ask(farthing_engine::Engine::team).await?;
    let found = team.into_iter().find(|person| person.id == id && person.removed_at.is_none());
    found.ok_or(Refusal::NoPage)
}

pub(crate) async fn ask_reset(desk: Desk, Path(id): Path<String>) -> Answer {
    let person = person(&desk, id).await?;
    let text = words::reset(&person.name);
    panel(&desk, &person, "reset", (&text, words::RESET_ABOUT))
}

pub(crate) async fn ask_remove(desk: Desk, Path(id): Path<String>) -> Answer {
    let person = person(&desk, id).await?;
    let text = words::remove(&person.name);
    panel(&desk, &person, "remove", (&text, words::REMOVE_ABOUT))
}

fn panel(desk: &Desk, person: &Person, what: &str, (text, about): (&str, &str)) -> Answer {
    let body = html! {
        h1 { (text) }
        div.card {
            p { strong { (person.name) } ", " (person.email) ", " (role_name(person.role)) }
            (notice("warn", about))
            form method="post" action={ "/admin/team/" (person.id) "/" (what) } {
                (desk.field())
                button.danger type="submit" { (text) }
            }
        }
        p { a href="/admin/team" { (words::BACK) } }
    };
    desk.page(text, &body)
}

pub(crate) async fn reset(desk: Desk, Path(id): Path<String>, _form: Form) -> Answer {
    let (call, at) = (desk.call(), desk.site.at());
    let token = desk.ask(move |engine| engine.reset_operator(&call, &id, at)).await?;
    link(&desk, &token)
}

pub(crate) async fn remove(desk: Desk, Path(id): Path<String>, _form: Form) -> Answer {
    let (call, at) = (desk.call(), desk.site.at());
    desk.ask(move |engine| engine.remove_operator(&call, &id, at)).await?;
    Ok(refusal::to("/admin/team"))
}
