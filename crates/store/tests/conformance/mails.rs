//! Mails: one for each fact, one worker at a time, and nothing that is closed is sent.

use farthing_store::mails::{self, Mail, MailState, NewMail};
use farthing_store::on_both;
use farthing_store::{Claim, Lease, StoreError};

use super::{TestStore, at, customer, read, refused, write};

on_both!(
    one_fact_is_one_mail_whatever_became_of_it,
    two_workers_never_send_the_same_mail,
    a_worker_that_was_too_slow_cannot_write_any_more,
    what_was_in_vain_waits_and_what_is_closed_stays_closed,
    an_erased_customers_mails_are_gone_and_nobody_elses,
    lists_are_of_one_customer_or_of_all,
);

fn new(id: &str, of: Option<&str>, key: &str) -> NewMail {
    NewMail {
        id: id.to_owned(),
        customer: of.map(customer),
        kind: "recovered".to_owned(),
        business_key: key.to_owned(),
        subject: "sub_1".to_owned(),
        recipient: "ana@example.com".to_owned(),
        data: "{}".to_owned(),
        due_at: at(0),
        created_at: at(0),
    }
}

fn insert(store: &TestStore, id: &str, of: Option<&str>, key: &str) -> bool {
    let mail = new(id, of, key);
    write(store, move |tx| mails::insert(tx, &mail))
}

fn claim(store: &TestStore, token: &'static str, seconds: i64) -> Vec<String> {
    let claim = Claim { now: at(seconds), lease_until: at(seconds + 60), token, limit: 1 };
    let claimed = write(store, move |tx| mails::claim_due(tx, claim));
    claimed.into_iter().map(|mail| mail.id).collect()
}

fn find(store: &TestStore, id: &str) -> Mail {
    read(store, |tx| mails::find(tx, id)).unwrap()
}

fn one_fact_is_one_mail_whatever_became_of_it(store: &TestStore) {
    assert!(insert(store, "mail_1", Some("ana"), "recovered:1"));
    assert!(!insert(store, "mail_2", Some("ana"), "recovered:1"));
    assert!(insert(store, "mail_3", Some("bob"), "recovered:1"), "another customer's fact");
    assert!(insert(store, "mail_4", None, "recovered:1"), "the operators'");
    assert_eq!(claim(store, "a", 0), ["mail_1"]);
    let lease = Lease { id: "mail_1", token: "a" };
    write(store, move |tx| mails::sent(tx, lease, ("ana@example.org", "{\"a\":1}"), at(1)));
    assert!(!insert(store, "mail_5", Some("ana"), "recovered:1"), "also after it was sent");
    let sent = find(store, "mail_1");
    assert_eq!((sent.state, sent.closed_at), (MailState::Sent, Some(at(1))));
    assert_eq!(sent.data, "{\"a\":1}", "what it really said");
    assert_eq!(
        read(store, |tx| mails::find_by_key(tx, &customer("ana"), "recovered:1")),
        Some(sent.clone())
    );
    assert_eq!((sent.recipient.as_str(), sent.attempts), ("ana@example.org", 1));
}

fn two_workers_never_send_the_same_mail(store: &TestStore) {
    insert(store, "mail_1", Some("ana"), "a");
    assert!(read(store, |tx| mails::is_due(tx, at(0))));
    assert!(!read(store, |tx| mails::is_due(tx, at(-1))), "not before it was written");
    assert_eq!(claim(store, "a", 0), ["mail_1"]);
    assert!(!read(store, |tx| mails::is_due(tx, at(59))));
    assert!(claim(store, "b", 59).is_empty(), "its lease runs");
    assert!(read(store, |tx| mails::is_due(tx, at(60))));
    assert_eq!(claim(store, "b", 60), ["mail_1"], "whoever had it is gone");
    assert_eq!(find(store, "mail_1").attempts, 2);
}

fn a_worker_that_was_too_slow_cannot_write_any_more(store: &TestStore) {
    insert(store, "mail_1", Some("ana"), "a");
    claim(store, "slow", 0);
    claim(store, "fast", 60);
    let slow = Lease { id: "mail_1", token: "slow" };
    let error = refused(store, move |tx| mails::sent(tx, slow, ("x", "{}"), at(61)));
    assert!(matches!(error, StoreError::LeaseLost { table: "mails", .. }), "{error:?}");
    let fast = Lease { id: "mail_1", token: "fast" };
    write(store, move |tx| mails::sent(tx, fast, ("x", "{}"), at(62)));
}

fn what_was_in_vain_waits_and_what_is_closed_stays_closed(store: &TestStore) {
    for (id, key) in [("mail_1", "a"), ("mail_2", "b"), ("mail_3", "c")] {
        insert(store, id, Some("ana"), key);
    }
    assert_eq!(read(store, mails::next_due), Some(at(0)));
    claim(store, "a", 0);
    write(store, |tx| mails::retry(tx, Lease { id: "mail_1", token: "a" }, at(100), "421 busy"));
    let failed = find(store, "mail_1");
    assert_eq!((failed.state, failed.reason.as_deref()), (MailState::Failed, Some("421 busy")));
    assert_eq!(claim(store, "b", 1), ["mail_2"]);
    write(store, |tx| mails::dead(tx, Lease { id: "mail_2", token: "b" }, at(2), "550 nobody"));
    assert_eq!(claim(store, "c", 3), ["mail_3"]);
    write(store, |tx| mails::suppress(tx, Lease { id: "mail_3", token: "c" }, at(4), "paid"));
    assert!(claim(store, "d", 99).is_empty());
    assert_eq!(read(store, mails::next_due), Some(at(100)));
    assert_eq!(claim(store, "d", 100), ["mail_1"]);
    let counts = read(store, mails::counts);
    let one = |state| (state, 1);
    assert_eq!(counts, [one(MailState::Dead), one(MailState::Failed), one(MailState::Suppressed)]);
    assert!(write(store, |tx| mails::revive(tx, "mail_2", at(200))));
    assert!(!write(store, |tx| mails::revive(tx, "mail_2", at(200))), "it waits already");
    assert_eq!(claim(store, "e", 300).len(), 1);
}

fn an_erased_customers_mails_are_gone_and_nobody_elses(store: &TestStore) {
    insert(store, "mail_1", Some("ana"), "a");
    insert(store, "mail_2", Some("bob"), "a");
    insert(store, "mail_3", None, "a");
    write(store, |tx| mails::delete_all(tx, &customer("ana")));
    assert_eq!(read(store, |tx| mails::find(tx, "mail_1")), None);
    assert_eq!(claim(store, "a", 0), ["mail_2"]);
    assert_eq!(claim(store, "b", 0), ["mail_3"]);
}

fn lists_are_of_one_customer_or_of_all(store: &TestStore) {
    insert(store, "mail_1", Some("ana"), "a");
    insert(store, "mail_2", None, "a");
    insert(store, "mail_3", Some("ana"), "b");
    let ids = |of: Option<&str>, before: &str, limit| -> Vec<String> {
        let of = of.map(customer);
        let found = read(store, |tx| mails::list(tx, of.as_ref(), before, limit));
        found.into_iter().map(|mail| mail.id).collect()
    };
    assert_eq!(ids(None, "", 10), ["mail_3", "mail_2", "mail_1"]);
    assert_eq!(ids(None, "mail_3", 1), ["mail_2"]);
    assert_eq!(ids(Some("ana"), "", 10), ["mail_3", "mail_1"]);
    assert_eq!(ids(Some("ana"), "mail_3", 10), ["mail_1"]);
    assert!(ids(Some("bob"), "", 10).is_empty());
}
