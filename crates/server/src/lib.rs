//! The HTTP API and the webhooks in.
//!
//! Everything async is here and in the command line. A handler reads the request strictly, calls
//! the engine once on a thread that may block, and shows the answer. There is no rule about
//! billing, no SQL and no clock in this crate, and nothing is decided by the headers `Host` or
//! `X-Forwarded-*`.
//!
//! In reading order: [`state`], `request`, `auth`, `idempotency`, `json`, `api`, [`error`],
//! [`codes`], [`openapi`].

mod api;
mod auth;
mod body;
pub mod codes;
mod docs;
mod engine_errors;
pub mod error;
mod health;
mod idempotency;
mod json;
mod listen;
mod metrics;
mod open;
pub mod openapi;
mod optional;
mod people;
mod query;
pub mod ratelimit;
mod remembered;
mod request;
pub mod schema;
pub mod state;
mod values;
mod webhooks;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use farthing_web::billing::{Logo, Theme};
pub use farthing_web::{BadBase, Base};
pub use listen::serve;
pub use ratelimit::RateLimit;
pub use state::{Advanced, AppState, BoxFuture, Lab, LabError, Scenario, ScenarioSetUp, Uptime};

use state::{App, Pages};

/// Everything that this server answers.
pub fn router(state: AppState) -> Router {
    let document = openapi::complete(routes().into_openapi());
    let pages = Pages {
        docs: docs::page(&document),
        without_query: openapi::without_query(&document),
        openapi: document.to_string(),
    };
    let people = people::routes(&state);
    let app = App::new(state, pages);
    let guarded = api::routes().route_layer(from_fn_with_state(app.clone(), idempotency::guard));
    let open = open_routes().route_layer(from_fn_with_state(app.clone(), open::guard));
    let (router, _) = open.merge(guarded).split_for_parts();
    router
        .fallback(request::unknown_route)
        .method_not_allowed_fallback(request::unknown_method)
        .with_state(app.clone())
        .merge(people)
        .layer(from_fn_with_state(app, request::observe))
}

/// The OpenAPI document that the server shows at `/openapi.json`.
pub fn openapi_document() -> serde_json::Value {
    openapi::complete(routes().into_openapi())
}

fn routes() -> OpenApiRouter<App> {
    open_routes().merge(api::routes())
}

/// The routes that need no API key.
fn open_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(webhooks::receive_stripe))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(openapi::openapi))
        .routes(routes!(docs::docs))
}
