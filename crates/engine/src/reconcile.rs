//! Ours against the provider's, object by object: what events would have told, without any event.
//!
//! It produces the same facts as events do and absorbs them the same way, so what it repairs is
//! what a lost event would have done. A job does it every day; `fix: false` only tells.

use farthing_core::facts::{self, PriceBook, Puzzle};
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
/// How far back the daily walk looks at invoices, in seconds: 40 days.
const LOOKS_BACK: i64 = 40 * 86_400;
/// How much earlier than now an invoice must have been made to be missed, in seconds: its event may
/// be on its way.
const SETTLES_WITHIN: i64 = 600;

impl Engine {
    /// Walks everything the provider has and compares it with ours; with `fix` it is absorbed.
    ///
    /// Errors: the provider could not be walked to the end; what was found before is repaired.
    pub fn reconcile(&self, call: &Call, fix: bool) -> Result<Vec<Drift>, EngineError> {
        self.walk(call, fix, None)
    }

    fn walk(
        &self,
        call: &Call,
        fix: bool,
        since: Option<Timestamp>,
    ) -> Result<Vec<Drift>, EngineError> {
        let mut drift = Vec::new();
        self.walk_subscriptions(call, fix, &mut drift)?;
        self.walk_invoices(call, (fix, since), &mut drift)?;
        Ok(drift)
    }

    /// The daily walk. A walk that fails half-way is tried again by its job.
    pub(crate) fn reconcile_daily(&self, call: &Call) -> Result<(), EngineError> {
        self.write(|engine, tx| {
            let at = engine.now().plus_seconds(EVERY);
            engine.enqueue_once(tx, &Job::Reconcile, at)
        })?;
        let since = self.now().plus_seconds(-LOOKS_BACK);
        let drift = self.walk(call, true, Some(since))?;
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
            let found = self.read(|engine, tx| engine.compare_all(tx, &page.items))?;
            for (seen, found) in page.items.into_iter().zip(found) {
                let snapshot = Snapshot::Subscription(Box::new(seen));
                self.repair(call, (snapshot, fetch), (fix, found), drift)?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Paid invoices whose payment has had no effect, the newest first, back to `since`.
    fn walk_invoices(
        &self,
        call: &Call,
        (fix, since): (bool, Option<Timestamp>),
        drift: &mut Vec<Drift>,
    ) -> Result<(), EngineError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.stripe()?.list_invoices_page(None, since, after.as_deref())?;
            let missed = self.read(|engine, tx| engine.missed(tx, &page.items))?;
            for one in missed {
                let fixed = fix && {
                    let subject = farthing_providers::stripe::Subject::Invoice(one.object.clone());
                    self.absorbed(self.look_and_absorb(call, &subject))?
                };
                drift.push(Drift { fixed, ..one });
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

    fn compare_all(
        &self,
        tx: &mut Tx<'_>,
        snapshots: &[SubscriptionSnapshot],
    ) -> Result<Vec<Vec<Drift>>, EngineError> {
        let book = price_book(tx, STRIPE)?;
        snapshots.iter().map(|snapshot| self.compare(tx, snapshot, &book)).collect()
    }

    /// What absorbing a subscription would change.
    fn compare(
        &self,
        tx: &mut Tx<'_>,
        snapshot: &SubscriptionSnapshot,
        book: &PriceBook,
    ) -> Result<Vec<Drift>, EngineError> {
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
        let mut seen = match facts::seen(snapshot, &[], book) {
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

    /// Those of `invoices` that were paid and have had no effect.
    fn missed(
        &self,
        tx: &mut Tx<'_>,
        invoices: &[InvoiceSnapshot],
    ) -> Result<Vec<Drift>, EngineError> {
        let book = price_book(tx, STRIPE)?;
        let settled = self.now().plus_seconds(-SETTLES_WITHIN);
        let mut missed = Vec::new();
        for invoice in invoices.iter().filter(|invoice| invoice.created_at <= settled) {
            let theirs = match facts::paid_period(invoice, &book) {
                Ok(Some(paid)) if !effects::exists(tx, STRIPE, &paid_key(&paid))? => {
                    format!("paid for {} from {}", paid.plan, paid.period.start)
                }
                Ok(_) | Err(Puzzle::UnknownPrice(_)) => continue,
                Err(puzzle) => puzzle.to_string(),
            };
            missed.push(Drift {
                customer: None,
                object: invoice.id.clone(),
                field: "payment",
                ours: "no effect".to_owned(),
                theirs,
                fixed: false,
            });
        }
        Ok(missed)
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
