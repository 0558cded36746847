//! Home: what needs a person, and nothing that does not.

use farthing_engine::attention::Attention;
use farthing_engine::reconcile::DriftState;
use farthing_engine::refunds::{RefundFilter, RefundState};
use farthing_engine::{Engine, EngineError};
use maud::{Markup, html};

use super::desk::{Answer, Desk};
use super::words::home as words;
use crate::layout::empty;
use crate::show;

pub(crate) async fn show(desk: Desk) -> Answer {
    let (found, open) = desk.ask(|engine| Ok((engine.attention()?, Open::of(engine)?))).await?;
    let body = html! {
        h1 { (words::TITLE) }
        (needs(&found, &open))
        (soon(&desk, &found))
    };
    desk.page(words::TITLE, &body)
}

/// What waits for a decision; the first hundred of each.
struct Open {
    refunds: i64,
    disputes: i64,
    drift: i64,
}

impl Open {
    fn of(engine: &Engine) -> Result<Self, EngineError> {
        let review = Some(RefundState::NeedsReview);
        let filter = RefundFilter { state: review, ..RefundFilter::default() };
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Self {
            refunds: count(engine.refunds(&filter, "", 100)?.len()),
            disputes: count(engine.disputes((None, true), "", 100)?.len()),
            drift: count(engine.drift(Some(DriftState::Open), None, "", 100)?.len()),
        })
    }
}

fn needs(found: &Attention, open: &Open) -> Markup {
    let counts = [
        (open.refunds, words::REFUNDS, "/admin/refunds"),
        (open.disputes, words::DISPUTES, "/admin/disputes"),
        (open.drift, words::DRIFT, "/admin/drift"),
        (found.dead, words::DEAD, "/admin/events?state=dead"),
        (found.quarantined, words::QUARANTINED, "/admin/events?state=quarantined"),
        (found.past_due, words::PAST_DUE, "/admin/customers?standing=past_due"),
        (found.read_only, words::READ_ONLY, "/admin/customers?standing=read_only"),
    ];
    let anything = counts.iter().any(|(n, ..)| 0 < *n) || !found.alerts.is_empty();
    html! {
        section aria-labelledby="needs" {
            h2 id="needs" { (words::NEEDS) }
            @if !anything { (empty(words::NOTHING, words::NOTHING_MORE, None)) }
            div.cards {
                @for (n, what, path) in counts.iter().filter(|(n, ..)| 0 < *n) {
                    a.card.need href=(path) { strong { (n) } (what) }
                }
            }
            @if !found.alerts.is_empty() {
                div.card {
                    h3 { (words::ALERTS) }
                    ul { @for alert in &found.alerts { (self::alert(alert)) } }
                }
            }
        }
    }
}

fn alert(alert: &farthing_engine::attention::Alert) -> Markup {
    let event = alert.kind == "provider_event";
    html! {
        li {
            strong { (show::words(&alert.kind)) } " "
            @if event { a href={ "/admin/events/" (alert.subject) } { code { (alert.subject) } } }
            @else { code { (alert.subject) } }
            ": " (alert.detail) " " span.muted { (show::instant(alert.created_at)) }
        }
    }
}

fn soon(desk: &Desk, found: &Attention) -> Markup {
    html! {
        section aria-labelledby="soon" {
            h2 id="soon" { (words::SOON) }
            dl.card {
                dt { (words::CUSTOMERS) } dd { a href="/admin/customers" { (found.customers) } }
                dt { (words::TRIALS) } dd { a href="/admin/customers?trial=yes" { (found.on_trial) } }
                dt { (words::WAITING) } dd { a href="/admin/events?state=received" { (found.waiting) } }
                dt { (words::CLOCK) } dd { (show::instant(desk.now())) }
            }
        }
    }
}
