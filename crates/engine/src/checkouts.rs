//! Checkouts: a customer sets out to buy on the provider's page, and comes back.

use std::collections::BTreeMap;

use farthing_core::catalog::{PriceSlot, Span, Trial, TrialClaim};
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::money::{Currency, Money};
use farthing_core::subscription::Status as SubscriptionStatus;
use farthing_core::time::{Interval, Timestamp};
use farthing_providers::CallError;
use farthing_providers::stripe::{CheckoutWhat, CustomerUpdate, NewCheckout, NewCustomer, Subject};
use farthing_store::checkouts::{self, Checkout, Item, Status};
use farthing_store::customers::{self, Customer};
use farthing_store::provider_prices;
use farthing_store::trials::{self, Claim};
use farthing_store::{Tx, subscriptions};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::follow_up::Change;
use crate::jobs::Job;
use crate::sold::{check_plan, check_return_path, currency, pack_item, plan_slot};
use crate::{Call, Engine, EngineError, STRIPE};

/// What a customer wants to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Who.
    pub customer: CustomerId,
    /// What.
    pub buy: Buy,
    /// In what; the customer's own currency, else the catalog's first, when left out.
    pub currency: Option<Currency>,
    /// Where on the app's site the customer comes back to, such as `/billing`.
    pub return_path: Option<String>,
}

/// What can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buy {
    /// A plan.
    Plan {
        /// Its key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
        /// Whether it starts with a trial; when left out, if the customer may have one.
        trial: Option<bool>,
    },
    /// A pack.
    Pack {
        /// Its key.
        pack: String,
    },
}

/// A checkout for the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckoutView {
    /// Ours.
    pub id: String,
    /// Who buys.
    pub customer: CustomerId,
    /// `open`, `settled`, `expired` or `failed`.
    pub status: &'static str,
    /// The provider's page, while it is open.
    pub url: Option<String>,
    /// The plan's key, when it is one.
    pub plan: Option<String>,
    /// How often the plan is paid.
    pub interval: Option<Interval>,
    /// The pack's key, when it is one.
    pub pack: Option<String>,
    /// The price; for a trial, of the first period after it.
    pub price: Money,
    /// The trial's length in days, when it starts with one.
    pub trial_days: Option<i64>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the page stops being open.
    pub expires_at: Timestamp,
    /// When money, or for a trial a payment method, arrived.
    pub settled_at: Option<Timestamp>,
    /// Why it failed, as an error code: `trial_used` when the card has had a trial before.
    pub failure: Option<String>,
}

/// What a pack holds, as it was sold.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SoldPack {
    /// Credit feature key to credits.
    pub credits: BTreeMap<String, i64>,
    /// How long they last after the payment.
    pub expires: Option<Span>,
}

/// What to do about a purchase.
pub(crate) enum Step {
    /// The page is there already.
    Ready(Checkout),
    /// The provider has to make the page.
    Send(Checkout),
    /// Another page has to be closed first.
    Close(Checkout),
}

/// How long a page stays open, in seconds.
const OPEN_FOR: i64 = 23 * 3_600;
/// For how long the provider is asked under one key for a page, in seconds.
const STUCK_AFTER: i64 = 60;
/// How long after it closed the provider is asked how it ended, in seconds.
const ASK_AFTER: i64 = 120;

impl Engine {
    /// Opens the provider's page for a purchase. The same purchase again answers the same page;
    /// another plan closes the first page, so that only one of them can be paid.
    ///
    /// Errors: what is not sold, what the customer has already, what a lower plan has no room for,
    /// and the provider's.
    pub fn start_checkout(
        &self,
        call: &Call,
        purchase: &Purchase,
    ) -> Result<CheckoutView, EngineError> {
        self.stripe()?;
        check_return_path(purchase.return_path.as_deref())?;
        for _ in 0..3 {
            let (call, purchase) = (call.clone(), purchase.clone());
            let step =
                self.write(move |engine, tx| match engine.prepare(tx, &call, &purchase)? {
                    ready @ Step::Ready(_) => Ok(ready),
                    step => engine.reachable().map(|()| step),
                })?;
            match step {
                Step::Ready(checkout) => return Ok(view(&checkout)),
                Step::Send(checkout) => return self.send(&checkout).map(|sent| view(&sent)),
                Step::Close(checkout) => self.close(&checkout)?,
            }
        }
        Err(EngineError::refused(
            "change_in_progress",
            "another checkout of this customer is being opened right now; nothing was changed, try again",
        ))
    }

    /// A checkout as we know it. Errors: there is none of that id.
    pub fn checkout(&self, id: &str) -> Result<CheckoutView, EngineError> {
        Ok(view(&self.find_checkout(id)?))
    }

    /// A checkout after asking the provider how it stands, so that a page the customer comes back
    /// to cannot be too early. When the provider cannot be asked: as we know it.
    pub fn refresh_checkout(&self, id: &str) -> Result<CheckoutView, EngineError> {
        let checkout = self.find_checkout(id)?;
        let (Status::Open, Some(provider_id)) = (checkout.status, checkout.provider_id) else {
            return self.checkout(id);
        };
        match self.ask_about_checkout(id, provider_id) {
            Ok(()) => {}
            Err(EngineError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(checkout.id = id, %error, "a checkout was not refreshed"),
        }
        self.checkout(id)
    }

    /// Asks the provider how a checkout ended. Errors: it could not be asked, and has to be again.
    pub(crate) fn sync_checkout(&self, id: &str) -> Result<(), EngineError> {
        let checkout = self.find_checkout(id)?;
        match (checkout.status, checkout.provider_id.clone()) {
            (Status::Open, Some(provider_id)) => self.ask_about_checkout(id, provider_id),
            (Status::Open, None) => {
                let failed = Checkout { status: Status::Failed, ..checkout };
                self.save_checkout(failed).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn ask_about_checkout(&self, id: &str, provider_id: String) -> Result<(), EngineError> {
        self.look_and_absorb(&Call::new("provider:stripe", id), &Subject::Checkout(provider_id))
    }

    fn find_checkout(&self, id: &str) -> Result<Checkout, EngineError> {
        let missing = || EngineError::NotFound { what: "checkout", id: id.to_owned() };
        self.read(|_, tx| checkouts::find(tx, id)?.ok_or_else(missing))
    }

    fn prepare(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        purchase: &Purchase,
    ) -> Result<Step, EngineError> {
        let now = self.now();
        let id = &purchase.customer;
        let customer = customers::lock(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
        let (_, catalog) = self.catalog(tx)?;
        let currency = currency(&catalog, &customer, purchase.currency)?;
        let checkout_id = self.new_id(IdKind::Checkout);
        let (item, slot) = match &purchase.buy {
            Buy::Pack { pack } => pack_item(&catalog, &customer, pack, currency)?,
            Buy::Plan { plan, interval, trial } => {
                check_plan(tx, &catalog, &customer, (plan, *interval, now))?;
                if let Some(open) = checkouts::open_plan(tx, id)? {
                    return Ok(reuse(open, purchase, currency, now));
                }
                let slot = plan_slot(&catalog, plan, *interval, currency)?;
                let pepper = self.pepper(tx)?;
                let offered = catalog.plans.get(plan).and_then(|plan| plan.trial.as_ref());
                let trial_days =
                    claim_trial(tx, (&customer, &checkout_id), (offered, *trial), (&pepper, now))?;
                (Item::Plan { plan: plan.clone(), interval: *interval, trial_days }, slot)
            }
        };
        if matches!(item, Item::Plan { .. }) {
            self.end_unpaid(tx, id)?;
        }
        let checkout = Checkout {
            customer: id.clone(),
            id: checkout_id,
            item,
            price: slot.amount(),
            provider: STRIPE.to_owned(),
            provider_id: None,
            url: None,
            return_path: purchase.return_path.clone(),
            status: Status::Open,
            created_at: now,
            expires_at: now.plus_seconds(OPEN_FOR),
            settled_at: None,
            failure: None,
            attempt: 0,
            seen: 0,
        };
        checkouts::insert(tx, &checkout)?;
        let job = Job::SyncCheckout { checkout: checkout.id.clone() };
        self.enqueue(tx, &job, checkout.expires_at.plus_seconds(ASK_AFTER))?;
        let to = Some(json!({ "checkout": checkout.id, "price": checkout.price }));
        let change = Change { action: "checkout.opened", from: None, to, effective_at: now };
        self.record(tx, call, &customer, &change)?;
        Ok(Step::Send(checkout))
    }

    /// A subscription that was never paid for, or whose trial was not, would be paid besides the
    /// new one: the provider ends it.
    fn end_unpaid(&self, tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), EngineError> {
        for stored in subscriptions::of_customer(tx, customer)? {
            if stored.subscription.status == SubscriptionStatus::Incomplete {
                let job = Job::CancelAtProvider { provider_id: stored.provider_id };
                self.enqueue(tx, &job, self.now())?;
            }
        }
        Ok(())
    }

    /// Has the provider make the page. The checkout's row is the intent: its id is the key, so
    /// that a lost answer is asked for again and never makes a second page.
    fn send(&self, checkout: &Checkout) -> Result<Checkout, EngineError> {
        let stripe = self.stripe()?;
        let provider_customer = self.provider_customer(&checkout.customer)?;
        let price = self.provider_price(checkout)?;
        let what = match &checkout.item {
            Item::Plan { trial_days, .. } => CheckoutWhat::Plan { price, trial_days: *trial_days },
            Item::Pack { .. } => CheckoutWhat::Pack { price },
        };
        let page = self.return_page(checkout)?;
        let back = |outcome: &str| {
            let mark = if page.contains('?') { '&' } else { '?' };
            format!("{page}{mark}checkout={}&outcome={outcome}", checkout.id)
        };
        let sent = stripe.create_checkout(&NewCheckout {
            customer: provider_customer,
            app_customer: checkout.customer.to_string(),
            checkout: checkout.id.clone(),
            what,
            success_url: back("success"),
            cancel_url: back("cancel"),
            expires_at: Some(checkout.expires_at),
            key: format!("farthing:checkout:{}:{}", checkout.id, checkout.attempt),
        });
        match sent {
            Ok(page) => {
                let next = Checkout {
                    provider_id: Some(page.id),
                    url: page.url,
                    expires_at: page.expires_at,
                    ..checkout.clone()
                };
                self.save_checkout(next)
            }
            Err(error @ CallError::Refused { .. }) => {
                self.save_checkout(Checkout { status: Status::Failed, ..checkout.clone() })?;
                Err(error.into())
            }
            Err(error @ CallError::Unknown(_)) if self.is_stuck(checkout) => {
                let attempt = checkout.attempt + 1;
                self.save_checkout(Checkout { attempt, ..checkout.clone() })?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where the customer comes back to: the app's own page when it named one, else ours.
    fn return_page(&self, checkout: &Checkout) -> Result<String, EngineError> {
        let base = &self.inner.config.return_base;
        match &checkout.return_path {
            Some(path) => Ok(format!("{base}{path}")),
            None => Ok(self.result_url(&checkout.id)?.unwrap_or_else(|| format!("{base}/"))),
        }
    }

    /// Whether the same question was asked long enough. Stripe repeats a saved 500 for a day; a
    /// page that nobody was shown cannot be paid, so another one may be asked for.
    fn is_stuck(&self, checkout: &Checkout) -> bool {
        let waits = STUCK_AFTER.saturating_mul(checkout.attempt + 1);
        checkout.created_at.plus_seconds(waits) < self.now()
    }

    /// Closes a page that another one replaces; if it was paid meanwhile, that is absorbed.
    fn close(&self, checkout: &Checkout) -> Result<(), EngineError> {
        let checkout = match checkout.provider_id {
            Some(_) => checkout.clone(),
            None => self.send(checkout)?,
        };
        let id = checkout.provider_id.clone().unwrap_or_default();
        let key = format!("farthing:checkout:{}:close", checkout.id);
        match self.stripe()?.expire_checkout(&id, &key) {
            Ok(_) | Err(CallError::Refused { .. }) => {
                self.refresh_checkout(&checkout.id).map(|_| ())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what the provider answered, unless the page was opened, paid or closed by somebody
    /// else while the answer was on its way; how it stands now.
    fn save_checkout(&self, answered: Checkout) -> Result<Checkout, EngineError> {
        self.write(move |_, tx| {
            customers::lock(tx, &answered.customer)?;
            let missing = || EngineError::NotFound { what: "checkout", id: answered.id.clone() };
            let stored = checkouts::find(tx, &answered.id)?.ok_or_else(missing)?;
            let failed = answered.status == Status::Failed;
            if stored.status != Status::Open || (failed && stored.provider_id.is_some()) {
                return Ok(stored);
            }
            if failed {
                trials::release(tx, &answered.id)?;
            }
            let next = Checkout { seen: stored.seen, ..answered.clone() };
            checkouts::save(tx, &next)?;
            Ok(next)
        })
    }

    /// The provider's id of a customer, who is made there when this is the first purchase.
    pub(crate) fn provider_customer(&self, id: &CustomerId) -> Result<String, EngineError> {
        let known = self.read(|_, tx| Ok(customers::provider_id(tx, id, STRIPE)?))?;
        if let Some(known) = known {
            return Ok(known);
        }
        let customer = self.customer(id)?;
        // Nothing that may change until the answer is there: the same key needs the same body.
        let key = format!("farthing:customer:{id}:{}", customer.created_at.micros());
        let made = self.stripe()?.create_customer(&NewCustomer {
            app_id: id.to_string(),
            email: None,
            name: None,
            key: key.clone(),
        })?;
        let contact = format!("{} {:?}", customer.email, customer.name);
        let contact = hex::encode(Sha256::digest(contact.as_bytes()));
        let update = CustomerUpdate {
            email: Some(customer.email),
            name: customer.name,
            key: format!("{key}:{}", &contact[..16]),
        };
        self.stripe()?.update_customer(&made, &update)?;
        let (id, provider_id) = (id.clone(), made.clone());
        self.write(move |_, tx| Ok(customers::link(tx, &id, STRIPE, &provider_id)?))?;
        Ok(made)
    }

    fn provider_price(&self, checkout: &Checkout) -> Result<String, EngineError> {
        let slot = slot_of(checkout);
        let key = slot.lookup_key();
        let known =
            self.read(|_, tx| Ok(provider_prices::find_by_lookup_key(tx, STRIPE, &key)?))?;
        match known {
            Some(price) => Ok(price.provider_price_id),
            None => self.ensure_price(&slot, &key),
        }
    }
}

fn slot_of(checkout: &Checkout) -> PriceSlot {
    let amount = checkout.price;
    match &checkout.item {
        Item::Plan { plan, interval, .. } => {
            PriceSlot::Plan { plan: plan.clone(), interval: *interval, amount }
        }
        Item::Pack { pack, .. } => PriceSlot::Pack { pack: pack.clone(), amount },
    }
}

/// What a trial is counted by, for one customer: only what is known of them.
pub(crate) fn claims(
    counted: &[TrialClaim],
    customer: &Customer,
    card: Option<&str>,
    pepper: &[u8],
) -> Vec<Claim> {
    let claim = |kind: &TrialClaim| {
        let value = match kind {
            TrialClaim::Customer => Some(customer.id.as_str()),
            TrialClaim::Email => Some(customer.canonical_email.as_str()),
            TrialClaim::Device => customer.device_fingerprint.as_deref(),
            TrialClaim::Card => card,
        };
        let mut hash = Hmac::<Sha256>::new_from_slice(pepper).expect("a key of any length will do");
        hash.update(value?.as_bytes());
        let value_hash = hex::encode(hash.finalize().into_bytes());
        Some(Claim { kind: *kind, value_hash })
    };
    counted.iter().filter_map(claim).collect()
}

/// Takes the claims of a trial for a checkout; answers its length when there is one.
fn claim_trial(
    tx: &mut Tx<'_>,
    (customer, checkout): (&Customer, &str),
    (offered, wanted): (Option<&Trial>, Option<bool>),
    (pepper, now): (&[u8], Timestamp),
) -> Result<Option<i64>, EngineError> {
    let Some(trial) = asked_for(offered, wanted)? else {
        return Ok(None);
    };
    let claims = claims(&trial.once_per, customer, None, pepper);
    for claim in &claims {
        if trials::claim(tx, claim, (&customer.id, checkout), now)? {
            continue;
        }
        trials::release(tx, checkout)?;
        return had_before(wanted);
    }
    Ok(Some(trial.days))
}

/// The trial to start with, if the customer may still have it. Errors: the plan has none, and one
/// was asked for.
pub(crate) fn asked_for(
    offered: Option<&Trial>,
    wanted: Option<bool>,
) -> Result<Option<&Trial>, EngineError> {
    match (offered, wanted) {
        (None, Some(true)) => Err(EngineError::refused(
            "no_trial",
            "this plan has no trial; nothing was changed: buy it without one",
        )),
        (None, _) | (_, Some(false)) => Ok(None),
        (Some(trial), _) => Ok(Some(trial)),
    }
}

/// No trial for a customer who had one. Errors: one was asked for.
pub(crate) fn had_before(wanted: Option<bool>) -> Result<Option<i64>, EngineError> {
    match wanted {
        Some(true) => Err(EngineError::refused(
            "trial_used",
            "this customer has had a trial before; nothing was changed: buy the plan without one",
        )),
        _ => Ok(None),
    }
}

/// What an open page means for a purchase of a plan.
pub(crate) fn reuse(
    open: Checkout,
    purchase: &Purchase,
    currency: Currency,
    now: Timestamp,
) -> Step {
    let Buy::Plan { plan, interval, trial } = &purchase.buy else {
        return Step::Close(open);
    };
    let same = match &open.item {
        Item::Plan { plan: open_plan, interval: open_interval, trial_days } => {
            open_plan == plan
                && open_interval == interval
                && open.price.currency == currency
                && open.return_path == purchase.return_path
                && trial.is_none_or(|wanted| wanted == trial_days.is_some())
        }
        Item::Pack { .. } => false,
    };
    match (same && now < open.expires_at, &open.provider_id) {
        (true, Some(_)) => Step::Ready(open),
        (true, None) => Step::Send(open),
        (false, _) => Step::Close(open),
    }
}

fn view(checkout: &Checkout) -> CheckoutView {
    let (plan, interval, pack, trial_days) = match &checkout.item {
        Item::Plan { plan, interval, trial_days } => {
            (Some(plan.clone()), Some(*interval), None, *trial_days)
        }
        Item::Pack { pack, .. } => (None, None, Some(pack.clone()), None),
    };
    CheckoutView {
        id: checkout.id.clone(),
        customer: checkout.customer.clone(),
        status: checkout.status.as_str(),
        url: checkout.url.clone().filter(|_| checkout.status == Status::Open),
        plan,
        interval,
        pack,
        price: checkout.price,
        trial_days,
        created_at: checkout.created_at,
        expires_at: checkout.expires_at,
        settled_at: checkout.settled_at,
        failure: checkout.failure.clone(),
    }
}
