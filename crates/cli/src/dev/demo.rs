//! `farthing dev --demo`: a lively world, made by the real engine and the sandbox, as a year would.
//!
//! Nothing is written into the database by hand: customers buy on the sandbox's page, time passes,
//! cards fail, and what the engine makes of it is what is shown.

use farthing_core::change::Command;
use farthing_core::ids::CustomerId;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::access::Want;
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_engine::customers::Profile;
use farthing_engine::{Call, Engine, EngineError};
use farthing_sandbox::{Request, Sandbox};
use serde_json::Value;

use super::{SANDBOX_KEY, SANDBOX_PATH};
use crate::exit::Failure;

/// A card that pays.
const GOOD_CARD: &str = "4242424242424242";
/// The customer with a year of history; whose billing page is shown when nobody is named.
const REGULAR: &str = "demo";

/// Where the year stands: moves the clock to an instant and waits for everything on the way.
pub type Advance<'a> = &'a dyn Fn(Timestamp) -> Result<(), Failure>;

/// Fills an empty world; one that was filled before stays as it is. Answers whether it was filled.
pub fn fill(engine: &Engine, sandbox: &Sandbox, advance: Advance<'_>) -> Result<bool, Failure> {
    let world = Demo { engine, sandbox, call: Call::new("cli", "farthing dev --demo") };
    if engine.state(&id(REGULAR)).is_ok_and(|state| state.subscription.is_some()) {
        return Ok(false);
    }
    let start = engine.now();
    let day = |n: i64| advance(start.plus_intervals(n, Interval::Day));
    world.customer(REGULAR, "demo@example.com", "Dana Demo")?;
    world.buy(REGULAR, plan("growth", Interval::Month))?;
    world.customer("gus", "gus@example.com", "Gus Year")?;
    world.buy("gus", plan("pro", Interval::Year))?;
    day(325)?;
    world.customer("finn", "finn@example.com", "Finn Full")?;
    world.buy("finn", plan("growth", Interval::Month))?;
    world.consume("finn", "chatbots", 5)?;
    world.consume("finn", "galleries", 12)?;
    world.cancel("finn")?;
    day(331)?;
    world.customer("eva", "eva@example.com", "Eva Overdue")?;
    world.buy("eva", plan("growth", Interval::Month))?;
    world.card_fails("eva")?;
    day(359)?;
    world.customer("tom", "tom@example.com", "Tom Trial")?;
    let trial = Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: None };
    world.buy("tom", trial)?;
    world.buy(REGULAR, Buy::Pack { pack: "ai_500".to_owned() })?;
    world.consume(REGULAR, "chatbots", 7)?;
    world.consume(REGULAR, "messages", 6_400)?;
    day(363)?;
    world.dead_letter("gus")?;
    day(365)?;
    Ok(true)
}

struct Demo<'a> {
    engine: &'a Engine,
    sandbox: &'a Sandbox,
    call: Call,
}

fn id(text: &str) -> CustomerId {
    text.parse().expect("it is written like an id")
}

fn plan(plan: &str, interval: Interval) -> Buy {
    Buy::Plan { plan: plan.to_owned(), interval, trial: Some(false) }
}

fn odd(what: &str) -> Failure {
    Failure::new(format!("the demo could not be made: {what}"))
        .fix("start in an empty directory with the sample catalog: --data DIR")
}

impl Demo<'_> {
    fn customer(&self, name: &str, email: &str, called: &str) -> Result<(), EngineError> {
        let (email, called) = (email.to_owned(), Some(called.to_owned()));
        let profile = Profile { email, name: called, ..Profile::default() };
        self.engine.upsert_customer(&self.call, &id(name), &profile).map(drop)
    }

    /// Buys on the sandbox's page, and asks the provider how it ended.
    fn buy(&self, name: &str, buy: Buy) -> Result<(), Failure> {
        let purchase = Purchase { customer: id(name), buy, currency: None, return_path: None };
        let checkout = self.engine.start_checkout(&self.call, &purchase)?;
        let url = checkout.url.clone().unwrap_or_default();
        let path = url.split_once(SANDBOX_PATH).map_or("", |(_, path)| path);
        let answer = self.page("POST", path, &format!("card={GOOD_CARD}"));
        if answer.status != 303 {
            return Err(odd(&format!("the checkout page answered {}", answer.status)));
        }
        match self.engine.refresh_checkout(&checkout.id)?.status {
            "settled" => Ok(()),
            other => Err(odd(&format!("a checkout is {other}"))),
        }
    }

    fn consume(&self, name: &str, feature: &str, amount: i64) -> Result<(), EngineError> {
        let feature = feature.to_owned();
        let want = Want { customer: id(name), feature, amount, operation: None };
        self.engine.consume(&self.call, &want).map(drop)
    }

    fn cancel(&self, name: &str) -> Result<(), Failure> {
        let state = self.engine.state(&id(name))?;
        let running = state.subscription.ok_or_else(|| odd("nothing to cancel"))?;
        let call = Call { reason: Some("too_expensive".to_owned()), ..self.call.clone() };
        self.engine.change(&call, &running.id, &Command::Cancel { at_once: false }, None)?;
        Ok(())
    }

    /// The customer's card declines from now on.
    fn card_fails(&self, name: &str) -> Result<(), Failure> {
        let methods = self.engine.payment_methods(&id(name))?;
        let method = methods.first().ok_or_else(|| odd("no card"))?.id.clone();
        let params = [("payment_method", method.as_str()), ("decline_code", "insufficient_funds")];
        self.sandbox.with(|world| world.scenario("card_fails", &params)).map_err(|why| odd(&why))
    }

    /// Somebody sells the customer something in the provider's dashboard that the catalog does not
    /// know: its events end as dead letters.
    fn dead_letter(&self, name: &str) -> Result<(), Failure> {
        let found = self.provider("GET", "/v1/subscriptions?limit=100", "")?;
        let mine = |sub: &&Value| sub["metadata"]["farthing_customer"] == name;
        let sub = found["data"].as_array().and_then(|all| all.iter().find(mine));
        let customer = sub.and_then(|sub| sub["customer"].as_str()).unwrap_or_default().to_owned();
        let product = self.provider("POST", "/v1/products", "name=Consulting")?;
        let product = product["id"].as_str().unwrap_or_default();
        let price =
            format!("product={product}&currency=usd&unit_amount=5000&recurring[interval]=month");
        let price = self.provider("POST", "/v1/prices", &price)?;
        let price = price["id"].as_str().unwrap_or_default();
        let methods = format!("/v1/customers/{customer}/payment_methods");
        let methods = self.provider("GET", &methods, "")?;
        let card = methods["data"][0]["id"].as_str().unwrap_or_default();
        let sold =
            format!("customer={customer}&items[0][price]={price}&default_payment_method={card}");
        self.provider("POST", "/v1/subscriptions", &sold).map(drop)
    }

    /// One call of the provider's API, as its dashboard makes it.
    fn provider(&self, method: &str, path: &str, body: &str) -> Result<Value, Failure> {
        let answer = self.page(method, path, body);
        let value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200..300 => Ok(value),
            other => Err(odd(&format!("{method} {path} answered {other}: {value}"))),
        }
    }

    fn page(&self, method: &str, path: &str, body: &str) -> farthing_sandbox::Response {
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {SANDBOX_KEY}")),
            ("stripe-version".to_owned(), farthing_sandbox::API_VERSION.to_owned()),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ];
        let (method, path) = (method.to_owned(), path.to_owned());
        let request = Request { method, path, headers, body: body.as_bytes().to_vec() };
        self.sandbox.with(|world| world.handle(&request))
    }
}
