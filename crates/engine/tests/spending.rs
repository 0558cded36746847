//! Credits by hand, and spending that is paused when credits look wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_core::ids::CustomerId;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_engine::checkouts::Buy;
use farthing_engine::spending::Adjustment;
use farthing_store::{alerts, params};

use world::{GOOD_CARD, World, caller};

on_both!(
    too_many_credits_of_a_plan_pause_spending_where_the_catalog_wants_that,
    too_many_credits_alert_and_pause_nothing_where_it_does_not,
    ordinary_changes_and_late_payments_are_no_anomaly,
    what_is_given_by_hand_pays_what_is_owed_first,
    what_is_taken_by_hand_is_never_more_than_there_is,
    a_debt_above_the_balance_alerts_until_it_is_paid,
);

fn pausing() -> String {
    SAMPLE.replace("pause_spending = false", "pause_spending = true")
}

fn kinds(world: &World) -> Vec<String> {
    let open = world.by_hand(|tx| alerts::list_open(tx, 100));
    open.into_iter().map(|alert| alert.kind).collect()
}

fn ana() -> CustomerId {
    "ana".parse().unwrap()
}

fn credits(world: &World) -> (i64, i64) {
    let state = &world.state("ana").credits["ai"];
    (state.balance, state.debt)
}

fn adjust(world: &World, amount: i64) -> Result<(i64, i64), EngineError> {
    let reason = "after a call".to_owned();
    let adjustment = Adjustment { credit: "ai".to_owned(), amount, reason, expires_at: None };
    world.engine.adjust_credits(&caller(), &ana(), &adjustment)?;
    Ok(credits(world))
}

/// Growth is granted again in the same period, as a bug or a trick would.
fn granted_twice(world: &mut World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(kinds(world).len(), 0);
    assert_eq!(world.consume("ana", "ai", 8_000).code, Code::Ok);
    world.by_hand(|tx| {
        let sql = "UPDATE credit_grants SET business_key = business_key || '_' WHERE source = $1";
        tx.execute(sql, &params!["plan"])
    });
    world.by_hand(|tx| {
        let sql = "DELETE FROM effects WHERE fact_key LIKE $1";
        tx.execute(sql, &params!["paid:%"])
    });
    world.by_hand(|tx| {
        let sql = "UPDATE subscriptions SET status = $1";
        tx.execute(sql, &params!["incomplete"])
    });
    let found = world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", found["data"][0]["id"].as_str().unwrap());
    world.at_provider("POST", &path, &[("description", "look again")]);
    world.settle();
}

fn too_many_credits_of_a_plan_pause_spending_where_the_catalog_wants_that(mut world: World) {
    world.apply(&pausing());
    granted_twice(&mut world);
    assert_eq!(kinds(&world), ["credits_granted"]);
    assert_eq!(world.consume("ana", "ai", 1).code, Code::SpendingPaused);
    assert_eq!(world.engine.check(&world.want("ana", "ai", 1)).unwrap().code, Code::SpendingPaused);
    let state = world.engine.resume_spending(&caller(), &ana()).unwrap();
    assert_eq!((kinds(&world).len(), state.revision), (0, world.state("ana").revision));
    assert_eq!(world.consume("ana", "ai", 1).code, Code::Ok);
    let again = world.engine.resume_spending(&caller(), &ana()).unwrap();
    assert_eq!(again.revision, state.revision, "nothing was paused any more");
}

fn too_many_credits_alert_and_pause_nothing_where_it_does_not(mut world: World) {
    granted_twice(&mut world);
    assert_eq!(kinds(&world), ["credits_granted"]);
    assert_eq!(world.consume("ana", "ai", 1).code, Code::Ok);
}

fn ordinary_changes_and_late_payments_are_no_anomaly(mut world: World) {
    world.apply(&pausing());
    world.customer("ana");
    world.buy("ana", "starter");
    let id = world.state("ana").subscription.unwrap().id;
    for (plan, interval) in
        [("growth", Interval::Month), ("pro", Interval::Month), ("pro", Interval::Year)]
    {
        assert_eq!(world.consume("ana", "ai", 1_500).code, Code::Ok);
        let plan = plan.to_owned();
        let up = farthing_core::change::Command::Change { plan, interval: Some(interval) };
        world.engine.change(&caller(), &id, &up, None).unwrap();
        world.settle();
    }
    world.advance_days(95);
    world.customer("bo");
    let mut trial = world.plan("bo", "starter");
    let plan = "starter".to_owned();
    trial.buy = Buy::Plan { plan, interval: Interval::Month, trial: Some(true) };
    world.buy_with(&trial, GOOD_CARD);
    world.advance_days(45);
    assert_eq!(kinds(&world).len(), 0);
    world.check();
}

fn what_is_given_by_hand_pays_what_is_owed_first(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "ai", 10_000).code, Code::Ok);
    let charges = world.at_provider("GET", "/v1/charges", &[]);
    let charge = charges["data"][0]["id"].as_str().unwrap().to_owned();
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge)]);
    world.settle();
    assert_eq!(credits(&world), (500, 10_000));
    assert_eq!(adjust(&world, 4_000).unwrap(), (500, 6_000));
    assert_eq!(adjust(&world, 6_001).unwrap(), (501, 0));
    assert_eq!(world.consume("ana", "ai", 501).code, Code::Ok);
    world.check();
}

fn what_is_taken_by_hand_is_never_more_than_there_is(world: World) {
    world.customer("ana");
    assert_eq!(adjust(&world, -200).unwrap(), (300, 0));
    let error = adjust(&world, -301).unwrap_err();
    assert!(matches!(error, EngineError::Refused { code: "not_enough_credits", .. }), "{error:?}");
    assert_eq!(credits(&world), (300, 0));
    let ledger = world.engine.ledger(&ana(), None, None, 10).unwrap();
    let told: Vec<_> =
        ledger.iter().map(|it| (it.reason.as_str(), it.to.as_str(), it.amount)).collect();
    assert_eq!(told, [("take", "ended", 200), ("grant", "available", 500)]);
    world.check();
}

fn a_debt_above_the_balance_alerts_until_it_is_paid(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    assert_eq!(world.consume("ana", "ai", 2_000).code, Code::Ok);
    let charges = world.at_provider("GET", "/v1/charges", &[]);
    let charge = charges["data"][0]["id"].as_str().unwrap().to_owned();
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge)]);
    world.settle();
    assert_eq!((credits(&world), kinds(&world)), ((500, 2_000), vec!["credits_owed".to_owned()]));
    adjust(&world, 2_000).unwrap();
    assert_eq!((credits(&world), kinds(&world).len()), ((500, 0), 0));
    world.check();
}
