//! Subscriptions and their periods.

use farthing_core::subscription::{Pending, Standing, Status, Subscription};
use farthing_core::time::{Interval, Period};
use farthing_store::on_both;
use farthing_store::subscriptions::{self, Stored, StoredPeriod};

use super::{
    TestStore, at, by_hand, customer, is_constraint, is_impossible, is_stale, read, refused, write,
    wrong_column,
};

on_both!(
    every_status_standing_and_interval_survives_a_round_trip,
    a_save_writes_everything_under_the_next_version,
    a_lost_race_is_stale_and_writes_nothing,
    a_customer_has_one_running_subscription,
    a_second_one_cannot_start_to_run_by_a_save,
    a_providers_subscription_is_stored_once,
    the_newest_comes_first_for_a_customer_and_pages_go_from_the_oldest,
    a_period_is_written_down_once,
    states_that_contradict_themselves_cannot_be_written,
    a_row_that_cannot_be_right_is_named,
);

fn sub(status: Status) -> Subscription {
    Subscription {
        plan: "pro".into(),
        interval: Interval::Month,
        price: "price_1".into(),
        currency: "EUR".parse().unwrap(),
        status,
        standing: Standing::Good,
        period: Period { start: at(0), end: at(10) },
        anchor: at(-1),
        cancel_at: None,
        trial_ends_at: None,
        ended_at: (status == Status::Canceled).then(|| at(10)),
        pending: None,
    }
}

fn pending(interval: Interval) -> Option<Pending> {
    Some(Pending { plan: "team".into(), interval, at: at(10) })
}

fn stored(n: u32, of: &str, subscription: Subscription) -> Stored {
    Stored {
        customer: customer(of),
        id: format!("sub_{n}"),
        provider: "stripe".into(),
        provider_id: format!("si_{n}"),
        subscription,
        created_at: at(1),
        seen: 7,
        version: 1,
    }
}

fn add(store: &TestStore, new: &Stored) {
    let new = new.clone();
    write(store, move |tx| subscriptions::insert(tx, &new));
}

fn find(store: &TestStore, id: &str) -> Option<Stored> {
    read(store, |tx| subscriptions::find(tx, id))
}

fn every_status_standing_and_interval_survives_a_round_trip(store: &TestStore) {
    let mut all: Vec<Subscription> = Status::ALL.into_iter().map(sub).collect();
    for standing in [Standing::PastDue { since: at(5) }, Standing::ReadOnly { since: at(6) }] {
        all.push(Subscription { standing, ..sub(Status::Active) });
    }
    for interval in [Interval::Day, Interval::Year] {
        all.push(Subscription { interval, ..sub(Status::Active) });
    }
    let (cancel_at, trial_ends_at) = (Some(at(10)), Some(at(2)));
    all.push(Subscription { cancel_at, trial_ends_at, ..sub(Status::Trialing) });
    for interval in [Interval::Day, Interval::Month, Interval::Year] {
        all.push(Subscription { pending: pending(interval), ..sub(Status::Active) });
    }
    for (n, one) in (0..).zip(all) {
        let one = stored(n, &format!("c{n}"), one);
        add(store, &one);
        assert_eq!(find(store, &one.id), Some(one.clone()));
        let found =
            read(store, |tx| subscriptions::find_by_provider_id(tx, "stripe", &one.provider_id));
        assert_eq!(found, Some(one.clone()));
        let found =
            read(store, |tx| subscriptions::find_by_provider_id(tx, "paddle", &one.provider_id));
        assert_eq!(found, None);
        assert_eq!(read(store, |tx| subscriptions::of_customer(tx, &one.customer)), [one]);
    }
    assert_eq!(find(store, "sub_99"), None);
}

fn a_save_writes_everything_under_the_next_version(store: &TestStore) {
    let first = stored(1, "ann", sub(Status::Trialing));
    add(store, &first);
    let next = Subscription {
        plan: "team".into(),
        interval: Interval::Year,
        price: "price_2".into(),
        currency: "USD".parse().unwrap(),
        standing: Standing::PastDue { since: at(12) },
        period: Period { start: at(10), end: at(20) },
        anchor: at(11),
        cancel_at: Some(at(20)),
        trial_ends_at: Some(at(10)),
        pending: pending(Interval::Year),
        ..sub(Status::Canceled)
    };
    let next = Stored { subscription: next, seen: 8, ..first };
    let saved = next.clone();
    write(store, move |tx| subscriptions::save(tx, &saved));
    let next = Stored { version: 2, ..next };
    assert_eq!(find(store, "sub_1"), Some(next.clone()));
    let undone = Subscription { pending: None, ..next.subscription.clone() };
    let undone = Stored { subscription: undone, ..next };
    let saved = undone.clone();
    write(store, move |tx| subscriptions::save(tx, &saved));
    assert_eq!(find(store, "sub_1"), Some(Stored { version: 3, ..undone }));
}

fn a_lost_race_is_stale_and_writes_nothing(store: &TestStore) {
    let first = stored(1, "ann", sub(Status::Active));
    add(store, &first);
    let winner = Stored { seen: 8, ..first.clone() };
    write(store, move |tx| subscriptions::save(tx, &winner));
    for loser in [
        Stored { seen: 9, ..first.clone() },
        Stored { version: 3, ..first.clone() },
        Stored { version: 2, customer: customer("bob"), ..first.clone() },
        Stored { version: 2, id: "sub_2".into(), ..first.clone() },
    ] {
        let error = refused(store, move |tx| subscriptions::save(tx, &loser));
        assert!(is_stale(&error, "subscriptions"), "{error}");
    }
    assert_eq!(find(store, "sub_1"), Some(Stored { seen: 8, version: 2, ..first }));
}

fn a_customer_has_one_running_subscription(store: &TestStore) {
    for (n, status) in (1..).zip([Status::Canceled, Status::Incomplete, Status::Canceled]) {
        add(store, &stored(n, "ann", sub(status)));
    }
    add(store, &stored(4, "ann", sub(Status::Active)));
    add(store, &stored(5, "bob", sub(Status::Active)));
    for running in [Status::Trialing, Status::Active, Status::Paused] {
        let second = stored(6, "ann", sub(running));
        let error = refused(store, move |tx| subscriptions::insert(tx, &second));
        assert!(is_constraint(&error), "{error}");
    }
    add(store, &stored(7, "ann", sub(Status::Incomplete)));
}

fn a_second_one_cannot_start_to_run_by_a_save(store: &TestStore) {
    add(store, &stored(1, "ann", sub(Status::Paused)));
    let second = stored(2, "ann", sub(Status::Incomplete));
    add(store, &second);
    let paid = Stored { subscription: sub(Status::Active), ..second.clone() };
    let error = refused(store, move |tx| subscriptions::save(tx, &paid));
    assert!(is_constraint(&error), "{error}");
    assert_eq!(find(store, "sub_2"), Some(second));
}

fn a_providers_subscription_is_stored_once(store: &TestStore) {
    add(store, &stored(1, "ann", sub(Status::Active)));
    let same = Stored { provider_id: "si_1".into(), ..stored(2, "bob", sub(Status::Active)) };
    let elsewhere = Stored { provider: "paddle".into(), ..same.clone() };
    let error = refused(store, move |tx| subscriptions::insert(tx, &same));
    assert!(is_constraint(&error), "{error}");
    add(store, &elsewhere);
}

fn the_newest_comes_first_for_a_customer_and_pages_go_from_the_oldest(store: &TestStore) {
    for (n, of) in [(3, "ann"), (1, "ann"), (2, "bob"), (4, "ann")] {
        add(store, &stored(n, of, sub(Status::Canceled)));
    }
    let ids = |found: Vec<Stored>| -> Vec<String> { found.into_iter().map(|s| s.id).collect() };
    let ann = customer("ann");
    let found = ids(read(store, |tx| subscriptions::of_customer(tx, &ann)));
    assert_eq!(found, ["sub_4", "sub_3", "sub_1"]);
    let list = |of, after, limit| ids(read(store, |tx| subscriptions::list(tx, of, after, limit)));
    assert_eq!(list(None, "", 3), ["sub_1", "sub_2", "sub_3"]);
    assert_eq!(list(None, "sub_3", 3), ["sub_4"]);
    assert_eq!(list(Some(&ann), "sub_1", 9), ["sub_3", "sub_4"]);
    assert_eq!(list(Some(&customer("cat")), "", 9), [""; 0]);
}

fn a_period_is_written_down_once(store: &TestStore) {
    let paid = |start, end, invoice: Option<&str>| StoredPeriod {
        period: Period { start: at(start), end: at(end) },
        plan: "pro".into(),
        invoice: invoice.map(str::to_owned),
        grants: 1,
    };
    let insert = |period: StoredPeriod, sub: &'static str| {
        write(store, move |tx| {
            subscriptions::insert_period(tx, &customer("ann"), sub, &period, at(99))
        })
    };
    assert!(insert(paid(0, 7, None), "sub_1"));
    assert!(insert(paid(7, 17, Some("in_1")), "sub_1"));
    assert!(!insert(paid(7, 17, Some("in_1")), "sub_1"), "the same again");
    assert!(!insert(paid(7, 27, Some("in_2")), "sub_1"), "another one with that start");
    assert!(insert(paid(7, 17, Some("in_3")), "sub_2"));
    let sql = "
        SELECT invoice, state, starts_at, ends_at FROM periods
        WHERE subscription_id = 'sub_1' ORDER BY starts_at";
    let rows = read(store, |tx| tx.query(sql, &[]));
    let row = |n: usize| (rows[n].opt_text(0).unwrap(), rows[n].text(1).unwrap());
    assert_eq!((row(0), row(1)), ((None, "trial".into()), (Some("in_1".into()), "paid".into())));
    assert_eq!((rows.len(), rows[1].time(3)), (2, Ok(at(17))));
    let empty = paid(5, 5, None);
    let error = refused(store, move |tx| {
        subscriptions::insert_period(tx, &customer("ann"), "sub_3", &empty, at(0))
    });
    assert!(is_constraint(&error), "{error}");
    is_impossible(store, "UPDATE periods SET state = 'trial' WHERE invoice IS NOT NULL");
    is_impossible(store, "UPDATE periods SET state = 'paid' WHERE invoice IS NULL");
}

fn states_that_contradict_themselves_cannot_be_written(store: &TestStore) {
    let wrong = [
        Subscription { ended_at: None, ..sub(Status::Canceled) },
        Subscription { ended_at: Some(at(1)), ..sub(Status::Active) },
        Subscription { period: Period { start: at(4), end: at(4) }, ..sub(Status::Active) },
    ];
    for wrong in wrong {
        let wrong = stored(1, "ann", wrong);
        let error = refused(store, move |tx| subscriptions::insert(tx, &wrong));
        assert!(is_constraint(&error), "{error}");
    }
    add(store, &stored(1, "ann", sub(Status::Active)));
    is_impossible(store, "UPDATE subscriptions SET standing_since = 1");
    is_impossible(store, "UPDATE subscriptions SET standing = 'read_only'");
    is_impossible(store, "UPDATE subscriptions SET status = 'over'");
    is_impossible(store, "UPDATE subscriptions SET pay_interval = 'week'");
    is_impossible(store, "UPDATE subscriptions SET pending_interval = 'week'");
    is_impossible(store, "UPDATE subscriptions SET pending_plan = 'team'");
    is_impossible(store, "UPDATE subscriptions SET pending_at = 1");
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    add(store, &stored(1, "ann", sub(Status::Active)));
    let cases = [
        ("UPDATE subscriptions SET currency = 'eur'", "currency of \"ann\""),
        ("UPDATE subscriptions SET currency = 'EUR', cancel_at = -1", "cancel_at of \"ann\""),
        ("UPDATE subscriptions SET cancel_at = NULL, period_start = -9", "period_start of \"ann\""),
    ];
    for (sql, column) in cases {
        by_hand(store, sql);
        assert_eq!(wrong_column(store, |tx| subscriptions::find(tx, "sub_1")), column);
    }
    let no_interval =
        "UPDATE subscriptions SET period_start = 0, pending_plan = 'team', pending_at = 1";
    by_hand(store, no_interval);
    let column = wrong_column(store, |tx| subscriptions::find(tx, "sub_1"));
    assert_eq!(column, "pending_interval of \"ann\"");
    by_hand(store, "UPDATE subscriptions SET pending_plan = NULL, pending_at = NULL");
    let same_id = Stored { provider_id: "si_2".into(), ..stored(1, "bob", sub(Status::Active)) };
    add(store, &same_id);
    let column = wrong_column(store, |tx| subscriptions::find(tx, "sub_1"));
    assert_eq!(column, "all columns", "our id of two subscriptions");
}
