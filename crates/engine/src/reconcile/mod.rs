//! Ours against the provider's, field by field: what events would have told, without any event.
//!
//! For one customer everything that the provider has is fetched. Then, in one transaction: our view
//! is written down, everything fetched is absorbed as an event would have been, our view is written
//! down again. What differs between the two views is drift, and its repair has just been made. What
//! plan, catalog and exceptions do not add up to is written anew, and credits that were paid for and
//! are missing are granted. In the end ours is held against what the provider's facts alone lead to,
//! derived from nothing: what differs still is for a person.
//!
//! Without `fix` that transaction is rolled back. So a dry run tells exactly what a repair does, and
//! cannot lie about it.
//!
//! In reading order: `look` (what the provider has), `compare` (the transaction), `view`, `rights`,
//! `paid_for` and `expect` (what is held against what), `keep` (what is remembered), `walk` (everybody), `pull`
//! (events that never arrived).

mod compare;
mod expect;
mod keep;
mod look;
mod paid_for;
mod pull;
mod rights;
mod view;
mod walk;

use farthing_core::ids::CustomerId;
use farthing_store::counters;
pub use farthing_store::drift::DriftState;
use serde::Serialize;

use crate::{Call, Engine, EngineError};

pub use farthing_store::drift::{DriftState as State, Repair};
pub use keep::DriftView;
use look::Depth;
pub(crate) use walk::EVERY;
pub use walk::Walked;

/// One difference between what we stand by and what the provider has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Whose it is, when that is known.
    pub customer: Option<CustomerId>,
    /// What differs: mostly the provider's id of an object; our own where it has none.
    pub object: String,
    /// What differs of it.
    pub field: String,
    /// What we stand by.
    pub ours: String,
    /// What the provider has, or what should be.
    pub theirs: String,
    /// What ends it: `absorb`, `rematerialize`, `grant` or `person`.
    #[serde(serialize_with = "word")]
    pub repair: Repair,
    /// Whether it was repaired.
    pub repaired: bool,
    /// Whether a person said that it may stay.
    pub ignored: bool,
}

fn word<S: serde::Serializer>(repair: &Repair, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(repair.as_str())
}

/// What was found of one customer, or of nobody that we know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DriftReport {
    /// Whose; `None`: objects of the provider's that are nobody's here.
    pub customer: Option<CustomerId>,
    /// What differs. Empty: nothing.
    pub findings: Vec<Drift>,
    /// Why nothing was compared: a change of the plan is under way right now.
    pub skipped: Option<&'static str>,
}

impl DriftReport {
    /// How many differences are neither repaired nor ignored.
    pub fn open(&self) -> usize {
        self.findings.iter().filter(|one| !one.repaired && !one.ignored).count()
    }
}

impl Drift {
    fn new(
        repair: Repair,
        (object, field): (impl Into<String>, impl Into<String>),
        (ours, theirs): (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self {
            customer: None,
            object: object.into(),
            field: field.into(),
            ours: ours.into(),
            theirs: theirs.into(),
            repair,
            repaired: false,
            ignored: false,
        }
    }
}

/// How often a customer is looked at again whose subscription was brought up to date meanwhile.
const LOOKS: usize = 3;

impl Engine {
    /// Compares everything of one customer with the provider; with `fix` it is repaired. Findings
    /// are remembered either way; without `fix` nothing else is changed.
    ///
    /// Errors: there is no such customer; the provider could not be asked.
    pub fn reconcile_customer(
        &self,
        call: &Call,
        customer: &CustomerId,
        fix: bool,
    ) -> Result<DriftReport, EngineError> {
        self.reconcile_linked(call, customer, None, (fix, Depth::Thorough))
    }

    /// The same; `link` is the provider's customer where the link is not known yet.
    fn reconcile_linked(
        &self,
        call: &Call,
        customer: &CustomerId,
        link: Option<&str>,
        (fix, depth): (bool, Depth),
    ) -> Result<DriftReport, EngineError> {
        for _ in 0..LOOKS {
            let Some(theirs) = self.look_at_everything(customer, link, depth)? else {
                return self.skipped(customer);
            };
            match self.compare_customer(call, customer, theirs, fix)? {
                compare::Compared::Report(report) => return Ok(report),
                // Somebody else saw more in the meantime.
                compare::Compared::Outdated => {}
            }
        }
        self.skipped(customer)
    }

    fn skipped(&self, customer: &CustomerId) -> Result<DriftReport, EngineError> {
        Ok(DriftReport {
            customer: Some(customer.clone()),
            findings: Vec::new(),
            skipped: Some("a change is under way; it is compared the next time"),
        })
    }

    /// Up to `limit` differences that were found, the newest first, older than our id `before`
    /// (`""`: from the newest), in one state or in all, of one customer or of everybody.
    pub fn drift(
        &self,
        state: Option<DriftState>,
        customer: Option<&CustomerId>,
        before: &str,
        limit: u32,
    ) -> Result<Vec<DriftView>, EngineError> {
        self.read(|_, tx| {
            let found = farthing_store::drift::list(tx, (state, customer), before, limit)?;
            Ok(found.into_iter().map(DriftView::from).collect())
        })
    }

    /// The number of a fetch that is about to begin.
    pub(crate) fn next_fetch(&self) -> Result<i64, EngineError> {
        self.write(|_, tx| Ok(counters::next(tx, "fetches")?))
    }
}
