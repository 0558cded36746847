//! What is remembered of differences: one row each, an event and an alert when they are news, and
//! what a person said who lets one be.

use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::time::Timestamp;
use farthing_store::drift::{self, Closed, DriftState, Repair, Stored};
use farthing_store::{Tx, alerts, customers};
use serde::Serialize;
use serde_json::json;

use super::Drift;
use crate::follow_up::Change;
use crate::{Call, Engine, EngineError};

/// The kind of the alerts about what a person has to decide.
const ALERT: &str = "drift";
/// The shortest reason for letting a difference be, in characters.
const REASON_MIN: usize = 10;

/// A difference for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DriftView {
    /// Ours, `drf_…`.
    pub id: String,
    /// Whose it is; `null`: of nobody that we know.
    pub customer: Option<CustomerId>,
    /// What differs.
    pub object: String,
    /// In which field.
    pub field: String,
    /// What we stand by, or stood by.
    pub ours: String,
    /// What the provider has, or what should be.
    pub theirs: String,
    /// `absorb`, `rematerialize`, `grant` or `person`.
    pub repair: &'static str,
    /// `open`, `repaired`, `gone` or `ignored`.
    pub state: &'static str,
    /// When it was seen first, this time.
    pub opened_at: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Who ended it.
    pub closed_by: Option<String>,
    /// Why it may stay.
    pub reason: Option<String>,
}

impl From<Stored> for DriftView {
    fn from(stored: Stored) -> Self {
        let closed = stored.closed;
        Self {
            id: stored.id,
            customer: stored.customer,
            object: stored.object,
            field: stored.field,
            ours: stored.ours,
            theirs: stored.theirs,
            repair: stored.repair.as_str(),
            state: stored.state.as_str(),
            opened_at: stored.opened_at,
            seen_at: stored.seen_at,
            closed_at: closed.as_ref().map(|closed| closed.at),
            closed_by: closed.as_ref().map(|closed| closed.by.clone()),
            reason: closed.and_then(|closed| closed.reason),
        }
    }
}

impl Engine {
    /// Remembers what was found of one customer, whose row is locked, or of nobody that we know;
    /// what was open and is no longer there is closed. Answers the findings, those marked that may
    /// stay.
    pub(super) fn keep_drift(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: Option<&CustomerId>,
        mut found: Vec<Drift>,
    ) -> Result<Vec<Drift>, EngineError> {
        let mut news = Vec::new();
        for one in &mut found {
            if self.keep_one(tx, call, one)? {
                news.push(json!({
                    "object": one.object, "field": one.field, "ours": one.ours,
                    "theirs": one.theirs, "repair": one.repair.as_str(), "repaired": one.repaired,
                }));
            }
        }
        for row in drift::open_of(tx, customer)? {
            if !found.iter().any(|it| (&it.object, &it.field) == (&row.object, &row.field)) {
                self.drift_gone(tx, call, row)?;
            }
        }
        if news.is_empty() {
            return Ok(found);
        }
        let customer = match customer {
            Some(id) => customers::find(tx, id)?,
            None => None,
        };
        match customer {
            Some(customer) => {
                let to = Some(json!({ "found": news }));
                let action = "reconcile.drift_found";
                let change = Change { action, from: None, to, effective_at: self.now() };
                self.record(tx, call, &customer, &change)?;
            }
            None => self.note(tx, call, "reconcile.drift_found", &news.len().to_string())?,
        }
        Ok(found)
    }

    /// Remembers one difference without closing others of the same customer.
    pub(super) fn keep_alone(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        mut one: Drift,
    ) -> Result<Drift, EngineError> {
        if self.keep_one(tx, call, &mut one)? {
            self.note(tx, call, "reconcile.drift_found", &one.object)?;
        }
        Ok(one)
    }

    /// What is of nobody and was not seen since `started` is no longer there.
    pub(super) fn close_unseen(&self, call: &Call, started: Timestamp) -> Result<(), EngineError> {
        let call = call.clone();
        self.write(move |engine, tx| {
            let open = drift::open_of(tx, None)?;
            for row in open.into_iter().filter(|row| row.seen_at < started) {
                engine.drift_gone(tx, &call, row)?;
            }
            Ok(())
        })
    }

    fn drift_gone(&self, tx: &mut Tx<'_>, call: &Call, row: Stored) -> Result<(), EngineError> {
        let now = self.now();
        alerts::resolve(tx, ALERT, &row.id, now)?;
        let closed = Some(Closed { at: now, by: call.actor.clone(), reason: None });
        Ok(drift::save(tx, &Stored { state: DriftState::Gone, closed, ..row })?)
    }

    /// Whether it is news.
    fn keep_one(&self, tx: &mut Tx<'_>, call: &Call, one: &mut Drift) -> Result<bool, EngineError> {
        let now = self.now();
        let known = drift::find(tx, one.customer.as_ref(), (&one.object, &one.field))?;
        let same = |row: &Stored| (&row.ours, &row.theirs) == (&one.ours, &one.theirs);
        if let Some(row) = &known
            && row.state == DriftState::Ignored
            && !one.repaired
            && same(row)
        {
            one.ignored = true;
            drift::save(tx, &Stored { seen_at: now, ..row.clone() })?;
            return Ok(false);
        }
        let was_open = known.as_ref().is_some_and(|row| row.state == DriftState::Open);
        let is_news = !was_open || one.repaired;
        let over = |row: &Stored| matches!(row.state, DriftState::Repaired | DriftState::Gone);
        let still = known.filter(|row| !over(row));
        let (id, opened_at) = match still {
            Some(row) => (row.id, row.opened_at),
            None => (self.new_id(IdKind::Drift), now),
        };
        let closed = one.repaired.then(|| Closed { at: now, by: call.actor.clone(), reason: None });
        let state = if one.repaired { DriftState::Repaired } else { DriftState::Open };
        let row = Stored {
            customer: one.customer.clone(),
            object: one.object.clone(),
            field: one.field.clone(),
            id,
            ours: one.ours.clone(),
            theirs: one.theirs.clone(),
            repair: one.repair,
            state,
            opened_at,
            seen_at: now,
            closed,
        };
        drift::save(tx, &row)?;
        if one.repaired {
            alerts::resolve(tx, ALERT, &row.id, now)?;
        } else if one.repair == Repair::Person {
            let (of, field) = (&one.object, &one.field);
            let detail = format!("{of} {field}: ours {}, theirs {}", one.ours, one.theirs);
            self.alert(tx, ALERT, &row.id, &detail)?;
        }
        Ok(is_news)
    }

    /// Lets a difference be, as long as it stays as it is. Again changes the reason.
    ///
    /// Errors: there is none of that id; it is over; a reason of fewer than ten characters.
    pub fn ignore_drift(
        &self,
        call: &Call,
        id: &str,
        reason: &str,
    ) -> Result<DriftView, EngineError> {
        let (call, id, reason) = (call.clone(), id.to_owned(), reason.trim().to_owned());
        if reason.chars().count() < REASON_MIN {
            return Err(EngineError::invalid(
                "/reason",
                "invalid_length",
                format!("the reason is shorter than {REASON_MIN} characters"),
                "say why the difference may stay, for whoever asks later",
            ));
        }
        self.write(move |engine, tx| {
            let now = engine.now();
            let missing = || EngineError::NotFound { what: "difference", id: id.clone() };
            let row = drift::get(tx, &id)?.ok_or_else(missing)?;
            if matches!(row.state, DriftState::Repaired | DriftState::Gone) {
                return Err(EngineError::refused(
                    "drift_over",
                    "the difference is over already; nothing was changed",
                ));
            }
            alerts::resolve(tx, ALERT, &id, now)?;
            let by = call.actor.clone();
            let closed = Some(Closed { at: now, by, reason: Some(reason.clone()) });
            let row = Stored { state: DriftState::Ignored, closed, ..row };
            drift::save(tx, &row)?;
            engine.note(tx, &call, "drift.ignored", &id)?;
            Ok(row.into())
        })
    }
}
