//! Links to the billing page: single use, short, and for one customer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_engine::EngineError;
use farthing_engine::billing_sessions::NewLink;
use world::{World, caller};

on_both!(
    a_link_opens_one_session_once,
    a_link_is_too_old_after_fifteen_minutes,
    a_session_ends_after_an_hour_and_when_it_is_ended,
    nobody_leaves_for_another_site,
    whoever_is_erased_has_no_page,
    a_secret_is_stored_nowhere,
    a_checkout_without_a_path_leads_to_our_own_page,
);

fn link(world: &World, id: &str) -> String {
    let made = world.engine.make_billing_link(
        &caller(),
        &world.customer(id),
        (&NewLink::default(), world.now()),
    );
    let url = made.unwrap().url;
    url.strip_prefix("https://billing.example/b/enter/").unwrap().to_owned()
}

fn a_link_opens_one_session_once(world: World) {
    let (ana, bob) = (link(&world, "ana"), link(&world, "bob"));
    assert_ne!(ana, bob);
    let (secret, session) = world.engine.open_billing_session(&ana, world.now()).unwrap().unwrap();
    assert_eq!(session.customer, world.customer("ana"));
    assert_eq!(session.return_url, "https://app.example/");
    assert_eq!(world.engine.billing_session(&secret, world.now()).unwrap(), Some(session));
    assert_eq!(world.engine.open_billing_session(&ana, world.now()).unwrap(), None, "it was used");
    assert_eq!(
        world.engine.billing_session(&ana, world.now()).unwrap(),
        None,
        "a link is no session"
    );
    assert_eq!(
        world.engine.open_billing_session(&secret, world.now()).unwrap(),
        None,
        "and not the reverse"
    );
    let mut altered = bob.clone();
    altered.replace_range(10..11, if &bob[10..11] == "0" { "1" } else { "0" });
    for wrong in ["", "cst_", "x", &altered, &bob[..bob.len() - 1], &format!("{bob}0")] {
        assert_eq!(world.engine.open_billing_session(wrong, world.now()).unwrap(), None, "{wrong}");
    }
    assert!(world.engine.open_billing_session(&bob, world.now()).unwrap().is_some());
    world.check();
}

fn a_link_is_too_old_after_fifteen_minutes(world: World) {
    let (one, two) = (link(&world, "ana"), link(&world, "ana"));
    world.clock.set(world.now().plus_seconds(15 * 60 - 1));
    assert!(world.engine.open_billing_session(&one, world.now()).unwrap().is_some());
    world.clock.set(world.now().plus_seconds(1));
    assert_eq!(world.engine.open_billing_session(&two, world.now()).unwrap(), None);
}

fn a_session_ends_after_an_hour_and_when_it_is_ended(world: World) {
    let open =
        |id| world.engine.open_billing_session(&link(&world, id), world.now()).unwrap().unwrap().0;
    let (one, two) = (open("ana"), open("ana"));
    world.engine.end_billing_session(&two).unwrap();
    assert_eq!(world.engine.billing_session(&two, world.now()).unwrap(), None);
    world.clock.set(world.now().plus_seconds(3_599));
    assert!(world.engine.billing_session(&one, world.now()).unwrap().is_some());
    world.clock.set(world.now().plus_seconds(1));
    assert_eq!(world.engine.billing_session(&one, world.now()).unwrap(), None);
}

fn nobody_leaves_for_another_site(world: World) {
    let ana = world.customer("ana");
    for path in ["https://evil.example", "//evil.example", "/\\evil.example", "account", "/a b"] {
        let new = NewLink { return_path: Some(path.to_owned()), read_only: false };
        let refused =
            world.engine.make_billing_link(&caller(), &ana, (&new, world.now())).unwrap_err();
        assert!(matches!(refused, EngineError::Invalid(_)), "{path}: {refused}");
    }
    let new = NewLink { return_path: Some("/account?tab=1".to_owned()), read_only: true };
    let made = world.engine.make_billing_link(&caller(), &ana, (&new, world.now())).unwrap();
    let secret = made.url.rsplit('/').next().unwrap();
    let (_, session) = world.engine.open_billing_session(secret, world.now()).unwrap().unwrap();
    assert_eq!(session.return_url, "https://app.example/account?tab=1");
    assert!(session.read_only);
}

fn whoever_is_erased_has_no_page(world: World) {
    let (unused, used) = (link(&world, "ana"), link(&world, "ana"));
    let (secret, _) = world.engine.open_billing_session(&used, world.now()).unwrap().unwrap();
    world.engine.delete_customer(&caller(), &"ana".parse().unwrap()).unwrap();
    assert_eq!(world.engine.billing_session(&secret, world.now()).unwrap(), None);
    world.customer("ana");
    assert_eq!(
        world.engine.open_billing_session(&unused, world.now()).unwrap(),
        None,
        "somebody of that id"
    );
}

fn a_secret_is_stored_nowhere(world: World) {
    let ana = link(&world, "ana");
    let (secret, _) = world.engine.open_billing_session(&ana, world.now()).unwrap().unwrap();
    let told = format!("{:?}", world.engine.timeline(&"ana".parse().unwrap(), None, 100).unwrap());
    assert!(told.contains("billing_page.link_made") && told.contains("billing_page.opened"));
    for secret in [ana, secret] {
        assert!(!told.contains(&secret[4..]), "{told}");
    }
}

fn a_checkout_without_a_path_leads_to_our_own_page(world: World) {
    world.customer("ana");
    let checkout = world.checkout(&world.plan("ana", "growth")).unwrap();
    let page = world.at_provider("GET", "/v1/checkout/sessions", &[]);
    let back = page["data"][0]["success_url"].as_str().unwrap();
    let proof = back.strip_prefix("https://billing.example/b/success?proof=").unwrap();
    let (proof, rest) = proof.split_once('&').unwrap();
    assert_eq!(rest, format!("checkout={}&outcome=success", checkout.id));
    assert!(world.engine.is_result_proof(&checkout.id, proof).unwrap());
    assert!(!world.engine.is_result_proof("chk_other", proof).unwrap());
    assert!(!world.engine.is_result_proof(&checkout.id, "").unwrap());
}
