//! Mail servers that are down, refuse, break off, or are not there, on both stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod post_office;
mod world;

use farthing_core::change::Command;
use farthing_engine::customers::Profile;
use farthing_engine::mails::view::MailView;
use farthing_store::{Claim, alerts, mails};

use post_office::{Manner, PostOffice};
use world::{World, caller};

on_both!(
    a_server_that_was_down_gets_every_mail_when_it_is_back,
    a_recipient_that_does_not_exist_is_not_tried_again_and_a_person_is_told,
    a_mail_that_was_taken_and_not_answered_is_sent_again_under_the_same_id,
    a_worker_that_died_between_sending_and_writing_it_down_sends_the_same_mail_again,
    what_is_no_longer_true_is_not_sent_late,
    what_waited_for_days_is_not_sent_at_all,
    three_days_in_vain_are_enough,
    without_a_mail_server_nothing_is_lost_in_silence,
    an_address_that_was_mended_is_used,
);

/// A customer who has just asked for an end, which is the one mail there is.
fn canceling(world: World) -> (World, PostOffice) {
    let office = PostOffice::open();
    office.serve(&world.engine);
    office.does(Manner::IsDown);
    let mut world = world;
    world.customer("ana");
    world.buy("ana", "growth");
    change(&mut world, &Command::Cancel { at_once: false });
    (world, office)
}

fn change(world: &mut World, command: &Command) {
    let sub = world.state("ana").subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None).unwrap();
    world.settle();
}

fn the_mail(world: &World) -> MailView {
    let mut found = world.engine.mails(Some(&"ana".parse().unwrap()), "", 10).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn wait(world: &mut World, seconds: i64) {
    world.clock.set(world.now().plus_seconds(seconds));
    world.drain();
}

fn open_alerts(world: &World) -> Vec<(String, String)> {
    let open = world.by_hand(|tx| alerts::list_open(tx, 10));
    open.into_iter().map(|alert| (alert.kind, alert.detail)).collect()
}

fn a_server_that_was_down_gets_every_mail_when_it_is_back(world: World) {
    let (mut world, office) = canceling(world);
    let mail = the_mail(&world);
    assert_eq!((mail.state, mail.attempts), ("failed", 1));
    wait(&mut world, 10);
    assert_eq!(the_mail(&world).attempts, 1, "not before its time");
    wait(&mut world, 20);
    assert_eq!(the_mail(&world).attempts, 2);
    assert!(open_alerts(&world).is_empty(), "a short absence is nobody's business");
    wait(&mut world, 60);
    assert_eq!(open_alerts(&world)[0].0, "mail_server");
    office.does(Manner::Takes);
    wait(&mut world, 120);
    assert_eq!(the_mail(&world).state, "sent");
    assert_eq!(office.subjects(), ["Growth ends on 28 February 2027"]);
    assert!(open_alerts(&world).is_empty(), "it is back");
    world.check();
}

fn a_recipient_that_does_not_exist_is_not_tried_again_and_a_person_is_told(world: World) {
    let (mut world, office) = canceling(world);
    office.does(Manner::Says("550 5.1.1 <ana@example.com>: no such user"));
    wait(&mut world, 30);
    let mail = the_mail(&world);
    assert_eq!((mail.state, mail.attempts), ("dead", 2));
    let alerts = open_alerts(&world);
    assert_eq!(alerts[0].0, "mail");
    assert!(alerts[0].1.contains("550"), "{alerts:?}");
    assert!(!alerts[0].1.contains('@') && !mail.reason.unwrap().contains('@'), "{alerts:?}");
    office.does(Manner::Takes);
    wait(&mut world, 86_400);
    assert_eq!(the_mail(&world).attempts, 2);
}

/// At least once: the server has it, we do not know, and whoever compares ids sees that it is one.
fn a_mail_that_was_taken_and_not_answered_is_sent_again_under_the_same_id(world: World) {
    let (mut world, office) = canceling(world);
    office.does(Manner::TakesAndHangsUp);
    wait(&mut world, 30);
    assert_eq!(the_mail(&world).state, "failed");
    office.does(Manner::Takes);
    wait(&mut world, 3_600);
    assert_eq!(the_mail(&world).state, "sent");
    let arrived = office.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[0], arrived[1]);
    assert_eq!(arrived[0].message_id, format!("{}@acme.example", the_mail(&world).id));
}

fn a_worker_that_died_between_sending_and_writing_it_down_sends_the_same_mail_again(world: World) {
    let (mut world, office) = canceling(world);
    office.does(Manner::Takes);
    world.clock.set(world.now().plus_seconds(30));
    let now = world.now();
    let claim = Claim { now, lease_until: now.plus_seconds(300), token: "died", limit: 1 };
    let claimed = world.by_hand(move |tx| mails::claim_due(tx, claim));
    assert_eq!(claimed.len(), 1);
    wait(&mut world, 299);
    assert!(office.arrived().is_empty(), "somebody else may still be sending it");
    wait(&mut world, 1);
    assert_eq!(office.arrived().len(), 1);
    assert_eq!(office.arrived()[0].message_id, format!("{}@acme.example", claimed[0].id));
    assert_eq!(the_mail(&world).state, "sent");
}

fn what_is_no_longer_true_is_not_sent_late(world: World) {
    let (mut world, office) = canceling(world);
    change(&mut world, &Command::Resume);
    office.does(Manner::Takes);
    wait(&mut world, 3_600);
    assert_eq!(office.subjects(), ["Growth goes on"]);
    let all = world.engine.mails(Some(&"ana".parse().unwrap()), "", 10).unwrap();
    let told = all.iter().find(|mail| mail.kind == "cancel_scheduled").unwrap();
    assert_eq!(told.state, "suppressed");
    assert_eq!(told.reason.as_deref(), Some("it was changed in the meantime"));
}

fn what_waited_for_days_is_not_sent_at_all(world: World) {
    let (mut world, office) = canceling(world);
    // As after a stop: nobody has tried it yet.
    world.by_hand(|tx| {
        tx.execute("UPDATE mails SET state = 'queued', attempts = 0, reason = NULL", &[])
    });
    office.does(Manner::Takes);
    wait(&mut world, 3 * 86_400);
    assert_eq!(office.subjects(), [""; 0]);
    let mail = the_mail(&world);
    assert_eq!(mail.state, "suppressed");
    assert!(mail.reason.unwrap().contains("three days"));
}

fn three_days_in_vain_are_enough(world: World) {
    let (mut world, _office) = canceling(world);
    for _ in 0..80 {
        wait(&mut world, 3_600);
    }
    let mail = the_mail(&world);
    assert_eq!(mail.state, "dead");
    assert!(mail.reason.unwrap().starts_with("tried for three days"));
    assert!(open_alerts(&world).iter().any(|(kind, _)| kind == "mail"));
}

fn without_a_mail_server_nothing_is_lost_in_silence(mut world: World) {
    world.customer("ana");
    world.buy("ana", "growth");
    change(&mut world, &Command::Cancel { at_once: false });
    let mail = the_mail(&world);
    assert_eq!((mail.state, mail.kind.as_str()), ("suppressed", "cancel_scheduled"));
    assert!(mail.reason.unwrap().contains("no mail server"));
    assert_eq!(mail.to, "ana@example.com");
}

fn an_address_that_was_mended_is_used(world: World) {
    let (mut world, office) = canceling(world);
    let profile = Profile { email: "ana@new.example".to_owned(), ..Profile::default() };
    world.engine.upsert_customer(&caller(), &"ana".parse().unwrap(), &profile).unwrap();
    office.does(Manner::Takes);
    wait(&mut world, 30);
    assert_eq!(office.arrived()[0].to, "ana@new.example");
    assert_eq!(the_mail(&world).to, "ana@new.example");
}
