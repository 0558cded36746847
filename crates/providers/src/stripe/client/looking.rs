//! What an event is about, as it is now, and the list of all events.

use farthing_core::snapshot::{ChargeSnapshot, Snapshot};
use farthing_core::time::Timestamp;

use super::Stripe;
use crate::error::CallError;
use crate::stripe::answer::Page;
use crate::stripe::events::{self, EventEnvelope, ListedEvent, Subject};

impl Stripe {
    /// What an event makes us look at.
    pub fn subject(event: &EventEnvelope) -> Subject {
        events::subject(event)
    }

    /// One page of the events of some types (none: of all) since an instant, the newest first.
    /// Stripe keeps them for 30 days. Refused when there are more than
    /// [`EVENT_TYPES_AT_ONCE`](events::EVENT_TYPES_AT_ONCE) types.
    pub fn list_events_page(
        &self,
        types: &[&str],
        since: Option<Timestamp>,
        after: Option<&str>,
    ) -> Result<Page<ListedEvent>, CallError> {
        self.call(&events::encode_list_events(types, since, after)?, events::decode_events)
    }

    /// Reads everything that an event is about, as it is now, what was bought before what became
    /// of it.
    ///
    /// An invoice comes with its subscription, a subscription with its newest invoice, a checkout
    /// with both: each of the events of one purchase yields the whole purchase. What went back
    /// comes with the charge and with what that had paid, so that nothing else has to be known
    /// already.
    pub fn fetch(&self, subject: &Subject) -> Result<Vec<Snapshot>, CallError> {
        match subject {
            Subject::Subscription(id) => Ok(vec![self.look_at_subscription(id)?]),
            Subject::Schedule(id) => match self.fetch_schedule(id)?.subscription {
                Some(subscription) => Ok(vec![self.look_at_subscription(&subscription)?]),
                None => Ok(Vec::new()),
            },
            Subject::Invoice(id) => self.look_at_invoice(id),
            Subject::Checkout(id) => {
                Ok(vec![Snapshot::Checkout(Box::new(self.fetch_checkout(id)?))])
            }
            Subject::Charge(id) => self.look_at_charge(id),
            Subject::Refund(id) => {
                let refund = self.fetch_refund(id)?;
                let mut found = self.look_at_paid(refund.charge.as_deref())?;
                found.push(Snapshot::Refund(Box::new(refund)));
                Ok(found)
            }
            Subject::Dispute(id) => {
                let dispute = self.fetch_dispute(id)?;
                let mut found = self.look_at_paid(Some(&dispute.charge))?;
                found.push(Snapshot::Dispute(Box::new(dispute)));
                Ok(found)
            }
            Subject::PaymentMethod(id) => {
                Ok(vec![Snapshot::PaymentMethod(Box::new(self.fetch_payment_method(id)?))])
            }
            Subject::SetupIntent(id) => {
                let stored = self.fetch_setup_intent(id)?;
                Ok(stored
                    .map(|method| Snapshot::PaymentMethod(Box::new(method)))
                    .into_iter()
                    .collect())
            }
            Subject::CustomerDeleted(id) => {
                let found = self.fetch_customer(id)?;
                let gone = found.deleted.then_some(Snapshot::CustomerDeleted(found.customer));
                Ok(gone.into_iter().collect())
            }
            Subject::Ignored => Ok(Vec::new()),
        }
    }

    fn look_at_subscription(&self, id: &str) -> Result<Snapshot, CallError> {
        Ok(Snapshot::Subscription(Box::new(self.fetch_subscription(id)?)))
    }

    fn look_at_invoice(&self, id: &str) -> Result<Vec<Snapshot>, CallError> {
        let invoice = self.fetch_invoice(id)?;
        let subscription = match &invoice.subscription {
            Some(id) => Some(self.look_at_subscription(id)?),
            None => None,
        };
        let mut found = vec![Snapshot::Invoice(Box::new(invoice))];
        found.extend(subscription);
        Ok(found)
    }

    /// A charge with everything that went back of it.
    fn look_at_charge(&self, id: &str) -> Result<Vec<Snapshot>, CallError> {
        let charge = self.fetch_charge(id)?;
        let mut back = Vec::new();
        if let Some(payment) = &charge.payment {
            let refunds = self.list_refunds(payment)?;
            back.extend(refunds.into_iter().map(|refund| Snapshot::Refund(Box::new(refund))));
            if charge.disputed {
                let disputes = self.list_disputes(payment)?;
                back.extend(disputes.into_iter().map(|it| Snapshot::Dispute(Box::new(it))));
            }
        }
        let mut found = self.look_at_bought(charge)?;
        found.extend(back);
        Ok(found)
    }

    /// A charge with what it paid; nothing without one.
    fn look_at_paid(&self, charge: Option<&str>) -> Result<Vec<Snapshot>, CallError> {
        charge.map_or(Ok(Vec::new()), |id| self.look_at_bought(self.fetch_charge(id)?))
    }

    /// What a charge paid, and then the charge.
    fn look_at_bought(&self, charge: ChargeSnapshot) -> Result<Vec<Snapshot>, CallError> {
        let mut found = match (&charge.invoice, &charge.checkout, &charge.payment) {
            (Some(invoice), _, _) => self.look_at_invoice(invoice)?,
            (None, Some(_), Some(payment)) => {
                let checkout = self.find_checkout(payment)?;
                checkout.map(|found| Snapshot::Checkout(Box::new(found))).into_iter().collect()
            }
            (None, _, _) => Vec::new(),
        };
        found.push(Snapshot::Charge(Box::new(charge)));
        Ok(found)
    }
}
