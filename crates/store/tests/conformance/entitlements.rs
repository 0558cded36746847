//! Entitlements, and the events that changed what is used.

use farthing_core::entitlement::{Access, Entitlement, Kind, Source, Window};
use farthing_core::time::Period;
use farthing_store::entitlements::{self, Stored, UsageKind};
use farthing_store::{StoreError, Tx, on_both};

use super::{
    TestStore, at, at_once, by_hand, customer, is_constraint, is_impossible, is_stale, read,
    refused, write, wrong_column,
};

on_both!(
    every_kind_source_and_access_survives_a_round_trip,
    a_put_replaces_everything,
    a_use_is_saved_over_the_version_that_was_read,
    of_a_customer_who_is_gone_nothing_can_be_taken,
    takers_of_one_entitlement_queue_behind_its_lock,
    takers_of_all_entitlements_queue_behind_their_locks,
    what_is_used_never_crosses_the_ceiling,
    what_was_used_before_a_limit_was_lowered_may_stay_but_not_grow,
    a_feature_outside_the_plan_holds_nothing,
    uses_are_written_down_one_by_one,
    a_report_counts_once_per_customer,
    shapes_that_contradict_themselves_cannot_be_written,
    a_row_that_cannot_be_right_is_named,
);

fn count(limit: Option<i64>, used: i64) -> Entitlement {
    Entitlement {
        kind: Kind::Count,
        source: Some(Source::Plan),
        limit,
        cap: None,
        used,
        reserved: 0,
        floor_used: 0,
        window: None,
        anchor: at(0),
        epoch: 0,
        access: Access::Full,
    }
}

fn usage(window: Window, used: i64) -> Entitlement {
    let of = Period { start: at(0), end: at(100) };
    Entitlement { kind: Kind::Usage(window), window: Some(of), ..count(Some(9), used) }
}

fn stored(feature: &str, entitlement: Entitlement) -> Stored {
    Stored { feature: feature.into(), entitlement, revision: 3, version: 0 }
}

fn add_ann(store: &TestStore) {
    let sql = "
        INSERT INTO customers (customer_id, email, canonical_email, metadata, plan, on_trial,
            standing, anchor, revision, created_at, updated_at)
        VALUES ('ann', '', '', '{}', 'free', 0, 'good', 0, 1, 0, 0)";
    by_hand(store, sql);
}

fn put(store: &TestStore, new: &Stored) {
    let new = new.clone();
    write(store, move |tx| entitlements::put(tx, &customer("ann"), &new));
}

fn put_refused(store: &TestStore, entitlement: Entitlement) -> StoreError {
    let new = stored("bots", entitlement);
    refused(store, move |tx| entitlements::put(tx, &customer("ann"), &new))
}

fn of_ann(store: &TestStore) -> Vec<Stored> {
    read(store, |tx| entitlements::of_customer(tx, &customer("ann")))
}

fn lock(store: &TestStore, feature: &'static str) -> Option<Stored> {
    write(store, move |tx| entitlements::lock(tx, &customer("ann"), feature))
}

fn every_kind_source_and_access_survives_a_round_trip(store: &TestStore) {
    let berlin = Window::Day("Europe/Berlin".into());
    let all = [
        stored("a", Entitlement { kind: Kind::Boolean, ..count(Some(1), 0) }),
        stored(
            "b",
            Entitlement { kind: Kind::Value, source: Some(Source::Trial), ..count(Some(3), 0) },
        ),
        stored("c", Entitlement { source: Some(Source::Override), ..count(None, i64::MAX) }),
        stored("d", Entitlement { access: Access::ReadOnly, ..count(Some(5), 5) }),
        stored("e", Entitlement { source: None, ..count(Some(0), 0) }),
        stored("f", Entitlement { epoch: 4, ..usage(Window::Month, 9) }),
        stored("g", usage(berlin, 1)),
        stored("h", Entitlement { cap: Some(9), used: 7, reserved: 2, ..count(Some(5), 7) }),
        stored("i", Entitlement { floor_used: 9, used: 9, ..count(Some(5), 9) }),
    ];
    for one in all.iter().rev() {
        put(store, one);
    }
    add_ann(store);
    assert_eq!(of_ann(store), all);
    assert_eq!(write(store, |tx| entitlements::lock_all(tx, &customer("ann"))), all);
    assert_eq!(lock(store, "g"), Some(all[6].clone()));
    assert_eq!(lock(store, "z"), None);
    assert_eq!(read(store, |tx| entitlements::of_customer(tx, &customer("bob"))), []);
    write(store, |tx| entitlements::delete_all(tx, &customer("bob")));
    assert_eq!(of_ann(store), all);
    write(store, |tx| entitlements::delete_all(tx, &customer("ann")));
    assert_eq!(of_ann(store), []);
}

fn a_put_replaces_everything(store: &TestStore) {
    put(store, &stored("bots", usage(Window::Day("UTC".into()), 9)));
    let next = Entitlement {
        source: Some(Source::Trial),
        cap: Some(8),
        reserved: 1,
        floor_used: 2,
        anchor: at(7),
        epoch: 5,
        access: Access::ReadOnly,
        ..count(Some(4), 6)
    };
    let next = Stored { revision: 4, version: 1, ..stored("bots", next) };
    put(store, &next);
    assert_eq!(of_ann(store), [next]);
}

fn a_use_is_saved_over_the_version_that_was_read(store: &TestStore) {
    let first = stored("bots", usage(Window::Month, 1));
    put(store, &first);
    let window = Some(Period { start: at(100), end: at(200) });
    let used = Entitlement { used: 2, floor_used: 2, epoch: 1, window, ..usage(Window::Month, 1) };
    let next = Stored { entitlement: used, version: 1, ..first.clone() };
    let save =
        |next: Stored| move |tx: &mut Tx<'_>| entitlements::save_use(tx, &customer("ann"), &next);
    write(store, save(next.clone()));
    assert_eq!(of_ann(store), std::slice::from_ref(&next));
    for version in [0, 1, 3] {
        let error = refused(store, save(Stored { version, ..next.clone() }));
        assert!(is_stale(&error, "entitlements"), "{error}");
    }
    let error = refused(store, save(Stored { feature: "none".into(), version: 2, ..next.clone() }));
    assert!(is_stale(&error, "entitlements"), "{error}");
    assert_eq!(of_ann(store), [next]);
}

fn of_a_customer_who_is_gone_nothing_can_be_taken(store: &TestStore) {
    let bots = stored("bots", count(Some(5), 1));
    put(store, &bots);
    assert_eq!(lock(store, "bots"), None);
    add_ann(store);
    assert_eq!(lock(store, "bots"), Some(bots));
}

fn takers_of_one_entitlement_queue_behind_its_lock(store: &TestStore) {
    add_ann(store);
    put(store, &stored("bots", count(Some(1_000), 0)));
    at_once(|| {
        write(store, |tx| {
            let mut locked = entitlements::lock(tx, &customer("ann"), "bots")?.unwrap();
            (locked.entitlement.used, locked.version) =
                (locked.entitlement.used + 1, locked.version + 1);
            entitlements::save_use(tx, &customer("ann"), &locked)
        });
    });
    assert_eq!(of_ann(store)[0].entitlement.used, 160);
}

fn takers_of_all_entitlements_queue_behind_their_locks(store: &TestStore) {
    put(store, &stored("bots", count(Some(1_000), 0)));
    put(store, &stored("disk", count(Some(1_000), 0)));
    at_once(|| {
        write(store, |tx| {
            for mut locked in entitlements::lock_all(tx, &customer("ann"))? {
                locked.entitlement.used += 1;
                entitlements::put(tx, &customer("ann"), &locked)?;
            }
            Ok(())
        });
    });
    let used: Vec<i64> = of_ann(store).iter().map(|stored| stored.entitlement.used).collect();
    assert_eq!(used, [160, 160]);
}

fn what_is_used_never_crosses_the_ceiling(store: &TestStore) {
    for above in [
        count(Some(5), 6),
        Entitlement { reserved: 1, ..count(Some(5), 5) },
        Entitlement { cap: Some(8), ..count(Some(5), 9) },
        Entitlement { floor_used: 6, ..count(Some(5), 7) },
        usage(Window::Month, 10),
        count(Some(5), -1),
        Entitlement { reserved: -1, ..count(Some(5), 1) },
        Entitlement { floor_used: -1, ..count(Some(5), 1) },
        count(Some(-1), 0),
    ] {
        let error = put_refused(store, above.clone());
        assert!(is_constraint(&error), "{above:?}: {error}");
    }
    put(store, &stored("bots", count(Some(5), 5)));
    let above = Stored { version: 1, ..stored("bots", count(Some(5), 6)) };
    let error = refused(store, move |tx| entitlements::save_use(tx, &customer("ann"), &above));
    assert!(is_constraint(&error), "{error}");
    is_impossible(store, "UPDATE entitlements SET used = 6");
    is_impossible(store, "UPDATE entitlements SET ceiling = 4");
    assert_eq!(of_ann(store), [stored("bots", count(Some(5), 5))]);
}

fn what_was_used_before_a_limit_was_lowered_may_stay_but_not_grow(store: &TestStore) {
    let lowered = Entitlement { floor_used: 8, ..count(Some(3), 8) };
    put(store, &stored("bots", lowered.clone()));
    let save = |n: i64| {
        let entitlement = Entitlement { used: n, ..lowered.clone() };
        let next = Stored { version: 1, ..stored("bots", entitlement) };
        move |tx: &mut Tx<'_>| entitlements::save_use(tx, &customer("ann"), &next)
    };
    assert!(is_constraint(&refused(store, save(9))));
    write(store, save(7));
}

fn a_feature_outside_the_plan_holds_nothing(store: &TestStore) {
    let absent = Entitlement { source: None, ..count(None, 0) };
    put(store, &stored("bots", absent.clone()));
    assert!(is_constraint(&put_refused(store, Entitlement { used: 1, ..absent.clone() })));
    put(store, &stored("bots", Entitlement { used: 1, floor_used: 1, ..absent }));
}

fn uses_are_written_down_one_by_one(store: &TestStore) {
    let kinds = [
        (UsageKind::Consume, 3),
        (UsageKind::Release, -2),
        (UsageKind::Sync, -1),
        (UsageKind::Report, 7),
    ];
    let record = |version, (kind, delta)| {
        let entitlement = Entitlement { epoch: 2, ..usage(Window::Month, 0) };
        let used = Stored { version, ..stored("bots", entitlement) };
        move |tx: &mut Tx<'_>| {
            entitlements::record_use(tx, &customer("ann"), &used, (kind, delta), at(5))
        }
    };
    for (version, change) in (1..).zip(kinds) {
        write(store, record(version, change));
    }
    let error = refused(store, record(4, (UsageKind::Consume, 1)));
    assert!(is_constraint(&error), "a version is written once: {error}");
    let sql = "SELECT kind, delta, epoch, at FROM usage_events ORDER BY version";
    let rows = read(store, |tx| tx.query(sql, &[]));
    let rows: Vec<(String, i64)> =
        rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    let expected = [("consume", 3), ("release", -2), ("sync", -1), ("report", 7)];
    assert_eq!(rows, expected.map(|(kind, delta)| (kind.to_owned(), delta)));
}

fn a_report_counts_once_per_customer(store: &TestStore) {
    let report = |of: &'static str, id: &'static str| {
        write(store, move |tx| entitlements::insert_report(tx, &customer(of), id, at(0)))
    };
    assert!(report("ann", "e1") && report("bob", "e1") && report("ann", "e2"));
    assert!(!report("ann", "e1") && !report("bob", "e1"));
}

fn shapes_that_contradict_themselves_cannot_be_written(store: &TestStore) {
    let of = Period { start: at(0), end: at(0) };
    for wrong in [
        Entitlement { window: None, ..usage(Window::Month, 0) },
        Entitlement { window: Some(of), ..usage(Window::Month, 0) },
        Entitlement { window: usage(Window::Month, 0).window, ..count(Some(1), 0) },
    ] {
        let error = put_refused(store, wrong.clone());
        assert!(is_constraint(&error), "{wrong:?}: {error}");
    }
    put(store, &stored("bots", count(Some(1), 0)));
    is_impossible(store, "UPDATE entitlements SET kind = 'usage'");
    is_impossible(store, "UPDATE entitlements SET reset_every = 'month'");
    is_impossible(store, "UPDATE entitlements SET kind = 'credits'");
    is_impossible(store, "UPDATE entitlements SET source = 'gift'");
    is_impossible(store, "UPDATE entitlements SET access = 'none'");
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    put(store, &stored("bots", usage(Window::Day("UTC".into()), 0)));
    let column = || wrong_column(store, |tx| entitlements::of_customer(tx, &customer("ann")));
    by_hand(store, "UPDATE entitlements SET reset_zone = NULL");
    assert_eq!(column(), "kind of \"bots\"", "a day of no zone");
    by_hand(store, "UPDATE entitlements SET reset_zone = 'UTC', window_start = -1");
    assert_eq!(column(), "window_start of \"bots\"");
    by_hand(store, "UPDATE entitlements SET window_start = 0, anchor = -1");
    assert_eq!(column(), "anchor of \"bots\"");
}
