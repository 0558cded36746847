//! The trial: the day it ends, what is charged then, and the way out, two clicks from the front.

use axum::extract::State;
use maud::html;

use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::Visitor;
use super::words;
use crate::show;

/// `GET /b/trial`.
pub(super) async fn show(State(pages): State<Pages>, visitor: Visitor) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let shown = pages.ask(move |engine| engine.billing_overview(&id)).await?;
    let trial = shown.state.subscription.as_ref().filter(|sub| sub.status == "trialing");
    let ends = trial.and_then(|trial| trial.trial_ends_at);
    let body = html! {
        @match (trial, ends) {
            (Some(trial), Some(ends)) => {
                section.card {
                    p { (words::trial_on(&shown.plan_name)) " " strong { (show::day(ends)) } " ("
                        (words::in_(&show::distance(shown.now, ends))) ")." }
                    @match (&shown.next_charge, trial.cancel_at) {
                        (Some(charge), None) => {
                            p { (words::TRIAL_CHARGE) " " strong.big { (show::money(charge.amount)) } " " (words::ON) " " (show::day(charge.at)) "." }
                            @if let Some(days) = shown.trial_reminder_days { p { (words::reminder(days)) } }
                            p { (words::TRIAL_FREE_TO_GO) }
                            (layout::button(&visitor, ("/b/cancel", words::CANCEL_TRIAL, "danger"), &[]))
                        }
                        _ => {
                            p { (words::TRIAL_NO_CHARGE) }
                            (layout::button(&visitor, ("/b/resume", words::KEEP_PLAN, ""), &[]))
                        }
                    }
                }
            }
            _ => { p.empty { (words::NO_TRIAL) } }
        }
        p { a href="/b" { (words::TO_OVERVIEW) } }
    };
    Ok(layout::page(&pages, &visitor, (Place::Trial, words::TRIAL), &body))
}
