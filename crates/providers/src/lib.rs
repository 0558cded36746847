//! How Farthing talks to payment providers: encode a request, decode the answer, verify an event.
//!
//! A provider's words stop here: what comes out is [`farthing_core::snapshot`]. Nothing in this
//! crate decides what a snapshot means, nothing is remembered but whether a provider answers, and
//! there is no clock. Everything is synchronous; only [`transport`] touches the network.
//!
//! In reading order: [`http`], [`error`], [`stripe`], [`retry`], [`transport`], [`breaker`],
//! [`guard`].

pub mod breaker;
pub mod error;
pub mod guard;
pub mod http;
pub mod retry;
pub mod stripe;
pub mod transport;

pub use breaker::{BreakerRules, BreakerState};
pub use error::{CallError, ConfigError};
pub use guard::{GuardedTransport, Health, Moment};
pub use http::{HttpRequest, HttpResponse, Transport, TransportError};
pub use stripe::{Livemode, Stripe};
pub use transport::HttpTransport;
