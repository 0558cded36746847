//! What an event says: which object to look at. Never what that object is worth.

use farthing_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Page, page};
use super::form::{field, path};
use super::signature::WebhookError;
use super::wire::{Malformed, Node};
use super::{API_VERSION, Livemode};
use crate::error::CallError;
use crate::http::HttpRequest;

/// The first API version whose objects we read ("basil").
const OLDEST_VERSION: &str = "2025-03-31";

/// How many types one request for events may name.
pub const EVENT_TYPES_AT_ONCE: usize = 20;

/// Every event type that we act on: what a webhook endpoint of ours subscribes to.
pub const EVENTS: &[&str] = &[
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "subscription_schedule.created",
    "subscription_schedule.updated",
    "subscription_schedule.released",
    "subscription_schedule.completed",
    "subscription_schedule.canceled",
    "subscription_schedule.aborted",
    "invoice.finalized",
    "invoice.finalization_failed",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.marked_uncollectible",
    "invoice.voided",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "setup_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payment_method.automatically_updated",
];

/// An event without its object, which is fetched when it matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEnvelope {
    /// `evt_...`: the same event has the same id, however often it is delivered.
    pub id: String,
    /// For example `invoice.paid`.
    pub kind: String,
    /// The version that its object is rendered in.
    pub api_version: String,
    /// Real money or not. Whether that is our mode is for the caller to compare.
    pub livemode: Livemode,
    /// The connected account it is about; `None` when it is about our own.
    pub account: Option<String>,
    /// When it happened, in whole seconds: several events of one action share it.
    pub created: Timestamp,
    /// For example `invoice`.
    pub object_kind: String,
    /// The object's id; a few kinds, such as `balance`, have none.
    pub object_id: Option<String>,
    /// The customer the object belongs to, if it names one.
    pub customer: Option<String>,
}

impl EventEnvelope {
    /// Reads an event that was verified, now or before it was stored.
    ///
    /// Errors: not an event, a thin one, or rendered in a version older than we read.
    pub fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|err| WebhookError::NotAnEvent(format!("it is not JSON: {err}")))?;
        let unread = |err: Malformed| WebhookError::NotAnEvent(err.to_string());
        let root = Node::root(&body);
        let kind = root.text("type").map_err(unread)?;
        if root.text("object").map_err(unread)? == "v2.core.event" {
            return Err(WebhookError::ThinEvent(kind));
        }
        root.expect_kind("event").map_err(unread)?;
        let api_version = root.opt_text("api_version").map_err(unread)?.unwrap_or_default();
        if api_version.as_str() < OLDEST_VERSION {
            return Err(WebhookError::OldVersion(api_version, API_VERSION));
        }
        Self::read(&root, kind, api_version).map_err(unread)
    }

    fn read(root: &Node, kind: String, api_version: String) -> Result<Self, Malformed> {
        let object = root.need("data")?.need("object")?;
        let object_kind = object.text("object")?;
        let object_id = object.opt_text("id")?.filter(|id| !id.is_empty());
        let customer = match object_kind.as_str() {
            "customer" => object_id.clone(),
            _ => object.opt_id("customer")?,
        };
        Ok(Self {
            id: root.text("id")?,
            kind,
            api_version,
            livemode: Livemode::from_flag(root.flag("livemode")?),
            account: root.opt_text("account")?,
            created: root.time("created")?,
            object_kind,
            object_id,
            customer,
        })
    }
}

/// An event from Stripe's own list of them, as it is stored when it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEvent {
    /// What it says. Its version may be older than we read: then [`EventEnvelope::parse`] refuses
    /// its payload, though what it names can be fetched all the same.
    pub envelope: EventEnvelope,
    /// The event as JSON.
    pub payload: String,
}

/// Reads one page of the events of some types (at most [`EVENT_TYPES_AT_ONCE`]; none: of all) since
/// an instant, the newest first. Stripe keeps them for 30 days.
///
/// Refused here when there are too many types. Source: <https://docs.stripe.com/api/events/list>.
pub fn encode_list_events(
    types: &[&str],
    since: Option<Timestamp>,
    after: Option<&str>,
) -> Result<HttpRequest, CallError> {
    if EVENT_TYPES_AT_ONCE < types.len() {
        let message = format!("at most {EVENT_TYPES_AT_ONCE} types of events can be asked for");
        return Err(CallError::refused_here("too_many_event_types", message));
    }
    let mut query = vec![field("limit", "100")];
    let types = types.iter().enumerate();
    query.extend(types.map(|(i, kind)| field(format!("types[{i}]"), *kind)));
    query.extend(since.map(|at| field("created[gte]", at.seconds().to_string())));
    query.extend(after.map(|id| field("starting_after", id)));
    Ok(HttpRequest::get(path(&["events"], &query)))
}

/// One page of events.
pub fn decode_events(status: u16, body: &[u8]) -> Result<Page<ListedEvent>, CallError> {
    page(status, body, |node| {
        node.expect_kind("event")?;
        let api_version = node.opt_text("api_version")?.unwrap_or_default();
        let envelope = EventEnvelope::read(node, node.text("type")?, api_version)?;
        Ok(ListedEvent { envelope, payload: node.to_json() })
    })
}

/// What to fetch because of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A subscription.
    Subscription(String),
    /// An invoice, and the subscription it bills.
    Invoice(String),
    /// A hosted checkout, and what it started.
    Checkout(String),
    /// A schedule, and the subscription that it manages.
    Schedule(String),
    /// A charge, what it paid and what went back of it.
    Charge(String),
    /// A refund, its charge and what that paid.
    Refund(String),
    /// A dispute, its charge and what that paid.
    Dispute(String),
    /// A stored card, or one that was.
    PaymentMethod(String),
    /// A setup intent, and the card that it stored.
    SetupIntent(String),
    /// A customer who is gone.
    CustomerDeleted(String),
    /// Nothing: the event does not concern us.
    Ignored,
}

/// What an event makes us look at. Unknown types, and known types without an object's id, are
/// ignored.
pub fn subject(event: &EventEnvelope) -> Subject {
    let Some(id) = event.object_id.clone() else { return Subject::Ignored };
    if !EVENTS.contains(&event.kind.as_str()) {
        return Subject::Ignored;
    }
    match (event.object_kind.as_str(), event.kind.as_str()) {
        ("checkout.session", _) => Subject::Checkout(id),
        ("subscription", _) => Subject::Subscription(id),
        ("subscription_schedule", _) => Subject::Schedule(id),
        ("invoice", _) => Subject::Invoice(id),
        ("charge", _) => Subject::Charge(id),
        ("refund", _) => Subject::Refund(id),
        ("dispute", _) => Subject::Dispute(id),
        ("payment_method", _) => Subject::PaymentMethod(id),
        ("setup_intent", _) => Subject::SetupIntent(id),
        ("customer", "customer.deleted") => Subject::CustomerDeleted(id),
        _ => Subject::Ignored,
    }
}
