//! Moving the sandbox's clock: step by step, so that everything happens at its own instant.
//!
//! Each step goes to the next instant at which the sandbox or the engine has something to do.
//! There the sandbox acts, its webhooks are delivered over HTTP, and the engine works until
//! nothing is left; only then does time go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::time::Timestamp;
use farthing_engine::{Clock, Engine, STRIPE};
use farthing_sandbox::{SCENARIOS, Sandbox};
use farthing_server::{Advanced, BoxFuture, Lab, LabError, Scenario, ScenarioSetUp};
use farthing_store::{StoreError, customers};

use crate::clock::SandboxClock;
use crate::worker::Gate;

/// The sandbox with everything that lives by its clock. Clones share it.
#[derive(Clone)]
pub struct SandboxLab {
    /// Works off what the sandbox says.
    pub engine: Engine,
    /// The pretend provider.
    pub sandbox: Sandbox,
    /// Everybody's time.
    pub clock: Arc<SandboxClock>,
    /// Keeps workers and deliveries still while the clock is moved, and others from moving it.
    pub gate: Gate,
}

impl Lab for SandboxLab {
    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, LabError>> {
        let lab = self.clone();
        // On a task of its own: it goes on to the end even when nobody waits for it any more.
        let moving = tokio::spawn(async move { lab.advance_alone(to).await });
        Box::pin(async move {
            moving.await.unwrap_or_else(|error| {
                Err(LabError { message: format!("moving the clock broke off: {error}") })
            })
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn scenarios(&self) -> &'static [Scenario] {
        SCENARIOS
    }

    fn set_up(
        &self,
        scenario: ScenarioSetUp,
    ) -> BoxFuture<'_, Result<BTreeMap<&'static str, String>, LabError>> {
        let lab = self.clone();
        let set_up = tokio::task::spawn_blocking(move || lab.set_up_now(scenario));
        Box::pin(async move {
            set_up.await.unwrap_or_else(|error| {
                Err(LabError { message: format!("setting it up broke off: {error}") })
            })
        })
    }
}

/// What a scenario can be about, by the name of its parameter.
const OBJECTS: [&str; 5] = ["charge", "refund", "dispute", "subscription", "payment_method"];

impl SandboxLab {
    /// Finds what is not named, then sets the scenario up in the sandbox.
    fn set_up_now(
        &self,
        scenario: ScenarioSetUp,
    ) -> Result<BTreeMap<&'static str, String>, LabError> {
        let ScenarioSetUp { name, customer, mut parameters } = scenario;
        let wrong = |message: String| LabError { message };
        let known = SCENARIOS.iter().find(|(known, _, _)| *known == name);
        let takes = known.map(|(_, takes, _)| *takes).unwrap_or_default();
        let about = OBJECTS.into_iter().filter(|it| takes.split(' ').any(|known| known == *it));
        let about: Vec<&'static str> = about.collect();
        if let Some(id) = customer {
            if about.is_empty() {
                return Err(wrong(format!(
                    "{name} is about nobody in particular: leave customer out"
                )));
            }
            let linked = self.engine.store().read(|tx| customers::provider_id(tx, &id, STRIPE));
            let linked = linked.map_err(|error: StoreError| wrong(error.to_string()))?;
            for kind in &about {
                if parameters.iter().any(|(given, _)| given == kind) {
                    continue;
                }
                let found = linked
                    .as_ref()
                    .and_then(|linked| self.sandbox.with(|world| world.newest(kind, linked)));
                let found = found.ok_or_else(|| wrong(format!("{id} has no {kind} there")))?;
                parameters.push((kind, found));
            }
        }
        let given: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.sandbox.with(|world| world.scenario(&name, &given)).map_err(wrong)?;
        Ok(parameters.into_iter().filter(|(given, _)| about.contains(given)).collect())
    }

    async fn advance_alone(&self, to: Timestamp) -> Result<Advanced, LabError> {
        let now = self.clock.now();
        if to < now {
            let message = format!("the clock shows {now}, and it does not go back to {to}");
            return Err(LabError { message });
        }
        let _alone = self.gate.write().await;
        let walked = self.walk(to).await;
        self.clock.run();
        let events_delivered = walked.map_err(|problem| LabError {
            message: format!("the clock stopped at {}: {problem}", self.clock.now()),
        })?;
        Ok(Advanced { now: self.clock.now(), events_delivered })
    }

    async fn walk(&self, to: Timestamp) -> Result<u64, String> {
        self.stand_at(self.clock.now())?;
        let mut delivered = self.settle().await?;
        // Somebody else may have moved it there in the meantime.
        while self.clock.now() < to {
            let next = self.next_due().await?.filter(|next| *next < to).unwrap_or(to);
            self.stand_at(next)?;
            delivered += self.settle().await?;
        }
        Ok(delivered)
    }

    fn stand_at(&self, at: Timestamp) -> Result<(), String> {
        self.clock.stand_at(at).map_err(|error| format!("it could not be saved: {error}"))
    }

    /// Delivers and works until there is nothing more to do at this instant; answers how many
    /// events were delivered.
    async fn settle(&self) -> Result<u64, String> {
        let mut delivered = 0;
        loop {
            let sent = self.sandbox.deliver_due().await;
            delivered += sent as u64;
            let handled = self.work().await?;
            if sent == 0 && handled == 0 {
                return Ok(delivered);
            }
        }
    }

    /// Works off everything that is due.
    async fn work(&self) -> Result<usize, String> {
        let engine = self.engine.clone();
        let work = move || {
            let mut all = 0;
            loop {
                match engine.run_due()? + engine.send_mails()? {
                    0 => return Ok::<_, farthing_engine::EngineError>(all),
                    n => all += n,
                }
            }
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| "work broke off".to_owned())?.map_err(|error| error.to_string())
    }

    /// The first instant after now at which something is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, String> {
        let now = self.clock.now();
        let engine = self.engine.clone();
        let ours = tokio::task::spawn_blocking(move || {
            let due = [engine.next_due()?, engine.next_mail_due()?];
            Ok::<_, farthing_engine::EngineError>(due.into_iter().flatten().min())
        })
        .await;
        let ours = ours.map_err(|_| "looking ahead broke off".to_owned())?;
        let ours = ours.map_err(|error| error.to_string())?;
        let theirs = self.sandbox.with(|world| world.next_due());
        let theirs = theirs.and_then(|seconds| Timestamp::from_seconds(seconds).ok());
        // What is due already and was not done waits for something else than time.
        Ok([ours, theirs].into_iter().flatten().filter(|at| now < *at).min())
    }
}
