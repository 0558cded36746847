//! What follows when money goes back, or comes to us again: credits, and what was bought with it.
//!
//! Nothing here remembers what it did. It compares what is with the customer now with what was
//! taken for it so far, and moves the difference; the same news twice, in any order, move nothing.

use farthing_core::catalog::Catalog;
use farthing_core::clawback;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::subscription::{Event, PaidPeriod, Status};
use farthing_core::time::Timestamp;
use farthing_store::credits::Because;
use farthing_store::customers::Customer;
use farthing_store::payments::{self, Payment};
use farthing_store::purchases::{self, Purchase};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, credits, customers, effects};
use serde_json::{Map, json};

use crate::follow_up::Change;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

/// How the money of one purchase stands, in its minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reversal {
    /// What was taken.
    pub captured: i64,
    /// What is with the customer and takes credits with it.
    pub clawing: i64,
    /// What is with the customer for good: refunds that succeeded, disputes that were lost.
    pub settled: i64,
}

impl Engine {
    /// Brings everything up to date that hangs on a payment of which something went back or came
    /// again, and writes `changes` down. `customer` is locked.
    pub(crate) fn follow_return(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, payment): (&mut Customer, &Payment),
        mut changes: Vec<Change>,
    ) -> Result<(), EngineError> {
        if let Some(purchase) = payment.purchase() {
            changes.extend(self.settle_credits(tx, call, customer, purchase)?);
        }
        if !changes.is_empty() {
            self.next_revision(tx, customer)?;
            for change in &changes {
                self.record(tx, call, customer, change)?;
            }
            self.announce_state(tx, call, customer)?;
        }
        self.end_if_reversed(tx, call, customer, payment)
    }

    /// What is granted for money of which some went back already gets its share taken at once: a
    /// later window of a year, or what was missing and is repaired.
    pub(crate) fn settle_later_grant(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &CustomerId,
        purchase: &str,
    ) -> Result<(), EngineError> {
        if reversal(tx, customer, purchase)?.clawing == 0 {
            return Ok(());
        }
        let Some(customer) = customers::find(tx, customer)? else {
            return Ok(());
        };
        let change = self.settle_credits(tx, call, &customer, purchase)?;
        change.map_or(Ok(()), |change| self.record(tx, call, &customer, &change))
    }

    /// Takes the credits of a purchase back, or gives them back, until their share is the share of
    /// the money that is with the customer. What moved, for people.
    fn settle_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        purchase: &str,
    ) -> Result<Option<Change>, EngineError> {
        let reversal = reversal(tx, &customer.id, purchase)?;
        let mut moved = Map::new();
        let mut takes = false;
        for (credit, granted) in
            credits::granted_for(tx, &customer.id, purchase, customer.created_at)?
        {
            let goal = clawback::target(granted.amount, reversal.clawing, reversal.captured);
            let mut account = self.account(tx, &customer.id, &credit)?;
            let Some(settled) = clawback::settle(&granted, goal, account.debt) else {
                continue;
            };
            let more = granted.clawed.total() < settled.clawed.total();
            takes |= more;
            // Less is taken before more is left, and the other way round.
            if !more {
                credits::set_clawed(tx, &customer.id, &granted.id, settled.clawed)?;
            }
            for posting in &settled.postings {
                let id = self.new_id(IdKind::Ledger);
                let because = Because { id: &id, cause: &call.cause, now: self.now() };
                credits::post(tx, &customer.id, &mut account, posting, because)?;
            }
            if more {
                credits::set_clawed(tx, &customer.id, &granted.id, settled.clawed)?;
            }
            self.watch_debt(tx, &customer.id, &credit)?;
            let of = moved.entry(credit).or_insert_with(|| json!({ "moved": 0, "debt": 0 }));
            let n = (settled.clawed.taken - granted.clawed.taken)
                + (settled.clawed.owed - granted.clawed.owed);
            of["moved"] = json!(of["moved"].as_i64().unwrap_or(0) + n.abs());
            of["debt"] = json!(account.debt);
        }
        if moved.is_empty() {
            return Ok(None);
        }
        let action = if takes { "credits.clawed_back" } else { "credits.given_back" };
        let to = Some(json!({ "purchase": purchase, "credits": moved }));
        Ok(Some(Change { action, from: None, to, effective_at: self.now() }))
    }

    /// Once all that was paid for the present period is with the customer for good, it is over.
    fn end_if_reversed(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &mut Customer,
        payment: &Payment,
    ) -> Result<(), EngineError> {
        let Some(invoice) = &payment.provider_invoice else {
            return Ok(());
        };
        let reversal = reversal(tx, &customer.id, invoice)?;
        if reversal.captured == 0 || reversal.settled < reversal.captured {
            return Ok(());
        }
        let now = self.now();
        let Some(stored) = paid_by_invoice(tx, &customer.id, invoice, now)? else {
            return Ok(());
        };
        let (_, catalog) = self.catalog(tx)?;
        let then = catalog.refunds.as_ref().map(|policy| &policy.then);
        if then.is_none_or(|then| then.at_once) {
            let move_to = then.map_or(&catalog.fallback, |then| &then.move_to);
            return self.end_reversed(tx, call, customer, (stored, move_to));
        }
        let key = format!("reversed:{invoice}");
        if effects::insert(tx, STRIPE, &key, (&customer.id, &call.cause), now)? {
            let job = Job::EndAfterRefund { subscription: stored.id };
            self.enqueue(tx, &job, now)?;
        }
        Ok(())
    }

    /// Ends a subscription here and now, with everything that was scheduled for it; the provider
    /// ends it by a job.
    fn end_reversed(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &mut Customer,
        (mut stored, move_to): (Stored, &str),
    ) -> Result<(), EngineError> {
        let now = self.now();
        stored.subscription.end(now);
        subscriptions::save(tx, &stored)?;
        let job = Job::CancelAtProvider { provider_id: stored.provider_id.clone() };
        self.enqueue(tx, &job, now)?;
        self.follow_up(tx, call, customer, &stored, &[Event::Ended])?;
        if customer.plan != move_to {
            customer.plan = move_to.to_owned();
            self.next_revision(tx, customer)?;
            self.announce_state(tx, call, customer)?;
        }
        Ok(())
    }

    /// Schedules the end for the end of the period, as the catalog wants it after a refund.
    pub(crate) fn end_after_refund(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let end = farthing_core::change::Command::Cancel { at_once: false };
        match self.change(call, id, &end, None) {
            Ok(_) | Err(EngineError::NotFound { .. }) => Ok(()),
            Err(EngineError::Refused { code: "no_running_subscription", .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes down what a payment bought, from which plan: what refunds are judged by.
    pub(crate) fn remember_purchase(
        &self,
        tx: &mut Tx<'_>,
        catalog: &Catalog,
        stored: &Stored,
        event: &Event,
    ) -> Result<(), EngineError> {
        let (from, paid): (&str, &PaidPeriod) = match event {
            Event::Activated(paid) | Event::TrialConverted(paid) => (&catalog.fallback, paid),
            Event::Renewed(paid) | Event::PaidLate(paid) => (&paid.plan, paid),
            Event::PlanChanged { from, paid } => (from, paid),
            _ => return Ok(()),
        };
        let purchase = Purchase {
            provider: stored.provider.clone(),
            invoice: paid.invoice.clone(),
            subscription: stored.id.clone(),
            from: from.to_owned(),
            to: paid.plan.clone(),
            price: paid.price.clone(),
            period_end: paid.period.end,
            purchased_at: self.now(),
        };
        Ok(purchases::insert(tx, &stored.customer, &purchase)?)
    }
}

/// The subscription whose present period an invoice paid for.
pub(crate) fn paid_by_invoice(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    invoice: &str,
    now: Timestamp,
) -> Result<Option<Stored>, EngineError> {
    let bought = purchases::of_invoice(tx, customer, STRIPE, invoice)?;
    let paid_by_it = |stored: &Stored| {
        let sub = &stored.subscription;
        let runs = matches!(sub.status, Status::Active | Status::Paused);
        let pays = |one: &Purchase| {
            one.subscription == stored.id
                && one.price == sub.price
                && one.period_end == sub.period.end
        };
        runs && now < sub.period.end && bought.iter().any(pays)
    };
    Ok(subscriptions::of_customer(tx, customer)?.into_iter().find(paid_by_it))
}

/// How the money of a purchase stands.
pub(crate) fn reversal(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    purchase: &str,
) -> Result<Reversal, EngineError> {
    let mut sum = Reversal::default();
    for payment in payments::of_purchase(tx, customer, purchase)? {
        if !payment.succeeded() {
            continue;
        }
        let captured = payment.amount.minor;
        let back = payments::returned(tx, customer, &payment.id)?;
        sum.captured = sum.captured.saturating_add(captured);
        sum.clawing += back.clawing.saturating_add(back.disputed).min(captured);
        sum.settled += back.settled.saturating_add(back.lost).min(captured);
    }
    Ok(sum)
}

impl Engine {
    /// The payments whose credits are not what the share of their money asks for.
    pub(crate) fn wrong_clawbacks(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, EngineError> {
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let page = payments::with_returns(tx, &after, PAGE)?;
            let Some(last) = page.last() else { return Ok(rows) };
            after.clone_from(last);
            for id in &page {
                let Some(payment) = payments::find(tx, id)? else {
                    rows.push(format!("{id} is missing"));
                    continue;
                };
                let (Some(customer), Some(purchase)) =
                    (customers::find(tx, &payment.customer)?, payment.purchase())
                else {
                    continue;
                };
                let money = reversal(tx, &customer.id, purchase)?;
                let grants = credits::granted_for(tx, &customer.id, purchase, customer.created_at)?;
                for (credit, granted) in grants {
                    let goal = clawback::target(granted.amount, money.clawing, money.captured);
                    if granted.clawed.total() != goal {
                        rows.push(format!("{} {credit} {}", customer.id, granted.id));
                    }
                }
            }
        }
    }
}

/// How many payments are looked at in one page.
const PAGE: i64 = 500;
