//! The audit log: of the system, or of one customer.

use axum::extract::Query;
use maud::html;
use serde::Deserialize;

use super::desk::{Answer, Desk, customer_id};
use super::timeline;
use super::words::{action_name, audit as words};
use crate::layout::empty;
use crate::show;

/// How many are on one page.
const PAGE: u32 = 100;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    customer: String,
    before: Option<i64>,
}

pub(crate) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let customer = match asked.customer.trim() {
        "" => None,
        id => Some(customer_id(id)?),
    };
    let before = asked.before;
    let (found, team) = desk
        .ask(move |engine| Ok((engine.audit_log(customer.as_ref(), before, PAGE)?, engine.team()?)))
        .await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize).map(|(entry, _)| entry.seq);
    let whose = super::paths::encode(asked.customer.trim());
    let body = html! {
        h1 { (words::TITLE) }
        p { (words::ABOUT) }
        form.row method="get" action="/admin/audit" {
            div.grow {
                label for="customer" { (words::CUSTOMER) }
                input id="customer" name="customer" value=(asked.customer) maxlength="128";
            }
            button type="submit" { (words::SHOW) }
        }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, Some("farthing check"))) }
        @else {
            table.stack {
                thead { tr { th.number scope="col" { "#" } th scope="col" { (words::WHAT) } th scope="col" { (words::ON) } th scope="col" { (words::WHO) } th scope="col" { (words::WHEN) } } }
                tbody {
                    @for (entry, entity) in &found {
                        tr {
                            td.number { (entry.seq) }
                            td { (action_name(&entry.action)) br; span.muted { (entry.action) " · " (entry.cause) } }
                            td data-label=(words::ON) { code { (entity) } }
                            td data-label=(words::WHO) { (timeline::actor(&entry.actor, &team)) }
                            td data-label=(words::WHEN) { (show::instant(entry.at)) }
                        }
                    }
                }
            }
        }
        @if let Some(seq) = last { p { a.button.quiet href={ "/admin/audit?customer=" (whose) "&before=" (seq) } { (words::OLDER) } } }
    };
    desk.page(words::TITLE, &body)
}
