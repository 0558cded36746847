//! The catalog: reading it, seeing what another one would change, applying that.

use axum::Json as Answered;
use axum::extract::{FromRequest, Request, State};
use farthing_core::catalog::{CatalogError, Change};
use farthing_engine::catalogs::{Applied, CatalogPlan, CatalogProblem, CatalogView};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::{Reader, Writer};
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::state::App;
use crate::{body, json, schema};

/// How many mistakes are listed; `detail` says how many there are.
const MISTAKES_MAX: usize = 200;

/// A catalog file as a JSON string.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogRequest {
    /// The TOML file.
    #[schema(max_length = 1_000_000)]
    source: String,
}

/// The source of a catalog, sent as TOML or inside of JSON.
pub struct Source(String);

impl FromRequest<App> for Source {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let media = body::media_type(request.headers());
        match media.as_deref() {
            Some("application/json") => {
                let bytes = body::read(request).await?;
                Ok(Self(json::parse::<CatalogRequest>(&bytes)?.source))
            }
            Some("application/toml" | "text/plain" | "text/x-toml") => {
                let bytes = body::read(request).await?;
                String::from_utf8(bytes.into()).map(Self).map_err(|_| {
                    let detail = "the catalog is not UTF-8 text; nothing was changed";
                    ApiError::new(Code::MalformedRequest, detail)
                })
            }
            found => {
                Err(body::unsupported(found, "application/toml, text/plain or application/json"))
            }
        }
    }
}

/// The catalog in force, with its source.
#[utoipa::path(
    get, path = "/v1/catalog", operation_id = "getCatalog", tag = "catalog",
    responses((status = 200, description = "The catalog", body = schema::CatalogInForce)),
    security(("api_key" = ["read"]))
)]
pub async fn get_catalog(
    State(app): State<App>,
    _: Reader,
) -> Result<Answered<CatalogView>, ApiError> {
    app.ask(|engine| engine.current_catalog()).await.map(Answered)
}

/// What applying a catalog would change, and who would notice. Writes nothing.
#[utoipa::path(
    post, path = "/v1/catalog/plan", operation_id = "planCatalog", tag = "catalog",
    request_body(content(
        (CatalogRequest = "application/json"), (String = "application/toml"), (String = "text/plain")
    )),
    responses((status = 200, description = "The changes", body = schema::CatalogPlan)),
    security(("api_key" = ["read"]))
)]
pub async fn plan_catalog(
    State(app): State<App>,
    _: Reader,
    Source(source): Source,
) -> Result<Answered<CatalogPlan>, ApiError> {
    let plan = app.run(move |engine| engine.plan_catalog(&source)).await?;
    plan.map(Answered).map_err(problem)
}

/// Makes a catalog the one in force, and its prices at the provider.
#[utoipa::path(
    post, path = "/v1/catalog/apply", operation_id = "applyCatalog", tag = "catalog",
    request_body(content(
        (CatalogRequest = "application/json"), (String = "application/toml"), (String = "text/plain")
    )),
    responses((status = 200, description = "It is in force", body = schema::CatalogApplied)),
    security(("api_key" = ["full"]))
)]
pub async fn apply_catalog(
    State(app): State<App>,
    Writer(call): Writer,
    Source(source): Source,
) -> Result<Answered<Applied>, ApiError> {
    let applied = app.run(move |engine| engine.apply_catalog(&call, &source)).await?;
    applied.map(Answered).map_err(problem)
}

fn problem(problem: CatalogProblem) -> ApiError {
    let detail = problem.to_string();
    match problem {
        CatalogProblem::Mistakes(mistakes) => {
            let errors = mistakes.into_iter().take(MISTAKES_MAX).map(mistake).collect();
            ApiError::new(Code::InvalidCatalog, detail).with_errors(errors)
        }
        CatalogProblem::Blocked(changes) => {
            let errors = changes.into_iter().filter_map(blocked).collect();
            ApiError::new(Code::CatalogBlocked, detail).with_errors(errors)
        }
        CatalogProblem::Engine(error) => error.into(),
    }
}

fn mistake(error: CatalogError) -> FieldProblem {
    let CatalogError { code, line, column, message, fix, .. } = error;
    let message = format!("line {line}, column {column}: {message}");
    FieldProblem { pointer: "/source".to_owned(), code, message, fix }
}

fn blocked(change: Change) -> Option<FieldProblem> {
    let fix = change.blocking?;
    let message = format!("{}: {}", change.path, change.effect);
    Some(FieldProblem::new("/source", Code::CatalogBlocked, message, fix))
}
