//! How the engine's errors look from outside. Details that are not the caller's go to the log.

use axum::http::StatusCode;
use farthing_engine::{EngineError, FieldError, StoreError};

use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        let FieldError { pointer, code, message, fix } = error;
        Self { pointer, code, message, fix }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::NotFound { .. } => Self::new(Code::NotFound, detail),
            EngineError::Invalid(errors) => {
                Self::invalid(errors.into_iter().map(FieldProblem::from).collect())
            }
            EngineError::Refused { code, errors, .. } => refused(code, detail, errors),
            EngineError::ProviderRefused { code, .. } => {
                tracing::warn!(provider.code = code, "the provider refused a request");
                Self::new(Code::ProviderRefused, detail)
            }
            EngineError::ProviderUnavailable { detail: why } => {
                tracing::warn!(error = why, "the provider could not be reached");
                Self::new(Code::ProviderUnavailable, detail).retry_after(5)
            }
            EngineError::ProviderHeldBack { seconds, detail: why } => {
                tracing::debug!(error = why, "the provider was not asked");
                Self::new(Code::ProviderUnavailable, detail).retry_after(u64::from(seconds))
            }
            EngineError::NoProvider => Self::new(Code::NoProvider, detail),
            EngineError::Puzzle(puzzle) => {
                tracing::error!(%puzzle, "the provider's object was not understood");
                Self::new(Code::ProviderObject, detail)
            }
            EngineError::Store(error) => of_store(&error),
        }
    }
}

fn refused(code: &'static str, detail: String, errors: Vec<FieldError>) -> ApiError {
    let status = Code::of(code).map_or(StatusCode::CONFLICT, Code::status);
    let errors = errors.into_iter().map(FieldProblem::from).collect();
    let error = ApiError::of_engine(status, code, detail).with_errors(errors);
    if code == Code::ChangeInProgress.code() { error.retry_after(1) } else { error }
}

fn of_store(error: &StoreError) -> ApiError {
    match error {
        StoreError::Busy | StoreError::Contended => {
            ApiError::new(Code::Busy, error.to_string()).retry_after(1)
        }
        StoreError::Unavailable { .. } | StoreError::Closed => {
            tracing::error!(%error, "the database cannot be reached");
            let detail =
                "the database cannot be reached; nothing was changed, try again in a moment";
            ApiError::new(Code::DatabaseUnavailable, detail).retry_after(5)
        }
        StoreError::CommitUnknown { .. } => {
            tracing::error!(%error, "the answer to a commit was lost");
            let detail = "the connection to the database broke at the last moment: the change was \
                          made in full or not at all. Read the state before you try again";
            ApiError::new(Code::OutcomeUnknown, detail).retry_after(5)
        }
        other => {
            tracing::error!(error = %other, "a request failed");
            ApiError::new(Code::Internal, Code::INTERNAL_DETAIL)
        }
    }
}
