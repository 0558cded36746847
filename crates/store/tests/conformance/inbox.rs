//! The inbox: every event stored once, worked on until it is done or a person must look.

use farthing_store::inbox::{self, EventState, ProviderEvent};
use farthing_store::{Claim, Lease, StoreError, on_both};

use super::{TestStore, at, customer, is_lost, read, refused, write};

on_both!(
    an_event_is_stored_once_however_often_it_is_sent,
    an_event_survives_the_round_trip,
    an_event_is_claimed_when_it_is_due_and_by_one_worker,
    after_its_lease_an_event_is_anothers,
    a_finished_event_knows_its_customer,
    what_is_quarantined_or_dead_says_why_and_can_be_replayed,
    events_are_listed_and_counted_by_state,
    two_workers_never_claim_the_same_event,
);

fn event(id: &str, event_id: &str) -> ProviderEvent {
    ProviderEvent {
        id: id.into(),
        provider: "stripe".into(),
        event_id: event_id.into(),
        kind: "invoice.paid".into(),
        api_version: Some("2025-01-01".into()),
        created_at: at(-5),
        received_at: at(0),
        payload: vec![0, 255, b'{'],
        subject: Some("in_1".into()),
        customer: None,
    }
}

fn insert(store: &TestStore, event: ProviderEvent) -> bool {
    write(store, move |tx| inbox::insert(tx, &event))
}

fn claim(store: &TestStore, now: i64, token: &'static str) -> Vec<(String, i64)> {
    let claim = Claim { now: at(now), lease_until: at(now + 100), token, limit: 10 };
    let claimed = write(store, move |tx| inbox::claim_due(tx, claim));
    claimed.into_iter().map(|(event, progress)| (event.id, progress.attempts)).collect()
}

fn state(store: &TestStore, id: &str) -> (EventState, Option<String>) {
    let (_, progress) = read(store, |tx| inbox::get(tx, id)).unwrap();
    (progress.state, progress.last_error)
}

const ONE: Lease<'static> = Lease { id: "evt_1", token: "a" };

fn an_event_is_stored_once_however_often_it_is_sent(store: &TestStore) {
    let inserted: Vec<bool> = std::thread::scope(|scope| {
        let send = |i: i32| scope.spawn(move || insert(store, event(&format!("evt_{i}"), "e1")));
        let sent: Vec<_> = (0..50).map(send).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert_eq!(inserted.iter().filter(|new| **new).count(), 1);
    let paddles = ProviderEvent { provider: "paddle".into(), ..event("evt_x", "e1") };
    assert!(insert(store, paddles), "another provider may use the same id");
}

fn an_event_survives_the_round_trip(store: &TestStore) {
    let full = ProviderEvent { customer: Some(customer("ann")), ..event("evt_1", "e1") };
    let bare = ProviderEvent { api_version: None, subject: None, ..event("evt_2", "e2") };
    for event in [full, bare] {
        insert(store, event.clone());
        let (stored, progress) = read(store, |tx| inbox::get(tx, &event.id)).unwrap();
        assert_eq!((stored, progress.state), (event, EventState::Received));
    }
    assert_eq!(read(store, |tx| inbox::get(tx, "evt_3")), None);
}

fn an_event_is_claimed_when_it_is_due_and_by_one_worker(store: &TestStore) {
    insert(store, event("evt_1", "e1"));
    assert_eq!(read(store, inbox::next_due), Some(at(0)));
    assert_eq!(claim(store, -1, "a"), []);
    assert_eq!(claim(store, 0, "a"), [("evt_1".into(), 1)]);
    assert_eq!(claim(store, 0, "b"), []);
    assert_eq!(read(store, inbox::next_due), Some(at(100)));
    write(store, |tx| inbox::retry_at(tx, ONE, at(30), "the provider did not answer"));
    assert_eq!(state(store, "evt_1").1.as_deref(), Some("the provider did not answer"));
    assert_eq!(claim(store, 29, "a"), []);
    assert_eq!(claim(store, 30, "a"), [("evt_1".into(), 2)]);
}

fn after_its_lease_an_event_is_anothers(store: &TestStore) {
    insert(store, event("evt_1", "e1"));
    claim(store, 0, "a");
    assert_eq!(claim(store, 99, "b"), []);
    assert_eq!(claim(store, 100, "b"), [("evt_1".into(), 2)]);
    assert!(is_lost(&refused(store, |tx| inbox::finish(tx, ONE, false, None, at(101)))));
    assert!(is_lost(&refused(store, |tx| inbox::retry_at(tx, ONE, at(101), "slow"))));
    assert!(is_lost(&refused(store, |tx| inbox::quarantine(tx, ONE, at(101), "slow"))));
    assert!(is_lost(&refused(store, |tx| inbox::dead(tx, ONE, at(101), "slow"))));
    let new = Lease { id: "evt_1", token: "b" };
    write(store, move |tx| inbox::finish(tx, new, true, None, at(102)));
    assert_eq!(state(store, "evt_1").0, EventState::Ignored);
}

fn a_finished_event_knows_its_customer(store: &TestStore) {
    insert(store, event("evt_1", "e1"));
    claim(store, 0, "a");
    let ann = customer("ann");
    write(store, move |tx| inbox::finish(tx, ONE, false, Some(&ann), at(1)));
    let (event, progress) = read(store, |tx| inbox::get(tx, "evt_1")).unwrap();
    assert_eq!(event.customer, Some(customer("ann")));
    assert_eq!((progress.state, progress.processed_at), (EventState::Done, Some(at(1))));
    assert_eq!(read(store, inbox::next_due), None);
}

fn what_is_quarantined_or_dead_says_why_and_can_be_replayed(store: &TestStore) {
    insert(store, event("evt_1", "e1"));
    claim(store, 0, "a");
    write(store, |tx| inbox::quarantine(tx, ONE, at(1), "another account"));
    assert_eq!(state(store, "evt_1"), (EventState::Quarantined, Some("another account".into())));
    assert_eq!(claim(store, 500, "b"), []);
    assert!(write(store, |tx| inbox::replay(tx, "evt_1", at(501))));
    assert!(!write(store, |tx| inbox::replay(tx, "evt_1", at(502))), "it waits already");
    assert!(!write(store, |tx| inbox::replay(tx, "evt_2", at(502))));
    assert_eq!(claim(store, 501, "a"), [("evt_1".into(), 1)]);
    write(store, |tx| inbox::dead(tx, ONE, at(502), "too often"));
    assert_eq!(state(store, "evt_1"), (EventState::Dead, Some("too often".into())));
    assert!(!insert(store, event("evt_9", "e1")), "what is closed is still known");
}

fn events_are_listed_and_counted_by_state(store: &TestStore) {
    for (id, event_id) in [("evt_1", "e1"), ("evt_2", "e2"), ("evt_3", "e3")] {
        insert(store, event(id, event_id));
    }
    claim(store, 0, "a");
    write(store, |tx| inbox::finish(tx, ONE, false, None, at(1)));
    let listed = |state, before: &str, limit| {
        let events = read(store, |tx| inbox::list(tx, state, before, limit));
        events.into_iter().map(|(event, _)| event.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, "", 2), ["evt_3", "evt_2"]);
    assert_eq!(listed(None, "evt_2", 2), ["evt_1"]);
    assert_eq!(listed(Some(EventState::Received), "", 9), ["evt_3", "evt_2"]);
    assert_eq!(listed(Some(EventState::Received), "evt_3", 9), ["evt_2"]);
    assert_eq!(listed(Some(EventState::Dead), "", 9), [""; 0]);
    let counts = [(EventState::Done, 1), (EventState::Received, 2)];
    assert_eq!(read(store, inbox::counts), counts);
    let error = refused(store, |tx| tx.execute("UPDATE provider_events SET state = 'lost'", &[]));
    assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
}

fn two_workers_never_claim_the_same_event(store: &TestStore) {
    for number in 10..50 {
        insert(store, event(&format!("evt_{number}"), &format!("e{number}")));
    }
    let mut claimed: Vec<String> = std::thread::scope(|scope| {
        let claim_all = |token| {
            move || {
                let claims = std::iter::from_fn(|| Some(claim(store, 0, token)));
                claims.take_while(|some| !some.is_empty()).flatten().collect::<Vec<_>>()
            }
        };
        let workers = ["a", "b", "c", "d"].map(|token| scope.spawn(claim_all(token)));
        let claimed = workers.into_iter().flat_map(|worker| worker.join().unwrap());
        claimed.map(|(id, _)| id).collect()
    });
    claimed.sort();
    assert_eq!(claimed, (10..50).map(|number| format!("evt_{number}")).collect::<Vec<_>>());
}
