//! Handling a provider event again, and what that would do.

use farthing_core::ids::CustomerId;
use farthing_store::inbox::{self, ProviderEvent};
use farthing_store::{StoreError, Tx, alerts, audit, counters, customers};
use serde::Serialize;

use crate::absorb::Sighting;
use crate::ingest::EventView;
use crate::state::{State, TimelineEntry, timeline_entry};
use crate::{Call, Engine, EngineError};

/// What handling an event again would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayPreview {
    /// The event, as it is now.
    pub event: EventView,
    /// `absorbed`, `ignored` when it does not concern us, or `set_aside` when a person has to act
    /// first.
    pub outcome: &'static str,
    /// Why it would be set aside.
    pub reason: Option<String>,
    /// Whose it turns out to be.
    pub customer: Option<CustomerId>,
    /// What would be written into the customer's timeline, the newest first; empty: nothing would
    /// change.
    pub changes: Vec<TimelineEntry>,
    /// The customer's state afterwards.
    pub state: Option<State>,
}

/// How a dry run ends: always by rolling back.
enum Dry {
    Ran(Box<Outcome>),
    Failed(EngineError),
}

struct Outcome {
    customer: Option<CustomerId>,
    changes: Vec<TimelineEntry>,
    state: Option<State>,
}

impl From<StoreError> for Dry {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for Dry {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

impl Engine {
    /// Handles an event again, whatever became of it. What has had its effect has none again.
    pub fn replay_event(&self, call: &Call, id: &str) -> Result<EventView, EngineError> {
        let (call, wanted) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let now = engine.now();
            if !inbox::replay(tx, &wanted, now)? && inbox::get(tx, &wanted)?.is_none() {
                return Err(EngineError::NotFound { what: "event", id: wanted.clone() });
            }
            alerts::resolve(tx, "provider_event", &wanted, now)?;
            engine.note(tx, &call, "event.replayed", &wanted)
        })?;
        self.inner.wake.ring();
        self.event(id)
    }

    /// What [`Engine::replay_event`] would do: it is done, looked at, and rolled back.
    pub fn preview_replay(&self, id: &str) -> Result<ReplayPreview, EngineError> {
        let missing = || EngineError::NotFound { what: "event", id: id.to_owned() };
        let (event, _) = self.read(|_, tx| inbox::get(tx, id)?.ok_or_else(missing))?;
        let ran = match self.look(&event) {
            Ok(None) => Ok(None),
            Ok(Some(snapshots)) => self.dry_run(&event, Sighting { snapshots, fetch: 0 }).map(Some),
            Err(error) => Err(error),
        };
        let (outcome, reason, ran) = match ran {
            Ok(None) => ("ignored", None, None),
            Ok(Some(ran)) => ("absorbed", None, Some(ran)),
            Err(error @ (EngineError::Puzzle(_) | EngineError::NotFound { .. })) => {
                ("set_aside", Some(error.to_string()), None)
            }
            Err(error) => return Err(error),
        };
        let nothing = Outcome { customer: None, changes: Vec::new(), state: None };
        let Outcome { customer, changes, state } = ran.unwrap_or(nothing);
        let event = self.event(id)?;
        Ok(ReplayPreview { event, outcome, reason, customer, changes, state })
    }

    fn dry_run(&self, event: &ProviderEvent, sighting: Sighting) -> Result<Outcome, EngineError> {
        let engine = self.clone();
        // Under a cause of its own, so that what is written now is told from what was written when
        // the event was handled first.
        let call = Call::new("provider:stripe", format!("replay of {}", event.event_id));
        let cause = event.event_id.clone();
        let snapshots = sighting.snapshots;
        let ran = self.inner.store.write(move |tx| -> Result<(), Dry> {
            let fetch = counters::next(tx, "fetches")?;
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            let customer = engine.absorb(tx, &call, &sighting)?;
            Err(Dry::Ran(Box::new(engine.what_happened(tx, &call, customer)?)))
        });
        match ran.wait() {
            Err(Dry::Ran(mut outcome)) => {
                outcome.changes.iter_mut().for_each(|change| change.cause.clone_from(&cause));
                Ok(*outcome)
            }
            Err(Dry::Failed(error)) => Err(error),
            Ok(()) => unreachable!("a dry run always ends by rolling back"),
        }
    }

    fn what_happened(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: Option<CustomerId>,
    ) -> Result<Outcome, EngineError> {
        let Some(id) = id else {
            return Ok(Outcome { customer: None, changes: Vec::new(), state: None });
        };
        let entries = audit::list(tx, Some(&id), i64::MAX, 50)?;
        let changes = entries.into_iter().take_while(|entry| entry.record.cause == call.cause);
        let changes = changes.map(timeline_entry).collect();
        let state = match customers::find(tx, &id)? {
            Some(customer) => Some(self.state_in(tx, &customer)?),
            None => None,
        };
        Ok(Outcome { customer: Some(id), changes, state })
    }
}
