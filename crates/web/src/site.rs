//! What every page can reach, and how the engine is called from async code.

use std::sync::Arc;
use std::time::Duration;

use farthing_core::time::Timestamp;
use farthing_engine::{Clock, Engine, EngineError};

use crate::lab::Lab;
use crate::refusal::Refusal;
use crate::security::Base;
use crate::slow::Slow;

/// What the pages are made from. Clones share everything.
#[derive(Clone)]
pub struct Site {
    /// Decides everything.
    pub engine: Engine,
    /// Where the pages are, which decides about cookies and about who may post.
    pub base: Arc<Base>,
    /// The sandbox's clock and scenarios, where there is a sandbox.
    pub lab: Option<Arc<dyn Lab>>,
    wall: Arc<dyn Clock>,
    uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
    pub(crate) slow: Arc<Slow>,
}

impl Site {
    /// Pages at `base`. `wall` is the machine's clock, which the sandbox does not move: sign-in
    /// lives by it. `uptime` only grows: what slows guessing down is measured with it.
    pub fn new(
        engine: Engine,
        base: Base,
        wall: Arc<dyn Clock>,
        uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
    ) -> Self {
        Self { engine, base: Arc::new(base), lab: None, wall, uptime, slow: Arc::default() }
    }

    /// The machine's instant.
    pub fn at(&self) -> Timestamp {
        self.wall.now()
    }

    /// For how long the process has been running.
    pub(crate) fn uptime(&self) -> Duration {
        (self.uptime)()
    }

    /// Asks the engine, on a thread that may block. The work is finished even when nobody waits
    /// for it any more.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run(work).await?.map_err(Refusal::from)
    }

    /// Runs `work` on a thread that may block. Errors: it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let engine = self.engine.clone();
        tokio::task::spawn_blocking(move || work(&engine)).await.map_err(|error| {
            tracing::error!(panic = error.is_panic(), "a page's work broke off");
            Refusal::Internal
        })
    }
}
