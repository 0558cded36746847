//! What a person should look at, and the records that people read: alerts, events out, the audit
//! log, raw events.

use std::collections::BTreeMap;

use farthing_core::allowance::Override;
use farthing_core::ids::CustomerId;
use farthing_store::{alerts, audit, catalog_versions, customers, inbox, outbox, overrides};

use crate::ingest::EventState;
use crate::state::{TimelineEntry, timeline_entry};
use crate::{Engine, EngineError, STRIPE};

pub use farthing_store::alerts::Alert;
pub use farthing_store::catalog_versions::CatalogVersion;
pub use farthing_store::outbox::OutEvent;

/// How many alerts are shown at once.
const ALERTS_MAX: u32 = 100;

/// What waits for a person, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attention {
    /// What was found wrong and not resolved, the oldest first; the first hundred.
    pub alerts: Vec<Alert>,
    /// Provider events whose handling failed too often.
    pub dead: i64,
    /// Provider events that were set aside until somebody decides.
    pub quarantined: i64,
    /// Provider events that are being worked on.
    pub waiting: i64,
    /// Customers whose payment is overdue and who still have full access.
    pub past_due: i64,
    /// Customers whose payment is overdue and who may only read.
    pub read_only: i64,
    /// Customers on a trial.
    pub on_trial: i64,
    /// All customers.
    pub customers: i64,
}

impl Engine {
    /// What waits for a person.
    pub fn attention(&self) -> Result<Attention, EngineError> {
        self.read(|_, tx| {
            let mut found =
                Attention { alerts: alerts::list_open(tx, ALERTS_MAX)?, ..Attention::default() };
            for (state, n) in inbox::counts(tx)? {
                match state {
                    EventState::Dead => found.dead = n,
                    EventState::Quarantined => found.quarantined = n,
                    EventState::Received => found.waiting = n,
                    EventState::Done | EventState::Ignored => {}
                }
            }
            for (standing, on_trial, n) in customers::count_by_standing(tx)? {
                found.customers += n;
                found.on_trial += if on_trial { n } else { 0 };
                match standing.as_str() {
                    "past_due" => found.past_due += n,
                    "read_only" => found.read_only += n,
                    _ => {}
                }
            }
            Ok(found)
        })
    }

    /// Up to `limit` events for the app, the newest first, older than the id `before` (`""`: from
    /// the newest).
    pub fn events_out(&self, before: &str, limit: u32) -> Result<Vec<OutEvent>, EngineError> {
        self.read(|_, tx| Ok(outbox::newest(tx, before, limit)?))
    }

    /// Up to `limit` entries of the audit log of a customer, or of the system, the newest first,
    /// before the place `before` (`None`: from the newest). A customer who was erased still has one.
    pub fn audit_log(
        &self,
        customer: Option<&CustomerId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(TimelineEntry, String)>, EngineError> {
        self.read(|_, tx| {
            let found = audit::list(tx, customer, before.unwrap_or(i64::MAX), limit)?;
            let entity = |entry: audit::Audit| {
                let entity = entry.record.entity.clone();
                (timeline_entry(entry), entity)
            };
            Ok(found.into_iter().map(entity).collect())
        })
    }

    /// The body of a provider event as it came, by our id. Errors: there is none.
    pub fn event_body(&self, id: &str) -> Result<String, EngineError> {
        self.read(|_, tx| {
            let missing = || EngineError::NotFound { what: "event", id: id.to_owned() };
            let (event, _) = inbox::get(tx, id)?.ok_or_else(missing)?;
            Ok(String::from_utf8_lossy(&event.payload).into_owned())
        })
    }

    /// Our ids and the bodies of those of Stripe's events that are known, by Stripe's ids.
    pub fn event_bodies(
        &self,
        event_ids: &[String],
    ) -> Result<BTreeMap<String, (String, String)>, EngineError> {
        self.read(|_, tx| {
            let mut found = BTreeMap::new();
            for event_id in event_ids {
                if let Some((event, _)) = inbox::find_by_event(tx, STRIPE, event_id)? {
                    let body = String::from_utf8_lossy(&event.payload).into_owned();
                    found.insert(event_id.clone(), (event.id, body));
                }
            }
            Ok(found)
        })
    }

    /// A customer's exceptions by feature key, also those that are over.
    pub fn overrides(&self, id: &CustomerId) -> Result<BTreeMap<String, Override>, EngineError> {
        self.read(|_, tx| Ok(overrides::of_customer(tx, id)?))
    }

    /// The catalogs that were applied, the newest first.
    pub fn catalog_versions(&self, limit: u32) -> Result<Vec<CatalogVersion>, EngineError> {
        self.read(|_, tx| Ok(catalog_versions::list(tx, limit)?))
    }

    /// One catalog as it was applied. Errors: there is none of that number.
    pub fn catalog_version(&self, version: i64) -> Result<(CatalogVersion, String), EngineError> {
        self.read(|_, tx| {
            let missing = || EngineError::NotFound { what: "catalog", id: version.to_string() };
            catalog_versions::get(tx, version)?.ok_or_else(missing)
        })
    }
}
