//! Credits: accounts, grants and the ledger.

use std::collections::BTreeMap;

use farthing_core::catalog::GrantSource;
use farthing_core::credits::{Bucket, Draw, Grant, Posting, Reason, grant};
use farthing_core::entitlement::Access;
use farthing_store::credits::{self, Account, Because, Entry, NewGrant};
use farthing_store::{StoreError, Tx, on_both};

use super::{
    TestStore, at, at_once, by_hand, customer, is_constraint, is_impossible, is_stale, read,
    refused, write, wrong_column,
};

on_both!(
    an_account_is_opened_once_and_keeps_what_it_has,
    what_payments_leave_is_written_into_all_accounts_of_one_customer,
    every_source_of_a_grant_survives_a_round_trip,
    a_business_key_is_granted_once,
    a_posting_moves_credits_and_every_balance_follows,
    a_posting_that_moves_nothing_is_refused_as_a_whole,
    more_than_a_grant_has_left_cannot_be_drawn,
    more_than_a_bucket_holds_cannot_be_moved,
    a_posting_on_an_account_that_moved_on_is_stale,
    spenders_of_one_account_queue_behind_its_lock,
    everything_that_was_granted_is_listed_whatever_is_left_of_it,
    entries_are_listed_from_the_newest_transaction,
    rows_that_cannot_be_right_are_refused_or_named,
);

fn open(store: &TestStore, of: &'static str, credit: &'static str) {
    write(store, move |tx| credits::open(tx, &customer(of), credit, 1));
}

fn gift(n: i64, amount: i64) -> NewGrant {
    NewGrant {
        id: format!("grt_{n}"),
        credit: "ai".into(),
        business_key: format!("key_{n}"),
        source: GrantSource::Pack,
        amount,
        expires_at: None,
        paid_by: None,
    }
}

const BECAUSE: fn() -> Because<'static> = || Because { id: "led_1", cause: "test", now: at(1) };

/// Grants and posts it, as the engine does.
fn give(store: &TestStore, new: NewGrant) {
    write(store, move |tx| {
        let ann = customer("ann");
        let mut account = credits::lock(tx, &ann, &new.credit)?.unwrap();
        assert!(credits::insert_grant(tx, &ann, &new, at(0))?);
        credits::post(tx, &ann, &mut account, &grant(new.amount), BECAUSE())
    });
}

fn spend(amount: i64, draws: &[(&str, i64)]) -> Posting {
    let draw = |(grant, amount): &(&str, i64)| Draw { grant: (*grant).into(), amount: *amount };
    let (from, to) = (Bucket::Available, Bucket::Spent);
    Posting { reason: Reason::Spend, from, to, amount, draws: draws.iter().map(draw).collect() }
}

fn post(store: &TestStore, posting: Posting) -> Result<Account, StoreError> {
    let posted = store.write(move |tx| {
        let ann = customer("ann");
        let mut account = credits::lock(tx, &ann, "ai")?.unwrap();
        credits::post(tx, &ann, &mut account, &posting, BECAUSE())?;
        Ok(account)
    });
    posted.wait()
}

fn account(store: &TestStore) -> Account {
    read(store, |tx| credits::of_customer(tx, &customer("ann"))).remove(0)
}

fn grants(store: &TestStore) -> Vec<(String, i64)> {
    let grants: Vec<Grant> = read(store, |tx| credits::grants(tx, &customer("ann"), "ai"));
    grants.into_iter().map(|grant| (grant.id, grant.remaining)).collect()
}

fn balances(store: &TestStore) -> BTreeMap<String, i64> {
    let rows = read(store, |tx| tx.query("SELECT bucket, amount FROM ledger_balances", &[]));
    rows.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect()
}

fn entries(store: &TestStore) -> Vec<Entry> {
    read(store, |tx| credits::entries(tx, &customer("ann"), "ai", i64::MAX, 99))
}

fn an_account_is_opened_once_and_keeps_what_it_has(store: &TestStore) {
    open(store, "ann", "ai");
    let fresh = Account {
        credit: "ai".into(),
        available: 0,
        debt: 0,
        paused: false,
        transactions: 0,
        access: Access::Full,
        revision: 1,
    };
    assert_eq!(account(store), fresh);
    give(store, gift(1, 5));
    write(store, |tx| credits::open(tx, &customer("ann"), "ai", 9));
    let kept = Account { available: 5, transactions: 1, ..fresh };
    assert_eq!(account(store), kept);
    assert_eq!(write(store, |tx| credits::lock(tx, &customer("ann"), "ai")), Some(kept));
    assert_eq!(write(store, |tx| credits::lock(tx, &customer("ann"), "sms")), None);
    assert_eq!(write(store, |tx| credits::lock(tx, &customer("bob"), "ai")), None);
}

fn what_payments_leave_is_written_into_all_accounts_of_one_customer(store: &TestStore) {
    for (of, credit) in [("ann", "sms"), ("ann", "ai"), ("bob", "ai")] {
        open(store, of, credit);
    }
    write(store, |tx| credits::set_access(tx, &customer("ann"), Access::ReadOnly, 7));
    let of = |who| {
        let accounts = read(store, |tx| credits::of_customer(tx, &customer(who)));
        accounts.into_iter().map(|a| (a.credit, a.access, a.revision)).collect::<Vec<_>>()
    };
    let late = |credit: &str| (credit.to_owned(), Access::ReadOnly, 7);
    assert_eq!(of("ann"), [late("ai"), late("sms")]);
    assert_eq!(of("bob"), [("ai".to_owned(), Access::Full, 1)]);
}

fn every_source_of_a_grant_survives_a_round_trip(store: &TestStore) {
    open(store, "ann", "ai");
    let sources = [GrantSource::Plan, GrantSource::Pack, GrantSource::Signup, GrantSource::Manual];
    for (n, source) in (1..).zip(sources) {
        give(store, NewGrant { source, expires_at: Some(at(n)), ..gift(n, n) });
    }
    give(store, gift(5, 5));
    let found = read(store, |tx| credits::grants(tx, &customer("ann"), "ai"));
    let expected = (1..).zip(sources).map(|(n, source)| Grant {
        id: format!("grt_{n}"),
        source,
        remaining: n,
        expires_at: Some(at(n)),
    });
    let last =
        Grant { id: "grt_5".into(), source: GrantSource::Pack, remaining: 5, expires_at: None };
    assert_eq!(found, expected.chain([last]).collect::<Vec<_>>());
    assert_eq!(read(store, |tx| credits::grants(tx, &customer("bob"), "ai")), []);
    assert_eq!(read(store, |tx| credits::grants(tx, &customer("ann"), "sms")), []);
}

fn a_business_key_is_granted_once(store: &TestStore) {
    let insert = |of: &'static str, new: NewGrant| {
        write(store, move |tx| credits::insert_grant(tx, &customer(of), &new, at(0)))
    };
    let again = || NewGrant { id: "grt_2".into(), amount: 99, ..gift(1, 5) };
    assert!(insert("ann", gift(1, 5)));
    assert!(!insert("ann", again()));
    assert_eq!(grants(store), [("grt_1".into(), 5)]);
    assert!(insert("ann", NewGrant { credit: "sms".into(), id: "grt_3".into(), ..gift(1, 5) }));
    assert!(insert("bob", again()));
    for wrong in [gift(4, 0), gift(4, -1), NewGrant { id: "grt_1".into(), ..gift(4, 1) }] {
        let error =
            refused(store, move |tx| credits::insert_grant(tx, &customer("ann"), &wrong, at(0)));
        assert!(is_constraint(&error), "{error}");
    }
}

fn a_posting_moves_credits_and_every_balance_follows(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 10));
    give(store, gift(2, 5));
    let after = post(store, spend(12, &[("grt_1", 10), ("grt_2", 2)])).unwrap();
    assert_eq!((after.available, after.transactions), (3, 3));
    assert_eq!(account(store), after, "the account in hand is the stored one");
    assert_eq!(grants(store), [("grt_2".into(), 3)]);
    let (from, to) = (Bucket::Available, Bucket::Ended);
    let ending = Posting { reason: Reason::Expire, from, to, ..spend(3, &[("grt_2", 3)]) };
    assert_eq!(post(store, ending).unwrap().available, 0);
    assert_eq!(grants(store), []);
    let expected = [("issued", -15), ("available", 0), ("spent", 12), ("ended", 3)];
    assert_eq!(balances(store), expected.map(|(word, n)| (word.to_owned(), n)).into());
    let written = entries(store);
    let shown: Vec<String> = written
        .iter()
        .map(|e| format!("{} {} {} {}", e.reason, e.bucket, e.amount, e.balance_after))
        .collect();
    assert_eq!(
        shown,
        [
            "expire available -3 0",
            "expire ended 3 3",
            "spend available -12 3",
            "spend spent 12 12",
            "grant issued -5 -15",
            "grant available 5 15",
            "grant issued -10 -10",
            "grant available 10 10",
        ]
    );
    let first = &written[0];
    assert_eq!((first.ledger_id.as_str(), first.cause.as_str()), ("led_1", "test"));
    assert_eq!(first.recorded_at, at(1));
}

fn a_posting_that_moves_nothing_is_refused_as_a_whole(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 10));
    let before = (account(store), grants(store), balances(store), entries(store));
    let error = post(store, spend(0, &[("grt_1", 4)])).unwrap_err();
    assert!(is_constraint(&error), "{error}");
    let error = post(store, spend(-3, &[])).unwrap_err();
    assert!(is_constraint(&error), "spent is never negative: {error}");
    assert_eq!((account(store), grants(store), balances(store), entries(store)), before);
}

fn more_than_a_grant_has_left_cannot_be_drawn(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 10));
    give(store, gift(2, 5));
    let before = (account(store), grants(store), balances(store));
    for draws in [&[("grt_1", 11)][..], &[("grt_2", 5), ("grt_2", 6)], &[("grt_9", 11)]] {
        let error = post(store, spend(11, draws)).unwrap_err();
        assert!(is_stale(&error, "credit_grants"), "{error}");
    }
    assert_eq!((account(store), grants(store), balances(store)), before);
}

fn more_than_a_bucket_holds_cannot_be_moved(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 10));
    let error = post(store, spend(11, &[("grt_1", 10)])).unwrap_err();
    assert!(is_constraint(&error), "{error}");
    let back = Posting { from: Bucket::Spent, to: Bucket::Available, ..spend(1, &[]) };
    let error = post(store, back).unwrap_err();
    assert!(is_constraint(&error), "nothing was spent: {error}");
    assert_eq!((account(store).available, entries(store).len()), (10, 2));
}

fn a_posting_on_an_account_that_moved_on_is_stale(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 10));
    let old = account(store);
    post(store, spend(1, &[("grt_1", 1)])).unwrap();
    let before = (account(store), grants(store), balances(store), entries(store));
    let error = refused(store, move |tx| {
        let posting = spend(1, &[("grt_1", 1)]);
        credits::post(tx, &customer("ann"), &mut old.clone(), &posting, BECAUSE())
    });
    let raced = is_stale(&error, "credit_accounts") || is_constraint(&error);
    assert!(raced, "{error}");
    assert_eq!((account(store), grants(store), balances(store), entries(store)), before);
}

fn spenders_of_one_account_queue_behind_its_lock(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 1_000));
    at_once(|| {
        post(store, spend(2, &[("grt_1", 2)])).unwrap();
    });
    assert_eq!((account(store).available, account(store).transactions), (680, 161));
    assert_eq!(grants(store), [("grt_1".into(), 680)]);
    let expected = [("issued", -1_000), ("available", 680), ("spent", 320)];
    assert_eq!(balances(store), expected.map(|(word, n)| (word.to_owned(), n)).into());
}

fn everything_that_was_granted_is_listed_whatever_is_left_of_it(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, gift(1, 1));
    give(store, gift(2, 5));
    post(store, spend(1, &[("grt_1", 1)])).unwrap();
    let granted = read(store, |tx| credits::granted(tx, &customer("ann")));
    let granted: Vec<_> = granted.iter().map(|it| (it.credit.as_str(), it.amount)).collect();
    assert_eq!(granted, [("ai", 1), ("ai", 5)]);
    assert_eq!(read(store, |tx| credits::granted(tx, &customer("bob"))), []);
}

fn entries_are_listed_from_the_newest_transaction(store: &TestStore) {
    open(store, "ann", "ai");
    (1..=3).for_each(|n| give(store, gift(n, n)));
    let amounts = |before, limit| {
        let of = |tx: &mut Tx<'_>| credits::entries(tx, &customer("ann"), "ai", before, limit);
        read(store, of).iter().map(|entry| entry.amount).collect::<Vec<_>>()
    };
    assert_eq!(amounts(i64::MAX, 4), [-3, 3, -2, 2]);
    assert_eq!(amounts(3, 99), [-2, 2, -1, 1]);
    assert_eq!(amounts(1, 99), [0_i64; 0]);
    assert_eq!(read(store, |tx| credits::entries(tx, &customer("bob"), "ai", 9, 9)), []);
}

fn rows_that_cannot_be_right_are_refused_or_named(store: &TestStore) {
    open(store, "ann", "ai");
    give(store, NewGrant { expires_at: Some(at(5)), ..gift(1, 10) });
    for sql in [
        "UPDATE credit_accounts SET available = -1",
        "UPDATE credit_accounts SET debt = -1",
        "UPDATE credit_accounts SET paused = 2",
        "UPDATE credit_accounts SET access = 'none'",
        "UPDATE credit_grants SET remaining = 11",
        "UPDATE credit_grants SET remaining = -1",
        "UPDATE credit_grants SET source = 'gift'",
        "UPDATE ledger_entries SET amount = 0",
        "UPDATE ledger_entries SET balance_after = 1 WHERE bucket = 'issued'",
        "UPDATE ledger_entries SET balance_after = -1 WHERE bucket = 'available'",
        "UPDATE ledger_entries SET bucket = 'lost'",
        "UPDATE ledger_entries SET reason = 'why'",
        "UPDATE ledger_balances SET bucket = 'lost'",
    ] {
        is_impossible(store, sql);
    }
    by_hand(store, "UPDATE credit_grants SET expires_at = -1");
    let column = wrong_column(store, |tx| credits::grants(tx, &customer("ann"), "ai"));
    assert_eq!(column, "expires_at of \"grt_1\"");
    by_hand(store, "UPDATE ledger_entries SET recorded_at = -1");
    let of = |tx: &mut Tx<'_>| credits::entries(tx, &customer("ann"), "ai", 9, 9);
    assert_eq!(wrong_column(store, of), "recorded_at of \"led_1\"");
}
