//! Customers: made once with everything that comes with the first plan, then changed.

use std::collections::BTreeMap;

use farthing_core::allowance::{self, Basis};
use farthing_core::catalog::{Catalog, Feature, GrantSource};
use farthing_core::entitlement::{Access, Entitlement};
use farthing_core::ids::CustomerId;
use farthing_core::money::Currency;
use farthing_core::subscription::{Standing, Status};
use farthing_core::time::Timestamp;
use farthing_providers::stripe::CustomerUpdate;
use farthing_store::customers;
use farthing_store::entitlements::{self, Stored};
use farthing_store::{
    Tx, billing_sessions, checkouts, credits, drift, grace, mails, notes, outbox, overrides,
    refunds, subscriptions, trials,
};
use serde_json::json;

use crate::follow_up::Change;
use crate::grants::NewCredits;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError, STRIPE};

pub use farthing_store::customers::Customer;

/// What the app says of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Where mail goes; also what trials are counted by.
    pub email: String,
    /// What people call them.
    pub name: Option<String>,
    /// What they pay in; one of the catalog's. Kept when left out.
    pub currency: Option<Currency>,
    /// What trials are counted by. Kept when left out.
    pub device_fingerprint: Option<String>,
    /// The app's own notes: a JSON object. Kept when left out.
    pub metadata: Option<String>,
}

/// Which customers are looked for; what is left out narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Somewhere in the id, the e-mail address or the name.
    pub search: String,
    /// The key of the plan in force.
    pub plan: Option<String>,
    /// `good`, `past_due` or `read_only`.
    pub standing: Option<String>,
    /// Whether that plan is on trial.
    pub on_trial: Option<bool>,
}

impl Engine {
    /// Makes or changes a customer; `true` when it was made. The same profile again changes
    /// nothing.
    ///
    /// Errors: an e-mail address that is none, a currency that the catalog does not have, another
    /// currency than the one a running subscription is paid in.
    pub fn upsert_customer(
        &self,
        call: &Call,
        id: &CustomerId,
        profile: &Profile,
    ) -> Result<(Customer, bool), EngineError> {
        let (call, id, profile) = (call.clone(), id.clone(), profile.clone());
        self.write(move |engine, tx| {
            let now = engine.now();
            let (_, catalog) = engine.catalog(tx)?;
            let canonical = check_profile(&catalog, &profile)?;
            match customers::lock(tx, &id)? {
                Some(before) => {
                    let next = changed(&before, &profile, canonical);
                    check_currency(tx, &before, &next)?;
                    engine.save_profile(tx, &call, before, next, now)
                }
                None => {
                    let mut customer = fresh(&id, &profile, canonical, &catalog, now);
                    // Apps drop what is older than what they know, also of somebody who returns.
                    customer.revision += outbox::last_revision(tx, &id)?;
                    engine.create(tx, &call, customer, &catalog, now)
                }
            }
        })
    }

    /// The customer. Errors: there is none of that id.
    pub fn customer(&self, id: &CustomerId) -> Result<Customer, EngineError> {
        self.read(|_, tx| customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id)))
    }

    /// Up to `limit` customers after the id `after`, in the order of their ids, that have `search`
    /// in their id, e-mail address or name.
    pub fn list_customers(
        &self,
        search: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Customer>, EngineError> {
        self.read(|_, tx| Ok(customers::list(tx, search, after, limit)?))
    }

    /// Up to `limit` customers after the id `after`, in the order of their ids, that fit `filter`.
    pub fn find_customers(
        &self,
        filter: &Filter,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Customer>, EngineError> {
        let plan = filter.plan.as_deref().unwrap_or_default();
        let standing = filter.standing.as_deref().unwrap_or_default();
        let asked = (filter.search.as_str(), plan, standing, filter.on_trial);
        self.read(|_, tx| Ok(customers::list_narrowed(tx, asked, after, limit)?))
    }

    /// Forgets a customer: the profile and what could be used go, here and at the provider, where
    /// running subscriptions end with it. What was bought and paid, and that there was a trial,
    /// stays under the app's own id.
    ///
    /// Errors: there is none of that id.
    pub fn delete_customer(&self, call: &Call, id: &CustomerId) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.clone());
        self.write(move |engine, tx| {
            let now = engine.now();
            let missing = || EngineError::no_customer(&id);
            let mut customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            if let Some(provider_id) = customers::provider_id(tx, &id, STRIPE)? {
                engine.enqueue(tx, &Job::DeleteAtProvider { provider_id }, now)?;
            }
            engine.end_everything(tx, &call, &id)?;
            customer.revision += 1;
            let change =
                Change { action: "customer.deleted", from: None, to: None, effective_at: now };
            engine.record(tx, &call, &customer, &change)?;
            mails::delete_all(tx, &id)?;
            customers::retire(tx, &id, now)?;
            Ok(customers::delete(tx, &id)?)
        })
    }

    /// Nothing of what a customer had can be used, paid or come back to somebody of the same id.
    fn end_everything(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &CustomerId,
    ) -> Result<(), EngineError> {
        let now = self.now();
        for mut stored in subscriptions::of_customer(tx, id)? {
            if stored.subscription.status != Status::Canceled {
                stored.subscription.end(now);
                subscriptions::save(tx, &stored)?;
            }
        }
        if let Some(open) = checkouts::open_plan(tx, id)? {
            trials::release(tx, &open.id)?;
            let status = checkouts::Status::Failed;
            checkouts::save(tx, &checkouts::Checkout { status, ..open })?;
        }
        self.end_all_credits(tx, call, id)?;
        drift::delete_all(tx, id)?;
        overrides::delete_all(tx, id)?;
        grace::delete_all(tx, id)?;
        billing_sessions::end_all(tx, id)?;
        notes::delete_all(tx, id)?;
        refunds::forget_words(tx, id)?;
        Ok(entitlements::delete_all(tx, id)?)
    }

    /// Gives a customer the next revision, and writes what may be used under it.
    pub(crate) fn next_revision(
        &self,
        tx: &mut Tx<'_>,
        customer: &mut Customer,
    ) -> Result<(), EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        customer.revision += 1;
        customer.updated_at = self.now();
        customers::save(tx, customer)?;
        materialize(tx, &catalog, customer, false, self.now())
    }

    /// Receipts go where the app says today. The newest profile is sent, whichever change asked for
    /// it, under a key made of its revision: again is once.
    pub(crate) fn update_at_provider(&self, id: &CustomerId) -> Result<(), EngineError> {
        let (customer, link) = self.read(|_, tx| {
            Ok((customers::find(tx, id)?, customers::provider_id(tx, id, STRIPE)?))
        })?;
        let (Some(customer), Some(link)) = (customer, link) else {
            return Ok(());
        };
        let update = CustomerUpdate {
            email: Some(customer.email),
            name: Some(customer.name.unwrap_or_default()),
            key: format!("farthing:profile:{id}:{}", customer.revision),
        };
        match self.stripe()?.update_customer(&link, &update) {
            // Deleted there: a comparison tells.
            Err(error) if error.is_refusal("resource_missing") => Ok(()),
            updated => Ok(updated?),
        }
    }

    fn create(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: Customer,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<(Customer, bool), EngineError> {
        if !customers::insert(tx, &customer)? {
            return Err(EngineError::refused(
                "change_in_progress",
                "another request is creating this customer right now; nothing was changed by this one, try again",
            ));
        }
        materialize(tx, catalog, &customer, false, now)?;
        let plan = catalog.plans.get(&catalog.fallback);
        for (credit, amount) in plan.iter().flat_map(|plan| &plan.signup_credits) {
            let gift = NewCredits {
                credit,
                business_key: "signup".to_owned(),
                source: GrantSource::Signup,
                amount: *amount,
                expires_at: None,
                paid_by: None,
            };
            self.grant(tx, call, &customer.id, &gift, now)?;
        }
        let change = Change { action: "customer.created", from: None, to: None, effective_at: now };
        self.record(tx, call, &customer, &change)?;
        self.announce_state(tx, call, &customer)?;
        Ok((customer, true))
    }

    fn save_profile(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        before: Customer,
        next: Customer,
        now: Timestamp,
    ) -> Result<(Customer, bool), EngineError> {
        if next == before {
            return Ok((before, false));
        }
        let to = Some(json!({ "changed": changed_fields(&before, &next) }));
        let shown = (&before.email, &before.name) != (&next.email, &next.name);
        if shown && customers::provider_id(tx, &next.id, STRIPE)?.is_some() {
            let customer = next.id.clone();
            self.enqueue_once(tx, &Job::UpdateAtProvider { customer }, now)?;
        }
        let mut next = next;
        self.next_revision(tx, &mut next)?;
        let change = Change { action: "customer.updated", from: None, to, effective_at: now };
        self.record(tx, call, &next, &change)?;
        self.announce_state(tx, call, &next)?;
        Ok((next, false))
    }
}

/// Writes the customer's entitlements as the catalog, the plan, the exceptions and the state of
/// payments have them now, keeping what is used. `restart` starts usage windows anew, as a payment
/// for another plan does. Opens the credit accounts that are missing.
pub(crate) fn materialize(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &Customer,
    restart: bool,
    now: Timestamp,
) -> Result<(), EngineError> {
    let granted = rights(tx, catalog, customer, now)?;
    let held: BTreeMap<String, Stored> = entitlements::lock_all(tx, &customer.id)?
        .into_iter()
        .map(|stored| (stored.feature.clone(), stored))
        .collect();
    for (feature, granted) in granted {
        let (entitlement, version) = match held.get(&feature) {
            None => (granted, 0),
            Some(stored) => {
                let carried = allowance::carry_over(&granted, &stored.entitlement, restart, now);
                (carried, stored.version + 1)
            }
        };
        let stored = Stored { feature, entitlement, revision: customer.revision, version };
        entitlements::put(tx, &customer.id, &stored)?;
    }
    for (credit, feature) in &catalog.features {
        if matches!(feature, Feature::Credits(_)) {
            credits::open(tx, &customer.id, credit, customer.revision)?;
        }
    }
    credits::set_access(tx, &customer.id, access_of(customer.standing), customer.revision)?;
    Ok(())
}

/// What catalog, plan, exceptions and the state of payments add up to, with nothing used yet.
pub(crate) fn rights(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &Customer,
    now: Timestamp,
) -> Result<BTreeMap<String, Entitlement>, EngineError> {
    let overrides = overrides::of_customer(tx, &customer.id)?;
    let grace = grace::of_customer(tx, &customer.id)?;
    let basis = Basis {
        plan: &customer.plan,
        on_trial: customer.on_trial,
        access: access_of(customer.standing),
        anchor: customer.anchor,
        overrides: &overrides,
        grace: &grace,
    };
    Ok(allowance::entitlements(catalog, &basis, now))
}

/// What the state of payments leaves of the access.
fn access_of(standing: Standing) -> Access {
    match standing {
        Standing::Good | Standing::PastDue { .. } => Access::Full,
        Standing::ReadOnly { .. } => Access::ReadOnly,
    }
}

fn check_profile(catalog: &Catalog, profile: &Profile) -> Result<String, EngineError> {
    let canonical = crate::email::canonical(&profile.email).ok_or_else(|| {
        EngineError::invalid(
            "/email",
            "invalid_email",
            format!("{:?} is not an e-mail address", profile.email),
            "send an address such as ana@example.com",
        )
    })?;
    if let Some(currency) = profile.currency
        && !catalog.currencies.contains(&currency)
    {
        let known: Vec<&str> = catalog.currencies.iter().map(Currency::code).collect();
        return Err(EngineError::invalid(
            "/currency",
            "unknown_currency",
            format!("the catalog has no prices in {currency}"),
            format!("use one of: {}", known.join(", ")),
        ));
    }
    Ok(canonical)
}

fn check_currency(tx: &mut Tx<'_>, before: &Customer, next: &Customer) -> Result<(), EngineError> {
    if before.currency == next.currency {
        return Ok(());
    }
    let running = subscriptions::of_customer(tx, &before.id)?
        .into_iter()
        .find(|stored| stored.subscription.status.is_entitled());
    match (running, next.currency) {
        (Some(running), Some(currency)) if running.subscription.currency != currency => {
            Err(EngineError::refused(
                "currency_change",
                format!(
                    "the running subscription is paid in {}; nothing was changed: cancel it first, then buy again in {currency}",
                    running.subscription.currency
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn changed(before: &Customer, profile: &Profile, canonical: String) -> Customer {
    Customer {
        email: profile.email.clone(),
        canonical_email: canonical,
        name: profile.name.clone().or_else(|| before.name.clone()),
        currency: profile.currency.or(before.currency),
        device_fingerprint: profile
            .device_fingerprint
            .clone()
            .or_else(|| before.device_fingerprint.clone()),
        metadata: profile.metadata.clone().unwrap_or_else(|| before.metadata.clone()),
        ..before.clone()
    }
}

fn fresh(
    id: &CustomerId,
    profile: &Profile,
    canonical_email: String,
    catalog: &Catalog,
    now: Timestamp,
) -> Customer {
    Customer {
        id: id.clone(),
        email: profile.email.clone(),
        canonical_email,
        name: profile.name.clone(),
        currency: profile.currency,
        device_fingerprint: profile.device_fingerprint.clone(),
        metadata: profile.metadata.clone().unwrap_or_else(|| "{}".to_owned()),
        plan: catalog.fallback.clone(),
        on_trial: false,
        standing: Standing::Good,
        anchor: now,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The names of what differs. What it says is personal and stays out of the log.
fn changed_fields(before: &Customer, next: &Customer) -> Vec<&'static str> {
    let differs = [
        ("email", before.email != next.email),
        ("name", before.name != next.name),
        ("currency", before.currency != next.currency),
        ("device_fingerprint", before.device_fingerprint != next.device_fingerprint),
        ("metadata", before.metadata != next.metadata),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
