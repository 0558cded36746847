//! Changing a running subscription, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::change::Command;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::changes::Changed;

use world::{GOOD_CARD, World, caller};

on_both!(
    an_upgrade_charges_exactly_what_the_preview_showed,
    a_preview_that_no_longer_holds_charges_nothing,
    an_upgrade_that_is_not_paid_grants_nothing,
    monthly_to_yearly_of_the_same_plan_is_charged_at_once,
    a_cancellation_can_be_undone_until_the_end,
    a_cancellation_takes_effect_at_the_end_and_not_before,
    canceling_at_once_ends_at_once,
    an_upgrade_after_a_cancellation_keeps_running,
    moving_to_the_free_plan_with_too_much_in_use_is_refused,
    what_cannot_be_done_is_refused_with_a_code,
);

fn to(plan: &str) -> Command {
    Command::Change { plan: plan.to_owned(), interval: None }
}

const CANCEL: Command = Command::Cancel { at_once: false };

fn subscription(world: &World, id: &str) -> String {
    world.state(id).subscription.unwrap().id
}

fn change(world: &World, id: &str, command: &Command) -> Result<Changed, EngineError> {
    world.engine.change(&caller(), &subscription(world, id), command, None)
}

fn code(refused: EngineError) -> &'static str {
    match refused {
        EngineError::Refused { code, .. } => code,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// What was paid in all, in minor units.
fn paid(world: &World, id: &str) -> i64 {
    let customer = id.parse().unwrap();
    let invoices = world.engine.invoices(Some(&customer), "", 100).unwrap();
    invoices.iter().map(|invoice| invoice.paid.minor).sum()
}

fn an_upgrade_charges_exactly_what_the_preview_showed(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    world.consume("ana", "messages", 2_000);
    world.advance_days(10);
    let sub = subscription(&world, "ana");
    let shown = world.engine.preview_change(&sub, &to("growth")).unwrap();
    assert!(0 < shown.due_now.minor && shown.due_now.minor < 6_900, "{shown:?}");
    let lines: i64 = shown.lines.iter().map(|line| line.amount.minor).sum();
    assert_eq!(lines, shown.due_now.minor);
    world.clock.set(world.now().plus_seconds(300));
    let before = paid(&world, "ana");
    let token = shown.preview_token.as_deref();
    let changed = world.engine.change(&caller(), &sub, &to("growth"), token).unwrap();
    assert_eq!(changed.outcome, "done");
    assert_eq!(paid(&world, "ana") - before, shown.due_now.minor);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
    assert_eq!(
        (state.features["messages"].used, state.features["messages"].limit),
        (0, Some(10_000))
    );
    assert_eq!(state.subscription.unwrap().period.start.to_string(), "2027-01-31T10:00:00Z");
    world.check();
    world.advance_days(31);
    assert_eq!(world.state("ana").credits["ai"].balance, 10_500);
    world.check();
}

fn a_preview_that_no_longer_holds_charges_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    world.advance_days(5);
    let sub = subscription(&world, "ana");
    let shown = world.engine.preview_change(&sub, &to("growth")).unwrap();
    let token = shown.preview_token.unwrap();
    let before = paid(&world, "ana");
    let call = |command: &Command, token: &str| {
        code(world.engine.change(&caller(), &sub, command, Some(token)).unwrap_err())
    };
    assert_eq!(call(&to("pro"), &token), "preview_changed");
    assert_eq!(call(&to("growth"), "prv_unknown"), "preview_changed");
    world.clock.set(world.now().plus_seconds(16 * 60));
    assert_eq!(call(&to("growth"), &token), "preview_changed");
    assert_eq!((world.state("ana").plan.as_str(), paid(&world, "ana")), ("starter", before));
}

fn an_upgrade_that_is_not_paid_grants_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    world.advance_days(5);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    let changed = change(&world, "ana", &to("growth")).unwrap();
    assert_eq!(changed.outcome, "payment_pending");
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("starter", 2_500));
    assert_eq!(state.features["chatbots"].limit, Some(3));
    world.check();
    world.change_card("ana", "pm_card_visa");
    assert_eq!(change(&world, "ana", &to("pro")).unwrap().outcome, "done");
    world.settle();
    assert_eq!(world.state("ana").plan, "pro");
    world.advance_days(3);
    assert_eq!((world.state("ana").plan.as_str(), world.state("ana").standing), ("pro", "good"));
    world.check();
}

fn monthly_to_yearly_of_the_same_plan_is_charged_at_once(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.advance_days(10);
    let yearly = Command::Change { plan: "growth".to_owned(), interval: Some(Interval::Year) };
    assert_eq!(change(&world, "ana", &yearly).unwrap().outcome, "done");
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.interval), ("growth", Some(Interval::Year)));
    let period = state.subscription.unwrap().period;
    assert_eq!(period.start.to_string(), "2027-02-10T10:00:00Z");
    assert_eq!(period.end.to_string(), "2028-02-10T10:00:00Z");
    assert!(60_000 < paid(&world, "ana"));
    world.check();
}

fn a_cancellation_can_be_undone_until_the_end(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(change(&world, "ana", &CANCEL).unwrap().outcome, "scheduled");
    assert!(world.state("ana").subscription.unwrap().cancel_at.is_some());
    assert_eq!(change(&world, "ana", &CANCEL).unwrap().outcome, "unchanged");
    assert_eq!(change(&world, "ana", &Command::Resume).unwrap().outcome, "done");
    assert_eq!(world.state("ana").subscription.unwrap().cancel_at, None);
    assert_eq!(code(change(&world, "ana", &Command::Resume).unwrap_err()), "nothing_to_undo");
    world.advance_days(31);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.subscription.unwrap().status), ("growth", "active"));
    world.check();
}

fn a_cancellation_takes_effect_at_the_end_and_not_before(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    change(&world, "ana", &CANCEL).unwrap();
    world.advance_to("2027-02-28T09:59:59Z".parse().unwrap());
    assert_eq!(world.state("ana").plan, "growth");
    world.advance_days(1);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(
        code(change(&world, "ana", &Command::Resume).unwrap_err()),
        "no_running_subscription"
    );
    world.check();
}

fn canceling_at_once_ends_at_once(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let now = Command::Cancel { at_once: true };
    assert_eq!(change(&world, "ana", &now).unwrap().outcome, "done");
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(change(&world, "ana", &now).unwrap().outcome, "unchanged");
    world.buy_with(&world.plan("ana", "pro"), GOOD_CARD);
    assert_eq!(world.state("ana").plan, "pro");
    world.check();
}

fn an_upgrade_after_a_cancellation_keeps_running(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    change(&world, "ana", &CANCEL).unwrap();
    world.advance_days(3);
    assert_eq!(change(&world, "ana", &to("growth")).unwrap().outcome, "done");
    let sub = world.state("ana").subscription.unwrap();
    assert_eq!((sub.cancel_at, sub.status), (None, "active"));
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "growth");
    world.check();
}

fn moving_to_the_free_plan_with_too_much_in_use_is_refused(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "chatbots", 5).code, Code::Ok);
    assert_eq!(world.consume("ana", "galleries", 9).code, Code::Ok);
    let refused = change(&world, "ana", &to("free")).unwrap_err();
    let EngineError::Refused { code: "over_limit", errors, .. } = refused else {
        panic!("not refused: {refused:?}");
    };
    let fixes: Vec<&str> = errors.iter().map(|error| error.fix.as_str()).collect();
    assert_eq!(
        fixes,
        [
            "delete 4 chatbots before moving to Free (5 used, 1 allowed)",
            "delete 7 galleries before moving to Free (9 used, 2 allowed)"
        ]
    );
    let shown = world.engine.preview_change(&subscription(&world, "ana"), &to("free")).unwrap();
    assert_eq!((shown.blocked_by.len(), shown.preview_token), (2, None));
    world.release("ana", "chatbots", 4);
    world.release("ana", "galleries", 7);
    assert_eq!(change(&world, "ana", &to("free")).unwrap().outcome, "scheduled");
    world.advance_days(31);
    assert_eq!(world.state("ana").plan, "free");
    world.check();
}

fn what_cannot_be_done_is_refused_with_a_code(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let refusals: Vec<&str> = [to("growth"), to("gold"), Command::Resume]
        .iter()
        .map(|command| code(change(&world, "ana", command).unwrap_err()))
        .collect();
    assert_eq!(refusals, ["same_plan", "unknown_plan", "nothing_to_undo"]);
    let missing = world.engine.change(&caller(), "sub_none", &to("pro"), None).unwrap_err();
    assert!(matches!(missing, EngineError::NotFound { .. }));
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(30);
    assert_eq!(code(change(&world, "ana", &to("pro")).unwrap_err()), "past_due");
    world.check();
}
