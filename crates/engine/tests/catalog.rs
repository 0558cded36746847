//! A new catalog under running customers, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::collections::BTreeMap;

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_engine::EngineError;
use farthing_engine::catalogs::{Applied, CatalogProblem};

use world::{Fate, World, caller};

on_both!(
    the_same_catalog_again_is_nothing,
    the_same_catalog_from_two_at_once_is_one_version,
    a_catalog_with_mistakes_changes_nothing,
    new_limits_reach_every_customer_and_keep_what_is_used,
    a_lowered_limit_takes_nothing_away_that_is_held,
    a_new_feature_works_before_the_job_came_by,
    a_new_kind_of_credits_works_before_the_job_came_by,
    a_feature_that_is_gone_is_unknown_at_once_and_comes_back_as_it_was,
    a_new_price_is_for_new_subscribers,
    a_plan_in_use_is_not_taken_away,
    a_plan_that_nobody_has_can_go,
    a_late_payment_of_an_old_price_gives_what_was_sold,
    prices_are_never_made_twice_when_answers_get_lost,
    an_unreachable_provider_leaves_the_old_catalog,
    a_price_that_is_not_ours_is_not_taken_for_ours,
);

fn apply(world: &World, source: &str) -> Result<Applied, CatalogProblem> {
    world.engine.apply_catalog(&caller(), source)
}

fn with_limit(chatbots: i64) -> String {
    let (before, after) =
        ("limits = { chatbots = 1,", format!("limits = {{ chatbots = {chatbots},"));
    assert!(SAMPLE.contains(before));
    SAMPLE.replace(before, &after)
}

fn with_feature() -> String {
    let before = "api_access = { type = \"boolean\" }";
    let source = SAMPLE.replace(before, &format!("{before}\nseats = {{ type = \"count\" }}"));
    source.replace("limits = { chatbots = 1,", "limits = { seats = 2, chatbots = 1,")
}

/// Growth for another price, monthly and yearly.
fn growth_for(dollars: i64) -> String {
    let source = SAMPLE.replace("\"69.00\"", &format!("\"{dollars}.00\""));
    source.replace("\"690.00\"", &format!("\"{dollars}0.00\""))
}

fn without_growth() -> String {
    let start = SAMPLE.find("[plans.growth]").unwrap();
    let end = SAMPLE.find("[plans.pro]").unwrap();
    let source = format!("{}{}", &SAMPLE[..start], &SAMPLE[end..]);
    source.replace(", \"growth\"", "")
}

/// Lookup key to how many prices have it at the provider.
fn prices(world: &World) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = world.at_provider("GET", &format!("/v1/prices?limit=100{after}"), &[]);
        for price in page["data"].as_array().unwrap() {
            let key = price["lookup_key"].as_str().unwrap_or("(none)").to_owned();
            *found.entry(key).or_insert(0) += 1;
            after = format!("&starting_after={}", price["id"].as_str().unwrap());
        }
        if page["has_more"] == false {
            return found;
        }
    }
}

fn the_same_catalog_again_is_nothing(world: World) {
    let before = world.engine.current_catalog().unwrap();
    let again = apply(&world, SAMPLE).unwrap();
    assert_eq!(again, Applied { version: 1, changes: Vec::new(), prices_created: 0 });
    assert_eq!(apply(&world, &format!("# a remark\n{SAMPLE}")).unwrap(), again);
    assert_eq!(world.drain(), 0);
    assert_eq!(world.engine.current_catalog().unwrap(), before);
}

fn the_same_catalog_from_two_at_once_is_one_version(world: World) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| match apply(&world, &with_limit(7)) {
                Ok(applied) => assert_eq!(applied.version, 2),
                Err(CatalogProblem::Engine(EngineError::Refused { code, .. })) => {
                    assert_eq!(code, "catalog_changed");
                }
                Err(other) => panic!("{other:?}"),
            });
        }
    });
    assert_eq!(world.engine.current_catalog().unwrap().version, 2);
}

fn a_catalog_with_mistakes_changes_nothing(world: World) {
    let before = prices(&world);
    let source = growth_for(71).replace("fallback = \"free\"", "fallback = \"gone\"");
    assert!(matches!(apply(&world, &source), Err(CatalogProblem::Mistakes(_))));
    assert_eq!(world.engine.current_catalog().unwrap().version, 1);
    assert_eq!(prices(&world), before);
}

fn new_limits_reach_every_customer_and_keep_what_is_used(mut world: World) {
    let ids: Vec<String> = (0..205).map(|n| format!("c{n}")).collect();
    ids.iter().for_each(|id| {
        world.customer(id);
        world.consume(id, "messages", 40);
    });
    world.customer("paying");
    world.buy("paying", "growth");
    let before = world.state("c7");
    apply(&world, &with_limit(6)).unwrap();
    assert_eq!(world.state("c7"), before, "everybody's turn comes with the job");
    world.drain();
    for id in &ids {
        let state = world.state(id);
        assert_eq!((state.features["chatbots"].limit, state.revision), (Some(6), 2), "{id}");
        assert_eq!(state.features["messages"].used, 40);
        assert_eq!(state.credits["ai"].balance, 500, "no signup gift for a new catalog");
    }
    assert_eq!(world.state("paying").features["chatbots"].limit, Some(10));
    world.check();
}

fn a_lowered_limit_takes_nothing_away_that_is_held(world: World) {
    world.apply(&with_limit(6));
    world.customer("ana");
    world.consume("ana", "chatbots", 6);
    world.apply(&with_limit(2));
    let state = &world.state("ana").features["chatbots"];
    assert_eq!((state.used, state.limit, state.remaining), (6, Some(2), Some(0)));
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    world.check();
    world.release("ana", "chatbots", 5);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::LimitReached);
    world.check();
}

fn a_new_feature_works_before_the_job_came_by(world: World) {
    for id in ["ana", "ben", "cat"] {
        world.customer(id);
        assert_eq!(world.consume(id, "seats", 1).code, Code::UnknownFeature);
    }
    apply(&world, &with_feature()).unwrap();
    let checked = world.engine.check(&world.want("ana", "seats", 2)).unwrap();
    assert_eq!((checked.code, checked.limit), (Code::Ok, Some(2)));
    let too_many = world.engine.check(&world.want("ana", "seats", 3)).unwrap();
    assert_eq!(too_many.code, Code::LimitReached);
    assert_eq!(world.consume("ana", "seats", 2).code, Code::Ok);
    assert_eq!(world.consume("ana", "seats", 1).code, Code::LimitReached);
    let want = world.want("ben", "seats", 1);
    assert_eq!(world.engine.sync(&caller(), &want).unwrap().used, 1);
    world.drain();
    let used = |id| world.state(id).features["seats"].used;
    assert_eq!((used("ana"), used("ben"), used("cat")), (2, 1, 0));
    world.check();
}

fn a_new_kind_of_credits_works_before_the_job_came_by(world: World) {
    world.customer("ana");
    let source =
        SAMPLE.replace("[features.ai]", "[features.sms]\ntype = \"credits\"\n\n[features.ai]");
    apply(&world, &source).unwrap();
    let want = world.want("ana", "sms", 1);
    assert_eq!(world.engine.check(&want).unwrap().code, Code::CreditsEmpty);
    assert_eq!(world.consume("ana", "sms", 1).code, Code::CreditsEmpty);
    world.drain();
    assert_eq!(world.state("ana").credits["sms"].balance, 0);
    world.check();
}

fn a_feature_that_is_gone_is_unknown_at_once_and_comes_back_as_it_was(world: World) {
    world.apply(&with_feature());
    let id = world.customer("ana");
    assert_eq!(world.consume("ana", "seats", 2).code, Code::Ok);
    let removed = apply(&world, SAMPLE).unwrap();
    assert!(removed.changes.iter().any(|change| change.effect.contains("unknown_feature")));
    for _ in 0..2 {
        let want = world.want("ana", "seats", 1);
        assert_eq!(world.engine.check(&want).unwrap().code, Code::UnknownFeature);
        assert_eq!(world.consume("ana", "seats", 1).code, Code::UnknownFeature);
        assert!(world.engine.release(&caller(), &want).is_err());
        assert!(!world.engine.state(&id).unwrap().features.contains_key("seats"));
        world.check();
        world.drain();
    }
    world.apply(&with_feature());
    assert_eq!(world.state("ana").features["seats"].used, 2);
    world.check();
}

fn a_new_price_is_for_new_subscribers(mut world: World) {
    for id in ["ana", "ben"] {
        world.customer(id);
    }
    world.buy("ana", "growth");
    let applied = apply(&world, &growth_for(79)).unwrap();
    assert_eq!((applied.version, applied.prices_created), (2, 2));
    world.drain();
    assert_eq!(world.buy("ben", "growth").price.minor, 7_900);
    world.advance_days(31);
    for (id, price) in [("ana", 6_900), ("ben", 7_900)] {
        let id = id.parse().unwrap();
        let invoices = world.engine.invoices(Some(&id), "", 9).unwrap();
        let paid: Vec<i64> = invoices.iter().map(|invoice| invoice.paid.minor).collect();
        assert_eq!(paid, [price, price]);
        assert_eq!(world.engine.state(&id).unwrap().plan, "growth");
        assert_eq!(world.engine.state(&id).unwrap().credits["ai"].balance, 10_500);
    }
    let back = apply(&world, SAMPLE).unwrap();
    assert_eq!((back.version, back.prices_created), (3, 0), "the old prices are found again");
    world.check();
}

fn a_plan_in_use_is_not_taken_away(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let plan = world.engine.plan_catalog(&without_growth()).unwrap();
    assert!(plan.blocked);
    let Err(CatalogProblem::Blocked(changes)) = apply(&world, &without_growth()) else {
        panic!("the plan was taken away");
    };
    let why: Vec<&str> = changes.iter().filter_map(|change| change.blocking.as_deref()).collect();
    assert_eq!(
        why,
        [
            "1 customer is on the plan: keep it in the catalog, move them to another plan, then remove it"
        ]
    );
    assert_eq!(world.engine.current_catalog().unwrap().version, 1);
    world.drain();
    assert_eq!(world.state("ana").plan, "growth");
    world.check();
}

fn a_plan_that_nobody_has_can_go(mut world: World) {
    world.customer("ana");
    let open = world.checkout(&world.plan("ana", "growth")).unwrap();
    let paying = world.engine.apply_catalog(&caller(), &without_growth());
    assert!(matches!(paying, Err(CatalogProblem::Blocked(_))), "its page can still be paid");
    world.advance_days(2);
    world.apply(&without_growth());
    let gone = world.checkout(&world.plan("ana", "growth")).unwrap_err();
    assert!(matches!(gone, EngineError::Invalid(ref errors) if errors[0].code == "unknown_plan"));
    assert_eq!(world.engine.checkout(&open.id).unwrap().status, "expired");
    world.check();
}

fn a_late_payment_of_an_old_price_gives_what_was_sold(mut world: World) {
    world.customer("ana");
    let open = world.checkout(&world.plan("ana", "growth")).unwrap();
    world.apply(&growth_for(79));
    assert_eq!(world.pay(&open, world::GOOD_CARD), 303);
    world.settle();
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
    assert_eq!(world.engine.invoices(None, "", 9).unwrap()[0].paid.minor, 6_900);
    world.check();
}

fn prices_are_never_made_twice_when_answers_get_lost(world: World) {
    let mut versions = 1;
    for n in 0..8 {
        let pack = format!(
            "[packs.extra_{n}]\nname = \"Extra\"\nprice = {{ USD = \"3.00\", EUR = \"3.00\" }}\ncredits = {{ ai = 5 }}\n"
        );
        let source = format!("{}\n{pack}", growth_for(100 + n));
        world.line.lose_answer(usize::try_from(n).unwrap());
        versions += 1;
        let first = apply(&world, &source);
        world.line.heal();
        if let Err(problem) = first {
            let unclear =
                matches!(problem, CatalogProblem::Engine(EngineError::ProviderUnavailable { .. }));
            assert!(unclear, "{problem:?}");
            assert_eq!(world.engine.current_catalog().unwrap().version, versions - 1);
            assert_eq!(apply(&world, &source).unwrap().version, versions);
        }
        world.drain();
        let twice: Vec<_> = prices(&world).into_iter().filter(|(_, many)| *many != 1).collect();
        assert_eq!(twice, [], "when answer {n} was lost");
    }
    let products = world.at_provider("GET", "/v1/products?limit=100", &[]);
    assert_eq!(products["data"].as_array().unwrap().len(), 4 + 8);
}

fn an_unreachable_provider_leaves_the_old_catalog(world: World) {
    world.line.set(|_| Fate::NotSent);
    let problem = apply(&world, &growth_for(71)).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "the payment provider could not be reached; nothing was charged, try again in a moment"
    );
    assert_eq!(world.engine.current_catalog().unwrap().version, 1);
    assert_eq!(apply(&world, &with_limit(3)).unwrap().version, 2, "no new price, no question");
    world.line.heal();
    assert_eq!(apply(&world, &growth_for(71)).unwrap().version, 3);
}

fn a_price_that_is_not_ours_is_not_taken_for_ours(world: World) {
    let product = world.at_provider("POST", "/v1/products", &[("name", "Somebody else's")]);
    let form = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", "100"),
        ("recurring[interval]", "month"),
        ("lookup_key", "farthing_growth_month_usd_7100"),
    ];
    world.at_provider("POST", "/v1/prices", &form);
    let problem = apply(&world, &growth_for(71)).unwrap_err();
    let CatalogProblem::Engine(EngineError::Refused { code, message, .. }) = problem else {
        panic!("{problem:?}");
    };
    assert_eq!(code, "price_mismatch");
    assert!(message.contains("farthing_growth_month_usd_7100"), "{message}");
    assert_eq!(world.engine.current_catalog().unwrap().version, 1);
}
