//! From what a provider's objects say to what we stand by: one transaction, in any order, once.

use farthing_core::catalog::{GrantSource, TrialClaim};
use farthing_core::facts::{self, PriceBook, Puzzle};
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::snapshot::{
    CheckoutSnapshot, CheckoutStatus, CustomerRef, InvoiceSnapshot, PaymentStatus, Snapshot,
    SubscriptionSnapshot,
};
use farthing_core::subscription::{self, PaidPeriod, Seen, Status};
use farthing_store::checkouts::{self, Checkout, Item};
use farthing_store::customers::{self, Customer};
use farthing_store::invoices::{self, Place};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, effects, owed, trials};
use serde_json::json;

use crate::books::price_book;
use crate::checkouts::{SoldPack, claims};
use crate::follow_up::Change;
use crate::grants::NewCredits;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

/// Snapshots that were fetched together, and the number of that fetch.
pub(crate) struct Sighting {
    pub snapshots: Vec<Snapshot>,
    /// Taken before the fetch began: of two fetches the later one saw at least as much.
    pub fetch: i64,
}

impl Engine {
    /// Absorbs what was fetched; answers whose it was, when it concerned anybody. Nobody
    /// is given anything for a customer who was erased.
    ///
    /// Errors: [`EngineError::Puzzle`] when it cannot be understood; then nothing is changed.
    pub(crate) fn absorb(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        sighting: &Sighting,
    ) -> Result<Option<CustomerId>, EngineError> {
        let book = price_book(tx, STRIPE)?;
        let mut of = None;
        for snapshot in &sighting.snapshots {
            if belongs_to_nobody(tx, snapshot)? {
                continue;
            }
            let absorbed = match snapshot {
                Snapshot::Subscription(subscription) => {
                    let others = invoices_of(&subscription.id, &sighting.snapshots);
                    let found = (subscription.as_ref(), others.as_slice());
                    Some(self.absorb_subscription(tx, call, (found, &book), sighting.fetch)?)
                }
                Snapshot::Invoice(invoice) => {
                    self.absorb_invoice(tx, call, invoice, sighting.fetch)?
                }
                Snapshot::Checkout(checkout) => {
                    self.absorb_checkout(tx, call, (checkout, &book), sighting.fetch)?
                }
                Snapshot::CustomerDeleted(customer) => whose(tx, customer)?,
                Snapshot::Charge(charge) => self.absorb_charge(tx, charge, sighting.fetch)?,
                Snapshot::Refund(refund) => self.absorb_refund(tx, call, refund, sighting.fetch)?,
                Snapshot::Dispute(dispute) => {
                    self.absorb_dispute(tx, call, dispute, sighting.fetch)?
                }
                // Kept for the timeline by whose it is; it has no effect of its own.
                Snapshot::PaymentMethod(method) => whose_if(tx, method.customer.as_ref())?,
            };
            of = absorbed.or(of);
        }
        Ok(of)
    }

    fn absorb_checkout(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (snapshot, book): (&CheckoutSnapshot, &PriceBook),
        fetch: i64,
    ) -> Result<Option<CustomerId>, EngineError> {
        if let Some(subscription) = &snapshot.subscription {
            self.absorb_subscription(tx, call, ((subscription, &[]), book), fetch)?;
        }
        let Some(found) = find_checkout(tx, snapshot)? else {
            return Ok(None);
        };
        let Some(mut customer) = customers::lock(tx, &found.customer)? else {
            return Ok(None);
        };
        // Once more behind the lock: somebody else may have settled it in between.
        let Some(checkout) = find_checkout(tx, snapshot)? else {
            return Ok(None);
        };
        if let Some(reference) = &snapshot.customer {
            customers::link(tx, &customer.id, STRIPE, &reference.provider_id)?;
        }
        if let Some(payment) = &snapshot.payment {
            let place = Place { customer: &customer.id, provider: STRIPE, seen: fetch };
            let id = self.new_id(IdKind::Payment);
            let parents = (None, Some(checkout.id.as_str()));
            invoices::put_payment(tx, place, &id, parents, (payment, self.now()))?;
        }
        if checkout.status != checkouts::Status::Open || fetch < checkout.seen {
            return Ok(Some(customer.id));
        }
        let status = self.settle(tx, call, &mut customer, (&checkout, snapshot))?;
        let settled_at = (status == checkouts::Status::Settled).then(|| self.now());
        let next = Checkout {
            provider_id: Some(snapshot.id.clone()),
            url: snapshot.url.clone().or_else(|| checkout.url.clone()),
            status,
            settled_at,
            seen: fetch,
            ..checkout.clone()
        };
        checkouts::save(tx, &next)?;
        if status != checkout.status {
            self.checkout_closed(tx, call, &customer, &next)?;
        }
        Ok(Some(customer.id))
    }

    /// Where a checkout stands after what the provider says of it; a paid pack is granted here.
    fn settle(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &mut Customer,
        (checkout, snapshot): (&Checkout, &CheckoutSnapshot),
    ) -> Result<checkouts::Status, EngineError> {
        match (snapshot.status, &checkout.item) {
            (CheckoutStatus::Open, _) => Ok(checkouts::Status::Open),
            (CheckoutStatus::Expired, _) => Ok(checkouts::Status::Expired),
            (CheckoutStatus::Complete, Item::Plan { .. }) => settled_plan(tx, snapshot),
            (CheckoutStatus::Complete, Item::Pack { .. }) if !snapshot.paid => {
                let failed = snapshot.payment.as_ref().is_some_and(|payment| {
                    matches!(payment.status, PaymentStatus::Failed | PaymentStatus::Canceled)
                });
                Ok(if failed { checkouts::Status::Failed } else { checkouts::Status::Open })
            }
            (CheckoutStatus::Complete, Item::Pack { pack, sold }) => {
                check_total(checkout, snapshot)?;
                self.grant_pack(tx, call, customer, (checkout, pack, sold))?;
                Ok(checkouts::Status::Settled)
            }
        }
    }

    fn grant_pack(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &mut Customer,
        (checkout, pack, sold): (&Checkout, &str, &str),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let key = format!("checkout_paid:{}", checkout.id);
        if !effects::insert(tx, STRIPE, &key, (&customer.id, &call.cause), now)? {
            return Ok(());
        }
        let unknown = |_| Puzzle::Unknown(format!("what was sold as the pack {pack}"));
        let sold: SoldPack = serde_json::from_str(sold).map_err(unknown)?;
        self.next_revision(tx, customer)?;
        for (credit, amount) in &sold.credits {
            let gift = NewCredits {
                credit,
                business_key: format!("checkout:{}", checkout.id),
                source: GrantSource::Pack,
                amount: *amount,
                expires_at: sold.expires.map(|span| span.after(now)),
                paid_by: Some(checkout.id.clone()),
            };
            self.grant(tx, call, &customer.id, &gift, now)?;
        }
        let to = Some(json!({ "pack": pack, "checkout": checkout.id, "credits": sold.credits }));
        let change = Change { action: "credits.granted", from: None, to, effective_at: now };
        self.record(tx, call, customer, &change)?;
        self.announce_state(tx, call, customer)
    }

    fn checkout_closed(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        checkout: &Checkout,
    ) -> Result<(), EngineError> {
        let action = match checkout.status {
            checkouts::Status::Settled => "checkout.completed",
            checkouts::Status::Expired => "checkout.expired",
            checkouts::Status::Open | checkouts::Status::Failed => "checkout.failed",
        };
        // Whose card had a trial before is not offered another one.
        let used = checkout.failure.as_deref() == Some("trial_used");
        if checkout.status != checkouts::Status::Settled && !used {
            trials::release(tx, &checkout.id)?;
        }
        let to = json!({ "checkout": checkout.id, "status": checkout.status.as_str(), "failure": checkout.failure });
        let to = Some(to);
        let change = Change { action, from: None, to, effective_at: self.now() };
        self.record(tx, call, customer, &change)
    }

    /// Says that a trial is not given, and has the provider end what was begun.
    fn refuse_trial(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        (snapshot, checkout, counted_by): (&SubscriptionSnapshot, &str, TrialClaim),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let to = Some(json!({ "checkout": checkout, "counted_by": counted_by }));
        let change = Change { action: "trial.refused", from: None, to, effective_at: now };
        self.record(tx, call, customer, &change)?;
        let job = Job::CancelAtProvider { provider_id: snapshot.id.clone() };
        self.enqueue(tx, &job, now)?;
        self.fail_checkout(tx, call, customer, checkout)
    }

    /// What was to be bought is not given after all, because its trial is not.
    fn fail_checkout(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        id: &str,
    ) -> Result<(), EngineError> {
        let open = |checkout: &Checkout| {
            checkout.customer == customer.id && checkout.status == checkouts::Status::Open
        };
        let Some(checkout) = checkouts::find(tx, id)?.filter(open) else {
            return Ok(());
        };
        let failure = Some("trial_used".to_owned());
        let failed = Checkout { status: checkouts::Status::Failed, failure, ..checkout };
        checkouts::save(tx, &failed)?;
        self.checkout_closed(tx, call, customer, &failed)
    }

    fn absorb_invoice(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        snapshot: &InvoiceSnapshot,
        fetch: i64,
    ) -> Result<Option<CustomerId>, EngineError> {
        let unknown = || Puzzle::NoCustomer(snapshot.id.clone());
        let customer = whose(tx, &snapshot.customer)?.ok_or_else(unknown)?;
        customers::lock(tx, &customer)?;
        self.mirror_invoice(tx, &customer, snapshot, fetch)?;
        self.note_invoice(tx, call, &customer, snapshot)?;
        Ok(Some(customer))
    }

    fn mirror_invoice(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        snapshot: &InvoiceSnapshot,
        fetch: i64,
    ) -> Result<(), EngineError> {
        let place = Place { customer, provider: STRIPE, seen: fetch };
        let subscription = match &snapshot.subscription {
            None => None,
            Some(id) => subscriptions::find_by_provider_id(tx, STRIPE, id)?,
        };
        let of = subscription.as_ref().map(|found| found.id.as_str());
        let tried = owed::attempts(tx, STRIPE, &snapshot.id)?;
        let id = self.new_id(IdKind::Invoice);
        let id = invoices::put(tx, place, &id, of, snapshot)?;
        for payment in &snapshot.payments {
            let payment_id = self.new_id(IdKind::Payment);
            let parents = (Some(id.as_str()), None);
            invoices::put_payment(tx, place, &payment_id, parents, (payment, self.now()))?;
        }
        self.mail_retry(tx, subscription.as_ref(), (tried, snapshot))
    }

    fn absorb_subscription(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        ((snapshot, others), book): ((&SubscriptionSnapshot, &[&InvoiceSnapshot]), &PriceBook),
        fetch: i64,
    ) -> Result<CustomerId, EngineError> {
        let now = self.now();
        let unknown = || Puzzle::NoCustomer(snapshot.id.clone());
        let id = whose(tx, &snapshot.customer)?.ok_or_else(unknown)?;
        let seen = facts::seen(snapshot, others, book)?;
        let customer = customers::lock(tx, &id)?;
        let known = subscriptions::find_by_provider_id(tx, STRIPE, &snapshot.id)?;
        let Some(mut customer) = customer else {
            return Ok(id);
        };
        let older = known.as_ref().filter(|known| fetch < known.seen);
        let mut seen = match older {
            Some(_) => seen,
            None => self.admit_trial(tx, call, &customer, (snapshot, &known, seen))?,
        };
        let news = |paid: &PaidPeriod| Ok(!effects::exists(tx, STRIPE, &paid_key(paid))?);
        seen.paid = keep_if(seen.paid, news)?;
        if older.is_some() && seen.paid.is_empty() {
            return Ok(id);
        }
        let current = known.as_ref().map(|known| &known.subscription);
        let absorbed = match older {
            Some(known) => subscription::absorb_payments(&known.subscription, &seen.paid),
            None => subscription::absorb(current, &seen, now),
        };
        check_only_one(tx, &id, (snapshot, absorbed.next.status))?;
        let stored = match known {
            Some(known) => {
                let seen = fetch.max(known.seen);
                let next = Stored { subscription: absorbed.next, seen, ..known };
                subscriptions::save(tx, &next)?;
                next
            }
            None => {
                let new = Stored {
                    customer: id.clone(),
                    id: self.new_id(IdKind::Subscription),
                    provider: STRIPE.to_owned(),
                    provider_id: snapshot.id.clone(),
                    subscription: absorbed.next,
                    created_at: now,
                    seen: fetch,
                    version: 1,
                };
                subscriptions::insert(tx, &new)?;
                new
            }
        };
        if let Some(invoice) = &snapshot.latest_invoice {
            self.mirror_invoice(tx, &id, invoice, fetch)?;
        }
        for paid in &seen.paid {
            effects::insert(tx, STRIPE, &paid_key(paid), (&id, &call.cause), now)?;
        }
        if !absorbed.events.is_empty() {
            self.follow_up(tx, call, &mut customer, &stored, &absorbed.events)?;
        }
        self.watch_method(tx, &stored, snapshot)?;
        Ok(id)
    }

    /// A trial whose card had one before is not given: the subscription is canceled at the
    /// provider by a job, and until then it counts as unpaid.
    fn admit_trial(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        (snapshot, known, seen): (&SubscriptionSnapshot, &Option<Stored>, Seen),
    ) -> Result<Seen, EngineError> {
        let starts = seen.status == subscription::ProviderStatus::Trialing
            && known.as_ref().is_none_or(|known| known.subscription.status == Status::Incomplete);
        let (Some(checkout), true) = (&snapshot.checkout, starts) else {
            return Ok(seen);
        };
        let (_, catalog) = self.catalog(tx)?;
        let trial = catalog.plans.get(&seen.plan).and_then(|plan| plan.trial.as_ref());
        let fingerprint = snapshot.card.as_ref().and_then(|card| card.fingerprint.as_deref());
        let counted: &[TrialClaim] = trial.map_or(&[], |trial| &trial.once_per);
        let owner = (&customer.id, checkout.as_str());
        let pepper = self.pepper(tx)?;
        for claim in claims(counted, customer, fingerprint, &pepper) {
            if trials::claim(tx, &claim, owner, self.now())? {
                continue;
            }
            if known.is_none() {
                self.refuse_trial(tx, call, customer, (snapshot, checkout, claim.kind))?;
            }
            return Ok(Seen { status: subscription::ProviderStatus::Incomplete, ..seen });
        }
        Ok(seen)
    }
}

/// The key under which a payment has its effect once.
pub(crate) fn paid_key(paid: &PaidPeriod) -> String {
    format!("paid:{}:{}", paid.invoice, paid.price)
}

/// The items for which `keep` says so.
fn keep_if<T>(
    items: Vec<T>,
    mut keep: impl FnMut(&T) -> Result<bool, EngineError>,
) -> Result<Vec<T>, EngineError> {
    let mut kept = Vec::new();
    for item in items {
        if keep(&item)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

/// Whether it is about somebody who was erased: nobody is given anything for it.
fn belongs_to_nobody(tx: &mut Tx<'_>, snapshot: &Snapshot) -> Result<bool, EngineError> {
    let customer = match snapshot {
        Snapshot::Subscription(subscription) => Some(&subscription.customer),
        Snapshot::Invoice(invoice) => Some(&invoice.customer),
        Snapshot::Checkout(checkout) => checkout.customer.as_ref(),
        Snapshot::CustomerDeleted(customer) => Some(customer),
        Snapshot::Charge(charge) => charge.customer.as_ref(),
        Snapshot::Refund(refund) => refund.customer.as_ref(),
        Snapshot::Dispute(dispute) => dispute.customer.as_ref(),
        Snapshot::PaymentMethod(method) => method.customer.as_ref(),
    };
    customer.map_or(Ok(false), |it| Ok(customers::is_former(tx, STRIPE, &it.provider_id)?))
}

fn invoices_of<'a>(subscription: &str, snapshots: &'a [Snapshot]) -> Vec<&'a InvoiceSnapshot> {
    let invoice = |snapshot: &'a Snapshot| match snapshot {
        Snapshot::Invoice(invoice) if invoice.subscription.as_deref() == Some(subscription) => {
            Some(invoice.as_ref())
        }
        _ => None,
    };
    snapshots.iter().filter_map(invoice).collect()
}

/// Whose a provider's object is: by the customer that we linked, else by the reference that we
/// left on it, which then is linked.
fn whose(tx: &mut Tx<'_>, reference: &CustomerRef) -> Result<Option<CustomerId>, EngineError> {
    if let Some(linked) = customers::of_provider_id(tx, STRIPE, &reference.provider_id)? {
        return Ok(Some(linked));
    }
    let Some(id) = reference.app_id.as_deref().and_then(|id| id.parse::<CustomerId>().ok()) else {
        return Ok(None);
    };
    if customers::lock(tx, &id)?.is_none() {
        return Ok(None);
    }
    customers::link(tx, &id, STRIPE, &reference.provider_id)?;
    Ok(Some(id))
}

pub(crate) fn whose_if(
    tx: &mut Tx<'_>,
    reference: Option<&CustomerRef>,
) -> Result<Option<CustomerId>, EngineError> {
    reference.map_or(Ok(None), |reference| whose(tx, reference))
}

/// Our checkout that a provider's one belongs to; `None` when somebody else made it.
fn find_checkout(
    tx: &mut Tx<'_>,
    snapshot: &CheckoutSnapshot,
) -> Result<Option<Checkout>, EngineError> {
    let Some(id) = &snapshot.checkout else {
        return Ok(None);
    };
    let found = checkouts::find(tx, id)?;
    let ours = |checkout: &Checkout| {
        checkout.provider_id.as_ref().is_none_or(|known| *known == snapshot.id)
    };
    Ok(found.filter(ours))
}

/// A plan's checkout is settled once the subscription that it started is one that counts.
fn settled_plan(
    tx: &mut Tx<'_>,
    snapshot: &CheckoutSnapshot,
) -> Result<checkouts::Status, EngineError> {
    let Some(started) = &snapshot.subscription else {
        return Ok(checkouts::Status::Open);
    };
    let Some(stored) = subscriptions::find_by_provider_id(tx, STRIPE, &started.id)? else {
        return Ok(checkouts::Status::Open);
    };
    // Once something was given the checkout did its work, whatever came of it later.
    let given = subscriptions::newest_period(tx, &stored.customer, &stored.id)?.is_some();
    Ok(match (given, stored.subscription.status) {
        // What runs was paid for, also when all that we know of it is a later change.
        (true, _) | (false, Status::Trialing | Status::Active | Status::Paused) => {
            checkouts::Status::Settled
        }
        (false, Status::Canceled) => checkouts::Status::Failed,
        (false, Status::Incomplete) => checkouts::Status::Open,
    })
}

/// Nothing is granted for other money than the price.
fn check_total(checkout: &Checkout, snapshot: &CheckoutSnapshot) -> Result<(), Puzzle> {
    let object = snapshot.id.clone();
    let Some(paid) = snapshot.total else {
        return Err(Puzzle::Unknown(format!("{object}: no total")));
    };
    if paid.currency != checkout.price.currency {
        let (paid, price) = (paid.currency.to_string(), checkout.price.currency.to_string());
        return Err(Puzzle::Currency { object, paid, price });
    }
    if paid.minor < checkout.price.minor {
        return Err(Puzzle::Amount { object, paid, price: checkout.price });
    }
    Ok(())
}

fn check_only_one(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    (snapshot, status): (&SubscriptionSnapshot, Status),
) -> Result<(), EngineError> {
    let runs = |status| matches!(status, Status::Trialing | Status::Active | Status::Paused);
    if !runs(status) {
        return Ok(());
    }
    let others = subscriptions::of_customer(tx, customer)?;
    let other = others
        .into_iter()
        .find(|other| other.provider_id != snapshot.id && runs(other.subscription.status));
    other.map_or(Ok(()), |other| {
        let (new, running) = (snapshot.id.clone(), other.provider_id);
        Err(Puzzle::SecondSubscription { new, running }.into())
    })
}
