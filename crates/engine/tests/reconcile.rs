//! Without any event, and after mischief: ours becomes what the provider has, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::change::Command;
use farthing_engine::EngineError;
use farthing_engine::reconcile::{Drift, DriftReport, State};
use farthing_store::{alerts, audit};
use serde_json::json;

use world::{GOOD_CARD, World, caller};

on_both!(
    a_healthy_world_has_no_drift,
    a_purchase_whose_events_are_all_lost_is_found,
    what_differs_is_told_first_and_repaired_on_request,
    a_dry_run_changes_nothing_and_tells_what_the_repair_does,
    what_was_written_into_the_database_by_hand_is_found_and_told_apart,
    credits_that_were_paid_for_and_are_missing_are_granted_once,
    credits_that_nobody_paid_for_are_told_and_not_taken,
    what_the_provider_does_not_have_is_for_a_person,
    a_subscription_of_nobody_is_told_until_it_is_gone,
    a_difference_that_may_stay_is_not_told_again_until_it_changes,
    a_price_that_nobody_knows_stops_nothing_else,
    a_change_under_way_is_left_alone,
    with_webhooks_switched_off_a_whole_life_converges,
);

/// Everything that differs, of everybody.
fn walk(world: &World, fix: bool) -> Vec<Drift> {
    let mut found = Vec::new();
    let tell = &mut |report: &DriftReport| found.extend(report.findings.clone());
    let walked = world.engine.reconcile_all(&caller(), fix, tell).unwrap();
    assert_eq!(walked.findings, u64::try_from(found.len()).unwrap());
    found
}

fn look(world: &World, id: &str, fix: bool) -> Vec<Drift> {
    world.engine.reconcile_customer(&caller(), &id.parse().unwrap(), fix).unwrap().findings
}

/// `field ours theirs repair` of each.
fn told(found: &[Drift]) -> Vec<String> {
    let line =
        |it: &Drift| format!("{} {} -> {} {}", it.field, it.ours, it.theirs, it.repair.as_str());
    found.iter().map(line).collect()
}

fn subscription_path(world: &World) -> String {
    let found = world.at_provider("GET", "/v1/subscriptions", &[]);
    format!("/v1/subscriptions/{}", found["data"][0]["id"].as_str().unwrap())
}

/// Everything that an app can see of a customer, and every line of the log.
fn books(world: &World, id: &str) -> (farthing_engine::state::State, usize) {
    let lines = world.engine.timeline(&id.parse().unwrap(), None, 500).unwrap();
    let lines = lines.iter().filter(|line| line.action != "reconcile.drift_found").count();
    (world.state(id), lines)
}

fn a_healthy_world_has_no_drift(mut world: World) {
    world.customer("nobody");
    world.customer("ana");
    world.buy("ana", "growth");
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    world.customer("tim");
    let mut trial = world.plan("tim", "starter");
    if let farthing_engine::checkouts::Buy::Plan { trial, .. } = &mut trial.buy {
        *trial = None;
    }
    world.buy_with(&trial, "5555555555554444");
    world.customer("yve");
    let mut yearly = world.plan("yve", "growth");
    if let farthing_engine::checkouts::Buy::Plan { interval, .. } = &mut yearly.buy {
        *interval = farthing_core::time::Interval::Year;
    }
    world.buy_with(&yearly, GOOD_CARD);
    assert_eq!(told(&walk(&world, false)), [""; 0]);
    world.advance_days(20);
    let sub = world.state("ana").subscription.unwrap().id;
    let up = Command::Change { plan: "pro".to_owned(), interval: None };
    world.engine.change(&caller(), &sub, &up, None).unwrap();
    world.settle();
    assert_eq!(told(&walk(&world, false)), [""; 0]);
    let down = Command::Change { plan: "growth".to_owned(), interval: None };
    world.engine.change(&caller(), &sub, &down, None).unwrap();
    world.settle();
    for _ in 0..5 {
        world.advance_days(17);
        assert_eq!(told(&walk(&world, false)), [""; 0], "{}", world.now());
    }
    assert_eq!(look(&world, "ana", true), []);
    assert_eq!(world.engine.drift(None, None, "", 10).unwrap(), []);
    world.check();
}

fn a_purchase_whose_events_are_all_lost_is_found(mut world: World) {
    world.customer("ana");
    let page = world.checkout(&world.plan("ana", "growth")).unwrap();
    assert_eq!(world.pay(&page, GOOD_CARD), 303);
    world.take_deliveries();
    let found = look(&world, "ana", false);
    let lines = told(&found);
    assert!(lines.contains(&"subscription missing -> active absorb".to_owned()), "{lines:?}");
    assert!(lines.contains(&"credits.ai 500 -> 10500 absorb".to_owned()), "{lines:?}");
    assert!(found.iter().all(|one| !one.repaired));
    assert_eq!(world.state("ana").plan, "free", "nothing is changed without being asked");
    let fixed = look(&world, "ana", true);
    assert!(fixed.iter().all(|one| one.repaired));
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
    assert_eq!(look(&world, "ana", false), []);
    world.check();
}

fn what_differs_is_told_first_and_repaired_on_request(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let path = subscription_path(&world);
    world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
    world.take_deliveries();
    let expected = "cancel_at none -> 2027-02-28T10:00:00Z absorb";
    assert_eq!(told(&look(&world, "ana", false)), [expected]);
    let open = world.engine.drift(Some(State::Open), None, "", 10).unwrap();
    assert_eq!((open.len(), open[0].field.as_str(), open[0].state), (1, "cancel_at", "open"));
    assert_eq!(told(&walk(&world, true)), [expected]);
    assert!(world.state("ana").subscription.unwrap().cancel_at.is_some());
    let all = world.engine.drift(None, Some(&"ana".parse().unwrap()), "", 10).unwrap();
    assert_eq!((all.len(), all[0].state, all[0].id == open[0].id), (1, "repaired", true));
    let line = &world.engine.timeline(&"ana".parse().unwrap(), None, 1).unwrap()[0];
    assert_eq!(line.action, "reconcile.drift_found");
    assert_eq!(line.to.as_ref().unwrap()["found"][0]["repaired"], json!(true));
    world.check();
}

fn a_dry_run_changes_nothing_and_tells_what_the_repair_does(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.take_deliveries();
    // A month passes in which nothing arrives and nobody works.
    let later = world.now().plus_seconds(40 * 86_400);
    world.provider().advance_to(later.seconds());
    world.clock.set(later);
    world.take_deliveries();
    let before = books(&world, "ana");
    let dry = look(&world, "ana", false);
    assert_eq!(books(&world, "ana"), before);
    assert!(told(&dry).contains(&"standing good -> past_due absorb".to_owned()), "{dry:?}");
    let again = look(&world, "ana", false);
    assert_eq!(again, dry);
    let fixed = look(&world, "ana", true);
    let unrepaired = |one: &Drift| Drift { repaired: false, ..one.clone() };
    assert_eq!(fixed.iter().map(unrepaired).collect::<Vec<_>>(), dry);
    assert_eq!(world.state("ana").standing, "past_due");
    assert_eq!(look(&world, "ana", false), []);
    world.check();
}

fn what_was_written_into_the_database_by_hand_is_found_and_told_apart(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.advance_days(1);
    for (sql, back, expected) in [
        (
            "UPDATE entitlements SET limit_amount = 99, ceiling = 99 WHERE feature = 'chatbots'",
            "",
            "limits.chatbots 99 -> 10 rematerialize",
        ),
        ("UPDATE customers SET plan = 'pro'", "", "plan pro -> growth rematerialize"),
        (
            "UPDATE subscriptions SET period_end = period_end + 864000000000",
            "UPDATE subscriptions SET period_end = period_end - 864000000000",
            "period_end 2027-03-10T10:00:00Z -> 2027-02-28T10:00:00Z person",
        ),
        (
            "UPDATE subscriptions SET plan = 'pro'",
            "UPDATE subscriptions SET plan = 'growth'",
            "plan pro -> growth person",
        ),
        (
            "UPDATE subscriptions SET status = 'canceled', ended_at = 1",
            "UPDATE subscriptions SET status = 'active', ended_at = NULL",
            "status canceled -> active person",
        ),
        ("DELETE FROM invoices", "", "invoice missing -> paid absorb"),
    ] {
        world.by_hand(move |tx| tx.execute(sql, &[]));
        let dry = told(&look(&world, "ana", false));
        assert!(dry.contains(&expected.to_owned()), "{sql}: {dry:?}");
        look(&world, "ana", true);
        if !back.is_empty() {
            let still = told(&look(&world, "ana", true));
            assert!(still.contains(&expected.to_owned()), "a person has to: {still:?}");
            let alerts = world.engine.store().read(|tx| alerts::list_open(tx, 9)).unwrap();
            let about: Vec<_> = alerts.iter().map(|it| it.detail.as_str()).collect();
            assert!(alerts.iter().any(|it| it.kind == "drift"), "{about:?}");
            world.by_hand(move |tx| tx.execute(back, &[]));
            look(&world, "ana", true);
        }
        assert_eq!(told(&look(&world, "ana", false)), [""; 0], "after {sql}");
        let alerts = world.engine.store().read(|tx| alerts::list_open(tx, 9)).unwrap();
        assert_eq!(alerts, [], "after {sql}");
    }
    world.check();
}

fn credits_that_were_paid_for_and_are_missing_are_granted_once(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.buy_with(&world.pack("ana", "ai_500"), GOOD_CARD);
    let before = world.state("ana").credits["ai"].balance;
    // As if the grants had never been made: under other names.
    for sql in [
        "UPDATE credit_grants SET business_key = 'lost:1' WHERE business_key LIKE 'period:%'",
        "UPDATE credit_grants SET business_key = 'lost:2' WHERE business_key LIKE 'checkout:%'",
    ] {
        assert_eq!(world.by_hand(move |tx| tx.execute(sql, &[])), 1);
    }
    let lines = told(&look(&world, "ana", false));
    assert_eq!(
        lines,
        ["credits.ai not granted -> 10000 grant", "credits.ai not granted -> 500 grant"]
    );
    assert_eq!(world.state("ana").credits["ai"].balance, before);
    look(&world, "ana", true);
    assert_eq!(world.state("ana").credits["ai"].balance, before + 10_500);
    assert_eq!(look(&world, "ana", true), []);
    world.check();
}

fn credits_that_nobody_paid_for_are_told_and_not_taken(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let shift = "UPDATE credit_grants SET business_key = REPLACE(business_key, ':growth', ':pro')
                 WHERE business_key LIKE 'period:%'";
    assert_eq!(world.by_hand(move |tx| tx.execute(shift, &[])), 1);
    let balance = world.state("ana").credits["ai"].balance;
    let lines = told(&look(&world, "ana", true));
    assert!(lines.contains(&"credits.ai 10000 -> not paid for person".to_owned()), "{lines:?}");
    assert!(balance <= world.state("ana").credits["ai"].balance);
}

fn what_the_provider_does_not_have_is_for_a_person(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let rename = "UPDATE subscriptions SET provider_id = 'sub_gone'";
    world.by_hand(move |tx| tx.execute(rename, &[]));
    let lines = told(&look(&world, "ana", true));
    assert!(lines.contains(&"subscription active -> missing person".to_owned()), "{lines:?}");
    // What was paid for had its effect under the name that is gone: it is not given twice.
    assert!(lines.contains(&"status incomplete -> active person".to_owned()), "{lines:?}");
    assert_eq!(world.state("ana").plan, "growth");
    let found = world.at_provider("GET", "/v1/customers", &[]);
    let path = format!("/v1/customers/{}", found["data"][0]["id"].as_str().unwrap());
    world.at_provider("DELETE", &path, &[]);
    world.take_deliveries();
    let lines = told(&look(&world, "ana", true));
    assert!(lines.contains(&"customer linked -> missing person".to_owned()), "{lines:?}");
}

fn a_subscription_of_nobody_is_told_until_it_is_gone(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let customer = world.at_provider("POST", "/v1/customers", &[("email", "x@example.com")]);
    let customer = customer["id"].as_str().unwrap();
    let card = world.at_provider(
        "POST",
        "/v1/payment_methods/pm_card_visa/attach",
        &[("customer", customer)],
    );
    let prices = world.at_provider("GET", "/v1/prices", &[("limit", "100")]);
    let monthly = |it: &&serde_json::Value| it["recurring"]["interval"] == "month";
    let price = prices["data"].as_array().unwrap().iter().find(monthly).unwrap();
    let form = [
        ("customer", customer),
        ("items[0][price]", price["id"].as_str().unwrap()),
        ("default_payment_method", card["id"].as_str().unwrap()),
    ];
    let sub = world.at_provider("POST", "/v1/subscriptions", &form);
    world.take_deliveries();
    for _ in 0..2 {
        let lines = told(&walk(&world, true));
        assert_eq!(lines, [format!("customer nobody's -> runs for {customer} person")]);
    }
    let path = format!("/v1/subscriptions/{}", sub["id"].as_str().unwrap());
    world.at_provider("DELETE", &path, &[]);
    world.take_deliveries();
    world.clock.set(world.now().plus_seconds(60));
    assert_eq!(walk(&world, true), []);
    let all = world.engine.drift(None, None, "", 10).unwrap();
    assert_eq!((all.len(), all[0].state), (1, "gone"));
    let alerts = world.engine.store().read(|tx| alerts::list_open(tx, 9)).unwrap();
    assert!(alerts.iter().all(|it| it.kind != "drift"), "{alerts:?}");
}

fn a_difference_that_may_stay_is_not_told_again_until_it_changes(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let later = "UPDATE subscriptions SET period_end = period_end + 1000000";
    world.by_hand(move |tx| tx.execute(later, &[]));
    look(&world, "ana", true);
    let open = world.engine.drift(Some(State::Open), None, "", 10).unwrap();
    let short = world.engine.ignore_drift(&caller(), &open[0].id, "fine").unwrap_err();
    assert!(matches!(short, EngineError::Invalid(_)), "{short:?}");
    let ignored = world.engine.ignore_drift(&caller(), &open[0].id, "a second is nothing").unwrap();
    assert_eq!(
        (ignored.state, ignored.reason.as_deref()),
        ("ignored", Some("a second is nothing"))
    );
    let report = world.engine.reconcile_customer(&caller(), &"ana".parse().unwrap(), true).unwrap();
    assert_eq!((report.findings.len(), report.findings[0].ignored, report.open()), (1, true, 0));
    world.by_hand(move |tx| tx.execute(later, &[]));
    assert!(!look(&world, "ana", true)[0].ignored, "it is another difference by now");
    let open = world.engine.drift(Some(State::Open), None, "", 10).unwrap();
    assert_eq!(open.len(), 1);
    let back = "UPDATE subscriptions SET period_end = period_end - 2000000";
    world.by_hand(move |tx| tx.execute(back, &[]));
    assert_eq!(look(&world, "ana", true), []);
    let over = world.engine.ignore_drift(&caller(), &open[0].id, "it was nothing").unwrap_err();
    assert!(matches!(over, EngineError::Refused { code: "drift_over", .. }), "{over:?}");
    let audited = world.engine.store().read(|tx| audit::list(tx, None, i64::MAX, 50)).unwrap();
    assert!(audited.iter().any(|line| line.record.action == "drift.ignored"));
}

fn a_price_that_nobody_knows_stops_nothing_else(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.customer("bob");
    world.buy("bob", "growth");
    let path = subscription_path(&world);
    world.at_provider("POST", &path, &[("cancel_at_period_end", "true")]);
    let prices = world.at_provider("GET", "/v1/prices", &[("limit", "100")]);
    let product = prices["data"][0]["product"].as_str().unwrap();
    let form = [
        ("currency", "usd"),
        ("unit_amount", "100"),
        ("product", product),
        ("recurring[interval]", "month"),
    ];
    let odd = world.at_provider("POST", "/v1/prices", &form);
    let subs = world.at_provider("GET", "/v1/subscriptions", &[]);
    let of_ana = &subs["data"][1];
    let path = format!("/v1/subscriptions/{}", of_ana["id"].as_str().unwrap());
    let item = of_ana["items"]["data"][0]["id"].as_str().unwrap();
    let price = odd["id"].as_str().unwrap();
    world.at_provider("POST", &path, &[("items[0][id]", item), ("items[0][price]", price)]);
    world.take_deliveries();
    let lines = told(&walk(&world, true));
    assert!(lines.iter().any(|it| it.starts_with("meaning nothing -> unknown price")), "{lines:?}");
    assert!(
        lines.contains(&"cancel_at none -> 2027-02-28T10:00:00Z absorb".to_owned()),
        "{lines:?}"
    );
    assert_eq!(world.state("ana").plan, "growth");
}

fn a_change_under_way_is_left_alone(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    let sub = world.state("ana").subscription.unwrap().id;
    world.line.lose_answer(0);
    let up = Command::Change { plan: "pro".to_owned(), interval: None };
    assert!(world.engine.change(&caller(), &sub, &up, None).is_err());
    world.line.heal();
    world.take_deliveries();
    let report = world.engine.reconcile_customer(&caller(), &"ana".parse().unwrap(), true).unwrap();
    assert!(report.skipped.is_some() && report.findings.is_empty(), "{report:?}");
    world.advance_days(1);
    assert_eq!(world.state("ana").plan, "pro");
    assert_eq!(look(&world, "ana", false), []);
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
    let path = subscription_path(&world);
    world.at_provider("DELETE", &path, &[]);
    world.advance_days_without_events(2);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(told(&walk(&world, false)), [""; 0]);
    world.check();
}
