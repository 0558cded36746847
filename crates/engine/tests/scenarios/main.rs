//! What real billing systems got wrong, one story for each, on both stores. Every story ends with
//! the whole proof: the invariants hold, nothing differs from the provider, every payment that the
//! provider took is known here, and nothing is left half done.
//!
//! Where to find what:
//!
//! - `changes`: plan changes one after the other and at the same time, and what is refused.
//! - `news`: the provider's events in every order, at once, twice, under other ids, and unreadable.
//! - `purchases`: packs, a purchase after an unpaid one, Stripe failing during a checkout.
//! - `calendar`: the 31st, leap years, yearly plans with monthly credits, pauses.
//! - `portal`: what customers and operators do at the provider without us.
//! - `month`: the events of one whole month in many orders, lost, doubled and repeated.
//! - `crashes`: every call of every journey lost, refused, or the last thing a process did.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "../world/mod.rs"]
mod world;

mod calendar;
mod changes;
mod crashes;
mod month;

mod news;
mod portal;
mod purchases;

use farthing_core::change::Command;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::EngineError;
use farthing_engine::changes::Changed;
use farthing_engine::checkouts::{Buy, Purchase};

use world::{World, caller};

const CANCEL: Command = Command::Cancel { at_once: false };
const RESUME: Command = Command::Resume;

fn to(plan: &str) -> Command {
    Command::Change { plan: plan.to_owned(), interval: None }
}

fn every(interval: Interval, plan: &str) -> Command {
    Command::Change { plan: plan.to_owned(), interval: Some(interval) }
}

/// A world in which Ana has just bought `plan`.
fn on(plan: &str, mut world: World) -> World {
    world.customer("ana");
    world.buy("ana", plan);
    world
}

fn change(world: &World, command: &Command) -> Result<Changed, EngineError> {
    let sub = world.state("ana").subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None)
}

fn done(world: &World, command: &Command) -> &'static str {
    change(world, command).unwrap().outcome
}

/// The code of a refusal; of anything else, what it is.
fn code(error: EngineError) -> String {
    match error {
        EngineError::Refused { code, .. } => code.to_owned(),
        EngineError::Invalid(errors) => errors[0].code.to_owned(),
        EngineError::NotFound { what, .. } => format!("no {what}"),
        other => panic!("not a refusal: {other:?}"),
    }
}

fn yearly(id: &str, plan: &str) -> Purchase {
    let buy = Buy::Plan { plan: plan.to_owned(), interval: Interval::Year, trial: Some(false) };
    Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
}

/// The plan, and what can be spent.
fn has(world: &World) -> (String, i64) {
    let state = world.state("ana");
    (state.plan, state.credits["ai"].balance)
}

fn is(plan: &str, credits: i64) -> (String, i64) {
    (plan.to_owned(), credits)
}

/// What is scheduled, as a plan's key.
fn pending(world: &World) -> Option<String> {
    world.state("ana").subscription.unwrap().pending_change.map(|pending| pending.plan)
}

fn cancel_at(world: &World) -> Option<String> {
    world.state("ana").subscription.unwrap().cancel_at.map(|at| at.to_string())
}

/// The provider's id of Ana's newest subscription.
fn at_stripe(world: &World) -> String {
    let subs = world.all_there("/v1/subscriptions?status=all");
    let mut mine = subs.iter().filter(|sub| sub["metadata"]["farthing_customer"] == "ana");
    mine.next().unwrap()["id"].as_str().unwrap().to_owned()
}

/// The provider's id of a price in our catalog.
fn price(world: &World, lookup_key: &str) -> String {
    let found = world.all_there(&format!("/v1/prices?lookup_keys[]=farthing_{lookup_key}"));
    found[0]["id"].as_str().unwrap().to_owned()
}

/// Nobody runs our jobs until then; then they catch up.
fn sleep_until(world: &mut World, at: Timestamp) {
    world.provider().advance_to(at.seconds());
    world.clock.set(at);
    world.settle();
}

/// Our jobs run every so many days only.
fn in_steps(world: &mut World, until: Timestamp, days: i64) {
    while world.now() < until {
        let next = until.min(world.now().plus_intervals(days, Interval::Day));
        sleep_until(world, next);
    }
}
