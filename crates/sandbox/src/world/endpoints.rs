//! Webhook endpoints: who wants to hear of which events.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::list::{PAGE, page};
use super::render::{Metadata, new_metadata, update_metadata};
use super::route::Form;
use super::table::Row;
use crate::API_VERSION;
use crate::error::{Answer, ApiError};
use crate::params::{CLEARABLE, Field, Kind, METADATA, may, need};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    id: String,
    created: i64,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) enabled: bool,
    api_version: Option<String>,
    description: Option<String>,
    metadata: Metadata,
}

impl Row for Endpoint {
    const KIND: &'static str = "webhook_endpoint";
    fn id(&self) -> &str {
        &self.id
    }
}

impl Endpoint {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.enabled && self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind)
    }
}

const CREATE: &[Field] = &[
    need("url", Kind::Text),
    need("enabled_events", Kind::List(&Kind::Text)),
    may("api_version", Kind::Text),
    may("description", CLEARABLE),
    may("metadata", METADATA),
];
const UPDATE: &[Field] = &[
    may("url", Kind::Text),
    may("enabled_events", Kind::List(&Kind::Text)),
    may("disabled", Kind::Bool),
    may("description", CLEARABLE),
    may("metadata", METADATA),
];
const ENDPOINTS_MAX: usize = 16;

impl World {
    pub(super) fn create_endpoint(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let url = valid_url(params.text("url").unwrap_or_default())?;
        let enabled_events = valid_events(params.texts("enabled_events"))?;
        let api_version = params.string("api_version");
        if api_version.as_ref().is_some_and(|version| version != API_VERSION) {
            let message = format!("The sandbox renders events in version {API_VERSION} only.");
            return Err(ApiError::bad_param("api_version", message));
        }
        if ENDPOINTS_MAX <= self.endpoints.oldest_first().count() {
            let message = format!("You have reached the maximum of {ENDPOINTS_MAX} endpoints.");
            return Err(ApiError::refused(message));
        }
        let endpoint = Endpoint {
            id: self.new_id("we_"),
            created: self.now(),
            url,
            secret: self.new_id("whsec_"),
            enabled_events,
            enabled: true,
            api_version,
            description: params.string("description"),
            metadata: new_metadata(&params),
        };
        let mut rendered = render(&endpoint);
        rendered["secret"] = json!(endpoint.secret);
        self.endpoints.put(endpoint);
        Ok(rendered)
    }

    pub(super) fn retrieve_endpoint(&self, id: &str) -> Answer {
        self.endpoint(id).map(render)
    }

    pub(super) fn update_endpoint(&mut self, id: &str, form: &Form) -> Answer {
        let mut endpoint = self.endpoint(id)?.clone();
        let params = form.check(&[UPDATE])?;
        if let Some(url) = params.text("url") {
            endpoint.url = valid_url(url)?;
        }
        if params.has("enabled_events") {
            endpoint.enabled_events = valid_events(params.texts("enabled_events"))?;
        }
        if let Some(disabled) = params.flag("disabled") {
            endpoint.enabled = !disabled;
        }
        params.update("description", &mut endpoint.description);
        update_metadata(&mut endpoint.metadata, &params);
        let rendered = render(&endpoint);
        self.endpoints.put(endpoint);
        Ok(rendered)
    }

    pub(super) fn delete_endpoint(&mut self, id: &str) -> Answer {
        self.endpoint(id)?;
        self.endpoints.remove(id);
        Ok(json!({"id": id, "object": "webhook_endpoint", "deleted": true}))
    }

    pub(super) fn list_endpoints(&self, form: &Form) -> Answer {
        let params = form.check(&[PAGE])?;
        page(&self.endpoints, "/v1/webhook_endpoints", &params, |e| e.created, |_| true, render)
    }

    fn endpoint(&self, id: &str) -> Result<&Endpoint, ApiError> {
        self.endpoints.get(id).ok_or_else(|| ApiError::no_such("webhook endpoint", id))
    }
}

fn render(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": endpoint.api_version,
        "application": null,
        "created": endpoint.created,
        "description": endpoint.description,
        "enabled_events": endpoint.enabled_events,
        "livemode": false,
        "metadata": endpoint.metadata,
        "status": if endpoint.enabled { "enabled" } else { "disabled" },
        "url": endpoint.url,
    })
}

fn valid_url(url: &str) -> Result<String, ApiError> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url.to_owned());
    }
    Err(ApiError::invalid(
        "url_invalid",
        "url",
        "Not a valid URL: it starts with http:// or https://",
    ))
}

fn valid_events(kinds: Vec<String>) -> Result<Vec<String>, ApiError> {
    let wrong = kinds.iter().find(|kind| *kind != "*" && !kind.contains('.'));
    if let Some(kind) = wrong {
        let message = format!("Invalid event type: {kind}. An example is invoice.paid; * is all.");
        return Err(ApiError::bad_param("enabled_events", message));
    }
    if kinds.is_empty() {
        return Err(ApiError::bad_param("enabled_events", "At least one event type is needed."));
    }
    Ok(kinds)
}
