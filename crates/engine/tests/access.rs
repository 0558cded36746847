//! What may be used: every answer, and every moment at which it changes, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::{Answer, Code};
use farthing_core::catalog::Limit;
use farthing_core::entitlement::AMOUNT_MAX;
use farthing_core::ids::CustomerId;
use farthing_core::subscription::Standing;
use farthing_core::time::{Interval, Timestamp};
use farthing_engine::access::{Report, Reported};
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_engine::overrides::NewOverride;
use farthing_engine::{Clock, EngineError};
use farthing_store::customers;

use world::{GOOD_CARD, World, caller};

on_both!(
    every_refusal_explains_itself,
    every_yes_says_what_is_left,
    overage_is_allowed_up_to_its_cap,
    an_overdue_payment_leaves_only_reading_and_giving_back,
    a_check_answers_as_consume_would_and_writes_nothing,
    a_customer_who_is_not_there_is_said_to_be_missing,
    of_a_customer_who_was_erased_nothing_can_be_used,
    an_amount_that_cannot_be_right_is_refused,
    a_month_ends_at_its_microsecond,
    a_day_ends_at_midnight_in_utc,
    takers_at_a_windows_end_fill_one_window_and_not_two,
    what_is_held_is_set_given_back_and_never_negative,
    only_what_is_held_can_be_given_back_or_set,
    parallel_releases_never_go_below_zero,
    use_that_is_reported_afterwards_counts_once_and_in_its_window,
    an_exception_can_take_away_and_is_counted_from_what_is_held,
);

/// One line for one answer.
fn line(answer: &Answer) -> String {
    let Answer { code, limit, used, remaining, .. } = answer;
    let number = |n: &Option<i64>| n.map_or("unlimited".to_owned(), |n| n.to_string());
    let mut line = format!("{}: {used} of {}, ", code.as_str(), number(limit));
    line += &format!("{} left", number(remaining));
    if let Some(at) = answer.resets_at {
        line += &format!(", resets {at}");
    }
    if let Some(plan) = &answer.upgrade_to {
        line += &format!(", upgrade to {plan}");
    }
    format!("{line}. {}\n", answer.message)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn exception(world: &World, id: &str, feature: &str, limit: Limit) {
    let new = NewOverride { limit, reason: "for the test".to_owned(), expires_at: None };
    world.engine.put_override(&caller(), &id.parse().unwrap(), feature, &new).unwrap();
}

fn invalid_code<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> &'static str {
    match outcome.unwrap_err() {
        EngineError::Invalid(errors) => errors[0].code,
        other => panic!("not invalid: {other:?}"),
    }
}

fn every_refusal_explains_itself(world: World) {
    world.customer("ana");
    let mut lines = String::new();
    world.consume("ana", "chatbots", 1);
    world.consume("ana", "messages", 95);
    world.consume("ana", "ai", 497);
    for (feature, amount) in [
        ("chatbots", 1),
        ("chatbots", 5),
        ("chatbots", 10),
        ("storage", 500_000_001),
        ("storage", 2_000_000_000_000),
        ("messages", 6),
        ("messages", 60_000),
        ("prompts", 6),
        ("providers_per_prompt", 2),
        ("providers_per_prompt", 9),
        ("recommendations", 1),
        ("api_access", 1),
        ("ai", 4),
        ("chatbot", 1),
    ] {
        let answer = world.consume("ana", feature, amount);
        assert!(!answer.allowed, "{feature}");
        assert_eq!(answer.feature, feature);
        lines += &line(&answer);
    }
    world.by_hand(|tx| tx.execute("UPDATE credit_accounts SET paused = 1", &[]));
    lines += &line(&world.consume("ana", "ai", 1));
    insta::assert_snapshot!(lines, @r#"
    limit_reached: 1 of 1, 0 left, upgrade to starter. 1 of 1 chatbots used. The Starter plan allows it.
    limit_reached: 1 of 1, 0 left, upgrade to growth. 1 of 1 chatbots used. The Growth plan allows it.
    limit_reached: 1 of 1, 0 left, upgrade to pro. 1 of 1 chatbots used. The Pro plan allows it.
    limit_reached: 0 of 500000000, 500000000 left, upgrade to starter. 0 B of 500 MB storage used. The Starter plan allows it.
    limit_reached: 0 of 500000000, 500000000 left, upgrade to pro. 0 B of 500 MB storage used. The Pro plan allows it.
    limit_reached: 95 of 100, 5 left, resets 2027-02-28T10:00:00Z, upgrade to starter. 95 of 100 messages used. It starts again on 2027-02-28T10:00:00Z. The Starter plan allows it.
    limit_reached: 95 of 100, 5 left, resets 2027-02-28T10:00:00Z, upgrade to pro. 95 of 100 messages used. It starts again on 2027-02-28T10:00:00Z. The Pro plan allows it.
    limit_reached: 0 of 5, 5 left, resets 2027-02-01T00:00:00Z, upgrade to starter. 0 of 5 prompts used. It starts again on 2027-02-01T00:00:00Z. The Starter plan allows it.
    limit_reached: 0 of 1, 1 left, upgrade to starter. providers per prompt is 1 on this plan. The Starter plan allows it.
    limit_reached: 0 of 1, 1 left. providers per prompt is 1 on this plan.
    not_in_plan: 0 of 0, 0 left, upgrade to starter. recommendations is not part of this plan. The Starter plan allows it.
    not_in_plan: 0 of 0, 0 left, upgrade to pro. api access is not part of this plan. The Pro plan allows it.
    credits_empty: 0 of unlimited, 3 left, upgrade to starter. 3 ai credits are left, which is not enough. The Starter plan allows it.
    unknown_feature: 0 of 0, 0 left. The catalog has no feature "chatbot": check its name, or add it and apply the catalog.
    spending_paused: 0 of unlimited, 3 left. Spending of ai credits is paused.
    "#);
    world.check();
}

fn every_yes_says_what_is_left(mut world: World) {
    for id in ["ana", "pro", "try"] {
        world.customer(id);
    }
    world.buy("pro", "pro");
    let buy = Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: None };
    let customer = "try".parse().unwrap();
    let trial = Purchase { customer, buy, currency: None, return_path: None };
    world.buy_with(&trial, GOOD_CARD);
    exception(&world, "ana", "galleries", Limit::Unlimited);
    exception(&world, "ana", "api_access", Limit::Switch(true));
    let mut lines = String::new();
    for (id, feature, amount) in [
        ("ana", "chatbots", 1),
        ("ana", "storage", 1_234_567),
        ("ana", "messages", 100),
        ("ana", "prompts", 4),
        ("ana", "providers_per_prompt", 1),
        ("ana", "ai", 500),
        ("ana", "galleries", 1_000),
        ("ana", "api_access", 1),
        ("try", "chatbots", 2),
        ("try", "recommendations", 1),
        ("pro", "chatbots", 1_000_000),
        ("pro", "white_label", 1),
    ] {
        let answer = world.consume(id, feature, amount);
        assert!(answer.allowed, "{id} {feature}: {answer:?}");
        lines += &line(&answer);
    }
    insta::assert_snapshot!(lines, @r"
    ok: 1 of 1, 0 left. 1 of 1 chatbots used.
    ok: 1234567 of 500000000, 498765433 left. 1.3 MB of 500 MB storage used.
    ok: 100 of 100, 0 left, resets 2027-02-28T10:00:00Z. 100 of 100 messages used.
    ok: 4 of 5, 1 left, resets 2027-02-01T00:00:00Z. 4 of 5 prompts used.
    ok: 0 of 1, 1 left. providers per prompt is included.
    ok: 0 of unlimited, 0 left. 0 ai credits are left.
    override: 1000 of unlimited, unlimited left. 1000 of unlimited galleries used.
    override: 0 of 1, 1 left. api access is included.
    trial: 2 of 3, 1 left. 2 of 3 chatbots used.
    trial: 0 of 1, 1 left. recommendations is included.
    ok: 1000000 of unlimited, unlimited left. 1000000 of unlimited chatbots used.
    ok: 0 of 1, 1 left. white label is included.
    ");
    world.check();
}

fn overage_is_allowed_up_to_its_cap(mut world: World) {
    world.customer("ana");
    world.buy("ana", "pro");
    let mut lines = String::new();
    for amount in [50_000, 1, 50_000, 49_999, 1] {
        lines += &line(&world.consume("ana", "messages", amount));
    }
    insta::assert_snapshot!(lines, @r"
    ok: 50000 of 50000, 0 left, resets 2027-02-28T10:00:00Z. 50000 of 50000 messages used.
    overage: 50001 of 50000, 0 left, resets 2027-02-28T10:00:00Z. 50001 messages used; above 50000 they are billed.
    overage_cap: 50001 of 50000, 0 left, resets 2027-02-28T10:00:00Z. 50001 messages used; no more than 100000 may be billed. It starts again on 2027-02-28T10:00:00Z.
    overage: 100000 of 50000, 0 left, resets 2027-02-28T10:00:00Z. 100000 messages used; above 50000 they are billed.
    overage_cap: 100000 of 50000, 0 left, resets 2027-02-28T10:00:00Z. 100000 messages used; no more than 100000 may be billed. It starts again on 2027-02-28T10:00:00Z.
    ");
    assert_eq!(world.state("ana").features["messages"].used, 100_000);
    world.check();
}

fn an_overdue_payment_leaves_only_reading_and_giving_back(world: World) {
    let id = world.customer("ana");
    world.consume("ana", "chatbots", 1);
    let since = world.now();
    world.by_hand(move |tx| {
        let mut ana = customers::lock(tx, &id)?.unwrap();
        ana.standing = Standing::ReadOnly { since };
        customers::save(tx, &ana)
    });
    exception(&world, "ana", "galleries", Limit::Amount(9));
    assert_eq!(world.state("ana").standing, "read_only");
    let mut lines = String::new();
    for feature in ["chatbots", "galleries", "messages", "providers_per_prompt", "ai"] {
        lines += &line(&world.consume("ana", feature, 1));
    }
    lines += &line(&world.release("ana", "chatbots", 1));
    insta::assert_snapshot!(lines, @r"
    read_only: 1 of 1, 0 left. A payment is overdue, so nothing new can be used until it is paid.
    read_only: 0 of 9, 9 left. A payment is overdue, so nothing new can be used until it is paid.
    read_only: 0 of 100, 100 left, resets 2027-02-28T10:00:00Z. A payment is overdue, so nothing new can be used until it is paid.
    read_only: 0 of 1, 1 left. A payment is overdue, so nothing new can be used until it is paid.
    read_only: 0 of unlimited, 500 left. A payment is overdue, so no credits can be spent until it is paid.
    ok: 0 of 1, 1 left. 0 of 1 chatbots used.
    ");
    assert_eq!(world.state("ana").credits["ai"].balance, 500);
    world.check();
}

fn a_check_answers_as_consume_would_and_writes_nothing(mut world: World) {
    world.customer("ana");
    world.buy("ana", "starter");
    let wants = [
        ("chatbots", 3),
        ("chatbots", 4),
        ("storage", 1),
        ("messages", 2_000),
        ("messages", 2_001),
        ("prompts", 11),
        ("providers_per_prompt", 2),
        ("providers_per_prompt", 3),
        ("recommendations", 1),
        ("white_label", 1),
        ("ai", 2_500),
        ("ai", 2_501),
        ("nothing", 1),
    ];
    for (feature, amount) in wants {
        let want = world.want("ana", feature, amount);
        let before = world.state("ana");
        let checked = world.engine.check(&want).unwrap();
        assert_eq!(world.state("ana"), before);
        let taken = world.engine.consume(&caller(), &want).unwrap();
        let why = |answer: &Answer| (answer.allowed, answer.code, answer.upgrade_to.clone());
        assert_eq!(why(&checked), why(&taken), "{feature} {amount}");
        if !taken.allowed {
            assert_eq!(checked, taken);
        }
    }
    world.check();
}

fn a_customer_who_is_not_there_is_said_to_be_missing(world: World) {
    for feature in ["chatbots", "messages", "ai", "nothing"] {
        let want = world.want("nobody", feature, 1);
        let engine = &world.engine;
        for outcome in [
            engine.check(&want),
            engine.consume(&caller(), &want),
            engine.release(&caller(), &want),
            engine.sync(&caller(), &want),
        ] {
            let missing = matches!(outcome, Err(EngineError::NotFound { what: "customer", ref id }) if id == "nobody");
            assert!(missing, "{feature}: {outcome:?}");
        }
    }
}

fn of_a_customer_who_was_erased_nothing_can_be_used(world: World) {
    let id = world.customer("ana");
    world.engine.delete_customer(&caller(), &id).unwrap();
    let gone = |outcome| assert!(matches!(outcome, Err(EngineError::NotFound { .. })));
    for feature in ["chatbots", "messages", "providers_per_prompt", "ai", "nothing"] {
        let want = world.want("ana", feature, 1);
        gone(world.engine.check(&want));
        gone(world.engine.consume(&caller(), &want));
    }
    let want = world.want("ana", "chatbots", 1);
    gone(world.engine.release(&caller(), &want));
    gone(world.engine.sync(&caller(), &want));
    world.customer("ana");
    assert_eq!(world.consume("ana", "chatbots", 1).code, Code::Ok);
    world.check();
}

fn an_amount_that_cannot_be_right_is_refused(world: World) {
    world.customer("ana");
    let want = |amount| world.want("ana", "chatbots", amount);
    for amount in [0, -1, i64::MIN, AMOUNT_MAX + 1, i64::MAX] {
        assert_eq!(invalid_code(world.engine.check(&want(amount))), "invalid_amount");
        let taken = world.engine.consume(&caller(), &want(amount));
        assert_eq!(invalid_code(taken), "invalid_amount");
        assert_eq!(invalid_code(world.engine.release(&caller(), &want(amount))), "invalid_amount");
    }
    for amount in [-1, i64::MIN, AMOUNT_MAX + 1] {
        assert_eq!(invalid_code(world.engine.sync(&caller(), &want(amount))), "invalid_amount");
    }
    assert_eq!(world.consume("ana", "chatbots", AMOUNT_MAX).code, Code::LimitReached);
    world.check();
}

fn just_before(end: Timestamp) -> Timestamp {
    Timestamp::from_micros(end.micros() - 1).unwrap()
}

fn a_month_ends_at_its_microsecond(world: World) {
    world.customer("ana");
    let end = world.consume("ana", "messages", 100).resets_at.unwrap();
    assert_eq!(end, at("2027-02-28T10:00:00Z"));
    world.clock.set(just_before(end));
    assert_eq!(
        world.engine.check(&world.want("ana", "messages", 1)).unwrap().code,
        Code::LimitReached
    );
    assert_eq!(world.consume("ana", "messages", 1).code, Code::LimitReached);
    world.check();
    world.clock.set(end);
    assert_eq!(world.state("ana").features["messages"].used, 0);
    assert_eq!(world.engine.check(&world.want("ana", "messages", 1)).unwrap().used, 0);
    let taken = world.consume("ana", "messages", 1);
    assert_eq!((taken.code, taken.used), (Code::Ok, 1));
    assert_eq!(taken.resets_at, Some(at("2027-03-31T10:00:00Z")), "from the anchor, the 31st");
    assert_eq!(world.consume("ana", "messages", 100).code, Code::LimitReached);
    assert_eq!(world.consume("ana", "messages", 99).code, Code::Ok);
    world.check();
}

fn a_day_ends_at_midnight_in_utc(world: World) {
    world.customer("ana");
    let first = world.consume("ana", "prompts", 5);
    assert_eq!(first.resets_at, Some(at("2027-02-01T00:00:00Z")));
    world.clock.set(at("2027-01-31T23:59:59.999999Z"));
    assert_eq!(world.consume("ana", "prompts", 1).code, Code::LimitReached);
    world.clock.set(at("2027-02-01T00:00:00Z"));
    let next = world.consume("ana", "prompts", 5);
    assert_eq!((next.code, next.resets_at), (Code::Ok, Some(at("2027-02-02T00:00:00Z"))));
    assert_eq!(world.consume("ana", "prompts", 1).code, Code::LimitReached);
    world.clock.set(at("2027-07-01T12:00:00Z"));
    assert_eq!(world.consume("ana", "prompts", 5).resets_at, Some(at("2027-07-02T00:00:00Z")));
    world.check();
}

fn takers_at_a_windows_end_fill_one_window_and_not_two(world: World) {
    world.customer("ana");
    let end = world.consume("ana", "messages", 95).resets_at.unwrap();
    world.clock.set(just_before(end));
    let taken: i64 = std::thread::scope(|scope| {
        let world = &world;
        let takers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let mut taken = 0;
                    for n in 0..20 {
                        if n == 10 {
                            world.clock.set(end);
                        }
                        taken += i64::from(world.consume("ana", "messages", 1).allowed);
                    }
                    taken
                })
            })
            .collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).sum()
    });
    let used = world.state("ana").features["messages"].used;
    assert!(used <= 100 && taken - used <= 5, "{taken} taken, {used} of them in the new window");
    world.check();
}

fn sync(world: &World, id: &str, feature: &str, used: i64) -> Answer {
    world.engine.sync(&caller(), &world.want(id, feature, used)).unwrap()
}

fn what_is_held_is_set_given_back_and_never_negative(world: World) {
    world.customer("ana");
    let mut lines = line(&sync(&world, "ana", "chatbots", 4));
    lines += &line(&world.consume("ana", "chatbots", 1));
    lines += &line(&world.release("ana", "chatbots", 3));
    lines += &line(&world.consume("ana", "chatbots", 1));
    lines += &line(&world.release("ana", "chatbots", 1));
    lines += &line(&world.consume("ana", "chatbots", 1));
    lines += &line(&world.release("ana", "chatbots", AMOUNT_MAX));
    lines += &line(&world.release("ana", "chatbots", 1));
    lines += &line(&sync(&world, "ana", "chatbots", 0));
    lines += &line(&sync(&world, "ana", "storage", AMOUNT_MAX));
    insta::assert_snapshot!(lines, @r"
    ok: 4 of 1, 0 left. 4 of 1 chatbots used.
    limit_reached: 4 of 1, 0 left, upgrade to growth. 4 of 1 chatbots used. The Growth plan allows it.
    ok: 1 of 1, 0 left. 1 of 1 chatbots used.
    limit_reached: 1 of 1, 0 left, upgrade to starter. 1 of 1 chatbots used. The Starter plan allows it.
    ok: 0 of 1, 1 left. 0 of 1 chatbots used.
    ok: 1 of 1, 0 left. 1 of 1 chatbots used.
    ok: 0 of 1, 1 left. 0 of 1 chatbots used.
    ok: 0 of 1, 1 left. 0 of 1 chatbots used.
    ok: 0 of 1, 1 left. 0 of 1 chatbots used.
    ok: 1000000000000000 of 500000000, 0 left. 1000 TB of 500 MB storage used.
    ");
    world.check();
}

fn only_what_is_held_can_be_given_back_or_set(world: World) {
    world.customer("ana");
    world.consume("ana", "messages", 3);
    for (feature, code) in [
        ("messages", "not_a_count"),
        ("providers_per_prompt", "not_a_count"),
        ("recommendations", "not_a_count"),
        ("ai", "not_a_count"),
        ("nothing", "unknown_feature"),
    ] {
        let want = world.want("ana", feature, 1);
        assert_eq!(invalid_code(world.engine.release(&caller(), &want)), code, "{feature}");
        assert_eq!(invalid_code(world.engine.sync(&caller(), &want)), code, "{feature}");
    }
    assert_eq!(world.state("ana").features["messages"].used, 3);
    world.check();
}

fn parallel_releases_never_go_below_zero(world: World) {
    world.customer("ana");
    sync(&world, "ana", "chatbots", 5);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| world.release("ana", "chatbots", 1));
        }
    });
    assert_eq!(world.state("ana").features["chatbots"].used, 0);
    world.check();
}

fn use_that_is_reported_afterwards_counts_once_and_in_its_window(world: World) {
    let ana: CustomerId = world.customer("ana");
    let now = at("2027-03-02T00:00:00Z");
    world.clock.set(now);
    let report = |id: &str, at: Timestamp| Report {
        id: id.to_owned(),
        customer: ana.clone(),
        feature: "messages".to_owned(),
        amount: 30,
        at,
    };
    let month = at("2027-02-28T10:00:00Z");
    let too_old = now.plus_intervals(-35, Interval::Day);
    let feature = |feature: &str| Report { feature: feature.to_owned(), ..report("f", now) };
    let reports = vec![
        report("now", now),
        report("now", now),
        report("first", month),
        report("before", just_before(month)),
        report("before", month),
        report("oldest", too_old),
        report("older", just_before(too_old)),
        report("later", Timestamp::from_micros(now.micros() + 1).unwrap()),
        Report { amount: 0, ..report("nothing", now) },
        Report { amount: AMOUNT_MAX + 1, ..report("huge", now) },
        Report { amount: AMOUNT_MAX, ..report("all", now) },
        Report { customer: "nobody".parse().unwrap(), ..report("whose", now) },
        feature("chatbots"),
        feature("ai"),
        feature("nothing"),
    ];
    let (accepted, duplicate) = (Reported::Accepted, Reported::Duplicate);
    let expected = [
        accepted,
        duplicate,
        accepted,
        accepted,
        duplicate,
        accepted,
        Reported::Rejected("too_old"),
        Reported::Rejected("in_the_future"),
        Reported::Rejected("invalid_amount"),
        Reported::Rejected("invalid_amount"),
        Reported::Rejected("invalid_amount"),
        Reported::Rejected("unknown_customer"),
        Reported::Rejected("not_usage"),
        Reported::Rejected("unknown_feature"),
        Reported::Rejected("unknown_feature"),
    ];
    assert_eq!(world.engine.report(reports).unwrap(), expected);
    assert_eq!(world.state("ana").features["messages"].used, 60);
    world.check();
    let above = Report { amount: 70, ..report("above", now) };
    assert_eq!(world.engine.report(vec![above.clone(), above]).unwrap(), [accepted, duplicate]);
    assert_eq!(world.state("ana").features["messages"].used, 130, "what was used is used");
    assert_eq!(world.consume("ana", "messages", 1).code, Code::LimitReached);
    assert_eq!(world.engine.report(vec![report("now", now)]).unwrap(), [duplicate]);
    world.check();
}

fn an_exception_can_take_away_and_is_counted_from_what_is_held(world: World) {
    let id = world.customer("ana");
    sync(&world, "ana", "galleries", 2);
    let mut lines = String::new();
    for limit in [Limit::Amount(3), Limit::Amount(0), Limit::Unlimited] {
        exception(&world, "ana", "galleries", limit);
        lines += &line(&world.consume("ana", "galleries", 1));
        world.check();
    }
    exception(&world, "ana", "providers_per_prompt", Limit::Amount(0));
    lines += &line(&world.consume("ana", "providers_per_prompt", 1));
    world.engine.delete_override(&caller(), &id, "galleries").unwrap();
    lines += &line(&world.consume("ana", "galleries", 1));
    insta::assert_snapshot!(lines, @r"
    override: 3 of 3, 0 left. 3 of 3 galleries used.
    limit_reached: 3 of 0, 0 left, upgrade to starter. 3 of 0 galleries used. The Starter plan allows it.
    override: 4 of unlimited, unlimited left. 4 of unlimited galleries used.
    not_in_plan: 0 of 0, 0 left, upgrade to starter. providers per prompt is not part of this plan. The Starter plan allows it.
    limit_reached: 4 of 2, 0 left, upgrade to starter. 4 of 2 galleries used. The Starter plan allows it.
    ");
    let again = world.engine.delete_override(&caller(), &id, "galleries").unwrap();
    assert_eq!(again.revision, world.state("ana").revision, "it was not there");
    for (feature, limit, code) in [
        ("galleries", Limit::Switch(true), "invalid_limit"),
        ("galleries", Limit::Amount(-1), "invalid_limit"),
        ("api_access", Limit::Unlimited, "invalid_limit"),
        ("providers_per_prompt", Limit::Unlimited, "invalid_limit"),
        ("ai", Limit::Unlimited, "unknown_feature"),
        ("nothing", Limit::Unlimited, "unknown_feature"),
    ] {
        let new = NewOverride { limit, reason: "because".to_owned(), expires_at: None };
        assert_eq!(invalid_code(world.engine.put_override(&caller(), &id, feature, &new)), code);
    }
    let new = |reason: &str, expires_at| NewOverride {
        limit: Limit::Unlimited,
        reason: reason.to_owned(),
        expires_at,
    };
    let put = |new| invalid_code(world.engine.put_override(&caller(), &id, "galleries", &new));
    assert_eq!(put(new(" ", None)), "invalid_reason");
    assert_eq!(put(new("why", Some(world.clock.now()))), "in_the_past");
    world.check();
}
