//! Differences from the provider: one row each, found again, closed and forgotten.

use farthing_store::drift::{self, Closed, DriftState, Repair, Stored};
use farthing_store::{on_both, watermarks};

use super::{TestStore, at, customer, is_impossible, read, write};

on_both!(
    a_difference_is_one_row_however_often_it_is_seen,
    differences_are_listed_the_newest_first_by_state_and_customer,
    a_difference_is_open_or_somebody_ended_it,
    a_watermark_never_goes_back,
);

fn open(id: &str, whose: Option<&str>, field: &str) -> Stored {
    Stored {
        customer: whose.map(customer),
        object: "sub_1".to_owned(),
        field: field.to_owned(),
        id: id.to_owned(),
        ours: "growth".to_owned(),
        theirs: "pro".to_owned(),
        repair: Repair::Absorb,
        state: DriftState::Open,
        opened_at: at(1),
        seen_at: at(1),
        closed: None,
    }
}

fn a_difference_is_one_row_however_often_it_is_seen(store: &TestStore) {
    let first = open("drf_1", Some("ana"), "plan");
    let nobodys = open("drf_2", None, "plan");
    let closed = Some(Closed { at: at(9), by: "job".to_owned(), reason: None });
    let again = Stored { state: DriftState::Repaired, seen_at: at(9), closed, ..first.clone() };
    for one in [first.clone(), nobodys.clone(), again.clone()] {
        write(store, move |tx| drift::save(tx, &one));
    }
    let ana = customer("ana");
    assert_eq!(read(store, |tx| drift::find(tx, Some(&ana), ("sub_1", "plan"))), Some(again));
    assert_eq!(read(store, |tx| drift::find(tx, None, ("sub_1", "plan"))), Some(nobodys.clone()));
    assert_eq!(read(store, |tx| drift::open_of(tx, Some(&ana))), []);
    assert_eq!(read(store, |tx| drift::open_of(tx, None)), [nobodys]);
    assert_eq!(read(store, drift::count_open), 1);
}

fn differences_are_listed_the_newest_first_by_state_and_customer(store: &TestStore) {
    let rows = [
        open("drf_1", Some("ana"), "plan"),
        open("drf_2", Some("bob"), "plan"),
        Stored {
            state: DriftState::Ignored,
            closed: Some(Closed {
                at: at(2),
                by: "key:k".to_owned(),
                reason: Some("a partner's own deal".to_owned()),
            }),
            ..open("drf_3", Some("ana"), "status")
        },
    ];
    for one in rows {
        write(store, move |tx| drift::save(tx, &one));
    }
    let ids = |state, whose: Option<&str>, before: &str, limit| {
        let whose = whose.map(customer);
        let found = read(store, |tx| drift::list(tx, (state, whose.as_ref()), before, limit));
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, "", 9), ["drf_3", "drf_2", "drf_1"]);
    assert_eq!(ids(None, None, "drf_3", 1), ["drf_2"]);
    assert_eq!(ids(Some(DriftState::Open), None, "", 9), ["drf_2", "drf_1"]);
    assert_eq!(ids(None, Some("ana"), "", 9), ["drf_3", "drf_1"]);
    let ignored = read(store, |tx| drift::get(tx, "drf_3")).unwrap();
    assert_eq!(ignored.closed.unwrap().reason.unwrap(), "a partner's own deal");
    let ana = customer("ana");
    write(store, move |tx| drift::delete_all(tx, &ana));
    assert_eq!(ids(None, None, "", 9), ["drf_2"]);
}

fn a_difference_is_open_or_somebody_ended_it(store: &TestStore) {
    let one = open("drf_1", Some("ana"), "plan");
    write(store, move |tx| drift::save(tx, &one));
    is_impossible(store, "UPDATE drift SET state = 'repaired'");
    is_impossible(store, "UPDATE drift SET state = 'ignored', closed_at = 1, closed_by = 'x'");
    is_impossible(store, "UPDATE drift SET repair = 'magic'");
}

fn a_watermark_never_goes_back(store: &TestStore) {
    assert_eq!(read(store, |tx| watermarks::get(tx, "events")), None);
    for seconds in [5, 9, 7] {
        write(store, move |tx| watermarks::advance(tx, "events", at(seconds)));
    }
    assert_eq!(read(store, |tx| watermarks::get(tx, "events")), Some(at(9)));
}
