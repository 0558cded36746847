//! Without any event, and after mischief: ours becomes what the provider has, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use world::{GOOD_CARD, World, caller};

on_both!(
    a_healthy_world_has_no_drift,
    a_purchase_whose_events_are_all_lost_is_found,
    what_differs_is_told_first_and_repaired_on_request,
    with_webhooks_switched_off_a_whole_life_converges,
);

fn a_healthy_world_has_no_drift(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.advance_days(70);
    assert_eq!(world.engine.reconcile(&caller(), false).unwrap(), []);
    world.check();
}

fn a_purchase_whose_events_are_all_lost_is_found(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.take_deliveries();
    let told = world.engine.reconcile(&caller(), false).unwrap();
    assert_eq!(
        (told[0].field, told[0].ours.as_str(), told[0].fixed),
        ("subscription", "missing", false)
    );
    assert_eq!(world.state("ana").plan, "free", "nothing is changed without being asked");
    let fixed = world.engine.reconcile(&caller(), true).unwrap();
    assert!(fixed.iter().all(|one| one.fixed));
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
    assert_eq!(world.engine.reconcile(&caller(), false).unwrap(), []);
    world.check();
}

fn what_differs_is_told_first_and_repaired_on_request(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let sub = world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", sub["data"][0]["id"].as_str().unwrap());
    world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
    world.take_deliveries();
    let told = world.engine.reconcile(&caller(), false).unwrap();
    let told: Vec<_> =
        told.iter().map(|one| (one.field, one.ours.as_str(), one.theirs.as_str())).collect();
    assert_eq!(told, [("cancel_at", "none", "2027-02-28T10:00:00Z")]);
    world.engine.reconcile(&caller(), true).unwrap();
    assert!(world.state("ana").subscription.unwrap().cancel_at.is_some());
    world.check();
}

fn with_webhooks_switched_off_a_whole_life_converges(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.advance_days_without_events(2);
    assert_eq!(world.state("ana").plan, "growth");
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days_without_events(30);
    assert_eq!(world.state("ana").standing, "past_due");
    world.change_card("ana", "pm_card_visa");
    world.advance_days_without_events(8);
    let state = world.state("ana");
    assert_eq!(
        (state.plan.as_str(), state.standing, state.credits["ai"].balance),
        ("growth", "good", 10_500)
    );
    let sub = world.at_provider("GET", "/v1/subscriptions", &[]);
    let path = format!("/v1/subscriptions/{}", sub["data"][0]["id"].as_str().unwrap());
    world.at_provider("DELETE", &path, &[]);
    world.advance_days_without_events(2);
    assert_eq!(world.state("ana").plan, "free");
    world.check();
}
