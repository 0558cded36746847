//! A pretend payment provider with its own truth, in Stripe's wire format.
//!
//! The sandbox stands alone: it knows what Stripe's API looks like and nothing of who calls it.
//! [`World`] is a pure, deterministic state machine: requests and time in, responses and webhooks
//! out. [`Sandbox`] wraps one for HTTP and keeps it in a file.
//!
//! What goes wrong on purpose has names: [`SCENARIOS`], set up with [`World::scenario`] or over HTTP.

// Stripe's invoice has more fields than the `json!` macro takes by default.
#![recursion_limit = "256"]

mod auth;
mod calendar;
mod error;
mod http;
mod ids;
mod pages;
mod params;
mod persist;
mod request;
mod signature;
mod world;

pub use http::Sandbox;
pub use persist::OpenError;
pub use request::{Request, Response};
pub use world::{AfterLastRetry, CallFault, Delivery, Faults, SCENARIOS, WebhookFault, World};

/// The one API version whose shapes are rendered.
pub const API_VERSION: &str = "2026-10-28.endive";
