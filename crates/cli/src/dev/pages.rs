//! The two pages of a development server: where to start, and what a checkout led to.
//!
//! Both are served at `/` and `/return`: checkouts come back to either, with `?checkout=…`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use farthing_core::ids::CustomerId;
use farthing_engine::billing_sessions::NewLink;
use farthing_engine::checkouts::CheckoutView;
use farthing_engine::customers::Profile;
use farthing_engine::{Call, Clock, Engine, EngineError};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::clock::{SandboxClock, SystemClock};

/// Where a billing page is opened from.
pub const BILLING_PATH: &str = "/sandbox/billing";
/// Whose billing page is shown when nobody is named.
const DEMO: &str = "demo";

/// What the pages need.
#[derive(Clone)]
pub struct Pages {
    /// Knows the checkouts.
    pub engine: Engine,
    /// The sandbox's time.
    pub clock: Arc<SandboxClock>,
    /// Where the server listens.
    pub api: String,
}

/// What a checkout comes back with.
#[derive(Debug, Default, Deserialize)]
struct Back {
    checkout: Option<String>,
    outcome: Option<String>,
}

/// The pages, and the sandbox's time for the command line.
pub fn routes(pages: Pages) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/return", get(show))
        .route("/sandbox/clock", get(clock))
        .route(BILLING_PATH, get(billing))
        .with_state(pages)
}

/// Whose billing page it is.
#[derive(Debug, Default, Deserialize)]
struct Whose {
    customer: Option<CustomerId>,
}

/// A fresh link to the billing page of a customer, of [`DEMO`] when nobody is named. Only here: on
/// this machine everybody may be everybody.
async fn billing(State(pages): State<Pages>, Query(whose): Query<Whose>) -> Response {
    let engine = pages.engine.clone();
    let made = tokio::task::spawn_blocking(move || {
        let call = Call::new("cli", "farthing dev");
        let id = match whose.customer {
            Some(id) => id,
            None => demo_customer(&engine, &call)?,
        };
        engine.make_billing_link(&call, &id, (&NewLink::default(), SystemClock.now()))
    });
    match made.await {
        Ok(Ok(link)) => Redirect::to(&link.url).into_response(),
        Ok(Err(EngineError::NotFound { id, .. })) => {
            let body = html! {
                h1 { "No such customer" }
                p { "There is no customer " code { (id) } ". Make one with the API, or look at the list:" }
                pre { "farthing customers list" }
            };
            let shown = Html(page("No such customer", false, &body).into_string());
            (StatusCode::NOT_FOUND, shown).into_response()
        }
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The customer whose page is shown when nobody is named; made when it is not there.
fn demo_customer(engine: &Engine, call: &Call) -> Result<CustomerId, EngineError> {
    let id: CustomerId = DEMO.parse().expect("it is written like an id");
    if let Err(EngineError::NotFound { .. }) = engine.customer(&id) {
        let email = "demo@example.com".to_owned();
        engine.upsert_customer(call, &id, &Profile { email, ..Profile::default() })?;
    }
    Ok(id)
}

async fn clock(State(pages): State<Pages>) -> impl IntoResponse {
    axum::Json(json!({ "now": pages.clock.now() }))
}

async fn show(State(pages): State<Pages>, Query(back): Query<Back>) -> impl IntoResponse {
    let page = match back.checkout {
        None => landing(&pages.api),
        Some(id) => {
            let engine = pages.engine.clone();
            let asked = id.clone();
            // A person is looking: the provider is asked, not only our own memory.
            let found = tokio::task::spawn_blocking(move || engine.refresh_checkout(&asked)).await;
            match found {
                Ok(Ok(checkout)) => outcome(&checkout, back.outcome.as_deref()),
                Ok(Err(EngineError::NotFound { .. })) => unknown(&id),
                _ => waiting(&id),
            }
        }
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ([no_store], Html(page.into_string()))
}

fn landing(api: &str) -> Markup {
    page(
        "Farthing runs",
        false,
        &html! {
            h1 { "Farthing runs" }
            p { "API, database and a pretend payment provider on this machine. No real card, no real money." }
            ul {
                li { a href="/admin" { "The admin panel" } "; the way in is in the terminal" }
                li { a href=(BILLING_PATH) { "A customer's billing page" } ", of anybody with " code { "?customer=ID" } }
                li { a href="/docs" { "The API, to browse" } " and " a href="/openapi.json" { "its OpenAPI document" } }
                li { "The sandbox speaks Stripe at " code { (api) "/sandbox/stripe" } }
                li { a href="/dev/mails" { "The mails" } " that would have been sent" }
                li { a href="/readyz" { "Ready?" } " " a href="/metrics" { "Metrics" } }
            }
            h2 { "Try next, in a terminal" }
            pre { (TRY_NEXT) }
        },
    )
}

/// What the landing page suggests.
const TRY_NEXT: &str = "farthing customers list
farthing consume u_1 chatbots
farthing clock advance 31d
farthing events list
farthing check";

fn outcome(checkout: &CheckoutView, claimed: Option<&str>) -> Markup {
    let what = checkout.plan.as_deref().or(checkout.pack.as_deref()).unwrap_or("the purchase");
    let (title, text) = match (checkout.status, claimed) {
        ("settled", _) if checkout.trial_days.is_some() => {
            ("The trial has begun", "The payment method arrived and the plan is in force.")
        }
        ("settled", _) => ("Paid", "The money arrived, and what was bought is there."),
        ("open", Some("success")) => ("One moment", "The provider has not confirmed it yet."),
        ("open", _) => ("Not paid", "Nothing was charged. The checkout is still open."),
        ("expired", _) => ("Expired", "Nothing was charged. Start a new checkout."),
        ("failed", _) if checkout.failure.as_deref() == Some("trial_used") => (
            "No second trial",
            "This card has had a trial before. Nothing was charged and nothing was granted: buy the \
             plan without a trial (\"trial\": false), or pay with another card.",
        ),
        _ => ("Not done", "The checkout failed. Nothing was granted."),
    };
    let wait = (checkout.status, claimed) == ("open", Some("success"));
    page(
        title,
        wait,
        &html! {
            h1 { (title) }
            p { (text) }
            dl {
                dt { "Customer" } dd { (checkout.customer) }
                dt { @if checkout.pack.is_some() { "Pack" } @else { "Plan" } } dd { (what) }
                dt { "Price" } dd { (checkout.price) }
                dt { "Checkout" } dd { code { (checkout.id) } " " (checkout.status) }
            }
            @if checkout.status == "open" && !wait {
                @if let Some(url) = &checkout.url { p { a href=(url) { "Back to the checkout" } } }
            }
            p { "See what the customer has now:" }
            pre { "farthing customers show " (checkout.customer) }
            p.muted { "In your own app this page is yours: FARTHING_RETURN_BASE says where customers return to." }
        },
    )
}

fn unknown(id: &str) -> Markup {
    page(
        "No such checkout",
        false,
        &html! {
            h1 { "No such checkout" }
            p { "There is no checkout " code { (id) } ". The link is wrong, or of another database." }
            p { a href="/" { "To the start" } }
        },
    )
}

fn waiting(id: &str) -> Markup {
    page(
        "One moment",
        true,
        &html! {
            h1 { "One moment" }
            p { "The provider does not answer right now. Checkout " code { (id) } " is asked for again." }
        },
    )
}

pub(super) fn page(title: &str, reload: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if reload { meta http-equiv="refresh" content="1"; }
                title { (title) " · Farthing" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}\
main{max-width:40rem;margin:0 auto;padding:2rem 1rem}h1{font-size:1.6rem}h2{font-size:1.1rem}\
pre{padding:1rem;overflow-x:auto;border:1px solid #8886;border-radius:.4rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{opacity:.7}dd{margin:0}\
.muted{opacity:.7}";
