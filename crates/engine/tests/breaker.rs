//! A provider that is left alone because it does not answer, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farthing_core::change::Command;
use farthing_engine::EngineError;
use farthing_store::inbox::EventState;
use farthing_store::jobs::{self, JobState};

use world::{Fate, GOOD_CARD, World, caller};

on_both!(
    what_is_asked_of_a_provider_that_is_left_alone_changes_nothing,
    events_and_jobs_wait_for_it_without_losing_attempts,
    an_answer_that_the_sandbox_loses_is_a_timeout,
);

/// Five calls fail in a row; the next ones are counted.
fn open_breaker(world: &World) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    world.line.set(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Fate::NotSent
    });
    world.customer("prober");
    while world.engine.provider_state().unwrap().state == "closed" {
        assert!(world.checkout(&world.plan("prober", "growth")).is_err());
    }
    assert_eq!(asked.swap(0, Ordering::SeqCst), 5, "the rules say five");
    asked
}

fn held_back(error: &EngineError) -> u32 {
    match error {
        EngineError::ProviderHeldBack { seconds, .. } => *seconds,
        other => panic!("{other:?}"),
    }
}

fn what_is_asked_of_a_provider_that_is_left_alone_changes_nothing(world: World) {
    let mut world = world.guarded();
    world.customer("ana");
    world.buy("ana", "growth");
    world.customer("bob");
    let sub = world.state("ana").subscription.unwrap().id;
    let asked = open_breaker(&world);
    let (ana, bob) = (world.state("ana"), world.state("bob"));
    let waiting = |world: &World| world.by_hand(|tx| jobs::list(tx, JobState::Pending, "", 100));
    let before = waiting(&world);
    let up = Command::Change { plan: "pro".to_owned(), interval: None };
    let error = world.engine.change(&caller(), &sub, &up, None).unwrap_err();
    assert_eq!(held_back(&error), 5);
    assert_eq!(
        error.to_string(),
        "the payment provider does not answer at the moment; nothing was changed, try again in 5 s"
    );
    held_back(&world.checkout(&world.plan("bob", "growth")).unwrap_err());
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody was asked");
    assert_eq!((world.state("ana"), world.state("bob")), (ana, bob));
    assert_eq!(waiting(&world), before, "nothing is left to be done behind the caller's back");
    let state = world.engine.provider_state().unwrap();
    assert_eq!((state.state, state.since), ("open", Some(world.now())));
    assert_eq!(state.last_error.unwrap(), "not sent: no route");
    world.line.heal();
    world.advance_to(world.now().plus_seconds(5));
    assert_eq!(world.engine.change(&caller(), &sub, &up, None).unwrap().outcome, "done");
    assert_eq!(world.engine.provider_state().unwrap().state, "closed");
    assert_eq!(world.state("ana").plan, "pro");
    world.check();
}

fn events_and_jobs_wait_for_it_without_losing_attempts(world: World) {
    let mut world = world.guarded();
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    let erased = world.customer("eve");
    world.buy("eve", "starter");
    let deliveries = world.take_deliveries();
    let asked = open_breaker(&world);
    for delivery in &deliveries {
        assert!(!world.receive(delivery).duplicate, "it is stored and answered all the same");
    }
    world.engine.delete_customer(&caller(), &erased).unwrap();
    world.drain();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    for event in world.engine.events(Some(EventState::Received), "", 100).unwrap() {
        assert_eq!(event.attempts, 0, "{event:?}");
    }
    let waiting = world.by_hand(|tx| jobs::list(tx, JobState::Pending, "", 100));
    let erasing = waiting.iter().find(|job| job.kind == "delete_at_provider").unwrap();
    assert_eq!(erasing.attempts, 0);
    assert!(erasing.last_error.as_ref().unwrap().contains("try again in"), "{erasing:?}");
    world.line.heal();
    world.advance_to(world.now().plus_seconds(60));
    assert_eq!(world.state("ana").plan, "growth");
    assert!(world.engine.events(Some(EventState::Received), "", 100).unwrap().is_empty());
    let done = world.by_hand(|tx| jobs::list(tx, JobState::Done, "", 100));
    assert!(done.iter().any(|job| job.kind == "delete_at_provider" && job.attempts == 1));
    world.check();
}

fn an_answer_that_the_sandbox_loses_is_a_timeout(mut world: World) {
    world.customer("ana");
    world.provider().scenario("lost_after", &[("call", "POST /v1/checkout")]).unwrap();
    let error = world.checkout(&world.plan("ana", "growth")).unwrap_err();
    assert!(matches!(error, EngineError::ProviderUnavailable { .. }), "{error:?}");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    let there = world.at_provider("GET", "/v1/checkout/sessions", &[]);
    assert_eq!(there["data"].as_array().unwrap().len(), 1, "the call had acted");
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(world.state("ana").plan, "growth");
}
