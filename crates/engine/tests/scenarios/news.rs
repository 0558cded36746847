//! The provider's news: in every order, at the same time, again, late, and unreadable.

use std::collections::BTreeMap;

use farthing_store::inbox::EventState;
use serde_json::{Value, json};

use super::{CANCEL, at_stripe, change, done, has, is, on, price, to};
use crate::on_both;
use crate::world::{FAILS_LATER, GOOD_CARD, World, caller};

on_both!(
    a_first_purchase_is_granted_once_in_all_six_orders_of_its_events,
    a_first_purchase_whose_events_arrive_at_once_is_granted_once,
    a_renewal_whose_events_arrive_at_once_is_granted_once,
    the_same_invoice_under_a_new_event_id_grants_nothing_more,
    a_payment_seen_by_a_slow_worker_is_not_forgotten,
    a_renewal_heard_of_after_an_upgrade_does_not_take_the_upgrade_back,
    an_upgrade_heard_of_after_the_next_one_does_not_take_that_back,
    a_first_payment_that_fails_grants_nothing,
    a_renewal_that_fails_grants_nothing,
    a_price_that_we_never_made_waits_for_a_person_and_can_be_replayed,
);

type Delivery = (String, Vec<u8>);

fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.1).unwrap()
}

fn of_kind(deliveries: &[Delivery], kind: &str) -> Delivery {
    let found = deliveries.iter().find(|delivery| body(delivery)["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} was sent")).clone()
}

fn quarantined(world: &World) -> BTreeMap<String, String> {
    let waiting = world.engine.events(Some(EventState::Quarantined), "", 100).unwrap();
    waiting.into_iter().map(|event| (event.id, event.last_error.unwrap_or_default())).collect()
}

/// Paid at the provider, and nobody has heard of it.
fn paid_in_silence(world: &mut World, id: &str) -> Vec<Delivery> {
    world.customer(id);
    let page = world.checkout(&world.plan(id, "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.take_deliveries()
}

const FIRST: [&str; 3] =
    ["checkout.session.completed", "customer.subscription.created", "invoice.paid"];

fn a_first_purchase_is_granted_once_in_all_six_orders_of_its_events(mut world: World) {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, order) in orders.into_iter().enumerate() {
        let id = format!("customer{n}");
        let deliveries = paid_in_silence(&mut world, &id);
        for index in order {
            world.receive(&of_kind(&deliveries, FIRST[index]));
            world.drain();
            let state = world.state(&id);
            assert_eq!(
                (state.plan.as_str(), state.credits["ai"].balance),
                ("growth", 10_500),
                "{order:?}"
            );
        }
        deliveries.iter().for_each(|delivery| drop(world.receive(delivery)));
        world.settle();
        assert_eq!(world.state(&id).credits["ai"].balance, 10_500, "{order:?}");
    }
    world.prove();
}

/// Each on a thread of its own, with a worker behind each.
fn at_once(world: &World, deliveries: &[Delivery]) {
    std::thread::scope(|scope| {
        for delivery in deliveries {
            scope.spawn(move || {
                world.receive(delivery);
                while world.engine.run_due().unwrap() != 0 {}
            });
        }
    });
}

fn a_first_purchase_whose_events_arrive_at_once_is_granted_once(mut world: World) {
    for id in ["ana", "ben", "eve"] {
        let deliveries = paid_in_silence(&mut world, id);
        at_once(&world, &FIRST.map(|kind| of_kind(&deliveries, kind)));
        at_once(&world, &deliveries);
        world.settle();
        let state = world.state(id);
        assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
    }
    world.prove();
}

fn a_renewal_whose_events_arrive_at_once_is_granted_once(world: World) {
    let mut world = on("growth", world);
    for month in 1..=3 {
        world.consume("ana", "ai", 9_000);
        world.consume("ana", "messages", 70);
        let next = world.state("ana").subscription.unwrap().period.end;
        let paid = next.plus_seconds(3_600);
        world.provider().advance_to(paid.seconds());
        world.clock.set(paid);
        let deliveries = world.take_deliveries();
        let two = ["invoice.paid", "customer.subscription.updated"];
        at_once(&world, &two.map(|kind| of_kind(&deliveries, kind)));
        assert_eq!(has(&world), is("growth", 10_500), "month {month}");
        at_once(&world, &deliveries);
        world.settle();
        assert_eq!(has(&world), is("growth", 10_500), "month {month}");
        assert_eq!(world.state("ana").features["messages"].used, 0);
        world.prove();
    }
}

fn the_same_invoice_under_a_new_event_id_grants_nothing_more(world: World) {
    let mut world = on("growth", world);
    world.consume("ana", "ai", 10_000);
    let paid = body(&of_kind(&world.sent.clone(), "invoice.paid"));
    let before = world.state("ana");
    for (n, kind) in
        ["invoice.paid", "invoice.payment_succeeded", "invoice.paid"].iter().enumerate()
    {
        let mut again = paid.clone();
        again["id"] = json!(format!("evt_again_{n}"));
        again["type"] = json!(kind);
        assert!(!world.receive(&world.signed(&again)).duplicate);
        world.settle();
        let after = world.state("ana");
        assert_eq!((after.revision, &after.credits), (before.revision, &before.credits));
        world.advance_days(3);
    }
    world.prove();
}

/// A worker looks, is held up, and comes back with a payment that the newer look did not show.
fn a_payment_seen_by_a_slow_worker_is_not_forgotten(world: World) {
    let mut world = on("starter", world);
    let boundary = world.state("ana").subscription.unwrap().period.end.plus_seconds(3_600);
    world.provider().advance_to(boundary.seconds());
    world.clock.set(boundary);
    let deliveries = world.take_deliveries();
    world.receive(&of_kind(&deliveries, "invoice.paid"));
    let (is_held, go) = world.line.hold_next();
    let engine = world.engine.clone();
    let slow = std::thread::spawn(move || engine.process_events().unwrap());
    is_held.recv().unwrap();
    // Meanwhile an upgrade is made, whose invoice is the newest one now.
    assert_eq!(done(&world, &to("growth")), "done");
    go.send(()).unwrap();
    assert_eq!(slow.join().unwrap(), 1);
    assert_eq!(has(&world), is("growth", 10_500));
    let known = world.ask("SELECT fact_key, 1 FROM effects");
    let paid = known.keys().filter(|key| key.starts_with("paid:")).count();
    assert_eq!(paid, 3, "two periods and an upgrade: {known:?}");
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_renewal_heard_of_after_an_upgrade_does_not_take_the_upgrade_back(world: World) {
    let mut world = on("starter", world);
    let paid = world.state("ana").subscription.unwrap().period.end.plus_seconds(7_000);
    world.provider().advance_to(paid.seconds());
    world.clock.set(paid);
    let late = world.take_deliveries();
    assert_eq!(done(&world, &to("growth")), "done");
    assert_eq!(has(&world), is("growth", 10_500));
    for delivery in late.iter().rev() {
        world.receive(delivery);
        world.drain();
        assert_eq!(has(&world), is("growth", 10_500));
    }
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500));
    let period = world.state("ana").subscription.unwrap().period;
    let bounds = (period.start.to_string(), period.end.to_string());
    assert_eq!(bounds, ("2027-02-28T10:00:00Z".into(), "2027-03-31T10:00:00Z".into()));
    world.prove();
    world.advance_days(32);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

/// The customer moves up twice in the provider's portal; the news come in the wrong order.
fn an_upgrade_heard_of_after_the_next_one_does_not_take_that_back(world: World) {
    let mut world = on("starter", world);
    world.advance_days(3);
    for plan in ["growth_month_usd_6900", "pro_month_usd_19900"] {
        let sub = at_stripe(&world);
        let price = price(&world, plan);
        let switch = [("subscription", sub.as_str()), ("price", &price), ("when", "now")];
        world.provider().scenario("portal_switch", &switch).unwrap();
    }
    let news = world.take_deliveries();
    let paid = news.iter().rev().filter(|delivery| body(delivery)["type"] == "invoice.paid");
    for delivery in paid {
        world.receive(delivery);
        world.drain();
        assert_eq!(has(&world), is("pro", 50_500));
    }
    news.iter().for_each(|delivery| drop(world.receive(delivery)));
    world.settle();
    assert_eq!(has(&world), is("pro", 50_500));
    world.prove();
}

fn a_first_payment_that_fails_grants_nothing(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    for card in [crate::world::DECLINED_CARD, FAILS_LATER] {
        assert_eq!(world.pay(&page, card), 402);
        world.settle();
        assert_eq!(has(&world), is("free", 500));
    }
    assert_eq!(world.charged_there(), BTreeMap::new());
    world.prove();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_renewal_that_fails_grants_nothing(world: World) {
    let mut world = on("growth", world);
    world.consume("ana", "ai", 10_000);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(30);
    assert_eq!((has(&world), world.state("ana").standing), (is("growth", 500), "past_due"));
    world.prove();
    world.change_card("ana", "pm_card_visa");
    world.advance_days(10);
    assert_eq!((has(&world), world.state("ana").standing), (is("growth", 10_500), "good"));
    assert_eq!(world.charged_there().len(), 2);
    world.prove();
}

/// Somebody moves the subscription at the provider to a price of their own.
fn a_price_that_we_never_made_waits_for_a_person_and_can_be_replayed(world: World) {
    let mut world = on("growth", world);
    let before = world.state("ana");
    let path = format!("/v1/subscriptions/{}", at_stripe(&world));
    let sub = world.at_provider("GET", &path, &[]);
    let item = sub["items"]["data"][0]["id"].as_str().unwrap().to_owned();
    let product = world.at_provider("POST", "/v1/products", &[("name", "by hand")]);
    let new = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", "5000"),
        ("recurring[interval]", "month"),
    ];
    let foreign = world.at_provider("POST", "/v1/prices", &new)["id"].as_str().unwrap().to_owned();
    let move_to = |world: &World, price: &str| {
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", price),
            ("proration_behavior", "none"),
        ];
        world.at_provider("POST", &path, &form);
    };
    move_to(&world, &foreign);
    world.settle();
    let waiting = quarantined(&world);
    assert!(!waiting.is_empty());
    for why in waiting.values() {
        assert!(why.starts_with(&format!("unknown price {foreign}")), "{why}");
    }
    assert_eq!(world.state("ana"), before, "what was bought goes on");
    world.check();
    // A change of ours in between is refused for the same reason, and holds no lock.
    let refused = change(&world, &CANCEL).unwrap_err();
    assert!(refused.to_string().contains(&foreign), "{refused}");
    move_to(&world, &price(&world, "growth_month_usd_6900"));
    world.settle();
    for event in waiting.keys() {
        world.engine.replay_event(&caller(), event).unwrap();
    }
    world.settle();
    assert_eq!(quarantined(&world), BTreeMap::new());
    assert_eq!(has(&world), is("growth", 10_500));
    world.advance_days(1);
    world.prove();
}
