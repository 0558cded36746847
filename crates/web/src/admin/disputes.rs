//! Disputes: what banks contest, and until when it can be answered.

use axum::extract::Query;
use farthing_engine::refunds::DisputeView;
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Desk};
use super::paths;
use super::words::disputes as words;
use crate::layout::empty;
use crate::show;

/// How many are on one page.
const PAGE: i64 = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    all: String,
    #[serde(default)]
    before: String,
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let (open, before) = (asked.all != "yes", asked.before.clone());
    let found = desk.ask(move |engine| engine.disputes((None, open), &before, PAGE)).await?;
    let full = found.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let all = if open { "" } else { "yes" };
    let body = html! {
        h1 { (words::TITLE) }
        p { (words::ABOUT) }
        nav.row aria-label=(words::WHICH) {
            a href="/admin/disputes" aria-current=[open.then_some("true")] { (words::OPEN) }
            a href="/admin/disputes?all=yes" aria-current=[(!open).then_some("true")] { (words::ALL) }
        }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, None)) }
        @for dispute in &found { (item(&desk, dispute)) }
        @if let Some(last) = found.last().filter(|_| full) {
            p { a.button.quiet href={ "/admin/disputes?all=" (all) "&before=" (last.id) } { (words::OLDER) } }
        }
    };
    desk.page(words::TITLE, &body)
}

fn item(desk: &Desk, dispute: &DisputeView) -> Markup {
    let customer = paths::customer(dispute.customer.as_str());
    let days = dispute.due_by.map(|at| (at.seconds() - desk.now().seconds()).max(0) / 86_400);
    html! {
        section.card aria-label=(show::money(dispute.amount)) {
            h2 { (show::money(dispute.amount)) " " span.tag { (show::words(&dispute.status)) } }
            dl {
                dt { (words::WHO) } dd { a href=(customer) { (dispute.customer) } }
                dt { (words::REASON) } dd { (show::words(&dispute.reason)) }
                @if let (Some(at), Some(days), None) = (dispute.due_by, days, dispute.closed_at) { dt { (words::DUE) } dd { strong { (words::days(days)) } ", " (show::instant(at)) } }
                dt { (words::MONEY) } dd { (if dispute.funds_withdrawn { words::WITH_BANK } else { words::HERE }) }
                dt { (words::OPENED) } dd { (show::instant(dispute.opened_at)) }
                @if let Some(at) = dispute.closed_at { dt { (words::CLOSED) } dd { (show::instant(at)) } }
            }
            p { a href={ (customer) "#happened" } { (words::EVIDENCE) } }
        }
    }
}
