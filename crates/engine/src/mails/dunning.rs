//! Mails about an overdue payment, at the steps that the catalog's `email_on` names.

use farthing_core::catalog::{Catalog, DunningMail, Retries};
use farthing_core::dunning::next_step_at;
use farthing_core::snapshot::Card;
use farthing_core::subscription::{self, Event, Standing};
use farthing_core::time::Timestamp;
use farthing_mail::Letter;
use farthing_mail::letter::{CardName, Due, Overdue, Reason};
use farthing_store::dunning as cases;
use farthing_store::mails::{self, Mail};
use farthing_store::owed::{self, Owed};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers};

use super::letters::{Scene, lapse, standing};
use super::{Occasion, plan_name};
use crate::jobs::Job;
use crate::{Engine, EngineError};

/// How long before the plan ends its owner is told once more, in seconds.
const LAST_CHANCE: i64 = 2 * 86_400;

impl Engine {
    /// The letter for a step of dunning, with the fact that it tells.
    pub(super) fn dunning_letter(
        &self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_>,
        event: &Event,
    ) -> Result<Option<(String, Letter)>, EngineError> {
        let (catalog, stored) = (scene.catalog, scene.stored);
        if step(event).is_none_or(|step| !catalog.dunning.email_on.contains(&step)) {
            return Ok(None);
        }
        let since = match event {
            Event::Recovered | Event::DunningExhausted => scene.before.standing.since(),
            _ => stored.subscription.standing.since(),
        };
        // It failed and was paid in one and the same look: there is nothing to tell.
        let Some(since) = since else { return Ok(None) };
        let letter = match event {
            Event::WentPastDue => Letter::PaymentFailed(self.overdue(tx, catalog, stored)?),
            Event::AccessLimited => {
                self.tell_before_the_end(tx, catalog, stored)?;
                Letter::AccessLimited(self.overdue(tx, catalog, stored)?)
            }
            Event::DunningExhausted => {
                let kept = catalog.dunning.keep_data.map(|span| span.after(self.now()));
                Letter::GivenUp(lapse(scene, kept))
            }
            _ => Letter::Recovered(standing(catalog, &stored.subscription)),
        };
        Ok(Some((episode(letter.kind(), &stored.id, since), letter)))
    }

    /// An overdue payment was tried again in vain; `fact` names the try.
    pub(super) fn mail_retry_failed(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        fact: &str,
    ) -> Result<(), EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        if !catalog.dunning.email_on.contains(&DunningMail::EachRetry) {
            return Ok(());
        }
        let letter = Letter::RetryFailed(self.overdue(tx, &catalog, stored)?);
        let key = format!("retry_failed:{fact}");
        let (customer, subject) = (Some(&stored.customer), stored.id.as_str());
        self.mail(tx, &Occasion { customer, key, subject, letter })
    }

    /// A letter about an overdue payment with what is known by now: why it failed, what is owed,
    /// what happens next. Other letters stay as they are.
    pub(super) fn as_of_now(
        &self,
        tx: &mut Tx<'_>,
        mail: &Mail,
        letter: Letter,
    ) -> Result<Letter, EngineError> {
        let about: fn(Overdue) -> Letter = match letter {
            Letter::PaymentFailed(_) => Letter::PaymentFailed,
            Letter::RetryFailed(_) => Letter::RetryFailed,
            Letter::LastChance(_) => Letter::LastChance,
            Letter::AccessLimited(_) => Letter::AccessLimited,
            _ => return Ok(letter),
        };
        let Some(stored) = subscriptions::find(tx, &mail.subject)? else { return Ok(letter) };
        let (_, catalog) = self.catalog(tx)?;
        Ok(about(self.overdue(tx, &catalog, &stored)?))
    }

    /// A bank wants its customer to confirm a payment, and nobody was told so yet: the mail about
    /// the failure says it as well, when it is still to be sent.
    pub(super) fn mail_action_required(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
    ) -> Result<(), EngineError> {
        let Some(stored) = subscriptions::find(tx, id)? else { return Ok(()) };
        let (_, catalog) = self.catalog(tx)?;
        let told = catalog.dunning.email_on.contains(&DunningMail::Failure);
        let Some(since) = stored.subscription.standing.since().filter(|_| told) else {
            return Ok(());
        };
        let failed = episode("payment_failed", id, since);
        let failed = mails::find_by_key(tx, &stored.customer, &failed)?;
        let says_so = |mail: &Mail| {
            mail.closed_at.is_none()
                || serde_json::from_str(&mail.data).is_ok_and(|letter| {
                    matches!(
                        letter,
                        Letter::PaymentFailed(Overdue {
                            reason: Reason::AuthenticationRequired,
                            ..
                        })
                    )
                })
        };
        if failed.as_ref().is_some_and(says_so) {
            return Ok(());
        }
        let overdue = self.overdue(tx, &catalog, &stored)?;
        let until = overdue.read_only_at.or(overdue.ends_at);
        let Overdue { plan, amount, pay_url, .. } = overdue;
        let letter = Letter::ActionRequired(Due { plan, amount, pay_url, until });
        let key = episode(letter.kind(), id, since);
        let customer = Some(&stored.customer);
        self.mail(tx, &Occasion { customer, key, subject: id, letter })
    }

    /// What is owed and what happens next, as of now.
    fn overdue(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        stored: &Stored,
    ) -> Result<Overdue, EngineError> {
        let now = self.now();
        let (sub, policy) = (&stored.subscription, &catalog.dunning);
        let owed = owed::by_subscription(tx, &stored.customer, &stored.id)?;
        let owed = owed.as_ref();
        let reason = owed.map_or(Reason::Other, reason);
        let later = |at: &Timestamp| now < *at;
        let since = sub.standing.since().unwrap_or(now);
        let tried_again = !(reason == Reason::Hard && policy.stop_on_hard_decline);
        let theirs = owed.and_then(|owed| owed.next_attempt_at).filter(later);
        // Once the invoice was looked at its case knows; until then it is as the catalog plans it.
        let case = cases::open_of(tx, &stored.customer, &stored.id)?.filter(|case| case.announced);
        let planned = || match &policy.retries {
            Retries::Provider => None,
            Retries::After(spans) => spans.iter().map(|span| span.after(since)).find(later),
        };
        let retry_at = match &case {
            Some(case) => case.next_retry_at.filter(later),
            None => theirs.or_else(planned),
        };
        let read_only_at = match sub.standing {
            Standing::PastDue { .. } => next_step_at(sub, policy).filter(later),
            Standing::Good | Standing::ReadOnly { .. } => None,
        };
        Ok(Overdue {
            plan: plan_name(catalog, &sub.plan),
            amount: owed.map(unpaid),
            card: owed.and_then(|owed| card(owed.card.as_deref()?)),
            reason,
            pay_url: owed.and_then(|owed| owed.hosted_url.clone()),
            retry_at: retry_at.filter(|_| tried_again),
            read_only_at,
            ends_at: Some(policy.read_only_until.after(since)).filter(later),
            then: plan_name(catalog, &policy.move_to),
        })
    }

    /// Leaves the last chance for later; when the end is nearer than that, the mail that goes out
    /// now is the last one.
    fn tell_before_the_end(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        stored: &Stored,
    ) -> Result<(), EngineError> {
        let Some(since) = stored.subscription.standing.since() else { return Ok(()) };
        let at = catalog.dunning.read_only_until.after(since).plus_seconds(-LAST_CHANCE);
        if at <= self.now() {
            return Ok(());
        }
        self.enqueue(tx, &Job::MailLastChance { subscription: stored.id.clone() }, at)
    }

    /// The end is near: its owner is told once more, if nothing was paid in the meantime.
    pub(crate) fn mail_last_chance(&self, id: &str) -> Result<(), EngineError> {
        let id = id.to_owned();
        self.write(move |engine, tx| {
            let Some(found) = subscriptions::find(tx, &id)? else { return Ok(()) };
            customers::lock(tx, &found.customer)?;
            // Once more behind the lock: it may have been paid in between.
            let Some(stored) = subscriptions::find(tx, &id)? else { return Ok(()) };
            let (_, catalog) = engine.catalog(tx)?;
            let told = catalog.dunning.email_on.contains(&DunningMail::LastChance);
            let overdue = stored.subscription.status == subscription::Status::Active;
            let Standing::ReadOnly { since } = stored.subscription.standing else { return Ok(()) };
            if !told || !overdue {
                return Ok(());
            }
            let letter = Letter::LastChance(engine.overdue(tx, &catalog, &stored)?);
            let key = episode(letter.kind(), &stored.id, since);
            let (customer, subject) = (Some(&stored.customer), stored.id.as_str());
            engine.mail(tx, &Occasion { customer, key, subject, letter })
        })
    }
}

/// The word in the catalog for the mail of an event; `None`: there is none.
fn step(event: &Event) -> Option<DunningMail> {
    match event {
        Event::WentPastDue => Some(DunningMail::Failure),
        // What follows the last retry is the way to the end: less access, then the end itself.
        Event::AccessLimited | Event::DunningExhausted => Some(DunningMail::LastChance),
        Event::Recovered => Some(DunningMail::Recovered),
        _ => None,
    }
}

/// One mail of each kind for one overdue payment, which is known by when it failed first.
pub(super) fn episode(kind: &str, subscription: &str, since: Timestamp) -> String {
    format!("{kind}:{subscription}:{}", since.micros())
}

fn reason(owed: &Owed) -> Reason {
    if owed.payment.as_deref() == Some("requires_action") {
        return Reason::AuthenticationRequired;
    }
    Reason::of_code(owed.failure_code.as_deref())
}

fn unpaid(owed: &Owed) -> farthing_core::money::Money {
    let minor = owed.total.minor.saturating_sub(owed.paid.minor);
    farthing_core::money::Money { minor, ..owed.total }
}

fn card(json: &str) -> Option<CardName> {
    let card: Card = serde_json::from_str(json).ok()?;
    Some(CardName { brand: card.brand, last4: card.last4 })
}
