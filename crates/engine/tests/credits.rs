//! Credits, from the grant to the last one spent, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::sync::atomic::{AtomicI64, Ordering};

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_core::entitlement::AMOUNT_MAX;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_engine::customers::Profile;
use farthing_engine::{EngineError, access::Want};
use farthing_store::credits as rows;

use world::{GOOD_CARD, World, caller};

on_both!(
    the_plans_credits_go_first_then_packs_then_the_signup_gift,
    an_operation_costs_what_the_catalog_says,
    an_operation_without_a_cost_spends_nothing,
    an_amount_that_cannot_be_right_spends_nothing,
    more_than_there_is_spends_nothing,
    credits_end_at_their_instant_and_not_before,
    expired_credits_are_ended_without_being_asked_for,
    the_last_credits_are_spent_once_by_eight_at_a_time,
    packs_bought_at_the_same_moment_all_count_while_others_spend,
    a_customer_made_by_eight_at_once_gets_the_signup_gift_once,
    another_plan_ends_what_is_left_of_the_old_plans_credits,
    a_page_that_eight_tabs_come_back_from_is_completed_once,
    a_rollover_keeps_no_more_than_its_cap,
    paused_spending_spends_nothing,
);

/// Packs for everybody that last a day.
fn short_packs() -> String {
    let source = SAMPLE.replace("expires = \"12 months\"", "expires = \"1 day\"");
    source.replace("plans = [\"starter\", \"growth\", \"pro\"]", "")
}

fn left(world: &World, id: &str) -> Vec<(&'static str, i64)> {
    let grants = &world.state(id).credits["ai"].grants;
    grants.iter().map(|grant| (grant.source, grant.remaining)).collect()
}

fn spend(world: &World, id: &str, amount: i64) -> Code {
    world.consume(id, "ai", amount).code
}

fn operation(world: &World, operation: &str, amount: i64) -> Want {
    Want { operation: Some(operation.to_owned()), ..world.want("ana", "ai", amount) }
}

fn invalid_code(error: EngineError) -> &'static str {
    match error {
        EngineError::Invalid(errors) => errors[0].code,
        other => panic!("not invalid: {other:?}"),
    }
}

fn the_plans_credits_go_first_then_packs_then_the_signup_gift(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    assert_eq!(left(&world, "ana"), [("signup", 500), ("plan", 10_000), ("pack", 500)]);
    assert_eq!(spend(&world, "ana", 9_990), Code::Ok);
    assert_eq!(left(&world, "ana"), [("signup", 500), ("plan", 10), ("pack", 500)]);
    assert_eq!(spend(&world, "ana", 20), Code::Ok);
    assert_eq!(left(&world, "ana"), [("signup", 500), ("pack", 490)]);
    assert_eq!(spend(&world, "ana", 495), Code::Ok);
    assert_eq!(left(&world, "ana"), [("signup", 495)]);
    assert_eq!(spend(&world, "ana", 495), Code::Ok);
    assert_eq!(left(&world, "ana"), []);
    assert_eq!(spend(&world, "ana", 1), Code::CreditsEmpty);
    world.check();
}

fn an_operation_costs_what_the_catalog_says(world: World) {
    world.customer("ana");
    let image = operation(&world, "image", 3);
    assert_eq!(world.engine.check(&image).unwrap().remaining, Some(500));
    assert_eq!(world.engine.consume(&caller(), &image).unwrap().remaining, Some(485));
    let text = operation(&world, "text", 4);
    assert_eq!(world.engine.consume(&caller(), &text).unwrap().remaining, Some(481));
    let too_many = operation(&world, "image", 97);
    assert_eq!(world.engine.check(&too_many).unwrap().code, Code::CreditsEmpty);
    assert_eq!(world.engine.consume(&caller(), &too_many).unwrap().code, Code::CreditsEmpty);
    assert_eq!(left(&world, "ana"), [("signup", 481)]);
    world.check();
}

fn an_operation_without_a_cost_spends_nothing(world: World) {
    world.customer("ana");
    let video = operation(&world, "video", 1);
    for error in [world.engine.check(&video), world.engine.consume(&caller(), &video)] {
        assert_eq!(invalid_code(error.unwrap_err()), "unknown_operation");
    }
    assert_eq!(left(&world, "ana"), [("signup", 500)]);
}

fn an_amount_that_cannot_be_right_spends_nothing(world: World) {
    world.customer("ana");
    for amount in [0, -1, i64::MIN, AMOUNT_MAX + 1, i64::MAX] {
        let want = world.want("ana", "ai", amount);
        for error in [world.engine.check(&want), world.engine.consume(&caller(), &want)] {
            assert_eq!(invalid_code(error.unwrap_err()), "invalid_amount", "{amount}");
        }
    }
    let dear = operation(&world, "image", AMOUNT_MAX);
    let error = world.engine.consume(&caller(), &dear).unwrap_err();
    assert_eq!(invalid_code(error), "invalid_amount", "its cost is beyond what one call may take");
    assert_eq!(left(&world, "ana"), [("signup", 500)]);
}

fn more_than_there_is_spends_nothing(world: World) {
    world.customer("ana");
    for amount in [501, AMOUNT_MAX] {
        let refused = world.consume("ana", "ai", amount);
        assert_eq!((refused.code, refused.remaining), (Code::CreditsEmpty, Some(500)));
    }
    assert_eq!(spend(&world, "ana", 500), Code::Ok);
    world.check();
}

fn buy_short_pack(world: &mut World) -> Timestamp {
    world.apply(&short_packs());
    world.customer("ana");
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    assert_eq!(left(world, "ana"), [("signup", 500), ("pack", 500)]);
    world.state("ana").credits["ai"].grants[1].expires_at.unwrap()
}

fn credits_end_at_their_instant_and_not_before(mut world: World) {
    let end = buy_short_pack(&mut world);
    world.clock.set(Timestamp::from_micros(end.micros() - 1).unwrap());
    assert_eq!(world.engine.check(&world.want("ana", "ai", 1_000)).unwrap().code, Code::Ok);
    assert_eq!(spend(&world, "ana", 1), Code::Ok);
    assert_eq!(left(&world, "ana"), [("signup", 500), ("pack", 499)]);
    world.clock.set(end);
    assert_eq!(world.state("ana").credits["ai"].balance, 500);
    let too_late = world.want("ana", "ai", 501);
    assert_eq!(world.engine.check(&too_late).unwrap().code, Code::CreditsEmpty);
    assert_eq!(spend(&world, "ana", 501), Code::CreditsEmpty);
    assert_eq!(spend(&world, "ana", 1), Code::Ok);
    assert_eq!(left(&world, "ana"), [("signup", 499)]);
    let ana: CustomerId = "ana".parse().unwrap();
    let newest = world.by_hand(move |tx| rows::entries(tx, &ana, "ai", i64::MAX, 3));
    let reasons: Vec<&str> = newest.iter().map(|entry| entry.reason.as_str()).collect();
    assert_eq!(reasons, ["spend", "spend", "expire"], "what ended is written down first");
    world.check();
    world.drain();
    assert_eq!(left(&world, "ana"), [("signup", 499)]);
    world.check();
}

fn expired_credits_are_ended_without_being_asked_for(mut world: World) {
    let end = buy_short_pack(&mut world);
    world.advance_to(end);
    let ana: CustomerId = "ana".parse().unwrap();
    let account = world.by_hand(move |tx| rows::lock(tx, &ana, "ai")).unwrap();
    assert_eq!(account.available, 500);
    let ana: CustomerId = "ana".parse().unwrap();
    let newest = world.by_hand(move |tx| rows::entries(tx, &ana, "ai", i64::MAX, 1)).remove(0);
    assert_eq!((newest.reason.as_str(), newest.amount, newest.recorded_at), ("expire", -500, end));
    world.check();
}

fn the_last_credits_are_spent_once_by_eight_at_a_time(world: World) {
    world.customer("ana");
    assert_eq!(spend(&world, "ana", 480), Code::Ok);
    let spent = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..2 {
                    match spend(&world, "ana", 3) {
                        Code::Ok => spent.fetch_add(3, Ordering::SeqCst),
                        Code::CreditsEmpty => 0,
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
    });
    assert_eq!(spent.into_inner(), 18);
    assert_eq!(left(&world, "ana"), [("signup", 2)]);
    world.check();
}

fn packs_bought_at_the_same_moment_all_count_while_others_spend(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    for _ in 0..4 {
        let checkout = world.checkout(&world.pack("ana", "ai_500")).unwrap();
        assert_eq!(world.pay(&checkout, GOOD_CARD), 303);
    }
    let deliveries = world.take_deliveries();
    std::thread::scope(|scope| {
        let world = &world;
        for part in deliveries.chunks(deliveries.len().div_ceil(4)) {
            scope.spawn(move || {
                for delivery in part {
                    world.receive(delivery);
                    world.engine.run_due().unwrap();
                }
            });
        }
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| assert_eq!(spend(world, "ana", 7), Code::Ok)));
        }
    });
    world.settle();
    assert_eq!(world.state("ana").credits["ai"].balance, 500 + 10_000 + 4 * 500 - 280);
    assert_eq!(completed(&world), 5, "each was told once");
    world.check();
}

fn a_customer_made_by_eight_at_once_gets_the_signup_gift_once(world: World) {
    let profile = Profile { email: "ana@example.com".to_owned(), ..Profile::default() };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let made =
                    world.engine.upsert_customer(&caller(), &"ana".parse().unwrap(), &profile);
                if let Err(error) = made {
                    let busy =
                        matches!(error, EngineError::Refused { code: "change_in_progress", .. });
                    assert!(busy, "{error:?}");
                }
            });
        }
    });
    assert_eq!(left(&world, "ana"), [("signup", 500)]);
    world.check();
    world.engine.delete_customer(&caller(), &"ana".parse().unwrap()).unwrap();
    world.customer("ana");
    assert_eq!(left(&world, "ana"), [], "nor again after being forgotten");
    world.check();
}

fn another_plan_ends_what_is_left_of_the_old_plans_credits(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let subs = world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", subs["data"][0]["id"].as_str().unwrap());
    world.at_provider("DELETE", &path, &[]);
    world.settle();
    assert_eq!(left(&world, "ana"), [("signup", 500), ("plan", 10_000)], "kept, says the catalog");
    world.buy("ana", "starter");
    assert_eq!(left(&world, "ana"), [("signup", 500), ("plan", 2_000)]);
    world.check();
}

fn a_page_that_eight_tabs_come_back_from_is_completed_once(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    for round in 1..=5 {
        let checkout = world.checkout(&world.pack("ana", "ai_500")).unwrap();
        assert_eq!(world.pay(&checkout, GOOD_CARD), 303);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let seen = world.engine.refresh_checkout(&checkout.id).unwrap();
                    assert_eq!(seen.status, "settled");
                });
            }
        });
        world.settle();
        assert_eq!(world.state("ana").credits["ai"].balance, 10_500 + 500 * round);
        assert_eq!(completed(&world), 1 + usize::try_from(round).unwrap(), "told once each");
    }
    world.check();
}

fn completed(world: &World) -> usize {
    let timeline = world.engine.timeline(&"ana".parse().unwrap(), None, 100).unwrap();
    timeline.iter().filter(|entry| entry.action == "checkout.completed").count()
}

fn a_rollover_keeps_no_more_than_its_cap(mut world: World) {
    let growth = "credits.ai = { amount = 10_000, every = \"month\", on_renewal = \"reset\" }";
    assert!(SAMPLE.contains(growth));
    let rolled = growth.replace("\"reset\"", "{ rollover = 4_000 }");
    world.apply(&SAMPLE.replace(growth, &rolled));
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(spend(&world, "ana", 7_000), Code::Ok);
    world.advance_days(31);
    assert_eq!(left(&world, "ana"), [("signup", 500), ("plan", 3_000), ("plan", 10_000)]);
    assert_eq!(spend(&world, "ana", 1), Code::Ok);
    world.advance_days(31);
    let plans: i64 = left(&world, "ana")[1..].iter().map(|(_, n)| n).sum();
    assert_eq!(plans, 14_000);
    world.check();
}

fn paused_spending_spends_nothing(world: World) {
    world.customer("ana");
    world.by_hand(|tx| tx.execute("UPDATE credit_accounts SET paused = 1", &[]));
    assert_eq!(spend(&world, "ana", 1), Code::SpendingPaused);
    let sql = "UPDATE credit_accounts SET paused = 0, debt = 3";
    world.by_hand(move |tx| tx.execute(sql, &[]));
    assert_eq!(spend(&world, "ana", 1), Code::SpendingPaused, "while something is owed");
    assert_eq!(left(&world, "ana"), [("signup", 500)]);
}
