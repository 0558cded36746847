//! What pays: cards are stored on the provider's page, and chosen here.

use axum::extract::State;
use axum::response::Response;
use farthing_engine::EngineError;
use farthing_engine::payment_methods::PaymentMethodView;
use maud::{Markup, html};

use super::door::{leave_for, to};
use super::layout::{self, Place, Shown};
use super::problem::{Problem, away};
use super::site::Pages;
use super::visitor::{Params, Posted, Visitor};
use super::words;

/// `GET /b/payment-methods`. When the provider does not answer, the rest of the page is there.
pub(super) async fn list(
    State(pages): State<Pages>,
    visitor: Visitor,
    params: Params,
) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let (shown, methods) = pages
        .ask(move |engine| Ok((engine.billing_overview(&id)?, engine.payment_methods(&id))))
        .await?;
    let body = html! {
        (layout::done(params.get("done")))
        @if let Some(overdue) = &shown.overdue { (super::overview::banner(&visitor, overdue)) }
        @match &methods {
            Ok(methods) if methods.is_empty() => { p.empty { (words::NO_CARD) } }
            Ok(methods) => { ul.list { @for method in methods { li.card { (one(&visitor, method)) } } } }
            Err(away!()) => {
                p.notice.warn role="status" { (words::CARDS_AWAY) }
            }
            Err(error) => { p.notice.bad role="alert" { (words::sentence(&error.to_string())) } }
        }
        (layout::button(&visitor, ("/b/payment-methods/add", words::ADD_CARD, ""), &[]))
        p.muted { (words::CARD_SAFE) }
    };
    Ok(layout::page(&pages, &visitor, (Place::Methods, words::METHODS), &body))
}

fn one(visitor: &Visitor, method: &PaymentMethodView) -> Markup {
    let name = words::card(method.brand.as_deref(), method.last4.as_deref(), &method.kind);
    html! {
        p.line {
            strong { (name) }
            @if let (Some(month), Some(year)) = (method.exp_month, method.exp_year) {
                span.muted { (words::expires(month, year)) }
            }
            @if method.is_default { span.tag { (words::PAYS) } }
        }
        p.ways {
            @if !method.is_default {
                (layout::button(visitor, ("/b/payment-methods/default", &words::pay_with(&name), "quiet"), &[("method", &method.id)]))
            }
            (layout::button(visitor, ("/b/payment-methods/remove", &words::remove(&name), "quiet"), &[("method", &method.id)]))
        }
    }
}

/// `POST /b/payment-methods/add`: to the provider's page.
pub(super) async fn add(State(pages): State<Pages>, posted: Posted) -> Result<Response, Problem> {
    let id = posted.visitor.customer();
    let page = pages.ask(move |engine| engine.start_card_setup(&id, None)).await?;
    match layout::outside(Some(&page.url)) {
        Some(url) => Ok(leave_for(&pages, url)),
        None => Err(Problem::Internal),
    }
}

/// `GET /b/payment-methods/saved`: back from the provider's page. The card that was stored there
/// pays from now on.
pub(super) async fn saved(
    State(pages): State<Pages>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Problem> {
    if visitor.session.read_only {
        return Err(Problem::ReadOnly);
    }
    let (id, call, page) = (visitor.customer(), visitor.call(), params.get("setup").to_owned());
    let stored = pages.ask(move |engine| engine.finish_card_setup(&call, &id, &page)).await?;
    let word = if stored.is_some() { "card_added" } else { "card_not_added" };
    Ok(to(&format!("/b/payment-methods?done={word}")))
}

/// `POST /b/payment-methods/default`.
pub(super) async fn choose(
    State(pages): State<Pages>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (id, call) = (posted.visitor.customer(), posted.visitor.call());
    let method = posted.get("method").to_owned();
    pages.ask(move |engine| engine.set_default_payment_method(&call, &id, &method)).await?;
    Ok(to("/b/payment-methods?done=card_chosen"))
}

/// `POST /b/payment-methods/remove`.
pub(super) async fn remove(
    State(pages): State<Pages>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (id, call) = (posted.visitor.customer(), posted.visitor.call());
    let method = posted.get("method").to_owned();
    pages.ask(move |engine| engine.remove_payment_method(&call, &id, &method)).await?;
    Ok(to("/b/payment-methods?done=card_removed"))
}
