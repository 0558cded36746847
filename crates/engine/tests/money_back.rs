//! Money that goes back outside of us: refunds made in the provider's dashboard, and what follows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_core::ids::CustomerId;
use farthing_store::refunds::{self, Filter, Refund, State};
use serde_json::Value;

use world::{GOOD_CARD, World, caller};

on_both!(
    a_full_refund_in_the_dashboard_takes_the_plan_and_its_credits,
    the_same_refund_told_many_times_takes_its_credits_once,
    two_partial_refunds_take_exactly_what_the_whole_would,
    credits_that_were_spent_become_a_debt_that_the_next_grants_pay,
    a_refund_that_fails_later_gives_its_credits_back_once,
    a_pack_that_is_refunded_takes_its_own_credits_and_nothing_else,
    what_a_renewal_ended_is_not_owed_when_its_money_goes_back,
    a_catalog_that_keeps_credits_takes_none,
    a_refund_ends_what_was_scheduled_too,
    the_end_may_wait_for_the_period,
    every_window_of_a_year_gives_its_share_back,
    what_goes_back_of_a_payment_that_sold_nothing_changes_nothing,
    nothing_that_goes_back_of_an_erased_customer_comes_to_the_next_one,
    a_refund_that_only_pends_takes_credits_and_not_the_plan,
);

const PENDS: &str = "4000000000007726";
const FAILS: &str = "4000000000005126";

fn list(world: &World, path: &str) -> Vec<Value> {
    world.at_provider("GET", path, &[])["data"].as_array().unwrap().clone()
}

/// Somebody refunds the newest charge in the provider's dashboard; the provider's id of the refund.
fn refund(world: &World, amount: Option<&str>) -> String {
    let charge = list(world, "/v1/charges")[0]["id"].as_str().unwrap().to_owned();
    let mut form = vec![("charge", charge.as_str())];
    form.extend(amount.map(|amount| ("amount", amount)));
    world.at_provider("POST", "/v1/refunds", &form)["id"].as_str().unwrap().to_owned()
}

fn rows(world: &World, id: &str) -> Vec<Refund> {
    let customer: CustomerId = id.parse().unwrap();
    let filter = Filter { customer: Some(customer), ..Filter::default() };
    world.by_hand(move |tx| refunds::list(tx, &filter, "", 100))
}

fn credits(world: &World, id: &str) -> (i64, i64) {
    let state = &world.state(id).credits["ai"];
    (state.balance, state.debt)
}

fn actions(world: &World, id: &str) -> Vec<String> {
    let timeline = world.engine.timeline(&id.parse().unwrap(), None, 100).unwrap();
    timeline.into_iter().map(|entry| entry.action).collect()
}

fn count(world: &World, id: &str, action: &str) -> usize {
    actions(world, id).iter().filter(|one| *one == action).count()
}

fn bought(world: &mut World, plan: &str) {
    world.customer("ana");
    world.buy("ana", plan);
}

fn a_full_refund_in_the_dashboard_takes_the_plan_and_its_credits(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(credits(&world, "ana"), (10_500, 0));
    let revision = world.state("ana").revision;
    refund(&world, None);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), credits(&world, "ana")), ("free", (500, 0)));
    assert!(revision < state.revision);
    assert_eq!(list(&world, "/v1/subscriptions?status=canceled").len(), 1);
    assert_eq!(rows(&world, "ana")[0].state, State::Succeeded);
    for action in ["refund.succeeded", "credits.clawed_back", "subscription.ended"] {
        assert_eq!(count(&world, "ana", action), 1, "{action}");
    }
    world.advance_days(40);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(list(&world, "/v1/charges").len(), 1, "an ended subscription charges nobody");
    world.check();
}

fn the_same_refund_told_many_times_takes_its_credits_once(mut world: World) {
    bought(&mut world, "growth");
    world.provider().scenario("webhook_other_id", &[("times", "all")]).unwrap();
    refund(&world, Some("3450"));
    world.settle();
    assert_eq!(credits(&world, "ana"), (5_500, 0));
    let sent = world.sent.clone();
    for delivery in sent.iter().rev().chain(&sent) {
        world.receive(delivery);
    }
    world.drain();
    world.engine.reconcile_all(&caller(), true, &mut |_| {}).unwrap();
    world.advance_days(2);
    assert_eq!((credits(&world, "ana"), rows(&world, "ana").len()), ((5_500, 0), 1));
    assert_eq!(count(&world, "ana", "refund.succeeded"), 1);
    assert_eq!(world.state("ana").plan, "growth", "a part of the money keeps the plan");
    world.check();
}

fn two_partial_refunds_take_exactly_what_the_whole_would(mut world: World) {
    bought(&mut world, "growth");
    for (amount, left) in [("2300", 6_667), ("2300", 3_334), ("2300", 0)] {
        refund(&world, Some(amount));
        world.settle();
        assert_eq!(credits(&world, "ana").0, 500 + left);
        world.check();
    }
    assert_eq!((rows(&world, "ana").len(), world.state("ana").plan), (3, "free".to_owned()));
}

fn credits_that_were_spent_become_a_debt_that_the_next_grants_pay(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(world.consume("ana", "ai", 9_000).code, Code::Ok);
    refund(&world, None);
    world.settle();
    assert_eq!(credits(&world, "ana"), (500, 9_000));
    assert_eq!(world.consume("ana", "ai", 1).code, Code::SpendingPaused);
    world.buy("ana", "starter");
    assert_eq!(credits(&world, "ana"), (500, 7_000), "2,000 pay first");
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    assert_eq!(credits(&world, "ana"), (500, 6_500), "and so does a pack");
    let path = format!("/v1/subscriptions/{}", text(&list(&world, "/v1/subscriptions")[0]["id"]));
    world.at_provider("DELETE", &path, &[]);
    world.settle();
    world.buy("ana", "growth");
    assert_eq!(credits(&world, "ana"), (4_000, 0));
    assert_eq!(world.consume("ana", "ai", 4_000).code, Code::Ok);
    world.check();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn a_refund_that_fails_later_gives_its_credits_back_once(mut world: World) {
    world.customer("ana");
    world.buy_with(&world.plan("ana", "growth"), FAILS);
    assert_eq!(world.consume("ana", "ai", 6_000).code, Code::Ok);
    refund(&world, Some("5000"));
    world.settle();
    // 5000 of 6900 cents: 7,246 of 10,000, of which 4,000 were left and 3,246 are owed.
    assert_eq!(credits(&world, "ana"), (500, 3_246));
    world.advance_to(world.now().plus_seconds(120));
    assert_eq!(credits(&world, "ana"), (4_500, 0));
    let sent = world.sent.clone();
    sent.iter().for_each(|delivery| drop(world.receive(delivery)));
    world.drain();
    assert_eq!(
        (credits(&world, "ana"), world.state("ana").plan),
        ((4_500, 0), "growth".to_owned())
    );
    assert_eq!(rows(&world, "ana")[0].state, State::Failed);
    let told = ["refund.succeeded", "refund.failed", "credits.given_back"];
    assert_eq!(told.map(|action| count(&world, "ana", action)), [1, 1, 1]);
    world.check();
}

fn a_pack_that_is_refunded_takes_its_own_credits_and_nothing_else(mut world: World) {
    bought(&mut world, "growth");
    for _ in 0..2 {
        world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    }
    assert_eq!(credits(&world, "ana").0, 11_500);
    refund(&world, None);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), credits(&world, "ana")), ("growth", (11_000, 0)));
    let packs = state.credits["ai"].grants.iter().filter(|grant| grant.source == "pack");
    assert_eq!(packs.map(|grant| grant.remaining).collect::<Vec<_>>(), [500]);
    world.check();
}

fn what_a_renewal_ended_is_not_owed_when_its_money_goes_back(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(world.consume("ana", "ai", 1_000).code, Code::Ok);
    world.advance_days(30);
    assert_eq!(list(&world, "/v1/charges").len(), 2);
    assert_eq!(credits(&world, "ana"), (10_500, 0));
    let first = text(&list(&world, "/v1/charges")[1]["id"]);
    world.at_provider("POST", "/v1/refunds", &[("charge", &first)]);
    world.settle();
    assert_eq!(credits(&world, "ana"), (10_500, 1_000), "9,000 ended unspent with the period");
    assert_eq!(world.state("ana").plan, "growth", "the present period is paid for");
    world.check();
}

fn a_catalog_that_keeps_credits_takes_none(mut world: World) {
    world.apply(&SAMPLE.replace("credits = \"claw_back\"", "credits = \"keep\""));
    bought(&mut world, "growth");
    refund(&world, None);
    world.settle();
    assert_eq!((credits(&world, "ana"), world.state("ana").plan), ((10_500, 0), "free".to_owned()));
    world.check();
}

fn a_refund_ends_what_was_scheduled_too(mut world: World) {
    bought(&mut world, "growth");
    let id = world.state("ana").subscription.unwrap().id;
    let down =
        farthing_core::change::Command::Change { plan: "starter".to_owned(), interval: None };
    world.engine.change(&caller(), &id, &down, None).unwrap();
    assert!(world.state("ana").subscription.unwrap().pending_change.is_some());
    refund(&world, None);
    world.settle();
    let state = world.state("ana");
    assert_eq!(state.plan, "free");
    assert_eq!(state.subscription.unwrap().pending_change, None);
    world.advance_days(40);
    assert_eq!((world.state("ana").plan.as_str(), list(&world, "/v1/charges").len()), ("free", 1));
    world.check();
}

fn the_end_may_wait_for_the_period(mut world: World) {
    let then = |at: &str| format!("then = {{ move_to = \"free\", at = {at:?}");
    world.apply(&SAMPLE.replace(&then("now"), &then("period_end")));
    bought(&mut world, "growth");
    refund(&world, None);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), credits(&world, "ana")), ("growth", (500, 0)));
    assert!(state.subscription.unwrap().cancel_at.is_some());
    world.advance_days(30);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(count(&world, "ana", "subscription.cancel_scheduled"), 1);
    world.check();
}

fn every_window_of_a_year_gives_its_share_back(mut world: World) {
    use farthing_core::time::Interval;
    use farthing_engine::checkouts::Buy;
    world.customer("ana");
    let mut yearly = world.plan("ana", "growth");
    yearly.buy =
        Buy::Plan { plan: "growth".to_owned(), interval: Interval::Year, trial: Some(false) };
    world.buy_with(&yearly, GOOD_CARD);
    assert_eq!(credits(&world, "ana").0, 10_500);
    refund(&world, Some("34500"));
    world.settle();
    assert_eq!(credits(&world, "ana").0, 5_500);
    world.advance_days(40);
    assert_eq!(credits(&world, "ana").0, 5_500, "half of the money buys half of every month");
    world.check();
}

fn what_goes_back_of_a_payment_that_sold_nothing_changes_nothing(mut world: World) {
    bought(&mut world, "growth");
    let sub = &list(&world, "/v1/subscriptions")[0];
    let prices = list(&world, "/v1/prices?limit=100");
    let price = &prices.iter().find(|it| it["recurring"].is_null()).unwrap()["id"];
    let form = [
        ("mode", "payment"),
        ("customer", sub["customer"].as_str().unwrap()),
        ("line_items[0][price]", price.as_str().unwrap()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://app.example/"),
    ];
    let page = world.at_provider("POST", "/v1/checkout/sessions", &form);
    assert_eq!(world.pay_at(page["url"].as_str().unwrap(), GOOD_CARD), 303);
    world.settle();
    refund(&world, None);
    world.settle();
    assert_eq!(
        (credits(&world, "ana"), world.state("ana").plan),
        ((10_500, 0), "growth".to_owned())
    );
    assert_eq!(rows(&world, "ana").len(), 1, "it is seen all the same");
    world.check();
}

fn nothing_that_goes_back_of_an_erased_customer_comes_to_the_next_one(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(world.consume("ana", "ai", 5_000).code, Code::Ok);
    let id: CustomerId = "ana".parse().unwrap();
    world.engine.delete_customer(&caller(), &id).unwrap();
    world.advance_days(1);
    bought(&mut world, "starter");
    let before = credits(&world, "ana");
    let first = text(&list(&world, "/v1/charges").last().unwrap()["id"]);
    world.at_provider("POST", "/v1/refunds", &[("charge", &first)]);
    world.settle();
    assert_eq!((credits(&world, "ana"), rows(&world, "ana").len()), (before, 0));
    assert_eq!(world.state("ana").plan, "starter");
    world.check();
}

fn a_refund_that_only_pends_takes_credits_and_not_the_plan(mut world: World) {
    world.customer("ana");
    world.buy_with(&world.plan("ana", "growth"), PENDS);
    refund(&world, None);
    world.settle();
    assert_eq!((credits(&world, "ana"), world.state("ana").plan), ((500, 0), "growth".to_owned()));
    assert_eq!(rows(&world, "ana")[0].state, State::Waiting);
    world.check();
    world.advance_days(1);
    assert_eq!((credits(&world, "ana"), world.state("ana").plan), ((500, 0), "free".to_owned()));
    assert_eq!(rows(&world, "ana")[0].state, State::Succeeded);
    world.check();
}
