//! How a call can fail, by what it means for the caller.

/// A call did not do what was asked, or it is not known whether it did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Final, and nothing happened: the same request will be refused again.
    #[error("refused ({status} {code}): {message}")]
    Refused {
        /// The HTTP status; 0 when we did not even ask.
        status: u16,
        /// The provider's code, for example `resource_missing`; its error type if it gave none.
        code: String,
        /// Why a card was declined, for example `insufficient_funds`.
        decline_code: Option<String>,
        /// The parameter that it disliked.
        param: Option<String>,
        /// The provider's sentence, for logs and operators.
        message: String,
    },
    /// It may have happened: ask the provider, or send it again with the same key. Never a new key.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Nothing happened: not sent, too many requests, or our API key was not accepted. Try later.
    #[error("provider unavailable, nothing was changed: {0}")]
    Unavailable(String),
    /// Nothing happened: the provider does not answer and is left alone. Try after so long.
    #[error("provider unavailable, nothing was changed: held back for {seconds} s: {why}")]
    HeldBack {
        /// Seconds from now, at least 1.
        seconds: u32,
        /// Why the provider is left alone.
        why: String,
    },
}

impl CallError {
    /// A refusal of our own, before anything was sent.
    pub(crate) fn refused_here(code: &str, message: String) -> Self {
        let code = code.to_owned();
        Self::Refused { status: 0, code, decline_code: None, param: None, message }
    }

    /// Whether this is a refusal with that code.
    pub fn is_refusal(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

/// The configuration cannot work. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
