//! What a checkout would cost is what it costs, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::time::{Interval, Timestamp};
use farthing_engine::EngineError;
use farthing_engine::checkout_preview::CheckoutPreview;
use farthing_engine::checkouts::{Buy, Purchase};

use world::{GOOD_CARD, World};

on_both!(
    a_preview_shows_what_is_charged_and_makes_nothing,
    a_preview_of_a_trial_shows_when_it_is_charged,
    a_preview_knows_who_had_a_trial_before,
    a_page_that_is_open_already_is_what_a_preview_shows,
    a_preview_of_a_pack_shows_its_price,
    a_preview_is_refused_for_the_same_reasons,
);

fn purchase(id: &str, trial: Option<bool>) -> Purchase {
    let buy = Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial };
    Purchase { customer: id.parse().unwrap(), buy, currency: None, return_path: None }
}

fn preview(world: &World, purchase: &Purchase) -> CheckoutPreview {
    world.engine.preview_checkout(purchase).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What was paid in all, in minor units.
fn paid(world: &World, id: &str) -> i64 {
    let customer = id.parse().unwrap();
    let invoices = world.engine.invoices(Some(&customer), "", 100).unwrap();
    invoices.iter().map(|invoice| invoice.paid.minor).sum()
}

fn entries(world: &World, id: &str) -> usize {
    world.engine.timeline(&id.parse().unwrap(), None, 100).unwrap().len()
}

fn a_preview_shows_what_is_charged_and_makes_nothing(mut world: World) {
    world.customer("ana");
    let before = (entries(&world, "ana"), world.provider().next_due());
    let shown = preview(&world, &purchase("ana", Some(false)));
    assert_eq!((shown.due_now.minor, shown.trial_days, shown.trial_ends_at), (1_900, None, None));
    let next = shown.next_charge.unwrap();
    assert_eq!((next.at, next.amount.minor), (at("2027-02-28T10:00:00Z"), 1_900));
    assert_eq!((entries(&world, "ana"), world.provider().next_due()), before);
    world.buy("ana", "starter");
    assert_eq!(paid(&world, "ana"), shown.due_now.minor);
    assert_eq!(world.state("ana").subscription.unwrap().period.end, next.at);
    world.advance_to(next.at.plus_seconds(7_200));
    assert_eq!(paid(&world, "ana"), shown.due_now.minor + next.amount.minor);
}

fn a_preview_of_a_trial_shows_when_it_is_charged(mut world: World) {
    world.customer("ana");
    let shown = preview(&world, &purchase("ana", None));
    assert_eq!((shown.due_now.minor, shown.trial_days), (0, Some(7)));
    assert_eq!(shown.trial_ends_at, Some(at("2027-02-07T10:00:00Z")));
    let next = shown.next_charge.unwrap();
    assert_eq!((Some(next.at), next.amount.minor), (shown.trial_ends_at, 1_900));
    world.buy_with(&purchase("ana", None), GOOD_CARD);
    assert_eq!(paid(&world, "ana"), 0);
    assert_eq!(world.state("ana").subscription.unwrap().period.end, next.at);
    world.advance_to(next.at.plus_seconds(7_200));
    assert_eq!(paid(&world, "ana"), next.amount.minor);
}

fn a_preview_knows_who_had_a_trial_before(mut world: World) {
    world.customer("ana");
    world.buy_with(&purchase("ana", Some(true)), GOOD_CARD);
    let sub = world.state("ana").subscription.unwrap().id;
    let now = farthing_core::change::Command::Cancel { at_once: true };
    world.engine.change(&world::caller(), &sub, &now, None).unwrap();
    world.settle();
    assert_eq!(preview(&world, &purchase("ana", None)).due_now.minor, 1_900);
    let refused = world.engine.preview_checkout(&purchase("ana", Some(true))).unwrap_err();
    assert!(matches!(refused, EngineError::Refused { code: "trial_used", .. }), "{refused:?}");
}

fn a_page_that_is_open_already_is_what_a_preview_shows(world: World) {
    world.customer("ana");
    world.checkout(&purchase("ana", None)).unwrap();
    assert_eq!(preview(&world, &purchase("ana", None)).trial_days, Some(7));
    assert_eq!(preview(&world, &purchase("ana", Some(false))).trial_days, None);
    let elsewhere = Purchase { return_path: Some("/x".to_owned()), ..purchase("ana", Some(true)) };
    assert_eq!(preview(&world, &elsewhere).trial_days, Some(7), "the open page would be closed");
    assert_eq!(world.checkout(&elsewhere).unwrap().trial_days, Some(7));
}

fn a_preview_of_a_pack_shows_its_price(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let shown = preview(&world, &world.pack("ana", "ai_500"));
    assert_eq!((shown.trial_days, shown.next_charge), (None, None));
    let pack = world.pack("ana", "ai_500");
    let bought = world.buy_with(&pack, GOOD_CARD);
    assert_eq!((bought.status, bought.price), ("settled", shown.due_now));
}

fn a_preview_is_refused_for_the_same_reasons(mut world: World) {
    world.customer("ana");
    let mut same = vec![
        purchase("nobody", None),
        Purchase { return_path: Some("//evil".to_owned()), ..purchase("ana", None) },
        world.plan("ana", "free"),
        world.plan("ana", "gold"),
        world.pack("ana", "nonsense"),
    ];
    let check = |world: &World, purchases: &[Purchase]| {
        for purchase in purchases {
            let shown = world.engine.preview_checkout(purchase).unwrap_err();
            let started = world.checkout(purchase).unwrap_err();
            assert_eq!(format!("{shown:?}"), format!("{started:?}"));
        }
    };
    check(&world, &same);
    world.buy("ana", "growth");
    world.consume("ana", "chatbots", 5);
    same = vec![purchase("ana", None), world.plan("ana", "pro"), world.plan("ana", "starter")];
    check(&world, &same);
}
