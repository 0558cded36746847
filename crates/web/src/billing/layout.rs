//! The frame around every page: whose it is, where one can go, and parts that pages share.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::site::Pages;
use super::theme::Theme;
use super::visitor::Visitor;
use super::words;

/// A whole page, ready to be sent.
pub(super) type Shown = Html<String>;

/// A page in the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Plans,
    Packs,
    Methods,
    Invoices,
    Trial,
    Cancel,
}

const MENU: [(Place, &str, &str); 5] = [
    (Place::Overview, "/b", words::OVERVIEW),
    (Place::Plans, "/b/plans", words::PLANS),
    (Place::Packs, "/b/packs", words::PACKS),
    (Place::Methods, "/b/payment-methods", words::METHODS),
    (Place::Invoices, "/b/invoices", words::INVOICES),
];

/// A page of somebody with a session.
pub(super) fn page(
    pages: &Pages,
    visitor: &Visitor,
    (place, title): (Place, &str),
    body: &Markup,
) -> Shown {
    let theme = &pages.theme;
    document(
        theme,
        title,
        &html! {
            a.skip href="#main" { (words::SKIP) }
            header.top {
                (brand(theme))
                nav aria-label=(words::MENU) {
                    ul {
                        @for (known, path, name) in MENU {
                            li { a href=(path) aria-current=[(known == place).then_some("page")] { (name) } }
                        }
                    }
                }
            }
            @if visitor.session.read_only { p.mode role="note" { (words::LOOKING_ONLY) } }
            main id="main" {
                h1 { (title) }
                (body)
            }
            footer {
                a href=(visitor.session.return_url) { (words::BACK_TO_APP) }
                @if !visitor.session.read_only {
                    form.inline method="post" action="/b/leave" {
                        (visitor.field())
                        button.quiet type="submit" { (words::LEAVE) }
                    }
                }
            }
        },
    )
}

/// A page for whoever: without a menu.
pub(super) fn plain(theme: &Theme, title: &str, body: &Markup) -> Shown {
    document(
        theme,
        title,
        &html! {
            header.top { (brand(theme)) }
            main.narrow id="main" {
                h1 { (title) }
                (body)
            }
        },
    )
}

fn brand(theme: &Theme) -> Markup {
    html! {
        p.brand {
            @if theme.logo.is_some() { img src="/b/assets/logo" alt="" height="32"; }
            span { (theme.name) }
        }
    }
}

fn document(theme: &Theme, title: &str, body: &Markup) -> Shown {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · " (theme.name) }
                link rel="stylesheet" href="/b/assets/style.css";
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}

/// A button that posts: `fields` are sent along.
pub(super) fn button(
    visitor: &Visitor,
    (action, label, class): (&str, &str, &str),
    fields: &[(&str, &str)],
) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (visitor.field())
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button class=(class) type="submit" disabled[visitor.session.read_only] { (label) }
        }
    }
}

/// What was just done, from the address; nothing when it says nothing that we know.
pub(super) fn done(word: &str) -> Markup {
    html! {
        @if let Some(text) = words::done(word) { p.notice role="status" { (text) } }
    }
}

/// An address of the provider's, if it is one that a browser goes to and does not run.
pub(super) fn outside(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}
