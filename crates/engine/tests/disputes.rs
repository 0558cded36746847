//! Payments that the customer's bank contests, alone and together with refunds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::ids::CustomerId;
use farthing_store::alerts;
use farthing_store::disputes::{self, Dispute};
use serde_json::Value;

use world::{GOOD_CARD, World};

on_both!(
    a_dispute_takes_credits_with_the_money_and_gives_them_back_once_when_it_is_won,
    a_dispute_that_is_lost_ends_what_was_paid_with_it,
    an_inquiry_moves_no_money_and_takes_nothing,
    a_dispute_after_a_full_refund_takes_nothing_twice,
    a_refund_of_a_part_and_a_dispute_of_all_never_take_more_than_was_granted,
    credits_spent_before_a_dispute_are_owed_and_forgiven_when_it_is_won,
    news_of_a_refund_and_a_dispute_in_any_order_lead_to_the_same_state,
    a_dispute_of_an_earlier_period_leaves_the_present_one,
);

const DISPUTED: &str = "4000000000000259";
const INQUIRED: &str = "4000000000001976";

fn list(world: &World, path: &str) -> Vec<Value> {
    world.at_provider("GET", path, &[])["data"].as_array().unwrap().clone()
}

fn charge(world: &World) -> String {
    list(world, "/v1/charges")[0]["id"].as_str().unwrap().to_owned()
}

/// The bank takes a charge back now.
fn contest(world: &World, charge: &str) {
    world.provider().scenario("dispute", &[("charge", charge)]).unwrap();
}

fn rows(world: &World) -> Vec<Dispute> {
    let customer: CustomerId = "ana".parse().unwrap();
    world.by_hand(move |tx| disputes::list(tx, (Some(&customer), false), "", 100))
}

fn credits(world: &World) -> (i64, i64) {
    let state = &world.state("ana").credits["ai"];
    (state.balance, state.debt)
}

fn count(world: &World, action: &str) -> usize {
    let timeline = world.engine.timeline(&"ana".parse().unwrap(), None, 200).unwrap();
    timeline.iter().filter(|entry| entry.action == action).count()
}

fn answer(world: &World, evidence: &str) {
    let id = rows(world)[0].provider_id.clone();
    let path = format!("/v1/disputes/{id}");
    world.at_provider("POST", &path, &[("evidence[uncategorized_text]", evidence)]);
}

fn open_alerts(world: &World) -> Vec<String> {
    let open = world.by_hand(|tx| alerts::list_open(tx, 100));
    open.into_iter().map(|alert| alert.kind).collect()
}

/// Buys growth with a card whose bank contests it a minute later.
fn disputed(world: &mut World, card: &str) {
    world.customer("ana");
    world.buy_with(&world.plan("ana", "growth"), card);
    minutes(world, 2);
}

fn minutes(world: &mut World, n: i64) {
    world.advance_to(world.now().plus_seconds(60 * n));
}

fn a_dispute_takes_credits_with_the_money_and_gives_them_back_once_when_it_is_won(
    mut world: World,
) {
    disputed(&mut world, DISPUTED);
    assert_eq!(credits(&world), (500, 0));
    let row = &rows(&world)[0];
    assert_eq!((row.status.as_str(), row.withdrawn), ("needs_response", true));
    assert!(row.due_by.is_some());
    assert_eq!(open_alerts(&world), ["dispute"]);
    assert_eq!(world.state("ana").plan, "growth", "nothing is final yet");
    world.check();
    answer(&world, "winning_evidence");
    minutes(&mut world, 2);
    assert_eq!(credits(&world), (10_500, 0));
    assert_eq!(rows(&world)[0].status, "won");
    let sent = world.sent.clone();
    sent.iter().rev().for_each(|delivery| drop(world.receive(delivery)));
    world.drain();
    assert_eq!((credits(&world), open_alerts(&world).len()), ((10_500, 0), 0));
    let told = ["dispute.opened", "dispute.closed", "credits.clawed_back", "credits.given_back"];
    assert_eq!(told.map(|action| count(&world, action)), [1, 1, 1, 1]);
    world.check();
}

fn a_dispute_that_is_lost_ends_what_was_paid_with_it(mut world: World) {
    disputed(&mut world, DISPUTED);
    answer(&world, "losing_evidence");
    minutes(&mut world, 2);
    assert_eq!((world.state("ana").plan.as_str(), credits(&world)), ("free", (500, 0)));
    assert_eq!(list(&world, "/v1/subscriptions?status=canceled").len(), 1);
    assert_eq!(count(&world, "subscription.ended"), 1);
    world.advance_days(40);
    assert_eq!(list(&world, "/v1/charges").len(), 1, "nobody is charged who contests it");
    world.check();
}

fn an_inquiry_moves_no_money_and_takes_nothing(mut world: World) {
    disputed(&mut world, INQUIRED);
    assert_eq!(
        (rows(&world)[0].status.as_str(), credits(&world)),
        ("warning_needs_response", (10_500, 0))
    );
    world.advance_days(10);
    assert_eq!((rows(&world)[0].status.as_str(), credits(&world)), ("warning_closed", (10_500, 0)));
    assert_eq!((world.state("ana").plan.as_str(), open_alerts(&world).len()), ("growth", 0));
    world.check();
}

fn a_dispute_after_a_full_refund_takes_nothing_twice(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "ai", 4_000).code, Code::Ok);
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge(&world))]);
    world.settle();
    assert_eq!(credits(&world), (500, 4_000));
    contest(&world, &charge(&world));
    world.settle();
    assert_eq!((credits(&world), rows(&world).len()), ((500, 4_000), 1));
    answer(&world, "winning_evidence");
    minutes(&mut world, 2);
    assert_eq!(credits(&world), (500, 4_000), "the refund still stands");
    world.check();
}

fn a_refund_of_a_part_and_a_dispute_of_all_never_take_more_than_was_granted(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge(&world)), ("amount", "2300")]);
    world.settle();
    assert_eq!(credits(&world), (7_167, 0));
    contest(&world, &charge(&world));
    world.settle();
    assert_eq!(credits(&world), (500, 0));
    world.check();
    answer(&world, "winning_evidence");
    minutes(&mut world, 2);
    assert_eq!((credits(&world), world.state("ana").plan), ((7_167, 0), "growth".to_owned()));
    world.check();
}

fn credits_spent_before_a_dispute_are_owed_and_forgiven_when_it_is_won(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "ai", 9_900).code, Code::Ok);
    contest(&world, &charge(&world));
    world.settle();
    assert_eq!(credits(&world), (500, 9_900));
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    assert_eq!(credits(&world), (500, 9_400), "a pack pays what is owed");
    answer(&world, "winning_evidence");
    minutes(&mut world, 2);
    assert_eq!(credits(&world), (1_100, 0), "100 that were left, and the pack's 500 that paid");
    assert_eq!(world.consume("ana", "ai", 1_100).code, Code::Ok);
    world.check();
}

fn news_of_a_refund_and_a_dispute_in_any_order_lead_to_the_same_state(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "ai", 6_000).code, Code::Ok);
    world.provider().scenario("webhook_other_id", &[("times", "all")]).unwrap();
    let charge = charge(&world);
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge), ("amount", "1000")]);
    let mut news = world.take_deliveries();
    contest(&world, &charge);
    news.extend(world.take_deliveries());
    assert!(5 < news.len());
    let mut seen = Vec::new();
    for turn in 0..news.len() {
        world.receive(&news[(turn * 5 + 3) % news.len()]);
        world.drain();
        world.check();
        seen.push(credits(&world));
    }
    news.iter().rev().for_each(|delivery| drop(world.receive(delivery)));
    world.settle();
    assert_eq!(credits(&world), (500, 6_000));
    assert_eq!((count(&world, "refund.succeeded"), count(&world, "dispute.opened")), (1, 1));
    world.check();
}

fn a_dispute_of_an_earlier_period_leaves_the_present_one(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let first = charge(&world);
    world.advance_days(31);
    assert_eq!(list(&world, "/v1/charges").len(), 2);
    contest(&world, &first);
    world.settle();
    answer(&world, "losing_evidence");
    minutes(&mut world, 2);
    assert_eq!(rows(&world)[0].status, "lost");
    assert_eq!((world.state("ana").plan.as_str(), credits(&world)), ("growth", (10_500, 0)));
    world.check();
}
