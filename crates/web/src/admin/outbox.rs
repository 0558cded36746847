//! Events out: what the app was told.

use axum::extract::Query;
use maud::html;
use serde::Deserialize;

use super::desk::{Answer, Desk};
use super::paths;
use super::words::outbox as words;
use crate::layout::empty;
use crate::show;

/// How many are on one page.
const PAGE: u32 = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    before: String,
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let found = desk.ask(move |engine| engine.events_out(&asked.before, PAGE)).await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize);
    let body = html! {
        h1 { (words::TITLE) }
        p { (words::ABOUT) }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, None)) }
        @else {
            table.stack {
                thead { tr { th scope="col" { (words::WHAT) } th scope="col" { (words::WHOSE) } th scope="col" { (words::WHEN) } th scope="col" { (words::INSIDE) } } }
                tbody {
                    @for event in &found {
                        tr {
                            td { (event.kind) br; span.muted { (event.id) } }
                            td data-label=(words::WHOSE) {
                                @if let Some(customer) = &event.customer { a href=(paths::customer(customer.as_str())) { (customer) } " " span.muted { "#" (event.revision) } }
                            }
                            td data-label=(words::WHEN) { (show::instant(event.created_at)) }
                            td { details { summary { (words::DATA) } pre tabindex="0" { (event.data) } } }
                        }
                    }
                }
            }
        }
        @if let Some(last) = last { p { a.button.quiet href={ "/admin/outbox?before=" (last.id) } { (words::OLDER) } } }
    };
    desk.page(words::TITLE, &body)
}
