//! Asking for money back and deciding about it: judged on real use, sent once, never too much.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_core::access::Code;
use farthing_core::catalog::SAMPLE;
use farthing_core::change::Command;
use farthing_core::ids::CustomerId;
use farthing_engine::refunds::{RefundAsk, RefundFilter, RefundView};
use farthing_engine::{Call, EngineError};
use farthing_store::alerts;
use serde_json::Value;

use world::{Fate, World, caller};

on_both!(
    a_refund_is_judged_by_the_peak_of_real_use_and_not_by_what_was_deleted_since,
    a_scheduled_downgrade_does_not_change_what_a_refund_is_judged_by,
    a_refund_waits_for_a_person_and_is_made_once,
    agreeing_twice_at_once_sends_the_money_back_once,
    a_lost_answer_is_found_out_and_never_refunded_again,
    an_error_that_the_provider_repeats_is_given_up_only_when_it_has_nothing,
    two_people_have_to_agree_above_the_amount,
    what_nobody_has_to_look_at_is_made_at_once,
    never_more_goes_back_than_was_paid_however_it_is_asked_for,
    what_the_dashboard_gave_back_meanwhile_is_not_given_back_again,
    a_refusal_of_the_provider_is_told_and_nothing_is_taken,
    a_rejected_refund_changes_nothing_and_stays_rejected,
    a_preview_that_no_longer_holds_refunds_nothing,
    a_refund_outlives_the_erasure_of_its_customer,
    a_reason_of_a_few_letters_is_none,
    a_part_of_a_pack_goes_back_with_its_credits,
);

const FEW: usize = 10;

fn ask(id: &str) -> RefundAsk {
    let reason = "it does not do what I need".to_owned();
    RefundAsk { customer: id.parse().unwrap(), payment: None, amount: None, reason }
}

fn part(id: &str, amount: i64) -> RefundAsk {
    RefundAsk { amount: Some(amount), ..ask(id) }
}

fn request(world: &World, ask: &RefundAsk) -> Result<RefundView, EngineError> {
    world.engine.request_refund(&caller(), ask, None)
}

fn person(name: &str) -> Call {
    Call::new(format!("operator:{name}"), "panel")
}

fn code(error: EngineError) -> String {
    match error {
        EngineError::Refused { code, .. } => code.to_owned(),
        EngineError::Invalid(errors) => errors[0].code.to_owned(),
        other => panic!("neither refused nor invalid: {other:?}"),
    }
}

fn list(world: &World, path: &str) -> Vec<Value> {
    world.at_provider("GET", path, &[])["data"].as_array().unwrap().clone()
}

fn made(world: &World) -> usize {
    list(world, "/v1/refunds").len()
}

fn credits(world: &World, id: &str) -> (i64, i64) {
    let state = &world.state(id).credits["ai"];
    (state.balance, state.debt)
}

fn count(world: &World, id: &str, action: &str) -> usize {
    let timeline = world.engine.timeline(&id.parse().unwrap(), None, 200).unwrap();
    timeline.iter().filter(|entry| entry.action == action).count()
}

fn all(world: &World) -> Vec<RefundView> {
    world.engine.refunds(&RefundFilter::default(), "", 50).unwrap()
}

fn bought(world: &mut World, plan: &str) {
    world.customer("ana");
    world.buy("ana", plan);
}

fn a_refund_is_judged_by_the_peak_of_real_use_and_not_by_what_was_deleted_since(mut world: World) {
    bought(&mut world, "growth");
    let ana: CustomerId = "ana".parse().unwrap();
    world.advance_to(world.now().plus_seconds(60));
    world.consume("ana", "galleries", 6);
    world.release("ana", "galleries", 6);
    let found = world.engine.refund_eligibility(&ana, None).unwrap();
    assert!(!found.eligible);
    assert_eq!((found.from.as_deref(), found.to.as_deref()), (Some("free"), Some("growth")));
    assert_eq!(found.rule.as_deref(), Some("first purchase or from starter"));
    let numbers: Vec<_> = found
        .checks
        .iter()
        .map(|check| (check.feature.as_str(), check.limit, check.used, check.ok))
        .collect();
    assert_eq!(numbers, [("galleries", 5, 6, false), ("storage", 5_000_000_000, 0, true)]);
    assert_eq!(code(request(&world, &ask("ana")).unwrap_err()), "used_too_much");
    assert_eq!((all(&world).len(), made(&world)), (0, 0));
    world.advance_days(14);
    let late = world.engine.refund_eligibility(&ana, None).unwrap();
    let codes: Vec<_> = late.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["refund_window_over", "used_too_much"]);
    world.check();
}

fn a_scheduled_downgrade_does_not_change_what_a_refund_is_judged_by(mut world: World) {
    bought(&mut world, "pro");
    world.consume("ana", "storage", 6_000_000_000);
    let id = world.state("ana").subscription.unwrap().id;
    let down = Command::Change { plan: "starter".to_owned(), interval: None };
    world.engine.change(&caller(), &id, &down, None).unwrap();
    let asked = request(&world, &ask("ana")).unwrap();
    assert_eq!(asked.judged.as_ref().unwrap()["rule"], "to pro");
    assert_eq!(asked.judged.as_ref().unwrap()["to"], "pro");
    world.engine.approve_refund(&caller(), &asked.id).unwrap();
    world.settle();
    let state = world.state("ana");
    assert_eq!(state.plan, "free");
    assert_eq!(state.subscription.unwrap().pending_change, None);
    world.check();
}

fn a_refund_waits_for_a_person_and_is_made_once(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(world.consume("ana", "ai", 100).code, Code::Ok);
    let asked = request(&world, &ask("ana")).unwrap();
    assert_eq!((asked.state, asked.approvals_missing, made(&world)), ("needs_review", 1, 0));
    assert_eq!(code(request(&world, &ask("ana")).unwrap_err()), "nothing_to_refund");
    world.check();
    let approved = world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!(
        (approved.state, approved.approved_by.as_deref()),
        ("succeeded", Some("operator:bo"))
    );
    assert_eq!((credits(&world, "ana"), world.state("ana").plan), ((500, 100), "free".to_owned()));
    world.settle();
    let again = world.engine.approve_refund(&person("cy"), &asked.id).unwrap();
    assert_eq!((again.approved_by, made(&world)), (approved.approved_by, 1));
    let told = ["refund.requested", "refund.needs_review", "refund.approved", "refund.succeeded"];
    assert_eq!(told.map(|action| count(&world, "ana", action)), [1, 1, 1, 1]);
    let refund = &list(&world, "/v1/refunds")[0];
    assert_eq!(refund["metadata"]["farthing_refund"], asked.id.as_str());
    world.check();
}

fn agreeing_twice_at_once_sends_the_money_back_once(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &part("ana", 3_450)).unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (engine, id) = (world.engine.clone(), asked.id.clone());
            scope.spawn(move || engine.approve_refund(&person(&format!("p{n}")), &id).unwrap());
        }
    });
    world.settle();
    world.advance_days(1);
    assert_eq!((made(&world), credits(&world, "ana")), (1, (5_500, 0)));
    assert_eq!(world.engine.refund(&asked.id).unwrap().state, "succeeded");
    world.check();
}

fn a_lost_answer_is_found_out_and_never_refunded_again(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &part("ana", 3_450)).unwrap();
    world.line.lose_answer(0);
    let sent = world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!((sent.state, made(&world)), ("sent", 1));
    world.line.heal();
    world.check();
    world.advance_days_without_events(1);
    assert_eq!(world.engine.refund(&asked.id).unwrap().state, "succeeded");
    assert_eq!((made(&world), credits(&world, "ana")), (1, (5_500, 0)));
    // Nothing was sent at all: the job sends it.
    let second = request(&world, &part("ana", 1_000)).unwrap();
    world.line.set(|request| match request.method {
        "GET" => Fate::Answered,
        _ => Fate::NotSent,
    });
    assert_eq!(world.engine.approve_refund(&person("bo"), &second.id).unwrap().state, "sent");
    assert_eq!(made(&world), 1);
    world.line.heal();
    world.advance_days(1);
    assert_eq!((world.engine.refund(&second.id).unwrap().state, made(&world)), ("succeeded", 2));
    world.check();
}

fn an_error_that_the_provider_repeats_is_given_up_only_when_it_has_nothing(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &part("ana", 3_450)).unwrap();
    world.provider().scenario("fails_before", &[("call", "POST /v1/refunds")]).unwrap();
    assert_eq!(world.engine.approve_refund(&person("bo"), &asked.id).unwrap().state, "sent");
    world.advance_to(world.now().plus_seconds(120));
    assert_eq!((world.engine.refund(&asked.id).unwrap().state, made(&world)), ("sent", 0));
    world.advance_days(1);
    assert_eq!((world.engine.refund(&asked.id).unwrap().state, made(&world)), ("succeeded", 1));
    let second = request(&world, &part("ana", 1_000)).unwrap();
    world.provider().scenario("fails_after", &[("call", "POST /v1/refunds")]).unwrap();
    assert_eq!(world.engine.approve_refund(&person("bo"), &second.id).unwrap().state, "sent");
    world.advance_days(1);
    assert_eq!((world.engine.refund(&second.id).unwrap().state, made(&world)), ("succeeded", 2));
    world.check();
}

fn two_people_have_to_agree_above_the_amount(mut world: World) {
    let low = "second_approver_above = { USD = \"50.00\", EUR = \"50.00\" }";
    let high = "second_approver_above = { USD = \"500.00\", EUR = \"500.00\" }";
    world.apply(&SAMPLE.replace(high, low));
    bought(&mut world, "growth");
    let asked = request(&world, &ask("ana")).unwrap();
    assert_eq!(asked.approvals_missing, 2);
    let once = world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!((once.state, once.approvals_missing, made(&world)), ("needs_review", 1, 0));
    let again = world.engine.approve_refund(&person("bo"), &asked.id).unwrap_err();
    assert_eq!((code(again), made(&world)), ("second_approver_needed".to_owned(), 0));
    world.check();
    let twice = world.engine.approve_refund(&person("cy"), &asked.id).unwrap();
    assert_eq!((twice.state, made(&world)), ("succeeded", 1));
    assert_eq!(twice.second_approved_by.as_deref(), Some("operator:cy"));
    world.check();
}

fn what_nobody_has_to_look_at_is_made_at_once(mut world: World) {
    world.apply(&SAMPLE.replace("review = \"always\"", "review = \"auto\""));
    bought(&mut world, "growth");
    let done = request(&world, &ask("ana")).unwrap();
    assert_eq!(
        (done.state, done.approved_by.as_deref(), made(&world)),
        ("succeeded", Some("policy"), 1)
    );
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(count(&world, "ana", "refund.needs_review"), 0);
    world.check();
}

fn never_more_goes_back_than_was_paid_however_it_is_asked_for(mut world: World) {
    bought(&mut world, "growth");
    assert_eq!(code(request(&world, &part("ana", 6_901)).unwrap_err()), "refund_too_large");
    assert_eq!(code(request(&world, &part("ana", 0)).unwrap_err()), "invalid_amount");
    assert_eq!(code(request(&world, &part("ana", i64::MIN)).unwrap_err()), "invalid_amount");
    assert_eq!(code(request(&world, &part("ana", i64::MAX)).unwrap_err()), "refund_too_large");
    let accepted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let engine = world.engine.clone();
                scope.spawn(move || {
                    let asked = engine.request_refund(&caller(), &part("ana", 2_300), None);
                    asked.is_ok_and(|it| engine.approve_refund(&caller(), &it.id).is_ok())
                })
            })
            .collect();
        threads.into_iter().map(|it| usize::from(it.join().unwrap())).sum()
    });
    world.settle();
    assert_eq!((accepted, made(&world), all(&world).len()), (3, 3, 3));
    assert_eq!((credits(&world, "ana"), world.state("ana").plan), ((500, 0), "free".to_owned()));
    world.check();
}

fn what_the_dashboard_gave_back_meanwhile_is_not_given_back_again(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &part("ana", 4_000)).unwrap();
    let charge = list(&world, "/v1/charges")[0]["id"].as_str().unwrap().to_owned();
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge), ("amount", "3000")]);
    world.settle();
    let refused = world.engine.approve_refund(&person("bo"), &asked.id).unwrap_err();
    assert_eq!((code(refused), made(&world)), ("refund_too_large".to_owned(), 1));
    assert_eq!(world.engine.refund(&asked.id).unwrap().state, "needs_review");
    world.engine.reject_refund(&person("bo"), &asked.id, "see the other one").unwrap();
    world.check();
}

fn a_refusal_of_the_provider_is_told_and_nothing_is_taken(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &ask("ana")).unwrap();
    let charge = list(&world, "/v1/charges")[0]["id"].as_str().unwrap().to_owned();
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge)]);
    // Nobody has told us of that one yet.
    let failed = world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!(
        (failed.state, failed.failure.as_deref()),
        ("failed", Some("charge_already_refunded"))
    );
    assert_eq!((credits(&world, "ana"), made(&world)), ((10_500, 0), 1));
    let open = world.by_hand(|tx| alerts::list_open(tx, 10));
    assert_eq!(open.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(), ["refund"]);
    world.settle();
    assert_eq!((credits(&world, "ana"), all(&world).len()), ((500, 0), 2));
    world.check();
}

fn a_rejected_refund_changes_nothing_and_stays_rejected(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &ask("ana")).unwrap();
    let before = world.state("ana");
    assert_eq!(
        code(world.engine.reject_refund(&person("bo"), &asked.id, " ").unwrap_err()),
        "invalid_reason"
    );
    for _ in 0..2 {
        let no = world.engine.reject_refund(&person("bo"), &asked.id, "used a lot").unwrap();
        assert_eq!((no.state, no.reject_reason.as_deref()), ("rejected", Some("used a lot")));
    }
    let late = world.engine.approve_refund(&person("cy"), &asked.id).unwrap_err();
    assert_eq!(code(late), "refund_decided");
    assert_eq!((made(&world), world.state("ana")), (0, before));
    assert_eq!(count(&world, "ana", "refund.rejected"), 1);
    assert_eq!(
        request(&world, &ask("ana")).unwrap().state,
        "needs_review",
        "it can be asked again"
    );
    world.check();
}

fn a_preview_that_no_longer_holds_refunds_nothing(mut world: World) {
    bought(&mut world, "growth");
    let shown = world.engine.preview_refund(&ask("ana")).unwrap();
    let then = &shown.eligibility.then;
    assert_eq!((then.move_to.as_deref(), then.credits["ai"].taken), (Some("free"), 10_000));
    assert_eq!(all(&world).len(), 0);
    let token = shown.preview_token.unwrap();
    let other = world.engine.request_refund(&caller(), &part("ana", 10), Some(&token));
    assert_eq!(code(other.unwrap_err()), "preview_changed");
    world.consume("ana", "ai", 10);
    let asked = world.engine.request_refund(&caller(), &ask("ana"), Some(&token)).unwrap();
    assert_eq!(asked.amount.minor, 6_900);
    world.engine.reject_refund(&caller(), &asked.id, "changed my mind").unwrap();
    world.advance_to(world.now().plus_seconds(901));
    let old = world.engine.request_refund(&caller(), &ask("ana"), Some(&token));
    assert_eq!(code(old.unwrap_err()), "preview_changed");
    world.check();
}

fn a_refund_outlives_the_erasure_of_its_customer(mut world: World) {
    bought(&mut world, "growth");
    let asked = request(&world, &ask("ana")).unwrap();
    world.engine.delete_customer(&caller(), &"ana".parse().unwrap()).unwrap();
    world.settle();
    assert_eq!(world.engine.refund(&asked.id).unwrap().reason.as_deref(), Some(""));
    let approved = world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!((approved.state, made(&world)), ("succeeded", 1));
    world.settle();
    assert_eq!(all(&world).len(), 1);
    world.check();
}

fn a_reason_of_a_few_letters_is_none(mut world: World) {
    bought(&mut world, "growth");
    for (reason, counts) in [("too dear", false), ("    bad      ", false), ("not for me", true)] {
        assert_eq!(reason.trim().len() >= FEW, counts);
        let asked = request(&world, &RefundAsk { reason: reason.to_owned(), ..ask("ana") });
        assert_eq!(asked.is_ok(), counts, "{reason}");
    }
    assert_eq!(all(&world).len(), 1);
}

fn a_part_of_a_pack_goes_back_with_its_credits(mut world: World) {
    bought(&mut world, "growth");
    world.buy_with(&world.pack("ana", "ai_500"), world::GOOD_CARD);
    let asked = request(&world, &part("ana", 450)).unwrap();
    assert_eq!(asked.judged.as_ref().unwrap()["to"], Value::Null);
    world.engine.approve_refund(&person("bo"), &asked.id).unwrap();
    assert_eq!(
        (credits(&world, "ana"), world.state("ana").plan),
        ((10_750, 0), "growth".to_owned())
    );
    let paid = world.engine.payments(Some(&"ana".parse().unwrap()), "", 10).unwrap();
    assert_eq!((paid[0].amount.minor, paid[0].refunded.minor), (900, 450));
    world.check();
}
