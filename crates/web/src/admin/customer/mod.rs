//! A customer: on the left what they have, in the middle what happened, and what can be done.

pub(crate) mod change;
pub(crate) mod favour;
mod left;

use std::collections::BTreeMap;

use axum::extract::{Path, Query};
use farthing_core::allowance::Override;
use farthing_core::ids::CustomerId;
use farthing_engine::customers::Customer;
use farthing_engine::notes::Note;
use farthing_engine::operators::{Action, Person};
use farthing_engine::plans::PlanOffer;
use farthing_engine::state::{State, TimelineEntry};
use farthing_engine::subscriptions::InvoiceView;
use maud::{Markup, html};
use serde::Deserialize;

use super::customers;
use super::desk::{Answer, Desk, customer_id};
use super::paths;
use super::timeline::{self, PARTS, Part};
use super::words::{customer as words, said};
use crate::forms::Form;
use crate::layout::notice;
use crate::{refusal, show};

/// How many entries of the timeline are on one page.
const ENTRIES: u32 = 50;

/// What of the page is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    part: String,
    before: Option<i64>,
    #[serde(default)]
    said: String,
}

/// Everything that the page shows.
pub(crate) struct Found {
    pub(crate) customer: Customer,
    pub(crate) state: State,
    pub(crate) invoices: Vec<InvoiceView>,
    pub(crate) plans: Vec<PlanOffer>,
    pub(crate) overrides: BTreeMap<String, Override>,
    notes: Vec<Note>,
    entries: Vec<TimelineEntry>,
    bodies: BTreeMap<String, (String, String)>,
    team: Vec<Person>,
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let id = customer_id(&id)?;
    let before = asked.before;
    let found = desk.ask(move |engine| load(engine, &id, before)).await?;
    let name = customers::name(&found.customer);
    let body = html! {
        h1 { (name) " " (customers::standing(found.state.standing)) }
        p.muted { code { (found.customer.id) } " · " (found.customer.email) " · " (words::SINCE) " " (show::day(found.customer.created_at)) }
        @if let Some(text) = said(&asked.said) { (notice("good", text)) }
        div.columns {
            div { (left::column(&desk, &found)) }
            div {
                (notes(&desk, &found))
                (happened(&desk, &found, &asked))
            }
        }
    };
    desk.page(name, &body)
}

fn load(
    engine: &farthing_engine::Engine,
    id: &CustomerId,
    before: Option<i64>,
) -> Result<Found, farthing_engine::EngineError> {
    let entries = engine.timeline(id, before, ENTRIES)?;
    let mut causes: Vec<String> = entries
        .iter()
        .filter(|entry| entry.actor.starts_with("provider:"))
        .map(|entry| entry.cause.clone())
        .collect();
    causes.dedup();
    Ok(Found {
        customer: engine.customer(id)?,
        state: engine.state(id)?,
        invoices: engine.invoices(Some(id), "", 12)?,
        plans: engine.plans(Some(id))?,
        overrides: engine.overrides(id)?,
        notes: engine.notes(id)?,
        bodies: engine.event_bodies(&causes)?,
        entries,
        team: engine.team()?,
    })
}

fn happened(desk: &Desk, found: &Found, asked: &Asked) -> Markup {
    let part = Part::of(&asked.part);
    let shown: Vec<TimelineEntry> =
        found.entries.iter().filter(|entry| part.has(entry)).cloned().collect();
    let here = paths::customer(found.customer.id.as_str());
    let full = found.entries.len() == ENTRIES as usize;
    let older = found.entries.last().filter(|_| full).map(|entry| entry.seq);
    html! {
        section.card aria-labelledby="happened" {
            h2 id="happened" { (words::HAPPENED) }
            nav.row aria-label=(words::PARTS) {
                @for (each, key, name) in PARTS {
                    a href={ (here) "?part=" (key) "#happened" } aria-current=[(each == part).then_some("true")] { (name) }
                }
            }
            @if shown.is_empty() { p.muted { (words::NOTHING_HERE) } }
            (timeline::list(&shown, &found.team, &found.bodies))
            @if let Some(seq) = older {
                p { a.button.quiet href={ (here) "?part=" (asked.part) "&before=" (seq) "#happened" } { (words::OLDER) } }
            }
            @if asked.before.is_some() { p { a href=(desk.visitor.path) { (words::NEWEST) } } }
        }
    }
}

fn notes(desk: &Desk, found: &Found) -> Markup {
    let here = paths::customer(found.customer.id.as_str());
    html! {
        @if desk.may(Action::Note) || !found.notes.is_empty() {
            section.card aria-labelledby="notes" {
                h2 id="notes" { (words::NOTES) }
                @for note in &found.notes {
                    p { (note.text) br; span.muted { (timeline::actor(&note.actor, &found.team)) ", " (show::instant(note.created_at)) } }
                }
                @if desk.may(Action::Note) {
                    form method="post" action={ (here) "/notes" } {
                        (desk.field())
                        label for="text" { (words::NEW_NOTE) }
                        textarea id="text" name="text" rows="2" maxlength="2000" required {}
                        button.quiet type="submit" { (words::KEEP_NOTE) }
                    }
                }
            }
        }
    }
}

pub(crate) async fn note(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let id = customer_id(&id)?;
    let (call, text, whose) = (desk.call(), form.get("text").to_owned(), id.clone());
    desk.ask(move |engine| engine.add_note(&call, &whose, &text)).await?;
    Ok(back(&id, "noted"))
}

/// The customer's page, saying what was done.
pub(crate) fn back(id: &CustomerId, said: &str) -> axum::response::Response {
    refusal::to(&format!("{}?said={said}", paths::customer(id.as_str())))
}
