//! Provider events in: verify, store, answer; then fetch what they are about and absorb it.

use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::time::Timestamp;
use farthing_providers::stripe::{EventEnvelope, Livemode, Subject, WebhookError};
use farthing_providers::{CallError, Stripe};
use farthing_store::inbox::{self, Progress, ProviderEvent};
use farthing_store::meta::Mode;
use farthing_store::{Claim, Lease, StoreError};
use farthing_store::{Tx, alerts, counters};
use serde::Serialize;

use crate::absorb::Sighting;
use crate::{Call, Engine, EngineError, STRIPE};

pub use farthing_store::inbox::EventState;

/// An event was accepted and is stored durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The provider's id of it.
    pub event: String,
    /// Whether it had been stored before, and so does nothing now.
    pub duplicate: bool,
}

/// An event was not accepted; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is not from the provider, or cannot be read.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// It could not be stored.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A provider event for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// Ours.
    pub id: String,
    /// `stripe`.
    pub provider: String,
    /// The provider's.
    pub event_id: String,
    /// For example `invoice.paid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose it turned out to be.
    pub customer: Option<CustomerId>,
    /// `received`, `done`, `ignored`, `quarantined` or `dead`.
    pub state: &'static str,
    /// How often its handling was tried.
    pub attempts: i64,
    /// Why it is where it is.
    pub last_error: Option<String>,
    /// When the provider made it.
    pub created_at: Timestamp,
    /// When we stored it.
    pub received_at: Timestamp,
    /// When its handling ended.
    pub processed_at: Option<Timestamp>,
}

/// How often an event is tried before a person has to look at it.
const ATTEMPTS_MAX: i64 = 20;
/// The same for what passes by itself, such as a provider that is away: about nine days.
const ATTEMPTS_PATIENT: i64 = 60;
/// How long one worker may take for an event before another one tries, in seconds.
const LEASE_SECONDS: i64 = 120;
/// How many events one worker takes at a time: one, so that none waits under a lease.
const BATCH: u32 = 1;

impl Engine {
    /// Whether events can be received: a webhook secret is configured.
    pub fn takes_events(&self) -> bool {
        self.inner.stripe.as_ref().is_some_and(Stripe::takes_events)
    }

    /// Verifies and stores one delivery from Stripe. When this returns `Ok` it is durable, and it
    /// will have its effect once, however often it is delivered.
    pub fn receive_stripe(&self, signature: &str, body: &[u8]) -> Result<Received, ReceiveError> {
        let now = self.now();
        let envelope = self.stripe()?.verify(signature, body, now)?;
        let subject = serde_json::to_string(&Stripe::subject(&envelope)).ok();
        let event = ProviderEvent {
            id: self.new_id(IdKind::Event),
            provider: STRIPE.to_owned(),
            event_id: envelope.id.clone(),
            kind: envelope.kind,
            api_version: Some(envelope.api_version),
            created_at: envelope.created,
            received_at: now,
            payload: body.to_vec(),
            subject,
            customer: None,
        };
        let fresh = self.write(move |_, tx| Ok(inbox::insert(tx, &event)?))?;
        self.inner.wake.ring();
        Ok(Received { event: envelope.id, duplicate: !fresh })
    }

    /// Handles events that are due, once; answers how many there were.
    pub fn process_events(&self) -> Result<usize, EngineError> {
        let token = self.new_id(IdKind::Request);
        let claimed = {
            let token = token.clone();
            self.write(move |engine, tx| {
                let now = engine.now();
                let lease_until = now.plus_seconds(LEASE_SECONDS);
                let claim = Claim { now, lease_until, token: &token, limit: BATCH };
                let events = inbox::claim_due(tx, claim)?;
                let fetch = if events.is_empty() { 0 } else { counters::next(tx, "fetches")? };
                Ok((events, fetch))
            })?
        };
        let (events, fetch) = claimed;
        for (event, progress) in &events {
            self.process_event(event, progress, (&token, fetch))?;
        }
        Ok(events.len())
    }

    fn process_event(
        &self,
        event: &ProviderEvent,
        progress: &Progress,
        (token, fetch): (&str, i64),
    ) -> Result<(), EngineError> {
        let outcome = self.look(event).and_then(|snapshots| {
            let event = event.clone();
            let token = token.to_owned();
            self.write(move |engine, tx| {
                let lease = Lease { id: &event.id, token: &token };
                let call = Call::new("provider:stripe", event.event_id.clone());
                let ignored = snapshots.is_none();
                let sighting = Sighting { snapshots: snapshots.clone().unwrap_or_default(), fetch };
                let customer = engine.absorb(tx, &call, &sighting)?;
                Ok(inbox::finish(tx, lease, ignored, customer.as_ref(), engine.now())?)
            })
        });
        match outcome {
            Ok(()) => Ok(()),
            // Somebody else has it by now.
            Err(EngineError::Store(StoreError::LeaseLost { .. })) => Ok(()),
            Err(error) => self.postpone(event, progress, token, &error),
        }
    }

    /// Fetches what an event is about; `None` when it does not concern us.
    pub(crate) fn look(
        &self,
        event: &ProviderEvent,
    ) -> Result<Option<Vec<farthing_core::snapshot::Snapshot>>, EngineError> {
        let stripe = self.stripe()?;
        let unreadable = |_| Quarantine("it cannot be read by this version; upgrade, then replay");
        let envelope = EventEnvelope::parse(&event.payload).map_err(unreadable)?;
        let ours = if self.mode() == Mode::Live { Livemode::Live } else { Livemode::Test };
        if envelope.livemode != ours {
            return Err(Quarantine("it is of another mode than this database").into());
        }
        if envelope.account.is_some() {
            return Err(Quarantine("it is about another account than ours").into());
        }
        match Stripe::subject(&envelope) {
            Subject::Ignored => Ok(None),
            subject => match stripe.fetch(&subject) {
                Ok(snapshots) => Ok(Some(snapshots)),
                Err(error) if error.is_refusal("resource_missing") => {
                    Err(Quarantine("the provider does not have what it is about").into())
                }
                Err(CallError::Refused { code, message, .. }) => {
                    Err(EngineError::ProviderRefused { code, message })
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Puts a failed event where it belongs: tried again later, set aside for a person, or dead.
    fn postpone(
        &self,
        event: &ProviderEvent,
        progress: &Progress,
        token: &str,
        error: &EngineError,
    ) -> Result<(), EngineError> {
        tracing::warn!(event.id = event.event_id, event.kind, %error, "an event was not handled");
        let (event, token, reason) = (event.clone(), token.to_owned(), error.to_string());
        let aside = needs_a_person(error);
        let limit = if error.passes() { ATTEMPTS_PATIENT } else { ATTEMPTS_MAX };
        let attempts = progress.attempts;
        let held_back = error.held_back();
        self.write(move |engine, tx| {
            let now = engine.now();
            let lease = Lease { id: &event.id, token: &token };
            if let Some(seconds) = held_back {
                return Ok(inbox::not_before(tx, lease, now.plus_seconds(seconds), &reason)?);
            }
            if aside {
                inbox::quarantine(tx, lease, now, &reason)?;
            } else if limit <= attempts {
                inbox::dead(tx, lease, now, &reason)?;
            } else {
                return Ok(inbox::retry_at(tx, lease, now.plus_seconds(delay(attempts)), &reason)?);
            }
            engine.alert(tx, "provider_event", &event.id, &reason)
        })
    }

    /// Tells operators of something; once until it is resolved.
    pub(crate) fn alert(
        &self,
        tx: &mut Tx<'_>,
        kind: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), EngineError> {
        let alert = alerts::Alert {
            id: self.new_id(IdKind::Event),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            created_at: self.now(),
        };
        alerts::raise(tx, &alert)?;
        Ok(())
    }

    /// Up to `limit` provider events, the newest first, older than our id `before` (`""`: from the
    /// newest), of one state or of all.
    pub fn events(
        &self,
        state: Option<EventState>,
        before: &str,
        limit: u32,
    ) -> Result<Vec<EventView>, EngineError> {
        self.read(|_, tx| {
            Ok(inbox::list(tx, state, before, limit)?.into_iter().map(event_view).collect())
        })
    }

    /// One provider event by our id. Errors: there is none.
    pub fn event(&self, id: &str) -> Result<EventView, EngineError> {
        self.read(|_, tx| {
            let missing = || EngineError::NotFound { what: "event", id: id.to_owned() };
            Ok(event_view(inbox::get(tx, id)?.ok_or_else(missing)?))
        })
    }
}

/// Why an event is set aside without anything having gone wrong on our side.
struct Quarantine(&'static str);

impl From<Quarantine> for EngineError {
    fn from(reason: Quarantine) -> Self {
        farthing_core::facts::Puzzle::SetAside(reason.0).into()
    }
}

fn needs_a_person(error: &EngineError) -> bool {
    match error {
        EngineError::Puzzle(_) | EngineError::NotFound { .. } => true,
        EngineError::Invalid(_)
        | EngineError::Refused { .. }
        | EngineError::ProviderRefused { .. }
        | EngineError::ProviderUnavailable { .. }
        | EngineError::ProviderHeldBack { .. }
        | EngineError::NoProvider
        | EngineError::Store(_) => false,
    }
}

/// Seconds until attempt `attempts + 1`: 2, 4, 8, … up to four hours.
fn delay(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 14)).unwrap_or(14);
    (1_i64 << doublings).min(4 * 3_600)
}

fn event_view((event, progress): (ProviderEvent, Progress)) -> EventView {
    EventView {
        id: event.id,
        provider: event.provider,
        event_id: event.event_id,
        kind: event.kind,
        customer: event.customer,
        state: progress.state.as_str(),
        attempts: progress.attempts,
        last_error: progress.last_error,
        created_at: event.created_at,
        received_at: event.received_at,
        processed_at: progress.processed_at,
    }
}
