//! Everybody, one after the other, and what the provider has of nobody that we know.

use farthing_core::ids::CustomerId;
use farthing_core::snapshot::{SubscriptionSnapshot, SubscriptionStatus};
use farthing_store::drift::Repair;
use farthing_store::{customers, watermarks};
use serde::Serialize;

use super::look::Depth;
use super::{Drift, DriftReport};
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

/// How long after one walk the next one starts, in seconds: a day.
pub(crate) const EVERY: i64 = 86_400;
/// How long after everybody was compared they are compared again, in seconds: a week. What the
/// provider tells of is heard of each day.
const EVERYBODY_EVERY: i64 = 7 * EVERY;
/// When everybody was compared last.
const EVERYBODY: &str = "customers_compared";
/// How many customers are named at a time.
const PAGE: i64 = 200;
/// How many customers one job compares: far fewer than its lease has time for.
const BATCH: i64 = 20;

/// What a walk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Walked {
    /// Customers that were compared.
    pub customers: u64,
    /// Customers whose plan was being changed right then.
    pub skipped: u64,
    /// Differences that were found.
    pub findings: u64,
    /// Those of them that were repaired.
    pub repaired: u64,
    /// Those of them that are neither repaired nor ignored.
    pub open: u64,
}

impl Walked {
    fn add(&mut self, report: &DriftReport) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.customers += u64::from(report.customer.is_some());
        self.skipped += u64::from(report.skipped.is_some());
        self.findings += count(report.findings.len());
        self.repaired += count(report.findings.iter().filter(|one| one.repaired).count());
        self.open += count(report.open());
    }
}

impl Engine {
    /// Compares everybody with the provider, and looks at what the provider has of nobody that we
    /// know; with `fix` it is repaired. `tell` hears of each report as it is made, so that however
    /// many there are they need not be held.
    ///
    /// Errors: the provider could not be walked to the end; what was told before stands.
    pub fn reconcile_all(
        &self,
        call: &Call,
        fix: bool,
        tell: &mut dyn FnMut(&DriftReport),
    ) -> Result<Walked, EngineError> {
        let mut walked = Walked::default();
        let mut told = |report: &DriftReport| {
            walked.add(report);
            tell(report);
        };
        let started = self.now();
        told(&self.pull_events(call, fix)?);
        while fix && 0 < self.process_events()? {}
        self.walk_strangers(call, fix, &mut told)?;
        self.close_unseen(call, started)?;
        let mut after = String::new();
        loop {
            let ids = self.read(|_, tx| Ok(customers::ids_after(tx, &after, PAGE)?))?;
            let Some(last) = ids.last() else {
                return Ok(walked);
            };
            after = last.to_string();
            for id in &ids {
                if let Some(report) = self.compare_or_tell(call, id, (fix, Depth::Whole))? {
                    told(&report);
                }
            }
        }
    }

    /// The daily walk sets out: events that never arrived, strangers, and once a week everybody in
    /// batches.
    pub(crate) fn reconcile_daily(&self, call: &Call) -> Result<(), EngineError> {
        self.write(|engine, tx| {
            let at = engine.now().plus_seconds(EVERY);
            engine.enqueue_once(tx, &Job::Reconcile, at)?;
            let last = watermarks::get(tx, EVERYBODY)?;
            if last.is_some_and(|last| engine.now() < last.plus_seconds(EVERYBODY_EVERY)) {
                return Ok(());
            }
            watermarks::advance(tx, EVERYBODY, engine.now())?;
            let all = Job::ReconcileCustomers { after: String::new() };
            engine.enqueue_once(tx, &all, engine.now())
        })?;
        let started = self.now();
        if let Err(error) = self.pull_events(call, true) {
            // What the walk finds by itself does not wait for it.
            tracing::warn!(%error, "missed events could not be asked for");
        }
        self.walk_strangers(call, true, &mut |_| {})?;
        self.close_unseen(call, started)
    }

    /// Compares the next customers after `after`, then leaves a job for those after them.
    pub(crate) fn reconcile_batch(&self, call: &Call, after: &str) -> Result<(), EngineError> {
        let ids = self.read(|_, tx| Ok(customers::ids_after(tx, after, BATCH)?))?;
        for id in &ids {
            self.compare_or_tell(call, id, (true, Depth::Daily))?;
        }
        let Some(last) = ids.last() else {
            return Ok(());
        };
        let next = Job::ReconcileCustomers { after: last.to_string() };
        self.write(move |engine, tx| engine.enqueue(tx, &next, engine.now()))
    }

    /// One customer who cannot be compared does not stop the walk: that is told instead. `None`:
    /// erased in the meantime.
    fn compare_or_tell(
        &self,
        call: &Call,
        id: &CustomerId,
        how: (bool, Depth),
    ) -> Result<Option<DriftReport>, EngineError> {
        match self.reconcile_linked(call, id, None, how) {
            Ok(report) => Ok(Some(report)),
            Err(EngineError::NotFound { what: "customer", .. }) => Ok(None),
            Err(error) if error.passes() => Err(error),
            Err(error) => {
                let at = (id.as_str(), "comparison");
                let drift = Drift::new(Repair::Person, at, ("not compared", error.to_string()));
                self.tell_one(call, Drift { customer: Some(id.clone()), ..drift }).map(Some)
            }
        }
    }

    /// Subscriptions of customers that are not linked: of ours, if they say so, else of nobody.
    fn walk_strangers(
        &self,
        call: &Call,
        fix: bool,
        tell: &mut dyn FnMut(&DriftReport),
    ) -> Result<(), EngineError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.stripe()?.list_subscriptions_page(after.as_deref())?;
            for snapshot in &page.items {
                if let Some(report) = self.stranger(call, fix, snapshot)? {
                    tell(&report);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn stranger(
        &self,
        call: &Call,
        fix: bool,
        snapshot: &SubscriptionSnapshot,
    ) -> Result<Option<DriftReport>, EngineError> {
        let theirs = &snapshot.customer;
        let over = matches!(
            snapshot.status,
            SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired
        );
        let claimed = theirs.app_id.as_deref().and_then(|id| id.parse::<CustomerId>().ok());
        let (known, ours) = self.read(|_, tx| {
            let known = customers::of_provider_id(tx, STRIPE, &theirs.provider_id)?.is_some()
                || customers::is_former(tx, STRIPE, &theirs.provider_id)?;
            let ours = match &claimed {
                Some(id) => customers::find(tx, id)?.map(|customer| customer.id),
                None => None,
            };
            Ok((known, ours))
        })?;
        match ours {
            _ if known => Ok(None),
            Some(id) => {
                let link = Some(theirs.provider_id.as_str());
                self.reconcile_linked(call, &id, link, (fix, Depth::Whole)).map(Some)
            }
            None if over => Ok(None),
            None => {
                let whose = format!("runs for {}", theirs.provider_id);
                let words = ("nobody's".to_owned(), whose);
                let drift = Drift::new(Repair::Person, (&snapshot.id, "customer"), words);
                self.tell_one(call, drift).map(Some)
            }
        }
    }

    /// Remembers one difference without closing others.
    fn tell_one(&self, call: &Call, drift: Drift) -> Result<DriftReport, EngineError> {
        let call = call.clone();
        let customer = drift.customer.clone();
        let found = self.write(move |engine, tx| engine.keep_alone(tx, &call, drift.clone()))?;
        Ok(DriftReport { customer, findings: vec![found], skipped: None })
    }
}
