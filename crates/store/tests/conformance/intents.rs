//! Intents: one call per key, and one change of plan at a time per customer.

use farthing_store::intents::{self, Inserted, Intent, IntentState, NewIntent};
use farthing_store::{StoreError, on_both};

use super::{TestStore, at, customer, read, refused, write};

on_both!(
    an_intent_survives_the_round_trip,
    the_same_key_is_the_same_intent,
    one_change_at_a_time_per_customer,
    of_fifty_changes_at_once_one_is_inserted,
    an_unknown_change_still_holds_the_lock,
    an_intent_is_closed_once,
    open_intents_are_listed_the_oldest_first,
    a_change_is_always_somebodys,
);

fn intent(id: &str, of: Option<&str>, is_change: bool, key: &str) -> NewIntent {
    NewIntent {
        id: id.into(),
        customer: of.map(customer),
        kind: "subscription.change".into(),
        is_change,
        idempotency_key: key.into(),
        request: r#"{"plan":"pro"}"#.into(),
        created_at: at(0),
    }
}

fn insert(store: &TestStore, intent: NewIntent) -> Inserted {
    write(store, move |tx| intents::insert(tx, &intent))
}

fn close(store: &TestStore, id: &'static str, refused: bool) -> bool {
    write(store, move |tx| intents::close(tx, id, refused, "{}", at(9)))
}

fn get(store: &TestStore, id: &str) -> Intent {
    read(store, |tx| intents::get(tx, id)).unwrap()
}

fn an_intent_survives_the_round_trip(store: &TestStore) {
    for (id, of) in [("op_1", Some("ann")), ("op_2", None)] {
        let new = intent(id, of, of.is_some(), "k");
        assert_eq!(insert(store, new.clone()), Inserted::Inserted);
        let open = Intent {
            new,
            state: IntentState::Open,
            response: None,
            attempts: 0,
            updated_at: at(0),
            closed_at: None,
        };
        assert_eq!(get(store, id), open);
    }
    assert_eq!(read(store, |tx| intents::get(tx, "op_3")), None);
}

fn the_same_key_is_the_same_intent(store: &TestStore) {
    let new = intent("op_1", Some("ann"), true, "change to pro");
    insert(store, new);
    let again = intent("op_2", Some("ann"), true, "change to pro");
    assert_eq!(insert(store, again.clone()), Inserted::Same(get(store, "op_1")));
    close(store, "op_1", false);
    assert_eq!(insert(store, again), Inserted::Same(get(store, "op_1")), "also once it is closed");
    let bobs = intent("op_3", Some("bob"), true, "change to pro");
    assert_eq!(insert(store, bobs), Inserted::Inserted);
}

fn one_change_at_a_time_per_customer(store: &TestStore) {
    insert(store, intent("op_1", Some("ann"), true, "to pro"));
    let second = intent("op_2", Some("ann"), true, "to team");
    let in_progress = Inserted::ChangeInProgress(get(store, "op_1"));
    assert_eq!(insert(store, second.clone()), in_progress);
    let no_change = intent("op_3", Some("ann"), false, "portal");
    assert_eq!(insert(store, no_change), Inserted::Inserted);
    assert_eq!(insert(store, intent("op_4", Some("bob"), true, "to pro")), Inserted::Inserted);
    let ann = customer("ann");
    assert_eq!(read(store, |tx| intents::open_change(tx, &ann)), Some(get(store, "op_1")));
    close(store, "op_1", false);
    assert_eq!(read(store, |tx| intents::open_change(tx, &ann)), None);
    assert_eq!(insert(store, second), Inserted::Inserted);
}

fn of_fifty_changes_at_once_one_is_inserted(store: &TestStore) {
    let outcomes: Vec<Inserted> = std::thread::scope(|scope| {
        let want = |i| intent(&format!("op_{i}"), Some("ann"), true, &format!("key {i}"));
        let tries: Vec<_> = (0..50).map(|i| scope.spawn(move || insert(store, want(i)))).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let inserted = outcomes.iter().filter(|outcome| **outcome == Inserted::Inserted);
    assert_eq!(inserted.count(), 1);
    let others = outcomes.iter().filter(|other| matches!(other, Inserted::ChangeInProgress(_)));
    assert_eq!(others.count(), 49);
}

fn an_unknown_change_still_holds_the_lock(store: &TestStore) {
    insert(store, intent("op_1", Some("ann"), true, "to pro"));
    assert!(write(store, |tx| intents::mark_unknown(tx, "op_1", at(1))));
    assert!(write(store, |tx| intents::mark_unknown(tx, "op_1", at(2))));
    let unknown = get(store, "op_1");
    assert_eq!((unknown.state, unknown.attempts), (IntentState::Unknown, 2));
    assert_eq!(unknown.updated_at, at(2));
    let second = insert(store, intent("op_2", Some("ann"), true, "to team"));
    assert_eq!(second, Inserted::ChangeInProgress(unknown));
}

fn an_intent_is_closed_once(store: &TestStore) {
    insert(store, intent("op_1", Some("ann"), true, "to pro"));
    assert!(close(store, "op_1", true));
    assert!(!close(store, "op_1", false));
    assert!(!write(store, |tx| intents::mark_unknown(tx, "op_1", at(10))));
    assert!(!close(store, "op_2", false), "there is none");
    let closed = get(store, "op_1");
    assert_eq!((closed.state, closed.closed_at), (IntentState::Refused, Some(at(9))));
    assert_eq!(closed.response.as_deref(), Some("{}"));
}

fn open_intents_are_listed_the_oldest_first(store: &TestStore) {
    for (id, created_at) in [("op_1", 3), ("op_2", 1), ("op_3", 2), ("op_4", 0)] {
        let new = intent(id, Some("ann"), false, id);
        insert(store, NewIntent { created_at: at(created_at), ..new });
    }
    close(store, "op_4", false);
    let open = |before, limit| {
        let open = read(store, |tx| intents::list_open(tx, at(before), limit));
        open.into_iter().map(|intent| intent.new.id).collect::<Vec<_>>()
    };
    assert_eq!(open(2, 9), ["op_2", "op_3"]);
    assert_eq!(open(9, 1), ["op_2"]);
}

fn a_change_is_always_somebodys(store: &TestStore) {
    let nobodys = intent("op_1", None, true, "k");
    let error = refused(store, move |tx| intents::insert(tx, &nobodys));
    assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
}
