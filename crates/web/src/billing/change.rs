//! Confirming a plan: what it costs to the cent, what changes, and one button.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use farthing_core::change::Command;
use farthing_core::money::Currency;
use farthing_core::time::Interval;
use farthing_engine::billing_page::BillingOverview;
use farthing_engine::changes::ChangePreview;
use farthing_engine::checkout_preview::CheckoutPreview;
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_engine::plans::PlanOffer;
use farthing_engine::{Engine, EngineError};
use maud::{Markup, html};

use super::door::{leave_for, to};
use super::layout::{self, Place, Shown};
use super::plans::Lens;
use super::problem::{self, Problem};
use super::site::Pages;
use super::visitor::{Params, Posted, Visitor};
use super::words;
use crate::show;

/// What is shown before something is confirmed.
enum Offer {
    Change(ChangePreview),
    Checkout(CheckoutPreview),
}

/// `GET /b/plans/{plan}`.
pub(super) async fn confirm(
    State(pages): State<Pages>,
    visitor: Visitor,
    Path(plan): Path<String>,
    params: Params,
) -> Result<Shown, Problem> {
    confirm_page(&pages, &visitor, &plan, &params, None).await
}

async fn confirm_page(
    pages: &Pages,
    visitor: &Visitor,
    plan: &str,
    params: &Params,
    notice: Option<EngineError>,
) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let (shown, offers) = pages
        .ask(move |engine| Ok((engine.billing_overview(&id)?, engine.plans(Some(&id))?)))
        .await?;
    let Some(wanted) = offers.iter().find(|offer| offer.plan == plan).cloned() else {
        return Err(Problem::NoPage);
    };
    let lens = Lens::new(params, &shown, &offers);
    let purchase = purchase(visitor, plan, &lens);
    let running = running(&shown);
    let offered = pages.ask(move |engine| Ok(look(engine, running.as_deref(), purchase))).await?;
    let now = offers.iter().find(|offer| offer.plan == shown.state.plan);
    let body = html! {
        @if let Some(error) = &notice { (refused(error)) }
        @match &offered {
            Ok(Offer::Change(preview)) => { (change_body(visitor, (&wanted, &lens), &shown, preview)) }
            Ok(Offer::Checkout(preview)) => { (checkout_body(visitor, (&wanted, &lens), preview)) }
            Err(error) => { (refused(error)) p { a.button href="/b/plans" { (words::OTHER_PLANS) } } }
        }
        (compare(now, &wanted, &shown))
    };
    let title = words::move_to(&wanted.name);
    Ok(layout::page(pages, visitor, (Place::Plans, &title), &body))
}

fn look(engine: &Engine, running: Option<&str>, purchase: Purchase) -> Result<Offer, EngineError> {
    match (running, purchase.buy.clone()) {
        (Some(id), Buy::Plan { plan, interval, .. }) => {
            let command = Command::Change { plan, interval: Some(interval) };
            engine.preview_change(id, &command).map(Offer::Change)
        }
        _ => engine.preview_checkout(&purchase).map(Offer::Checkout),
    }
}

fn running(shown: &BillingOverview) -> Option<String> {
    let sub = shown.state.subscription.as_ref()?;
    matches!(sub.status, "active" | "trialing").then(|| sub.id.clone())
}

fn purchase(visitor: &Visitor, plan: &str, lens: &Lens) -> Purchase {
    Purchase {
        customer: visitor.customer(),
        buy: Buy::Plan { plan: plan.to_owned(), interval: interval(&lens.interval), trial: None },
        currency: lens.currency.parse().ok(),
        return_path: None,
    }
}

fn interval(word: &str) -> Interval {
    let all = [Interval::Day, Interval::Month, Interval::Year];
    all.into_iter().find(|known| known.as_str() == word).unwrap_or(Interval::Month)
}

fn refused(error: &EngineError) -> Markup {
    html! {
        div.notice.bad role="alert" {
            h2 { (problem::title_of(error)) }
            (problem::sentences(error))
        }
    }
}

fn change_body(
    visitor: &Visitor,
    (wanted, lens): (&PlanOffer, &Lens),
    shown: &BillingOverview,
    preview: &ChangePreview,
) -> Markup {
    let fields = |token| {
        [("plan", wanted.plan.as_str()), ("interval", lens.interval.as_str()), ("token", token)]
    };
    let at_once = preview.effective_at <= shown.now;
    html! {
        @if !preview.blocked_by.is_empty() {
            div.notice.bad role="alert" {
                h2 { (words::OVER_LIMIT) }
                p { (words::OVER_LIMIT_FIX) }
                ul { @for text in &preview.blocked_by { li { (words::sentence(text)) } } }
            }
        }
        @if let Some(token) = &preview.preview_token {
            section.card {
                p { (words::DUE_TODAY) " " strong.big id="due" { (show::money(preview.due_now)) } }
                @if !preview.lines.is_empty() {
                    table {
                        caption { (words::MADE_OF) }
                        thead { tr { th scope="col" { (words::WHAT) } th.number scope="col" { (words::AMOUNT) } } }
                        tbody {
                            @for line in &preview.lines {
                                tr { td { (line.description) } td.number { (show::money(line.amount)) } }
                            }
                        }
                    }
                }
                @if at_once { p { (words::AT_ONCE) } }
                @else { p { (words::keep_until(&shown.plan_name)) " " (show::day(preview.effective_at)) "." } }
                @if let Some(next) = &preview.next_charge {
                    p { (words::THEN) " " strong { (show::money(next.amount)) } " " (words::ON) " " (show::day(next.at)) "." }
                }
                @let label = if 0 < preview.due_now.minor {
                    words::pay_and_change(&show::money(preview.due_now))
                } else {
                    words::confirm_change(&wanted.name)
                };
                (layout::button(visitor, ("/b/change", &label, ""), &fields(token)))
                a.quiet.button href="/b/plans" { (words::NOT_NOW) }
                p.muted { (words::EXACTLY) }
            }
        } @else {
            p { a.button href="/b/plans" { (words::OTHER_PLANS) } }
        }
    }
}

fn checkout_body(
    visitor: &Visitor,
    (wanted, lens): (&PlanOffer, &Lens),
    preview: &CheckoutPreview,
) -> Markup {
    let fields = [
        ("plan", wanted.plan.as_str()),
        ("interval", lens.interval.as_str()),
        ("currency", lens.currency.as_str()),
    ];
    html! {
        section.card {
            p { (words::DUE_TODAY) " " strong.big id="due" { (show::money(preview.due_now)) } }
            @if let (Some(days), Some(ends)) = (preview.trial_days, preview.trial_ends_at) {
                p { (words::trial_of(days)) " " (words::TRIAL_ENDS) " " (show::day(ends)) ". " (words::TRIAL_CANCEL) }
            }
            @if let Some(next) = &preview.next_charge {
                p { (words::THEN) " " strong { (show::money(next.amount)) } " " (words::ON) " " (show::day(next.at)) "." }
            }
            (layout::button(visitor, ("/b/buy", words::TO_PAYMENT, ""), &fields))
            a.quiet.button href="/b/plans" { (words::NOT_NOW) }
        }
    }
}

/// What one has now beside what one would have.
fn compare(now: Option<&PlanOffer>, wanted: &PlanOffer, shown: &BillingOverview) -> Markup {
    html! {
        div.pair {
            @if let Some(now) = now.filter(|now| now.plan != wanted.plan) {
                section.card { h2 { (words::now_on(&now.name)) } (super::plans::features(now, &shown.sizes)) }
            }
            section.card { h2 { (words::then_on(&wanted.name)) } (super::plans::features(wanted, &shown.sizes)) }
        }
    }
}

/// `POST /b/change`: exactly what was shown, or nothing.
pub(super) async fn make(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let visitor = posted.visitor.clone();
    let (plan, word) = (posted.get("plan").to_owned(), posted.get("interval").to_owned());
    let token = posted.get("token").to_owned();
    let command = Command::Change { plan: plan.clone(), interval: Some(interval(&word)) };
    let (id, call) = (visitor.customer(), visitor.call());
    let changed = pages
        .ask(move |engine| {
            let Some(running) = running(&engine.billing_overview(&id)?) else {
                return Ok(Err(EngineError::refused(
                    "no_running_subscription",
                    words::NOT_RUNNING,
                )));
            };
            Ok(engine.change(&call, &running, &command, Some(&token)))
        })
        .await?;
    match changed {
        Ok(changed) => {
            Ok(match (changed.outcome, layout::outside(changed.payment_url.as_deref())) {
                ("payment_pending", Some(url)) => leave_for(&pages, url),
                ("payment_pending", None) => to("/b?done=pending"),
                ("scheduled", _) => to("/b?done=scheduled"),
                _ => to("/b?done=changed"),
            })
        }
        Err(error @ EngineError::Refused { code: "preview_changed" | "over_limit", .. }) => {
            let params = Params::of(&[("interval", &word)]);
            let page = confirm_page(&pages, &visitor, &plan, &params, Some(error)).await?;
            Ok((axum::http::StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /b/buy`: opens the provider's page for a plan or a pack.
pub(super) async fn buy(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let buy = match (posted.get("plan"), posted.get("pack")) {
        ("", pack) => Buy::Pack { pack: pack.to_owned() },
        (plan, _) => Buy::Plan {
            plan: plan.to_owned(),
            interval: interval(posted.get("interval")),
            trial: None,
        },
    };
    let currency = posted.get("currency").parse::<Currency>().ok();
    let customer = posted.visitor.customer();
    let purchase = Purchase { customer, buy, currency, return_path: None };
    let call = posted.visitor.call();
    let opened = pages.ask(move |engine| engine.start_checkout(&call, &purchase)).await?;
    match layout::outside(opened.url.as_deref()) {
        Some(url) => Ok(leave_for(&pages, url)),
        None => Ok(to("/b?done=pending")),
    }
}
