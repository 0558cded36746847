//! The main job, and the promises it must keep, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::collections::BTreeMap;

use farthing_core::access::Code;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::checkouts::{Buy, Purchase};

use world::{DECLINED_CARD, GOOD_CARD, World, caller};

on_both!(
    a_new_customer_has_the_first_plan_and_the_signup_credits_once,
    a_paid_checkout_gives_the_plan_its_limits_and_its_credits,
    the_same_signed_event_three_times_is_processed_once,
    five_parallel_consumes_at_four_of_five_allow_one,
    a_full_usage_window_starts_again_when_a_higher_plan_is_paid,
    a_plan_without_room_for_what_is_held_is_refused_with_what_to_delete,
    a_renewal_resets_messages_and_credits_once_and_keeps_what_is_held,
    a_yearly_plan_grants_its_credits_every_month,
    a_declined_card_grants_nothing,
    a_failed_renewal_keeps_access_and_says_past_due,
    a_trial_starts_with_a_card_and_converts_by_itself,
    a_second_trial_with_the_same_card_is_not_given,
    a_pack_is_granted_once_and_survives_a_renewal,
    two_tabs_share_one_page_and_another_plan_closes_the_first,
    a_cancellation_at_the_provider_returns_to_the_first_plan,
    without_any_webhook_a_renewal_is_found_by_asking,
    an_event_without_a_known_customer_waits_for_a_person_and_can_be_replayed,
    an_exception_counts_until_its_end,
    erasing_a_customer_cancels_at_the_provider,
);

fn a_new_customer_has_the_first_plan_and_the_signup_credits_once(world: World) {
    world.customer("ana");
    world.customer("ana");
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing, state.revision), ("free", "good", 1));
    assert_eq!(state.credits["ai"].balance, 500);
    assert_eq!(state.features["chatbots"].limit, Some(1));
    assert!(!state.features["api_access"].included);
    world.check();
}

fn a_paid_checkout_gives_the_plan_its_limits_and_its_credits(mut world: World) {
    world.customer("ana");
    let checkout = world.buy("ana", "growth");
    assert_eq!(checkout.status, "settled");
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.interval), ("growth", Some(Interval::Month)));
    assert_eq!(state.subscription.as_ref().unwrap().status, "active");
    assert_eq!(state.features["chatbots"].limit, Some(10));
    assert_eq!(state.credits["ai"].balance, 10_500);
    let invoices = world.engine.invoices(None, "", 10).unwrap();
    assert_eq!((invoices.len(), invoices[0].status.as_str()), (1, "paid"));
    assert_eq!(invoices[0].payments[0].status, "succeeded");
    world.check();
}

fn the_same_signed_event_three_times_is_processed_once(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let before = (world.state("ana"), world.engine.timeline(&"ana".parse().unwrap(), None, 100));
    for _ in 0..3 {
        for delivery in world.sent.clone() {
            assert!(world.receive(&delivery).duplicate);
        }
        assert_eq!(world.drain(), 0);
    }
    let after = (world.state("ana"), world.engine.timeline(&"ana".parse().unwrap(), None, 100));
    assert_eq!(before, after);
    world.check();
}

fn five_parallel_consumes_at_four_of_five_allow_one(world: World) {
    let id = world.customer("ana");
    let limit = farthing_core::catalog::Limit::Amount(5);
    let new = farthing_engine::overrides::NewOverride {
        limit,
        reason: "five for the test".to_owned(),
        expires_at: None,
    };
    world.engine.put_override(&caller(), &id, "chatbots", &new).unwrap();
    world.consume("ana", "chatbots", 4);
    let want = world.want("ana", "chatbots", 1);
    let answers: Vec<Code> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..5)
            .map(|_| scope.spawn(|| world.engine.consume(&caller(), &want).unwrap().code))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|code| **code == Code::Override).count(), 1);
    assert_eq!(answers.iter().filter(|code| **code == Code::LimitReached).count(), 4);
    assert_eq!(world.state("ana").features["chatbots"].used, 5);
    world.check();
}

fn a_full_usage_window_starts_again_when_a_higher_plan_is_paid(mut world: World) {
    world.customer("ana");
    assert_eq!(world.consume("ana", "messages", 100).code, Code::Ok);
    let refused = world.consume("ana", "messages", 1);
    assert_eq!(
        (refused.code, refused.upgrade_to.as_deref()),
        (Code::LimitReached, Some("starter"))
    );
    world.buy("ana", "growth");
    let messages = &world.state("ana").features["messages"];
    assert_eq!((messages.used, messages.limit), (0, Some(10_000)));
    world.check();
}

fn a_plan_without_room_for_what_is_held_is_refused_with_what_to_delete(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.consume("ana", "chatbots", 5);
    let refused = world.checkout(&world.plan("ana", "starter")).unwrap_err();
    let EngineError::Refused { code, message, errors } = refused else {
        panic!("not refused: {refused:?}");
    };
    assert_eq!(code, "over_limit");
    assert!(message.contains("delete 2 chatbots before moving to Starter (5 used, 3 allowed)"));
    assert_eq!(errors.len(), 1);
    world.release("ana", "chatbots", 2);
    let exists = world.checkout(&world.plan("ana", "starter")).unwrap_err();
    assert!(matches!(exists, EngineError::Refused { code: "subscription_exists", .. }));
    world.check();
}

fn a_renewal_resets_messages_and_credits_once_and_keeps_what_is_held(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.consume("ana", "chatbots", 10);
    world.consume("ana", "messages", 7_000);
    world.consume("ana", "ai", 9_000);
    assert_eq!(world.state("ana").credits["ai"].balance, 1_500);
    world.advance_days(31);
    let state = world.state("ana");
    assert_eq!(state.features["chatbots"].used, 10);
    assert_eq!(state.features["messages"].used, 0);
    assert_eq!(state.credits["ai"].balance, 10_500, "plan credits reset, signup credits stay");
    let period = state.subscription.unwrap().period;
    assert_eq!(period.start.to_string(), "2027-02-28T10:00:00Z");
    assert_eq!(period.end.to_string(), "2027-03-31T10:00:00Z");
    world.check();
}

fn a_yearly_plan_grants_its_credits_every_month(mut world: World) {
    world.customer("ana");
    let buy = Buy::Plan { plan: "growth".to_owned(), interval: Interval::Year, trial: None };
    let purchase =
        Purchase { customer: "ana".parse().unwrap(), buy, currency: None, return_path: None };
    world.buy_with(&purchase, GOOD_CARD);
    for month in 1..=13 {
        world.consume("ana", "ai", 4_000);
        world.advance_days(31);
        let state = world.state("ana");
        assert_eq!(state.credits["ai"].balance, 10_500, "after month {month}");
        assert_eq!(state.interval, Some(Interval::Year));
    }
    assert_eq!(world.engine.invoices(None, "", 10).unwrap().len(), 2);
    world.check();
}

fn a_declined_card_grants_nothing(mut world: World) {
    world.customer("ana");
    let checkout = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&checkout, DECLINED_CARD), 402);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("free", 500));
    assert_eq!(world.engine.refresh_checkout(&checkout.id).unwrap().status, "open");
    assert_eq!(world.pay(&checkout, GOOD_CARD), 303);
    assert_eq!(world.engine.refresh_checkout(&checkout.id).unwrap().status, "settled");
    assert_eq!(world.state("ana").plan, "growth");
    world.settle();
    world.check();
}

fn a_failed_renewal_keeps_access_and_says_past_due(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(30);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "past_due"));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    let unpaid = world.engine.invoices(None, "", 1).unwrap().remove(0);
    assert_eq!((unpaid.status.as_str(), unpaid.paid.minor), ("open", 0));
    world.check();
    world.change_card("ana", "pm_card_visa");
    world.advance_days(10);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "good"));
    world.check();
}

fn trial(id: &str) -> Purchase {
    let buy = Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: None };
    Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
}

fn a_trial_starts_with_a_card_and_converts_by_itself(mut world: World) {
    world.customer("ana");
    let checkout = world.buy_with(&trial("ana"), GOOD_CARD);
    assert_eq!((checkout.status, checkout.trial_days), ("settled", Some(7)));
    let state = world.state("ana");
    assert_eq!(state.subscription.as_ref().unwrap().status, "trialing");
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Trial);
    world.advance_days(8);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.subscription.unwrap().status), ("starter", "active"));
    assert_eq!(state.credits["ai"].balance, 2_500);
    world.check();
}

fn a_second_trial_with_the_same_card_is_not_given(mut world: World) {
    world.customer("ana");
    world.buy_with(&trial("ana"), GOOD_CARD);
    world.customer("ben");
    let checkout = world.checkout(&trial("ben")).unwrap();
    assert_eq!(world.pay(&checkout, GOOD_CARD), 303);
    world.settle();
    let state = world.state("ben");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("free", 500));
    let failed = world.engine.checkout(&checkout.id).unwrap();
    assert_eq!((failed.status, failed.failure.as_deref()), ("failed", Some("trial_used")));
    world.check();
}

fn a_pack_is_granted_once_and_survives_a_renewal(mut world: World) {
    world.customer("ana");
    let refused = world.checkout(&world.pack("ana", "ai_500")).unwrap_err();
    assert!(matches!(refused, EngineError::Refused { code: "pack_not_for_plan", .. }));
    world.buy("ana", "growth");
    for _ in 0..2 {
        let checkout = world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
        assert_eq!(checkout.status, "settled");
    }
    assert_eq!(world.state("ana").credits["ai"].balance, 11_500);
    world.advance_days(31);
    assert_eq!(world.state("ana").credits["ai"].balance, 11_500);
    world.check();
    world.advance_days(366);
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500, "packs end after twelve months");
    world.check();
}

fn two_tabs_share_one_page_and_another_plan_closes_the_first(mut world: World) {
    world.customer("ana");
    let first = world.checkout(&world.plan("ana", "growth")).unwrap();
    let second = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(first, second);
    let other = world.checkout(&world.plan("ana", "pro")).unwrap();
    assert_ne!(other.id, first.id);
    assert_ne!(world.pay(&first, GOOD_CARD), 303);
    assert_eq!(world.pay(&other, GOOD_CARD), 303);
    world.settle();
    assert_eq!(world.state("ana").plan, "pro");
    assert_eq!(world.engine.checkout(&first.id).unwrap().status, "expired");
    world.check();
}

fn a_cancellation_at_the_provider_returns_to_the_first_plan(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.consume("ana", "chatbots", 5);
    let sub = world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", sub["data"][0]["id"].as_str().unwrap());
    world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
    world.settle();
    assert!(world.state("ana").subscription.unwrap().cancel_at.is_some());
    world.advance_days(31);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.subscription.unwrap().status), ("free", "canceled"));
    assert_eq!((state.features["chatbots"].used, state.features["chatbots"].limit), (5, Some(1)));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    assert_eq!(state.credits["ai"].balance, 10_500, "the catalog says that they are kept");
    world.check();
}

fn without_any_webhook_a_renewal_is_found_by_asking(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.consume("ana", "ai", 10_000);
    world.advance_days_without_events(31);
    let state = world.state("ana");
    assert_eq!(state.credits["ai"].balance, 10_500);
    assert_eq!(state.subscription.unwrap().period.start.to_string(), "2027-02-28T10:00:00Z");
    world.check();
}

fn an_event_without_a_known_customer_waits_for_a_person_and_can_be_replayed(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let customer = world.at_provider("POST", "/v1/customers", &[("email", "eve@example.com")]);
    let customer = customer["id"].as_str().unwrap().to_owned();
    let path = "/v1/payment_methods/pm_card_visa/attach";
    let method = world.at_provider("POST", path, &[("customer", &customer)]);
    let path = "/v1/prices?lookup_keys[]=farthing_growth_month_usd_6900";
    let price = world.at_provider("GET", path, &[]);
    let price = price["data"][0]["id"].as_str().unwrap().to_owned();
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("default_payment_method", method["id"].as_str().unwrap()),
    ];
    world.at_provider("POST", "/v1/subscriptions", &form);
    world.settle();
    let quarantined = |world: &World| {
        let events = world.engine.events(None, "", 100).unwrap();
        let waiting = events.into_iter().filter(|event| event.state == "quarantined");
        waiting.map(|event| (event.id, event.last_error)).collect::<BTreeMap<_, _>>()
    };
    let waiting = quarantined(&world);
    assert!(!waiting.is_empty());
    assert!(waiting.values().flatten().all(|why| why.contains("no customer of ours")));
    world.check();
    let shown = world.engine.preview_replay(waiting.keys().next().unwrap()).unwrap();
    assert_eq!((shown.outcome, shown.changes.len()), ("set_aside", 0));
    world.customer("eve");
    let path = format!("/v1/customers/{customer}");
    world.at_provider("POST", &path, &[("metadata[farthing_customer]", "eve")]);
    let shown = world.engine.preview_replay(waiting.keys().next().unwrap()).unwrap();
    assert_eq!((shown.outcome, shown.state.unwrap().plan.as_str()), ("absorbed", "growth"));
    assert!(shown.changes.iter().any(|change| change.action == "subscription.activated"));
    assert_eq!(world.state("eve").plan, "free", "it was only shown");
    for id in waiting.keys() {
        world.engine.replay_event(&caller(), id).unwrap();
    }
    world.settle();
    assert_eq!(quarantined(&world), BTreeMap::new());
    assert_ne!(world.state("eve").plan, "free");
    world.check();
}

fn an_exception_counts_until_its_end(mut world: World) {
    let id = world.customer("ana");
    let new = farthing_engine::overrides::NewOverride {
        limit: farthing_core::catalog::Limit::Unlimited,
        reason: "a gift for a week".to_owned(),
        expires_at: Some(world.now().plus_intervals(7, Interval::Day)),
    };
    world.engine.put_override(&caller(), &id, "chatbots", &new).unwrap();
    assert_eq!(world.consume("ana", "chatbots", 40).code, Code::Override);
    world.check();
    world.advance_days(7);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    assert_eq!(world.state("ana").features["chatbots"].used, 40);
    world.check();
}

fn erasing_a_customer_cancels_at_the_provider(mut world: World) {
    let id = world.customer("ana");
    world.buy("ana", "growth");
    world.engine.delete_customer(&caller(), &id).unwrap();
    world.settle();
    assert!(matches!(world.engine.state(&id), Err(EngineError::NotFound { .. })));
    let subs = world.at_provider("GET", "/v1/subscriptions", &[("status", "all")]);
    assert_eq!(subs["data"][0]["status"], "canceled");
    assert!(world.engine.events(None, "", 100).unwrap().iter().all(|e| e.state != "received"));
}
