//! A whole system in memory: the engine on a real store, the sandbox as Stripe, one clock.

#![allow(dead_code, reason = "each test binary uses its own part of the world")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod line;
mod proof;

use std::sync::{Arc, Mutex, MutexGuard};

use farthing_core::access::Answer;
use farthing_core::catalog::SAMPLE;
use farthing_core::ids::CustomerId;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::access::Want;
use farthing_engine::checkouts::{Buy, CheckoutView, Purchase};
use farthing_engine::clock::{CountingIds, ManualClock};
use farthing_engine::customers::Profile;
use farthing_engine::ingest::Received;
use farthing_engine::state::State;
use farthing_engine::{Call, Clock, Config, Engine, EngineError};
use farthing_providers::stripe::{Livemode, WebhookConfig};
use farthing_providers::{BreakerRules, GuardedTransport, HttpRequest, Moment, Stripe, Transport};
use farthing_sandbox::{Request, World as Provider};
use farthing_store::meta::{self, Mode};
use farthing_store::testing::{Backend, TestStore};
use farthing_store::{Store, StoreError, Tx};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

#[allow(unused_imports, reason = "each test binary uses its own part of the world")]
pub use line::{Fate, Killed, Line};

/// Runs each test on SQLite and on PostgreSQL. A snapshot in a test is the same on both.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() { $crate::world::run(farthing_store::testing::Backend::Sqlite, super::$name) } )*
        }
        mod postgres {
            $( #[test] fn $name() { $crate::world::run(farthing_store::testing::Backend::Postgres, super::$name) } )*
        }
    };
}

/// Runs one test in a world of its own.
pub fn run(backend: Backend, test: fn(World)) {
    insta::allow_duplicates! { test(World::new(backend)) }
}

const START: &str = "2027-01-31T10:00:00Z";
const BASE: &str = "http://sandbox.test";

/// The cards of Stripe's documentation.
pub const GOOD_CARD: &str = "4242424242424242";
pub const DECLINED_CARD: &str = "4000000000000002";
pub const FAILS_LATER: &str = "4000000000000341";

pub struct World {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub provider: Arc<Mutex<Provider>>,
    /// What the engine's calls go over.
    pub line: Arc<Line>,
    /// What the provider's webhooks are signed with.
    pub webhook_secret: String,
    /// Every event that was delivered: its signature header and its body.
    pub sent: Vec<(String, Vec<u8>)>,
    ids: Arc<CountingIds>,
    store: TestStore,
}

/// The world's time, and no chance.
struct Still(Arc<ManualClock>);

impl Moment for Still {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn chance(&self) -> u64 {
        0
    }
}

fn call(provider: &mut Provider, request: &HttpRequest) -> farthing_sandbox::Response {
    let mut headers = vec![
        ("authorization".to_owned(), "Bearer sk_test_world".to_owned()),
        ("stripe-version".to_owned(), farthing_sandbox::API_VERSION.to_owned()),
    ];
    if let Some(key) = &request.idempotency_key {
        headers.push(("idempotency-key".to_owned(), key.clone()));
    }
    let body = form(&request.form);
    provider.handle(&Request {
        method: request.method.to_owned(),
        path: request.path.clone(),
        headers,
        body,
    })
}

fn form(pairs: &[(String, String)]) -> Vec<u8> {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, b| {
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(b)),
                _ => out += &format!("%{b:02X}"),
            }
            out
        })
    };
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&").into_bytes()
}

impl World {
    /// The sample catalog is applied, and nobody is there yet.
    pub fn new(backend: Backend) -> Self {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let provider = Arc::new(Mutex::new(Provider::new(7, start.seconds(), BASE)));
        let secret = endpoint_secret(&mut provider.lock().unwrap());
        let line = Arc::new(Line::to(Arc::clone(&provider)));
        let store = Store::for_test(backend);
        stamp(&store, start);
        let ids = Arc::new(CountingIds::default());
        let engine = engine(&store, (&clock, &ids), (line.clone(), &secret));
        engine.apply_catalog(&caller(), SAMPLE).unwrap();
        let (webhook_secret, sent) = (secret, Vec::new());
        let world = Self { engine, clock, provider, line, webhook_secret, sent, ids, store };
        world.drain();
        world
    }

    /// The same with a circuit breaker before the line, as in production.
    pub fn guarded(mut self) -> Self {
        let still = Still(self.clock.clone());
        let line = GuardedTransport::new(self.line.clone(), still, BreakerRules::default());
        self.engine = self.engine_over(Arc::new(line));
        self
    }

    /// The process is gone, and another one starts on the same database.
    pub fn restart(&mut self) {
        self.engine = self.engine_over(self.line.clone());
    }

    fn engine_over(&self, line: Arc<dyn Transport>) -> Engine {
        engine(&self.store, (&self.clock, &self.ids), (line, &self.webhook_secret))
    }

    pub fn provider(&self) -> MutexGuard<'_, Provider> {
        self.provider.lock().unwrap()
    }

    /// One request to the provider, as its own dashboard would make it.
    pub fn at_provider(
        &self,
        method: &'static str,
        path: &str,
        form: &[(&str, &str)],
    ) -> serde_json::Value {
        let form = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let request = HttpRequest { method, path: path.to_owned(), idempotency_key: None, form };
        let response = call(&mut self.provider(), &request);
        let body = serde_json::from_slice(&response.body).unwrap();
        assert!(response.status < 300, "{method} {path}: {} {body}", response.status);
        body
    }

    /// The customer stores another card at the provider.
    pub fn change_card(&self, id: &str, card: &str) {
        let found = self.at_provider("GET", "/v1/subscriptions", &[]);
        let mine = |sub: &&serde_json::Value| sub["metadata"]["farthing_customer"] == id;
        let sub = found["data"].as_array().unwrap().iter().find(mine).unwrap();
        let customer = sub["customer"].as_str().unwrap();
        let path = format!("/v1/payment_methods/{card}/attach");
        let method = self.at_provider("POST", &path, &[("customer", customer)]);
        let path = format!("/v1/subscriptions/{}", sub["id"].as_str().unwrap());
        let method = method["id"].as_str().unwrap();
        self.at_provider("POST", &path, &[("default_payment_method", method)]);
    }

    pub fn customer(&self, id: &str) -> CustomerId {
        let customer: CustomerId = id.parse().unwrap();
        let profile = Profile { email: format!("{id}@example.com"), ..Profile::default() };
        self.engine.upsert_customer(&caller(), &customer, &profile).unwrap();
        customer
    }

    pub fn state(&self, id: &str) -> State {
        self.engine.state(&id.parse().unwrap()).unwrap()
    }

    pub fn want(&self, id: &str, feature: &str, amount: i64) -> Want {
        let customer = id.parse().unwrap();
        Want { customer, feature: feature.to_owned(), amount, operation: None }
    }

    pub fn consume(&self, id: &str, feature: &str, amount: i64) -> Answer {
        self.engine.consume(&caller(), &self.want(id, feature, amount)).unwrap()
    }

    pub fn release(&self, id: &str, feature: &str, amount: i64) -> Answer {
        self.engine.release(&caller(), &self.want(id, feature, amount)).unwrap()
    }

    pub fn plan(&self, id: &str, plan: &str) -> Purchase {
        let buy =
            Buy::Plan { plan: plan.to_owned(), interval: Interval::Month, trial: Some(false) };
        Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
    }

    pub fn pack(&self, id: &str, pack: &str) -> Purchase {
        let buy = Buy::Pack { pack: pack.to_owned() };
        Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
    }

    pub fn checkout(&self, purchase: &Purchase) -> Result<CheckoutView, EngineError> {
        self.engine.start_checkout(&caller(), purchase)
    }

    /// Types a card into the hosted page; the page's status.
    pub fn pay(&self, checkout: &CheckoutView, card: &str) -> u16 {
        self.pay_at(checkout.url.as_ref().expect("the page is open"), card)
    }

    /// The same on a page that somebody else made.
    pub fn pay_at(&self, url: &str, card: &str) -> u16 {
        let path = url.strip_prefix(BASE).expect("the page is the sandbox's");
        let form = [("card".to_owned(), card.to_owned())];
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: self::form(&form),
        };
        self.provider().handle(&request).status
    }

    /// Buys a plan with the good card and lets every event arrive.
    pub fn buy(&mut self, id: &str, plan: &str) -> CheckoutView {
        self.buy_with(&self.plan(id, plan), GOOD_CARD)
    }

    pub fn buy_with(&mut self, purchase: &Purchase, card: &str) -> CheckoutView {
        let checkout = self.checkout(purchase).unwrap();
        assert_eq!(self.pay(&checkout, card), 303);
        self.settle();
        self.engine.checkout(&checkout.id).unwrap()
    }

    /// Takes the deliveries that are due from the provider, without handing them over.
    pub fn take_deliveries(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut provider = self.provider.lock().unwrap();
        let mut taken = Vec::new();
        for delivery in provider.deliveries_due() {
            let signature = delivery
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("stripe-signature"));
            taken.push((signature.unwrap().1.clone(), delivery.body));
            provider.delivered(delivery.id, Some(200));
        }
        drop(provider);
        self.sent.extend(taken.clone());
        taken
    }

    /// A delivery of `event` with the endpoint's own secret.
    pub fn signed(&self, event: &serde_json::Value) -> (String, Vec<u8>) {
        let (at, body) = (self.now().seconds(), event.to_string().into_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(self.webhook_secret.as_bytes()).unwrap();
        mac.update(format!("{at}.").as_bytes());
        mac.update(&body);
        (format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes())), body)
    }

    pub fn receive(&self, (signature, body): &(String, Vec<u8>)) -> Received {
        self.engine.receive_stripe(signature, body).unwrap()
    }

    /// Hands over every due delivery and handles everything that is due.
    pub fn settle(&mut self) {
        loop {
            let deliveries = self.take_deliveries();
            deliveries.iter().for_each(|delivery| {
                self.receive(delivery);
            });
            if self.drain() == 0 && deliveries.is_empty() {
                return;
            }
        }
    }

    /// Handles everything that is due; how much there was.
    pub fn drain(&self) -> usize {
        let mut handled = 0;
        loop {
            match self.engine.run_due().unwrap() + self.engine.send_mails().unwrap() {
                0 => return handled,
                n => handled += n,
            }
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves both clocks, step by step, letting events arrive as they happen.
    pub fn advance_to(&mut self, to: Timestamp) {
        self.advance(to, true);
    }

    pub fn advance_days(&mut self, days: i64) {
        self.advance(self.now().plus_intervals(days, Interval::Day), true);
    }

    /// The same with the provider's webhooks switched off.
    pub fn advance_days_without_events(&mut self, days: i64) {
        self.advance(self.now().plus_intervals(days, Interval::Day), false);
    }

    fn advance(&mut self, to: Timestamp, deliver: bool) {
        loop {
            let provider_due =
                self.provider().next_due().map(|at| Timestamp::from_seconds(at).unwrap());
            let ours = self.engine.next_due().unwrap();
            let next = [provider_due, ours].into_iter().flatten().filter(|at| *at <= to).min();
            let at = next.unwrap_or(to).max(self.now());
            self.provider().advance_to(at.seconds());
            self.clock.set(at);
            match deliver {
                true => self.settle(),
                false => {
                    self.take_deliveries();
                    self.drain();
                }
            }
            if next.is_none() {
                return;
            }
        }
    }

    /// Applies a catalog, and lets it reach everybody.
    pub fn apply(&self, source: &str) {
        self.engine.apply_catalog(&caller(), source).unwrap();
        self.drain();
    }

    /// Changes the database behind the engine's back.
    pub fn by_hand<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.engine.store().write(work).wait().unwrap()
    }

    /// Every invariant holds.
    pub fn check(&self) {
        for finding in self.engine.findings().unwrap() {
            assert!(finding.rows.is_empty(), "{}: {:?}", finding.name, finding.rows);
        }
    }
}

fn engine(
    store: &Store,
    (clock, ids): (&Arc<ManualClock>, &Arc<CountingIds>),
    (line, secret): (Arc<dyn Transport>, &str),
) -> Engine {
    let webhook = WebhookConfig::new(vec![secret.to_owned()], 300).unwrap();
    let stripe = Stripe::new(line, Livemode::Test, webhook);
    let config = Config {
        mode: Mode::Sandbox,
        return_base: "https://app.example".to_owned(),
        public_url: Some("https://billing.example".to_owned()),
    };
    Engine::new(store.clone(), clock.clone(), ids.clone(), Some(stripe), config)
}

pub fn caller() -> Call {
    Call::new("test", "test")
}

fn endpoint_secret(provider: &mut Provider) -> String {
    let form = [("url", "http://farthing.test/webhooks/stripe"), ("enabled_events[]", "*")];
    let form = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let path = "/v1/webhook_endpoints".to_owned();
    let made = call(provider, &HttpRequest { method: "POST", path, idempotency_key: None, form });
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
    made["secret"].as_str().expect("a new endpoint has a secret").to_owned()
}

fn stamp(store: &Store, now: Timestamp) {
    let stamped = store.write(move |tx| meta::stamp(tx, Mode::Sandbox, now));
    let stamped: Result<Mode, StoreError> = stamped.wait();
    stamped.unwrap();
}
