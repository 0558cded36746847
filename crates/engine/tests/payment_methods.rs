//! What a customer pays with: added, chosen, taken away, and nobody else's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::ids::CustomerId;
use farthing_engine::EngineError;
use farthing_sandbox::Request;
use world::{DECLINED_CARD, GOOD_CARD, World, caller};

on_both!(
    a_new_card_pays_from_now_on,
    the_last_card_of_a_running_subscription_stays,
    when_the_default_goes_the_newest_other_one_pays,
    nobody_touches_the_cards_of_others,
    a_card_that_is_declined_is_not_stored,
    a_lost_answer_keeps_the_lock_and_is_asked_for_again,
    a_customer_who_never_bought_has_none,
);

const OTHER_CARD: &str = "5555555555554444";

fn ana() -> CustomerId {
    "ana".parse().unwrap()
}

fn code(error: EngineError) -> &'static str {
    match error {
        EngineError::Refused { code, .. } => code,
        EngineError::NotFound { .. } => "not_found",
        other => panic!("{other}"),
    }
}

/// `last4`, and a star when it pays.
fn held(world: &World, id: &str) -> Vec<String> {
    let methods = world.engine.payment_methods(&id.parse().unwrap()).unwrap();
    let shown = |star: bool, last4: String| if star { format!("{last4}*") } else { last4 };
    methods.into_iter().map(|it| shown(it.is_default, it.last4.unwrap())).collect()
}

fn id_of(world: &World, last4: &str) -> String {
    let methods = world.engine.payment_methods(&ana()).unwrap();
    methods.into_iter().find(|it| it.last4.as_deref() == Some(last4)).unwrap().id
}

/// Types a card into the provider's page; the id of that page.
fn type_card(world: &World, id: &str, card: &str) -> (u16, String) {
    let setup = world.engine.start_card_setup(&id.parse().unwrap(), None).unwrap();
    let path = setup.url.strip_prefix("http://sandbox.test").unwrap().to_owned();
    let body = format!("card={card}").into_bytes();
    let request = Request { method: "POST".into(), path: path.clone(), headers: vec![], body };
    let answer = world.provider().handle(&request);
    let page = path.rsplit('/').next().unwrap();
    (answer.status, page.to_owned())
}

fn add(world: &World, id: &str, card: &str) {
    let (status, page) = type_card(world, id, card);
    assert_eq!(status, 303);
    let stored = world.engine.finish_card_setup(&caller(), &id.parse().unwrap(), &page);
    assert!(stored.unwrap().unwrap().is_default);
}

fn a_new_card_pays_from_now_on(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    assert_eq!(held(&world, "ana"), ["4242*"]);
    add(&world, "ana", OTHER_CARD);
    assert_eq!(held(&world, "ana"), ["4444*", "4242"]);
    let old = id_of(&world, "4242");
    world.engine.set_default_payment_method(&caller(), &ana(), &old).unwrap();
    assert_eq!(held(&world, "ana"), ["4242*", "4444"]);
    world.settle();
    world.advance_days(31);
    let paid = world.engine.invoices(Some(&ana()), "", 1).unwrap();
    assert_eq!(paid[0].status, "paid");
    world.check();
}

fn the_last_card_of_a_running_subscription_stays(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let only = id_of(&world, "4242");
    let refused = world.engine.remove_payment_method(&caller(), &ana(), &only).unwrap_err();
    assert_eq!(code(refused), "last_payment_method");
    assert_eq!(held(&world, "ana"), ["4242*"]);
    add(&world, "ana", OTHER_CARD);
    world.engine.remove_payment_method(&caller(), &ana(), &only).unwrap();
    assert_eq!(held(&world, "ana"), ["4444*"]);
    let again = world.engine.remove_payment_method(&caller(), &ana(), &only).unwrap_err();
    assert_eq!(code(again), "not_found");
    world.check();
}

fn when_the_default_goes_the_newest_other_one_pays(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    add(&world, "ana", OTHER_CARD);
    let default = id_of(&world, "4444");
    world.engine.remove_payment_method(&caller(), &ana(), &default).unwrap();
    assert_eq!(held(&world, "ana"), ["4242*"]);
    world.settle();
    world.advance_days(31);
    assert_eq!(world.state("ana").standing, "good");
    world.check();
}

fn nobody_touches_the_cards_of_others(mut world: World) {
    for id in ["ana", "bob"] {
        world.customer(id);
        world.buy(id, "growth");
    }
    add(&world, "ana", OTHER_CARD);
    let of_ana = id_of(&world, "4242");
    let bob: CustomerId = "bob".parse().unwrap();
    let refused = world.engine.remove_payment_method(&caller(), &bob, &of_ana).unwrap_err();
    assert_eq!(code(refused), "not_found");
    let refused = world.engine.set_default_payment_method(&caller(), &bob, &of_ana).unwrap_err();
    assert_eq!(code(refused), "not_found");
    let (_, page) = type_card(&world, "ana", GOOD_CARD);
    let refused = world.engine.finish_card_setup(&caller(), &bob, &page).unwrap_err();
    assert_eq!(code(refused), "not_found");
    for page in ["", "cs_test_nothing", "../customers", "a?b"] {
        let refused = world.engine.finish_card_setup(&caller(), &bob, page).unwrap_err();
        assert_eq!(code(refused), "not_found", "{page}");
    }
    assert_eq!(held(&world, "bob"), ["4242*"]);
}

fn a_card_that_is_declined_is_not_stored(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let (status, page) = type_card(&world, "ana", DECLINED_CARD);
    assert_eq!(status, 402);
    let stored = world.engine.finish_card_setup(&caller(), &ana(), &page).unwrap();
    assert_eq!(stored, None);
    assert_eq!(held(&world, "ana"), ["4242*"]);
}

fn a_lost_answer_keeps_the_lock_and_is_asked_for_again(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    add(&world, "ana", OTHER_CARD);
    let (one, two) = (id_of(&world, "4242"), id_of(&world, "4444"));
    let fault = [("call", "POST /v1/payment_methods"), ("times", "1")];
    world.provider().scenario("lost_after", &fault).unwrap();
    let lost = world.engine.remove_payment_method(&caller(), &ana(), &one).unwrap_err();
    assert!(matches!(lost, EngineError::ProviderUnavailable { .. }), "{lost}");
    let waits = world.engine.remove_payment_method(&caller(), &ana(), &two).unwrap_err();
    assert_eq!(code(waits), "change_in_progress");
    let until = world.now().plus_seconds(60);
    world.advance_to(until);
    let refused = world.engine.remove_payment_method(&caller(), &ana(), &two).unwrap_err();
    assert_eq!(code(refused), "last_payment_method");
    assert_eq!(held(&world, "ana"), ["4444*"]);
    let removed = world.engine.timeline(&ana(), None, 100).unwrap();
    let removed = removed.iter().filter(|entry| entry.action == "payment_method.removed");
    assert_eq!(removed.count(), 1);
    world.check();
}

fn a_customer_who_never_bought_has_none(world: World) {
    world.customer("ana");
    assert_eq!(held(&world, "ana"), Vec::<String>::new());
    let refused = world.engine.set_default_payment_method(&caller(), &ana(), "pm_1").unwrap_err();
    assert_eq!(code(refused), "not_found");
    let nobody: CustomerId = "nobody".parse().unwrap();
    assert_eq!(code(world.engine.payment_methods(&nobody).unwrap_err()), "not_found");
}
