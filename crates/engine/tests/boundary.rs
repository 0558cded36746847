//! A move down while more is held than the lower plan allows, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_core::change::Command;
use farthing_engine::EngineError;
use farthing_engine::overrides::NewOverride;
use farthing_engine::state::TimelineEntry;

use world::{World, caller};

on_both!(
    what_is_taken_after_the_request_blocks_the_downgrade_before_it_happens,
    a_blocked_downgrade_can_be_asked_for_again,
    giving_back_in_time_lets_the_downgrade_happen,
    what_is_taken_in_the_last_minute_is_kept_and_frozen,
    a_lost_answer_does_not_lose_the_block,
    freezing_keeps_everything_and_lets_nothing_be_added,
    grace_keeps_the_old_limits_until_its_end_and_not_longer,
    grace_is_not_made_longer_by_falling_twice,
    going_back_up_ends_the_grace,
    a_cancellation_is_never_blocked_and_takes_nothing_away,
    an_unpaid_trial_leaves_no_grace,
    an_exception_makes_room,
    a_customer_above_a_better_plan_may_still_buy_it_where_nothing_blocks,
);

const CANCEL: Command = Command::Cancel { at_once: false };

fn to(plan: &str) -> Command {
    Command::Change { plan: plan.to_owned(), interval: None }
}

fn change(world: &World, command: &Command) -> Result<&'static str, EngineError> {
    let sub = world.state("ana").subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None).map(|changed| changed.outcome)
}

/// On growth until 28 February 10:00, under a catalog that says `policy`, with five chatbots held.
fn holding_five(mut world: World, policy: &str) -> World {
    world.apply(&SAMPLE.replace("over_limit = \"block\"", &format!("over_limit = {policy}")));
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "chatbots", 3).code, Code::Ok);
    world
}

fn at(world: &mut World, text: &str) {
    world.advance_to(text.parse().unwrap());
}

fn said(world: &World, action: &str) -> Vec<TimelineEntry> {
    let all = world.engine.timeline(&"ana".parse().unwrap(), None, 200).unwrap();
    all.into_iter().filter(|entry| entry.action == action).collect()
}

/// Limit, used and frozen chatbots.
fn chatbots(world: &World) -> (Option<i64>, i64, i64) {
    let state = world.state("ana");
    let feature = &state.features["chatbots"];
    (feature.limit, feature.used, feature.frozen)
}

fn what_is_taken_after_the_request_blocks_the_downgrade_before_it_happens(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &to("starter")).unwrap();
    world.consume("ana", "chatbots", 2);
    world.consume("ana", "galleries", 11);
    at(&mut world, "2027-02-28T08:59:59Z");
    let pending = world.state("ana").subscription.unwrap().pending_change.unwrap();
    let sentences = [
        "delete 2 chatbots before moving to Starter (5 used, 3 allowed)",
        "delete 1 gallery before moving to Starter (11 used, 10 allowed)",
    ];
    assert_eq!(pending.blocked_by, sentences, "there is time to make room");
    at(&mut world, "2027-02-28T09:00:00Z");
    let state = world.state("ana");
    assert_eq!(state.subscription.unwrap().pending_change, None);
    let told = said(&world, "subscription.change_blocked");
    assert_eq!(told.len(), 1);
    let to = told[0].to.clone().unwrap();
    let over = to["blocked_by"].as_array().unwrap();
    let messages: Vec<&str> = over.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!((messages.as_slice(), to["to_plan"].as_str()), (&sentences[..], Some("starter")));
    world.advance_days(2);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "good"));
    let paid = world.engine.invoices(None, "", 1).unwrap().remove(0);
    assert_eq!(paid.paid.minor, 6_900, "the plan that stays is the one that is charged");
    assert_eq!(said(&world, "subscription.change_blocked").len(), 1);
    world.check();
}

fn a_blocked_downgrade_can_be_asked_for_again(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &to("starter")).unwrap();
    world.consume("ana", "chatbots", 1);
    world.advance_days(30);
    let refused = change(&world, &to("starter")).unwrap_err();
    assert!(matches!(refused, EngineError::Refused { code: "over_limit", .. }), "{refused:?}");
    world.release("ana", "chatbots", 1);
    assert_eq!(change(&world, &to("starter")).unwrap(), "scheduled");
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn giving_back_in_time_lets_the_downgrade_happen(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &to("starter")).unwrap();
    world.consume("ana", "chatbots", 2);
    world.advance_days(10);
    world.release("ana", "chatbots", 2);
    at(&mut world, "2027-03-01T00:00:00Z");
    assert_eq!(world.state("ana").plan, "starter");
    assert!(said(&world, "subscription.change_blocked").is_empty());
    world.check();
}

fn what_is_taken_in_the_last_minute_is_kept_and_frozen(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &to("starter")).unwrap();
    at(&mut world, "2027-02-28T09:59:30Z");
    world.consume("ana", "chatbots", 2);
    at(&mut world, "2027-03-01T00:00:00Z");
    assert_eq!(world.state("ana").plan, "starter", "the provider had switched already");
    assert_eq!(chatbots(&world), (Some(3), 5, 2));
    let told = said(&world, "subscription.changed")[0].to.clone().unwrap();
    assert_eq!(told["frozen"]["chatbots"], 2);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    assert_eq!(world.release("ana", "chatbots", 3).used, 2);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    world.check();
}

fn a_lost_answer_does_not_lose_the_block(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &to("starter")).unwrap();
    world.consume("ana", "chatbots", 2);
    world.line.lose_answer(0);
    at(&mut world, "2027-02-28T09:30:00Z");
    assert_eq!(world.state("ana").subscription.unwrap().pending_change, None);
    assert_eq!(said(&world, "subscription.change_blocked").len(), 1);
    world.check();
}

fn freezing_keeps_everything_and_lets_nothing_be_added(world: World) {
    let mut world = holding_five(world, "\"freeze_newest\"");
    world.consume("ana", "chatbots", 2);
    assert_eq!(change(&world, &to("starter")).unwrap(), "scheduled");
    let pending = world.state("ana").subscription.unwrap().pending_change.unwrap();
    assert!(pending.blocked_by.is_empty());
    at(&mut world, "2027-03-01T00:00:00Z");
    assert_eq!(world.state("ana").plan, "starter");
    assert_eq!(chatbots(&world), (Some(3), 5, 2));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    world.release("ana", "chatbots", 2);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached, "exactly full");
    world.release("ana", "chatbots", 1);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    world.check();
}

const GRACE: &str = "{ grace = \"30 days\" }";

fn grace_keeps_the_old_limits_until_its_end_and_not_longer(world: World) {
    let mut world = holding_five(world, GRACE);
    world.consume("ana", "chatbots", 2);
    change(&world, &to("starter")).unwrap();
    at(&mut world, "2027-03-01T00:00:00Z");
    let state = world.state("ana");
    assert_eq!(state.plan, "starter");
    assert_eq!(chatbots(&world), (Some(10), 5, 0), "what growth allowed");
    let until = state.features["chatbots"].grace_until.unwrap();
    assert_eq!(until.to_string(), "2027-03-30T11:00:00Z", "30 days after the change was paid");
    assert_eq!(state.features["galleries"].limit, Some(10), "nothing of it was held too much");
    assert_eq!(state.features["galleries"].grace_until, None);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    world.check();
    world.advance_to(until.plus_seconds(-1));
    assert_eq!(chatbots(&world), (Some(10), 6, 0));
    world.advance_to(until);
    assert_eq!(chatbots(&world), (Some(3), 6, 3));
    assert_eq!(world.state("ana").features["chatbots"].grace_until, None);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    let told = said(&world, "subscription.grace_ended");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to.clone().unwrap()["frozen"]["chatbots"], 3);
    world.check();
}

fn grace_is_not_made_longer_by_falling_twice(world: World) {
    let mut world = holding_five(world, GRACE);
    world.consume("ana", "chatbots", 2);
    change(&world, &to("starter")).unwrap();
    at(&mut world, "2027-03-01T00:00:00Z");
    let until = world.state("ana").features["chatbots"].grace_until;
    world.advance_days(5);
    change(&world, &Command::Cancel { at_once: true }).unwrap();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.features["chatbots"].grace_until), ("free", until));
    assert_eq!(chatbots(&world), (Some(10), 5, 0));
    world.check();
}

fn going_back_up_ends_the_grace(world: World) {
    let mut world = holding_five(world, GRACE);
    world.consume("ana", "chatbots", 2);
    change(&world, &to("starter")).unwrap();
    at(&mut world, "2027-03-01T00:00:00Z");
    assert_eq!(change(&world, &to("growth")).unwrap(), "done");
    assert_eq!(world.state("ana").features["chatbots"].grace_until, None);
    world.advance_days(31);
    assert_eq!(chatbots(&world), (Some(10), 5, 0));
    assert!(said(&world, "subscription.grace_ended").is_empty());
    world.check();
}

fn a_cancellation_is_never_blocked_and_takes_nothing_away(world: World) {
    let mut world = holding_five(world, "\"block\"");
    change(&world, &CANCEL).unwrap();
    at(&mut world, "2027-03-01T00:00:00Z");
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), chatbots(&world)), ("free", (Some(1), 3, 2)));
    let told = said(&world, "subscription.ended")[0].to.clone().unwrap();
    assert_eq!(told["frozen"]["chatbots"], 2);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    world.check();
}

fn an_unpaid_trial_leaves_no_grace(mut world: World) {
    world.apply(&SAMPLE.replace("over_limit = \"block\"", &format!("over_limit = {GRACE}")));
    world.customer("ana");
    let mut purchase = world.plan("ana", "starter");
    purchase.buy = farthing_engine::checkouts::Buy::Plan {
        plan: "starter".to_owned(),
        interval: farthing_core::time::Interval::Month,
        trial: Some(true),
    };
    world.buy_with(&purchase, world::GOOD_CARD);
    world.consume("ana", "chatbots", 3);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(8);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(chatbots(&world), (Some(1), 3, 2), "nothing was paid for");
    world.check();
}

fn an_exception_makes_room(world: World) {
    let mut world = holding_five(world, "\"block\"");
    world.consume("ana", "chatbots", 2);
    let new = NewOverride {
        limit: farthing_core::catalog::Limit::Amount(5),
        reason: "promised".to_owned(),
        expires_at: None,
    };
    let ana = "ana".parse().unwrap();
    world.engine.put_override(&caller(), &ana, "chatbots", &new).unwrap();
    assert_eq!(change(&world, &to("starter")).unwrap(), "scheduled");
    at(&mut world, "2027-03-01T00:00:00Z");
    assert_eq!(world.state("ana").plan, "starter");
    assert_eq!(chatbots(&world), (Some(5), 5, 0));
    assert_eq!(world.state("ana").features["chatbots"].source, Some("override"));
    world.check();
}

fn a_customer_above_a_better_plan_may_still_buy_it_where_nothing_blocks(world: World) {
    let mut world = holding_five(world, "\"freeze_newest\"");
    world.consume("ana", "chatbots", 2);
    change(&world, &Command::Cancel { at_once: true }).unwrap();
    assert_eq!(chatbots(&world), (Some(1), 5, 4));
    world.buy("ana", "starter");
    assert_eq!((world.state("ana").plan.as_str(), chatbots(&world)), ("starter", (Some(3), 5, 2)));
    world.check();
}
