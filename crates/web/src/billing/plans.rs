//! The pricing table, with what each plan means for who is looking.

use std::collections::BTreeSet;

use axum::extract::State;
use farthing_core::catalog::Limit;
use farthing_core::money::Money;
use farthing_engine::billing_page::BillingOverview;
use farthing_engine::plans::PlanOffer;
use maud::{Markup, html};

use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Params, Visitor};
use super::words;
use crate::show;

/// How the table is looked at.
pub(super) struct Lens {
    /// `month` or `year`.
    pub(super) interval: String,
    /// Three letters.
    pub(super) currency: String,
    /// Whether the currency can still be chosen.
    free_currency: bool,
}

impl Lens {
    /// From the address, within what is sold. A running subscription keeps its currency.
    pub(super) fn new(params: &Params, shown: &BillingOverview, offers: &[PlanOffer]) -> Self {
        let fixed = shown.state.currency.map(|currency| currency.to_string());
        let running = shown.state.interval.is_some();
        let sold = &shown.currencies;
        let asked = sold.iter().find(|known| **known == params.get("currency")).cloned();
        let usual = fixed.or_else(|| sold.first().cloned()).unwrap_or_default();
        let currency = if running { usual } else { asked.unwrap_or(usual) };
        let own = shown.state.interval.map_or("month", |interval| interval.as_str());
        let asked = params.get("interval");
        let known = offers.iter().any(|offer| offer.prices.contains_key(asked));
        let interval = if known { asked } else { own }.to_owned();
        Self { interval, currency, free_currency: !running && 1 < sold.len() }
    }

    /// What a plan costs, looked at this way.
    pub(super) fn price(&self, offer: &PlanOffer) -> Option<Money> {
        offer.prices.get(self.interval.as_str())?.get(&self.currency).copied()
    }
}

/// `GET /b/plans`.
pub(super) async fn list(
    State(pages): State<Pages>,
    visitor: Visitor,
    params: Params,
) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let (shown, offers) = pages
        .ask(move |engine| Ok((engine.billing_overview(&id)?, engine.plans(Some(&id))?)))
        .await?;
    let lens = Lens::new(&params, &shown, &offers);
    let body = html! {
        @if shown.changing_since.is_some() { p.notice.warn role="status" { (words::CHANGING) } }
        (switches(&lens, &offers, &shown.currencies))
        ul.plans {
            @for offer in &offers { li.card { (card(&lens, offer, &shown)) } }
        }
    };
    Ok(layout::page(&pages, &visitor, (Place::Plans, words::PLANS), &body))
}

fn switches(lens: &Lens, offers: &[PlanOffer], currencies: &[String]) -> Markup {
    let sold = |word: &str| offers.iter().any(|offer| offer.prices.contains_key(word));
    html! {
        nav.switch aria-label=(words::HOW_OFTEN) {
            @for word in ["month", "year"] {
                @if sold(word) {
                    a href=(format!("/b/plans?interval={word}&currency={}", lens.currency))
                        aria-current=[(lens.interval == word).then_some("true")] { (words::how_often(word)) }
                }
            }
        }
        @if lens.free_currency {
            nav.switch aria-label=(words::CURRENCY) {
                @for code in currencies {
                    a href=(format!("/b/plans?interval={}&currency={code}", lens.interval))
                        aria-current=[(lens.currency == *code).then_some("true")] { (code) }
                }
            }
        }
    }
}

fn card(lens: &Lens, offer: &PlanOffer, shown: &BillingOverview) -> Markup {
    let price = lens.price(offer);
    let own = shown.state.interval.is_none_or(|interval| interval.as_str() == lens.interval);
    let is_current = offer.plan == shown.state.plan;
    let at =
        format!("/b/plans/{}?interval={}&currency={}", offer.plan, lens.interval, lens.currency);
    html! {
        h2 { (offer.name) @if is_current { " " span.tag { (words::YOURS) } } }
        p.price {
            @match price {
                Some(price) => { strong { (show::money(price)) } " " (words::per(&lens.interval)) }
                None if offer.prices.is_empty() => { strong { (words::FREE) } }
                None => { span.muted { (words::NOT_SOLD_SO) } }
            }
        }
        @if let (Some(days), Some("checkout")) = (offer.trial_days, offer.action) {
            p { (words::trial_of(days)) }
        }
        (features(offer, &shown.sizes))
        @if !offer.blocked_by.is_empty() {
            p { strong { (words::BLOCKED) } }
            ul.blocked { @for text in &offer.blocked_by { li { (words::sentence(text)) } } }
        }
        @match (offer.action, price.is_some()) {
            (Some("current"), true) if !own => { p { a.button href=(at) { (words::switch_to(&lens.interval)) } } }
            (Some("checkout" | "upgrade"), true) => { p { a.button href=(at) { (words::choose(&offer.name)) } } }
            (Some("downgrade"), true) => { p { a.quiet.button href=(at) { (words::choose(&offer.name)) } } }
            (Some("downgrade"), false) if offer.prices.is_empty() => {
                p { a.quiet.button href="/b/cancel" { (words::choose(&offer.name)) } }
            }
            _ => {}
        }
    }
}

/// What a plan allows, line by line.
pub(super) fn features(offer: &PlanOffer, sizes: &BTreeSet<String>) -> Markup {
    html! {
        ul.features {
            @for (name, limit) in &offer.limits {
                @if let Some(text) = limit_text(name, *limit, sizes.contains(name)) { li { (text) } }
            }
            @for (name, credits) in &offer.credits {
                li { (words::plan_credits(&words::amount(credits.amount, false), name, credits.every.as_str())) }
            }
        }
    }
}

fn limit_text(name: &str, limit: Option<Limit>, bytes: bool) -> Option<String> {
    let title = words::title(name);
    match limit {
        Some(Limit::Switch(false)) => None,
        Some(Limit::Switch(true)) => Some(title),
        Some(Limit::Amount(n)) => Some(words::limited(&title, &words::amount(n, bytes))),
        Some(Limit::Unlimited) | None => Some(words::unlimited(&title)),
    }
}
