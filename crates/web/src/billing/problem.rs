//! What is shown instead of a page: what happened, what was not changed, what to do.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use farthing_engine::{EngineError, StoreError};
use maud::{Markup, html};

use super::site::Pages;
use super::{layout, words};
use crate::{RequestId, security};

/// What a page may load and where its forms may lead: to us and to the provider's own pages.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self' https://*.stripe.com; base-uri 'none'; frame-ancestors 'none'";

/// The errors that say that the provider does not answer now.
macro_rules! away {
    () => {
        EngineError::ProviderUnavailable { .. }
            | EngineError::ProviderHeldBack { .. }
            | EngineError::NoProvider
    };
}
pub(super) use away;

/// Why a page is not shown.
#[derive(Clone, Debug)]
pub(super) enum Problem {
    /// Nobody is signed in, or no longer.
    SignedOut,
    /// A link that was used, is too old, or never was one.
    DeadLink,
    /// A form that is not one of ours.
    ForeignForm,
    /// Whoever looks may only look.
    ReadOnly,
    /// Longer than any form of ours.
    TooLong,
    /// Asked for too often.
    TooMany,
    /// There is no such page.
    NoPage,
    /// The engine did not do it.
    Engine(EngineError),
    /// A mistake of ours.
    Internal,
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for Problem {
    /// A response without a body: [`frame`] writes it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if matches!(self, Self::TooMany) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A path below `/b` that is none.
pub(super) async fn no_page() -> Problem {
    Problem::NoPage
}

/// Around every page: the words of a problem, and the headers.
pub(super) async fn frame(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.log(&id);
        let title = problem.title();
        let body = layout::plain(&pages.theme, title, &problem.body(&id)).0;
        *response.body_mut() = Body::from(body);
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let headers = response.headers_mut();
    security::write_headers(headers, pages.base.is_secure());
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut | Self::DeadLink => StatusCode::UNAUTHORIZED,
            Self::ForeignForm | Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::NoPage | Self::Engine(EngineError::NotFound { .. }) => StatusCode::NOT_FOUND,
            Self::Engine(EngineError::Invalid(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Engine(EngineError::Refused { .. } | EngineError::Puzzle(_)) => {
                StatusCode::CONFLICT
            }
            Self::Engine(EngineError::ProviderRefused { .. }) => StatusCode::BAD_GATEWAY,
            Self::Engine(away!()) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Engine(EngineError::Store(error)) if passes(error) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Engine(EngineError::Store(_)) | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn log(&self, id: &str) {
        match self {
            Self::Engine(EngineError::ProviderUnavailable { detail }) => {
                tracing::warn!(request.id = id, error = detail, "the provider was not reached");
            }
            Self::Engine(EngineError::Store(error)) => {
                tracing::error!(request.id = id, %error, "a page could not be made");
            }
            _ => {}
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::SignedOut => words::SIGNED_OUT,
            Self::DeadLink => words::DEAD_LINK,
            Self::ForeignForm => words::FOREIGN_FORM,
            Self::ReadOnly => words::LOOKING_ONLY,
            Self::TooLong => words::TOO_LONG,
            Self::TooMany => words::TOO_MANY,
            Self::NoPage | Self::Engine(EngineError::NotFound { .. }) => words::NO_PAGE,
            Self::Engine(error) => title_of(error),
            Self::Internal => words::BROKEN,
        }
    }

    fn body(&self, id: &str) -> Markup {
        let text = match self {
            Self::SignedOut => words::SIGNED_OUT_FIX,
            Self::DeadLink => words::DEAD_LINK_FIX,
            Self::ForeignForm => words::FOREIGN_FORM_FIX,
            Self::ReadOnly => words::LOOKING_ONLY_FIX,
            Self::TooLong => words::TOO_LONG_FIX,
            Self::TooMany => words::TOO_MANY_FIX,
            Self::NoPage | Self::Engine(EngineError::NotFound { .. }) => words::NO_PAGE_FIX,
            Self::Engine(EngineError::Store(error)) if !passes(error) => words::BROKEN_FIX,
            Self::Engine(away!()) => words::PROVIDER_AWAY_FIX,
            Self::Engine(error) => return of_engine(error, id),
            Self::Internal => words::BROKEN_FIX,
        };
        html! { p { (text) } (ways_on(id)) }
    }
}

/// The heading over what the engine did not do.
pub(super) fn title_of(error: &EngineError) -> &'static str {
    match error {
        EngineError::Refused { code: "change_in_progress", .. } => words::CHANGE_IN_PROGRESS,
        EngineError::Refused { code: "preview_changed", .. } => words::PREVIEW_CHANGED,
        EngineError::Refused { code: "over_limit", .. } => words::OVER_LIMIT,
        away!() => words::PROVIDER_AWAY,
        EngineError::ProviderRefused { .. } => words::PROVIDER_REFUSED,
        EngineError::Store(_) => words::BROKEN,
        _ => words::NOT_DONE,
    }
}

/// The sentences about what the engine did not do.
pub(super) fn sentences(error: &EngineError) -> Markup {
    let fields = match error {
        EngineError::Invalid(errors) | EngineError::Refused { errors, .. } => errors.as_slice(),
        _ => &[],
    };
    let text = match error {
        EngineError::Refused { code: "change_in_progress", .. } => {
            words::CHANGE_IN_PROGRESS_FIX.to_owned()
        }
        EngineError::Refused { code: "preview_changed", .. } => {
            words::PREVIEW_CHANGED_FIX.to_owned()
        }
        EngineError::Refused { code: "over_limit", .. } => words::OVER_LIMIT_FIX.to_owned(),
        other => words::sentence(&other.to_string()),
    };
    html! {
        p { (text) }
        @if !fields.is_empty() {
            ul { @for field in fields { li { (words::sentence(&field.fix)) } } }
        }
    }
}

fn of_engine(error: &EngineError, id: &str) -> Markup {
    html! { (sentences(error)) (ways_on(id)) }
}

fn ways_on(id: &str) -> Markup {
    html! {
        p { a.button href="/b" { (words::TO_OVERVIEW) } }
        p.muted { (words::REQUEST) " " code { (id) } }
    }
}

fn passes(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Busy
            | StoreError::Contended
            | StoreError::Unavailable { .. }
            | StoreError::Closed
            | StoreError::CommitUnknown { .. }
    )
}
