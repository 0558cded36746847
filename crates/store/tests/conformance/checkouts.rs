//! Checkouts.

use farthing_core::money::Money;
use farthing_core::time::Interval;
use farthing_store::checkouts::{self, Checkout, Item, Status};
use farthing_store::on_both;

use super::{
    TestStore, at, by_hand, customer, is_constraint, is_impossible, is_stale, read, refused, write,
    wrong_column,
};

on_both!(
    every_item_and_status_survives_a_round_trip,
    a_save_writes_what_the_provider_answered_and_nothing_else,
    a_customer_has_one_open_checkout_for_a_plan,
    a_providers_page_belongs_to_one_checkout,
    a_checkout_that_is_not_there_cannot_be_saved,
    states_that_contradict_themselves_cannot_be_written,
    a_row_that_cannot_be_right_is_named,
);

fn plan(interval: Interval, trial_days: Option<i64>) -> Item {
    Item::Plan { plan: "pro".into(), interval, trial_days }
}

fn pack() -> Item {
    Item::Pack { pack: "boost".into(), sold: "{}".into() }
}

fn checkout(n: i64, of: &str, item: Item) -> Checkout {
    Checkout {
        customer: customer(of),
        id: format!("chk_{n}"),
        item,
        price: Money::new(1900, "EUR".parse().unwrap()),
        provider: "stripe".into(),
        provider_id: None,
        url: None,
        return_path: None,
        status: Status::Open,
        created_at: at(n),
        expires_at: at(99),
        settled_at: None,
        failure: None,
        attempt: 0,
        seen: 0,
    }
}

fn add(store: &TestStore, new: &Checkout) {
    let new = new.clone();
    write(store, move |tx| checkouts::insert(tx, &new));
}

fn find(store: &TestStore, id: &str) -> Option<Checkout> {
    read(store, |tx| checkouts::find(tx, id))
}

fn every_item_and_status_survives_a_round_trip(store: &TestStore) {
    let month = || plan(Interval::Month, None);
    let all = [
        checkout(1, "ann", month()),
        checkout(2, "bob", plan(Interval::Year, Some(7))),
        checkout(3, "ann", pack()),
        Checkout {
            status: Status::Settled,
            settled_at: Some(at(5)),
            ..checkout(4, "ann", month())
        },
        Checkout { status: Status::Expired, ..checkout(5, "ann", month()) },
        Checkout {
            status: Status::Failed,
            provider_id: Some("cs_6".into()),
            url: Some("https://pay.example/6".into()),
            return_path: Some("/billing?x=1".into()),
            seen: 12,
            ..checkout(6, "ann", month())
        },
    ];
    for one in all {
        add(store, &one);
        assert_eq!(find(store, &one.id), Some(one));
    }
    assert_eq!(find(store, "chk_9"), None);
}

fn a_save_writes_what_the_provider_answered_and_nothing_else(store: &TestStore) {
    let first = checkout(1, "ann", pack());
    add(store, &first);
    let next = Checkout {
        provider_id: Some("cs_1".into()),
        url: Some("https://pay.example/1".into()),
        status: Status::Settled,
        expires_at: at(50),
        settled_at: Some(at(40)),
        seen: 3,
        ..first
    };
    let other_price = Checkout { price: Money::new(1, next.price.currency), ..next.clone() };
    write(store, move |tx| checkouts::save(tx, &other_price));
    assert_eq!(find(store, "chk_1"), Some(next), "a price never changes");
}

fn a_customer_has_one_open_checkout_for_a_plan(store: &TestStore) {
    let ann = customer("ann");
    let open = || read(store, |tx| checkouts::open_plan(tx, &ann)).map(|checkout| checkout.id);
    assert_eq!(open(), None);
    add(
        store,
        &Checkout { status: Status::Expired, ..checkout(1, "ann", plan(Interval::Month, None)) },
    );
    add(store, &checkout(2, "ann", pack()));
    add(store, &checkout(3, "ann", pack()));
    assert_eq!(open(), None, "packs can be bought side by side");
    let first = checkout(4, "ann", plan(Interval::Month, None));
    add(store, &first);
    add(store, &checkout(5, "bob", plan(Interval::Month, None)));
    assert_eq!(open(), Some("chk_4".into()));
    let second = checkout(6, "ann", plan(Interval::Year, None));
    let refused_second = second.clone();
    let error = refused(store, move |tx| checkouts::insert(tx, &refused_second));
    assert!(is_constraint(&error), "{error}");
    let closed = Checkout { status: Status::Expired, ..first };
    write(store, move |tx| checkouts::save(tx, &closed));
    add(store, &second);
    assert_eq!(open(), Some("chk_6".into()));
}

fn a_providers_page_belongs_to_one_checkout(store: &TestStore) {
    let page = Some("cs_1".to_owned());
    add(store, &Checkout { provider_id: page.clone(), ..checkout(1, "ann", pack()) });
    add(store, &checkout(2, "ann", pack()));
    add(store, &checkout(3, "ann", pack()));
    let stolen = Checkout { provider_id: page.clone(), ..checkout(2, "ann", pack()) };
    let error = refused(store, move |tx| checkouts::save(tx, &stolen));
    assert!(is_constraint(&error), "{error}");
    let elsewhere = checkout(4, "ann", pack());
    add(store, &Checkout { provider: "paddle".into(), provider_id: page, ..elsewhere });
}

fn a_checkout_that_is_not_there_cannot_be_saved(store: &TestStore) {
    add(store, &checkout(1, "ann", pack()));
    for missing in [checkout(2, "ann", pack()), checkout(1, "bob", pack())] {
        let error = refused(store, move |tx| checkouts::save(tx, &missing));
        assert!(is_stale(&error, "checkouts"), "{error}");
    }
}

fn states_that_contradict_themselves_cannot_be_written(store: &TestStore) {
    for wrong in [
        Checkout { status: Status::Settled, ..checkout(1, "ann", pack()) },
        Checkout { settled_at: Some(at(1)), ..checkout(1, "ann", pack()) },
        Checkout { price: Money::new(-1, "EUR".parse().unwrap()), ..checkout(1, "ann", pack()) },
        checkout(1, "ann", plan(Interval::Month, Some(0))),
    ] {
        let error = refused(store, move |tx| checkouts::insert(tx, &wrong));
        assert!(is_constraint(&error), "{error}");
    }
    add(store, &checkout(1, "ann", pack()));
    is_impossible(store, "UPDATE checkouts SET kind = 'plan'");
    is_impossible(store, "UPDATE checkouts SET pay_interval = 'month'");
    is_impossible(store, "UPDATE checkouts SET status = 'lost'");
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    add(store, &checkout(1, "ann", plan(Interval::Month, None)));
    let column = || wrong_column(store, |tx| checkouts::find(tx, "chk_1"));
    by_hand(store, "UPDATE checkouts SET pay_interval = 'week'");
    assert_eq!(column(), "pay_interval of \"ann\"");
    by_hand(store, "UPDATE checkouts SET pay_interval = 'year', currency = 'XXQ'");
    assert_eq!(column(), "currency of \"ann\"");
    by_hand(store, "UPDATE checkouts SET currency = 'EUR', expires_at = -1");
    assert_eq!(column(), "expires_at of \"ann\"");
}
