//! The page on which customers see and change what they pay for, below `/b`.
//!
//! A link opens a session for one customer ([`door`]); from then on every page shows that
//! customer's things and nobody else's, because no page takes a customer from a request. A page
//! asks the engine and shows its answer; it has no rule of its own and needs no script. Every
//! sentence is in [`words`].
//!
//! In reading order: [`site`], [`door`], [`visitor`], [`problem`], [`layout`], [`overview`],
//! [`plans`], [`change`], [`packs`], [`methods`], [`invoices`], [`trial`], [`cancel`],
//! [`success`].

mod cancel;
mod change;
mod door;
mod invoices;
mod layout;
mod limits;
mod methods;
mod overview;
mod packs;
mod plans;
mod problem;
mod site;
mod success;
mod theme;
mod trial;
mod visitor;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub use site::Pages;
pub use theme::{BadTheme, Logo, Theme};

/// The routes of the billing page, below `/b`.
pub fn routes(pages: Pages) -> Router {
    Router::new()
        .route("/b", get(overview::show))
        .route("/b/", get(overview::show))
        .route("/b/enter/{secret}", get(door::knock).post(door::enter))
        .route("/b/leave", post(door::leave))
        .route("/b/plans", get(plans::list))
        .route("/b/plans/{plan}", get(change::confirm))
        .route("/b/change", post(change::make))
        .route("/b/buy", post(change::buy))
        .route("/b/packs", get(packs::list))
        .route("/b/payment-methods", get(methods::list))
        .route("/b/payment-methods/add", post(methods::add))
        .route("/b/payment-methods/saved", get(methods::saved))
        .route("/b/payment-methods/default", post(methods::choose))
        .route("/b/payment-methods/remove", post(methods::remove))
        .route("/b/invoices", get(invoices::list))
        .route("/b/trial", get(trial::show))
        .route("/b/cancel", get(cancel::show).post(cancel::make))
        .route("/b/resume", post(cancel::undo))
        .route("/b/success", get(success::show))
        .route("/b/assets/style.css", get(theme::style))
        .route("/b/assets/logo", get(theme::logo))
        .route("/b/{*rest}", get(problem::no_page).post(problem::no_page))
        .layer(from_fn_with_state(pages.clone(), problem::frame))
        .with_state(pages)
}
