//! Trying a failed payment again: when, how often, and when not, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use std::sync::{Arc, Mutex};

use farthing_core::catalog::SAMPLE;
use farthing_core::time::Timestamp;
use farthing_engine::EngineError;
use farthing_engine::dunning::{DunningCase, RetryOutcome};
use farthing_engine::state::TimelineEntry;

use world::{Fate, World, caller};

on_both!(
    each_step_of_the_schedule_is_tried_once_and_only_by_us,
    a_retry_that_works_restores_everything,
    a_lost_answer_is_asked_for_and_never_tried_under_another_key,
    a_paid_invoice_is_not_tried_again,
    retries_that_were_slept_through_are_one,
    a_lost_card_is_not_tried_again_until_there_is_another,
    a_bank_that_wants_the_customer_is_not_tried_blindly,
    no_money_and_an_expired_card_say_so_and_are_tried_again,
    a_new_card_is_tried_at_once_and_once,
    the_providers_retries_are_only_watched,
    giving_up_voids_the_invoice_so_that_nobody_pays_for_nothing,
    money_that_arrives_while_giving_up_is_not_thrown_away,
    a_customer_who_is_asked_to_pay_sees_the_amount_and_pays_once,
    a_second_click_charges_nothing,
    a_decline_is_an_answer_and_a_paid_invoice_a_refusal,
    what_was_shown_is_what_is_charged,
    without_any_event_it_is_the_same,
);

/// A customer whose card stops paying, for `decline`, before the renewal of 28 February.
fn failing(mut world: World, decline: &str) -> World {
    world.customer("ana");
    world.buy("ana", "growth");
    break_card(&world, decline);
    world.advance_to(at("2027-02-28T12:00:00Z"));
    assert_eq!(world.state("ana").standing, "past_due");
    world
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What pays for the subscription now.
fn method(world: &World) -> String {
    let found = world.at_provider("GET", "/v1/subscriptions", &[]);
    found["data"][0]["default_payment_method"].as_str().unwrap().to_owned()
}

fn break_card(world: &World, decline: &str) {
    let method = method(world);
    let params = [("payment_method", method.as_str()), ("decline_code", decline)];
    world.provider().scenario("card_fails", &params).unwrap();
}

fn heal_card(world: &World) {
    let method = method(world);
    world.provider().scenario("card_heals", &[("payment_method", &method)]).unwrap();
}

fn case(world: &World) -> DunningCase {
    world.engine.dunning_case(&"ana".parse().unwrap()).unwrap().unwrap()
}

fn sub(world: &World) -> String {
    world.state("ana").subscription.unwrap().id
}

fn said(world: &World, action: &str) -> Vec<TimelineEntry> {
    let all = world.engine.timeline(&"ana".parse().unwrap(), None, 200).unwrap();
    all.into_iter().filter(|entry| entry.action == action).collect()
}

/// The keys under which the provider is asked for money from now on.
fn watch_pays(world: &World) -> Arc<Mutex<Vec<String>>> {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    world.line.set(move |request| {
        if request.method == "POST" && request.path.ends_with("/pay") {
            seen.lock().unwrap().push(request.idempotency_key.clone().unwrap());
        }
        Fate::Answered
    });
    keys
}

/// How many charges were tried at the provider for the newest invoice, and by how many
/// it was paid.
fn charges(world: &World) -> (usize, usize) {
    let all = world.at_provider("GET", "/v1/charges?limit=100", &[]);
    let all = all["data"].as_array().unwrap();
    let paid = all.iter().filter(|charge| charge["paid"] == true).count();
    (all.len(), paid)
}

fn each_step_of_the_schedule_is_tried_once_and_only_by_us(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let failed = case(&world);
    assert_eq!(failed.since, at("2027-02-28T11:00:00Z"));
    assert_eq!(failed.next_retry_at, Some(at("2027-03-01T11:00:00Z")), "one day after");
    assert_eq!(failed.read_only_from, at("2027-03-07T11:00:00Z"));
    assert_eq!(failed.ends_at, at("2027-03-16T11:00:00Z"));
    assert_eq!(failed.amount.unwrap().minor, 6_900);
    let keys = watch_pays(&world);
    let (before, _) = charges(&world);
    world.advance_to(at("2027-03-16T10:00:00Z"));
    assert_eq!(keys.lock().unwrap().len(), 4, "after 1, 3, 5 and 7 days");
    let (tried, paid) = charges(&world);
    assert_eq!((tried - before, paid), (4, 1), "the provider's own retries are off");
    let mut unlike = keys.lock().unwrap().clone();
    unlike.sort();
    unlike.dedup();
    assert_eq!(unlike.len(), 4, "each under its own key");
    let planned: Vec<_> = said(&world, "dunning.retry_scheduled");
    let mut days: Vec<String> = planned.iter().map(|it| it.effective_at.to_string()).collect();
    days.reverse();
    assert_eq!(
        days,
        ["2027-03-01", "2027-03-03", "2027-03-05", "2027-03-07"].map(|d| format!("{d}T11:00:00Z"))
    );
    assert_eq!(said(&world, "dunning.started").len(), 1);
    assert_eq!(said(&world, "dunning.access_limited").len(), 1);
    assert_eq!(case(&world).next_retry_at, None);
    world.check();
}

fn a_retry_that_works_restores_everything(world: World) {
    let mut world = failing(world, "insufficient_funds");
    world.advance_days(3);
    heal_card(&world);
    world.advance_days(2);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing, state.dunning), ("growth", "good", None));
    assert_eq!(state.credits["ai"].balance, 10_500);
    let told = said(&world, "subscription.recovered")[0].to.clone().unwrap();
    assert_eq!(told["since"], "2027-02-28T11:00:00Z");
    assert_eq!(charges(&world).1, 2);
    world.advance_days(40);
    assert_eq!(charges(&world).1, 3, "and goes on as before");
    world.check();
}

fn a_lost_answer_is_asked_for_and_never_tried_under_another_key(world: World) {
    let mut world = failing(world, "insufficient_funds");
    heal_card(&world);
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    world.line.set(move |request| {
        if request.method != "POST" || !request.path.ends_with("/pay") {
            return Fate::Answered;
        }
        seen.lock().unwrap().push(request.idempotency_key.clone().unwrap());
        Fate::AnswerLost
    });
    world.advance_to(at("2027-03-01T13:00:00Z"));
    assert_eq!(keys.lock().unwrap().len(), 1, "looked at before it is sent again, and it was paid");
    assert_eq!((world.state("ana").standing, charges(&world).1), ("good", 2));
    world.check();
}

fn a_paid_invoice_is_not_tried_again(world: World) {
    let mut world = failing(world, "insufficient_funds");
    heal_card(&world);
    let open = world.at_provider("GET", "/v1/invoices?status=open", &[]);
    let path = format!("/v1/invoices/{}/pay", open["data"][0]["id"].as_str().unwrap());
    world.at_provider("POST", &path, &[]);
    let keys = watch_pays(&world);
    world.advance_days_without_events(10);
    assert_eq!(keys.lock().unwrap().len(), 0, "the try looks first");
    assert_eq!((world.state("ana").standing, charges(&world).1), ("good", 2));
    world.check();
}

fn retries_that_were_slept_through_are_one(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let keys = watch_pays(&world);
    let late = at("2027-03-04T00:00:00Z");
    world.provider().advance_to(late.seconds());
    world.clock.set(late);
    world.settle();
    assert_eq!(keys.lock().unwrap().len(), 1);
    assert_eq!(case(&world).next_retry_at, Some(at("2027-03-05T11:00:00Z")));
    world.check();
}

fn a_lost_card_is_not_tried_again_until_there_is_another(world: World) {
    let mut world = failing(world, "lost_card");
    let failed = case(&world);
    assert_eq!((failed.path, failed.next_retry_at), ("new_card", None));
    assert!(!failed.reason.contains("lost"), "{}", failed.reason);
    let keys = watch_pays(&world);
    world.advance_days(5);
    assert_eq!(keys.lock().unwrap().len(), 0);
    assert!(said(&world, "dunning.retry_scheduled").is_empty());
    world.line.heal();
    world.change_card("ana", "pm_card_visa");
    world.settle();
    assert_eq!(world.state("ana").standing, "good");
    world.check();
}

fn a_bank_that_wants_the_customer_is_not_tried_blindly(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    world.change_card("ana", "pm_card_authenticationRequired");
    world.settle();
    world.advance_to(at("2027-02-28T12:00:00Z"));
    let failed = case(&world);
    assert_eq!((failed.path, failed.next_retry_at), ("confirm", None));
    assert_eq!(failed.decline_code.as_deref(), Some("authentication_required"));
    let told = said(&world, "payment.action_required");
    assert_eq!(told.len(), 1);
    let url = told[0].to.clone().unwrap()["payment_url"].as_str().unwrap().to_owned();
    assert_eq!(Some(url), failed.payment_url);
    let keys = watch_pays(&world);
    world.advance_days(6);
    assert_eq!(keys.lock().unwrap().len(), 0);
    assert_eq!(said(&world, "payment.action_required").len(), 1, "asked once, not every day");
    world.check();
}

fn no_money_and_an_expired_card_say_so_and_are_tried_again(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let poor = case(&world);
    assert_eq!((poor.path, poor.decline_code.as_deref()), ("retry", Some("insufficient_funds")));
    assert!(poor.reason.contains("enough money"), "{}", poor.reason);
    break_card(&world, "expired_card");
    world.advance_days(1);
    let expired = case(&world);
    assert_eq!((expired.path, expired.decline_code.as_deref()), ("retry", Some("expired_card")));
    assert!(expired.reason.contains("expired"), "{}", expired.reason);
    assert_eq!(expired.next_retry_at, Some(at("2027-03-03T11:00:00Z")));
    let state = world.state("ana");
    assert_eq!(state.dunning, Some(expired));
    world.check();
}

fn a_new_card_is_tried_at_once_and_once(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let keys = watch_pays(&world);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.settle();
    assert_eq!(keys.lock().unwrap().len(), 1, "it does not pay either");
    assert_eq!(case(&world).next_retry_at, Some(at("2027-03-01T11:00:00Z")), "the plan holds");
    world.settle();
    assert_eq!(keys.lock().unwrap().len(), 1);
    world.change_card("ana", "pm_card_visa");
    world.settle();
    assert_eq!((keys.lock().unwrap().len(), world.state("ana").standing), (2, "good"));
    world.check();
}

fn the_providers_retries_are_only_watched(world: World) {
    let retries = r#"["1 day", "3 days", "5 days", "7 days"]"#;
    world.apply(&SAMPLE.replace(retries, "\"provider\""));
    let mut world = failing(world, "insufficient_funds");
    let keys = watch_pays(&world);
    let first = case(&world).next_retry_at.unwrap();
    assert_eq!(said(&world, "dunning.retry_scheduled").len(), 1, "its own plan is told");
    world.advance_to(first.plus_seconds(60));
    assert!(first < case(&world).next_retry_at.unwrap());
    assert_eq!(keys.lock().unwrap().len(), 0);
    heal_card(&world);
    world.advance_days(6);
    assert_eq!((keys.lock().unwrap().len(), world.state("ana").standing), (0, "good"));
    world.check();
}

fn giving_up_voids_the_invoice_so_that_nobody_pays_for_nothing(world: World) {
    let mut world = failing(world, "insufficient_funds");
    world.advance_days(17);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.dunning), ("free", None));
    let invoice = world.engine.invoices(None, "", 1).unwrap().remove(0);
    assert_eq!(invoice.status, "void");
    let told = said(&world, "dunning.exhausted")[0].to.clone().unwrap();
    assert_eq!(told["ends_at"], "2027-03-16T11:00:00Z");
    assert_eq!(told["data_kept_until"], "2027-06-14T11:00:00Z");
    world.check();
}

fn money_that_arrives_while_giving_up_is_not_thrown_away(world: World) {
    let mut world = failing(world, "insufficient_funds");
    world.advance_to(at("2027-03-16T10:59:00Z"));
    heal_card(&world);
    let provider = Arc::clone(&world.provider);
    let mut paid = false;
    // The customer pays on the provider's page in the moment in which it is given up.
    world.line.set(move |request| {
        if request.path.ends_with("/void") && !paid {
            paid = true;
            let id = request.path.split('/').nth(3).unwrap().to_owned();
            let mut provider = provider.lock().unwrap();
            let page = farthing_sandbox::Request {
                method: "POST".to_owned(),
                path: format!("/invoice/{id}"),
                headers: Vec::new(),
                body: b"card=4242424242424242".to_vec(),
            };
            assert_eq!(provider.handle(&page).status, 303);
        }
        Fate::Answered
    });
    world.advance_days(1);
    let state = world.state("ana");
    assert_eq!((state.plan.as_str(), state.standing), ("growth", "good"));
    assert_eq!(state.subscription.unwrap().status, "active");
    world.check();
}

fn a_customer_who_is_asked_to_pay_sees_the_amount_and_pays_once(world: World) {
    let mut world = failing(world, "insufficient_funds");
    heal_card(&world);
    let id = sub(&world);
    let shown = world.engine.preview_retry(&id).unwrap();
    assert_eq!(shown.due_now.minor, 6_900);
    assert_eq!(charges(&world).1, 1, "nothing was charged by looking");
    let token = shown.preview_token.unwrap();
    let tried = world.engine.retry_payment(&caller(), &id, Some(&token)).unwrap();
    assert_eq!((tried.outcome, tried.amount.minor), (RetryOutcome::Paid, 6_900));
    assert_eq!(tried.subscription.standing, "good");
    world.settle();
    assert_eq!(charges(&world).1, 2);
    world.check();
}

fn a_second_click_charges_nothing(world: World) {
    let mut world = failing(world, "insufficient_funds");
    heal_card(&world);
    let id = sub(&world);
    let (held, go) = world.line.hold_next();
    let answers = std::thread::scope(|scope| {
        let first = scope.spawn(|| world.engine.retry_payment(&caller(), &id, None));
        held.recv().unwrap();
        go.send(()).unwrap();
        let second = scope.spawn(|| world.engine.retry_payment(&caller(), &id, None));
        [first.join().unwrap(), second.join().unwrap()]
    });
    let paid = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused =
        answers.iter().filter(|it| matches!(it, Err(EngineError::Refused { .. }))).count();
    assert_eq!((paid, refused), (1, 1), "{answers:?}");
    world.settle();
    assert_eq!(charges(&world).1, 2);
    world.check();
}

fn a_decline_is_an_answer_and_a_paid_invoice_a_refusal(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let id = sub(&world);
    let tried = world.engine.retry_payment(&caller(), &id, None).unwrap();
    assert_eq!(tried.outcome, RetryOutcome::Declined);
    assert_eq!(tried.decline_code.as_deref(), Some("insufficient_funds"));
    assert!(tried.payment_url.is_some());
    let again = world.engine.retry_payment(&caller(), &id, None).unwrap_err();
    assert!(matches!(again, EngineError::Refused { code: "retry_too_soon", .. }), "{again:?}");
    assert_eq!(case(&world).next_retry_at, Some(at("2027-03-01T11:00:00Z")), "the plan holds");
    heal_card(&world);
    world.advance_days(2);
    let paid = world.engine.retry_payment(&caller(), &id, None).unwrap_err();
    assert!(matches!(paid, EngineError::Refused { code: "nothing_due", .. }), "{paid:?}");
    world.check();
}

fn what_was_shown_is_what_is_charged(world: World) {
    let mut world = failing(world, "insufficient_funds");
    let id = sub(&world);
    let token = world.engine.preview_retry(&id).unwrap().preview_token.unwrap();
    world.advance_to(world.now().plus_seconds(16 * 60));
    heal_card(&world);
    let late = world.engine.retry_payment(&caller(), &id, Some(&token)).unwrap_err();
    assert!(matches!(late, EngineError::Refused { code: "preview_changed", .. }), "{late:?}");
    assert_eq!(charges(&world).1, 1);
    world.check();
}

fn without_any_event_it_is_the_same(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    break_card(&world, "lost_card");
    world.advance_days_without_events(29);
    let failed = case(&world);
    assert_eq!((failed.path, failed.decline_code.as_deref()), ("new_card", Some("lost_card")));
    world.advance_days_without_events(17);
    assert_eq!(world.state("ana").plan, "free");
    world.check();
}
