//! What only PostgreSQL does: conflicts between connections, and connections that break.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use farthing_store::{Options, Store, StoreError, Tx, params};

use super::{Backend, TestStore, read, refused, write};

fn store() -> TestStore {
    Store::for_test(Backend::Postgres)
}

fn put(tx: &mut Tx<'_>, key: &str) -> Result<u64, StoreError> {
    tx.execute("INSERT INTO meta (key, value) VALUES ($1, '')", &params![key])
}

fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_opt("SELECT COUNT(*) FROM meta", &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Fails as two transactions that cannot be put in an order do.
const CONFLICT: &str = "DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END $$";

const DIE: &str = "SELECT pg_terminate_backend(pg_backend_pid())";

/// Counts the runs of `work`, which is given the number of its run, from 1 on.
fn counted<T: Send + 'static>(
    store: &TestStore,
    work: impl Fn(&mut Tx<'_>, u32) -> Result<T, StoreError> + Send + 'static,
) -> (Result<T, StoreError>, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let pending = store.write(move |tx| work(tx, counter.fetch_add(1, Ordering::SeqCst) + 1));
    (pending.wait(), runs.load(Ordering::SeqCst))
}

#[test]
fn work_that_got_in_anothers_way_is_run_again() {
    let store = store();
    let (answer, runs) = counted(&store, |tx, run| {
        put(tx, "a")?;
        if run < 4 { tx.execute(CONFLICT, &[]) } else { Ok(0) }
    });
    assert_eq!((answer, runs), (Ok(0), 4));
    assert_eq!((read(&store, count), store.stats().retries), (1, 3));
}

#[test]
fn it_is_run_again_whatever_it_makes_of_the_error() {
    let store = store();
    let (answer, runs) = counted(&store, |tx, run| {
        if run < 3 && tx.execute(CONFLICT, &[]).is_err() {
            return if run == 1 { Ok("ignored") } else { Err(StoreError::Busy) };
        }
        Ok("done")
    });
    assert_eq!((answer, runs), (Ok("done"), 3));
}

#[test]
fn work_is_not_run_again_forever() {
    let store = store();
    let (answer, runs) = counted(&store, |tx, _| tx.execute(CONFLICT, &[]));
    assert_eq!((answer, runs), (Err(StoreError::Contended), 10));
}

#[test]
fn a_deadlock_is_resolved_and_both_are_done() {
    const TAKE: &str = "UPDATE meta SET value = value || 'x' WHERE key = $1";
    let store = store();
    write(&store, |tx| put(tx, "a").and_then(|_| put(tx, "b")));
    let barrier = Arc::new(Barrier::new(2));
    let take = |first: &'static str, second: &'static str| {
        let (barrier, runs) = (Arc::clone(&barrier), AtomicU32::new(0));
        store.write(move |tx| {
            tx.execute(TAKE, &params![first])?;
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                barrier.wait();
            }
            tx.execute(TAKE, &params![second])
        })
    };
    let (one, two) = (take("a", "b"), take("b", "a"));
    assert_eq!((one.wait(), two.wait()), (Ok(1), Ok(1)));
    let rows = read(&store, |tx| tx.query("SELECT value FROM meta", &[]));
    assert!(rows.iter().all(|row| row.text(0).unwrap() == "xx"), "{rows:?}");
    // More than one when the loser is back before the winner has woken up.
    assert!(1 <= store.stats().retries, "they were in each other's way");
}

#[test]
fn a_connection_that_breaks_before_commit_is_replaced() {
    let store = store();
    let (answer, runs) = counted(&store, |tx, run| {
        put(tx, "a")?;
        if run == 1 { tx.query(DIE, &[]).map(drop) } else { Ok(()) }
    });
    assert_eq!((answer, runs), (Ok(()), 2));
    assert_eq!(read(&store, count), 1);
}

#[test]
fn a_connection_that_keeps_breaking_is_given_up() {
    let store = store();
    let (answer, runs) = counted(&store, |tx, _| tx.query(DIE, &[]).map(drop));
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
    assert_eq!(runs, 3);
    assert_eq!(write(&store, |tx| put(tx, "a")), 1);
}

#[test]
fn connections_that_broke_while_idle_are_not_noticed() {
    const DIE_ALL: &str = "
        SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let store = store();
    write(&store, |tx| put(tx, "a"));
    let all_reading = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                read(&store, |tx| {
                    all_reading.wait();
                    count(tx)
                })
            });
        }
    });
    let other = Store::open(store.url(), Options::default()).unwrap();
    other.read(|tx| tx.query(DIE_ALL, &[])).unwrap();
    assert_eq!(read(&store, count), 1);
    assert_eq!(write(&store, |tx| put(tx, "b")), 1);
}

/// A constraint that is checked at COMMIT, and ends the connection there.
#[test]
fn a_connection_that_breaks_at_commit_leaves_the_outcome_unknown() {
    let store = store();
    write(&store, |tx| {
        let function = "
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$";
        tx.execute(function, &[])?;
        let trigger = "
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON meta
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()";
        tx.execute(trigger, &[])
    });
    let (answer, runs) = counted(&store, |tx, _| put(tx, "a"));
    assert!(matches!(answer, Err(StoreError::CommitUnknown { .. })), "{answer:?}");
    assert_eq!(runs, 1, "it may be there, so it is not run again");
    write(&store, |tx| tx.execute("DROP TRIGGER at_commit ON meta", &[]));
    assert_eq!(write(&store, |tx| put(tx, "b")), 1);
}

#[test]
fn a_constraint_that_is_checked_at_commit_is_a_refusal() {
    let store = store();
    write(&store, |tx| {
        let table = "CREATE TABLE late (id BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED)";
        tx.execute(table, &[])
    });
    let error = refused(&store, |tx| tx.execute("INSERT INTO late VALUES (1), (1)", &[]));
    assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
}

#[test]
fn a_read_is_one_snapshot_and_many_can_be_open() {
    let store = store();
    let counts = store.read(|tx| {
        let before = count(tx)?;
        store.write(|tx| put(tx, "in between")).wait()?;
        Ok::<_, StoreError>((before, count(tx)?))
    });
    assert_eq!(counts, Ok((0, 0)));
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let read = store.read(|tx| {
                    barrier.wait();
                    count(tx)
                });
                assert_eq!(read, Ok(1));
            });
        }
    });
}

#[test]
fn a_session_is_as_durable_as_it_should_be() {
    let store = store();
    let settings = [
        ("SELECT current_setting('synchronous_commit')", "on"),
        ("SELECT current_setting('transaction_isolation')", "read committed"),
        ("SELECT current_setting('application_name')", "farthing"),
    ];
    for (sql, value) in settings {
        let row = write(&store, move |tx| tx.query_opt(sql, &[])).unwrap();
        assert_eq!(row.text(0), Ok(value.into()), "{sql}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let url = "postgres://me:secret@127.0.0.1:1/app?connect_timeout=2";
    let error = Store::open(url, Options::default()).err().unwrap().to_string();
    assert!(error.contains("postgres://me@127.0.0.1:1/app"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
