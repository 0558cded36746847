//! The catalog: what applying a new one would change, and applying it.

use std::collections::BTreeMap;

use farthing_core::catalog::{self, Catalog, CatalogError, Change, InUse, PriceSlot};
use farthing_core::money::Money;
use farthing_core::snapshot::PriceSnapshot;
use farthing_core::time::Timestamp;
use farthing_providers::CallError;
use farthing_providers::stripe::NewPrice;
use farthing_store::catalog_versions::{self, CatalogVersion};
use farthing_store::provider_prices::{self, PriceKind, ProviderPrice};
use farthing_store::{Tx, checkouts, customers, subscriptions};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::jobs::Job;
use crate::reconcile;
use crate::{Call, Engine, EngineError, STRIPE};

/// The catalog in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogView {
    /// Counts from 1.
    pub version: i64,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// Who applied it.
    pub actor: String,
    /// The file, as it was applied.
    pub source: String,
    /// What it says.
    pub catalog: Catalog,
}

/// What applying a catalog would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogPlan {
    /// The version in force; `None`: there is none yet.
    pub version: Option<i64>,
    /// In a stable order; empty: it is in force already.
    pub changes: Vec<Change>,
    /// Whether something must not be taken away.
    pub blocked: bool,
}

/// A catalog was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The version in force now.
    pub version: i64,
    /// What changed; empty: nothing, it was in force already.
    pub changes: Vec<Change>,
    /// How many prices were made at the provider.
    pub prices_created: usize,
}

/// A catalog cannot be used. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogProblem {
    /// The file has mistakes.
    #[error("the catalog has {} mistakes; nothing was changed", .0.len())]
    Mistakes(Vec<CatalogError>),
    /// Something that is in use would go.
    #[error("the catalog takes away what is in use; nothing was changed")]
    Blocked(Vec<Change>),
    /// The database or the provider.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// The catalog in force. Errors: none was applied yet.
    pub fn current_catalog(&self) -> Result<CatalogView, EngineError> {
        self.read(|engine, tx| {
            let (version, catalog) = engine.catalog(tx)?;
            let missing = || EngineError::NotFound { what: "catalog", id: version.to_string() };
            let (stored, source) = catalog_versions::get(tx, version)?.ok_or_else(missing)?;
            Ok(CatalogView {
                version,
                applied_at: stored.applied_at,
                actor: stored.actor,
                source,
                catalog: catalog.as_ref().clone(),
            })
        })
    }

    /// What applying `source` would change. Writes nothing.
    pub fn plan_catalog(&self, source: &str) -> Result<CatalogPlan, CatalogProblem> {
        let next = catalog::parse(source).map_err(CatalogProblem::Mistakes)?;
        Ok(self.read(|engine, tx| engine.plan_in(tx, &next))?)
    }

    /// Makes `source` the catalog in force: products and prices are made at the provider first,
    /// each found again by its key and never made twice; then one transaction switches over, and a
    /// job gives every customer what the new catalog says.
    pub fn apply_catalog(&self, call: &Call, source: &str) -> Result<Applied, CatalogProblem> {
        let next = catalog::parse(source).map_err(CatalogProblem::Mistakes)?;
        let plan = self.read(|engine, tx| engine.plan_in(tx, &next))?;
        if plan.blocked {
            return Err(CatalogProblem::Blocked(plan.changes));
        }
        let prices_created = match self.inner.stripe {
            Some(_) => self.ensure_prices(&next)?,
            None => 0,
        };
        if let (Some(version), true) = (plan.version, plan.changes.is_empty()) {
            return Ok(Applied { version, changes: Vec::new(), prices_created });
        }
        let (call, source) = (call.clone(), source.to_owned());
        let applied = self.write(move |engine, tx| {
            let plan = engine.plan_in(tx, &next)?;
            if plan.blocked {
                return Ok(Err(plan.changes));
            }
            if let (Some(version), true) = (plan.version, plan.changes.is_empty()) {
                return Ok(Ok(Applied { version, changes: Vec::new(), prices_created }));
            }
            let version = plan.version.unwrap_or(0) + 1;
            engine.switch(tx, &call, (version, &source))?;
            Ok(Ok(Applied { version, changes: plan.changes, prices_created }))
        })?;
        applied.map_err(CatalogProblem::Blocked)
    }

    fn switch(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (version, source): (i64, &str),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let row = CatalogVersion {
            version,
            sha256: hex::encode(Sha256::digest(source.as_bytes())),
            applied_at: now,
            actor: call.actor.clone(),
        };
        if !catalog_versions::insert(tx, &row, source)? {
            return Err(EngineError::refused(
                "catalog_changed",
                "another catalog was applied at the same moment; nothing was changed, look at its changes and try again",
            ));
        }
        self.note(tx, call, "catalog.applied", &version.to_string())?;
        self.enqueue(tx, &Job::Rematerialize { version, after: String::new() }, now)?;
        self.enqueue_once(tx, &Job::Reconcile, now.plus_seconds(reconcile::EVERY))
    }

    fn plan_in(&self, tx: &mut Tx<'_>, next: &Catalog) -> Result<CatalogPlan, EngineError> {
        // Version and catalog are of one look: another one may be applied between two.
        let (version, applied) = match catalog_versions::current_number(tx)? {
            None => (None, None),
            Some(_) => {
                let (version, catalog) = self.catalog(tx)?;
                (Some(version), Some(catalog))
            }
        };
        // Whoever has it, will have it, or is about to pay for it. Most who have it are counted
        // twice, as customers and as subscriptions: the greater number is how many there are.
        let mut plans: BTreeMap<String, u64> = BTreeMap::new();
        let counts = [customers::count_by_plan(tx)?, subscriptions::count_by_plan(tx)?];
        for (plan, n) in counts.into_iter().flatten() {
            let known = plans.entry(plan).or_default();
            *known = (*known).max(u64::try_from(n).unwrap_or_default());
        }
        for (plan, n) in checkouts::count_open_by_plan(tx)? {
            *plans.entry(plan).or_default() += u64::try_from(n).unwrap_or_default();
        }
        let changes = catalog::diff(applied.as_deref(), next, &InUse { plans });
        let blocked = catalog::is_blocked(&changes);
        Ok(CatalogPlan { version, changes, blocked })
    }

    /// Sees to it that every price of `catalog` exists at the provider and is in our book; answers
    /// how many were made.
    fn ensure_prices(&self, catalog: &Catalog) -> Result<usize, EngineError> {
        let known = self.read(|_, tx| Ok(provider_prices::list(tx, STRIPE)?))?;
        let known: Vec<String> = known.into_iter().map(|price| price.lookup_key).collect();
        let missing: Vec<PriceSlot> = catalog
            .price_slots()
            .into_iter()
            .filter(|slot| !known.contains(&slot.lookup_key()))
            .collect();
        let keys: Vec<String> = missing.iter().map(PriceSlot::lookup_key).collect();
        let found = if keys.is_empty() { Vec::new() } else { self.stripe()?.find_prices(&keys)? };
        let mut created = 0;
        for (slot, key) in missing.iter().zip(&keys) {
            match found.iter().find(|price| price.lookup_key.as_ref() == Some(key)) {
                Some(price) => {
                    self.book(slot, key, price)?;
                }
                None => {
                    let name = product_name(catalog, slot);
                    self.create_price(slot, key, &name)?;
                    created += 1;
                }
            }
        }
        Ok(created)
    }

    /// The provider's id of one price, which is found or made.
    pub(crate) fn ensure_price(&self, slot: &PriceSlot, key: &str) -> Result<String, EngineError> {
        let found = self.stripe()?.find_prices(&[key.to_owned()])?;
        match found.first() {
            Some(price) => self.book(slot, key, price),
            None => {
                let catalog = self.read(|engine, tx| Ok(engine.catalog(tx)?.1))?;
                self.create_price(slot, key, &product_name(&catalog, slot))
            }
        }
    }

    fn create_price(&self, slot: &PriceSlot, key: &str, name: &str) -> Result<String, EngineError> {
        let stripe = self.stripe()?;
        let product = slot.product_key();
        let product =
            stripe.ensure_product(&product, name, &format!("farthing:product:{product}"))?;
        let interval = match slot {
            PriceSlot::Plan { interval, .. } => Some(*interval),
            PriceSlot::Pack { .. } => None,
        };
        let new = NewPrice {
            product,
            lookup_key: key.to_owned(),
            amount: slot.amount(),
            interval,
            key: format!("farthing:price:{key}"),
        };
        match stripe.create_price(&new) {
            Ok(price) => self.book(slot, key, &price),
            // Somebody else made it in the meantime: take that one.
            Err(error @ CallError::Refused { .. }) => {
                let found = stripe.find_prices(&[key.to_owned()])?;
                found.first().map_or(Err(error.into()), |price| self.book(slot, key, price))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a provider's price into our book. Errors: it is not what its key says.
    fn book(
        &self,
        slot: &PriceSlot,
        key: &str,
        price: &PriceSnapshot,
    ) -> Result<String, EngineError> {
        let (kind, item, interval) = match slot {
            PriceSlot::Plan { plan, interval, .. } => (PriceKind::Plan, plan, Some(*interval)),
            PriceSlot::Pack { pack, .. } => (PriceKind::Pack, pack, None),
        };
        let expected: (Money, _) = (slot.amount(), interval);
        if (price.amount, price.interval) != expected {
            return Err(EngineError::refused(
                "price_mismatch",
                format!(
                    "the provider's price {} has our key {key} but is {}; nothing was changed: remove its lookup key there, then apply again",
                    price.id, price.amount
                ),
            ));
        }
        let row = ProviderPrice {
            provider: STRIPE.to_owned(),
            lookup_key: key.to_owned(),
            provider_price_id: price.id.clone(),
            product_id: price.product.clone(),
            kind,
            item: item.clone(),
            interval,
            amount: price.amount,
            created_at: self.now(),
        };
        let id = price.id.clone();
        self.write(move |_, tx| {
            provider_prices::insert(tx, &row)?;
            Ok(id.clone())
        })
    }
}

fn product_name(catalog: &Catalog, slot: &PriceSlot) -> String {
    let name = match slot {
        PriceSlot::Plan { plan, .. } => catalog.plans.get(plan).map(|plan| plan.name.clone()),
        PriceSlot::Pack { pack, .. } => catalog.packs.get(pack).map(|pack| pack.name.clone()),
    };
    name.unwrap_or_else(|| slot.product_key())
}
