//! Keeping a case up to date with what the provider says of the invoice.

use farthing_core::catalog::Catalog;
use farthing_core::decline::{self, AUTHENTICATION_REQUIRED, Path};
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::snapshot::{
    InvoiceSnapshot, InvoiceStatus, PaymentSnapshot, PaymentStatus, SubscriptionSnapshot,
};
use farthing_core::subscription::Event;
use farthing_core::time::Timestamp;
use farthing_providers::CallError;
use farthing_providers::stripe::Subject;
use farthing_store::customers::Customer;
use farthing_store::dunning::{self, Case, Outcome};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers, invoices, jobs};
use serde_json::{Value, json};

use super::{is_ours, may_retry, view};
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError};

impl Engine {
    /// Opens the case of a subscription that has become overdue, and has its invoice looked at.
    pub(crate) fn open_case(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        events: &[Event],
    ) -> Result<(), EngineError> {
        if !events.iter().any(|event| matches!(event, Event::WentPastDue)) {
            return Ok(());
        }
        let case = Case {
            customer: stored.customer.clone(),
            id: self.new_id(IdKind::Dunning),
            subscription: stored.id.clone(),
            invoice: None,
            started_at: self.now(),
            announced: false,
            attempts: 0,
            next_retry_at: None,
            tried_at: None,
            path: Path::Retry,
            decline_code: None,
            method: None,
        };
        dunning::open(tx, &case)?;
        self.enqueue(tx, &Job::DunningLook { subscription: stored.id.clone() }, self.now())
    }

    /// Closes the case of a subscription that was paid, given up or ended.
    pub(crate) fn close_case(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        events: &[Event],
    ) -> Result<(), EngineError> {
        for event in events {
            let outcome = match event {
                Event::Recovered => Outcome::Recovered,
                Event::DunningExhausted => Outcome::Exhausted,
                Event::Ended => Outcome::Ended,
                _ => continue,
            };
            let now = self.now();
            dunning::close(tx, &stored.customer, &stored.id, (outcome, now))?;
        }
        Ok(())
    }

    /// What is known of the open case of a subscription, for the events about it.
    pub(crate) fn case_data(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        stored: &Stored,
    ) -> Result<Option<Value>, EngineError> {
        let Some(case) = dunning::open_of(tx, &stored.customer, &stored.id)? else {
            return Ok(None);
        };
        Ok(Some(json!(view(tx, catalog, (&case, stored))?)))
    }

    /// Looks at the unpaid invoice: why it was not paid. Where the tries are ours the provider is
    /// asked to make none.
    pub(crate) fn dunning_look(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let found = self.read(|engine, tx| {
            let Some(stored) = subscriptions::find(tx, id)? else {
                return Ok(None);
            };
            if dunning::open_of(tx, &stored.customer, id)?.is_none() {
                return Ok(None);
            }
            let (_, catalog) = engine.catalog(tx)?;
            let owed = invoices::newest_owed(tx, &stored.customer, id)?;
            Ok(owed.map(|invoice| (invoice.provider_id, is_ours(&catalog))))
        })?;
        let Some((invoice, ours)) = found else {
            return Ok(());
        };
        if ours {
            self.hold(&invoice)?;
        }
        self.look_and_absorb(call, &Subject::Invoice(invoice))
    }

    /// Switches the provider's own tries off for an invoice. It needs no intent: doing it twice is
    /// doing it once.
    pub(super) fn hold(&self, invoice: &str) -> Result<(), EngineError> {
        let stripe = self.stripe()?;
        if stripe.fetch_invoice(invoice)?.next_attempt_at.is_none() {
            return Ok(());
        }
        match stripe.hold_invoice(invoice, &format!("farthing:hold:{invoice}")) {
            Err(CallError::Refused { code, .. }) => {
                tracing::warn!(code, "an unpaid invoice could not be held; it may be paid by now");
                Ok(())
            }
            held => Ok(held.map(drop)?),
        }
    }

    /// Voids an invoice that nobody paid, then ends its subscription: whoever pays late on the
    /// provider's page would pay for what is no longer given. When it was paid in the last moment,
    /// nothing is ended, and what was bought is given.
    pub(crate) fn give_up_debt(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let found = self.read(|_, tx| {
            let Some(stored) = subscriptions::find(tx, id)? else {
                return Ok(None);
            };
            let owed = invoices::newest_owed(tx, &stored.customer, id)?;
            Ok(Some((stored.provider_id, owed.map(|invoice| invoice.provider_id))))
        })?;
        let Some((provider_id, owed)) = found else {
            return Ok(());
        };
        if let Some(invoice) = owed {
            let stripe = self.stripe()?;
            match stripe.void_invoice(&invoice, &format!("farthing:void:{invoice}")) {
                Ok(_) | Err(CallError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if stripe.fetch_invoice(&invoice)?.status == InvoiceStatus::Paid {
                return self.look_and_absorb(call, &Subject::Invoice(invoice));
            }
        }
        self.cancel_at_provider(&provider_id)
    }

    /// Takes over what an unpaid invoice says: why, what next, and when. Tells people and apps what
    /// is new.
    pub(crate) fn note_invoice(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &CustomerId,
        invoice: &InvoiceSnapshot,
    ) -> Result<(), EngineError> {
        let unpaid = matches!(invoice.status, InvoiceStatus::Open | InvoiceStatus::Uncollectible);
        let Some((stored, case)) = self.case_of(tx, customer, invoice)?.filter(|_| unpaid) else {
            return Ok(());
        };
        let (_, catalog) = self.catalog(tx)?;
        let before = case.clone();
        let mut case = Case { invoice: Some(invoice.id.clone()), ..case };
        if let Some(code) = failure(&invoice.payments) {
            case.decline_code = Some(code);
        }
        case.path = decline::path(case.decline_code.as_deref(), &catalog.dunning);
        let now = self.now();
        let pending = match case.next_retry_at.filter(|due| *due <= now) {
            Some(due) if retry_is_left(tx, &stored.id, due)? => Some(due),
            _ => None,
        };
        case.next_retry_at = match (is_ours(&catalog), pending) {
            // A job has it, and takes it out when it begins.
            (_, Some(due)) => Some(due),
            (false, None) => invoice.next_attempt_at,
            (true, None) if may_retry(case.path) => {
                let since = stored.subscription.standing.since().unwrap_or(case.started_at);
                let planned = decline::next_retry(&catalog.dunning, since, now);
                case.next_retry_at.or(planned)
            }
            (true, None) => None,
        };
        case.announced = true;
        let Some(mut owner) = customers::lock(tx, customer)?.filter(|_| case != before) else {
            return Ok(());
        };
        dunning::save(tx, &case)?;
        self.next_revision(tx, &mut owner)?;
        self.tell_case(tx, call, (&owner, &catalog, &stored), (&before, &case))?;
        self.announce_state(tx, call, &owner)
    }

    fn tell_case(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, catalog, stored): (&Customer, &Catalog, &Stored),
        (before, case): (&Case, &Case),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let confirms = case.path == Path::Confirm;
        let mut news = Vec::new();
        if !before.announced {
            news.push(("dunning.started", now));
        }
        if confirms && (before.path != Path::Confirm || !before.announced) {
            news.push(("payment.action_required", now));
        }
        if let Some(due) = case.next_retry_at.filter(|due| Some(*due) != before.next_retry_at) {
            news.push(("dunning.retry_scheduled", due));
            if is_ours(catalog) {
                let job = Job::DunningRetry { subscription: stored.id.clone(), due };
                self.enqueue(tx, &job, due)?;
            }
        }
        for (action, effective_at) in news {
            let to = Some(json!(view(tx, catalog, (case, stored))?));
            self.record(tx, call, customer, &Change { action, from: None, to, effective_at })?;
        }
        Ok(())
    }

    /// A new card is tried at once, whoever makes the other tries: the customer has done something.
    pub(crate) fn watch_method(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        snapshot: &SubscriptionSnapshot,
    ) -> Result<(), EngineError> {
        let Some(mut case) = dunning::open_of(tx, &stored.customer, &stored.id)? else {
            return Ok(());
        };
        let method = snapshot.default_payment_method.clone().unwrap_or_default();
        if case.method.as_deref() == Some(method.as_str()) {
            return Ok(());
        }
        let known = case.method.is_some();
        let pays = known && !method.is_empty();
        case.method = Some(method);
        let due = self.now();
        if pays {
            case.next_retry_at = Some(due);
            let job = Job::DunningRetry { subscription: stored.id.clone(), due };
            self.enqueue(tx, &job, due)?;
        }
        Ok(dunning::save(tx, &case)?)
    }

    /// The open case that an invoice belongs to: it is the newest of its subscription.
    fn case_of(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        invoice: &InvoiceSnapshot,
    ) -> Result<Option<(Stored, Case)>, EngineError> {
        let Some(provider_id) = &invoice.subscription else {
            return Ok(None);
        };
        let stored = subscriptions::find_by_provider_id(tx, crate::STRIPE, provider_id)?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let newest = invoices::newest_owed(tx, customer, &stored.id)?;
        if newest.is_none_or(|newest| newest.provider_id != invoice.id) {
            return Ok(None);
        }
        let case = dunning::open_of(tx, customer, &stored.id)?;
        Ok(case.map(|case| (stored, case)))
    }
}

/// Whether a job of ours is about to try.
fn retry_is_left(tx: &mut Tx<'_>, id: &str, due: Timestamp) -> Result<bool, EngineError> {
    let job = Job::DunningRetry { subscription: id.to_owned(), due };
    let payload = serde_json::to_string(&job).expect("a job is plain data");
    Ok(jobs::is_pending(tx, job.kind(), &payload)?)
}

/// Why the newest payment of an invoice failed, if it did.
fn failure(payments: &[PaymentSnapshot]) -> Option<String> {
    payments.iter().rev().find_map(|payment| match payment.status {
        PaymentStatus::RequiresAction => Some(AUTHENTICATION_REQUIRED.to_owned()),
        PaymentStatus::Failed => payment.failure_code.clone(),
        _ => None,
    })
}
