//! Migrations: once, in order, by one node; a database of another version is left alone.

use farthing_store::{OpenError, Options, Store, StoreError, params};

use super::{Backend, TestStore, read, write};

const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Memory, Backend::Postgres];

fn record(store: &TestStore) -> Vec<(i64, String)> {
    let sql = "SELECT number, name, sha256, applied_at FROM schema_migrations ORDER BY number";
    let rows = read(store, |tx| tx.query(sql, &[]));
    rows.iter()
        .map(|row| {
            assert_eq!(row.text(2).unwrap().len(), 64);
            row.time(3).unwrap();
            (row.int(0).unwrap(), row.text(1).unwrap())
        })
        .collect()
}

#[test]
fn what_is_missing_is_applied_once_and_in_order() {
    for backend in ALL {
        let store = TestStore::empty(backend);
        let pending = store.pending_migrations().unwrap();
        assert_eq!(pending.first().map(String::as_str), Some("0001_system"));
        assert_eq!(store.pending_migrations().unwrap(), pending, "asking changes nothing");
        assert_eq!(store.migrate().unwrap(), pending);
        assert_eq!(store.migrate().unwrap(), [""; 0]);
        assert_eq!(store.pending_migrations().unwrap(), [""; 0]);
        let numbered: Vec<_> = (1..).zip(pending).collect();
        assert_eq!(record(&store), numbered);
    }
}

#[test]
fn nodes_that_start_at_once_migrate_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let store = TestStore::empty(backend);
        let applied: Vec<String> = std::thread::scope(|scope| {
            let node = || {
                let node = Store::open(store.url(), Options::default()).unwrap();
                node.migrate().unwrap()
            };
            let nodes = [(); 6].map(|()| scope.spawn(node));
            nodes.into_iter().flat_map(|node| node.join().unwrap()).collect()
        });
        let recorded: Vec<String> = record(&store).into_iter().map(|(_, name)| name).collect();
        let mut sorted = applied.clone();
        sorted.sort();
        assert_eq!(sorted, recorded, "each by exactly one node");
    }
}

#[test]
fn a_migration_that_was_changed_afterwards_is_refused() {
    for backend in ALL {
        let store = Store::for_test(backend);
        let tampered = "0".repeat(64);
        let sum = tampered.clone();
        write(&store, move |tx| {
            let sql = "UPDATE schema_migrations SET sha256 = $1 WHERE number = 1";
            tx.execute(sql, &params![&sum])
        });
        for error in [store.migrate().unwrap_err(), store.pending_migrations().unwrap_err()] {
            let OpenError::MigrationChanged { name, applied, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!((name.as_str(), applied), ("0001_system", &tampered));
            assert!(error.to_string().contains("restore a backup"), "{error}");
        }
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    for backend in ALL {
        let store = Store::for_test(backend);
        write(&store, |tx| {
            let sql = "
                INSERT INTO schema_migrations (number, name, sha256, applied_at)
                VALUES (9999, '9999_future', '', 0)";
            tx.execute(sql, &[])
        });
        for error in [store.migrate().unwrap_err(), store.pending_migrations().unwrap_err()] {
            assert_eq!(error, OpenError::Newer { name: "9999_future".into() });
            assert!(error.to_string().contains("Run the newer version"), "{error}");
        }
    }
}

#[test]
fn a_migration_that_fails_leaves_nothing_behind() {
    for backend in ALL {
        let store = TestStore::empty(backend);
        // The last table of the first migration is in the way.
        write(&store, |tx| tx.execute("CREATE TABLE alerts (id TEXT)", &[]));
        let error = store.migrate().unwrap_err();
        let OpenError::MigrationFailed { name, message } = &error else { panic!("{error}") };
        assert_eq!(name, "0001_system");
        assert!(message.contains("alerts"), "{message}");
        let no_table = store.read(|tx| tx.query("SELECT key FROM meta", &[]));
        assert!(matches!(no_table, Err(StoreError::Driver { .. })), "{no_table:?}");
        write(&store, |tx| tx.execute("DROP TABLE alerts", &[]));
        assert_eq!(store.migrate().unwrap(), store_names(&store));
    }
}

fn store_names(store: &TestStore) -> Vec<String> {
    record(store).into_iter().map(|(_, name)| name).collect()
}
