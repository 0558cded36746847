//! Why the engine did not do what it was asked: what happened, what was not changed, what next.

use farthing_core::facts::Puzzle;
use farthing_providers::CallError;
use farthing_store::StoreError;
use serde::Serialize;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where in the body, as a JSON pointer; `""` is the whole.
    pub pointer: String,
    /// Stable; clients match on it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// There is no such thing.
    #[error("there is no {what} {id:?}")]
    NotFound {
        /// What was looked for, in a word.
        what: &'static str,
        /// What was given as its name.
        id: String,
    },
    /// The request cannot be right.
    #[error("the request cannot be carried out as it is; nothing was changed")]
    Invalid(Vec<FieldError>),
    /// The request is right, but not now or not for this customer.
    #[error("{message}")]
    Refused {
        /// Stable; clients match on it.
        code: &'static str,
        /// What happened, and that nothing was changed.
        message: String,
        /// What to do, one for each thing that is in the way.
        errors: Vec<FieldError>,
    },
    /// The provider said no; final.
    #[error("the payment provider refused: {message}; nothing was charged")]
    ProviderRefused {
        /// The provider's own code.
        code: String,
        /// The provider's own words.
        message: String,
    },
    /// The provider cannot be asked now, or its answer was lost.
    #[error(
        "the payment provider could not be reached; nothing was charged, try again in a moment"
    )]
    ProviderUnavailable {
        /// For the log.
        detail: String,
    },
    /// The provider has not answered for a while and is left alone: it was not even asked.
    #[error(
        "the payment provider does not answer at the moment; nothing was changed, try again in {seconds} s"
    )]
    ProviderHeldBack {
        /// Seconds until it is asked again, at least 1.
        seconds: u32,
        /// For the log.
        detail: String,
    },
    /// No provider is configured.
    #[error("no payment provider is configured: set one up, then try again")]
    NoProvider,
    /// A provider's object cannot be understood.
    #[error(transparent)]
    Puzzle(#[from] Puzzle),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EngineError {
    /// A [`EngineError::Invalid`] about one field.
    pub fn invalid(
        pointer: &str,
        code: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (message, fix) = (message.into(), fix.into());
        Self::Invalid(vec![FieldError { pointer: pointer.to_owned(), code, message, fix }])
    }

    /// A [`EngineError::Refused`] with nothing more to say.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into(), errors: Vec::new() }
    }

    /// Whether it passes by itself: the provider or the database is away, and will be back.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::ProviderUnavailable { .. } | Self::ProviderHeldBack { .. } | Self::NoProvider => {
                true
            }
            Self::Store(error) => error.is_transient(),
            Self::NotFound { .. }
            | Self::Invalid(_)
            | Self::Refused { .. }
            | Self::ProviderRefused { .. }
            | Self::Puzzle(_) => false,
        }
    }

    /// For how many seconds the provider is left alone, when that is why: nothing was tried.
    pub(crate) fn held_back(&self) -> Option<i64> {
        match self {
            Self::ProviderHeldBack { seconds, .. } => Some(i64::from(*seconds)),
            _ => None,
        }
    }

    /// A missing customer.
    pub fn no_customer(id: &farthing_core::ids::CustomerId) -> Self {
        Self::NotFound { what: "customer", id: id.to_string() }
    }
}

impl From<CallError> for EngineError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { code, message, .. } => Self::ProviderRefused { code, message },
            CallError::Unknown(detail) | CallError::Unavailable(detail) => {
                Self::ProviderUnavailable { detail }
            }
            CallError::HeldBack { seconds, why } => Self::ProviderHeldBack { seconds, detail: why },
        }
    }
}
