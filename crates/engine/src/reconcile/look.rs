//! Everything that the provider has of one customer.

use farthing_core::ids::CustomerId;
use farthing_core::snapshot::{
    CheckoutSnapshot, InvoiceSnapshot, PaymentStatus, Snapshot, SubscriptionSnapshot,
};
use farthing_core::subscription::Status;
use farthing_core::time::Timestamp;
use farthing_providers::{CallError, Stripe};
use farthing_store::checkouts::{self, Status as CheckoutStatus};
use farthing_store::subscriptions::Stored;
use farthing_store::{Tx, counters, customers, drift, intents, subscriptions};

use crate::{Engine, EngineError, STRIPE};

/// Of how many of the newest payments refunds and disputes are asked for.
const PAYMENTS: usize = 6;
/// How long ago an invoice is old unless it paid for what ran since, in seconds: 40 days, longer than a
/// month and the days it may take to be paid.
const RECENT: i64 = 40 * 86_400;
/// By how much an invoice may be older than the period it pays, in seconds.
const SLACK: i64 = 3_600;
/// How many checkouts of a customer are looked at.
pub(super) const CHECKOUTS: u32 = 200;

/// What the provider has of a customer, and the number of that fetch.
pub(super) struct Theirs {
    /// Taken before the first call.
    pub fetch: i64,
    /// The provider's customer; `None` while there is none.
    pub customer: Option<Linked>,
    /// Theirs of this customer, the oldest first.
    pub subscriptions: Vec<SubscriptionSnapshot>,
    /// The provider's ids of subscriptions that we have and the provider does not.
    pub missing: Vec<String>,
    /// The newest first.
    pub invoices: Vec<InvoiceSnapshot>,
    /// From when on invoices were asked for; `None`: all of them.
    pub invoices_from: Option<Timestamp>,
    /// Those that are open here.
    pub checkouts: Vec<CheckoutSnapshot>,
    /// Refunds and disputes.
    pub money_back: Vec<Snapshot>,
}

/// The provider's customer.
pub(super) struct Linked {
    /// The provider's id.
    pub id: String,
    /// Whether the provider has it, and it was not deleted there.
    pub there: bool,
    /// The reference that it carries.
    pub app_id: Option<String>,
}

/// How closely one customer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What can matter for what runs: each day, for everybody. Whoever has an open difference is
    /// looked at whole instead, so that it is not taken for gone.
    Daily,
    /// And the provider's customer, and every invoice: when all are walked on request.
    Whole,
    /// And refunds and disputes of the newest payments: when one is asked for.
    Thorough,
}

/// What has to be asked for.
struct Wanted {
    fetch: i64,
    link: Option<String>,
    /// All subscriptions that we know, by the provider's id.
    known: Vec<String>,
    /// Those of them that did not end.
    running: Vec<String>,
    open: Vec<String>,
    /// From when on invoices can matter for what runs.
    invoices_from: Timestamp,
    /// Whether a difference is open.
    differs: bool,
}

impl Engine {
    /// `None`: a change is under way. Errors: there is no such customer; the provider could not be
    /// asked.
    pub(super) fn look_at_everything(
        &self,
        customer: &CustomerId,
        link: Option<&str>,
        depth: Depth,
    ) -> Result<Option<Theirs>, EngineError> {
        let (id, link) = (customer.clone(), link.map(str::to_owned));
        let wanted = self.write(move |engine, tx| wanted(tx, &id, link.clone(), engine.now()))?;
        let Some(Wanted { fetch, link, known, running, open, invoices_from, differs }) = wanted
        else {
            return Ok(None);
        };
        let daily = depth == Depth::Daily && !differs;
        let mut theirs = Theirs {
            fetch,
            customer: None,
            subscriptions: Vec::new(),
            missing: Vec::new(),
            invoices: Vec::new(),
            invoices_from: None,
            checkouts: Vec::new(),
            money_back: Vec::new(),
        };
        let Some(link) = link else {
            return Ok(Some(theirs));
        };
        let stripe = self.stripe()?;
        let linked = if daily {
            Linked { id: link, there: true, app_id: None }
        } else {
            linked(stripe, link)?
        };
        if linked.there {
            theirs.subscriptions = stripe.list_subscriptions(&linked.id)?;
            theirs.subscriptions.reverse();
            let news = theirs.subscriptions.iter().any(|it| !known.contains(&it.id));
            theirs.invoices_from = (daily && !news).then_some(invoices_from);
            theirs.invoices = all_invoices(stripe, &linked.id, theirs.invoices_from)?;
        }
        theirs.customer = Some(linked);
        for id in running {
            if theirs.subscriptions.iter().any(|known| known.id == id) {
                continue;
            }
            match found(stripe.fetch_subscription(&id))? {
                Some(snapshot) => theirs.subscriptions.push(snapshot),
                None => theirs.missing.push(id),
            }
        }
        for id in open {
            theirs.checkouts.extend(found(stripe.fetch_checkout(&id))?);
        }
        if depth == Depth::Thorough {
            theirs.money_back = money_back(stripe, &theirs.invoices)?;
        }
        Ok(Some(theirs))
    }
}

fn wanted(
    tx: &mut Tx<'_>,
    id: &CustomerId,
    link: Option<String>,
    now: Timestamp,
) -> Result<Option<Wanted>, EngineError> {
    if customers::find(tx, id)?.is_none() {
        return Err(EngineError::no_customer(id));
    }
    if intents::open_change(tx, id)?.is_some() {
        return Ok(None);
    }
    let link = match customers::provider_id(tx, id, STRIPE)? {
        Some(known) => Some(known),
        None => link,
    };
    let ours = subscriptions::of_customer(tx, id)?;
    let known = ours.iter().map(|it| it.provider_id.clone()).collect();
    let recent = now.plus_seconds(-RECENT);
    let ran = |it: &&Stored| it.subscription.ended_at.is_none_or(|end| recent < end);
    let starts = ours.iter().filter(ran).map(|it| it.subscription.period.start);
    let invoices_from = starts.fold(recent, Timestamp::min).plus_seconds(-SLACK);
    let running = ours.into_iter().filter(|it| it.subscription.status != Status::Canceled);
    let open = checkouts::of_customer(tx, id, CHECKOUTS)?;
    let open = open.into_iter().filter(|it| it.status == CheckoutStatus::Open);
    Ok(Some(Wanted {
        fetch: counters::next(tx, "fetches")?,
        link,
        known,
        running: running.map(|it| it.provider_id).collect(),
        open: open.filter_map(|it| it.provider_id).collect(),
        invoices_from,
        differs: !drift::open_of(tx, Some(id))?.is_empty(),
    }))
}

fn linked(stripe: &Stripe, id: String) -> Result<Linked, EngineError> {
    Ok(match found(stripe.fetch_customer(&id))? {
        Some(there) => Linked { id, there: !there.deleted, app_id: there.customer.app_id },
        None => Linked { id, there: false, app_id: None },
    })
}

/// All that were made at or after `since`; all there are when `None`.
fn all_invoices(
    stripe: &Stripe,
    customer: &str,
    since: Option<Timestamp>,
) -> Result<Vec<InvoiceSnapshot>, EngineError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = stripe.list_invoices_page(Some(customer), since, after.as_deref())?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

/// What went back of the newest payments.
fn money_back(stripe: &Stripe, invoices: &[InvoiceSnapshot]) -> Result<Vec<Snapshot>, EngineError> {
    let paid = invoices.iter().flat_map(|invoice| &invoice.payments);
    let paid = paid.filter(|payment| payment.status == PaymentStatus::Succeeded);
    let mut back = Vec::new();
    for payment in paid.take(PAYMENTS) {
        for refund in stripe.list_refunds(&payment.id)? {
            back.push(Snapshot::Refund(Box::new(refund)));
        }
        for dispute in stripe.list_disputes(&payment.id)? {
            back.push(Snapshot::Dispute(Box::new(dispute)));
        }
    }
    Ok(back)
}

/// `None` when the provider does not have it.
fn found<T>(asked: Result<T, CallError>) -> Result<Option<T>, EngineError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_refusal("resource_missing") => Ok(None),
        Err(error) => Err(error.into()),
    }
}
