//! Trials: reminded of once, made longer on purpose, and given once, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::change::Command;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::EngineError;
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_engine::trials::Until;

use world::{GOOD_CARD, World, caller};

on_both!(
    the_end_of_a_trial_is_told_once_and_in_time,
    nobody_is_reminded_of_a_trial_that_was_canceled_unless_it_was_resumed,
    a_longer_trial_is_charged_later_and_reminded_of_again,
    a_lost_answer_does_not_lose_the_longer_trial,
    what_is_no_trial_or_too_long_is_refused,
    a_trial_converts_and_expires_without_any_event,
    a_trial_is_not_offered_again_after_a_refused_card,
);

fn trial(world: &World, id: &str) -> Purchase {
    let buy =
        Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: Some(true) };
    Purchase { buy, ..world.plan(id, "starter") }
}

fn on_trial(mut world: World) -> World {
    world.customer("ana");
    let purchase = trial(&world, "ana");
    world.buy_with(&purchase, GOOD_CARD);
    assert_eq!(world.state("ana").subscription.unwrap().status, "trialing");
    world
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sub(world: &World) -> String {
    world.state("ana").subscription.unwrap().id
}

/// How often something was told.
fn told(world: &World, action: &str) -> usize {
    let all = world.engine.timeline(&"ana".parse().unwrap(), None, 200).unwrap();
    all.iter().filter(|entry| entry.action == action).count()
}

fn extend(world: &World, until: Until) -> Result<&'static str, EngineError> {
    let changed = world.engine.extend_trial(&caller(), &sub(world), (until, "asked nicely"));
    changed.map(|changed| changed.outcome)
}

fn trial_days(world: &World, id: &str) -> Option<i64> {
    let plans = world.engine.plans(Some(&id.parse().unwrap())).unwrap();
    plans.into_iter().find(|plan| plan.plan == "starter").unwrap().trial_days
}

fn the_end_of_a_trial_is_told_once_and_in_time(world: World) {
    let mut world = on_trial(world);
    world.advance_to(at("2027-02-04T09:59:59Z"));
    assert_eq!(told(&world, "trial.ending"), 0);
    world.advance_to(at("2027-02-04T10:00:00Z"));
    assert_eq!(told(&world, "trial.ending"), 1, "three days before");
    world.advance_days(10);
    assert_eq!((told(&world, "trial.ending"), told(&world, "trial.converted")), (1, 1));
    world.check();
}

fn nobody_is_reminded_of_a_trial_that_was_canceled_unless_it_was_resumed(world: World) {
    let mut world = on_trial(world);
    let id = sub(&world);
    world.engine.change(&caller(), &id, &Command::Cancel { at_once: false }, None).unwrap();
    world.advance_to(at("2027-02-05T00:00:00Z"));
    assert_eq!(told(&world, "trial.ending"), 0);
    world.engine.change(&caller(), &id, &Command::Resume, None).unwrap();
    world.settle();
    assert_eq!(told(&world, "trial.ending"), 1, "it will be charged after all");
    world.check();
}

fn a_longer_trial_is_charged_later_and_reminded_of_again(world: World) {
    let mut world = on_trial(world);
    world.advance_to(at("2027-02-05T00:00:00Z"));
    assert_eq!(extend(&world, Until::Days(10)).unwrap(), "done");
    let until = world.state("ana").subscription.unwrap().trial_ends_at;
    assert_eq!(until, Some(at("2027-02-17T10:00:00Z")));
    assert_eq!((told(&world, "trial.extended"), told(&world, "trial.ending")), (1, 1));
    world.advance_to(at("2027-02-16T10:00:00Z"));
    assert_eq!(told(&world, "trial.ending"), 2, "once for each end");
    assert_eq!(world.state("ana").subscription.unwrap().status, "trialing");
    world.advance_days(2);
    assert_eq!(world.state("ana").subscription.unwrap().status, "active");
    world.check();
}

fn a_lost_answer_does_not_lose_the_longer_trial(world: World) {
    let mut world = on_trial(world);
    world.line.lose_answer(0);
    let lost = extend(&world, Until::Days(5)).unwrap_err();
    assert!(matches!(lost, EngineError::ProviderUnavailable { .. }), "{lost:?}");
    world.line.heal();
    world.advance_to(world.now().plus_seconds(60));
    let until = world.state("ana").subscription.unwrap().trial_ends_at;
    assert_eq!((until, told(&world, "trial.extended")), (Some(at("2027-02-12T10:00:00Z")), 1));
    world.check();
}

fn what_is_no_trial_or_too_long_is_refused(world: World) {
    let mut world = on_trial(world);
    for until in [Until::Days(90), Until::At(at("2026-01-01T00:00:00Z"))] {
        let refused = extend(&world, until).unwrap_err();
        assert!(matches!(refused, EngineError::Invalid(_)), "{refused:?}");
    }
    let shorter = extend(&world, Until::At(at("2027-02-01T00:00:00Z"))).unwrap_err();
    assert!(matches!(shorter, EngineError::Refused { code: "trial_not_longer", .. }));
    world.advance_days(9);
    let over = extend(&world, Until::Days(10)).unwrap_err();
    assert!(matches!(over, EngineError::Refused { code: "not_on_trial", .. }), "{over:?}");
    world.check();
}

fn a_trial_converts_and_expires_without_any_event(world: World) {
    let mut world = on_trial(world);
    world.customer("bob");
    let purchase = trial(&world, "bob");
    world.buy_with(&purchase, "5555555555554444");
    world.change_card("bob", "pm_card_chargeCustomerFail");
    world.advance_days_without_events(8);
    assert_eq!(world.state("ana").subscription.unwrap().status, "active");
    assert_eq!(world.state("bob").plan, "free", "nobody paid");
    world.check();
}

fn a_trial_is_not_offered_again_after_a_refused_card(world: World) {
    let mut world = on_trial(world);
    assert_eq!(trial_days(&world, "ana"), None);
    world.customer("bob");
    assert_eq!(trial_days(&world, "bob"), Some(7));
    let purchase = trial(&world, "bob");
    let refused = world.buy_with(&purchase, GOOD_CARD);
    assert_eq!(refused.failure.as_deref(), Some("trial_used"));
    assert_eq!(trial_days(&world, "bob"), None);
    let plain = Purchase {
        buy: Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: None },
        ..world.plan("bob", "starter")
    };
    assert_eq!(world.checkout(&plain).unwrap().trial_days, None, "it starts with a payment");
    world.check();
}
