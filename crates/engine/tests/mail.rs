//! Who gets which mail, and when, on both stores, over SMTP to a server on this machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod post_office;
mod world;

use farthing_core::catalog::SAMPLE;
use farthing_core::change::Command;
use farthing_core::time::Interval;
use farthing_engine::checkouts::{Buy, Purchase};
use farthing_sandbox::AfterLastRetry;

use post_office::PostOffice;
use world::{GOOD_CARD, World, caller};

on_both!(
    a_failed_month_that_is_paid_after_all_is_told_step_by_step,
    a_month_that_nobody_pays_is_told_to_the_end,
    without_email_on_an_overdue_payment_is_told_to_nobody,
    events_that_come_twice_or_backwards_make_no_second_mail,
    changes_of_plan_are_told_once_and_what_was_undone_too,
    a_trial_that_nobody_pays_is_told_when_it_ends,
    a_customer_who_was_erased_gets_nothing_more,
    money_sent_back_in_the_dashboard_is_told_to_its_customer_once,
    a_dispute_is_told_to_operators_and_not_to_the_customer,
    each_retry_in_vain_is_told_once,
);

/// The world with a mail server.
fn with_post(world: World) -> (World, PostOffice) {
    let office = PostOffice::open();
    office.serve(&world.engine);
    (world, office)
}

/// A customer whose renewal on 28 February fails, at a provider that never gives up by itself.
fn overdue(world: &mut World) {
    world.provider().set_after_last_retry(AfterLastRetry::PastDue);
    world.customer("ana");
    world.buy("ana", "growth");
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(29);
    assert_eq!(world.state("ana").standing, "past_due");
}

fn pay_what_is_owed(world: &mut World) {
    let open = world.at_provider("GET", "/v1/invoices?status=open", &[]);
    let invoice = open["data"][0]["id"].as_str().unwrap().to_owned();
    world.change_card("ana", "pm_card_visa");
    world.at_provider("POST", &format!("/v1/invoices/{invoice}/pay"), &[]);
    world.settle();
}

/// The subjects without the retries, which are the provider's own schedule.
fn steps(office: &PostOffice) -> Vec<String> {
    let mut subjects = office.subjects();
    subjects.retain(|subject| !subject.starts_with("We tried again"));
    subjects
}

fn a_failed_month_that_is_paid_after_all_is_told_step_by_step(world: World) {
    let (mut world, office) = with_post(world);
    overdue(&mut world);
    assert_eq!(steps(&office), ["Your payment for Growth did not go through"]);
    let first = &office.arrived()[0];
    assert_eq!(first.to, "ana@example.com");
    assert!(first.text.contains("We could not charge $69.00"), "{}", first.text);
    assert!(first.text.contains("Everything keeps working until 7 March 2027"), "{}", first.text);
    assert!(first.text.contains("Pay now:"), "{}", first.text);
    world.advance_days(8);
    assert_eq!(world.state("ana").standing, "read_only");
    pay_what_is_owed(&mut world);
    assert_eq!(
        steps(&office),
        [
            "Your payment for Growth did not go through",
            "Your account can only be read for now",
            "Thank you, your payment for Growth arrived",
        ]
    );
    world.advance_days(20);
    assert_eq!(steps(&office).len(), 3, "the last chance is not for who has paid");
    world.check();
}

fn a_month_that_nobody_pays_is_told_to_the_end(world: World) {
    let (mut world, office) = with_post(world);
    overdue(&mut world);
    world.advance_days(40);
    assert_eq!(world.state("ana").plan, "free");
    assert_eq!(
        steps(&office),
        [
            "Your payment for Growth did not go through",
            "Your account can only be read for now",
            "Growth ends on 16 March 2027 unless it is paid",
            "Growth has ended because it was not paid",
        ]
    );
    let last = office.arrived().pop().unwrap().text;
    let kept = "What you have beyond the limits of Free is kept until 14 June 2027";
    assert!(last.replace('\n', " ").replace('\r', "").contains(kept), "{last}");
    world.check();
}

fn without_email_on_an_overdue_payment_is_told_to_nobody(world: World) {
    let (mut world, office) = with_post(world);
    let all = r#"email_on = ["failure", "each_retry", "last_chance", "recovered"]"#;
    assert!(SAMPLE.contains(all));
    world.apply(&SAMPLE.replace(all, "email_on = []"));
    overdue(&mut world);
    world.advance_days(8);
    pay_what_is_owed(&mut world);
    assert_eq!(office.subjects(), [""; 0]);
    assert!(world.engine.mails(None, "", 10).unwrap().is_empty());
}

fn events_that_come_twice_or_backwards_make_no_second_mail(world: World) {
    let (mut world, office) = with_post(world);
    overdue(&mut world);
    world.advance_days(8);
    pay_what_is_owed(&mut world);
    let before = office.subjects();
    let sent = world.sent.clone();
    for delivery in sent.iter().rev().chain(&sent) {
        // An old signature is refused, and a known event does nothing: both are fine here.
        let _known = world.engine.receive_stripe(&delivery.0, &delivery.1);
    }
    let events = world.engine.events(None, "", 500).unwrap();
    for event in &events {
        world.engine.replay_event(&caller(), &event.id).unwrap();
    }
    world.settle();
    assert_eq!(office.subjects(), before);
}

fn change(world: &mut World, command: &Command) {
    let sub = world.state("ana").subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None).unwrap();
    world.settle();
}

fn changes_of_plan_are_told_once_and_what_was_undone_too(world: World) {
    let (mut world, office) = with_post(world);
    world.customer("ana");
    world.buy("ana", "starter");
    let to = |plan: &str| Command::Change { plan: plan.to_owned(), interval: None };
    change(&mut world, &to("pro"));
    change(&mut world, &to("starter"));
    change(&mut world, &to("growth"));
    change(&mut world, &Command::Resume);
    change(&mut world, &Command::Cancel { at_once: false });
    change(&mut world, &Command::Resume);
    change(&mut world, &to("growth"));
    world.advance_days(29);
    change(&mut world, &Command::Cancel { at_once: false });
    world.advance_days(31);
    assert_eq!(
        office.subjects(),
        [
            "You are now on Pro",
            "Your plan changes to Starter on 28 February 2027",
            "Your plan changes to Growth on 28 February 2027",
            "You stay on Pro",
            "Pro ends on 28 February 2027",
            "Pro goes on",
            "Your plan changes to Growth on 28 February 2027",
            "You are now on Growth",
            "Growth ends on 31 March 2027",
            "Growth has ended",
        ]
    );
    world.check();
}

fn a_trial_that_nobody_pays_is_told_when_it_ends(world: World) {
    let (mut world, office) = with_post(world);
    world.customer("ana");
    let buy = Buy::Plan { plan: "starter".to_owned(), interval: Interval::Month, trial: None };
    let customer = "ana".parse().unwrap();
    let trial = Purchase { customer, buy, currency: None, return_path: None };
    world.buy_with(&trial, GOOD_CARD);
    world.change_card("ana", "pm_card_chargeCustomerFail");
    world.advance_days(9);
    assert_eq!(world.state("ana").plan, "free");
    let first = &office.arrived()[0];
    assert_eq!(first.subject, "Your trial of Starter ends on 7 February 2027");
    assert!(first.text.contains("$19.00"), "{}", first.text);
    let last = office.subjects().pop();
    assert_eq!(last.as_deref(), Some("Your trial of Starter has ended"));
    assert_eq!(office.subjects().iter().filter(|it| it.contains("has ended")).count(), 1);
}

fn a_customer_who_was_erased_gets_nothing_more(world: World) {
    let (mut world, office) = with_post(world);
    office.does(post_office::Manner::IsDown);
    overdue(&mut world);
    assert_eq!(world.engine.mails(None, "", 10).unwrap().len(), 1);
    world.engine.delete_customer(&caller(), &"ana".parse().unwrap()).unwrap();
    office.does(post_office::Manner::Takes);
    world.advance_days(2);
    assert_eq!(office.subjects(), [""; 0]);
    assert!(world.engine.mails(None, "", 10).unwrap().is_empty(), "no address is left");
}

fn the_charge(world: &World) -> String {
    let charges = world.at_provider("GET", "/v1/charges", &[]);
    charges["data"][0]["id"].as_str().unwrap().to_owned()
}

fn money_sent_back_in_the_dashboard_is_told_to_its_customer_once(world: World) {
    let (mut world, office) = with_post(world);
    world.customer("ana");
    world.buy("ana", "growth");
    let charge = the_charge(&world);
    world.at_provider("POST", "/v1/refunds", &[("charge", &charge), ("amount", "1000")]);
    world.settle();
    for delivery in world.sent.clone() {
        world.receive(&delivery);
    }
    world.settle();
    assert_eq!(office.subjects(), ["$10.00 is on its way back to you"]);
    assert_eq!(office.arrived()[0].to, "ana@example.com");
}

fn a_dispute_is_told_to_operators_and_not_to_the_customer(world: World) {
    let (mut world, office) = with_post(world);
    world.customer("ana");
    world.buy("ana", "growth");
    let charge = the_charge(&world);
    world.provider().scenario("dispute", &[("charge", &charge)]).unwrap();
    world.settle();
    let disputes: Vec<_> =
        office.arrived().into_iter().filter(|mail| mail.subject == "Dispute over $69.00").collect();
    assert_eq!(disputes.len(), 1, "{:?}", office.subjects());
    assert_eq!(disputes[0].to, "ops@acme.example");
    let mails = world.engine.mails(Some(&"ana".parse().unwrap()), "", 10).unwrap();
    assert!(mails.iter().all(|mail| mail.kind != "dispute_opened"), "{mails:?}");
}

fn each_retry_in_vain_is_told_once(world: World) {
    let (mut world, office) = with_post(world);
    world.customer("ana");
    world.buy("ana", "growth");
    let subs = world.at_provider("GET", "/v1/subscriptions", &[]);
    let method = subs["data"][0]["default_payment_method"].as_str().unwrap().to_owned();
    let params = [("payment_method", method.as_str()), ("decline_code", "insufficient_funds")];
    world.provider().scenario("card_fails", &params).unwrap();
    world.advance_to("2027-03-06T00:00:00Z".parse().unwrap());
    let again = "We tried again: your payment for Growth did not go through";
    let first = "Your payment for Growth did not go through";
    assert_eq!(office.subjects(), [first, again, again, again], "after 1, 3 and 5 days");
    let texts: Vec<String> = office.arrived().into_iter().map(|mail| mail.text).collect();
    for (text, next) in texts.iter().zip(["1 March", "3 March", "5 March", "7 March"]) {
        let next = format!("- {next} 2027, 11:00 UTC: We try the payment again.");
        assert!(text.contains(&next) && text.contains("not enough money"), "{next}: {text}");
    }
}
