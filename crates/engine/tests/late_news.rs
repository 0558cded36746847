//! News that comes late, twice, from elsewhere or for the wrong money, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::time::Interval;
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_engine::ingest::EventView;
use farthing_store::inbox::EventState;
use serde_json::Value;

use world::{Fate, GOOD_CARD, World, caller};

on_both!(
    an_older_picture_that_arrives_late_changes_nothing,
    a_scheduled_cancellation_resets_nothing,
    a_second_subscription_made_elsewhere_waits_for_a_person,
    a_page_for_less_money_grants_nothing,
    a_trial_that_was_never_started_can_still_be_had,
    a_page_that_was_left_open_is_closed_by_itself,
    news_in_any_order_lead_to_the_same_state,
    prices_are_found_again_when_the_provider_has_forgotten_the_keys,
);

fn list(world: &World, path: &str) -> Vec<Value> {
    world.at_provider("GET", path, &[])["data"].as_array().unwrap().clone()
}

fn quarantined(world: &World) -> Vec<EventView> {
    world.engine.events(Some(EventState::Quarantined), "", 100).unwrap()
}

fn subscription_path(world: &World) -> String {
    let subs = list(world, "/v1/subscriptions");
    format!("/v1/subscriptions/{}", subs[0]["id"].as_str().unwrap())
}

fn actions(world: &World, id: &str) -> Vec<String> {
    let timeline = world.engine.timeline(&id.parse().unwrap(), None, 100).unwrap();
    timeline.into_iter().map(|entry| entry.action).collect()
}

fn trial(id: &str) -> Purchase {
    let buy =
        Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: Some(true) };
    Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
}

fn an_older_picture_that_arrives_late_changes_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let path = subscription_path(&world);
    world.at_provider("POST", &path, &[("description", "one")]);
    for delivery in world.take_deliveries() {
        world.receive(&delivery);
    }
    // One worker looks before the cancellation and is held up until another has seen it.
    let (is_held, go) = world.line.hold_next();
    let engine = world.engine.clone();
    let slow = std::thread::spawn(move || engine.process_events().unwrap());
    is_held.recv().unwrap();
    world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
    world.settle();
    let cancel_at = world.state("ana").subscription.unwrap().cancel_at;
    assert!(cancel_at.is_some());
    go.send(()).unwrap();
    assert_ne!(slow.join().unwrap(), 0);
    assert_eq!(world.state("ana").subscription.unwrap().cancel_at, cancel_at);
    assert!(!actions(&world, "ana").contains(&"subscription.cancel_undone".to_owned()));
    world.check();
}

fn a_scheduled_cancellation_resets_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.consume("ana", "messages", 40);
    world.consume("ana", "chatbots", 2);
    let before = world.state("ana");
    let path = subscription_path(&world);
    for cancel in ["true", "false"] {
        world.at_provider("POST", &path, &[("cancel_at_period_end", cancel)]);
        world.settle();
        let state = world.state("ana");
        assert_eq!(state.subscription.unwrap().cancel_at.is_some(), cancel == "true");
        assert_eq!(state.features, before.features);
        assert_eq!(state.credits, before.credits);
    }
    assert_eq!(
        actions(&world, "ana")[..2],
        ["subscription.cancel_undone", "subscription.cancel_scheduled"]
    );
    world.check();
}

fn a_second_subscription_made_elsewhere_waits_for_a_person(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let before = world.state("ana");
    let first = &list(&world, "/v1/subscriptions")[0];
    let price = &list(&world, "/v1/prices?lookup_keys[]=farthing_pro_month_usd_19900")[0]["id"];
    let form = [
        ("customer", first["customer"].as_str().unwrap()),
        ("items[0][price]", price.as_str().unwrap()),
        ("default_payment_method", first["default_payment_method"].as_str().unwrap()),
    ];
    let second = world.at_provider("POST", "/v1/subscriptions", &form);
    world.settle();
    let waiting = quarantined(&world);
    assert!(!waiting.is_empty());
    let (new, old) = (second["id"].as_str().unwrap(), first["id"].as_str().unwrap());
    let why = format!(
        "{new} is a second subscription of a customer who has {old}: cancel and refund one at the provider, then replay"
    );
    for event in &waiting {
        assert_eq!(event.last_error.as_ref(), Some(&why));
    }
    assert_eq!(world.state("ana"), before);
    world.check();
    world.at_provider("DELETE", &format!("/v1/subscriptions/{old}"), &[]);
    world.settle();
    for event in &waiting {
        world.engine.replay_event(&caller(), &event.id).unwrap();
    }
    world.settle();
    assert_eq!(world.state("ana").plan, "pro");
    assert!(quarantined(&world).is_empty());
    world.check();
}

fn a_page_for_less_money_grants_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    // Our own page is never made; somebody makes another one in its name.
    world.line.set(|request| if request.method == "POST" { Fate::NotSent } else { Fate::Answered });
    world.checkout(&world.pack("ana", "ai_500")).unwrap_err();
    world.line.heal();
    let opened = world.engine.timeline(&"ana".parse().unwrap(), None, 1).unwrap().remove(0);
    assert_eq!(opened.action, "checkout.opened");
    let checkout = opened.to.unwrap()["checkout"].as_str().unwrap().to_owned();
    let product = world.at_provider("POST", "/v1/products", &[("name", "cheap")]);
    let cheap =
        [("product", product["id"].as_str().unwrap()), ("currency", "usd"), ("unit_amount", "100")];
    let price = world.at_provider("POST", "/v1/prices", &cheap);
    let customer = &list(&world, "/v1/customers")[0]["id"];
    let page = [
        ("mode", "payment"),
        ("customer", customer.as_str().unwrap()),
        ("line_items[0][price]", price["id"].as_str().unwrap()),
        ("line_items[0][quantity]", "1"),
        ("metadata[farthing_customer]", "ana"),
        ("metadata[farthing_checkout]", &checkout),
        ("success_url", "https://app.example/"),
    ];
    let page = world.at_provider("POST", "/v1/checkout/sessions", &page);
    let mut view = world.engine.checkout(&checkout).unwrap();
    view.url = Some(page["url"].as_str().unwrap().to_owned());
    assert_eq!(world.pay(&view, GOOD_CARD), 303);
    world.settle();
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500);
    assert_eq!(world.engine.checkout(&checkout).unwrap().status, "open");
    let why = quarantined(&world).remove(0).last_error.unwrap();
    assert!(
        why.contains("1.00") && why.contains("9.00") && why.ends_with("nothing was granted"),
        "{why}"
    );
    world.check();
}

fn a_trial_that_was_never_started_can_still_be_had(mut world: World) {
    world.customer("ana");
    let first = world.checkout(&trial("ana")).unwrap();
    assert_eq!(first.trial_days, Some(7));
    world.advance_days(2);
    assert_eq!(world.engine.checkout(&first.id).unwrap().status, "expired");
    let second = world.buy_with(&trial("ana"), GOOD_CARD);
    assert_eq!((second.status, second.trial_days), ("settled", Some(7)));
    assert_eq!(world.state("ana").subscription.unwrap().status, "trialing");
    world.check();
}

fn a_page_that_was_left_open_is_closed_by_itself(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    world.advance_days_without_events(2);
    let closed = world.engine.checkout(&page.id).unwrap();
    assert_eq!((closed.status, closed.url), ("expired", None));
    assert_eq!(actions(&world, "ana")[0], "checkout.expired");
    assert_ne!(world.checkout(&world.plan("ana", "growth")).unwrap().id, page.id);
    world.check();
}

fn news_in_any_order_lead_to_the_same_state(mut world: World) {
    let mut states = Vec::new();
    for (n, reversed) in [(0, false), (1, true)] {
        let id = format!("c{n}");
        world.customer(&id);
        let page = world.checkout(&world.plan(&id, "growth")).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
        let subs = list(&world, "/v1/subscriptions");
        let mine = subs.iter().find(|sub| sub["metadata"]["farthing_customer"] == id.as_str());
        let path = format!("/v1/subscriptions/{}", mine.unwrap()["id"].as_str().unwrap());
        world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
        let mut deliveries = world.take_deliveries();
        if reversed {
            deliveries.reverse();
        }
        for delivery in &deliveries {
            world.receive(delivery);
            world.drain();
        }
        let state = world.state(&id);
        let sub = state.subscription.unwrap();
        states.push((state.plan, state.standing, sub.status, sub.period, sub.cancel_at));
        assert_eq!(state.credits["ai"].balance, 10_500);
    }
    assert_eq!(states[0], states[1]);
    world.check();
}

fn prices_are_found_again_when_the_provider_has_forgotten_the_keys(mut world: World) {
    let source = farthing_core::catalog::SAMPLE.replace("\"69.00\"", "\"79.00\"");
    world.line.lose_answer(0);
    assert!(world.engine.apply_catalog(&caller(), &source).is_err());
    world.line.heal();
    world.advance_days(2);
    assert_eq!(world.engine.apply_catalog(&caller(), &source).unwrap().prices_created, 0);
    let found = list(&world, "/v1/prices?lookup_keys[]=farthing_growth_month_usd_7900");
    assert_eq!(found.len(), 1);
}
