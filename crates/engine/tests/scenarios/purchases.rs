//! Buying: at the same moment, at yesterday's price, after a payment that never came, and while
//! Stripe fails.

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_engine::EngineError;
use farthing_engine::checkouts::Buy;
use farthing_sandbox::{AfterLastRetry, CallFault};

use super::{at_stripe, code, done, has, is, on, pending, price, to};
use crate::on_both;
use crate::world::{FAILS_LATER, GOOD_CARD, World};

on_both!(
    two_packs_bought_at_the_same_moment_both_count,
    a_pack_is_what_it_was_when_it_was_sold,
    a_plan_is_the_price_at_which_its_page_was_opened,
    a_purchase_ends_an_unpaid_subscription_that_could_still_be_paid,
    a_purchase_ends_a_trial_that_nobody_paid_for,
    a_page_is_settled_also_when_a_later_change_is_all_that_is_known,
    a_refund_after_a_downgrade_was_scheduled_takes_back_what_was_paid_for,
    stripe_failing_during_a_checkout_charges_nothing_and_can_be_tried_again,
    stripe_failing_after_it_opened_a_page_opens_no_second_one,
    a_payment_made_while_stripe_fails_for_us_is_found_without_its_events,
);

fn two_packs_bought_at_the_same_moment_both_count(world: World) {
    let mut world = on("growth", world);
    let pack = world.pack("ana", "ai_500");
    let buy = || {
        let page = world.checkout(&pack).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
        assert_eq!(world.engine.refresh_checkout(&page.id).unwrap().status, "settled");
        page.id
    };
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(buy);
        let two = scope.spawn(buy);
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_ne!(one, two, "each has a page of its own");
    assert_eq!(has(&world), is("growth", 10_500 + 1_000));
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500 + 1_000));
    assert_eq!(world.charged_there().len(), 3);
    world.prove();
}

fn a_pack_is_what_it_was_when_it_was_sold(world: World) {
    let mut world = on("growth", world);
    let page = world.checkout(&world.pack("ana", "ai_500")).unwrap();
    let shrunk = SAMPLE.replace("credits = { ai = 500 }\nexpires", "credits = { ai = 5 }\nexpires");
    assert_ne!(shrunk, SAMPLE);
    world.apply(&shrunk);
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500 + 500));
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    assert_eq!(has(&world), is("growth", 10_500 + 505));
    world.prove();
}

fn a_plan_is_the_price_at_which_its_page_was_opened(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    world.apply(&SAMPLE.replace("\"69.00\"", "\"79.00\""));
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
    world.advance_days(31);
    let charged: Vec<i64> = world.charged_there().into_values().collect();
    assert_eq!(charged, [6_900, 6_900], "who has the old price keeps it");
    world.prove();
}

/// The renewal was never paid, the customer is given up here, and buys again.
fn a_purchase_ends_an_unpaid_subscription_that_could_still_be_paid(world: World) {
    world.provider().set_after_last_retry(AfterLastRetry::PastDue);
    let mut world = on("growth", world);
    let first = at_stripe(&world);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    // Given up at the provider, too; but there it fails, again and again.
    world
        .provider()
        .scenario("fails_before", &[("call", "DELETE /v1/subscriptions"), ("times", "all")])
        .unwrap();
    world.advance_days(28 + 16 + 1);
    assert_eq!(has(&world).0, "free");
    let status = |world: &World, id: &str| {
        world.at_provider("GET", &format!("/v1/subscriptions/{id}"), &[])["status"].clone()
    };
    assert_eq!(status(&world, &first), "past_due");
    world.provider().scenario("calm", &[]).unwrap();
    world.buy("ana", "starter");
    world.advance_days(1);
    assert_eq!(status(&world, &first), "canceled", "or both would be paid");
    assert_eq!(has(&world).0, "starter");
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    world.prove();
    world.advance_days(31);
    let paid: Vec<i64> = world.charged_there().into_values().collect();
    assert_eq!(paid.iter().filter(|amount| **amount == 6_900).count(), 1);
    assert_eq!(paid.iter().filter(|amount| **amount == 1_900).count(), 2);
    world.prove();
}

/// A 500 before the provider did anything, kept for its idempotency key.
fn stripe_failing_during_a_checkout_charges_nothing_and_can_be_tried_again(mut world: World) {
    for (n, call) in ["POST /v1/customers", "POST /v1/checkout/sessions"].into_iter().enumerate() {
        let id = format!("c{n}");
        world.customer(&id);
        world.provider().scenario("fails_before", &[("call", call)]).unwrap();
        let error = world.checkout(&world.plan(&id, "growth")).unwrap_err();
        assert!(matches!(error, EngineError::ProviderUnavailable { .. }), "{error:?}");
        assert_eq!(world.state(&id).plan, "free");
        world.check();
        let opened = (0..30).find_map(|_| {
            world.advance_to(world.now().plus_seconds(3_600));
            world.checkout(&world.plan(&id, "growth")).ok()
        });
        assert_eq!(world.pay(&opened.expect("a page opens in the end"), GOOD_CARD), 303);
        world.settle();
        assert_eq!(world.state(&id).plan, "growth");
    }
    assert_eq!(world.charged_there().len(), 2);
    world.advance_days(2);
    world.prove();
}

fn stripe_failing_after_it_opened_a_page_opens_no_second_one(mut world: World) {
    world.customer("ana");
    let fault = CallFault::LostAfter;
    world.provider().faults_mut().plan_call(fault, "POST /v1/checkout/sessions", 1);
    world.checkout(&world.plan("ana", "growth")).unwrap_err();
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.all_there("/v1/checkout/sessions").len(), 1);
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.settle();
    assert_eq!(code(world.checkout(&world.plan("ana", "growth")).unwrap_err()), "same_plan");
    world.prove();
}

fn a_payment_made_while_stripe_fails_for_us_is_found_without_its_events(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.take_deliveries();
    world.line.set(|_| crate::world::Fate::Failed);
    let seen = world.engine.refresh_checkout(&page.id).unwrap();
    assert_eq!(seen.status, "open", "as we know it: nothing is celebrated too early");
    world.line.heal();
    assert_eq!(world.engine.refresh_checkout(&page.id).unwrap().status, "settled");
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

/// The trial is over here; at the provider its payment is still being tried.
fn a_purchase_ends_a_trial_that_nobody_paid_for(mut world: World) {
    world.customer("ana");
    let mut trial = world.plan("ana", "starter");
    if let Buy::Plan { trial, .. } = &mut trial.buy {
        *trial = Some(true);
    }
    world.buy_with(&trial, FAILS_LATER);
    let first = at_stripe(&world);
    world.advance_days(8);
    assert_eq!(has(&world), is("free", 500));
    let status = |world: &World, id: &str| {
        world.at_provider("GET", &format!("/v1/subscriptions/{id}"), &[])["status"].clone()
    };
    assert_eq!(status(&world, &first), "past_due");
    world.buy("ana", "growth");
    world.advance_to(world.now().plus_seconds(60));
    assert_eq!(status(&world, &first), "canceled", "or both would be paid");
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_page_is_settled_also_when_a_later_change_is_all_that_is_known(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "starter")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    let (sub, growth) = (at_stripe(&world), price(&world, "growth_month_usd_6900"));
    world.clock.set(world.now().plus_seconds(86_400));
    world.provider().advance_to(world.now().seconds());
    let switch = [("subscription", sub.as_str()), ("price", &growth), ("when", "now")];
    world.provider().scenario("portal_switch", &switch).unwrap();
    assert_eq!(world.engine.refresh_checkout(&page.id).unwrap().status, "settled");
    assert_eq!(has(&world), is("growth", 10_500));
    world.settle();
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

/// The plan that is scheduled is not the plan that was paid for. All of it is given back, so it
/// ends at once, and what was scheduled never happens.
fn a_refund_after_a_downgrade_was_scheduled_takes_back_what_was_paid_for(world: World) {
    let mut world = on("growth", world);
    assert_eq!(done(&world, &to("starter")), "scheduled");
    world.settle();
    let payment = world.charged_there().into_keys().next().unwrap();
    world.at_provider("POST", "/v1/refunds", &[("payment_intent", &payment)]);
    world.settle();
    assert_eq!((has(&world), pending(&world)), (is("free", 500), None));
    world.advance_days(29);
    assert_eq!(has(&world), is("free", 500));
    assert_eq!(world.charged_there().len(), 1);
    world.prove();
}
