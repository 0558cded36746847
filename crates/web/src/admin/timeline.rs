//! What happened to a customer: what, why and by whom, with the raw event inside.

use std::collections::BTreeMap;

use farthing_engine::operators::Person;
use farthing_engine::state::TimelineEntry;
use maud::{Markup, html};
use serde_json::Value;

use super::words::{action_name, timeline as words};
use crate::show;

/// What of a timeline is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Money,
    Access,
    Staff,
    Provider,
}

/// The parts, with their names in addresses and for people.
pub(crate) const PARTS: [(Part, &str, &str); 5] = [
    (Part::All, "", words::ALL),
    (Part::Money, "money", words::MONEY),
    (Part::Access, "access", words::ACCESS),
    (Part::Staff, "staff", words::STAFF),
    (Part::Provider, "provider", words::PROVIDER),
];

impl Part {
    /// The part of this name; everything when there is none.
    pub(crate) fn of(name: &str) -> Self {
        PARTS.iter().find(|(_, key, _)| *key == name).map_or(Self::All, |(part, ..)| *part)
    }

    /// Whether an entry belongs to it.
    pub(crate) fn has(self, entry: &TimelineEntry) -> bool {
        let about =
            |kinds: &[&str]| kinds.iter().any(|kind| entry.action.split('.').next() == Some(kind));
        match self {
            Self::All => true,
            Self::Money => {
                about(&["invoice", "payment", "refund", "dispute", "checkout", "dunning"])
            }
            Self::Access => about(&["subscription", "trial", "override", "credits", "usage"]),
            Self::Staff => entry.actor.starts_with("operator:") || entry.actor == "cli",
            Self::Provider => entry.actor.starts_with("provider:"),
        }
    }
}

/// Who is behind an actor of the audit log.
pub(crate) fn actor(actor: &str, team: &[Person]) -> String {
    match actor.split_once(':') {
        Some(("operator", id)) => {
            team.iter().find(|person| person.id == id).map_or(id, |person| &person.name).to_owned()
        }
        Some(("key", id)) => words::app(id),
        Some(("provider", name)) => words::provider(name),
        _ => words::machine(actor),
    }
}

/// The entries, with what is known of the events behind them.
pub(crate) fn list(
    entries: &[TimelineEntry],
    team: &[Person],
    bodies: &BTreeMap<String, (String, String)>,
) -> Markup {
    html! {
        ol.timeline {
            @for entry in entries { (item(entry, team, bodies.get(&entry.cause))) }
        }
    }
}

fn item(entry: &TimelineEntry, team: &[Person], event: Option<&(String, String)>) -> Markup {
    let later = show::instant_text(entry.effective_at) != show::instant_text(entry.at);
    html! {
        li id={ "e" (entry.seq) } {
            strong { (action_name(&entry.action)) } " "
            span.muted { (words::BY) " " (actor(&entry.actor, team)) ", " (show::instant(entry.at)) }
            @if later { br; (words::COUNTS) " " (show::instant(entry.effective_at)) }
            @if let Some(why) = why(entry.to.as_ref()) { br; (words::WHY) " " (why) }
            @if let Some(to) = &entry.to { (short(to)) }
            details {
                summary { (words::INSIDE) }
                dl {
                    dt { (words::ACTION) } dd { code { (entry.action) } }
                    dt { (words::ACTOR) } dd { code { (entry.actor) } }
                    dt { (words::CAUSE) } dd {
                        code { (entry.cause) }
                        @if let Some((id, _)) = event { " " a href={ "/admin/events/" (id) } { (words::EVENT) } }
                    }
                }
                @if let Some(from) = &entry.from { h3 { (words::FROM) } pre tabindex="0" { (pretty(from)) } }
                @if let Some(to) = &entry.to { h3 { (words::TO) } pre tabindex="0" { (pretty(to)) } }
                @if let Some((_, body)) = event { h3 { (words::RAW) } pre tabindex="0" { (body) } }
            }
        }
    }
}

/// What somebody or a rule gave as the reason.
fn why(to: Option<&Value>) -> Option<&str> {
    to?.get("reason").and_then(Value::as_str)
}

/// The few words of an entry that say most, without opening it.
fn short(to: &Value) -> Markup {
    const KEYS: [&str; 8] =
        ["plan", "feature", "limit", "credit", "amount", "status", "code", "changed"];
    let found = KEYS.iter().filter_map(|key| Some((*key, plain(to.get(key)?)?)));
    let found: Vec<String> =
        found.map(|(key, value)| format!("{} {value}", show::words(key))).collect();
    html! { @if !found.is_empty() { br; span.muted { (found.join(" · ")) } } }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(all) => Some(all.iter().filter_map(plain).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Object(_) => None,
    }
}

/// JSON as it is read best.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
