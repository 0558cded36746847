//! Refunds: the queue, one of them, and asking for one. Money moves only from a panel that names
//! customer, amount and what follows.

use axum::extract::{Path, Query};
use farthing_core::refund::Agreement;
use farthing_engine::customers::Customer;
use farthing_engine::operators::{Action, Person};
use farthing_engine::refunds::{Eligibility, RefundAsk, RefundFilter, RefundState, RefundView};
use farthing_engine::{Engine, EngineError};
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Desk, customer_id};
use super::words::refunds as words;
use super::{customers, paths, timeline};
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::{refusal, show};

/// How many are on one page.
const PAGE: i64 = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    state: Option<String>,
    #[serde(default)]
    before: String,
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let word = asked.state.clone().unwrap_or_else(|| "needs_review".to_owned());
    let filter =
        RefundFilter { state: word.parse::<RefundState>().ok(), ..RefundFilter::default() };
    let before = asked.before.clone();
    let (mut found, team) = desk
        .ask(move |engine| Ok((engine.refunds(&filter, &before, PAGE)?, engine.team()?)))
        .await?;
    let full = found.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let last = found.last().filter(|_| full).map(|refund| refund.id.clone());
    if word == "needs_review" {
        // Who waits longest comes first.
        found.reverse();
    }
    let body = html! {
        h1 { (words::TITLE) }
        nav.row aria-label=(words::STATES) {
            @for (key, name) in words::ALL_STATES {
                a href={ "/admin/refunds?state=" (key) } aria-current=[(word == key).then_some("true")] { (name) }
            }
        }
        @if found.is_empty() { (empty(words::NONE, words::NONE_MORE, Some("farthing refunds list"))) }
        @for refund in &found {
            section.card data-row aria-label=(show::money(refund.amount)) {
                h2 { a data-first href={ "/admin/refunds/" (refund.id) } { (show::money(refund.amount)) } " " (state(refund.state)) }
                (facts(refund, &team))
            }
        }
        @if let Some(last) = last { p { a.button.quiet href={ "/admin/refunds?state=" (word) "&before=" (last) } { (words::OLDER) } } }
    };
    desk.page(words::TITLE, &body)
}

/// A state as a word that is not only a colour.
fn state(word: &str) -> Markup {
    let class = match word {
        "succeeded" => "tag good",
        "needs_review" | "sent" | "waiting" => "tag warn",
        _ => "tag bad",
    };
    html! { span class=(class) { (words::state(word)) } }
}

fn facts(refund: &RefundView, team: &[Person]) -> Markup {
    let person = |actor: &String| timeline::actor(actor, team);
    html! {
        dl {
            dt { (words::WHO) } dd { a href=(paths::customer(refund.customer.as_str())) { (refund.customer) } }
            dt { (words::ASKED) } dd { (show::instant(refund.requested_at)) ", " (person(&refund.requested_by)) }
            @if let Some(reason) = &refund.reason { dt { (words::REASON) } dd { (reason) } }
            @if let Some(who) = &refund.approved_by { dt { (words::AGREED) } dd { (person(who)) @if let Some(second) = &refund.second_approved_by { ", " (person(second)) } } }
            @if 0 < refund.approvals_missing { dt { (words::MISSING) } dd { (refund.approvals_missing) } }
            @if let Some(who) = &refund.rejected_by { dt { (words::REJECTED) } dd { (person(who)) @if let Some(why) = &refund.reject_reason { ": " (why) } } }
            @if let Some(failure) = &refund.failure { dt { (words::FAILED) } dd { code { (failure) } } }
        }
    }
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>) -> Answer {
    let (refund, customer, past, team) = desk
        .ask(move |engine| {
            let refund = engine.refund(&id)?;
            let customer = engine.customer(&refund.customer).ok();
            let filter =
                RefundFilter { customer: Some(refund.customer.clone()), ..RefundFilter::default() };
            Ok((refund, customer, engine.refunds(&filter, "", 20)?, engine.team()?))
        })
        .await?;
    let name = customer.as_ref().map_or(refund.customer.as_str(), customers::name);
    let past: Vec<&RefundView> = past.iter().filter(|other| other.id != refund.id).collect();
    let body = html! {
        h1 { (words::of(&show::money(refund.amount), name)) " " (state(refund.state)) }
        div.card {
            (facts(&refund, &team))
            @if let Some(judged) = &refund.judged { details open { summary { (words::JUDGED) } pre tabindex="0" { (timeline::pretty(judged)) } } }
        }
        @if !past.is_empty() {
            section.card { h2 { (words::PAST) } ul { @for other in past {
                li { a href={ "/admin/refunds/" (other.id) } { (show::money(other.amount)) } ", " (words::state(other.state)) ", " (show::day(other.requested_at)) }
            } } }
        }
        @if refund.state == "needs_review" && desk.may(Action::Refund) { (decide(&desk, &refund, name)) }
        p { a href="/admin/refunds" { (words::BACK) } }
    };
    desk.page(words::TITLE, &body)
}

fn decide(desk: &Desk, refund: &RefundView, name: &str) -> Markup {
    let here = format!("/admin/refunds/{}", refund.id);
    html! {
        section.card aria-labelledby="decide" {
            h2 id="decide" { (words::DECIDE) }
            p { (words::follows(refund.approvals_missing)) }
            form method="post" action={ (here) "/approve" } {
                (desk.field())
                button.danger data-key="a" type="submit" { (words::approve(&show::money(refund.amount), name, refund.approvals_missing)) }
            }
            form method="post" action={ (here) "/reject" } {
                (desk.field())
                label for="why" { (words::WHY_NOT) }
                input id="why" data-key="r" name="reason" required maxlength="1000" list="templates";
                datalist id="templates" { @for text in words::TEMPLATES { option value=(text) {} } }
                button.quiet type="submit" { (words::REJECT) }
            }
        }
    }
}

pub(crate) async fn approve(desk: Desk, Path(id): Path<String>, _form: Form) -> Answer {
    let call = desk.call();
    let refund = desk.ask(move |engine| engine.approve_refund(&call, &id)).await?;
    Ok(refusal::to(&format!("/admin/refunds/{}", refund.id)))
}

pub(crate) async fn reject(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let (call, reason) = (desk.call(), form.get("reason").to_owned());
    let refund = desk.ask(move |engine| engine.reject_refund(&call, &id, &reason)).await?;
    Ok(refusal::to(&format!("/admin/refunds/{}", refund.id)))
}

/// Whether a customer may have money back, and the form that asks for it.
pub(crate) async fn form(desk: Desk, Path(id): Path<String>) -> Answer {
    let id = customer_id(&id)?;
    let whose = id.clone();
    let (customer, shown) = desk
        .ask(move |engine| Ok((engine.customer(&whose)?, engine.refund_eligibility(&whose, None)?)))
        .await?;
    let title = words::ask_title(customers::name(&customer));
    let body = html! {
        h1 { (title) }
        (judgement(&shown))
        @if shown.eligible {
            form.card method="post" action={ (paths::customer(id.as_str())) "/refund" } {
                (desk.field())
                input type="hidden" name="payment" value=(shown.payment);
                label for="reason" { (words::REASON_FIELD) }
                input id="reason" name="reason" required minlength="10" maxlength="1000";
                label for="amount" { (words::AMOUNT) }
                input id="amount" name="amount" inputmode="numeric" maxlength="12" aria-describedby="amount-hint";
                span.hint id="amount-hint" { (words::amount_hint(&show::money(shown.refundable))) }
                button type="submit" { (words::LOOK) }
            }
        }
        p { a href=(paths::customer(id.as_str())) { (words::BACK_TO) } }
    };
    desk.page(&title, &body)
}

/// The rules with their numbers, and what would follow.
fn judgement(shown: &Eligibility) -> Markup {
    html! {
        div.card {
            p { strong { (if shown.eligible { words::MAY } else { words::MAY_NOT }) } }
            @if !shown.problems.is_empty() { ul { @for problem in &shown.problems { li { (problem.message) } } } }
            dl {
                dt { (words::PAID) } dd { (show::money(shown.captured)) ", " (show::instant(shown.paid_at)) }
                @if let Some(to) = &shown.to { dt { (words::FOR) } dd { @if let Some(from) = &shown.from { (from) " → " } (to) } }
                dt { (words::BACK_NOW) } dd { (show::money(shown.amount)) }
                @if let Some(at) = shown.closes_at { dt { (words::UNTIL) } dd { (show::instant(at)) } }
                dt { (words::AGREE) } dd { (agreement(shown.approval)) }
                @if let Some(plan) = &shown.then.move_to { dt { (words::THEN) } dd { (plan) ", " (words::at(shown.then.at)) } }
                @for (credit, taken) in &shown.then.credits { dt { (show::words(credit)) } dd { (words::credits(taken.taken, taken.owed)) } }
            }
            @if !shown.checks.is_empty() {
                table {
                    caption { (words::RULES) }
                    tbody { @for check in &shown.checks { tr { td { (show::words(&check.feature)) } td { (words::used(check.used, check.limit)) } td { (if check.ok { words::FINE } else { words::TOO_MUCH }) } } } }
                }
            }
        }
    }
}

fn agreement(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Nobody => words::NOBODY,
        Agreement::OnePerson => words::ONE,
        Agreement::TwoPeople => words::TWO,
    }
}

/// Shows what would be done; with the token of that, does it.
pub(crate) async fn ask(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let id = customer_id(&id)?;
    let amount = match form.get("amount") {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            EngineError::invalid("/amount", "invalid_amount", words::BAD_AMOUNT, words::AMOUNT_FIX)
        })?),
    };
    let payment = Some(form.get("payment").to_owned()).filter(|payment| !payment.is_empty());
    let reason = form.get("reason").to_owned();
    let ask = RefundAsk { customer: id, payment, amount, reason };
    let token = form.get("preview_token").to_owned();
    if !token.is_empty() {
        let call = desk.call();
        let made = desk.ask(move |engine| engine.request_refund(&call, &ask, Some(&token))).await?;
        return Ok(refusal::to(&format!("/admin/refunds/{}", made.id)));
    }
    let asked = ask.clone();
    let (customer, preview) = desk
        .ask(move |engine: &Engine| {
            Ok((engine.customer(&asked.customer)?, engine.preview_refund(&asked)?))
        })
        .await?;
    let token = preview.preview_token.as_deref();
    panel(&desk, &customer, &ask, (&preview.eligibility, token))
}

fn panel(
    desk: &Desk,
    customer: &Customer,
    ask: &RefundAsk,
    (shown, token): (&Eligibility, Option<&str>),
) -> Answer {
    let name = customers::name(customer);
    let title = words::of(&show::money(shown.amount), name);
    let body = html! {
        h1 { (title) }
        (judgement(shown))
        @match token {
            None => (notice("bad", words::MAY_NOT)),
            Some(token) => form.card method="post" action={ (paths::customer(customer.id.as_str())) "/refund" } {
                (desk.field())
                input type="hidden" name="payment" value=(shown.payment);
                @if let Some(amount) = ask.amount { input type="hidden" name="amount" value=(amount); }
                input type="hidden" name="reason" value=(ask.reason);
                input type="hidden" name="preview_token" value=(token);
                p { (words::REASON) ": " (ask.reason) }
                button.danger type="submit" { (words::make(&show::money(shown.amount), name, shown.approval == Agreement::Nobody)) }
            },
        }
        p { a href=(paths::customer(customer.id.as_str())) { (words::BACK_TO) } }
    };
    desk.page(&title, &body)
}
