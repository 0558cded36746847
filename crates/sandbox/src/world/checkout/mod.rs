//! Checkout sessions: an offer that a person accepts on a hosted page.
//!
//! Here: the state, finding it, expiry. [`create`]: what an offer may be. [`complete`]: what
//! happens when it is paid. [`hosted`]: the page. [`show`]: how sessions are rendered.

mod complete;
mod create;
mod hosted;
mod show;

use serde::{Deserialize, Serialize};

use super::World;
use super::list::{PAGE, page};
use super::render::Metadata;
use super::route::Form;
use super::subscriptions::MissingMethod;
use super::table::Row;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    id: String,
    created: i64,
    expires_at: i64,
    mode: Mode,
    status: Status,
    success_url: String,
    cancel_url: Option<String>,
    customer: Option<String>,
    /// Given at creation to be filled in on the page, or typed there.
    email: Option<String>,
    client_reference_id: Option<String>,
    metadata: Metadata,
    currency: Option<String>,
    items: Vec<Item>,
    /// What the subscription, payment intent or setup intent gets.
    target: Target,
    /// A card is asked for only if something is to be paid now.
    card_if_required: bool,
    /// Payment mode makes a customer even if it could do without one.
    always_customer: bool,
    made: Made,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Payment,
    Setup,
    Subscription,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Open,
    Complete,
    Expired,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Item {
    id: String,
    price: String,
    quantity: i64,
}

/// `subscription_data`, `payment_intent_data` or `setup_intent_data`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Target {
    metadata: Metadata,
    description: Option<String>,
    trial_days: Option<i64>,
    trial_end: Option<i64>,
    missing_payment_method: MissingMethod,
    setup_future_usage: Option<String>,
}

/// What came of the session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Made {
    paid: bool,
    subscription: Option<String>,
    invoice: Option<String>,
    setup_intent: Option<String>,
    /// The intent of the first attempt; a subscription's invoice takes it over.
    intent: Option<String>,
}

impl Row for Session {
    const KIND: &'static str = "checkout_session";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        (self.status == Status::Open).then_some(self.expires_at)
    }
}

impl Session {
    fn has_trial(&self) -> bool {
        self.target.trial_days.is_some() || self.target.trial_end.is_some()
    }
}

const LIST: &[Field] = &[
    may("customer", Kind::Text),
    may("payment_intent", Kind::Text),
    may("status", Kind::OneOf(&["open", "complete", "expired"])),
    may("subscription", Kind::Text),
];

impl World {
    fn session(&self, id: &str) -> Result<&Session, ApiError> {
        self.sessions.get(id).ok_or_else(|| ApiError::no_such("checkout.session", id))
    }

    pub(super) fn retrieve_session(&self, id: &str) -> Answer {
        self.session(id).map(|session| self.render_session(session))
    }

    pub(super) fn list_sessions(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let (customer, subscription) = (params.text("customer"), params.text("subscription"));
        let intent = params.text("payment_intent");
        page(
            &self.sessions,
            "/v1/checkout/sessions",
            &params,
            |session| session.created,
            |session| {
                (customer.is_none() || session.customer.as_deref() == customer)
                    && (subscription.is_none()
                        || session.made.subscription.as_deref() == subscription)
                    && (intent.is_none()
                        || session.mode == Mode::Payment
                            && session.made.intent.as_deref() == intent)
                    && params
                        .text("status")
                        .is_none_or(|word| serde_json::json!(session.status) == word)
            },
            |session| self.render_session(session),
        )
    }

    pub(super) fn expire_session_now(&mut self, id: &str, form: &Form) -> Answer {
        let session = self.session(id)?.clone();
        form.check(&[])?;
        if session.status != Status::Open {
            return Err(ApiError::refused(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout \
                 Session has a status of {}.",
                serde_json::json!(session.status).as_str().unwrap_or_default()
            )));
        }
        self.expire_session(session);
        self.retrieve_session(id)
    }

    /// Closes an open session that nobody completed.
    pub(super) fn expire_session(&mut self, mut session: Session) {
        session.status = Status::Expired;
        if let Some(intent) = &session.made.intent {
            self.cancel_intent(intent, "automatic");
        }
        let rendered = self.render_session(&session);
        self.sessions.put(session);
        self.emit("checkout.session.expired", rendered);
    }
}
