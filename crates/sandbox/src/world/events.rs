//! The event log. What an event says is rendered when it happens and never again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::faults::WebhookFault;
use super::list::{PAGE, page};
use super::render::previous_attributes;
use super::table::Row;
use crate::API_VERSION;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, Params, may};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    id: String,
    pub(crate) created: i64,
    pub(crate) kind: String,
    object: Value,
    previous_attributes: Option<Value>,
    origin: Origin,
    /// How many endpoints were to be told when it happened.
    pub(crate) endpoints: usize,
    /// How many of them have not answered with success.
    pub(crate) waiting: usize,
    /// How many of these are still to be tried.
    pub(crate) owed: usize,
}

/// The API request that caused an event; empty for what time or a hosted page causes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

impl Row for Event {
    const KIND: &'static str = "event";
    fn id(&self) -> &str {
        &self.id
    }
}

const LIST: &[Field] = &[
    may("type", Kind::Text),
    may("types", Kind::List(&Kind::Text)),
    may("delivery_success", Kind::Bool),
];
const TYPES_MAX: usize = 20;

impl World {
    /// Records that `kind` happened to `object` and owes it to every endpoint that wants it.
    pub(super) fn emit(&mut self, kind: &str, object: Value) {
        self.record(kind, object, None);
    }

    /// As [`World::emit`] for a change from `old` to `new`; nothing if they are equal.
    pub(super) fn emit_update(&mut self, kind: &str, old: &Value, new: Value) {
        if let Some(previous) = previous_attributes(old, &new) {
            self.record(kind, new, Some(previous));
        }
    }

    fn record(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let wanting = self.wanting(kind);
        let fault = match wanting.is_empty() {
            true => None,
            false => self.meta.faults.take_webhook(kind),
        };
        if fault == Some(WebhookFault::OtherId) {
            self.put_event(kind, object.clone(), previous.clone(), &wanting, None);
        }
        self.put_event(kind, object, previous, &wanting, fault);
    }

    fn put_event(
        &mut self,
        kind: &str,
        object: Value,
        previous_attributes: Option<Value>,
        wanting: &[String],
        fault: Option<WebhookFault>,
    ) {
        let id = self.new_id("evt_");
        let mut event = Event {
            id,
            created: self.meta.now,
            kind: kind.to_owned(),
            object,
            previous_attributes,
            origin: self.origin.clone(),
            endpoints: wanting.len(),
            waiting: wanting.len(),
            owed: 0,
        };
        event.owed = self.owe_deliveries(&event.id, wanting, fault);
        self.events.put(event);
    }

    pub(super) fn render_event(&self, event: &Event, pending_webhooks: usize) -> Value {
        let mut data = json!({"object": event.object});
        if let Some(previous) = &event.previous_attributes {
            data["previous_attributes"] = previous.clone();
        }
        json!({
            "id": event.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": event.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": pending_webhooks,
            "request": {
                "id": event.origin.request,
                "idempotency_key": event.origin.idempotency_key,
            },
            "type": event.kind,
        })
    }

    pub(super) fn retrieve_event(&self, id: &str) -> Answer {
        let event = self.events.get(id).ok_or_else(|| ApiError::no_such("event", id))?;
        Ok(self.render_event(event, event.waiting))
    }

    pub(super) fn list_events(&self, params: &super::route::Form) -> Answer {
        let params: Params = params.check(&[LIST, PAGE])?;
        let types = params.texts("types");
        if TYPES_MAX < types.len() {
            return Err(ApiError::bad_param("types", format!("At most {TYPES_MAX} types.")));
        }
        page(
            &self.events,
            "/v1/events",
            &params,
            |event| event.created,
            |event| {
                params.text("type").is_none_or(|pattern| matches_kind(pattern, &event.kind))
                    && (types.is_empty() || types.contains(&event.kind))
                    && params.flag("delivery_success").is_none_or(|ok| ok == (event.waiting == 0))
            },
            |event| self.render_event(event, event.waiting),
        )
    }
}

/// `pattern` is an event type, or one with `*` at its end: `charge.*`.
fn matches_kind(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}
