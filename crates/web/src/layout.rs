//! The frame around every page.

use farthing_engine::Mode;
use farthing_engine::operators::{Action, Person, may};
use maud::{DOCTYPE, Markup, html};

use crate::admin::words::{frame as words, role_name};
use crate::assets::{SCRIPT_PATH, STYLE_PATH};
use crate::forms;

/// What the frame has to know.
pub(crate) struct Frame<'a> {
    /// The page's title.
    pub(crate) title: &'a str,
    /// Who is signed in, if somebody is.
    pub(crate) person: Option<&'a Person>,
    /// The path of the page, for the navigation.
    pub(crate) path: &'a str,
    /// `light`, `dark` or nothing for the system's.
    pub(crate) theme: Option<&'a str>,
    /// What forms carry.
    pub(crate) token: &'a str,
    /// What the database is for.
    pub(crate) mode: Mode,
}

/// Where the navigation leads: path, name, and what it takes to be shown.
const PLACES: &[(&str, &str, Action)] = &[
    ("/admin", words::HOME, Action::Look),
    ("/admin/customers", words::CUSTOMERS, Action::Look),
    ("/admin/refunds", words::REFUNDS, Action::Look),
    ("/admin/disputes", words::DISPUTES, Action::Look),
    ("/admin/catalog", words::CATALOG, Action::Look),
    ("/admin/events", words::EVENTS, Action::Look),
    ("/admin/outbox", words::OUTBOX, Action::Look),
    ("/admin/drift", words::DRIFT, Action::Look),
    ("/admin/checks", words::CHECKS, Action::Look),
    ("/admin/lab", words::LAB, Action::Lab),
    ("/admin/keys", words::KEYS, Action::Keys),
    ("/admin/team", words::TEAM, Action::Team),
    ("/admin/audit", words::AUDIT, Action::Audit),
];

/// A whole page.
pub(crate) fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[frame.theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (frame.title) " · Farthing" }
                link rel="stylesheet" href=(STYLE_PATH);
                script src=(SCRIPT_PATH) defer {}
            }
            body {
                a.skip href="#content" { (words::SKIP) }
                @if frame.mode != Mode::Live { p.mode { (words::mode(frame.mode)) } }
                @match frame.person {
                    Some(person) => div.frame {
                        (side(frame, person))
                        main id="content" tabindex="-1" { (body) }
                    },
                    None => main.narrow id="content" tabindex="-1" { (body) },
                }
            }
        }
    }
}

fn side(frame: &Frame<'_>, person: &Person) -> Markup {
    let is_here = |path: &str| match path {
        "/admin" => frame.path == path,
        _ => frame.path.starts_with(path),
    };
    let shown = PLACES.iter().filter(|(path, _, action)| {
        may(person.role, *action) && (*path != "/admin/lab" || frame.mode == Mode::Sandbox)
    });
    html! {
        header.side {
            p.brand { a href="/admin" { "Farthing" } }
            nav aria-label=(words::NAVIGATION) {
                ul {
                    @for (path, name, _) in shown {
                        li { a href=(path) aria-current=[is_here(path).then_some("page")] { (name) } }
                    }
                }
            }
            div.who {
                p { a href="/admin/you" { (person.name) } br; (role_name(person.role)) }
                form method="post" action="/admin/sign-out" {
                    (forms::field(frame.token))
                    button.quiet type="submit" { (words::SIGN_OUT) }
                }
            }
        }
    }
}

/// A sentence about something that was done, or that is wrong.
pub(crate) fn notice(kind: &str, text: &str) -> Markup {
    let role = if kind == "bad" { "alert" } else { "status" };
    html! { p class={ "notice " (kind) } role=(role) { (text) } }
}

/// What a list says that has nothing: what this is, and how it gets something.
pub(crate) fn empty(title: &str, text: &str, command: Option<&str>) -> Markup {
    html! {
        div.card.empty {
            h2 { (title) }
            p { (text) }
            @if let Some(command) = command { p { code { (command) } } }
        }
    }
}
