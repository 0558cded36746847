//! One customer, one transaction: absorbed, compared, repaired; or rolled back.

use std::sync::Arc;

use farthing_core::ids::CustomerId;
use farthing_core::snapshot::Snapshot;
use farthing_store::drift::Repair;
use farthing_store::{StoreError, Tx, customers, intents, subscriptions};

use super::look::Theirs;
use super::view::View;
use super::{Drift, DriftReport};
use crate::absorb::Sighting;
use crate::{Call, Engine, EngineError, STRIPE};

/// What came of a comparison.
pub(super) enum Compared {
    /// What was found.
    Report(DriftReport),
    /// What was fetched is older than what we know by now.
    Outdated,
}

/// Why a comparison ends without a commit.
enum Stop {
    /// It was a dry run, and this is what it found.
    Dry(Vec<Drift>),
    /// The unit of that number cannot be understood.
    Puzzle(usize, String),
    Outdated,
    Failed(EngineError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// What is absorbed together, and the object that it is told under when it cannot be.
struct Unit {
    object: String,
    snapshots: Vec<Snapshot>,
}

/// What one comparison is about; shared by its attempts.
struct Task {
    call: Call,
    customer: CustomerId,
    theirs: Theirs,
    units: Vec<Unit>,
    fix: bool,
}

impl Engine {
    /// Compares what was fetched with ours. What cannot be understood is left out and told.
    pub(super) fn compare_customer(
        &self,
        call: &Call,
        customer: &CustomerId,
        theirs: Theirs,
        fix: bool,
    ) -> Result<Compared, EngineError> {
        let units = units(&theirs);
        let (call, customer) = (call.clone(), customer.clone());
        let task = Arc::new(Task { call, customer, theirs, units, fix });
        let mut puzzles: Vec<(usize, String)> = Vec::new();
        loop {
            let (engine, task2, puzzles2) = (self.clone(), Arc::clone(&task), puzzles.clone());
            let compared =
                self.inner.store.write(move |tx| engine.compare_once(tx, &task2, &puzzles2));
            let findings = match compared.wait() {
                Ok(findings) => findings,
                Err(Stop::Dry(findings)) => self.keep_dry(&task, findings)?,
                Err(Stop::Puzzle(unit, why)) => {
                    puzzles.push((unit, why));
                    continue;
                }
                Err(Stop::Outdated) => return Ok(Compared::Outdated),
                Err(Stop::Failed(error)) => return Err(error),
            };
            let customer = Some(task.customer.clone());
            return Ok(Compared::Report(DriftReport { customer, findings, skipped: None }));
        }
    }

    fn compare_once(
        &self,
        tx: &mut Tx<'_>,
        task: &Task,
        puzzles: &[(usize, String)],
    ) -> Result<Vec<Drift>, Stop> {
        let mut found = self.compare_in(tx, task, puzzles)?;
        for (unit, why) in puzzles {
            let object = &task.units[*unit].object;
            found.push(Drift::new(Repair::Person, (object, "meaning"), ("nothing", why)));
        }
        for one in &mut found {
            one.customer = Some(task.customer.clone());
            one.repaired = task.fix && one.repair != Repair::Person;
        }
        if !task.fix {
            return Err(Stop::Dry(found));
        }
        Ok(self.keep_drift(tx, &task.call, Some(&task.customer), found)?)
    }

    fn keep_dry(&self, task: &Arc<Task>, found: Vec<Drift>) -> Result<Vec<Drift>, EngineError> {
        let task = Arc::clone(task);
        self.write(move |engine, tx| {
            customers::lock(tx, &task.customer)?;
            engine.keep_drift(tx, &task.call, Some(&task.customer), found.clone())
        })
    }

    fn compare_in(
        &self,
        tx: &mut Tx<'_>,
        task: &Task,
        puzzles: &[(usize, String)],
    ) -> Result<Vec<Drift>, Stop> {
        let Task { call, customer: id, theirs, .. } = task;
        customers::lock(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
        let newer = |seen: i64| theirs.fetch < seen;
        let ours = subscriptions::of_customer(tx, id)?;
        if ours.iter().any(|it| newer(it.seen)) || intents::open_change(tx, id)?.is_some() {
            return Err(Stop::Outdated);
        }
        let mut found = take_link(tx, id, theirs)?;
        let before = View::of(tx, id, theirs, self.now())?;
        for (n, unit) in task.units.iter().enumerate() {
            if puzzles.iter().any(|(puzzle, _)| *puzzle == n) {
                continue;
            }
            let sighting = Sighting { snapshots: unit.snapshots.clone(), fetch: theirs.fetch };
            match self.absorb(tx, call, &sighting) {
                Ok(_) => {}
                Err(error @ (EngineError::Puzzle(_) | EngineError::NotFound { .. })) => {
                    return Err(Stop::Puzzle(n, error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        found.extend(before.changes_to(&View::of(tx, id, theirs, self.now())?));
        found.extend(self.settle_rights(tx, call, id)?);
        found.extend(self.missing_credits(tx, call, id)?);
        found.extend(self.unexplained(tx, id, theirs)?);
        found.extend(self.unfounded(tx, id, theirs)?);
        Ok(found)
    }
}

/// Remembers whose the provider's customer is, when that was not known.
fn take_link(tx: &mut Tx<'_>, id: &CustomerId, theirs: &Theirs) -> Result<Vec<Drift>, EngineError> {
    let Some(linked) = theirs.customer.as_ref().filter(|linked| linked.there) else {
        return Ok(Vec::new());
    };
    if customers::provider_id(tx, id, STRIPE)?.is_some() {
        return Ok(Vec::new());
    }
    customers::link(tx, id, STRIPE, &linked.id)?;
    Ok(vec![Drift::new(Repair::Absorb, (&linked.id, "customer"), ("not linked", "linked"))])
}

/// A subscription with all its invoices, the oldest first, then everything else by itself.
fn units(theirs: &Theirs) -> Vec<Unit> {
    let mut units = Vec::new();
    for subscription in &theirs.subscriptions {
        let its = |it: &&_| invoice_of(it) == Some(subscription.id.as_str());
        let invoices = theirs.invoices.iter().filter(its).cloned();
        let mut snapshots = vec![Snapshot::Subscription(Box::new(subscription.clone()))];
        snapshots.extend(invoices.map(|invoice| Snapshot::Invoice(Box::new(invoice))));
        units.push(Unit { object: subscription.id.clone(), snapshots });
    }
    for invoice in &theirs.invoices {
        let known =
            theirs.subscriptions.iter().any(|it| Some(it.id.as_str()) == invoice_of(invoice));
        if !known {
            let snapshots = vec![Snapshot::Invoice(Box::new(invoice.clone()))];
            units.push(Unit { object: invoice.id.clone(), snapshots });
        }
    }
    for checkout in &theirs.checkouts {
        let snapshots = vec![Snapshot::Checkout(Box::new(checkout.clone()))];
        units.push(Unit { object: checkout.id.clone(), snapshots });
    }
    for back in &theirs.money_back {
        let object = match back {
            Snapshot::Refund(refund) => refund.id.clone(),
            Snapshot::Dispute(dispute) => dispute.id.clone(),
            _ => continue,
        };
        units.push(Unit { object, snapshots: vec![back.clone()] });
    }
    units
}

fn invoice_of(invoice: &farthing_core::snapshot::InvoiceSnapshot) -> Option<&str> {
    invoice.subscription.as_deref()
}
