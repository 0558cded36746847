//! Work for later: written with the change that needs it, run once it is due, safe to run twice.

use std::time::Duration;

use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::time::Timestamp;
use farthing_core::{dunning, subscription};
use farthing_providers::stripe::Subject;
use farthing_store::{Claim, Lease};
use farthing_store::{Tx, credits, customers, inbox, jobs, subscriptions};
use serde::{Deserialize, Serialize};

use crate::absorb::Sighting;
use crate::grants::{PaidBy, Window};
use crate::{Call, Engine, EngineError};

/// What is to be done. A job holds ids, never data: it loads what it needs when it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Ask the provider how a subscription stands, in case its events got lost.
    SyncSubscription {
        /// Our id.
        subscription: String,
    },
    /// Ask the provider how a checkout stands once its page has closed.
    SyncCheckout {
        /// Our id.
        checkout: String,
    },
    /// End a trial that was not paid for.
    ExpireTrial {
        /// Our id.
        subscription: String,
    },
    /// Remind of the end of a trial.
    RemindTrial {
        /// Our id.
        subscription: String,
    },
    /// Take the next step with a payment that is overdue.
    DunningStep {
        /// Our id.
        subscription: String,
    },
    /// Grant the credits of a window inside a paid period.
    GrantCredits {
        /// Our id.
        subscription: String,
        /// When the window starts.
        window_start: Timestamp,
    },
    /// End what is left of a grant.
    ExpireCredits {
        /// Whose.
        customer: CustomerId,
        /// The credit feature's key.
        credit: String,
        /// The grant's id.
        grant: String,
    },
    /// End an exception for a customer.
    ExpireOverride {
        /// Whose.
        customer: CustomerId,
        /// The feature's key.
        feature: String,
    },
    /// Give everybody after `after` what a new catalog says.
    Rematerialize {
        /// The version that brought it.
        version: i64,
        /// The last customer that is done; `""`: none.
        after: String,
    },
    /// Look why a payment failed.
    DunningLook {
        /// Our id.
        subscription: String,
    },
    /// Try a payment that failed once more.
    DunningRetry {
        /// Our id.
        subscription: String,
        /// When it was to be tried; another instant by now: not this one.
        due: Timestamp,
    },
    /// Have an invoice that was not paid voided, and end its subscription at the provider.
    GiveUp {
        /// Our id.
        subscription: String,
    },
    /// End a subscription at the provider at once.
    CancelAtProvider {
        /// The provider's id.
        provider_id: String,
    },
    /// Go on with a refund that was agreed to and whose outcome is not known.
    SendRefund {
        /// Our id.
        refund: String,
    },
    /// End a subscription at the end of what was paid for: its last payment went back.
    EndAfterRefund {
        /// Our id.
        subscription: String,
    },
    /// Remind a customer that a trial ends soon.
    MailTrialEnding {
        /// Our id.
        subscription: String,
    },
    /// Tell a customer once more that the plan ends unless it is paid.
    MailLastChance {
        /// Our id.
        subscription: String,
    },
    /// Go on with a change whose outcome is not known.
    ResolveIntent {
        /// The intent's id.
        intent: String,
    },
    /// Look once more whether there is room for a move down that is about to happen.
    CheckRoom {
        /// Our id.
        subscription: String,
        /// When it happens.
        change_at: Timestamp,
    },
    /// End the limits of the plan before whose time is over.
    EndGrace {
        /// Whose.
        customer: CustomerId,
    },
    /// Set out to compare everything with the provider.
    Reconcile,
    /// Compare the next customers with the provider.
    ReconcileCustomers {
        /// The last customer that is done; `""`: none.
        after: String,
    },
    /// Tell the provider a customer's e-mail address and name.
    UpdateAtProvider {
        /// Whose.
        customer: CustomerId,
    },
    /// Forget a customer at the provider.
    DeleteAtProvider {
        /// The provider's id.
        provider_id: String,
    },
}

/// How often a job is tried before a person has to look at it.
const ATTEMPTS_MAX: i64 = 15;
/// How long one worker may take for a job before another one tries, in seconds.
const LEASE_SECONDS: i64 = 120;
/// How many jobs one worker takes at a time: one, so that none waits under a lease.
const BATCH: u32 = 1;
/// How many customers one run of [`Job::Rematerialize`] visits.
const VISIT: i64 = 200;
/// How long after its end a trial is ended without a word from the provider, in seconds.
const TRIAL_GRACE: i64 = 3 * 3_600;

/// How much work there is, by state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkCounts {
    /// Provider events.
    pub events: Vec<(&'static str, i64)>,
    /// Jobs.
    pub jobs: Vec<(&'static str, i64)>,
}

impl Engine {
    /// Handles events and jobs that are due, once each; answers how many there were.
    pub fn run_due(&self) -> Result<usize, EngineError> {
        Ok(self.process_events()? + self.run_jobs()?)
    }

    /// Waits until there may be something to do, at most for `at_most`.
    pub fn wait_for_work(&self, at_most: Duration) {
        self.inner.wake.wait(at_most);
    }

    /// How many provider events and jobs there are in each state that has some.
    pub fn work_counts(&self) -> Result<WorkCounts, EngineError> {
        self.read(|_, tx| {
            let events = inbox::counts(tx)?.into_iter().map(|(state, n)| (state.as_str(), n));
            let jobs = jobs::counts(tx)?.into_iter().map(|(state, n)| (state.as_str(), n));
            Ok(WorkCounts { events: events.collect(), jobs: jobs.collect() })
        })
    }

    /// When the next event or job is due.
    pub fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        self.read(|_, tx| {
            let due = [inbox::next_due(tx)?, jobs::next_due(tx)?];
            Ok(due.into_iter().flatten().min())
        })
    }

    /// Leaves a job for `run_at`; the same one for the same instant is left once.
    pub(crate) fn enqueue(
        &self,
        tx: &mut Tx<'_>,
        job: &Job,
        run_at: Timestamp,
    ) -> Result<(), EngineError> {
        let payload = serde_json::to_string(job).expect("a job is plain data");
        let dedup_key = format!("{payload}@{}", run_at.micros());
        self.enqueue_as(tx, (job, payload), dedup_key, run_at)
    }

    /// Leaves a job unless one like it is waiting already.
    pub(crate) fn enqueue_once(
        &self,
        tx: &mut Tx<'_>,
        job: &Job,
        run_at: Timestamp,
    ) -> Result<(), EngineError> {
        let payload = serde_json::to_string(job).expect("a job is plain data");
        self.enqueue_as(tx, (job, payload.clone()), payload, run_at)
    }

    fn enqueue_as(
        &self,
        tx: &mut Tx<'_>,
        (job, payload): (&Job, String),
        dedup_key: String,
        run_at: Timestamp,
    ) -> Result<(), EngineError> {
        let customer = match job {
            Job::ExpireCredits { customer, .. }
            | Job::ExpireOverride { customer, .. }
            | Job::EndGrace { customer } => Some(customer.clone()),
            _ => None,
        };
        let new = jobs::NewJob {
            id: self.new_id(IdKind::Job),
            kind: job.kind().to_owned(),
            customer,
            dedup_key: Some(dedup_key),
            payload,
            run_at,
            created_at: self.now(),
        };
        jobs::enqueue(tx, &new)?;
        self.inner.wake.ring();
        Ok(())
    }

    fn run_jobs(&self) -> Result<usize, EngineError> {
        let token = self.new_id(IdKind::Request);
        let claimed = {
            let token = token.clone();
            self.write(move |engine, tx| {
                let now = engine.now();
                let lease_until = now.plus_seconds(LEASE_SECONDS);
                let claim = Claim { now, lease_until, token: &token, limit: BATCH };
                Ok(jobs::claim_due(tx, claim)?)
            })?
        };
        for job in &claimed {
            self.run_job(job, &token)?;
        }
        Ok(claimed.len())
    }

    fn run_job(&self, row: &jobs::Job, token: &str) -> Result<(), EngineError> {
        let outcome = serde_json::from_str::<Job>(&row.payload)
            .map_err(|_| EngineError::refused("unknown_job", "this version does not know this job"))
            .and_then(|job| self.do_job(&job, &Call::new("job", row.id.clone())));
        let (id, token, attempts) = (row.id.clone(), token.to_owned(), row.attempts);
        self.write(move |engine, tx| {
            let lease = Lease { id: &id, token: &token };
            let now = engine.now();
            match &outcome {
                Ok(()) => Ok(jobs::finish(tx, lease, now)?),
                // Nothing was tried, so it is not a failed attempt.
                Err(error) if let Some(seconds) = error.held_back() => {
                    let at = now.plus_seconds(seconds);
                    Ok(jobs::not_before(tx, lease, at, &error.to_string())?)
                }
                Err(error) if ATTEMPTS_MAX <= attempts && !error.passes() => {
                    engine.alert(tx, "job", &id, &error.to_string())?;
                    Ok(jobs::dead(tx, lease, now, &error.to_string())?)
                }
                Err(error) => {
                    let at = now.plus_seconds(1_i64 << attempts.clamp(1, 12));
                    Ok(jobs::retry(tx, lease, at, &error.to_string())?)
                }
            }
        })
    }

    fn do_job(&self, job: &Job, call: &Call) -> Result<(), EngineError> {
        match job {
            Job::SyncSubscription { subscription } => self.sync_subscription(call, subscription),
            Job::SyncCheckout { checkout } => self.sync_checkout(checkout),
            Job::ExpireTrial { subscription } => self.expire_trial(call, subscription),
            Job::RemindTrial { subscription } => self.remind_trial(call, subscription),
            Job::DunningStep { subscription } => self.dunning_step(call, subscription),
            Job::DunningLook { subscription } => self.dunning_look(call, subscription),
            Job::DunningRetry { subscription, due } => self.dunning_retry(call, subscription, *due),
            Job::GiveUp { subscription } => self.give_up_debt(call, subscription),
            Job::GrantCredits { subscription, window_start } => {
                self.grant_window(call, subscription, *window_start)
            }
            Job::ExpireCredits { customer, credit, .. } => self.expire(customer, credit),
            Job::ExpireOverride { customer, .. } => self.rematerialize(call, customer),
            Job::Rematerialize { version, after } => self.visit(call, *version, after),
            Job::CancelAtProvider { provider_id } => self.cancel_at_provider(provider_id),
            Job::CheckRoom { subscription, change_at } => {
                self.check_room_before(call, subscription, *change_at)
            }
            Job::EndGrace { customer } => self.end_grace(call, customer),
            Job::SendRefund { refund } => self.send_refund(call, refund, true),
            Job::EndAfterRefund { subscription } => self.end_after_refund(call, subscription),
            Job::MailTrialEnding { subscription } => self.mail_trial_ending(subscription),
            Job::MailLastChance { subscription } => self.mail_last_chance(subscription),
            Job::Reconcile => self.reconcile_daily(call),
            Job::ReconcileCustomers { after } => self.reconcile_batch(call, after),
            Job::ResolveIntent { intent } => self.resolve_intent(call, intent),
            Job::UpdateAtProvider { customer } => self.update_at_provider(customer),
            Job::DeleteAtProvider { provider_id } => {
                match self.stripe()?.delete_customer(provider_id) {
                    Err(error) if error.is_refusal("resource_missing") => Ok(()),
                    deleted => Ok(deleted?),
                }
            }
        }
    }

    /// Asks the provider how a subscription stands and absorbs the answer.
    pub(crate) fn sync_subscription(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let Some(stored) = self.read(|_, tx| Ok(subscriptions::find(tx, id)?))? else {
            return Ok(());
        };
        if stored.subscription.status == subscription::Status::Canceled {
            return Ok(());
        }
        self.look_and_absorb(call, &Subject::Subscription(stored.provider_id))
    }

    /// Fetches `subject` and absorbs it, outside of any event.
    pub(crate) fn look_and_absorb(
        &self,
        call: &Call,
        subject: &Subject,
    ) -> Result<(), EngineError> {
        let fetch = self.next_fetch()?;
        let snapshots = self.stripe()?.fetch(subject)?;
        let call = call.clone();
        self.write(move |engine, tx| {
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            engine.absorb(tx, &call, &sighting).map(|_| ())
        })
    }

    /// At a trial's end the provider is asked first; without a payment it ends a little later.
    fn expire_trial(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        if let Err(error) = self.sync_subscription(call, id) {
            tracing::warn!(subscription.id = id, %error, "the provider could not be asked");
        }
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let now = engine.now();
            let Some(stored) = subscriptions::find(tx, &id)? else {
                return Ok(());
            };
            let ends_at = stored.subscription.trial_ends_at.unwrap_or(now);
            let last = ends_at.plus_seconds(TRIAL_GRACE);
            if stored.subscription.status != subscription::Status::Trialing {
                return Ok(());
            }
            if now < last {
                return engine.enqueue(tx, &Job::ExpireTrial { subscription: id.clone() }, last);
            }
            let over = subscription::expire_trial(&stored.subscription, now);
            engine.take_over(tx, &call, stored, over)
        })
    }

    /// Asks the provider first: the payment may have arrived without a word.
    fn dunning_step(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        if let Err(error) = self.sync_subscription(call, id) {
            tracing::warn!(subscription.id = id, %error, "the provider could not be asked");
        }
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let Some(stored) = subscriptions::find(tx, &id)? else {
                return Ok(());
            };
            let (_, catalog) = engine.catalog(tx)?;
            let step = dunning::step(&stored.subscription, &catalog.dunning, engine.now());
            engine.take_over(tx, &call, stored, step)
        })
    }

    /// Saves what became of a subscription without the provider, and what follows.
    fn take_over(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        stored: subscriptions::Stored,
        absorbed: Option<subscription::Absorbed>,
    ) -> Result<(), EngineError> {
        let (Some(absorbed), Some(mut customer)) =
            (absorbed, customers::lock(tx, &stored.customer)?)
        else {
            return Ok(());
        };
        let stored = subscriptions::Stored { subscription: absorbed.next, ..stored };
        subscriptions::save(tx, &stored)?;
        self.follow_up(tx, call, &mut customer, &stored, &absorbed.events)
    }

    fn grant_window(&self, call: &Call, id: &str, start: Timestamp) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let Some(found) = subscriptions::find(tx, &id)? else {
                return Ok(());
            };
            customers::lock(tx, &found.customer)?;
            // Once more behind the lock: the plan may have been changed in between.
            let Some(stored) = subscriptions::find(tx, &id)? else {
                return Ok(());
            };
            let running = stored.subscription.status == subscription::Status::Active
                && stored.subscription.period.contains(start);
            if !running {
                return Ok(());
            }
            let (_, catalog) = engine.catalog(tx)?;
            let key = stored.subscription.plan.as_str();
            let Some(plan) = catalog.plans.get(key) else {
                return Ok(());
            };
            let window = Window { start, replaces: false, paid: PaidBy::AsBefore };
            engine.grant_plan_credits(tx, &call, ((key, plan), &stored), window)
        })
    }

    fn expire(&self, customer: &CustomerId, credit: &str) -> Result<(), EngineError> {
        let (customer, credit) = (customer.clone(), credit.to_owned());
        self.write(move |engine, tx| match credits::lock(tx, &customer, &credit)? {
            Some(mut account) => engine.expire_credits(tx, &customer, &mut account, engine.now()),
            None => Ok(()),
        })
    }

    fn rematerialize(&self, call: &Call, id: &CustomerId) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.clone());
        self.write(move |engine, tx| engine.rematerialize_in(tx, &call, &id))
    }

    /// Gives one customer what the catalog and the exceptions say now.
    pub(crate) fn rematerialize_in(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &CustomerId,
    ) -> Result<(), EngineError> {
        let Some(mut customer) = customers::lock(tx, id)? else {
            return Ok(());
        };
        self.next_revision(tx, &mut customer)?;
        self.announce_state(tx, call, &customer)
    }

    /// One transaction for each customer, so that nobody waits for the others.
    fn visit(&self, call: &Call, version: i64, after: &str) -> Result<(), EngineError> {
        let (current, ids) = self.read(|engine, tx| {
            let (current, _) = engine.catalog(tx)?;
            Ok((current, customers::ids_after(tx, after, VISIT)?))
        })?;
        if current != version {
            return Ok(());
        }
        for id in &ids {
            self.rematerialize(call, id)?;
        }
        let Some(last) = ids.last() else {
            return Ok(());
        };
        let next = Job::Rematerialize { version, after: last.to_string() };
        self.write(move |engine, tx| engine.enqueue(tx, &next, engine.now()))
    }

    pub(crate) fn cancel_at_provider(&self, provider_id: &str) -> Result<(), EngineError> {
        match self.stripe()?.cancel_subscription_now(provider_id) {
            Err(error) if error.is_refusal("resource_missing") => Ok(()),
            canceled => Ok(canceled.map(|_| ())?),
        }
    }
}

impl Job {
    /// The word for what is to be done.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::SyncSubscription { .. } => "sync_subscription",
            Self::SyncCheckout { .. } => "sync_checkout",
            Self::ExpireTrial { .. } => "expire_trial",
            Self::RemindTrial { .. } => "remind_trial",
            Self::DunningStep { .. } => "dunning_step",
            Self::DunningLook { .. } => "dunning_look",
            Self::DunningRetry { .. } => "dunning_retry",
            Self::GiveUp { .. } => "give_up",
            Self::GrantCredits { .. } => "grant_credits",
            Self::ExpireCredits { .. } => "expire_credits",
            Self::ExpireOverride { .. } => "expire_override",
            Self::Rematerialize { .. } => "rematerialize",
            Self::CancelAtProvider { .. } => "cancel_at_provider",
            Self::CheckRoom { .. } => "check_room",
            Self::EndGrace { .. } => "end_grace",
            Self::SendRefund { .. } => "send_refund",
            Self::EndAfterRefund { .. } => "end_after_refund",
            Self::MailTrialEnding { .. } => "mail_trial_ending",
            Self::MailLastChance { .. } => "mail_last_chance",
            Self::Reconcile => "reconcile",
            Self::ReconcileCustomers { .. } => "reconcile_customers",
            Self::ResolveIntent { .. } => "resolve_intent",
            Self::UpdateAtProvider { .. } => "update_at_provider",
            Self::DeleteAtProvider { .. } => "delete_at_provider",
        }
    }
}
