//! The admin panel. Every screen is one line in [`screens`]: its path, and what it takes to see or
//! do it.

pub(crate) mod audit;
mod catalog;
mod checks;
mod confirm;
mod customer;
mod customers;
mod desk;
mod disputes;
mod door;
mod drift;
mod events;
mod help;
mod home;
mod keys;
mod lab;
mod link;
mod outbox;
pub(crate) mod paths;
mod refunds;
mod screens;
mod second_factor;
mod sign_in;
mod team;
mod timeline;
pub(crate) mod words;
mod you;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use farthing_engine::operators::sessions::{Signed, Stage};

pub use screens::{Screen, screens};

use crate::refusal::Refusal;
use crate::site::Site;
use crate::{assets, guard};

/// Everything below `/admin`.
pub fn routes(site: Site) -> Router {
    let pages = screens::router()
        .merge(door::router())
        .route("/admin/{*rest}", get(nothing_there).post(nothing_there))
        .layer(from_fn_with_state(site.clone(), guard::guard));
    Router::new()
        .route(assets::STYLE_PATH, get(assets::style))
        .route(assets::SCRIPT_PATH, get(assets::script))
        .merge(pages)
        .with_state(site)
}

/// Whether somebody is signed in to the end.
pub(crate) fn is_whole(signed: &Signed) -> bool {
    signed.stage == Stage::Full
}

async fn nothing_there() -> Refusal {
    Refusal::NoPage
}
