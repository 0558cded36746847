//! For those who keep the server running: is it alive, is it ready, how is it doing?

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

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
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses((status = 200, description = "Ready", body = String, content_type = "text/plain"))
)]
pub async fn readyz(State(app): State<App>) -> Result<&'static str, ApiError> {
    app.readiness.get(&app, |engine| engine.ready()).await?;
    Ok("ready\n")
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
    ];
    let text = app.metrics.text(&gauges);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
