//! Provider events as they came in: where each stands, and handling one again.

use axum::extract::{Path, Query};
use farthing_engine::ingest::{EventState, EventView};
use farthing_engine::operators::Action;
use farthing_engine::replay::ReplayPreview;
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Desk};
use super::words::events as words;
use super::{paths, timeline};
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::{refusal, show};

/// How many are on one page.
const PAGE: u32 = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    said: String,
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let (state, before) = (asked.state.parse::<EventState>().ok(), asked.before.clone());
    let found = desk.ask(move |engine| engine.events(state, &before, PAGE)).await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize);
    let body = html! {
        h1 { (words::TITLE) }
        nav.row aria-label=(words::STATES) {
            @for (key, name) in words::ALL_STATES {
                a href={ "/admin/events?state=" (key) } aria-current=[(asked.state == key).then_some("true")] { (name) }
            }
        }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, Some("farthing events list"))) }
        @else { (table(&found)) }
        @if let Some(last) = last { p { a.button.quiet href={ "/admin/events?state=" (asked.state) "&before=" (last.id) } { (words::OLDER) } } }
    };
    desk.page(words::TITLE, &body)
}

fn table(found: &[EventView]) -> Markup {
    html! {
        table.stack {
            thead { tr { th scope="col" { (words::WHAT) } th scope="col" { (words::STATE) } th scope="col" { (words::WHOSE) } th scope="col" { (words::CAME) } } }
            tbody {
                @for event in found {
                    tr data-row {
                        td { a data-first href={ "/admin/events/" (event.id) } { (event.kind) } br; span.muted { (event.event_id) } }
                        td data-label=(words::STATE) { (state(event.state)) @if let Some(error) = &event.last_error { br; (error) } }
                        td data-label=(words::WHOSE) { (whose(event)) }
                        td data-label=(words::CAME) { (show::instant(event.received_at)) }
                    }
                }
            }
        }
    }
}

fn whose(event: &EventView) -> Markup {
    html! {
        @match &event.customer {
            Some(customer) => a href=(paths::customer(customer.as_str())) { (customer) },
            None => span.muted { (words::NOBODYS) },
        }
    }
}

/// A state as a word that is not only a colour.
fn state(word: &str) -> Markup {
    let class = match word {
        "done" => "tag good",
        "quarantined" => "tag warn",
        "dead" => "tag bad",
        _ => "tag",
    };
    html! { span class=(class) { (word) } }
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let (event, body) =
        desk.ask(move |engine| Ok((engine.event(&id)?, engine.event_body(&id)?))).await?;
    let pretty = serde_json::from_str(&body).map_or(body, |value| timeline::pretty(&value));
    let body = html! {
        h1 { (event.kind) }
        @if asked.said == "replayed" { (notice("good", words::REPLAYED)) }
        (facts(&event))
        @if desk.may(Action::Repair) {
            p { a.button href={ "/admin/events/" (event.id) "/replay" } { (words::LOOK) } }
        }
        section { h2 { (words::RAW) } pre tabindex="0" { (pretty) } }
        p { a href="/admin/events" { (words::BACK) } }
    };
    desk.page(&event.kind, &body)
}

fn facts(event: &EventView) -> Markup {
    html! {
        dl.card {
            dt { (words::STATE) } dd { (state(event.state)) }
            @if let Some(error) = &event.last_error { dt { (words::WHY) } dd { (error) } }
            dt { (words::WHOSE) } dd { (whose(event)) }
            dt { (words::OURS) } dd { code { (event.id) } }
            dt { (words::THEIRS) } dd { code { (event.event_id) } }
            dt { (words::MADE) } dd { (show::instant(event.created_at)) }
            dt { (words::CAME) } dd { (show::instant(event.received_at)) }
            @if let Some(at) = event.processed_at { dt { (words::ENDED) } dd { (show::instant(at)) } }
            dt { (words::TRIES) } dd { (event.attempts) }
        }
    }
}

pub(crate) async fn preview(desk: Desk, Path(id): Path<String>) -> Answer {
    let (preview, team) =
        desk.ask(move |engine| Ok((engine.preview_replay(&id)?, engine.team()?))).await?;
    let event = &preview.event;
    let body = html! {
        h1 { (words::REPLAY_TITLE) " " (event.kind) }
        (effect(&preview))
        @if !preview.changes.is_empty() {
            section.card { h2 { (words::WOULD) } (timeline::list(&preview.changes, &team, &std::collections::BTreeMap::new())) }
        }
        form method="post" action={ "/admin/events/" (event.id) "/replay" } {
            (desk.field())
            button type="submit" { (words::REPLAY) }
        }
        p { a href={ "/admin/events/" (event.id) } { (words::BACK_TO) } }
    };
    desk.page(words::REPLAY_TITLE, &body)
}

fn effect(preview: &ReplayPreview) -> Markup {
    let text = match (preview.outcome, preview.changes.is_empty()) {
        ("ignored", _) => words::IGNORED,
        ("set_aside", _) => words::SET_ASIDE,
        (_, true) => words::NO_EFFECT,
        (_, false) => words::EFFECT,
    };
    html! {
        p { (text) }
        @if let Some(reason) = &preview.reason { (notice("warn", reason)) }
        @if let Some(customer) = &preview.customer { p { (words::WHOSE) ": " a href=(paths::customer(customer.as_str())) { (customer) } } }
    }
}

pub(crate) async fn replay(desk: Desk, Path(id): Path<String>, _form: Form) -> Answer {
    let call = desk.call();
    let event = desk.ask(move |engine| engine.replay_event(&call, &id)).await?;
    Ok(refusal::to(&format!("/admin/events/{}?said=replayed", event.id)))
}
