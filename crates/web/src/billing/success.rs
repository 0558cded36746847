//! Back from a purchase: the provider is asked how it ended, so that this page cannot be too early,
//! and nothing is celebrated before the money, or for a trial the card, is there.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use farthing_core::time::Timestamp;
use farthing_engine::Engine;
use farthing_engine::EngineError;
use farthing_engine::billing_page::BillingOverview;
use farthing_engine::checkouts::CheckoutView;
use farthing_engine::plans::PlanOffer;
use maud::{Markup, html};

use super::layout;
use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Params, STRANGERS, cookie};
use super::words;
use crate::show;

/// How often the page looks again by itself, at most.
const LOOKS: u32 = 20;
/// How long it waits in between, in seconds.
const EVERY: u32 = 3;
/// For how long after the settlement it is still news, in seconds.
const NEWS: i64 = 600;

/// Everything that is known of a purchase.
struct Found {
    checkout: CheckoutView,
    shown: BillingOverview,
    offers: Vec<PlanOffer>,
    /// Whether the customer has a session here.
    inside: bool,
}

/// `GET /b/success`. Whoever has the address that the provider was given may see how the purchase
/// ended, and nothing else of the customer.
pub(super) async fn show(
    State(pages): State<Pages>,
    params: Params,
    headers: axum::http::HeaderMap,
) -> Result<Response, Problem> {
    pages.count(STRANGERS)?;
    let (id, proof) = (params.get("checkout").to_owned(), params.get("proof").to_owned());
    let secret = cookie(&headers, pages.base.is_secure()).map(|secret| (secret, pages.wall()));
    let back = params.get("outcome") == "cancel";
    let found = pages.ask(move |engine| find(engine, &id, &proof, secret)).await?;
    let Some(found) = found else {
        return Err(Problem::NoPage);
    };
    let looks: u32 = params.get("look").parse().unwrap_or_default();
    let waits = found.checkout.status == "open" && !back;
    let (title, body) = match (found.checkout.status, back) {
        ("settled", _) => (words::THANKS, settled(&found)),
        ("open", true) => (words::TURNED_BACK, turned_back(&found)),
        ("open", false) => (words::WAITING, waiting(&params, looks)),
        ("expired", _) => (words::EXPIRED, over(words::EXPIRED_FIX, &found)),
        _ => (words::FAILED, over(words::failure(found.checkout.failure.as_deref()), &found)),
    };
    let page = html! { (body) (ways(&found, pages.engine.app_url())) };
    let mut response = layout::plain(&pages.theme, title, &page).into_response();
    if waits && looks < LOOKS {
        let again = format!("{EVERY}; url={}", again(&params, looks + 1));
        if let Ok(again) = HeaderValue::from_str(&again) {
            response.headers_mut().insert(header::REFRESH, again);
        }
    }
    Ok(response)
}

fn find(
    engine: &Engine,
    id: &str,
    proof: &str,
    secret: Option<(String, Timestamp)>,
) -> Result<Option<Found>, EngineError> {
    let possible = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = match engine.checkout(id) {
        Ok(known) if possible => known,
        Ok(_) | Err(EngineError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let session = match secret {
        Some((secret, now)) => engine.billing_session(&secret, now)?,
        None => None,
    };
    let inside = session.is_some_and(|session| session.customer == known.customer);
    if !inside && !engine.is_result_proof(id, proof)? {
        return Ok(None);
    }
    let checkout = engine.refresh_checkout(id)?;
    let shown = engine.billing_overview(&checkout.customer)?;
    let offers = engine.plans(Some(&checkout.customer))?;
    Ok(Some(Found { checkout, shown, offers, inside }))
}

/// The same address, for one more look.
fn again(params: &Params, look: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["proof", "checkout", "outcome"] {
        query.append_pair(name, params.get(name));
    }
    query.append_pair("look", &look.to_string());
    format!("/b/success?{}", query.finish())
}

fn settled(found: &Found) -> Markup {
    let checkout = &found.checkout;
    let news = checkout.settled_at.is_some_and(|at| found.shown.now < at.plus_seconds(NEWS));
    let plan =
        checkout.plan.as_ref().and_then(|plan| found.offers.iter().find(|it| it.plan == *plan));
    html! {
        @if news { div.confetti aria-hidden="true" { @for _ in 0..36 { i {} } } }
        section.card role="status" {
            @match (plan, checkout.trial_days) {
                (Some(plan), Some(days)) => {
                    p.big { (words::trial_begun(&plan.name)) }
                    p { (words::trial_of(days)) }
                    @if let Some(charge) = &found.shown.next_charge {
                        p { (words::TRIAL_CHARGE) " " strong { (show::money(charge.amount)) } " " (words::ON) " " (show::day(charge.at)) "." }
                    }
                }
                (Some(plan), None) => {
                    p.big { (words::you_are_on(&plan.name)) }
                    p { (words::PAID) " " strong { (show::money(checkout.price)) } }
                }
                (None, _) => {
                    p.big { (words::CREDITS_ARRIVED) }
                    p { (words::PAID) " " strong { (show::money(checkout.price)) } }
                }
            }
            @if let Some(plan) = plan {
                h2 { (words::UNLOCKED) }
                (super::plans::features(plan, &found.shown.sizes))
            }
        }
    }
}

fn waiting(params: &Params, looks: u32) -> Markup {
    html! {
        section.card role="status" {
            @if looks < LOOKS {
                p { (words::WAITING_TEXT) }
                p.muted { (words::looks_again(EVERY)) }
            } @else {
                p { (words::SLOW_BANK) }
            }
            p { a.button href=(again(params, 0)) { (words::LOOK_AGAIN) } }
        }
    }
}

fn turned_back(found: &Found) -> Markup {
    html! {
        section.card {
            p { (words::NOTHING_CHARGED) }
            @if let Some(url) = layout::outside(found.checkout.url.as_deref()) {
                p { a.button href=(url) { (words::BACK_TO_PAYMENT) } }
            }
        }
    }
}

fn over(text: &str, found: &Found) -> Markup {
    html! {
        section.card role="status" {
            p { (text) }
            @if found.inside {
                @let (path, label) = if found.checkout.pack.is_some() { ("/b/packs", words::PACKS) } else { ("/b/plans", words::TRY_AGAIN) };
                p { a.button href=(path) { (label) } }
            }
        }
    }
}

fn ways(found: &Found, app: &str) -> Markup {
    html! {
        p {
            @if found.inside { a.quiet.button href="/b" { (words::TO_OVERVIEW) } " " }
            a href=(app) { (words::BACK_TO_APP) }
        }
    }
}
