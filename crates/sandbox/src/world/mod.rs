//! The pretend world: every object the provider would hold, and what happens to them over time.
//!
//! Pure and deterministic: no clock, no randomness, no I/O. Same seed and same calls give the same
//! bytes. One file per kind of object; each holds its state, how it is rendered, its endpoints and
//! what time does to it. Room for what a provider has beyond this (schedules, previews, the
//! portal, disputes) is a file more and a line in [`route`].

mod cards;
mod catalog;
mod challenges;
mod charges;
mod checkout;
mod clock;
mod customers;
mod deliveries;
mod disputes;
mod endpoints;
mod events;
mod expand;
mod faults;
mod idempotency;
mod invoices;
mod list;
mod payment_intents;
mod payment_methods;
mod portal;
mod refunds;
mod render;
mod route;
mod scenarios;
mod setup_intents;
mod subscriptions;
mod table;

use serde::{Deserialize, Serialize};

use crate::ids;
pub use clock::AfterLastRetry;
pub use deliveries::Delivery;
pub use faults::{CallFault, Faults, WebhookFault};
pub use scenarios::SCENARIOS;
pub(crate) use table::{AnyTable, Change};

use catalog::{Price, Product};
use checkout::Session;
use table::Table;

/// A payment provider's world. See the module documentation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    meta: Meta,
    customers: Table<customers::Customer>,
    products: Table<Product>,
    prices: Table<Price>,
    sessions: Table<Session>,
    payment_methods: Table<payment_methods::PaymentMethod>,
    subscriptions: Table<subscriptions::Subscription>,
    schedules: Table<subscriptions::Schedule>,
    invoices: Table<invoices::Invoice>,
    invoice_payments: Table<invoices::InvoicePayment>,
    payment_intents: Table<payment_intents::PaymentIntent>,
    setup_intents: Table<setup_intents::SetupIntent>,
    charges: Table<charges::Charge>,
    portal_sessions: Table<portal::PortalSession>,
    refunds: Table<refunds::Refund>,
    disputes: Table<disputes::Dispute>,
    events: Table<events::Event>,
    endpoints: Table<endpoints::Endpoint>,
    deliveries: Table<deliveries::Pending>,
    idempotency: Table<idempotency::Kept>,
    /// Which API request is being handled; events name it.
    #[serde(skip)]
    origin: events::Origin,
}

/// What belongs to the world as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) seed: u64,
    /// World time in unix seconds.
    pub(crate) now: i64,
    pub(crate) base_url: String,
    /// How many ids were made.
    counter: u64,
    /// How many API requests were answered.
    requests: u64,
    after_last_retry: AfterLastRetry,
    #[serde(default)]
    faults: Faults,
}

impl World {
    /// An empty world at `now` (unix seconds). Hosted pages have urls below `base_url`.
    pub fn new(seed: u64, now: i64, base_url: &str) -> World {
        World {
            meta: Meta {
                seed,
                now: now.clamp(0, crate::calendar::LAST_INSTANT),
                base_url: base_url.trim_end_matches('/').to_owned(),
                counter: 0,
                requests: 0,
                after_last_retry: AfterLastRetry::Cancel,
                faults: Faults::default(),
            },
            customers: Table::default(),
            products: Table::default(),
            prices: Table::default(),
            sessions: Table::default(),
            payment_methods: Table::default(),
            subscriptions: Table::default(),
            schedules: Table::default(),
            invoices: Table::default(),
            invoice_payments: Table::default(),
            payment_intents: Table::default(),
            setup_intents: Table::default(),
            charges: Table::default(),
            portal_sessions: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            events: Table::default(),
            endpoints: Table::default(),
            deliveries: Table::default(),
            idempotency: Table::default(),
            origin: events::Origin::default(),
        }
    }

    /// World time in unix seconds.
    pub fn now(&self) -> i64 {
        self.meta.now
    }

    /// What is to go wrong.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.meta.faults
    }

    /// The id of the sandbox's account: what `GET /v1/account` answers.
    pub fn account_id(&self) -> String {
        ids::id(self.meta.seed, 0, "acct_")
    }

    /// Moves the hosted pages, for a file that is opened again on another port.
    pub(crate) fn set_base_url(&mut self, base_url: &str) {
        self.meta.base_url = base_url.trim_end_matches('/').to_owned();
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    pub(crate) fn set_meta(&mut self, meta: Meta) {
        self.meta = meta;
    }

    fn new_id(&mut self, prefix: &str) -> String {
        self.meta.counter += 1;
        ids::id(self.meta.seed, self.meta.counter, prefix)
    }

    /// Ids that may be used, in order; taken only by [`World::take`]. What is only drafted (a
    /// preview) then leaves no trace.
    fn next_ids(&self) -> Ids {
        Ids { seed: self.meta.seed, counter: self.meta.counter }
    }

    /// Takes the ids that were drawn from `ids`. Nothing may have drawn others in between.
    fn take(&mut self, ids: &Ids) {
        debug_assert!(self.meta.counter <= ids.counter, "ids are taken once");
        self.meta.counter = ids.counter;
    }

    /// A nonce for the styles of a page about `subject`.
    fn nonce(&self, subject: &str) -> String {
        ids::text(self.meta.seed, &format!("nonce {subject} {}", self.meta.now), 24)
    }

    /// A client secret as Stripe makes them from an id: `pi_…_secret_…`.
    fn client_secret(&self, id: &str) -> String {
        format!("{id}_secret_{}", ids::text(self.meta.seed, id, 25))
    }

    /// All tables, for saving and loading.
    pub(crate) fn tables(&mut self) -> [&mut dyn AnyTable; 19] {
        [
            &mut self.customers,
            &mut self.products,
            &mut self.prices,
            &mut self.sessions,
            &mut self.payment_methods,
            &mut self.subscriptions,
            &mut self.schedules,
            &mut self.invoices,
            &mut self.invoice_payments,
            &mut self.payment_intents,
            &mut self.setup_intents,
            &mut self.charges,
            &mut self.portal_sessions,
            &mut self.refunds,
            &mut self.disputes,
            &mut self.events,
            &mut self.endpoints,
            &mut self.deliveries,
            &mut self.idempotency,
        ]
    }
}

/// Ids for something that is drafted first and recorded later, if at all.
#[derive(Debug, Clone)]
struct Ids {
    seed: u64,
    counter: u64,
}

impl Ids {
    fn next(&mut self, prefix: &str) -> String {
        self.counter += 1;
        ids::id(self.seed, self.counter, prefix)
    }
}
