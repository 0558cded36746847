//! The front: plan, next charge, what is overdue, what is used, credits.

use axum::extract::State;
use farthing_core::time::Timestamp;
use farthing_engine::billing_page::{BillingOverview, Meter, Overdue};
use farthing_engine::state::{CreditState, GrantState};
use maud::{Markup, html};

use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Params, Visitor};
use super::words;
use crate::show;

/// `GET /b`.
pub(super) async fn show(
    State(pages): State<Pages>,
    visitor: Visitor,
    params: Params,
) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let shown = pages.ask(move |engine| engine.billing_overview(&id)).await?;
    let body = html! {
        (layout::done(params.get("done")))
        @if let Some(overdue) = &shown.overdue { (banner(&visitor, overdue)) }
        @if shown.changing_since.is_some() { p.notice.warn role="status" { (words::CHANGING) } }
        (plan(&visitor, &shown))
        (meters(&shown.meters))
        (credits(&shown))
    };
    Ok(layout::page(&pages, &visitor, (Place::Overview, words::OVERVIEW), &body))
}

/// One banner, in plain words: what happened, what happens when, and the two ways out.
pub(super) fn banner(visitor: &Visitor, overdue: &Overdue) -> Markup {
    let dates = [
        (overdue.next_attempt_at, words::TRIED_AGAIN),
        ((!overdue.read_only).then_some(overdue.read_only_at), words::READ_ONLY_FROM),
        (Some(overdue.ends_at), words::PLAN_ENDS),
    ];
    html! {
        section.notice.bad aria-labelledby="overdue" {
            h2 id="overdue" {
                @match overdue.amount {
                    Some(amount) => { (words::not_paid(&show::money(amount))) }
                    None => { (words::NOT_PAID) }
                }
            }
            p { (words::decline(overdue.failure_code.as_deref())) }
            ul {
                @for (at, what) in dates {
                    @if let Some(at) = at { li { (show::day(at)) ": " (what) } }
                }
            }
            p {
                @if let Some(url) = layout::outside(overdue.pay_url.as_deref()) {
                    a.button href=(url) { (words::PAY_NOW) } " "
                }
                (layout::button(visitor, ("/b/payment-methods/add", words::UPDATE_CARD, "quiet"), &[]))
            }
        }
    }
}

fn plan(visitor: &Visitor, shown: &BillingOverview) -> Markup {
    let state = &shown.state;
    let subscription = state.subscription.as_ref();
    let trialing = subscription.is_some_and(|sub| sub.status == "trialing");
    let running = subscription.filter(|sub| matches!(sub.status, "active" | "trialing"));
    let cancel_at = running.and_then(|sub| sub.cancel_at);
    html! {
        section.card aria-labelledby="plan" {
            h2 id="plan" {
                (shown.plan_name)
                @if trialing { " " span.tag { (words::TRIAL) } }
            }
            @if let Some(interval) = state.interval { p.muted { (words::every(interval)) } }
            @if let Some(charge) = &shown.next_charge {
                p { (words::NEXT_CHARGE) " " strong { (show::money(charge.amount)) } " · " (show::day(charge.at)) }
            } @else if cancel_at.is_none() && shown.overdue.is_none() {
                p { (words::NO_CHARGE) }
            }
            @if let Some(at) = cancel_at {
                p { (words::ends_on(&shown.fallback_name)) " " (show::day(at)) "." }
            }
            @if let (Some(name), Some(change)) =
                (&shown.next_plan_name, running.and_then(|sub| sub.pending_change.as_ref())) {
                p { (words::CHANGES_TO) " " strong { (name) } " · " (show::day(change.effective_at)) }
            }
            p.ways {
                @if trialing { a.button href="/b/trial" { (words::SEE_TRIAL) } " " }
                @else { a.button href="/b/plans" { (words::CHANGE_PLAN) } " " }
                @if cancel_at.is_some() || shown.next_plan_name.is_some() {
                    (layout::button(visitor, ("/b/resume", words::KEEP_PLAN, "quiet"), &[]))
                } @else if running.is_some() {
                    a.quiet.button href="/b/cancel" { (words::CANCEL) }
                }
            }
        }
    }
}

fn meters(meters: &[Meter]) -> Markup {
    html! {
        section.card aria-labelledby="use" {
            h2 id="use" { (words::IN_USE) }
            @if meters.is_empty() { p.muted { (words::NOTHING_COUNTED) } }
            ul.meters {
                @for meter in meters { li { (one_meter(meter)) } }
            }
        }
    }
}

fn one_meter(meter: &Meter) -> Markup {
    let amount = |n: i64| words::amount(n, meter.bytes);
    let name = words::title(&meter.feature);
    html! {
        p.line {
            strong { (name) } " "
            span {
                @match meter.limit {
                    Some(limit) => { (words::used_of(&amount(meter.used), &amount(limit))) }
                    None => { (words::used(&amount(meter.used))) }
                }
                @if let Some(at) = meter.resets_at { span.muted { " · " (words::RESETS) " " (show::day(at)) } }
            }
        }
        @if let Some(limit) = meter.limit {
            meter min="0" max=(limit.max(1)) value=(meter.used.min(limit.max(1))) high=(limit - limit / 10)
                aria-label=(name) { (words::used_of(&amount(meter.used), &amount(limit))) }
            @if limit < meter.used { p.over { (words::over(&amount(meter.used - limit))) } }
        }
    }
}

fn credits(shown: &BillingOverview) -> Markup {
    html! {
        @for (name, state) in &shown.state.credits {
            section.card {
                h2 { (words::credits_of(name)) }
                (balance(state, shown.now))
                p.ways { a.quiet.button href="/b/packs" { (words::BUY_CREDITS) } }
            }
        }
    }
}

/// What can be spent, what expires when, and what is owed.
pub(super) fn balance(state: &CreditState, now: Timestamp) -> Markup {
    let mut grants: Vec<&GrantState> = state.grants.iter().filter(|it| 0 < it.remaining).collect();
    grants.sort_by_key(|grant| grant.expires_at.map_or(i64::MAX, |at| at.micros()));
    html! {
        p { strong.big { (words::amount(state.balance, false)) } " " (words::CREDITS_LEFT) }
        @if 0 < state.debt { p.over { (words::debt(&words::amount(state.debt, false))) } }
        @if !grants.is_empty() {
            table {
                caption { (words::BY_EXPIRY) }
                thead { tr { th scope="col" { (words::FROM) } th.number scope="col" { (words::LEFT_OVER) } th scope="col" { (words::EXPIRES) } } }
                tbody {
                    @for grant in grants {
                        tr {
                            td { (words::source(grant.source)) }
                            td.number { (words::amount(grant.remaining, false)) }
                            td {
                                @match grant.expires_at {
                                    Some(at) => { (show::day(at)) " " span.muted { "(" (words::in_(&show::distance(now, at))) ")" } }
                                    None => { (words::NEVER) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
