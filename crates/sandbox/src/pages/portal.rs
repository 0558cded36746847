//! The customer's own page: their card and their subscriptions.

use maud::{Markup, html};

use super::page;
use crate::request::Response;

/// What the portal shows.
pub(crate) struct Portal {
    /// Whose page it is: an email, or an id.
    pub(crate) customer: String,
    /// The card that pays: `visa ending in 4242`.
    pub(crate) card: Option<String>,
    pub(crate) subscriptions: Vec<Owned>,
    pub(crate) return_url: Option<String>,
    /// Why the last thing was refused.
    pub(crate) error: Option<String>,
    pub(crate) nonce: String,
}

/// One subscription of theirs.
pub(crate) struct Owned {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What it costs, and what happens to it next.
    pub(crate) terms: String,
    /// It is to end, so it can be kept instead of canceled.
    pub(crate) ends: bool,
    /// Prices it can be switched to: id and words.
    pub(crate) offers: Vec<(String, String)>,
}

/// The page, with a form for each thing a customer may do.
pub(crate) fn portal(status: u16, view: &Portal) -> Response {
    let body = html! {
        h1 { "Your plan" }
        p.muted { "A sandbox: no real card, no real money. For " (view.customer) }
        @if let Some(error) = &view.error {
            div.error role="alert" { strong { "That did not work. " } (error) }
        }
        @for owned in &view.subscriptions { (subscription(owned)) }
        @if view.subscriptions.is_empty() { p { "There is no subscription." } }
        (card(view))
        @if let Some(url) = &view.return_url { p { a href=(url) { "Go back" } } }
    };
    page(status, "Your plan", &view.nonce, &body)
}

fn subscription(owned: &Owned) -> Markup {
    let (action, words) =
        if owned.ends { ("resume", "Keep it") } else { ("cancel", "Cancel at the end") };
    html! {
        h2 { (owned.name) }
        p { (owned.terms) }
        form method="post" {
            input type="hidden" name="subscription" value=(owned.id);
            button type="submit" name="action" value=(action) { (words) }
        }
        @if !owned.offers.is_empty() {
            form method="post" {
                input type="hidden" name="action" value="switch";
                input type="hidden" name="subscription" value=(owned.id);
                label for=(format!("price-{}", owned.id)) { "Switch to" }
                select id=(format!("price-{}", owned.id)) name="price" {
                    @for (price, words) in &owned.offers { option value=(price) { (words) } }
                }
                button type="submit" name="when" value="now" { "Switch now" }
                button type="submit" name="when" value="period_end" { "Switch at the end" }
            }
        }
    }
}

fn card(view: &Portal) -> Markup {
    html! {
        h2 { "Your card" }
        p { (view.card.as_deref().unwrap_or("There is none.")) }
        form method="post" {
            label for="card" { "New card number" }
            input id="card" name="card" type="text" inputmode="numeric" autocomplete="off"
                value="4242 4242 4242 4242" maxlength="30" required;
            button type="submit" name="action" value="card" { "Use this card" }
        }
    }
}
