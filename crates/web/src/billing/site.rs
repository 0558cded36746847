//! What every page can reach, and how the engine is called from async code.

use std::sync::Arc;
use std::time::Duration;

use farthing_core::time::Timestamp;
use farthing_engine::{Clock, Engine, EngineError};

use super::limits::Limits;
use super::problem::Problem;
use super::theme::Theme;
use crate::security::Base;

/// What the pages are made from. Clones share everything.
#[derive(Clone)]
pub struct Pages {
    pub(super) engine: Engine,
    pub(super) base: Arc<Base>,
    pub(super) theme: Arc<Theme>,
    pub(super) limits: Arc<Limits>,
    wall: Arc<dyn Clock>,
    uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Pages {
    /// Pages at `base`, looking like `theme`. `wall` is the machine's clock, which the sandbox does
    /// not move: sessions live by it. `uptime` only grows: requests are counted with it.
    pub fn new(
        engine: Engine,
        base: Base,
        theme: Theme,
        (wall, uptime): (Arc<dyn Clock>, Arc<dyn Fn() -> Duration + Send + Sync>),
    ) -> Self {
        let (base, theme) = (Arc::new(base), Arc::new(theme));
        Self { engine, base, theme, limits: Arc::default(), wall, uptime }
    }

    /// What the machine's clock shows.
    pub(super) fn wall(&self) -> Timestamp {
        self.wall.now()
    }

    /// Counts a request of `who`. Errors: there were too many.
    pub(super) fn count(&self, who: &str) -> Result<(), Problem> {
        if self.limits.take(who, (self.uptime)()) { Ok(()) } else { Err(Problem::TooMany) }
    }

    /// Asks the engine, on a thread that may block. The work is finished even when nobody waits
    /// for it any more.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Problem> {
        let engine = self.engine.clone();
        let asked = tokio::task::spawn_blocking(move || work(&engine)).await;
        let answer = asked.map_err(|error| {
            tracing::error!(panic = error.is_panic(), "a page's work broke off");
            Problem::Internal
        })?;
        answer.map_err(Problem::Engine)
    }
}
