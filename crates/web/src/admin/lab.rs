//! The sandbox lab: its clock, and what moving it brought about.

use axum::extract::Query;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::attention::OutEvent;
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Desk};
use super::paths;
use super::words::lab as words;
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::refusal::{self, Refusal};
use crate::show;

/// How many events are shown of what happened.
const SHOWN: u32 = 25;
/// How many subscriptions are looked at for the next renewal and the next end of a trial.
const LOOKED_AT: i64 = 500;

/// What was just done.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    events: Option<u64>,
    #[serde(default)]
    from: String,
}

pub(crate) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let Some(lab) = desk.site.lab.clone() else { return Err(Refusal::NoPage) };
    let now = lab.now();
    let (next, happened) =
        desk.ask(move |engine| Ok((upcoming(engine, now)?, engine.events_out("", SHOWN)?))).await?;
    let from = asked.from.parse::<Timestamp>().ok();
    let body = html! {
        h1 { (words::TITLE) }
        @if let Some(n) = asked.events { (notice("good", &words::moved(n))) }
        section.card aria-labelledby="clock" {
            h2 id="clock" { (words::CLOCK) ": " (show::instant(now)) }
            p { (words::ABOUT) }
            (moves(&desk, now, &next))
        }
        section.card aria-labelledby="happened" {
            h2 id="happened" { (words::HAPPENED) }
            (list(&happened, from))
        }
    };
    desk.page(words::TITLE, &body)
}

/// The next renewal and the next end of a trial after `now`.
fn upcoming(
    engine: &farthing_engine::Engine,
    now: Timestamp,
) -> Result<[Option<Timestamp>; 2], farthing_engine::EngineError> {
    let found = engine.subscriptions(None, "", LOOKED_AT)?;
    let running = || found.iter().filter(|subscription| subscription.status != "canceled");
    let renewal = running().map(|it| it.period.end).filter(|at| now < *at).min();
    let trial = running().filter_map(|it| it.trial_ends_at).filter(|at| now < *at).min();
    Ok([renewal, trial])
}

fn moves(desk: &Desk, now: Timestamp, next: &[Option<Timestamp>; 2]) -> Markup {
    let [renewal, trial] = next;
    let day = Some(now.plus_seconds(86_400));
    let week = Some(now.plus_seconds(7 * 86_400));
    let month = Some(now.plus_intervals(1, Interval::Month));
    let steps = [
        (words::DAY, day),
        (words::WEEK, week),
        (words::MONTH, month),
        (words::RENEWAL, *renewal),
        (words::TRIAL, *trial),
    ];
    html! {
        form method="post" action="/admin/lab/advance" {
            (desk.field())
            @for (name, to) in steps {
                @if let Some(to) = to { button.quiet type="submit" name="to" value=(to) { (name) } }
            }
        }
    }
}

fn list(happened: &[OutEvent], from: Option<Timestamp>) -> Markup {
    html! {
        @if happened.is_empty() { (empty(words::NOTHING, words::NOTHING_MORE, Some("farthing clock advance 31d"))) }
        ul {
            @for event in happened {
                @let new = from.is_some_and(|from| from <= event.created_at);
                li {
                    (show::instant(event.created_at)) " " strong { (event.kind) } " "
                    @if let Some(customer) = &event.customer { a href=(paths::customer(customer.as_str())) { (customer) } }
                    @if new { " " span.tag.good { (words::NEW) } }
                }
            }
        }
    }
}

pub(crate) async fn advance(desk: Desk, form: Form) -> Answer {
    let Some(lab) = desk.site.lab.clone() else { return Err(Refusal::NoPage) };
    let from = lab.now();
    let to: Timestamp = form.get("to").parse().map_err(|_| Refusal::NoPage)?;
    match lab.advance(to).await {
        Ok(events) => Ok(refusal::to(&format!("/admin/lab?events={events}&from={from}"))),
        Err(message) => {
            let error = farthing_engine::EngineError::refused("clock", message);
            Err(Refusal::Engine(error))
        }
    }
}
