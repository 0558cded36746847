//! How a command ends: with one of six codes, and on failure with what to do.

use farthing_engine::EngineError;
use farthing_store::{OpenError, StoreError};

/// The exit codes of the command line. Scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done, or there was nothing to do.
    Done = 0,
    /// It was not done.
    Failed = 1,
    /// The command line is wrong; nothing was tried.
    Usage = 2,
    /// There are changes that could be applied.
    ChangesPending = 3,
    /// Something was found that is not as it should be.
    Findings = 4,
    /// It would be done if somebody agreed; nothing was changed.
    ConfirmationNeeded = 5,
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code that the process ends with.
    pub exit: Exit,
    /// What happened, and what was not changed.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

/// How a command ended.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with nothing to advise.
    pub fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), fix: None }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message) }
    }

    /// With what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With another exit code.
    #[must_use]
    pub fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Invalid(problems) | EngineError::Refused { errors: problems, .. }
                if !problems.is_empty() =>
            {
                let messages: Vec<&str> = problems.iter().map(|p| p.message.as_str()).collect();
                let fixes: Vec<&str> = problems.iter().map(|p| p.fix.as_str()).collect();
                Self::new(format!("{}; nothing was changed", messages.join("; ")))
                    .fix(fixes.join("; "))
            }
            EngineError::ProviderUnavailable { detail }
            | EngineError::ProviderHeldBack { detail, .. } => {
                Self::new(format!("{error} ({detail})"))
            }
            _ => Self::new(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(error.to_string())
    }
}
