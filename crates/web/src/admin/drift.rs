//! Drift: ours against the provider's, field by field, and what ends each difference.

use axum::extract::{Path, Query};
use farthing_engine::operators::Action;
use farthing_engine::reconcile::{DriftState, DriftView};
use maud::{Markup, html};
use serde::Deserialize;

use super::customer::back;
use super::desk::{Answer, Desk, customer_id};
use super::paths;
use super::words::drift as words;
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::refusal;
use crate::show;

/// How many are on one page.
const PAGE: u32 = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    state: Option<String>,
    #[serde(default)]
    before: String,
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let word = asked.state.clone().unwrap_or_else(|| "open".to_owned());
    let (state, before) = (word.parse::<DriftState>().ok(), asked.before.clone());
    let (found, provider) = desk
        .ask(move |engine| Ok((engine.drift(state, None, &before, PAGE)?, engine.provider_state())))
        .await?;
    let last = found.last().filter(|_| found.len() == PAGE as usize);
    let body = html! {
        h1 { (words::TITLE) }
        @if let Some(provider) = provider.filter(|provider| provider.state != "closed") {
            (notice("warn", &words::away(provider.last_error_at.map(show::instant_text).as_deref())))
        }
        p { (words::ABOUT) }
        nav.row aria-label=(words::STATES) {
            @for (key, name) in words::ALL_STATES {
                a href={ "/admin/drift?state=" (key) } aria-current=[(word == key).then_some("true")] { (name) }
            }
        }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, Some("farthing reconcile"))) }
        @for one in &found { (item(&desk, one)) }
        @if let Some(last) = last { p { a.button.quiet href={ "/admin/drift?state=" (word) "&before=" (last.id) } { (words::OLDER) } } }
    };
    desk.page(words::TITLE, &body)
}

fn item(desk: &Desk, one: &DriftView) -> Markup {
    html! {
        section.card aria-label=(one.field) {
            h2 { (show::words(&one.field)) " " span.tag { (one.state) } }
            p.muted {
                code { (one.object) }
                @if let Some(customer) = &one.customer { " · " a href=(paths::customer(customer.as_str())) { (customer) } }
                " · " (show::instant(one.seen_at))
            }
            dl { dt { (words::OURS) } dd { code { (one.ours) } } dt { (words::THEIRS) } dd { code { (one.theirs) } } dt { (words::REPAIR) } dd { (words::repair(one.repair)) } }
            @if let Some(reason) = &one.reason { p { (words::BECAUSE) " " (reason) } }
            @if one.state == "open" && desk.may(Action::Repair) {
                @if let Some(customer) = one.customer.as_ref().filter(|_| one.repair != "person") {
                    form.inline method="post" action={ (paths::customer(customer.as_str())) "/reconcile" } {
                        (desk.field())
                        input type="hidden" name="fix" value="yes";
                        button type="submit" { (words::ACCEPT) }
                    }
                }
                details {
                    summary { (words::IGNORE) }
                    form method="post" action={ "/admin/drift/" (one.id) "/ignore" } {
                        (desk.field())
                        label for={ "reason-" (one.id) } { (words::REASON) }
                        input id={ "reason-" (one.id) } name="reason" required minlength="10" maxlength="500";
                        button.quiet type="submit" { (words::LET_BE) }
                    }
                }
            }
        }
    }
}

pub(crate) async fn ignore(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let (call, reason) = (desk.call(), form.get("reason").to_owned());
    desk.ask(move |engine| engine.ignore_drift(&call, &id, &reason)).await?;
    Ok(refusal::to("/admin/drift"))
}

/// Compares one customer with the provider; repairs only what was asked for.
pub(crate) async fn reconcile(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let id = customer_id(&id)?;
    let (call, whose, fix) = (desk.call(), id.clone(), form.get("fix") == "yes");
    let report = desk.ask(move |engine| engine.reconcile_customer(&call, &whose, fix)).await?;
    Ok(back(&id, if report.open() == 0 { "in_step" } else { "drift" }))
}
