//! Our webhook endpoint at Stripe, made for the API version that we read.
//!
//! Source: <https://docs.stripe.com/api/webhook_endpoints>.

use super::API_VERSION;
use super::answer::{Page, answer, page};
use super::events::EVENTS;
use super::form::{field, path};
use super::wire::{Malformed, Node};
use crate::error::CallError;
use crate::http::HttpRequest;

/// An endpoint as Stripe has it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// `we_...`.
    pub id: String,
    /// What signs its events; Stripe tells it once, when the endpoint is created.
    pub secret: Option<String>,
    /// Where it delivers.
    pub url: String,
    /// The version its events are rendered in; `None`: the account's default.
    pub api_version: Option<String>,
    /// The types it delivers; `*` is all of them.
    pub events: Vec<String>,
    /// Whether it delivers at all.
    pub enabled: bool,
}

/// Everything but the secret.
impl std::fmt::Debug for WebhookEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let has_secret = self.secret.is_some();
        write!(f, "WebhookEndpoint({} at {}, secret told: {has_secret})", self.id, self.url)
    }
}

impl WebhookEndpoint {
    /// Whether it delivers everything that we act on.
    pub fn is_up_to_date(&self) -> bool {
        self.enabled && self.lacks().is_empty()
    }

    /// The types that we act on and that it does not deliver.
    pub fn lacks(&self) -> Vec<&'static str> {
        let delivers = |event: &str| self.events.iter().any(|known| known == event || known == "*");
        EVENTS.iter().copied().filter(|event| !delivers(event)).collect()
    }
}

fn enabled_events() -> Vec<(String, String)> {
    let events = EVENTS.iter().enumerate();
    events.map(|(i, event)| field(format!("enabled_events[{i}]"), *event)).collect()
}

/// Reads one page of the account's endpoints.
pub fn encode_list_webhook_endpoints(after: Option<&str>) -> HttpRequest {
    let mut query = vec![field("limit", "100")];
    query.extend(after.map(|id| field("starting_after", id)));
    HttpRequest::get(path(&["webhook_endpoints"], &query))
}

/// Creates one for our API version and our events.
pub fn encode_create_webhook_endpoint(url: &str, key: &str) -> HttpRequest {
    let mut form = vec![field("url", url), field("api_version", API_VERSION)];
    form.push(field("description", "Farthing"));
    form.extend(enabled_events());
    HttpRequest::post(path(&["webhook_endpoints"], &[]), key, form)
}

/// Makes one deliver our events again. Its API version cannot be changed.
pub fn encode_update_webhook_endpoint(id: &str, key: &str) -> HttpRequest {
    let mut form = vec![field("disabled", "false")];
    form.extend(enabled_events());
    HttpRequest::post(path(&["webhook_endpoints", id], &[]), key, form)
}

/// The endpoint that was created or updated.
pub fn decode_webhook_endpoint(status: u16, body: &[u8]) -> Result<WebhookEndpoint, CallError> {
    let body = answer(status, body)?;
    Ok(read_endpoint(&Node::root(&body))?)
}

/// One page of endpoints.
pub fn decode_webhook_endpoints(
    status: u16,
    body: &[u8],
) -> Result<Page<WebhookEndpoint>, CallError> {
    page(status, body, read_endpoint)
}

fn read_endpoint(node: &Node) -> Result<WebhookEndpoint, Malformed> {
    node.expect_kind("webhook_endpoint")?;
    let events = node.need("enabled_events")?.elements()?;
    let events = events.iter().map(|event| event.as_text().map(str::to_owned));
    Ok(WebhookEndpoint {
        id: node.text("id")?,
        secret: node.opt_text("secret")?,
        url: node.text("url")?,
        api_version: node.opt_text("api_version")?,
        events: events.collect::<Result<_, _>>()?,
        enabled: node.text("status")? == "enabled",
    })
}
