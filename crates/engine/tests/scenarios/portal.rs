//! What customers and operators do at the provider, without asking us.

use super::{CANCEL, RESUME, at_stripe, cancel_at, done, has, is, on, pending, price, to};
use crate::on_both;
use crate::world::World;

on_both!(
    an_end_asked_for_in_the_portal_can_be_taken_back_here,
    an_end_asked_for_here_can_be_taken_back_in_the_portal,
    an_upgrade_bought_in_the_portal_is_granted_once,
    a_switch_planned_in_the_portal_can_be_replaced_here,
    a_downgrade_planned_in_the_portal_happens,
    a_schedule_with_a_price_that_we_never_made_changes_nothing_here,
);

fn portal(world: &mut World, what: &str, more: &[(&str, &str)]) {
    let sub = at_stripe(world);
    let params: Vec<(&str, &str)> =
        [("subscription", sub.as_str())].into_iter().chain(more.iter().copied()).collect();
    world.provider().scenario(what, &params).unwrap();
    world.settle();
}

fn an_end_asked_for_in_the_portal_can_be_taken_back_here(world: World) {
    let mut world = on("growth", world);
    portal(&mut world, "portal_cancel", &[]);
    assert_eq!(cancel_at(&world).as_deref(), Some("2027-02-28T10:00:00Z"));
    assert_eq!(done(&world, &CANCEL), "unchanged");
    world.prove();
    assert_eq!(done(&world, &RESUME), "done");
    assert_eq!(cancel_at(&world), None);
    world.settle();
    world.prove();
    world.advance_days(31);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn an_end_asked_for_here_can_be_taken_back_in_the_portal(world: World) {
    let mut world = on("growth", world);
    assert_eq!(done(&world, &CANCEL), "scheduled");
    portal(&mut world, "portal_resume", &[]);
    assert_eq!(cancel_at(&world), None);
    world.advance_days(31);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn an_upgrade_bought_in_the_portal_is_granted_once(world: World) {
    let mut world = on("starter", world);
    world.consume("ana", "ai", 2_000);
    world.advance_days(6);
    let growth = price(&world, "growth_month_usd_6900");
    portal(&mut world, "portal_switch", &[("price", &growth), ("when", "now")]);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
    world.advance_days(31);
    assert_eq!(has(&world), is("growth", 10_500));
    world.prove();
}

fn a_switch_planned_in_the_portal_can_be_replaced_here(world: World) {
    let mut world = on("growth", world);
    let starter = price(&world, "starter_month_usd_1900");
    portal(&mut world, "portal_switch", &[("price", &starter), ("when", "period_end")]);
    assert_eq!(pending(&world).as_deref(), Some("starter"));
    assert_eq!(done(&world, &to("starter")), "unchanged");
    world.prove();
    assert_eq!(done(&world, &CANCEL), "scheduled");
    assert_eq!((pending(&world), cancel_at(&world).is_some()), (None, true));
    world.settle();
    world.prove();
    assert_eq!(done(&world, &to("pro")), "done");
    world.advance_days(31);
    assert_eq!(has(&world), is("pro", 50_500));
    world.prove();
}

fn a_downgrade_planned_in_the_portal_happens(world: World) {
    let mut world = on("growth", world);
    let starter = price(&world, "starter_month_usd_1900");
    portal(&mut world, "portal_switch", &[("price", &starter), ("when", "period_end")]);
    assert_eq!(has(&world), is("growth", 10_500));
    world.advance_days(29);
    assert_eq!((has(&world), pending(&world)), (is("starter", 2_500), None));
    world.prove();
}

/// A person plans a price of their own in the dashboard.
fn a_schedule_with_a_price_that_we_never_made_changes_nothing_here(world: World) {
    let mut world = on("growth", world);
    let product = world.at_provider("POST", "/v1/products", &[("name", "by hand")]);
    let new = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", "5000"),
        ("recurring[interval]", "month"),
    ];
    let foreign = world.at_provider("POST", "/v1/prices", &new)["id"].as_str().unwrap().to_owned();
    portal(&mut world, "portal_switch", &[("price", &foreign), ("when", "period_end")]);
    assert_eq!((has(&world), pending(&world)), (is("growth", 10_500), None));
    world.check();
    // Ours replaces it: what cannot be understood does not have to be.
    assert_eq!(done(&world, &to("starter")), "scheduled");
    world.settle();
    world.advance_days(29);
    assert_eq!((has(&world), pending(&world)), (is("starter", 2_500), None));
    world.check();
}
