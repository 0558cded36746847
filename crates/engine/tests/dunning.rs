//! What an overdue payment leads to, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_sandbox::AfterLastRetry;

use world::World;

on_both!(
    access_shrinks_in_steps_and_ends_when_nobody_pays,
    paying_late_restores_everything,
    the_provider_giving_up_first_ends_it_as_well,
);

/// A customer whose renewal on 28 February fails, at a provider that never gives up by itself.
fn overdue(mut world: World) -> World {
    world.provider().set_after_last_retry(AfterLastRetry::PastDue);
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(world.consume("ana", "chatbots", 5).code, Code::Ok);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(29);
    assert_eq!(world.state("ana").standing, "past_due");
    world
}

fn access_shrinks_in_steps_and_ends_when_nobody_pays(world: World) {
    let mut world = overdue(world);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok, "seven days of full access");
    world.advance_days(7);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "read_only"));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::ReadOnly);
    assert_eq!(world.consume("ana", "ai", 1).code, Code::ReadOnly);
    assert_eq!(world.release("ana", "chatbots", 1).used, 5, "giving back always works");
    world.check();
    world.advance_days(9);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("free", "good"));
    assert_eq!(state.subscription.unwrap().status, "canceled", "it was ended at the provider");
    assert_eq!(state.features["chatbots"].used, 5);
    world.check();
    world.release("ana", "chatbots", 2);
    world.buy("ana", "starter");
    assert_eq!(
        (world.state("ana").plan.as_str(), world.state("ana").standing),
        ("starter", "good")
    );
    world.check();
}

fn paying_late_restores_everything(world: World) {
    let mut world = overdue(world);
    world.advance_days(8);
    assert_eq!(world.state("ana").standing, "read_only");
    let open = world.at_provider("GET", "/v1/invoices?status=open", &[]);
    let invoice = open["data"][0]["id"].as_str().unwrap().to_owned();
    world.change_card("ana", "pm_card_visa");
    world.at_provider("POST", &format!("/v1/invoices/{invoice}/pay"), &[]);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "good"));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    assert_eq!(
        state.credits["ai"].balance, 10_500,
        "the period that was paid late has its credits"
    );
    world.check();
    world.advance_days(30);
    assert_eq!(world.state("ana").standing, "good");
    world.check();
}

fn the_provider_giving_up_first_ends_it_as_well(mut world: World) {
    let ours = r#"["1 day", "3 days", "5 days", "7 days"]"#;
    world.apply(&farthing_core::catalog::SAMPLE.replace(ours, "\"provider\""));
    world.customer("ana");
    world.buy("ana", "growth");
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(60);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("free", "good"));
    world.check();
}
