//! Changes that wait for the end of the period, and what may become of them, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::change::Command;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::changes::Changed;

use world::{World, caller};

on_both!(
    a_downgrade_waits_for_the_end_of_the_period_and_then_is_paid,
    another_downgrade_replaces_the_first,
    an_upgrade_replaces_a_scheduled_downgrade,
    a_scheduled_downgrade_can_be_undone,
    a_cancellation_replaces_a_scheduled_downgrade_and_the_reverse,
    yearly_to_monthly_waits_for_the_end_of_the_year,
    a_downgrade_that_is_not_paid_keeps_the_plan_that_was,
    a_schedule_made_at_the_provider_is_understood,
    a_killed_process_leaves_a_lock_that_opens_by_asking,
);

fn to(plan: &str) -> Command {
    Command::Change { plan: plan.to_owned(), interval: None }
}

fn change(world: &World, command: &Command) -> Result<Changed, EngineError> {
    let sub = world.state("ana").subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None)
}

/// What is scheduled, as a plan's key.
fn pending(world: &World) -> Option<String> {
    let sub = world.state("ana").subscription.unwrap();
    sub.pending_change.map(|pending| pending.plan)
}

fn on(plan: &str, mut world: World) -> World {
    world.customer("ana");
    world.buy("ana", plan);
    world
}

fn a_downgrade_waits_for_the_end_of_the_period_and_then_is_paid(world: World) {
    let mut world = on("growth", world);
    world.consume("ana", "ai", 1_000);
    let changed = change(&world, &to("starter")).unwrap();
    assert_eq!(changed.outcome, "scheduled");
    assert_eq!(changed.effective_at.to_string(), "2027-02-28T10:00:00Z");
    assert_eq!(change(&world, &to("starter")).unwrap().outcome, "unchanged");
    world.settle();
    assert_eq!(
        (world.state("ana").plan.as_str(), pending(&world).as_deref()),
        ("growth", Some("starter"))
    );
    world.advance_to("2027-02-28T10:30:00Z".parse().unwrap());
    assert_eq!(world.state("ana").plan, "growth", "the new price is not paid yet");
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    world.check();
    world.advance_days(1);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), pending(&world)), ("starter", None));
    assert_eq!(state.credits["ai"].balance, 2_500, "the new plan's credits and the signup gift");
    assert_eq!(state.features["chatbots"].limit, Some(3));
    let invoice = world.engine.invoices(None, "", 1).unwrap().remove(0);
    assert_eq!(invoice.paid.minor, 1_900);
    world.check();
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn another_downgrade_replaces_the_first(world: World) {
    let mut world = on("pro", world);
    change(&world, &to("growth")).unwrap();
    assert_eq!(change(&world, &to("starter")).unwrap().outcome, "scheduled");
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    world.advance_days(29);
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn an_upgrade_replaces_a_scheduled_downgrade(world: World) {
    let mut world = on("growth", world);
    change(&world, &to("starter")).unwrap();
    world.advance_days(5);
    assert_eq!(change(&world, &to("pro")).unwrap().outcome, "done");
    assert_eq!((world.state("ana").plan.as_str(), pending(&world)), ("pro", None));
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "pro");
    world.check();
}

fn a_scheduled_downgrade_can_be_undone(world: World) {
    let mut world = on("growth", world);
    change(&world, &to("starter")).unwrap();
    assert_eq!(change(&world, &Command::Resume).unwrap().outcome, "done");
    assert_eq!(pending(&world), None);
    change(&world, &to("starter")).unwrap();
    assert_eq!(change(&world, &to("growth")).unwrap().outcome, "done", "back to what it is");
    assert_eq!(pending(&world), None);
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "growth");
    world.check();
}

fn a_cancellation_replaces_a_scheduled_downgrade_and_the_reverse(world: World) {
    let mut world = on("growth", world);
    change(&world, &to("starter")).unwrap();
    change(&world, &Command::Cancel { at_once: false }).unwrap();
    assert_eq!(pending(&world), None);
    assert!(world.state("ana").subscription.unwrap().cancel_at.is_some());
    change(&world, &to("starter")).unwrap();
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    assert_eq!(world.state("ana").subscription.unwrap().cancel_at, None);
    world.advance_days(29);
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn yearly_to_monthly_waits_for_the_end_of_the_year(mut world: World) {
    world.customer("ana");
    let mut purchase = world.plan("ana", "growth");
    purchase.buy = farthing_engine::checkouts::Buy::Plan {
        plan: "growth".to_owned(),
        interval: Interval::Year,
        trial: None,
    };
    world.buy_with(&purchase, world::GOOD_CARD);
    let monthly = Command::Change { plan: "growth".to_owned(), interval: Some(Interval::Month) };
    let changed = change(&world, &monthly).unwrap();
    assert_eq!(changed.effective_at.to_string(), "2028-01-31T10:00:00Z");
    world.advance_days(364);
    assert_eq!(world.state("ana").interval, Some(Interval::Year));
    world.advance_days(3);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.interval), ("growth", Some(Interval::Month)));
    world.check();
}

fn a_downgrade_that_is_not_paid_keeps_the_plan_that_was(world: World) {
    let mut world = on("growth", world);
    change(&world, &to("starter")).unwrap();
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(30);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "past_due"));
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    assert_eq!(world.consume("ana", "chatbots", 4).code, Code::Ok);
    world.change_card("ana", "pm_card_visa");
    world.advance_days(10);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("starter", "good"));
    world.check();
}

fn a_schedule_made_at_the_provider_is_understood(world: World) {
    let mut world = on("growth", world);
    change(&world, &to("starter")).unwrap();
    world.settle();
    let schedules = world.at_provider("GET", "/v1/subscription_schedules", &[]);
    let id = schedules["data"][0]["id"].as_str().unwrap().to_owned();
    world.at_provider("POST", &format!("/v1/subscription_schedules/{id}/release"), &[]);
    world.settle();
    assert_eq!(pending(&world), None, "somebody released it in the dashboard");
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "growth");
    world.check();
}

fn a_killed_process_leaves_a_lock_that_opens_by_asking(world: World) {
    let mut world = on("growth", world);
    world.line.set(|request| {
        let update = request.method == "POST" && request.path.contains("subscription_schedules/");
        if update { world::Fate::AnswerLost } else { world::Fate::Answered }
    });
    let lost = change(&world, &to("starter")).unwrap_err();
    assert!(matches!(lost, EngineError::ProviderUnavailable { .. }), "{lost:?}");
    let second = change(&world, &to("pro")).unwrap_err();
    assert!(matches!(second, EngineError::Refused { code: "change_in_progress", .. }));
    world.line.heal();
    world.advance_to(world.now().plus_seconds(60));
    assert_eq!(pending(&world).as_deref(), Some("starter"), "it was asked, and done once");
    assert_eq!(change(&world, &to("pro")).unwrap().outcome, "done");
    assert_eq!(world.state("ana").plan, "pro");
    world.check();
}
