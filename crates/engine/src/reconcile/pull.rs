//! Events that never arrived, from the provider's own list of them.
//!
//! What is about one customer's subscriptions and invoices a walk finds anyway; refunds, disputes
//! and stored cards of long ago it would not.

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_providers::Stripe;
use farthing_providers::stripe::events::EVENT_TYPES_AT_ONCE;
use farthing_providers::stripe::{EVENTS, ListedEvent, Subject};
use farthing_store::drift::Repair;
use farthing_store::inbox::{self, ProviderEvent};
use farthing_store::{meta, watermarks};

use super::{Drift, DriftReport};
use crate::{Call, Engine, EngineError, STRIPE};

/// Up to when missed events were asked for.
const WATERMARK: &str = "events_pulled";
/// How long the provider keeps events, in seconds: 30 days.
const KEPT: i64 = 30 * 86_400;
/// How far back the last walk is walked again, in seconds: its newest events may have been late.
const OVERLAP: i64 = 3_600;
/// How old an event must be to be missed, in seconds: it may be on its way.
const SETTLES_WITHIN: i64 = 600;

impl Engine {
    /// Asks for the events since the last time, and with `fix` stores those that never arrived, as
    /// if they had. Told by type.
    pub(super) fn pull_events(&self, call: &Call, fix: bool) -> Result<DriftReport, EngineError> {
        let now = self.now();
        let until = now.plus_seconds(-SETTLES_WITHIN);
        let since = self.read(|_, tx| {
            let last = watermarks::get(tx, WATERMARK)?.map(|at| at.plus_seconds(-OVERLAP));
            let stamped = meta::kept(tx, "stamped_at")?.and_then(|at| at.parse().ok());
            Ok(last.or(stamped).unwrap_or(now).max(now.plus_seconds(-KEPT)))
        })?;
        let mut missed: Vec<(String, u64, String)> = Vec::new();
        for types in EVENTS.chunks(EVENT_TYPES_AT_ONCE) {
            self.pull_types(types, (since, until), fix, &mut missed)?;
        }
        let findings = missed.into_iter().map(|(kind, n, newest)| {
            let words = (format!("{n} never arrived"), format!("the newest is {newest}"));
            let drift = Drift::new(Repair::Absorb, ("events", kind), words);
            Drift { repaired: fix, ..drift }
        });
        let (call, findings) = (call.clone(), findings.collect::<Vec<_>>());
        let findings = self.write(move |engine, tx| {
            if fix {
                watermarks::advance(tx, WATERMARK, until)?;
            }
            findings.iter().cloned().map(|one| engine.keep_alone(tx, &call, one)).collect()
        })?;
        self.inner.wake.ring();
        Ok(DriftReport { customer: None, findings, skipped: None })
    }

    fn pull_types(
        &self,
        types: &[&str],
        (since, until): (Timestamp, Timestamp),
        fix: bool,
        missed: &mut Vec<(String, u64, String)>,
    ) -> Result<(), EngineError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.stripe()?.list_events_page(types, Some(since), after.as_deref())?;
            let settled = page.items.into_iter().filter(|it| it.envelope.created <= until);
            let settled: Vec<ListedEvent> = settled.collect();
            for event in self.unknown_of(settled)? {
                if fix {
                    self.store_pulled(&event)?;
                }
                let ListedEvent { envelope, .. } = event;
                match missed.iter_mut().find(|(kind, _, _)| *kind == envelope.kind) {
                    Some((_, n, _)) => *n += 1,
                    None => missed.push((envelope.kind, 1, envelope.id)),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Those that concern us and that we have not stored.
    fn unknown_of(&self, events: Vec<ListedEvent>) -> Result<Vec<ListedEvent>, EngineError> {
        self.read(|_, tx| {
            let mut unknown = Vec::new();
            for event in &events {
                let ours = Stripe::subject(&event.envelope) != Subject::Ignored;
                if ours && !inbox::is_known(tx, STRIPE, &event.envelope.id)? {
                    unknown.push(event.clone());
                }
            }
            Ok(unknown)
        })
    }

    fn store_pulled(&self, listed: &ListedEvent) -> Result<(), EngineError> {
        let envelope = &listed.envelope;
        let event = ProviderEvent {
            id: self.new_id(IdKind::Event),
            provider: STRIPE.to_owned(),
            event_id: envelope.id.clone(),
            kind: envelope.kind.clone(),
            api_version: Some(envelope.api_version.clone()),
            created_at: envelope.created,
            received_at: self.now(),
            payload: listed.payload.clone().into_bytes(),
            subject: serde_json::to_string(&Stripe::subject(envelope)).ok(),
            customer: None,
        };
        self.write(move |_, tx| Ok(inbox::insert(tx, &event).map(drop)?))
    }
}
