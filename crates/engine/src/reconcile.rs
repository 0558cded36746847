//! Ours against the provider's, object by object: what events would have told, without any event.
//!
//! It produces the same facts as events do and absorbs them the same way, so what it repairs is
//! what a lost event would have done. A job does it every day; `fix: false` only tells.

use farthing_core::facts::{self, Puzzle};
use farthing_core::ids::CustomerId;
use farthing_core::snapshot::{InvoiceSnapshot, Snapshot, SubscriptionSnapshot};
use farthing_core::subscription::{self, Status, Subscription};
use farthing_core::time::Timestamp;
use farthing_store::{Tx, counters, effects, subscriptions};
use serde::Serialize;

use crate::absorb::{Sighting, paid_key};
use crate::books::price_book;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

/// One difference between what we stand by and what the provider has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Whose it is, when that is known.
    pub customer: Option<CustomerId>,
    /// The provider's id of the object.
    pub object: String,
    /// What differs.
    pub field: &'static str,
    /// What we stand by.
    pub ours: String,
    /// What the provider has.
    pub theirs: String,
    /// Whether it was repaired.
    pub fixed: bool,
}

/// How long after one walk the next one starts, in seconds: a day.
pub(crate) const EVERY: i64 = 86_400;
/// How much earlier than now an invoice must have been made to be missed, in seconds: its event may
/// be on its way.
const SETTLES_WITHIN: i64 = 600;

impl Engine {
    /// Walks everything the provider has and compares it with ours; with `fix` it is absorbed.
    ///
    /// Errors: the provider could not be walked to the end; what was found before is repaired.
    pub fn reconcile(&self, call: &Call, fix: bool) -> Result<Vec<Drift>, EngineError> {
        let mut drift = Vec::new();
        self.walk_subscriptions(call, fix, &mut drift)?;
        self.walk_invoices(call, fix, &mut drift)?;
        Ok(drift)
    }

    /// The daily walk. A walk that fails half-way is tried again by its job.
    pub(crate) fn reconcile_daily(&self, call: &Call) -> Result<(), EngineError> {
        self.write(|engine, tx| {
            let at = engine.now().plus_seconds(EVERY);
            engine.enqueue_once(tx, &Job::Reconcile, at)
        })?;
        let drift = self.reconcile(call, true)?;
        let call = call.clone();
        self.write(move |engine, tx| {
            for one in drift.iter().filter(|one| !one.fixed) {
                let detail = format!("{}: ours {}, theirs {}", one.field, one.ours, one.theirs);
                engine.alert(tx, "drift", &one.object, &detail)?;
            }
            let found = drift.len().to_string();
            if drift.is_empty() {
                Ok(())
            } else {
                engine.note(tx, &call, "reconcile.drift_found", &found)
            }
        })
    }

    fn walk_subscriptions(
        &self,
        call: &Call,
        fix: bool,
        drift: &mut Vec<Drift>,
    ) -> Result<(), EngineError> {
        let mut after: Option<String> = None;
        loop {
            let fetch = self.next_fetch()?;
            let page = self.stripe()?.list_subscriptions_page(after.as_deref())?;
            for seen in page.items {
                let found = self.read(|engine, tx| engine.compare(tx, &seen))?;
                let snapshot = Snapshot::Subscription(Box::new(seen));
                self.repair(call, (snapshot, fetch), (fix, found), drift)?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Paid invoices whose payment has had no effect.
    fn walk_invoices(
        &self,
        call: &Call,
        fix: bool,
        drift: &mut Vec<Drift>,
    ) -> Result<(), EngineError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.stripe()?.list_invoices_page(None, after.as_deref())?;
            for invoice in page.items {
                let missed = self.read(|engine, tx| engine.missed(tx, &invoice))?;
                let Some(missed) = missed else { continue };
                let fixed = fix && {
                    let subject = farthing_providers::stripe::Subject::Invoice(invoice.id.clone());
                    self.absorbed(self.look_and_absorb(call, &subject))?
                };
                drift.push(Drift { fixed, ..missed });
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn repair(
        &self,
        call: &Call,
        (snapshot, fetch): (Snapshot, i64),
        (fix, found): (bool, Vec<Drift>),
        drift: &mut Vec<Drift>,
    ) -> Result<(), EngineError> {
        if found.is_empty() {
            return Ok(());
        }
        let fixed = fix && {
            let call = call.clone();
            let absorbed = self.write(move |engine, tx| {
                let sighting = Sighting { snapshots: vec![snapshot.clone()], fetch };
                engine.absorb(tx, &call, &sighting).map(drop)
            });
            self.absorbed(absorbed)?
        };
        drift.extend(found.into_iter().map(|one| Drift { fixed, ..one }));
        Ok(())
    }

    /// Whether it was absorbed; what cannot be understood is left for a person.
    fn absorbed(&self, outcome: Result<(), EngineError>) -> Result<bool, EngineError> {
        match outcome {
            Ok(()) => Ok(true),
            Err(EngineError::Puzzle(_) | EngineError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What absorbing a subscription would change.
    fn compare(
        &self,
        tx: &mut Tx<'_>,
        snapshot: &SubscriptionSnapshot,
    ) -> Result<Vec<Drift>, EngineError> {
        let book = price_book(tx, STRIPE)?;
        let known = subscriptions::find_by_provider_id(tx, STRIPE, &snapshot.id)?;
        let customer = known.as_ref().map(|known| known.customer.clone());
        let one = |field, ours: String, theirs: String| Drift {
            customer: customer.clone(),
            object: snapshot.id.clone(),
            field,
            ours,
            theirs,
            fixed: false,
        };
        let mut seen = match facts::seen(snapshot, &[], &book) {
            Ok(seen) => seen,
            Err(puzzle) => {
                return Ok(vec![one("meaning", "nothing".to_owned(), puzzle.to_string())]);
            }
        };
        seen.paid.retain(|paid| !effects::exists(tx, STRIPE, &paid_key(paid)).unwrap_or(false));
        let ours = known.map(|known| known.subscription);
        let theirs = subscription::absorb(ours.as_ref(), &seen, self.now()).next;
        let Some(ours) = ours else {
            let over = matches!(theirs.status, Status::Incomplete | Status::Canceled);
            let missing =
                one("subscription", "missing".to_owned(), theirs.status.as_str().to_owned());
            return Ok(if over { Vec::new() } else { vec![missing] });
        };
        let differ = fields(&ours).into_iter().zip(fields(&theirs)).filter(|(a, b)| a != b);
        Ok(differ.map(|((field, ours), (_, theirs))| one(field, ours, theirs)).collect())
    }

    fn missed(
        &self,
        tx: &mut Tx<'_>,
        invoice: &InvoiceSnapshot,
    ) -> Result<Option<Drift>, EngineError> {
        if self.now() < invoice.created_at.plus_seconds(SETTLES_WITHIN) {
            return Ok(None);
        }
        let book = price_book(tx, STRIPE)?;
        let drift = |theirs: String| Drift {
            customer: None,
            object: invoice.id.clone(),
            field: "payment",
            ours: "no effect".to_owned(),
            theirs,
            fixed: false,
        };
        match facts::paid_period(invoice, &book) {
            Ok(Some(paid)) if !effects::exists(tx, STRIPE, &paid_key(&paid))? => {
                Ok(Some(drift(format!("paid for {} from {}", paid.plan, paid.period.start))))
            }
            Ok(_) => Ok(None),
            Err(Puzzle::UnknownPrice(_)) => Ok(None),
            Err(puzzle) => Ok(Some(drift(puzzle.to_string()))),
        }
    }

    pub(crate) fn next_fetch(&self) -> Result<i64, EngineError> {
        self.write(|_, tx| Ok(counters::next(tx, "fetches")?))
    }
}

/// What is compared, in words.
fn fields(sub: &Subscription) -> [(&'static str, String); 8] {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "none".to_owned(), |at| at.to_string());
    let pending = sub.pending.as_ref().map(|pending| format!("{} at {}", pending.plan, pending.at));
    [
        ("plan", sub.plan.clone()),
        ("interval", sub.interval.as_str().to_owned()),
        ("currency", sub.currency.to_string()),
        ("status", sub.status.as_str().to_owned()),
        ("standing", sub.standing.as_str().to_owned()),
        ("period_end", sub.period.end.to_string()),
        ("cancel_at", time(sub.cancel_at)),
        ("pending_change", pending.unwrap_or_else(|| "none".to_owned())),
    ]
}
