//! The main job, over HTTP only, against the real binary: once on SQLite, once on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod sandbox;
mod support;

use serde_json::{Value, json};
use support::Dev;

const GOOD_CARD: &str = "4242 4242 4242 4242";

/// Runs each test against a server on SQLite and against one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() { super::$name(&crate::support::Dev::start()) } )*
        }
        mod postgres {
            use farthing_store::testing::{Backend, TestStore};
            $( #[test] fn $name() {
                let database = TestStore::empty(Backend::Postgres);
                super::$name(&crate::support::Dev::start_with(&["--database", database.url()]));
            } )*
        }
    };
}

on_both!(
    one_customer_through_the_whole_main_job,
    five_parallel_consumes_at_four_of_five_allow_exactly_one,
    paying_for_a_higher_plan_starts_at_zero_of_the_new_limit,
    the_same_signed_event_is_processed_once_and_answered_three_times,
    a_plan_without_room_is_refused_with_what_to_delete,
    the_events_of_a_purchase_under_new_ids_grant_once_in_every_order,
);

fn one_customer_through_the_whole_main_job(dev: &Dev) {
    let ana = json!({ "email": "ana@example.com" });
    assert_eq!(dev.send("PUT", "/v1/customers/ana", Some(&ana)).0, 201);
    reads_the_pricing_table(dev);
    dev.buy(json!({ "customer": "ana", "plan": "growth" }), GOOD_CARD);
    let state = state(dev);
    assert_eq!((&state["plan"], &state["standing"]), (&json!("growth"), &json!("good")));
    assert_eq!(state["credits"]["ai"]["balance"], 10_500);
    creates_ten_chatbots_and_is_refused_the_eleventh(dev);
    spends_credits(dev);
    sends_every_event_again(dev);
    renews(dev);
    dev.buy(json!({ "customer": "ana", "pack": "ai_500" }), GOOD_CARD);
    assert_eq!(self::state(dev)["credits"]["ai"]["balance"], 11_000);
    fails_a_renewal(dev);
    dev.cli(&["check"]).exits(0);
}

fn state(dev: &Dev) -> Value {
    dev.get("/v1/customers/ana/state")
}

fn reads_the_pricing_table(dev: &Dev) {
    let plans = dev.get("/v1/plans?customer=ana");
    let of = |n: usize| (plans["data"][n]["plan"].clone(), plans["data"][n]["action"].clone());
    assert_eq!(of(0), (json!("free"), json!("current")));
    assert_eq!(of(2), (json!("growth"), json!("checkout")));
    let price = &plans["data"][2]["prices"]["month"]["USD"];
    assert_eq!((&price["amount"], &price["currency"]), (&json!(6_900), &json!("USD")));
}

fn consume(dev: &Dev, feature: &str, amount: i64) -> Value {
    dev.post("/v1/consume", json!({ "customer": "ana", "feature": feature, "amount": amount }))
}

fn creates_ten_chatbots_and_is_refused_the_eleventh(dev: &Dev) {
    for n in 1..=10 {
        let answer = consume(dev, "chatbots", 1);
        assert_eq!((&answer["allowed"], &answer["used"]), (&json!(true), &json!(n)));
    }
    let refused = consume(dev, "chatbots", 1);
    assert_eq!(refused["allowed"], false);
    assert_eq!(
        (&refused["code"], &refused["upgrade_to"]),
        (&json!("limit_reached"), &json!("pro"))
    );
    assert_eq!((&refused["limit"], &refused["used"]), (&json!(10), &json!(10)));
    assert!(refused["message"].as_str().unwrap().contains("10 of 10 chatbots used"));
    let released = dev.post("/v1/release", json!({ "customer": "ana", "feature": "chatbots" }));
    assert_eq!(released["used"], 9);
    assert_eq!(consume(dev, "chatbots", 1)["allowed"], true);
    assert_eq!(consume(dev, "messages", 7_000)["remaining"], 3_000);
}

fn spends_credits(dev: &Dev) {
    let images = json!({ "customer": "ana", "feature": "ai", "operation": "image", "amount": 2 });
    let answer = dev.post("/v1/consume", images);
    assert_eq!((&answer["allowed"], &answer["remaining"]), (&json!(true), &json!(10_490)));
}

/// Everything that could change: the customer's state, every change ever made, every event.
fn everything(dev: &Dev) -> [Value; 4] {
    [
        state(dev),
        dev.get("/v1/customers/ana/timeline?limit=200"),
        dev.get("/v1/events?limit=200"),
        dev.get("/v1/invoices?customer=ana"),
    ]
}

/// Every stored event, three more times, in another order each time.
fn sends_every_event_again(dev: &Dev) {
    sandbox::settles(dev);
    let before = everything(dev);
    let events = sandbox::stored_events(dev);
    assert!(5 <= events.len(), "only {} events", events.len());
    for round in 1..=3 {
        let coprime = |step: &usize| gcd(*step, events.len()) == 1;
        let step = (round * 3..).find(coprime).unwrap();
        for n in 0..events.len() {
            let event = &events[(n * step + round) % events.len()];
            assert_eq!(sandbox::deliver(dev, event), 200);
        }
    }
    sandbox::settles(dev);
    unchanged(dev, &before);
}

/// Says what differs, and not the whole world.
fn unchanged(dev: &Dev, before: &[Value; 4]) {
    for (after, before) in everything(dev).iter().zip(before) {
        assert!(after == before, "something changed:\n{before:#}\n{after:#}");
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn renews(dev: &Dev) {
    assert!(0 < dev.advance("31d"));
    let state = state(dev);
    assert_eq!(state["features"]["chatbots"]["used"], 10, "what is held is kept");
    assert_eq!(state["features"]["messages"]["used"], 0, "messages start again");
    assert_eq!(state["credits"]["ai"]["balance"], 10_500, "credits were reset once");
    let invoices = dev.get("/v1/invoices?customer=ana");
    assert_eq!(invoices["data"].as_array().unwrap().len(), 2);
}

fn fails_a_renewal(dev: &Dev) {
    sandbox::change_card(dev, "ana", "pm_card_chargeCustomerFail");
    dev.advance("31d");
    let state = state(dev);
    assert_eq!((&state["plan"], &state["standing"]), (&json!("growth"), &json!("past_due")));
    assert_eq!(state["credits"]["ai"]["balance"], 11_000, "an unpaid period grants nothing");
    let invoices = dev.get("/v1/invoices?customer=ana&limit=1");
    assert_eq!(invoices["data"][0]["status"], "open");
}

fn five_parallel_consumes_at_four_of_five_allow_exactly_one(dev: &Dev) {
    dev.put("/v1/customers/ana", json!({ "email": "ana@example.com" }));
    let limit = json!({ "limit": 5, "reason": "five for the test" });
    dev.put("/v1/customers/ana/overrides/chatbots", limit);
    assert_eq!(consume(dev, "chatbots", 4)["allowed"], true);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..5).map(|_| scope.spawn(|| consume(dev, "chatbots", 1))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let allowed = answers.iter().filter(|answer| answer["allowed"] == true).count();
    let refused = answers.iter().filter(|answer| answer["code"] == "limit_reached").count();
    assert_eq!((allowed, refused), (1, 4));
}

fn paying_for_a_higher_plan_starts_at_zero_of_the_new_limit(dev: &Dev) {
    dev.put("/v1/customers/ana", json!({ "email": "ana@example.com" }));
    assert_eq!(consume(dev, "messages", 100)["allowed"], true);
    assert_eq!(consume(dev, "messages", 1)["code"], "limit_reached");
    dev.buy(json!({ "customer": "ana", "plan": "growth" }), GOOD_CARD);
    let messages = &state(dev)["features"]["messages"];
    assert_eq!((&messages["used"], &messages["limit"]), (&json!(0), &json!(10_000)));
}

fn the_same_signed_event_is_processed_once_and_answered_three_times(dev: &Dev) {
    dev.put("/v1/customers/ana", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "ana", "plan": "growth" }), GOOD_CARD);
    sandbox::settles(dev);
    let events = sandbox::stored_events(dev);
    let paid = events.iter().find(|event| event["type"] == "invoice.paid").unwrap();
    let before = everything(dev);
    for _ in 0..3 {
        assert_eq!(sandbox::deliver(dev, paid), 200);
    }
    sandbox::settles(dev);
    unchanged(dev, &before);
}

fn a_plan_without_room_is_refused_with_what_to_delete(dev: &Dev) {
    dev.put("/v1/customers/ana", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "ana", "plan": "growth" }), GOOD_CARD);
    assert_eq!(consume(dev, "chatbots", 5)["allowed"], true);
    let wanted = json!({ "customer": "ana", "plan": "starter" });
    let (status, problem) = dev.send("POST", "/v1/checkouts", Some(&wanted));
    assert_eq!((status, &problem["code"]), (409, &json!("over_limit")));
    let fix = "delete 2 chatbots before moving to Starter (5 used, 3 allowed)";
    assert_eq!(problem["errors"][0]["fix"], fix);
    assert_eq!(state(dev)["plan"], "growth");
}

/// The same facts under ids that were never seen, as a provider's resend from another endpoint.
fn the_events_of_a_purchase_under_new_ids_grant_once_in_every_order(dev: &Dev) {
    dev.put("/v1/customers/ana", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "ana", "plan": "growth" }), GOOD_CARD);
    sandbox::settles(dev);
    let before = state(dev);
    let events = sandbox::stored_events(dev);
    let kinds = ["checkout.session.completed", "customer.subscription.created", "invoice.paid"];
    let carriers =
        kinds.map(|kind| events.iter().find(|event| event["type"] == kind).unwrap().clone());
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (round, order) in orders.into_iter().enumerate() {
        for index in order {
            let mut event = carriers[index].clone();
            event["id"] = json!(format!("evt_again_{round}_{index}"));
            assert_eq!(sandbox::deliver(dev, &event), 200);
        }
        sandbox::settles(dev);
        assert_eq!(state(dev), before, "after {order:?}");
    }
    let stored = dev.get("/v1/events?limit=200");
    let done = stored["data"].as_array().unwrap().iter().filter(|event| event["state"] == "done");
    assert!(18 < done.count(), "they were new events, and handled");
    dev.cli(&["check"]).exits(0);
}
