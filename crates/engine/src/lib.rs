//! The engine: load, decide, save, follow up.
//!
//! Everything is synchronous. A command is one write transaction around a pure decision of the
//! core; what it causes is written in the same transaction. Calls to a provider happen outside of
//! transactions, between an intent that was stored before and an outcome that is stored after.
//!
//! In reading order: [`customers`], [`access`], [`state`], [`checkouts`], [`checkout_preview`],
//! [`ingest`], `absorb`, `follow_up`, [`mails`], [`jobs`], [`catalogs`], [`invariants`].

mod absorb;
mod absorb_back;
pub mod access;
pub mod attention;
pub mod billing_page;
pub mod billing_sessions;
mod books;
pub mod catalogs;
pub mod changes;
pub mod checkout_preview;
pub mod checkouts;
mod clawback;
pub mod clock;
pub mod customers;
pub mod dunning;
mod email;
mod error;
mod follow_up;
mod grants;
pub mod idempotency;
pub mod ingest;
pub mod invariants;
mod invariants_back;
pub mod jobs;
pub mod keys;
pub mod mails;
pub mod notes;
pub mod operators;
pub mod overrides;
pub mod payment_methods;
pub mod plans;
pub mod provider_state;
pub mod reconcile;
mod refund_calls;
mod refund_desk;
pub mod refunds;
pub mod replay;
mod room;
mod sold;
pub mod spending;
pub mod state;
pub mod subscriptions;
pub mod trials;
mod wake;

use std::sync::{Arc, OnceLock, RwLock};

use farthing_core::catalog::Catalog;
use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_providers::Stripe;
use farthing_store::{Store, Tx, catalog_versions};

pub use clock::{Clock, Ids};
pub use error::{EngineError, FieldError};
pub use farthing_store::StoreError;
pub use farthing_store::meta::{self, Mode};

/// The name under which Stripe's objects are stored.
pub const STRIPE: &str = "stripe";

/// Under this name the secret is kept that the claims of trials are hashed with.
const PEPPER: &str = "trial_pepper";

/// What the engine has to be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the database is for.
    pub mode: Mode,
    /// Where customers return to from a provider's pages, without a path: `https://app.example`.
    pub return_base: String,
    /// Where people reach the pages of this server, without a path: `https://billing.example`.
    /// `None`: there are no pages for customers.
    pub public_url: Option<String>,
}

/// Who asks, and on what occasion: written into the audit log with every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// For example `key:key_01…`, `provider:stripe`, `job`, `cli`.
    pub actor: String,
    /// For example the id of a request, an event or a job.
    pub cause: String,
    /// What somebody said about it, for people.
    pub reason: Option<String>,
    /// The request's idempotency key, if it has one.
    pub keyed: Option<idempotency::Keyed>,
}

impl Call {
    /// `actor` on the occasion of `cause`.
    pub fn new(actor: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { actor: actor.into(), cause: cause.into(), reason: None, keyed: None }
    }

    /// The same under an idempotency key: its answer is kept with its effect.
    pub fn keyed(self, keyed: Option<idempotency::Keyed>) -> Self {
        Self { keyed, ..self }
    }
}

/// Farthing itself. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    stripe: Option<Stripe>,
    config: Config,
    catalog: RwLock<Option<(i64, Arc<Catalog>)>>,
    wake: wake::Wake,
    post: OnceLock<mails::Post>,
}

impl Engine {
    /// An engine on a migrated `store`. Without `stripe` nothing can be bought.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        stripe: Option<Stripe>,
        config: Config,
    ) -> Self {
        let catalog = RwLock::new(None);
        let wake = wake::Wake::default();
        let post = OnceLock::new();
        let inner = Inner { store, clock, ids, stripe, config, catalog, wake, post };
        Self { inner: Arc::new(inner) }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What the database is for.
    pub fn mode(&self) -> Mode {
        self.inner.config.mode
    }

    /// A new id.
    pub fn new_id(&self, kind: IdKind) -> String {
        self.inner.ids.next(kind, self.now())
    }

    /// A text that nobody can guess.
    pub fn unguessable(&self) -> String {
        hex::encode(self.inner.ids.secret())
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Whether requests can be answered: the database is there, migrated, and has a catalog.
    pub fn ready(&self) -> Result<(), EngineError> {
        let pending = self.inner.store.pending_migrations();
        match pending {
            Ok(pending) if pending.is_empty() => {}
            _ => {
                return Err(EngineError::refused(
                    "not_migrated",
                    "the database is not migrated; run `farthing db migrate`",
                ));
            }
        }
        self.read(|engine, tx| engine.catalog(tx).map(|_| ()))
    }

    fn stripe(&self) -> Result<&Stripe, EngineError> {
        self.inner.stripe.as_ref().ok_or(EngineError::NoProvider)
    }

    /// What trial claims are hashed with, so that nobody can try out addresses on a copy of the
    /// database's claims alone. Made once.
    fn pepper(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, EngineError> {
        let fresh = hex::encode(self.inner.ids.secret());
        Ok(meta::keep(tx, PEPPER, &fresh)?.into_bytes())
    }

    /// The same without making it: `None` while nobody ever had a trial.
    fn known_pepper(&self, tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(meta::kept(tx, PEPPER)?.map(String::into_bytes))
    }

    /// Runs `work` in one write transaction and waits until it is durable.
    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Self, &mut Tx<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let engine = self.clone();
        self.inner.store.write(move |tx| work(&engine, tx)).wait()
    }

    /// Runs `work` on one consistent snapshot.
    fn read<T>(
        &self,
        mut work: impl FnMut(&Self, &mut Tx<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.inner.store.read(|tx| work(self, tx))
    }

    /// The catalog in force, with its version. It is parsed once per version.
    fn catalog(&self, tx: &mut Tx<'_>) -> Result<(i64, Arc<Catalog>), EngineError> {
        let Some(version) = catalog_versions::current_number(tx)? else {
            return Err(EngineError::refused(
                "no_catalog",
                "no catalog has been applied yet; run `farthing catalog apply`",
            ));
        };
        let known = self.inner.catalog.read().map(|known| known.clone()).unwrap_or_default();
        if let Some((known_version, catalog)) = known
            && known_version == version
        {
            return Ok((version, catalog));
        }
        let stored = catalog_versions::get(tx, version)?;
        let (_, source) = stored.ok_or_else(|| unreadable(version))?;
        let catalog = farthing_core::catalog::parse(&source);
        let catalog = Arc::new(catalog.map_err(|_| unreadable(version))?);
        if let Ok(mut known) = self.inner.catalog.write() {
            *known = Some((version, Arc::clone(&catalog)));
        }
        Ok((version, catalog))
    }
}

fn unreadable(version: i64) -> StoreError {
    StoreError::Inconsistent {
        column: format!("source of version {version}"),
        problem: "cannot be read as a catalog by this version of farthing".to_owned(),
        statement: "catalog_versions".to_owned(),
    }
}
