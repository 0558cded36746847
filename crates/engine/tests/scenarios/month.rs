//! The events of one month in many orders: a purchase, a renewal, an upgrade, an end that is taken
//! back, and a pack. Whatever arrives when, twice, again or never: the end is the same.
//!
//! A failure names the order as a list of positions in the month, or the seed that made it.

use std::collections::BTreeMap;

use farthing_core::catalog::SAMPLE;
use farthing_providers::stripe::EVENTS;
use farthing_store::params;
use farthing_store::testing::Backend;
use serde_json::{Value, json};

use super::{code, to};
use crate::world::{GOOD_CARD, World, caller};

type Delivery = (String, Vec<u8>);

/// A month at the provider for each of `n` customers, of which nobody has heard; each customer's
/// events in their order.
fn unheard(world: &mut World, n: usize) -> Vec<(String, Vec<Delivery>)> {
    world.apply(&SAMPLE.replace("plans = [\"starter\", \"growth\", \"pro\"]", ""));
    let ids: Vec<String> = (0..n).map(|n| format!("c{n}")).collect();
    for id in &ids {
        world.customer(id);
        let page = world.checkout(&world.plan(id, "starter")).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
    }
    both_at(world, "2027-02-28T12:00:00Z");
    let growth = super::price(world, "growth_month_usd_6900");
    let subs = world.all_there("/v1/subscriptions");
    let of = |id: &str| {
        let mine = subs.iter().find(|sub| sub["metadata"]["farthing_customer"] == id).unwrap();
        (mine["id"].as_str().unwrap(), mine["customer"].as_str().unwrap())
    };
    for (day, what) in [(2, "portal_switch"), (3, "portal_cancel"), (4, "portal_resume")] {
        both_at(world, &format!("2027-03-0{day}T12:00:00Z"));
        for id in &ids {
            let mut params = vec![("subscription", of(id).0)];
            if what == "portal_switch" {
                params.extend([("price", growth.as_str()), ("when", "now")]);
            }
            world.provider().scenario(what, &params).unwrap();
        }
    }
    for id in &ids {
        let page = world.checkout(&world.pack(id, "ai_500")).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
    }
    let mut of_customer: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in world.take_deliveries() {
        let event: Value = serde_json::from_slice(&delivery.1).unwrap();
        if !EVENTS.contains(&event["type"].as_str().unwrap()) {
            continue;
        }
        if let Some(customer) = event["data"]["object"]["customer"].as_str() {
            of_customer.entry(customer.to_owned()).or_default().push(delivery);
        }
    }
    ids.iter().map(|id| (id.clone(), of_customer.remove(of(id).1).unwrap())).collect()
}

fn both_at(world: &World, at: &str) {
    let at = at.parse().unwrap();
    world.clock.set(at);
    world.provider().advance_to(at.seconds());
}

/// Delivers events one after the other, each handled before the next one comes. Jobs do not run:
/// they would ask the provider by themselves.
fn deliver(world: &World, deliveries: &[Delivery], order: &[usize]) {
    for index in order {
        world.receive(&deliveries[*index]);
        while world.engine.process_events().unwrap() != 0 {}
    }
}

/// Everything that matters of a customer, without ids and without when it was learned.
fn picture(world: &World, id: &str) -> Value {
    let mut state = json!(world.state(id));
    let fields = state.as_object_mut().unwrap();
    fields.remove("customer");
    fields.remove("revision");
    fields["subscription"].as_object_mut().unwrap().remove("id");
    let grants = fields["credits"]["ai"]["grants"].as_array_mut().unwrap();
    grants.iter_mut().for_each(|grant| grant["expires_at"] = json!(null));
    grants.sort_by_key(Value::to_string);
    let rows = |sql: &'static str| {
        let id = id.to_owned();
        let mut found: Vec<String> = world.by_hand(move |tx| {
            let rows = tx.query(sql, &params![id.as_str()])?;
            rows.iter().map(|row| Ok(format!("{} {}", row.text(0)?, row.int(1)?))).collect()
        });
        found.sort();
        found
    };
    let granted = rows("SELECT business_key, amount FROM credit_grants WHERE customer_id = $1");
    let granted = granted.into_iter().map(|grant| {
        let parts: Vec<&str> = grant.split(':').collect();
        match parts[0] {
            "period" => format!("{} {}", parts[2], parts[3]),
            _ => format!("{} {}", parts[0], grant.rsplit(' ').next().unwrap()),
        }
    });
    let mut granted: Vec<String> = granted.collect();
    granted.sort();
    let timeline = world.engine.timeline(&id.parse().unwrap(), None, 500).unwrap();
    let mut facts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &timeline {
        let fact = match entry.action.as_str() {
            "subscription.activated"
            | "subscription.renewed"
            | "subscription.changed"
            | "subscription.paid_late" => "paid",
            "credits.granted" => "pack granted",
            "checkout.completed" => "checkout completed",
            "checkout.expired" | "checkout.failed" => "checkout failed",
            _ => continue,
        };
        *facts.entry(fact).or_default() += 1;
    }
    json!({
        "state": state,
        "facts": facts,
        "granted": granted,
        "ledger": rows("SELECT bucket, amount FROM ledger_balances WHERE customer_id = $1"),
        "periods": rows("SELECT state || ' ' || plan || ' ' || CAST(ends_at AS TEXT), starts_at
            FROM periods WHERE customer_id = $1"),
        "invoices": rows("SELECT status || ' ' || reason, paid FROM invoices
            WHERE customer_id = $1"),
        "payments": rows("SELECT status, amount FROM payments WHERE customer_id = $1"),
    })
}

/// The same for everybody: `told` says what was done to the customer of that position.
fn all_the_same(world: &World, n: usize, told: impl Fn(usize) -> String) {
    let wanted = picture(world, "c0");
    assert_eq!(wanted["state"]["plan"], "growth");
    assert_eq!(wanted["state"]["credits"]["ai"]["balance"], 11_000);
    assert_eq!(wanted["facts"], json!({ "paid": 3, "pack granted": 1, "checkout completed": 2 }));
    for position in 1..n {
        let found = picture(world, &format!("c{position}"));
        let mut differs = String::new();
        for (part, wanted) in wanted.as_object().unwrap() {
            if found[part] != *wanted {
                differs += &format!("{part}:\n  in order {wanted}\n  here     {}\n", found[part]);
            }
        }
        assert!(differs.is_empty(), "{}\n{differs}", told(position));
    }
}

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Delivers a month to each customer in an order of its own, and compares all of them.
fn in_orders(backend: Backend, orders: impl Fn(usize) -> Vec<Vec<usize>>) {
    let mut world = World::new(backend);
    let events = unheard(&mut world, 1)[0].1.len();
    let orders = orders(events);
    for orders in orders.chunks(60) {
        let mut world = World::new(backend);
        let months = unheard(&mut world, orders.len() + 1);
        let in_order: Vec<usize> = (0..events).collect();
        deliver(&world, &months[0].1, &in_order);
        for ((_, month), order) in months[1..].iter().zip(orders) {
            assert_eq!(month.len(), events);
            deliver(&world, month, order);
        }
        world.drain();
        let losses = orders.iter().any(|order| in_order.iter().any(|at| !order.contains(at)));
        if losses {
            world.advance_days_without_events(2);
        }
        all_the_same(&world, months.len(), |at| format!("the order {:?}", orders[at - 1]));
        world.settle();
        world.prove();
    }
}

fn moved<T: Clone>(items: &[T], change: impl FnOnce(&mut Vec<T>)) -> Vec<T> {
    let mut items = items.to_vec();
    change(&mut items);
    items
}

/// Every rotation, every two neighbours the wrong way round, back to front, and `shuffles` orders.
fn orders(events: usize, shuffles: u64) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..events).collect();
    let rotations = (1..events).map(|by| moved(&all, |order| order.rotate_left(by)));
    let swaps = (1..events).map(|at| moved(&all, |order| order.swap(at - 1, at)));
    let shuffled = (0..shuffles).map(|seed| moved(&all, |order| Chance(seed).shuffle(order)));
    let back = moved(&all, |order| order.reverse());
    rotations.chain(swaps).chain([back]).chain(shuffled).collect()
}

/// Each event lost, and as many pairs as `pairs`; what is left comes in order or back to front.
fn losses(events: usize, pairs: u64) -> Vec<Vec<usize>> {
    let without = |lost: &[usize]| (0..events).filter(|at| !lost.contains(at)).collect::<Vec<_>>();
    let single = (0..events).map(|lost| without(&[lost]));
    let pair = (0..pairs).map(|seed| {
        let mut chance = Chance(seed);
        let kept = without(&[chance.below(events), chance.below(events)]);
        moved(&kept, |order| {
            if seed % 2 == 0 {
                order.reverse()
            }
        })
    });
    single.chain(pair).chain([Vec::new()]).collect()
}

#[test]
fn the_events_of_a_month_in_any_order_end_the_same() {
    in_orders(Backend::Memory, |events| orders(events, 12));
}

#[test]
fn the_events_of_a_month_in_any_order_end_the_same_on_postgres() {
    let some =
        |events| orders(events, 8).into_iter().skip(events / 2).step_by(events / 6).collect();
    in_orders(Backend::Postgres, some);
}

#[test]
fn events_that_are_lost_change_nothing_in_the_end() {
    in_orders(Backend::Memory, |events| losses(events, 12));
}

#[test]
fn events_that_are_lost_change_nothing_in_the_end_on_postgres() {
    in_orders(Backend::Postgres, |events| losses(events, 2).into_iter().rev().take(6).collect());
}

/// Each event twice at its place, and each once more at the end under an id never seen.
#[test]
fn events_that_come_again_change_nothing() {
    for backend in [Backend::Memory, Backend::Postgres] {
        let mut world = World::new(backend);
        let months = unheard(&mut world, 3);
        let n = months[0].1.len();
        let in_order: Vec<usize> = (0..n).collect();
        deliver(&world, &months[0].1, &in_order);
        let doubled: Vec<usize> = in_order.iter().flat_map(|at| [*at, *at]).collect();
        deliver(&world, &months[1].1, &doubled);
        deliver(&world, &months[2].1, &in_order);
        for (at, delivery) in months[2].1.iter().enumerate().rev() {
            let mut event: Value = serde_json::from_slice(&delivery.1).unwrap();
            event["id"] = json!(format!("evt_again_{at}"));
            assert!(!world.receive(&world.signed(&event)).duplicate);
            while world.engine.process_events().unwrap() != 0 {}
        }
        world.drain();
        let how = ["in order", "each twice", "each again under another id"];
        all_the_same(&world, 3, |at| how[at].to_owned());
        world.prove();
    }
}

/// The carriers of the facts alone, in all 120 orders.
#[test]
fn the_five_events_that_carry_the_facts_end_the_same_in_all_orders() {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for next in 0..5 {
        orders = orders
            .iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| moved(order, |order| order.insert(at, next)))
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for orders in orders.chunks(60) {
        let mut world = World::new(Backend::Memory);
        let months = unheard(&mut world, orders.len());
        for ((_, month), order) in months.iter().zip(orders) {
            deliver(&world, &carriers(month), order);
        }
        world.drain();
        all_the_same(&world, months.len(), |at| format!("the five in the order {:?}", orders[at]));
        world.prove();
    }
}

/// What says that a page, a period or a change was paid.
fn carriers(month: &[Delivery]) -> Vec<Delivery> {
    let carries = |delivery: &&Delivery| {
        let event: Value = serde_json::from_slice(&delivery.1).unwrap();
        ["checkout.session.completed", "invoice.paid"].contains(&event["type"].as_str().unwrap())
    };
    let carriers: Vec<Delivery> = month.iter().filter(carries).cloned().collect();
    assert_eq!(carriers.len(), 5, "two pages, two periods and an upgrade");
    carriers
}

/// A month in which the customer acts here while the news is on its way: each event waits for a
/// while that a seed decides.
fn with_late_news(world: &mut World, seed: u64) -> String {
    let id = format!("c{seed}");
    let mut chance = Chance(seed);
    let mut waiting: Vec<Value> = Vec::new();
    world.customer(&id);
    let page = world.checkout(&world.plan(&id, "starter")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    // The page that the customer comes back to asks by itself.
    assert_eq!(world.engine.refresh_checkout(&page.id).unwrap().status, "settled");
    for step in 0..6 {
        trickle(world, &mut waiting, (&mut chance, seed == 0));
        let sub = world.state(&id).subscription.unwrap().id;
        let change = |command| match world.engine.change(&caller(), &sub, &command, None) {
            Ok(_) => {}
            // Another order of news, and nothing is to be done any more.
            Err(error) => assert_eq!(code(error), "nothing_to_undo"),
        };
        match step {
            0 => both_at(world, "2027-02-28T12:00:00Z"),
            1 => both_at(world, "2027-03-02T12:00:00Z"),
            2 => change(to("growth")),
            3 => change(super::CANCEL),
            4 => change(super::RESUME),
            _ => {
                let page = world.checkout(&world.pack(&id, "ai_500")).unwrap();
                assert_eq!(world.pay(&page, GOOD_CARD), 303);
            }
        }
    }
    waiting.extend(news(world));
    if seed != 0 {
        chance.shuffle(&mut waiting);
    }
    for event in &waiting {
        world.receive(&world.signed(event));
        world.drain();
    }
    id
}

fn news(world: &mut World) -> Vec<Value> {
    let taken = world.take_deliveries();
    taken.iter().map(|delivery| serde_json::from_slice(&delivery.1).unwrap()).collect()
}

/// Delivers some of what waits: all of it, in order, when nothing is late.
fn trickle(world: &mut World, waiting: &mut Vec<Value>, (chance, none_late): (&mut Chance, bool)) {
    waiting.extend(news(world));
    let (now, later): (Vec<Value>, Vec<Value>) =
        waiting.drain(..).partition(|_| none_late || chance.below(3) == 0);
    *waiting = later;
    for event in &now {
        world.receive(&world.signed(event));
        while world.engine.process_events().unwrap() != 0 {}
    }
}

#[test]
fn news_that_is_late_while_the_customer_acts_changes_nothing_in_the_end() {
    let mut in_order = World::new(Backend::Memory);
    with_late_news(&mut in_order, 0);
    in_order.settle();
    let wanted = picture(&in_order, "c0");
    assert_eq!(wanted["state"]["credits"]["ai"]["balance"], 11_000);
    for (seed, backend) in (1..=16)
        .map(|seed| (seed, Backend::Memory))
        .chain((1..=2).map(|seed| (seed, Backend::Postgres)))
    {
        let mut world = World::new(backend);
        let id = with_late_news(&mut world, seed);
        world.settle();
        assert_eq!(picture(&world, &id), wanted, "the seed {seed}");
        world.prove();
    }
}
