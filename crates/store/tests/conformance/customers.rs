//! Customers: what is stored of them, who is found, and whose the provider's customers are.

use farthing_core::subscription::Standing;
use farthing_store::customers::{self, Customer};
use farthing_store::on_both;

use super::{
    TestStore, at, at_once, by_hand, customer, is_impossible, is_stale, read, refused, write,
    wrong_column,
};

on_both!(
    every_standing_and_every_field_survives_a_round_trip,
    a_customer_is_added_once,
    a_save_over_another_revision_is_stale_and_writes_nothing,
    changes_of_one_customer_queue_behind_its_lock,
    a_search_finds_what_was_typed_and_nothing_else,
    customers_are_listed_in_the_order_of_bytes_page_by_page,
    plans_are_counted,
    a_link_to_a_provider_stays_with_the_first_customer,
    a_standing_that_contradicts_its_time_cannot_be_written,
    a_row_that_cannot_be_right_is_named,
);

fn ann() -> Customer {
    Customer {
        id: customer("ann"),
        email: "Ann@Example.com".into(),
        canonical_email: "ann@example.com".into(),
        name: Some("Ann A.".into()),
        currency: Some("EUR".parse().unwrap()),
        device_fingerprint: Some("device-1".into()),
        metadata: r#"{"team":7}"#.into(),
        plan: "free".into(),
        on_trial: false,
        standing: Standing::Good,
        anchor: at(-5),
        revision: 1,
        created_at: at(0),
        updated_at: at(1),
    }
}

fn bare(id: &str) -> Customer {
    let nothing = Customer { name: None, currency: None, device_fingerprint: None, ..ann() };
    Customer { id: customer(id), ..nothing }
}

fn add(store: &TestStore, new: Customer) {
    assert!(write(store, move |tx| customers::insert(tx, &new)));
}

fn find(store: &TestStore, id: &str) -> Option<Customer> {
    read(store, |tx| customers::find(tx, &customer(id)))
}

fn every_standing_and_every_field_survives_a_round_trip(store: &TestStore) {
    let late = Standing::PastDue { since: at(3) };
    let very_late = Standing::ReadOnly { since: at(4) };
    let all = [
        ann(),
        Customer { standing: late, on_trial: true, ..bare("bob") },
        Customer { standing: very_late, revision: i64::MAX, ..bare("cat") },
    ];
    for one in all {
        add(store, one.clone());
        assert_eq!(find(store, one.id.as_str()), Some(one.clone()));
        let locked = one.clone();
        let locked = write(store, move |tx| customers::lock(tx, &locked.id));
        assert_eq!(locked, Some(one));
    }
    assert_eq!(find(store, "dan"), None);
    assert_eq!(write(store, |tx| customers::lock(tx, &customer("dan"))), None);
}

fn a_customer_is_added_once(store: &TestStore) {
    add(store, ann());
    let second = Customer { plan: "pro".into(), ..ann() };
    assert!(!write(store, move |tx| customers::insert(tx, &second)));
    assert_eq!(find(store, "ann"), Some(ann()));
    write(store, |tx| customers::delete(tx, &customer("ann")));
    assert_eq!(find(store, "ann"), None);
    add(store, ann());
}

fn a_save_over_another_revision_is_stale_and_writes_nothing(store: &TestStore) {
    add(store, ann());
    let next = Customer {
        email: "a@b.example".into(),
        canonical_email: "a@b.example".into(),
        plan: "pro".into(),
        on_trial: true,
        standing: Standing::PastDue { since: at(8) },
        anchor: at(9),
        revision: 2,
        updated_at: at(10),
        ..bare("ann")
    };
    let saved = next.clone();
    write(store, move |tx| customers::save(tx, &saved));
    assert_eq!(find(store, "ann"), Some(next.clone()));
    let again = next.clone();
    write(store, move |tx| customers::save(tx, &again));
    for revision in [1, 4] {
        let other = Customer { revision, plan: "free".into(), ..next.clone() };
        let error = refused(store, move |tx| customers::save(tx, &other));
        assert!(is_stale(&error, "customers"), "{error}");
    }
    assert_eq!(find(store, "ann"), Some(next));
    let error = refused(store, |tx| customers::save(tx, &bare("nobody")));
    assert!(is_stale(&error, "customers"), "{error}");
}

fn changes_of_one_customer_queue_behind_its_lock(store: &TestStore) {
    add(store, ann());
    at_once(|| {
        write(store, |tx| {
            let mut locked = customers::lock(tx, &customer("ann"))?.unwrap();
            locked.revision += 1;
            customers::save(tx, &locked)
        });
    });
    assert_eq!(find(store, "ann").unwrap().revision, 161);
}

fn a_search_finds_what_was_typed_and_nothing_else(store: &TestStore) {
    let named = |id: &str, email: &str, name: &str| Customer {
        email: email.into(),
        name: Some(name.into()),
        ..bare(id)
    };
    add(store, named("ann", "ann@x.example", "100% Ann_B"));
    add(store, named("bob", "bob!b@x.example", "Élodie AnnxB"));
    add(store, Customer { email: "C@X.EXAMPLE".into(), ..bare("User-7") });
    let cases: [(&str, &[&str]); 11] = [
        ("", &["User-7", "ann", "bob"]),
        ("%", &["ann"]),
        ("0%", &["ann"]),
        ("_", &["ann"]),
        ("N_B", &["ann"]),
        ("!", &["bob"]),
        ("!!", &[]),
        ("user", &["User-7"]),
        ("USER-7", &["User-7"]),
        ("c@x.Example", &["User-7"]),
        ("Élodie", &["bob"]),
    ];
    for (search, expected) in cases {
        let found = read(store, |tx| customers::list(tx, search, "", 9));
        let found: Vec<&str> = found.iter().map(|customer| customer.id.as_str()).collect();
        assert_eq!(found, expected, "{search:?}");
    }
}

fn customers_are_listed_in_the_order_of_bytes_page_by_page(store: &TestStore) {
    for id in ["b", "B", "a-1", "a", "10", "9", "a@b"] {
        add(store, bare(id));
    }
    let order = ["10", "9", "B", "a", "a-1", "a@b", "b"];
    let mut after = String::new();
    for (n, id) in order.iter().enumerate() {
        let page = read(store, |tx| customers::list(tx, "", &after, 1));
        assert_eq!(page, [bare(id)]);
        after = page[0].id.to_string();
        let left = read(store, |tx| customers::ids_after(tx, &after, 99));
        let left: Vec<&str> = left.iter().map(|id| id.as_str()).collect();
        assert_eq!(left, order[n + 1..]);
    }
    assert_eq!(read(store, |tx| customers::list(tx, "", &after, 1)), []);
    assert_eq!(read(store, |tx| customers::ids_after(tx, "", 2)), [customer("10"), customer("9")]);
}

fn plans_are_counted(store: &TestStore) {
    assert_eq!(read(store, customers::count_by_plan), []);
    for (id, plan) in [("a", "free"), ("b", "pro"), ("c", "free")] {
        add(store, Customer { plan: plan.into(), ..bare(id) });
    }
    let mut counts = read(store, customers::count_by_plan);
    counts.sort();
    assert_eq!(counts, [("free".into(), 2), ("pro".into(), 1)]);
}

fn a_link_to_a_provider_stays_with_the_first_customer(store: &TestStore) {
    let (ann, bob) = (customer("ann"), customer("bob"));
    for (whose, provider, id) in [
        (&ann, "stripe", "cus_1"),
        (&ann, "stripe", "cus_2"),
        (&bob, "stripe", "cus_1"),
        (&bob, "paddle", "cus_1"),
    ] {
        let whose = whose.clone();
        write(store, move |tx| customers::link(tx, &whose, provider, id));
    }
    assert_eq!(read(store, |tx| customers::provider_id(tx, &ann, "stripe")), Some("cus_1".into()));
    assert_eq!(read(store, |tx| customers::provider_id(tx, &ann, "paddle")), None);
    assert_eq!(read(store, |tx| customers::provider_id(tx, &bob, "stripe")), None);
    let whose = |provider, id| read(store, |tx| customers::of_provider_id(tx, provider, id));
    assert_eq!(whose("stripe", "cus_1"), Some(ann));
    assert_eq!(whose("stripe", "cus_2"), None);
    assert_eq!(whose("paddle", "cus_1"), Some(bob));
    write(store, |tx| customers::unlink(tx, &customer("ann")));
    assert_eq!((whose("stripe", "cus_1"), whose("paddle", "cus_1")), (None, Some(customer("bob"))));
}

fn a_standing_that_contradicts_its_time_cannot_be_written(store: &TestStore) {
    add(store, ann());
    is_impossible(store, "UPDATE customers SET standing_since = 1");
    is_impossible(store, "UPDATE customers SET standing = 'past_due'");
    is_impossible(store, "UPDATE customers SET standing = 'bad', standing_since = 1");
    is_impossible(store, "UPDATE customers SET on_trial = 2");
    is_impossible(store, "UPDATE customers SET revision = 0");
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    add(store, ann());
    let ann = customer("ann");
    by_hand(store, "UPDATE customers SET currency = 'XXQ'");
    assert_eq!(wrong_column(store, |tx| customers::find(tx, &ann)), "currency of \"ann\"");
    by_hand(store, "UPDATE customers SET currency = NULL, anchor = -1");
    assert_eq!(wrong_column(store, |tx| customers::list(tx, "", "", 9)), "anchor of \"ann\"");
    by_hand(store, "UPDATE customers SET anchor = 0, customer_id = 'a b'");
    assert_eq!(wrong_column(store, |tx| customers::ids_after(tx, "", 9)), "customer_id");
}
