//! A provider that is slow, silent, wrong or pretended, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::collections::BTreeMap;

use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::customers::Profile;
use farthing_engine::ingest::{EventView, ReceiveError};
use farthing_providers::stripe::WebhookError;
use farthing_store::inbox::EventState;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use world::{Fate, GOOD_CARD, World, caller};

on_both!(
    a_lost_answer_never_makes_a_second_customer_or_page,
    a_lost_answer_is_asked_for_again_after_the_profile_changed,
    what_was_never_sent_or_failed_is_done_later,
    a_changed_address_reaches_the_provider_once_and_as_it_is_by_then,
    a_page_paid_while_an_answer_was_on_its_way_stays_paid,
    a_refused_page_fails_its_checkout_and_frees_the_trial,
    a_page_whose_closing_was_not_heard_of_is_closed_once,
    events_wait_for_the_provider_to_come_back,
    an_event_that_never_succeeds_is_set_aside_and_can_be_replayed,
    a_poisoned_event_does_not_stop_the_others,
    an_event_of_another_mode_or_account_has_no_effect,
    an_event_that_cannot_be_trusted_or_read_is_not_stored,
    an_event_about_something_that_is_gone_waits_for_a_person,
    erasing_waits_for_the_provider_to_come_back,
    after_being_erased_the_same_id_can_buy_again,
    a_refused_trial_that_ends_late_does_not_end_what_was_bought_since,
);

fn is_unclear(error: &EngineError) -> bool {
    matches!(error, EngineError::ProviderUnavailable { .. })
}

fn list(world: &World, path: &str) -> Vec<Value> {
    world.at_provider("GET", path, &[])["data"].as_array().unwrap().clone()
}

fn events(world: &World, state: EventState) -> Vec<EventView> {
    world.engine.events(Some(state), "", 100).unwrap()
}

fn a_lost_answer_never_makes_a_second_customer_or_page(mut world: World) {
    for n in 0..4_usize {
        let id = format!("c{n}");
        world.customer(&id);
        world.line.lose_answer(n);
        let first = world.checkout(&world.plan(&id, "growth"));
        world.line.heal();
        if n < 3 {
            let error = first.unwrap_err();
            assert!(is_unclear(&error), "{error:?}");
            assert_eq!(
                error.to_string(),
                "the payment provider could not be reached; nothing was charged, try again in a moment"
            );
            assert_eq!(world.state(&id).plan, "free");
        }
        let page = world.checkout(&world.plan(&id, "growth")).unwrap();
        assert_eq!(world.checkout(&world.plan(&id, "growth")).unwrap(), page);
        assert_eq!(list(&world, "/v1/customers").len(), n + 1);
        assert_eq!(list(&world, "/v1/checkout/sessions").len(), n + 1);
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
        world.settle();
        assert_eq!(world.state(&id).plan, "growth");
    }
    world.check();
}

fn a_lost_answer_is_asked_for_again_after_the_profile_changed(world: World) {
    let id = world.customer("ana");
    world.line.lose_answer(0);
    assert!(is_unclear(&world.checkout(&world.plan("ana", "growth")).unwrap_err()));
    world.line.heal();
    let profile = Profile {
        email: "ana@new.example".to_owned(),
        name: Some("Ana".to_owned()),
        ..Profile::default()
    };
    world.engine.upsert_customer(&caller(), &id, &profile).unwrap();
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    let there = list(&world, "/v1/customers");
    assert_eq!((there.len(), &there[0]["email"]), (1, &json!("ana@new.example")));
    assert_eq!(there[0]["name"], "Ana");
    world.check();
}

fn a_changed_address_reaches_the_provider_once_and_as_it_is_by_then(mut world: World) {
    let id = world.customer("ana");
    world.buy("ana", "growth");
    let rename = |email: &str, name: Option<&str>| {
        let name = name.map(str::to_owned);
        let profile = Profile { email: email.to_owned(), name, ..Profile::default() };
        world.engine.upsert_customer(&caller(), &id, &profile).unwrap();
    };
    world.line.set(|_| Fate::NotSent);
    rename("first@new.example", Some("Ana"));
    world.drain();
    rename("second@new.example", Some("Ana Silva"));
    world.drain();
    world.line.heal();
    let counted = std::sync::Arc::new(std::sync::Mutex::new(0));
    let count = counted.clone();
    world.line.set(move |request| {
        *count.lock().unwrap() += i32::from(request.path.starts_with("/v1/customers/"));
        Fate::Answered
    });
    world.advance_to(world.now().plus_seconds(3_600));
    assert_eq!(*counted.lock().unwrap(), 1, "the newest profile, once");
    let there = &list(&world, "/v1/customers")[0];
    assert_eq!(
        (&there["email"], &there["name"]),
        (&json!("second@new.example"), &json!("Ana Silva"))
    );
    let metadata = Profile { email: "second@new.example".to_owned(), ..Profile::default() };
    world.engine.upsert_customer(&caller(), &id, &metadata).unwrap();
    world.drain();
    assert_eq!(*counted.lock().unwrap(), 1, "nothing changed that the provider shows");
    world.check();
}

fn what_was_never_sent_or_failed_is_done_later(world: World) {
    world.customer("ana");
    for fate in [Fate::NotSent, Fate::Failed] {
        world.line.set(move |_| fate);
        let error = world.checkout(&world.plan("ana", "growth")).unwrap_err();
        assert!(is_unclear(&error), "{error:?}");
    }
    world.line.heal();
    assert_eq!(list(&world, "/v1/customers").len(), 0);
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    world.line.set(|_| Fate::NotSent);
    assert_eq!(world.checkout(&world.plan("ana", "growth")).unwrap(), page, "it is known");
    assert_eq!(world.engine.refresh_checkout(&page.id).unwrap(), page, "as we know it");
    assert_eq!(world.consume("ana", "chatbots", 1).code.as_str(), "ok", "nobody has to ask");
}

fn a_page_paid_while_an_answer_was_on_its_way_stays_paid(mut world: World) {
    world.customer("ana");
    world.line.lose_answer(2);
    assert!(is_unclear(&world.checkout(&world.plan("ana", "growth")).unwrap_err()));
    // One tab's answer is held up until another tab has the page, and it is paid.
    let (is_held, go) = world.line.hold_next();
    let engine = world.engine.clone();
    let purchase = world.plan("ana", "growth");
    let slow_tab = std::thread::spawn(move || engine.start_checkout(&caller(), &purchase));
    is_held.recv().unwrap();
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(world.engine.checkout(&page.id).unwrap().status, "settled");
    go.send(()).unwrap();
    let late = slow_tab.join().unwrap().unwrap();
    assert_eq!((late.id.as_str(), late.status, late.url), (page.id.as_str(), "settled", None));
    assert_eq!(world.engine.checkout(&page.id).unwrap().status, "settled");
    world.check();
}

fn a_refused_page_fails_its_checkout_and_frees_the_trial(world: World) {
    world.customer("ana");
    let subs = list(&world, "/v1/prices?lookup_keys[]=farthing_starter_month_usd_1900");
    let path = format!("/v1/prices/{}", subs[0]["id"].as_str().unwrap());
    world.at_provider("POST", &path, &[("active", "false")]);
    let mut trial = world.plan("ana", "starter");
    if let farthing_engine::checkouts::Buy::Plan { trial, .. } = &mut trial.buy {
        *trial = Some(true);
    }
    let refused = world.checkout(&trial).unwrap_err();
    assert!(matches!(refused, EngineError::ProviderRefused { .. }), "{refused:?}");
    world.at_provider("POST", &path, &[("active", "true")]);
    assert_eq!(world.checkout(&trial).unwrap().trial_days, Some(7));
    world.check();
}

fn a_page_whose_closing_was_not_heard_of_is_closed_once(world: World) {
    world.customer("ana");
    let first = world.checkout(&world.plan("ana", "growth")).unwrap();
    world.line.lose_answer(0);
    assert!(is_unclear(&world.checkout(&world.plan("ana", "pro")).unwrap_err()));
    world.line.heal();
    let second = world.checkout(&world.plan("ana", "pro")).unwrap();
    assert_eq!(world.engine.checkout(&first.id).unwrap().status, "expired");
    assert_eq!(second.status, "open");
    let open = list(&world, "/v1/checkout/sessions");
    assert_eq!(open.iter().filter(|session| session["status"] == "open").count(), 1);
    world.check();
}

fn events_wait_for_the_provider_to_come_back(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    for fate in [Fate::NotSent, Fate::Failed] {
        world.line.set(move |_| fate);
        world.settle();
        assert_eq!(world.state("ana").plan, "free");
        let waiting = events(&world, EventState::Received);
        assert!(!waiting.is_empty());
        assert!(waiting.iter().any(|event| event.last_error.is_some()));
        assert!(events(&world, EventState::Quarantined).is_empty());
        world.check();
        world.advance_to(world.now().plus_seconds(60));
    }
    world.line.heal();
    world.advance_to(world.now().plus_seconds(4 * 3_600));
    assert_eq!(world.state("ana").plan, "growth");
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500);
    assert!(events(&world, EventState::Received).is_empty());
    world.check();
}

fn an_event_that_never_succeeds_is_set_aside_and_can_be_replayed(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.line.set(|_| Fate::Failed);
    world.advance_days(4);
    assert!(events(&world, EventState::Dead).is_empty(), "a provider may be away for long");
    world.advance_days(8);
    assert!(events(&world, EventState::Received).is_empty());
    let dead = events(&world, EventState::Dead);
    assert!(!dead.is_empty());
    assert!(dead.iter().all(|event| event.attempts == 60 && event.last_error.is_some()));
    world.check();
    world.line.heal();
    for event in &dead {
        world.engine.replay_event(&caller(), &event.id).unwrap();
    }
    world.settle();
    assert!(events(&world, EventState::Dead).is_empty());
    assert_eq!(world.state("ana").plan, "growth");
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500);
    world.check();
}

fn a_poisoned_event_does_not_stop_the_others(mut world: World) {
    for id in ["ana", "eve"] {
        world.customer(id);
        let page = world.checkout(&world.plan(id, "growth")).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
    }
    let subs = list(&world, "/v1/subscriptions");
    let of_eve: Vec<String> = subs
        .iter()
        .filter(|sub| sub["metadata"]["farthing_customer"] == "eve")
        .flat_map(|sub| [sub["id"].clone(), sub["latest_invoice"].clone()])
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    let sessions = list(&world, "/v1/checkout/sessions");
    let sessions = sessions.iter().filter(|session| session["client_reference_id"] == "eve");
    let of_eve: Vec<String> =
        of_eve.into_iter().chain(sessions.map(|s| s["id"].as_str().unwrap().to_owned())).collect();
    assert!(1 < of_eve.len());
    world.line.set(move |request| {
        let poisoned = of_eve.iter().any(|id| request.path.contains(id));
        if poisoned { Fate::Failed } else { Fate::Answered }
    });
    world.settle();
    assert_eq!(
        (world.state("ana").plan.as_str(), world.state("eve").plan.as_str()),
        ("growth", "free")
    );
    world.advance_days(12);
    assert!(!events(&world, EventState::Dead).is_empty());
    world.customer("ben");
    world.buy("ben", "pro");
    assert_eq!(world.state("ben").plan, "pro");
    world.check();
}

/// A delivery with the world's own secret.
fn signed(world: &World, body: &Value) -> (String, Vec<u8>) {
    signed_at(body, world.now().seconds(), &world.webhook_secret)
}

fn signed_at(body: &Value, at: i64, secret: &str) -> (String, Vec<u8>) {
    let body = body.to_string().into_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.").as_bytes());
    mac.update(&body);
    (format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes())), body)
}

/// An event as the provider sends it, with some of it changed.
fn forged(world: &World, kind: &str, changes: &[(&str, Value)]) -> Value {
    let of_kind = world.sent.iter().find_map(|(_, body)| {
        let event: Value = serde_json::from_slice(body).unwrap();
        (event["type"] == kind).then_some(event)
    });
    let mut event = of_kind.unwrap_or_else(|| panic!("no {kind} was sent"));
    for (path, value) in changes {
        event.as_object_mut().unwrap().insert((*path).to_owned(), value.clone());
    }
    event
}

fn an_event_of_another_mode_or_account_has_no_effect(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let before = world.state("ana");
    let live = [("id", json!("evt_live")), ("livemode", json!(true))];
    let other = [("id", json!("evt_other")), ("account", json!("acct_other"))];
    for changes in [&live, &other] {
        let event = forged(&world, "customer.subscription.created", changes);
        assert!(!world.receive(&signed(&world, &event)).duplicate);
    }
    world.settle();
    let aside = events(&world, EventState::Quarantined);
    let why: BTreeMap<&str, &str> = aside
        .iter()
        .map(|event| (event.event_id.as_str(), event.last_error.as_deref().unwrap()))
        .collect();
    let mode = "set aside: it is of another mode than this database; nothing was changed";
    let account = "set aside: it is about another account than ours; nothing was changed";
    assert_eq!(why, BTreeMap::from([("evt_live", mode), ("evt_other", account)]));
    assert_eq!(world.state("ana"), before);
    world.check();
}

fn an_event_that_cannot_be_trusted_or_read_is_not_stored(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let stored = world.engine.events(None, "", 1_000).unwrap().len();
    let event = forged(&world, "invoice.paid", &[("id", json!("evt_new"))]);
    let now = world.now().seconds();
    let secret = world.webhook_secret.clone();
    let refuse = |(signature, body): (String, Vec<u8>)| match world
        .engine
        .receive_stripe(&signature, &body)
        .unwrap_err()
    {
        ReceiveError::Webhook(error) => error,
        other => panic!("{other:?}"),
    };
    let wrong = signed_at(&event, now, "whsec_somebody_elses");
    assert!(matches!(refuse(wrong), WebhookError::NoMatch));
    let old = signed_at(&event, now - 301, &secret);
    assert!(matches!(refuse(old), WebhookError::TooOld(_)));
    let early = signed_at(&event, now + 301, &secret);
    assert!(matches!(refuse(early), WebhookError::InFuture(_)));
    let (signature, mut body) = signed(&world, &event);
    body.push(b' ');
    assert!(matches!(refuse((signature, body.clone())), WebhookError::NoMatch));
    assert!(matches!(refuse((String::new(), body)), WebhookError::BadHeader(_)));
    let old = [("id", json!("evt_new")), ("api_version", json!("2024-06-20"))];
    let old = forged(&world, "invoice.paid", &old);
    assert!(matches!(refuse(signed(&world, &old)), WebhookError::OldVersion(..)));
    let not_one = refuse(signed(&world, &json!({ "hello": "world" })));
    assert!(matches!(not_one, WebhookError::NotAnEvent(_)), "{not_one:?}");
    let thin = json!({ "object": "v2.core.event", "type": "v1.billing.meter" });
    assert!(matches!(refuse(signed(&world, &thin)), WebhookError::ThinEvent(_)));
    assert_eq!(world.engine.events(None, "", 1_000).unwrap().len(), stored);
    for seconds in [-300, 300] {
        let id = format!("evt_{seconds}");
        let event = forged(&world, "invoice.paid", &[("id", json!(id))]);
        let delivery = signed_at(&event, now + seconds, &secret);
        assert!(!world.receive(&delivery).duplicate, "{seconds} seconds off is still in time");
    }
    world.settle();
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500);
    world.check();
}

fn an_event_about_something_that_is_gone_waits_for_a_person(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let mut event = forged(&world, "customer.subscription.updated", &[("id", json!("evt_gone"))]);
    event["data"]["object"]["id"] = json!("sub_nobody_has");
    world.receive(&signed(&world, &event));
    world.settle();
    let aside = events(&world, EventState::Quarantined);
    assert_eq!(aside.len(), 1);
    let why = "set aside: the provider does not have what it is about; nothing was changed";
    assert_eq!(aside[0].last_error.as_deref(), Some(why));
    let unknown = [("id", json!("evt_unknown")), ("type", json!("customer.tax_id.created"))];
    let unknown = forged(&world, "customer.subscription.updated", &unknown);
    world.receive(&signed(&world, &unknown));
    world.settle();
    let ignored = events(&world, EventState::Ignored);
    assert!(ignored.iter().any(|event| event.event_id == "evt_unknown"));
    world.check();
}

fn erasing_waits_for_the_provider_to_come_back(mut world: World) {
    let id = world.customer("ana");
    world.buy("ana", "growth");
    world.line.set(|_| Fate::NotSent);
    world.engine.delete_customer(&caller(), &id).unwrap();
    world.settle();
    assert!(matches!(world.engine.state(&id), Err(EngineError::NotFound { .. })));
    let status = |world: &World| list(world, "/v1/subscriptions?status=all")[0]["status"].clone();
    assert_eq!(status(&world), "active");
    world.line.heal();
    let later = world.now().plus_intervals(1, Interval::Day);
    world.advance_to(later);
    assert_eq!(status(&world), "canceled");
    world.check();
}

fn after_being_erased_the_same_id_can_buy_again(mut world: World) {
    let id = world.customer("ana");
    world.buy("ana", "growth");
    world.engine.delete_customer(&caller(), &id).unwrap();
    world.settle();
    assert!(events(&world, EventState::Quarantined).is_empty(), "nobody has to look at that");
    world.advance_days(1);
    world.customer("ana");
    world.settle();
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(world.buy("ana", "starter").status, "settled");
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn a_refused_trial_that_ends_late_does_not_end_what_was_bought_since(mut world: World) {
    let trial = |world: &World, id: &str| {
        let mut trial = world.plan(id, "starter");
        if let farthing_engine::checkouts::Buy::Plan { trial, .. } = &mut trial.buy {
            *trial = None;
        }
        trial
    };
    world.customer("ana");
    world.buy_with(&trial(&world, "ana"), GOOD_CARD);
    world.customer("ben");
    let page = world.checkout(&trial(&world, "ben")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    let of_the_trial = world.take_deliveries();
    of_the_trial.iter().for_each(|delivery| {
        world.receive(delivery);
    });
    world.drain();
    let of_its_end = world.take_deliveries();
    assert!(!of_its_end.is_empty(), "it was canceled at the provider");
    world.buy("ben", "growth");
    assert_eq!(world.consume("ben", "ai", 100).code.as_str(), "ok");
    of_its_end.iter().for_each(|delivery| {
        world.receive(delivery);
    });
    world.drain();
    let state = world.state("ben");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_400));
    assert_eq!(state.subscription.unwrap().status, "active");
    world.check();
}
