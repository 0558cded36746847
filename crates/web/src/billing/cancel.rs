//! The end: why, when, what is kept, and undone until then. No maze.

use axum::extract::State;
use axum::response::Response;
use farthing_core::change::Command;
use farthing_engine::billing_page::BillingOverview;
use farthing_engine::{Call, EngineError};
use maud::{Markup, html};

use super::door::to;
use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Posted, Visitor};
use super::words;
use crate::show;

/// `GET /b/cancel`.
pub(super) async fn show(State(pages): State<Pages>, visitor: Visitor) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let shown = pages.ask(move |engine| engine.billing_overview(&id)).await?;
    let sub = shown.state.subscription.as_ref();
    let running = sub.filter(|sub| matches!(sub.status, "active" | "trialing"));
    let body = html! {
        @match running {
            None => { p.empty { (words::NOTHING_TO_CANCEL) } }
            Some(sub) => {
                @match sub.cancel_at {
                    Some(at) => {
                        p { (words::ends_on(&shown.fallback_name)) " " (show::day(at)) "." }
                        (layout::button(&visitor, ("/b/resume", words::KEEP_PLAN, ""), &[]))
                    }
                    None => {
                        (kept(&shown))
                        (form(&visitor))
                    }
                }
            }
        }
        p { a href="/b" { (words::TO_OVERVIEW) } }
    };
    Ok(layout::page(&pages, &visitor, (Place::Cancel, words::CANCEL), &body))
}

fn kept(shown: &BillingOverview) -> Markup {
    let end = shown.state.subscription.as_ref().map(|sub| {
        sub.trial_ends_at.filter(|_| sub.status == "trialing").unwrap_or(sub.period.end)
    });
    html! {
        section.card {
            h2 { (words::WHAT_HAPPENS) }
            ul {
                @if let Some(end) = end {
                    li { (words::keep_until(&shown.plan_name)) " " strong { (show::day(end)) } "." }
                }
                li { (words::NO_MORE_CHARGES) }
                li { (words::after_that(&shown.fallback_name)) }
                li { (words::DATA_STAYS) }
                li { (words::UNDO_UNTIL) }
            }
        }
    }
}

fn form(visitor: &Visitor) -> Markup {
    html! {
        form.card method="post" action="/b/cancel" {
            (visitor.field())
            fieldset {
                legend { (words::WHY) }
                @for (key, text) in words::REASONS {
                    label.choice { input type="radio" name="reason" value=(key); " " (text) }
                }
            }
            label for="comment" { (words::COMMENT) }
            textarea id="comment" name="comment" rows="3" maxlength="400" {}
            p {
                button.danger type="submit" disabled[visitor.session.read_only] { (words::CANCEL_NOW) }
                a.quiet.button href="/b" { (words::KEEP_PLAN) }
            }
        }
    }
}

/// `POST /b/cancel`: at the end of what was paid for, or of the trial.
pub(super) async fn make(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let known = words::REASONS.iter().find(|(key, _)| *key == posted.get("reason"));
    let comment: String =
        posted.get("comment").chars().filter(|c| !c.is_control()).take(400).collect();
    let reason = match (known, comment.is_empty()) {
        (Some((key, _)), true) => Some((*key).to_owned()),
        (Some((key, _)), false) => Some(format!("{key}: {comment}")),
        (None, false) => Some(comment),
        (None, true) => None,
    };
    let call = Call { reason, ..posted.visitor.call() };
    run(&pages, &posted, call, Command::Cancel { at_once: false }).await?;
    Ok(to("/b?done=canceled"))
}

/// `POST /b/resume`: nothing of what was scheduled happens.
pub(super) async fn undo(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let call = posted.visitor.call();
    run(&pages, &posted, call, Command::Resume).await?;
    Ok(to("/b?done=resumed"))
}

async fn run(pages: &Pages, posted: &Posted, call: Call, command: Command) -> Result<(), Problem> {
    let id = posted.visitor.customer();
    pages
        .ask(move |engine| {
            let state = engine.state(&id)?;
            let running =
                state.subscription.filter(|sub| matches!(sub.status, "active" | "trialing"));
            let Some(running) = running else {
                return Err(EngineError::refused("no_running_subscription", words::NOT_RUNNING));
            };
            engine.change(&call, &running.id, &command, None).map(drop)
        })
        .await
}
