//! One world: the real engine on the real store, the sandbox as provider, one clock.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use farthing_core::catalog::Catalog;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_engine::{Call, Config, Engine, EngineError, Mode, meta};
use farthing_providers::stripe::{Livemode, WebhookConfig};
use farthing_providers::{HttpRequest, Stripe};
use farthing_sandbox::World as Provider;
use farthing_store::{Options, Store, StoreError, Value};

use crate::given::Given;
use crate::line::{Line, call, lock};
use crate::oracle::{Oracle, Told, calendar};
use crate::plants::Plant;
use crate::trace::Trace;
use crate::truth::Truth;

/// Where the provider's pages are.
pub(crate) const PAGES: &str = "http://sandbox.test";
const SECOND: i64 = 1_000_000;
const WEEK: i64 = 7 * 86_400 * SECOND;
/// How long a node needs to come back, longer than any lease.
const RESTART: i64 = 130 * SECOND;
/// How often something may be due at one instant before that counts as going round in circles.
const STUCK: u32 = 2_000;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// When, in UTC.
    pub at: String,
    /// The kind of it; stays the same while a failure is shortened.
    pub kind: String,
    /// What exactly.
    pub detail: String,
}

/// Why an engine call came to nothing.
pub(crate) enum No {
    /// The engine said so, with this code.
    Refused(String),
    /// The node stopped.
    Stopped,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) catalog: Catalog,
    pub(crate) provider: Arc<Mutex<Provider>>,
    pub(crate) truth: Truth,
    pub(crate) oracle: Oracle,
    pub(crate) trace: Trace,
    pub(crate) given: Arc<Given>,
    pub(crate) line: Arc<Line>,
    /// The provider's time in microseconds; everybody's but for the node's skew.
    pub(crate) now: i64,
    /// How far the node's clock is ahead, in microseconds.
    pub(crate) skew: i64,
    /// Whose state has to be looked at.
    pub(crate) touched: BTreeSet<String>,
    store: Store,
    /// Webhook endpoints at the provider with their secrets, the oldest first.
    endpoints: Vec<(String, String)>,
    /// When the oldest endpoint is taken away.
    retire_at: Option<i64>,
    heard: String,
    stopped: bool,
    rest_until: i64,
    checked_at: i64,
}

impl World {
    /// A world with nobody in it. Errors: the catalog is not valid, or the plant does not fit.
    pub(crate) fn open(
        (seed, start): (u64, i64),
        source: &str,
        plant: Option<Plant>,
        tell: bool,
    ) -> Result<Self, String> {
        let catalog = farthing_core::catalog::parse(source)
            .map_err(|mistakes| format!("the catalog has {} mistakes", mistakes.len()))?;
        let provider = Arc::new(Mutex::new(Provider::new(seed, start, PAGES)));
        let given = Arc::new(Given::default());
        given.set(start * SECOND);
        let line = Arc::new(Line::new(Arc::clone(&provider), Arc::clone(&given), plant));
        let store = Store::open("sqlite::memory:", Options::default()).map_err(text)?;
        store.migrate().map_err(text)?;
        let begin = Timestamp::from_seconds(start).map_err(text)?;
        let stamped: Result<Mode, StoreError> =
            store.write(move |tx| meta::stamp(tx, Mode::Sandbox, begin)).wait();
        stamped.map_err(text)?;
        for statement in plant.iter().flat_map(Plant::statements) {
            let planted: Result<u64, StoreError> =
                store.write(move |tx| tx.execute(statement, &[])).wait();
            planted.map_err(text)?;
        }
        let endpoints = vec![new_endpoint(&provider)];
        let engine = node(&store, &given, &line, &endpoints);
        engine.apply_catalog(&Call::new("simulation", "start"), source).map_err(text)?;
        Ok(Self {
            engine,
            catalog,
            truth: Truth::new(Arc::clone(&provider)),
            provider,
            oracle: Oracle::new(source)?,
            trace: Trace::new(tell),
            given,
            line,
            now: start * SECOND,
            skew: 0,
            touched: BTreeSet::new(),
            store,
            endpoints,
            retire_at: None,
            heard: String::new(),
            stopped: false,
            rest_until: 0,
            checked_at: start * SECOND,
        })
    }

    /// What the node's clock shows, in microseconds.
    pub(crate) fn node_now(&self) -> i64 {
        self.now + self.skew
    }

    pub(crate) fn note(&mut self, line: &str) {
        self.trace.note(&calendar::name(self.now), line);
    }

    pub(crate) fn failure(&self, kind: impl Into<String>, detail: impl Into<String>) -> Failure {
        Failure { at: calendar::name(self.now), kind: kind.into(), detail: detail.into() }
    }

    /// Asks the engine. A node that stops is replaced by a new one.
    pub(crate) fn ask<T>(
        &mut self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError>,
    ) -> Result<Result<T, No>, Failure> {
        let engine = self.engine.clone();
        let answer = catch_unwind(AssertUnwindSafe(|| work(&engine)));
        if self.given.is_down() {
            self.restart();
            return Ok(Err(No::Stopped));
        }
        match answer {
            Err(_) => Err(self.failure("panic", "the engine panicked")),
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(EngineError::Store(error))) => Err(self.failure("database", error.to_string())),
            Ok(Err(error)) => Ok(Err(No::Refused(word(&error)))),
        }
    }

    fn restart(&mut self) {
        for (point, _) in self.given.take_stops() {
            self.note(&point);
            self.trace.milestone(point);
        }
        self.given.start();
        self.engine = node(&self.store, &self.given, &self.line, &self.endpoints);
        self.stopped = true;
    }

    /// Another secret for webhooks; the old one counts for a day.
    pub(crate) fn rotate(&mut self) {
        if self.retire_at.is_none() {
            self.endpoints.push(new_endpoint(&self.provider));
            self.engine = node(&self.store, &self.given, &self.line, &self.endpoints);
            self.retire_at = Some(self.now + 86_400 * SECOND);
            self.trace.milestone("webhook secret rotated");
        }
    }

    fn retire_endpoint(&mut self) {
        self.retire_at = None;
        let (id, _) = self.endpoints.remove(0);
        let path = format!("/v1/webhook_endpoints/{id}");
        call(&mut lock(&self.provider), &HttpRequest::delete(path));
        self.engine = node(&self.store, &self.given, &self.line, &self.endpoints);
    }

    /// Lets time pass up to `to` (microseconds), with everything that is due on the way.
    pub(crate) fn advance_to(&mut self, to: i64) -> Result<(), Failure> {
        let mut to = to;
        let mut still = 0;
        loop {
            let theirs = lock(&self.provider).next_due().map(|at| at * SECOND);
            let ours = self.ask(Engine::next_due)?.ok().flatten();
            let ours = ours.map(|at| at.micros() - self.skew);
            let due = [theirs, ours, self.retire_at].into_iter().flatten().min();
            let due = due.filter(|due| *due <= to);
            let at = due.unwrap_or(to).max(self.now);
            still = if at == self.now { still + 1 } else { 0 };
            if STUCK < still {
                return Err(self.failure("stuck", "the same things are due again and again"));
            }
            self.set_time(at);
            self.settle()?;
            if std::mem::take(&mut self.stopped) {
                self.rest_until = self.now + RESTART;
            }
            if self.rest_until <= self.now {
                self.watch()?;
            }
            if due.is_none() {
                if self.rest_until <= self.now {
                    return Ok(());
                }
                to = to.max(self.rest_until);
            }
        }
    }

    pub(crate) fn set_time(&mut self, at: i64) {
        self.now = at;
        lock(&self.provider).advance_to(at.div_euclid(SECOND));
        self.given.set(at + self.skew);
        if self.retire_at.is_some_and(|due| due <= at) {
            self.retire_endpoint();
        }
    }

    /// Hands over what the provider has to deliver, and does everything that is due.
    fn settle(&mut self) -> Result<(), Failure> {
        for _ in 0..STUCK {
            let delivered = self.deliver()?;
            let mut done = 0;
            while let Ok(some @ 1..) = self.ask(Engine::run_due)? {
                done += some;
            }
            for happened in self.line.take_happened() {
                self.note(&happened);
                self.trace.milestone(happened);
            }
            if delivered + done == 0 {
                return Ok(());
            }
        }
        Err(self.failure("stuck", "there is always more to do at this instant"))
    }

    fn deliver(&mut self) -> Result<usize, Failure> {
        let due = lock(&self.provider).deliveries_due();
        for delivery in &due {
            let name = "stripe-signature";
            let header = delivery.headers.iter().find(|(known, _)| known == name);
            let signature = header.map(|(_, value)| value.clone()).unwrap_or_default();
            let engine = self.engine.clone();
            let received = catch_unwind(AssertUnwindSafe(|| {
                engine.receive_stripe(&signature, &delivery.body).map(|done| done.duplicate)
            }));
            let status = if self.given.is_down() {
                self.restart();
                None
            } else {
                match received {
                    Ok(Ok(duplicate)) => {
                        if duplicate {
                            self.trace.milestone("an event delivered again");
                        }
                        Some(200)
                    }
                    Ok(Err(farthing_engine::ingest::ReceiveError::Webhook(_))) => {
                        self.trace.milestone("a delivery refused");
                        Some(400)
                    }
                    Ok(Err(error)) => return Err(self.failure("database", error.to_string())),
                    Err(_) => return Err(self.failure("panic", "panicked on an event")),
                }
            };
            lock(&self.provider).delivered(delivery.id, status);
        }
        Ok(due.len())
    }

    /// Lets the oracle hear what Farthing has for the app, and compares everybody concerned.
    pub(crate) fn watch(&mut self) -> Result<(), Failure> {
        for told in self.news()? {
            self.note(&format!("{} {} {}", told.customer, told.kind, told.data));
            self.trace.milestone(told.kind.clone());
            self.trace.count(calendar::month_name(self.now), &told.kind);
            if self.oracle.customers().any(|known| *known == told.customer)
                || told.kind == "customer.created"
            {
                self.touched.insert(told.customer.clone());
            }
            if let Err(wrong) = self.oracle.hear(&told, &mut self.truth) {
                let detail = format!("{} ({}) {wrong}", told.customer, told.kind);
                return Err(self.failure("oracle: news", detail));
            }
        }
        for customer in std::mem::take(&mut self.touched) {
            self.compare(&customer)?;
        }
        if self.checked_at + WEEK <= self.now {
            self.checked_at = self.now;
            self.check_all()?;
        }
        Ok(())
    }

    fn compare(&mut self, customer: &str) -> Result<(), Failure> {
        let id = customer.to_owned().parse::<CustomerId>();
        let id = id.map_err(|error| self.failure("oracle: state", error.to_string()))?;
        let Ok(state) = self.ask(|engine| engine.state(&id))? else { return Ok(()) };
        let now = self.node_now();
        match self.oracle.compare(customer, &state, now).as_slice() {
            [] => Ok(()),
            differs => {
                let detail = format!("{customer}: {}", differs.join("; "));
                Err(self.failure("oracle: state", detail))
            }
        }
    }

    /// Asks every invariant.
    pub(crate) fn check_all(&mut self) -> Result<(), Failure> {
        let Ok(findings) = self.ask(Engine::findings)? else { return Ok(()) };
        match findings.iter().find(|finding| !finding.rows.is_empty()) {
            None => Ok(()),
            Some(broken) => {
                let detail = format!("{}: {}", broken.name, broken.rows.join(", "));
                Err(self.failure(format!("invariant {}", broken.id), detail))
            }
        }
    }

    /// The events for the app since the last time.
    fn news(&mut self) -> Result<Vec<Told>, Failure> {
        const SQL: &str = "
            SELECT id, customer_id, type,
                CASE WHEN type = 'customer.state_changed' THEN '{}' ELSE data END, created_at
            FROM outbox WHERE $1 < id ORDER BY id";
        let after = Value::Text(self.heard.clone());
        let rows: Result<Vec<_>, StoreError> = self.store.read(|tx| {
            let rows = tx.query(SQL, std::slice::from_ref(&after))?;
            let read = rows.iter().map(|row| {
                let told = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.int(4)?);
                Ok(told)
            });
            read.collect()
        });
        let rows = rows.map_err(|error| self.failure("database", error.to_string()))?;
        if let Some((last, ..)) = rows.last() {
            self.heard.clone_from(last);
        }
        let told = rows.into_iter().map(|(_, customer, kind, data, at)| Told {
            customer,
            kind,
            data: serde_json::from_str(&data).unwrap_or_default(),
            at,
        });
        Ok(told.collect())
    }

    /// How many rows `sql` counts.
    pub(crate) fn count(&self, sql: &'static str) -> i64 {
        let counted: Result<i64, StoreError> =
            self.store.read(|tx| tx.query_opt(sql, &[])?.map_or(Ok(0), |row| row.int(0)));
        counted.unwrap_or(-1)
    }

    /// The first text that `sql` answers.
    pub(crate) fn first_text(&self, sql: &'static str) -> Option<String> {
        let rows: Result<Vec<String>, StoreError> = self
            .store
            .read(|tx| tx.query(sql, &[])?.iter().take(1).map(|row| row.text(0)).collect());
        rows.ok()?.pop()
    }
}

fn node(
    store: &Store,
    given: &Arc<Given>,
    line: &Arc<Line>,
    endpoints: &[(String, String)],
) -> Engine {
    let secrets = endpoints.iter().map(|(_, secret)| secret.clone()).collect();
    let webhook = WebhookConfig::new(secrets, 300).expect("the provider makes good secrets");
    let stripe = Stripe::new(Arc::<Line>::clone(line), Livemode::Test, webhook);
    let config = Config {
        mode: Mode::Sandbox,
        return_base: "https://app.example".to_owned(),
        public_url: None,
    };
    let (clock, ids) = (Arc::clone(given), Arc::clone(given));
    Engine::new(store.clone(), clock, ids, Some(stripe), config)
}

/// A webhook endpoint at the provider: its id and its secret.
fn new_endpoint(provider: &Arc<Mutex<Provider>>) -> (String, String) {
    let form = [("url", "http://farthing.test/webhooks/stripe"), ("enabled_events[]", "*")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let request = HttpRequest::ask("/v1/webhook_endpoints".to_owned(), form);
    let made = call(&mut lock(provider), &request);
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap_or_default();
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    (text("id"), text("secret"))
}

/// A short word for an error.
fn word(error: &EngineError) -> String {
    match error {
        EngineError::Refused { code, .. } => (*code).to_owned(),
        EngineError::ProviderRefused { code, .. } => format!("provider refused: {code}"),
        EngineError::ProviderUnavailable { .. } => "provider unavailable".to_owned(),
        EngineError::NotFound { what, .. } => format!("no {what}"),
        other => other.to_string(),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
