//! Changing a subscription: shown to the cent, then done exactly as shown.

use axum::extract::{Path, Query};
use farthing_core::change::Command;
use farthing_core::ids::CustomerId;
use farthing_core::time::Interval;
use farthing_engine::changes::ChangePreview;
use farthing_engine::customers::Customer;
use farthing_engine::{Engine, EngineError};
use maud::{Markup, html};
use serde::Deserialize;

use super::back;
use crate::admin::customers;
use crate::admin::desk::{Answer, Desk, customer_id};
use crate::admin::paths;
use crate::admin::words::change as words;
use crate::forms::Form;
use crate::layout::notice;
use crate::show;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    what: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    interval: String,
}

impl Wanted {
    fn command(&self) -> Result<Command, EngineError> {
        Ok(match self.what.as_str() {
            "cancel" => Command::Cancel { at_once: false },
            "cancel_now" => Command::Cancel { at_once: true },
            "resume" => Command::Resume,
            _ => {
                let interval = match self.interval.as_str() {
                    "month" => Some(Interval::Month),
                    "year" => Some(Interval::Year),
                    _ => None,
                };
                Command::Change { plan: self.plan.clone(), interval }
            }
        })
    }
}

/// The subscription that runs. Errors: there is none.
fn running(engine: &Engine, id: &CustomerId) -> Result<String, EngineError> {
    let state = engine.state(id)?;
    let found = state.subscription.filter(|subscription| subscription.status != "canceled");
    let missing = || EngineError::NotFound { what: "subscription of", id: id.to_string() };
    Ok(found.ok_or_else(missing)?.id)
}

pub(crate) async fn preview(
    desk: Desk,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let id = customer_id(&id)?;
    let (asked, whose) = (wanted.clone(), id.clone());
    let (customer, shown) = desk
        .ask(move |engine| {
            let subscription = running(engine, &whose)?;
            let preview = engine.preview_change(&subscription, &asked.command()?)?;
            Ok((engine.customer(&whose)?, preview))
        })
        .await?;
    let title = words::title(&wanted.what, customers::name(&customer));
    let body = html! {
        h1 { (title) }
        (panel(&desk, &customer, &wanted, &shown))
        p { a href=(paths::customer(id.as_str())) { (words::BACK) } }
    };
    desk.page(&title, &body)
}

fn panel(desk: &Desk, customer: &Customer, wanted: &Wanted, shown: &ChangePreview) -> Markup {
    let name = customers::name(customer);
    let ends = matches!(wanted.what.as_str(), "cancel" | "cancel_now");
    html! {
        div.card {
            dl {
                dt { (words::WHO) } dd { (name) " " code { (customer.id) } }
                @if wanted.what == "change" { dt { (words::TO) } dd { (wanted.plan) } }
                dt { (words::WHEN) } dd { (show::instant(shown.effective_at)) }
                dt { (words::NOW) } dd { strong { (show::money(shown.due_now)) } }
                @if let Some(next) = &shown.next_charge {
                    dt { (words::NEXT) } dd { (show::money(next.amount)) ", " (show::day(next.at)) }
                }
            }
            @if !shown.lines.is_empty() {
                table {
                    caption { (words::LINES) }
                    tbody { @for line in &shown.lines { tr { td { (line.description) } td.number { (show::money(line.amount)) } } } }
                }
            }
            @if !shown.blocked_by.is_empty() {
                (notice("bad", words::BLOCKED))
                ul { @for reason in &shown.blocked_by { li { (reason) } } }
            } @else {
                form method="post" action={ (paths::customer(customer.id.as_str())) "/change" } {
                    (desk.field())
                    input type="hidden" name="what" value=(wanted.what);
                    input type="hidden" name="plan" value=(wanted.plan);
                    input type="hidden" name="interval" value=(wanted.interval);
                    @if let Some(token) = &shown.preview_token { input type="hidden" name="preview_token" value=(token); }
                    button class=(if ends { "danger" } else { "" }) type="submit" {
                        (words::button(&wanted.what, &show::money(shown.due_now), shown.due_now.minor, name))
                    }
                }
            }
        }
    }
}

pub(crate) async fn make(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let id = customer_id(&id)?;
    let wanted = Wanted {
        what: form.get("what").to_owned(),
        plan: form.get("plan").to_owned(),
        interval: form.get("interval").to_owned(),
    };
    let token = Some(form.get("preview_token").to_owned()).filter(|token| !token.is_empty());
    let (call, whose) = (desk.call(), id.clone());
    let changed = desk
        .ask(move |engine| {
            let subscription = running(engine, &whose)?;
            engine.change(&call, &subscription, &wanted.command()?, token.as_deref())
        })
        .await?;
    Ok(back(&id, changed.outcome))
}
