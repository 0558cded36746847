//! For those who keep the server running: is it alive, is it ready, how is it doing?

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use farthing_engine::provider_state::ProviderState;

use crate::error::ApiError;
use crate::metrics::Gauge;
use crate::state::App;

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operations",
    responses((status = 200, description = "Alive", body = String, content_type = "text/plain"))
)]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Requests can be answered: the database is there, migrated, and has a catalog.
///
/// The second line says whether the provider answers. When it does not, most of what an app asks
/// for still works, so this is still 200.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses((status = 200, description = "Ready", body = String, content_type = "text/plain"))
)]
pub async fn readyz(State(app): State<App>) -> Result<String, ApiError> {
    app.readiness.get(&app, |engine| engine.ready()).await?;
    let provider = app.engine.provider_state().map(|it| match (it.since, it.until) {
        (Some(since), Some(until)) => {
            format!("{}: {} since {since}, next try {until}\n", it.provider, it.state)
        }
        _ => format!("{}: {}\n", it.provider, it.state),
    });
    Ok(format!("ready\n{}", provider.unwrap_or_default()))
}

/// Counts and latencies for Prometheus; nothing about customers.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain"))
)]
pub async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let counts = app.gauges.get(&app, |engine| engine.work_counts()).await?;
    let gauges = [
        Gauge {
            name: "farthing_provider_events",
            help: "Provider events by state.",
            values: counts.events,
        },
        Gauge { name: "farthing_jobs", help: "Jobs by state.", values: counts.jobs },
        Gauge {
            name: "farthing_provider_breaker",
            help: "1 for the state of the provider's circuit breaker as this process sees it.",
            values: breaker(app.engine.provider_state().as_ref()),
        },
    ];
    let text = app.metrics.text(&gauges);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// Each state, with 1 for the one that it is in.
fn breaker(provider: Option<&ProviderState>) -> Vec<(&'static str, i64)> {
    let one = |now: &ProviderState| {
        ProviderState::STATES.map(|state| (state, i64::from(state == now.state))).to_vec()
    };
    provider.map(one).unwrap_or_default()
}
