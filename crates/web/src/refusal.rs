//! Why a page did not do what it was asked: what happened, what was not changed, what next.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use farthing_engine::operators::{Action, roles};
use farthing_engine::{EngineError, StoreError};
use maud::{Markup, html};

use crate::admin::words::refused as words;

/// What a page answers instead. Whoever stands around the handlers writes its body.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Nobody is signed in: where to go on afterwards.
    SignIn(String),
    /// The person has to show again who they are: where to go on afterwards.
    StepUp(String),
    /// The person's role does not reach there.
    Forbidden(Action),
    /// A form that is not one of ours, or is too old.
    ForeignForm,
    /// A form that is longer than any of ours.
    TooLong,
    /// There is no such page.
    NoPage,
    /// A link that was used or is over.
    DeadLink,
    /// Too many wrong tries: how many seconds to wait.
    TooMany(u64),
    /// Somebody elsewhere asked for it.
    Engine(EngineError),
    /// A mistake of ours.
    Internal,
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for Refusal {
    /// A response without a body.
    fn into_response(self) -> Response {
        let mut response = match &self {
            Self::SignIn(next) => to(&crate::admin::paths::sign_in(next)),
            Self::StepUp(next) => to(&crate::admin::paths::confirm(next)),
            other => other.status().into_response(),
        };
        if let Self::TooMany(seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// `303 See Other`: the browser gets what is there with GET.
pub(crate) fn to(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/admin"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

impl Refusal {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignIn(_) | Self::StepUp(_) => StatusCode::SEE_OTHER,
            Self::Forbidden(_) | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoPage => StatusCode::NOT_FOUND,
            Self::DeadLink => StatusCode::GONE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Engine(error) => status_of(error),
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the page has a body at all.
    pub(crate) fn is_shown(&self) -> bool {
        !matches!(self, Self::SignIn(_) | Self::StepUp(_))
    }

    /// The heading.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => words::FORBIDDEN,
            Self::ForeignForm => words::FOREIGN_FORM,
            Self::TooLong => words::TOO_LONG,
            Self::NoPage | Self::Engine(EngineError::NotFound { .. }) => words::NOT_THERE,
            Self::DeadLink => words::DEAD_LINK,
            Self::TooMany(_) => words::TOO_MANY,
            Self::Engine(
                EngineError::ProviderUnavailable { .. }
                | EngineError::ProviderHeldBack { .. }
                | EngineError::NoProvider,
            ) => words::PROVIDER_AWAY,
            Self::Engine(EngineError::Store(_)) | Self::Internal => words::BROKEN,
            Self::Engine(_) | Self::SignIn(_) | Self::StepUp(_) => words::NOT_DONE,
        }
    }

    /// What happened and what to do, without the id of the request.
    pub(crate) fn body(&self) -> Markup {
        match self {
            Self::Forbidden(action) => {
                let roles = roles::who_may(*action);
                html! { p { (words::forbidden(&roles)) } p { (words::ASK_AN_OWNER) } }
            }
            Self::ForeignForm => html! { p { (words::FOREIGN_FORM_FIX) } },
            Self::TooLong => html! { p { (words::TOO_LONG_FIX) } },
            Self::NoPage => html! { p { (words::NO_PAGE_FIX) } },
            Self::DeadLink => html! { p { (words::DEAD_LINK_FIX) } },
            Self::TooMany(seconds) => html! { p { (words::too_many(*seconds)) } },
            Self::Engine(error) => of_engine(error),
            Self::Internal | Self::SignIn(_) | Self::StepUp(_) => {
                html! { p { (words::BROKEN_FIX) } }
            }
        }
    }
}

fn of_engine(error: &EngineError) -> Markup {
    let fields = match error {
        EngineError::Invalid(errors) | EngineError::Refused { errors, .. } => errors.as_slice(),
        EngineError::Store(error) if !passes(error) => return html! { p { (words::BROKEN_FIX) } },
        _ => &[],
    };
    html! {
        p { (error) }
        @if !fields.is_empty() {
            ul { @for field in fields { li { strong { (field.message) } " " (field.fix) } } }
        }
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

fn status_of(error: &EngineError) -> StatusCode {
    match error {
        EngineError::NotFound { .. } => StatusCode::NOT_FOUND,
        EngineError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        EngineError::Refused { .. } | EngineError::Puzzle(_) => StatusCode::CONFLICT,
        EngineError::ProviderRefused { .. } => StatusCode::BAD_GATEWAY,
        EngineError::ProviderUnavailable { .. }
        | EngineError::ProviderHeldBack { .. }
        | EngineError::NoProvider => StatusCode::SERVICE_UNAVAILABLE,
        EngineError::Store(error) if passes(error) => StatusCode::SERVICE_UNAVAILABLE,
        EngineError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
