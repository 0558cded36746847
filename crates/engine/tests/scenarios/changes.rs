//! Plan changes: one at a time, each replacing what was planned before, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farthing_core::access::Code;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::customers::Profile;

use super::{
    CANCEL, RESUME, at_stripe, cancel_at, change, code, done, every, has, in_steps, is, on,
    pending, to,
};
use crate::on_both;
use crate::world::{Fate, World, caller};

on_both!(
    two_clicks_on_an_upgrade_at_once_are_charged_once,
    eight_clicks_at_once_make_one_change,
    a_cancellation_that_is_taken_back_loses_nothing,
    an_upgrade_after_a_cancellation_does_not_end,
    a_second_downgrade_leaves_nothing_of_the_first,
    an_upgrade_leaves_nothing_of_a_scheduled_downgrade,
    a_downgrade_that_is_taken_back_never_happens,
    a_move_to_the_free_plan_with_too_much_in_use_is_refused_with_all_of_it,
    a_move_to_the_free_plan_ends_with_the_period_and_not_before,
    moves_that_make_no_sense_are_refused_without_asking_the_provider,
    another_currency_is_never_taken_while_a_subscription_runs,
    a_change_of_plan_replaces_the_plans_credits_and_keeps_the_rest,
    an_interval_change_is_charged_once_and_moves_the_anchor,
    a_provider_that_is_down_charges_nothing_and_keeps_what_was_bought,
);

/// One click is on its way while the other comes.
fn two_clicks_on_an_upgrade_at_once_are_charged_once(world: World) {
    let mut world = on("starter", world);
    world.advance_days(10);
    let before = world.charged_there().len();
    let (is_held, go) = world.line.hold_next();
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| change(&world, &to("growth")));
        is_held.recv().unwrap();
        let second = change(&world, &to("growth"));
        go.send(()).unwrap();
        (first.join().unwrap(), second)
    });
    assert_eq!(first.unwrap().outcome, "done");
    assert_eq!(code(second.unwrap_err()), "change_in_progress");
    world.settle();
    assert_eq!(world.charged_there().len(), before + 1);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn eight_clicks_at_once_make_one_change(world: World) {
    let mut world = on("starter", world);
    world.advance_days(10);
    let before = world.charged_there().len();
    let outcomes: Vec<String> = std::thread::scope(|scope| {
        let click = || match change(&world, &to("growth")) {
            Ok(changed) => changed.outcome.to_owned(),
            Err(error) => code(error),
        };
        let clicks: Vec<_> = (0..8).map(|_| scope.spawn(click)).collect();
        clicks.into_iter().map(|click| click.join().unwrap()).collect()
    });
    let count = |wanted: &[&str]| {
        outcomes.iter().filter(|outcome| wanted.contains(&outcome.as_str())).count()
    };
    assert_eq!(count(&["done"]), 1, "{outcomes:?}");
    assert_eq!(count(&["change_in_progress", "same_plan"]), 7, "{outcomes:?}");
    world.settle();
    assert_eq!(world.charged_there().len(), before + 1);
    world.prove();
}

fn a_cancellation_that_is_taken_back_loses_nothing(world: World) {
    let mut world = on("growth", world);
    world.consume("ana", "messages", 40);
    let messages = |world: &World| world.state("ana").features["messages"].clone();
    let before = (at_stripe(&world), has(&world), messages(&world));
    assert_eq!(done(&world, &CANCEL), "scheduled");
    assert_eq!(done(&world, &CANCEL), "unchanged");
    assert_eq!(cancel_at(&world).as_deref(), Some("2027-02-28T10:00:00Z"));
    world.advance_days(20);
    assert_eq!(done(&world, &RESUME), "done");
    assert_eq!(code(change(&world, &RESUME).unwrap_err()), "nothing_to_undo");
    world.settle();
    assert_eq!((at_stripe(&world), has(&world), messages(&world)), before);
    world.advance_days(11);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.subscription.unwrap().status), ("growth", "active"));
    assert_eq!(world.charged_there().len(), 2, "the same subscription was renewed");
    world.prove();
}

fn an_upgrade_after_a_cancellation_does_not_end(world: World) {
    let mut world = on("starter", world);
    assert_eq!(done(&world, &CANCEL), "scheduled");
    world.advance_days(3);
    assert_eq!(done(&world, &to("growth")), "done");
    assert_eq!(cancel_at(&world), None);
    world.settle();
    world.prove();
    world.advance_days(31);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_second_downgrade_leaves_nothing_of_the_first(world: World) {
    let mut world = on("pro", world);
    assert_eq!(done(&world, &to("growth")), "scheduled");
    assert_eq!(done(&world, &to("starter")), "scheduled");
    assert_eq!(done(&world, &to("starter")), "unchanged");
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    let active = |world: &World| {
        let schedules = world.all_there("/v1/subscription_schedules");
        schedules.iter().filter(|one| one["status"] == "active").count()
    };
    assert_eq!(active(&world), 1);
    assert_eq!(has(&world), is("pro", 50_500));
    world.advance_days(29);
    assert_eq!(has(&world), is("starter", 2_500));
    world.advance_days(31);
    assert_eq!((has(&world), active(&world)), (is("starter", 2_500), 0));
    world.prove();
}

fn an_upgrade_leaves_nothing_of_a_scheduled_downgrade(world: World) {
    let mut world = on("growth", world);
    assert_eq!(done(&world, &to("starter")), "scheduled");
    world.advance_days(5);
    assert_eq!(done(&world, &to("pro")), "done");
    assert_eq!((has(&world), pending(&world)), (is("pro", 50_500), None));
    world.settle();
    world.prove();
    world.advance_days(31);
    assert_eq!((has(&world), pending(&world)), (is("pro", 50_500), None));
    world.prove();
}

fn a_downgrade_that_is_taken_back_never_happens(world: World) {
    let mut world = on("growth", world);
    for back in [RESUME, to("growth")] {
        assert_eq!(done(&world, &to("starter")), "scheduled");
        world.advance_days(2);
        assert_eq!(done(&world, &back), "done");
        assert_eq!(pending(&world), None);
    }
    world.settle();
    world.prove();
    world.advance_days(31);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_move_to_the_free_plan_with_too_much_in_use_is_refused_with_all_of_it(world: World) {
    let mut world = on("growth", world);
    assert_eq!(world.consume("ana", "chatbots", 5).code, Code::Ok);
    assert_eq!(world.consume("ana", "galleries", 9).code, Code::Ok);
    let EngineError::Refused { code: "over_limit", message, errors } =
        change(&world, &to("free")).unwrap_err()
    else {
        panic!("not refused for what is held");
    };
    assert!(message.starts_with("nothing was changed: "), "{message}");
    let fixes: Vec<&str> = errors.iter().map(|error| error.fix.as_str()).collect();
    let wanted = [
        "delete 4 chatbots before moving to Free (5 used, 1 allowed)",
        "delete 7 galleries before moving to Free (9 used, 2 allowed)",
    ];
    assert_eq!(fixes, wanted);
    assert_eq!((cancel_at(&world), pending(&world)), (None, None));
    world.prove();
    world.release("ana", "chatbots", 4);
    assert_eq!(code(change(&world, &to("free")).unwrap_err()), "over_limit");
    world.release("ana", "galleries", 7);
    assert_eq!(done(&world, &to("free")), "scheduled");
    world.settle();
    world.prove();
}

fn a_move_to_the_free_plan_ends_with_the_period_and_not_before(world: World) {
    let mut world = on("growth", world);
    assert_eq!(done(&world, &to("free")), "scheduled");
    world.advance_to("2027-02-28T09:59:59Z".parse().unwrap());
    assert_eq!(has(&world), is("growth", 10_500));
    world.advance_to("2027-02-28T10:00:00Z".parse().unwrap());
    assert_eq!(has(&world), is("free", 10_500), "what is left stays usable");
    assert_eq!(code(change(&world, &RESUME).unwrap_err()), "no_running_subscription");
    assert_eq!(world.charged_there().len(), 1);
    world.prove();
}

fn moves_that_make_no_sense_are_refused_without_asking_the_provider(mut world: World) {
    world.customer("ana");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    world.line.set(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Fate::Answered
    });
    let buy = |plan: &str| code(world.checkout(&world.plan("ana", plan)).unwrap_err());
    assert_eq!(buy("free"), "same_plan");
    assert_eq!(buy("gold"), "unknown_plan");
    let missing = world.engine.change(&caller(), "sub_none", &to("pro"), None);
    assert_eq!(code(missing.unwrap_err()), "no subscription");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    world.buy("ana", "growth");
    asked.store(0, Ordering::SeqCst);
    let refused = |command| code(change(&world, &command).unwrap_err());
    assert_eq!(refused(to("growth")), "same_plan");
    assert_eq!(refused(to("gold")), "unknown_plan");
    assert_eq!(refused(every(Interval::Day, "growth")), "not_sold");
    assert_eq!(refused(RESUME), "nothing_to_undo");
    let second = world.checkout(&world.plan("ana", "pro")).unwrap_err();
    assert_eq!(code(second), "subscription_exists");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    world.prove();
    world
        .engine
        .change(&caller(), &world.state("ana").subscription.unwrap().id, &CANCEL, None)
        .unwrap();
    world.advance_days(31);
    asked.store(0, Ordering::SeqCst);
    for command in [to("free"), to("pro"), RESUME] {
        let refused = code(change(&world, &command).unwrap_err());
        assert_eq!(refused, "no_running_subscription", "{command:?}");
    }
    assert_eq!(done(&world, &CANCEL), "unchanged");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    world.prove();
}

fn another_currency_is_never_taken_while_a_subscription_runs(world: World) {
    let mut world = on("starter", world);
    let id = "ana".parse().unwrap();
    let euros = Profile {
        email: "ana@example.com".to_owned(),
        currency: Some("EUR".parse().unwrap()),
        ..Profile::default()
    };
    let refused = world.engine.upsert_customer(&caller(), &id, &euros).unwrap_err();
    assert_eq!(code(refused), "currency_change");
    let mut in_euros = world.plan("ana", "growth");
    in_euros.currency = euros.currency;
    assert_eq!(code(world.checkout(&in_euros).unwrap_err()), "subscription_exists");
    assert_eq!(done(&world, &to("growth")), "done");
    world.settle();
    assert_eq!(world.state("ana").currency, Some("USD".parse().unwrap()));
    let charges = world.all_there("/v1/charges");
    assert!(charges.iter().all(|charge| charge["currency"] == "usd"));
    world.prove();
    assert_eq!(done(&world, &farthing_core::change::Command::Cancel { at_once: true }), "done");
    world.engine.upsert_customer(&caller(), &id, &euros).unwrap();
    world.prove();
}

fn a_change_of_plan_replaces_the_plans_credits_and_keeps_the_rest(world: World) {
    let mut world = on("starter", world);
    world.buy_with(&world.pack("ana", "ai_500"), crate::world::GOOD_CARD);
    world.consume("ana", "ai", 1_900);
    assert_eq!(has(&world), is("starter", 100 + 500 + 500));
    world.advance_days(4);
    assert_eq!(done(&world, &to("growth")), "done");
    world.settle();
    assert_eq!(has(&world), is("growth", 10_000 + 500 + 500));
    world.consume("ana", "ai", 9_990);
    assert_eq!(done(&world, &to("starter")), "scheduled");
    assert_eq!(has(&world), is("growth", 10 + 500 + 500), "a downgrade waits");
    world.advance_days(26);
    assert_eq!(has(&world), is("starter", 2_000 + 500 + 500));
    world.prove();
}

fn an_interval_change_is_charged_once_and_moves_the_anchor(world: World) {
    let mut world = on("growth", world);
    world.advance_days(10);
    assert_eq!(done(&world, &every(Interval::Year, "growth")), "done");
    world.settle();
    let period = world.state("ana").subscription.unwrap().period;
    let bounds = (period.start.to_string(), period.end.to_string());
    assert_eq!(bounds, ("2027-02-10T10:00:00Z".into(), "2028-02-10T10:00:00Z".into()));
    assert_eq!((has(&world), world.charged_there().len()), (is("growth", 10_500), 2));
    world.prove();
    assert_eq!(done(&world, &every(Interval::Month, "growth")), "scheduled");
    in_steps(&mut world, "2028-02-11T10:00:00Z".parse().unwrap(), 30);
    assert_eq!(world.state("ana").interval, Some(Interval::Month));
    world.prove();
}

fn a_provider_that_is_down_charges_nothing_and_keeps_what_was_bought(world: World) {
    let mut world = on("starter", world);
    let before = world.charged_there();
    world.line.set(|_| Fate::NotSent);
    for command in [to("growth"), to("growth"), CANCEL] {
        let error = change(&world, &command).unwrap_err();
        let in_progress = matches!(error, EngineError::Refused { code: "change_in_progress", .. });
        let away = matches!(error, EngineError::ProviderUnavailable { .. });
        assert!(away || in_progress, "{error:?}");
    }
    assert_eq!(world.charged_there(), before);
    assert_eq!(has(&world), is("starter", 2_500));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok, "nobody has to ask");
    world.line.heal();
    world.advance_days(1);
    assert_eq!(has(&world), is("growth", 10_500), "the first one was wanted");
    assert_eq!(world.charged_there().len(), before.len() + 1);
    world.prove();
}
