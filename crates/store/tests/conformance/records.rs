//! The small tables: meta, API keys, catalog versions, provider prices, events out, alerts.

use farthing_core::money::Money;
use farthing_core::time::Interval;
use farthing_store::alerts::{self, Alert};
use farthing_store::api_keys::{self, ApiKey, Scope};
use farthing_store::catalog_versions::{self, CatalogVersion};
use farthing_store::meta::{self, Mode};
use farthing_store::outbox::{self, OutEvent};
use farthing_store::provider_prices::{self, PriceKind, ProviderPrice};
use farthing_store::{StoreError, on_both, params};

use super::{TestStore, at, customer, read, refused, write};

on_both!(
    a_database_has_one_mode_and_one_account_per_provider,
    a_key_is_found_by_its_hash_until_it_is_revoked,
    the_highest_catalog_version_is_current,
    a_price_means_one_thing_forever,
    a_price_with_an_unknown_interval_is_inconsistent,
    events_are_listed_in_the_order_of_their_ids,
    an_alert_is_raised_once_until_it_is_resolved,
);

fn a_database_has_one_mode_and_one_account_per_provider(store: &TestStore) {
    assert_eq!(read(store, meta::mode), None);
    assert_eq!(write(store, |tx| meta::stamp(tx, Mode::Test, at(0))), Mode::Test);
    assert_eq!(write(store, |tx| meta::stamp(tx, Mode::Live, at(1))), Mode::Test);
    assert_eq!(read(store, meta::mode), Some(Mode::Test));

    assert_eq!(write(store, |tx| meta::tie_account(tx, "stripe", "acct_1")), "acct_1");
    assert_eq!(write(store, |tx| meta::tie_account(tx, "stripe", "acct_2")), "acct_1");
    assert_eq!(read(store, |tx| meta::account(tx, "stripe")), Some("acct_1".into()));
    assert_eq!(read(store, |tx| meta::account(tx, "paddle")), None);

    write(store, |tx| tx.execute("UPDATE meta SET value = 'play' WHERE key = 'mode'", &[]));
    let StoreError::Inconsistent { column, .. } = store.read(meta::mode).unwrap_err() else {
        panic!("an unknown mode was read")
    };
    assert_eq!(column, "value of \"mode\"");
}

fn key(id: &str, scope: Scope) -> ApiKey {
    let (name, hint) = (format!("the {id}"), "wxyz".to_owned());
    ApiKey { id: id.into(), name, scope, hint, created_at: at(0), revoked_at: None }
}

fn a_key_is_found_by_its_hash_until_it_is_revoked(store: &TestStore) {
    let (one, two) = (key("key_1", Scope::Full), key("key_2", Scope::Usage));
    let both = (one.clone(), two.clone());
    write(store, move |tx| {
        api_keys::insert(tx, &both.0, &[1; 32])?;
        api_keys::insert(tx, &both.1, &[2; 32])
    });
    assert_eq!(read(store, |tx| api_keys::find_by_hash(tx, &[2; 32])), Some(two.clone()));
    assert_eq!(read(store, |tx| api_keys::find_by_hash(tx, &[3; 32])), None);
    assert!(write(store, |tx| api_keys::revoke(tx, "key_1", at(9))));
    assert!(!write(store, |tx| api_keys::revoke(tx, "key_1", at(10))), "it was revoked before");
    assert!(!write(store, |tx| api_keys::revoke(tx, "key_3", at(10))));
    assert_eq!(read(store, |tx| api_keys::find_by_hash(tx, &[1; 32])), None);
    let revoked = ApiKey { revoked_at: Some(at(9)), ..one };
    assert_eq!(read(store, api_keys::list), [revoked, two]);

    let same_secret = key("key_4", Scope::Read);
    let error = refused(store, move |tx| api_keys::insert(tx, &same_secret, &[1; 32]));
    assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
}

fn the_highest_catalog_version_is_current(store: &TestStore) {
    let version = |version| CatalogVersion {
        version,
        sha256: "0".repeat(64),
        applied_at: at(version),
        actor: "cli".into(),
    };
    assert_eq!(read(store, catalog_versions::current), None);
    for number in [1, 2] {
        let source = format!("# {number}");
        assert!(write(store, move |tx| {
            catalog_versions::insert(tx, &version(number), &source)
        }));
    }
    assert!(!write(store, move |tx| catalog_versions::insert(tx, &version(2), "other")));
    assert_eq!(read(store, catalog_versions::current), Some((version(2), "# 2".into())));
    assert_eq!(
        read(store, |tx| catalog_versions::get(tx, 1)),
        Some((version(1), "# 1".to_owned()))
    );
    assert_eq!(read(store, |tx| catalog_versions::get(tx, 3)), None);
    assert_eq!(read(store, |tx| catalog_versions::list(tx, 9)), [version(2), version(1)]);
    assert_eq!(read(store, |tx| catalog_versions::list(tx, 1)), [version(2)]);
}

fn price() -> ProviderPrice {
    ProviderPrice {
        provider: "stripe".into(),
        lookup_key: "pro_month_eur_1900".into(),
        provider_price_id: "price_1".into(),
        product_id: "prod_1".into(),
        kind: PriceKind::Plan,
        item: "pro".into(),
        interval: Some(Interval::Month),
        amount: Money::new(1900, "EUR".parse().unwrap()),
        created_at: at(0),
    }
}

fn a_price_means_one_thing_forever(store: &TestStore) {
    let pack = ProviderPrice {
        lookup_key: "boost_eur_500".into(),
        provider_price_id: "price_2".into(),
        kind: PriceKind::Pack,
        item: "boost".into(),
        interval: None,
        amount: Money::new(500, "EUR".parse().unwrap()),
        ..price()
    };
    for price in [price(), pack.clone()] {
        assert!(write(store, move |tx| provider_prices::insert(tx, &price)));
    }
    let later = ProviderPrice { created_at: at(5), ..price() };
    assert!(!write(store, move |tx| provider_prices::insert(tx, &later)), "it is there");
    for other in [
        ProviderPrice { amount: Money::new(1, price().amount.currency), ..price() },
        ProviderPrice { lookup_key: "other".into(), ..price() },
        ProviderPrice { provider_price_id: "price_3".into(), ..price() },
    ] {
        let error = refused(store, move |tx| provider_prices::insert(tx, &other));
        assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
    }
    let found = read(store, |tx| provider_prices::find_by_price_id(tx, "stripe", "price_1"));
    assert_eq!(found, Some(price()));
    let key = &pack.lookup_key;
    let found = read(store, |tx| provider_prices::find_by_lookup_key(tx, "stripe", key));
    assert_eq!(found, Some(pack.clone()));
    assert_eq!(read(store, |tx| provider_prices::find_by_price_id(tx, "paddle", "price_1")), None);
    assert_eq!(read(store, |tx| provider_prices::list(tx, "stripe")), [pack, price()]);
    assert_eq!(read(store, |tx| provider_prices::list(tx, "paddle")), []);
}

fn a_price_with_an_unknown_interval_is_inconsistent(store: &TestStore) {
    write(store, |tx| provider_prices::insert(tx, &price()));
    write(store, |tx| tx.execute("UPDATE provider_prices SET currency = 'XXQ'", &[]));
    let error = store.read(|tx| provider_prices::list(tx, "stripe")).unwrap_err();
    let StoreError::Inconsistent { column, .. } = &error else { panic!("{error}") };
    assert_eq!(column, "currency of \"pro_month_eur_1900\"");
    let text = error.to_string();
    assert!(text.contains("SELECT lookup_key"), "{text}");

    let error = refused(store, |tx| {
        tx.execute("UPDATE provider_prices SET billing_interval = 'week'", &[])
    });
    assert!(matches!(error, StoreError::Constraint { .. }), "a CHECK says so too: {error}");
}

fn events_are_listed_in_the_order_of_their_ids(store: &TestStore) {
    let event = |id: &str, of: Option<&str>| OutEvent {
        id: id.into(),
        customer: of.map(customer),
        kind: "subscription.renewed".into(),
        revision: 3,
        data: "{}".into(),
        cause: "job_1".into(),
        created_at: at(0),
    };
    let all = [event("evt_1", Some("ann")), event("evt_2", None), event("evt_3", Some("ann"))];
    let inserted = all.clone();
    write(store, move |tx| inserted.iter().rev().try_for_each(|e| outbox::insert(tx, e)));
    let [one, two, three] = all;
    assert_eq!(read(store, |tx| outbox::get(tx, "evt_2")), Some(two.clone()));
    assert_eq!(read(store, |tx| outbox::get(tx, "evt_4")), None);
    assert_eq!(read(store, |tx| outbox::list(tx, None, "", 2)), [one.clone(), two.clone()]);
    assert_eq!(read(store, |tx| outbox::list(tx, None, "evt_1", 9)), [two, three.clone()]);
    let ann = customer("ann");
    assert_eq!(read(store, |tx| outbox::list(tx, Some(&ann), "", 9)), [one, three]);
    assert_eq!(read(store, |tx| outbox::list(tx, Some(&customer("bob")), "", 9)), []);
}

fn an_alert_is_raised_once_until_it_is_resolved(store: &TestStore) {
    let alert = |id: &str, detail: &str| Alert {
        id: id.into(),
        kind: "event_dead".into(),
        subject: "evt_1".into(),
        detail: detail.into(),
        created_at: at(0),
    };
    let raise = |new: Alert| write(store, move |tx| alerts::raise(tx, &new));
    assert_eq!(raise(alert("alr_1", "first")), "alr_1");
    assert_eq!(raise(alert("alr_2", "second")), "alr_1");
    assert_eq!(read(store, |tx| alerts::list_open(tx, 9)), [alert("alr_1", "second")]);
    assert!(write(store, |tx| alerts::resolve(tx, "event_dead", "evt_1", at(5))));
    assert!(!write(store, |tx| alerts::resolve(tx, "event_dead", "evt_1", at(6))));
    assert_eq!(read(store, |tx| alerts::list_open(tx, 9)), []);
    assert_eq!(raise(alert("alr_3", "third")), "alr_3");
    let resolved = "SELECT id FROM alerts WHERE resolved_at = $1";
    let row = read(store, |tx| tx.query_opt(resolved, &params![at(5)])).unwrap();
    assert_eq!(row.text(0), Ok("alr_1".into()));
}
