//! What the provider's facts alone lead to, derived from nothing that we stored.

use farthing_core::facts::{self, PriceBook};
use farthing_core::ids::CustomerId;
use farthing_core::subscription::{self, Payment, ProviderStatus, Seen, Status, Subscription};
use farthing_core::time::Timestamp;
use farthing_store::drift::Repair;
use farthing_store::subscriptions::Stored;
use farthing_store::{Tx, jobs, subscriptions};

use super::Drift;
use super::look::Theirs;
use super::view::fields;
use crate::books::price_book;
use crate::jobs::Job;
use crate::{Engine, EngineError, STRIPE};

impl Engine {
    /// What still differs after everything was absorbed: a person has to look.
    pub(super) fn unexplained(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        theirs: &Theirs,
    ) -> Result<Vec<Drift>, EngineError> {
        let book = price_book(tx, STRIPE)?;
        let ours = subscriptions::of_customer(tx, customer)?;
        let mut drift = link(customer, theirs);
        for id in &theirs.missing {
            let known = ours.iter().find(|stored| stored.provider_id == *id);
            let ours = known.map_or("there", |known| known.subscription.status.as_str());
            drift.push(Drift::new(Repair::Person, (id, "subscription"), (ours, "missing")));
        }
        for stored in &ours {
            let Some(expected) = expected(theirs, &stored.provider_id, &book, self.now()) else {
                continue;
            };
            if !is_being_ended(tx, stored)? {
                drift.extend(differences(stored, &expected));
            }
        }
        Ok(drift)
    }
}

/// The customer that is linked is there, and is the one that says it is ours.
fn link(customer: &CustomerId, theirs: &Theirs) -> Vec<Drift> {
    let Some(linked) = &theirs.customer else {
        return Vec::new();
    };
    let one = |ours: &str, theirs: &str| {
        vec![Drift::new(Repair::Person, (&linked.id, "customer"), (ours, theirs))]
    };
    match &linked.app_id {
        _ if !linked.there => one("linked", "missing"),
        Some(other) if other != customer.as_str() => one(customer.as_str(), other),
        _ => Vec::new(),
    }
}

/// A subscription as the provider's facts alone have it. `None`: they cannot be understood, which is
/// told elsewhere, or there are none.
fn expected(
    theirs: &Theirs,
    id: &str,
    book: &PriceBook,
    now: Timestamp,
) -> Option<(Seen, Subscription)> {
    let snapshot = theirs.subscriptions.iter().find(|snapshot| snapshot.id == id)?;
    let invoices: Vec<_> =
        theirs.invoices.iter().filter(|it| it.subscription.as_deref() == Some(id)).collect();
    let seen = facts::seen(snapshot, &invoices, book).ok()?;
    // What was on trial goes on until the first payment succeeds or fails.
    let on_trial = seen.trial.map(|_| {
        let (status, paid) = (ProviderStatus::Trialing, Vec::new());
        subscription::absorb(None, &Seen { status, paid, ..seen.clone() }, now).next
    });
    let expected = subscription::absorb(on_trial.as_ref(), &seen, now).next;
    Some((seen, expected))
}

/// Whether we gave it up and the provider is about to be told.
fn is_being_ended(tx: &mut Tx<'_>, stored: &Stored) -> Result<bool, EngineError> {
    let ends = [
        Job::CancelAtProvider { provider_id: stored.provider_id.clone() },
        Job::GiveUp { subscription: stored.id.clone() },
    ];
    for job in ends {
        let payload = serde_json::to_string(&job).expect("a job is plain data");
        if jobs::is_pending(tx, job.kind(), &payload)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn differences(stored: &Stored, (seen, expected): &(Seen, Subscription)) -> Vec<Drift> {
    let ours = &stored.subscription;
    // A trial that nobody may have twice, or that ran out, is over here before it is there.
    let unpaid = ours.status == Status::Incomplete && expected.status == Status::Trialing;
    if unpaid || (ours.status == Status::Canceled && expected.status == Status::Canceled) {
        return Vec::new();
    }
    let told = |field: &str| match field {
        // While a period is on its way to being paid the provider is on what comes next, and what was
        // paid before it cannot be told from what came before that.
        "standing" | "plan" | "price" | "interval" | "pending_change" => {
            seen.payment != Payment::Waiting
        }
        // Afterwards the provider does not say it any more.
        "trial_ends_at" => expected.status == Status::Trialing,
        _ => true,
    };
    let mut drift = Vec::new();
    for (field, theirs) in fields(expected) {
        let known = fields(ours).into_iter().find(|(known, _)| *known == field);
        let Some((_, ours)) = known.filter(|_| told(field)) else {
            continue;
        };
        let same = match field {
            "standing" => (ours == "good") == (theirs == "good"),
            _ => ours == theirs,
        };
        if !same {
            drift.push(Drift::new(Repair::Person, (&stored.provider_id, field), (ours, theirs)));
        }
    }
    drift
}
