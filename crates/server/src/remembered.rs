//! An answer that is asked for often and may be a few seconds old.

use std::sync::Arc;
use std::time::Duration;

use farthing_engine::{Engine, EngineError};
use tokio::sync::Mutex;

use crate::codes::Code;
use crate::error::ApiError;
use crate::state::App;

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(5);

/// The same for an error: what was broken a moment ago may be mended.
const ERROR_KEPT: Duration = Duration::from_secs(1);

/// The last answer, and when it was made. However many ask, the engine is asked once at a time.
pub(crate) struct Remembered<T>(Mutex<Option<(Duration, Result<T, ApiError>)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone + Send + 'static> Remembered<T> {
    /// The last answer, or a new one when it is too old. A client that goes away does not stop the
    /// question, so that the next one need not ask again.
    pub(crate) async fn get(
        self: &Arc<Self>,
        app: &App,
        ask: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (this, app) = (Arc::clone(self), app.clone());
        let task = tokio::spawn(async move {
            let mut kept = this.0.lock().await;
            let now = (app.uptime)();
            if let Some((made, answer)) = kept.as_ref()
                && now.saturating_sub(*made) < if answer.is_ok() { KEPT } else { ERROR_KEPT }
            {
                return answer.clone();
            }
            let answer = app.ask(ask).await;
            *kept = Some(((app.uptime)(), answer.clone()));
            answer
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(panic = error.is_panic(), "a question broke off");
            Err(ApiError::new(Code::Internal, Code::INTERNAL_DETAIL))
        })
    }
}
