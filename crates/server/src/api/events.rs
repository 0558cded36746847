//! What the provider has told us, and what became of it.

use axum::Json as Answered;
use axum::extract::State;
use farthing_engine::ingest::{EventState, EventView};
use farthing_engine::replay::ReplayPreview;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::auth::{Reader, Writer};
use crate::error::ApiError;
use crate::optional::{Nothing, Optional};
use crate::query::{IdPath, Limit, Page, Params, PreviewParams};
use crate::schema;
use crate::state::App;

/// Which ones.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// Only those in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: String,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Received,
    Done,
    Ignored,
    Quarantined,
    Dead,
}

impl From<StateName> for EventState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Received => Self::Received,
            StateName::Done => Self::Done,
            StateName::Ignored => Self::Ignored,
            StateName::Quarantined => Self::Quarantined,
            StateName::Dead => Self::Dead,
        }
    }
}

/// Events that a provider sent, the newest first.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "listEvents", tag = "events",
    params(EventParams),
    responses((status = 200, description = "A page of them", body = Page<schema::ProviderEvent>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_events(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<EventParams>,
) -> Result<Answered<Page<EventView>>, ApiError> {
    let EventParams { state, limit, after } = params;
    let state = state.map(EventState::from);
    let rows = app.ask(move |engine| engine.events(state, &after, limit.0 + 1)).await?;
    Ok(Answered(Page::of(rows, limit, |view| view.id.clone())))
}

/// One event that a provider sent.
#[utoipa::path(
    get, path = "/v1/events/{id}", operation_id = "getEvent", tag = "events",
    params(("id" = String, Path, description = "Ours, not the provider's")),
    responses((status = 200, description = "The event", body = schema::ProviderEvent)),
    security(("api_key" = ["read"]))
)]
pub async fn get_event(
    State(app): State<App>,
    _: Reader,
    IdPath(id): IdPath,
) -> Result<Answered<EventView>, ApiError> {
    app.ask(move |engine| engine.event(&id)).await.map(Answered)
}

/// What it would be, or the event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Replayed {
    /// With `?preview=true`.
    Preview(Box<ReplayPreview>),
    /// Without.
    Event(EventView),
}

/// Handles an event again. What has had its effect has none again.
///
/// With `?preview=true` it answers what would become of it, line by line, and changes nothing.
#[utoipa::path(
    post, path = "/v1/events/{id}/replay", operation_id = "replayEvent", tag = "events",
    params(("id" = String, Path, description = "Ours, not the provider's"), PreviewParams),
    responses((status = 200, description = "The preview, or the event",
               body = schema::ReplayAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn replay_event(
    State(app): State<App>,
    Writer(call): Writer,
    IdPath(id): IdPath,
    Params(params): Params<PreviewParams>,
    _: Optional<Nothing>,
) -> Result<Answered<Replayed>, ApiError> {
    let work = move |engine: &farthing_engine::Engine| {
        if params.preview() {
            return engine.preview_replay(&id).map(|shown| Replayed::Preview(Box::new(shown)));
        }
        engine.replay_event(&call, &id).map(Replayed::Event)
    };
    app.ask(work).await.map(Answered)
}
