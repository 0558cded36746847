//! Stripe, and whatever speaks like it.
//!
//! One file per resource, each with pure functions: `encode_...` makes a request, `decode_...`
//! reads the answer to it. [`client`] puts a transport between the two. [`form`] writes requests,
//! [`answer`] says what a status means, [`wire`] reads JSON, [`amounts`] converts money;
//! [`signature`] and [`events`] take webhooks in.
//!
//! The API version is pinned on every request and on the webhook endpoint. `ui_mode` and
//! `billing_cycle_anchor` changed their meaning between versions and are never sent.

pub mod account;
pub mod amounts;
pub mod answer;
pub mod charges;
pub mod checkouts;
pub mod client;
pub mod customers;
pub mod disputes;
pub mod events;
pub mod form;
pub mod invoices;
pub mod payment_methods;
pub mod payments;
pub mod portal;
pub mod previews;
pub mod prices;
pub mod products;
pub mod refunds;
pub mod schedules;
pub mod signature;
pub mod subscriptions;
pub mod webhook_endpoints;
pub mod wire;

use serde::{Deserialize, Serialize};

pub use account::AccountSnapshot;
pub use answer::Page;
pub use checkouts::{CheckoutWhat, NewCheckout};
pub use client::Stripe;
pub use customers::{CustomerUpdate, FetchedCustomer, NewCustomer};
pub use events::{EVENTS, EventEnvelope, ListedEvent, Subject};
pub use portal::PortalFlow;
pub use prices::NewPrice;
pub use refunds::{NewRefund, RefundReason};
pub use schedules::PhasesUpdate;
pub use signature::{DEFAULT_TOLERANCE_SECONDS, WebhookConfig, WebhookError};
pub use subscriptions::PriceChange;
pub use webhook_endpoints::WebhookEndpoint;

use crate::error::ConfigError;

/// The API version that every request and our webhook endpoint are pinned to.
pub const API_VERSION: &str = "2026-10-28.endive";

/// Real money or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Livemode {
    /// Real money.
    Live,
    /// Pretend money, at Stripe or in the sandbox.
    Test,
}

impl Livemode {
    /// From an object's `livemode` field.
    pub fn from_flag(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// The mode of an API key, as its prefix says. Errors: not a secret or restricted key.
    pub fn of_key(api_key: &str) -> Result<Self, ConfigError> {
        let starts = |prefixes: [&str; 2]| prefixes.iter().any(|p| api_key.starts_with(p));
        if starts(["sk_live_", "rk_live_"]) {
            return Ok(Self::Live);
        }
        if starts(["sk_test_", "rk_test_"]) {
            return Ok(Self::Test);
        }
        let want = "the Stripe API key must start with sk_test_, rk_test_, sk_live_ or rk_live_";
        Err(ConfigError(want.to_owned()))
    }

    /// The word in key prefixes: `live` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}
