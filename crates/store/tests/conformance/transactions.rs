//! What a transaction is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use farthing_store::{Options, Store, StoreError, Tx, on_both, params};

use super::{Backend, TestStore, read, refused, write};

on_both!(
    what_was_written_is_read,
    work_without_a_statement_is_no_mistake,
    an_error_undoes_everything,
    an_error_of_the_caller_comes_back_as_it_is,
    a_panic_undoes_everything_and_reaches_one_caller,
    a_failed_statement_ends_the_transaction_even_if_it_is_ignored,
    a_poisoned_closure_does_not_hurt_its_neighbours,
    two_hundred_increments_at_once_are_two_hundred,
    a_read_cannot_write,
    a_failed_read_leaves_nothing_behind,
    a_panic_in_a_read_leaves_nothing_behind,
    a_store_can_be_opened_used_and_closed_from_async_code,
);

fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.query_opt("SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'n'", &[])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Reads, computes and writes back, as the core's decisions do.
fn increment(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    const ADD: &str = "
        INSERT INTO meta (key, value) VALUES ('n', '0') ON CONFLICT DO NOTHING";
    const FIND: &str = "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'n' FOR UPDATE";
    const SAVE: &str = "UPDATE meta SET value = $1 WHERE key = 'n'";
    tx.execute(ADD, &[])?;
    let n = tx.query_opt(FIND, &[])?.map_or(Ok(0), |row| row.int(0))? + 1;
    tx.execute(SAVE, &params![n.to_string()])?;
    Ok(n)
}

fn what_was_written_is_read(store: &TestStore) {
    assert_eq!(write(store, increment), 1);
    assert_eq!(write(store, increment), 2);
    assert_eq!(read(store, count), 2);
}

fn work_without_a_statement_is_no_mistake(store: &TestStore) {
    assert_eq!(write(store, |_| Ok(7)), 7);
    assert_eq!(refused(store, |_| Err::<(), _>(StoreError::Busy)), StoreError::Busy);
    assert_eq!(read(store, |_| Ok(8)), 8);
    assert_eq!(write(store, increment), 1);
    assert_eq!(read(store, count), 1);
}

fn an_error_undoes_everything(store: &TestStore) {
    let error = refused(store, |tx| {
        increment(tx)?;
        Err::<(), _>(StoreError::Stale { table: "meta", id: "n".into() })
    });
    assert!(matches!(error, StoreError::Stale { table: "meta", .. }), "{error}");
    assert_eq!(read(store, count), 0);
}

fn an_error_of_the_caller_comes_back_as_it_is(store: &TestStore) {
    #[derive(Debug, PartialEq)]
    enum Rejection {
        NotEnough,
        Store(StoreError),
    }
    impl From<StoreError> for Rejection {
        fn from(error: StoreError) -> Self {
            Self::Store(error)
        }
    }
    let work = |tx: &mut Tx<'_>| {
        increment(tx)?;
        Err::<(), _>(Rejection::NotEnough)
    };
    assert_eq!(store.write(work).wait(), Err(Rejection::NotEnough));
    let work =
        |tx: &mut Tx<'_>| Ok::<_, Rejection>(tx.execute("SELECT nothing FROM nowhere", &[])?);
    let error = store.write(work).wait().unwrap_err();
    assert!(matches!(error, Rejection::Store(StoreError::Driver { .. })), "{error:?}");
}

fn a_panic_undoes_everything_and_reaches_one_caller(store: &TestStore) {
    let error = refused(store, |tx| {
        increment(tx)?;
        if count(tx)? == 1 {
            panic!("on purpose");
        }
        Ok(())
    });
    assert_eq!(error, StoreError::Panicked);
    assert_eq!(write(store, increment), 1, "the writer goes on, from where it was");
}

/// SQLite would go on and commit the rest, PostgreSQL would roll it back without a word.
fn a_failed_statement_ends_the_transaction_even_if_it_is_ignored(store: &TestStore) {
    const TWICE: &str = "INSERT INTO meta (key, value) VALUES ('n', '7')";
    let error = refused(store, |tx| {
        increment(tx)?;
        let ignored = tx.execute(TWICE, &[]);
        assert!(matches!(ignored, Err(StoreError::Constraint { .. })), "{ignored:?}");
        let next = tx.query("SELECT key FROM meta", &[]);
        assert!(matches!(next, Err(StoreError::Constraint { .. })), "{next:?}");
        Ok(())
    });
    assert!(matches!(error, StoreError::Constraint { .. }), "{error}");
    assert_eq!(read(store, count), 0);
}

fn a_poisoned_closure_does_not_hurt_its_neighbours(store: &TestStore) {
    let all: Vec<_> = (0..60)
        .map(|i| {
            store.write(move |tx| match i % 4 {
                0 => increment(tx),
                1 => tx.execute("SELECT nothing FROM nowhere", &[]).map(|_| 0),
                2 => panic!("on purpose"),
                _ => increment(tx).and(Err(StoreError::Busy)),
            })
        })
        .collect();
    let answers: Vec<_> = all.into_iter().map(|pending| pending.wait()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 15, "{answers:?}");
    assert_eq!(read(store, count), 15);
}

fn two_hundred_increments_at_once_are_two_hundred(store: &TestStore) {
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| write(store, increment));
        }
    });
    assert_eq!(read(store, count), 200);
}

fn a_read_cannot_write(store: &TestStore) {
    let tried = store.read(increment);
    assert_eq!(tried, Err(StoreError::ReadOnly));
    let ignored = store.read(|tx| {
        let _refused = increment(tx);
        Ok::<_, StoreError>(())
    });
    assert_eq!(ignored, Err(StoreError::ReadOnly));
    let locked = store.read(|tx| tx.query("SELECT key FROM meta FOR UPDATE", &[]));
    assert_eq!(locked.map(drop), Err(StoreError::ReadOnly), "nor lock rows");
    assert_eq!(read(store, count), 0);
    assert_eq!(write(store, increment), 1);
}

fn a_failed_read_leaves_nothing_behind(store: &TestStore) {
    for _ in 0..20 {
        let failed = store.read(|tx| tx.query("SELECT nothing FROM nowhere", &[]));
        assert!(matches!(failed, Err(StoreError::Driver { .. })), "{failed:?}");
    }
    write(store, increment);
    assert_eq!(read(store, count), 1, "no reader is stuck in an old snapshot");
}

fn a_panic_in_a_read_leaves_nothing_behind(store: &TestStore) {
    for _ in 0..20 {
        let read = || store.read(|tx| count(tx).map(|_| panic!("on purpose")));
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).map(|_: Result<(), _>| ());
        assert!(panicked.is_err());
    }
    write(store, increment);
    assert_eq!(read(store, count), 1);
}

fn a_store_can_be_opened_used_and_closed_from_async_code(store: &TestStore) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let again = Store::open(store.url(), Options::default()).unwrap();
        again.migrate().unwrap();
        assert_eq!(again.write(increment).await, Ok(1));
        let reader = again.clone();
        let read = tokio::task::spawn_blocking(move || reader.read(count));
        assert_eq!(read.await.unwrap(), Ok(1));
        let written = again.write(increment);
        let waited = tokio::task::spawn_blocking(move || written.wait());
        assert_eq!(waited.await.unwrap(), Ok(2));
    });
}

#[test]
fn reading_postgres_on_an_async_thread_says_that_it_would_block() {
    let store = Store::for_test(Backend::Postgres);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let misuse = || runtime.block_on(async { store.read(count) });
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(misuse)).unwrap_err();
    let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap();
    assert!(words.contains("runtime"), "{words}");
    assert_eq!(read(&store, count), 0);
}

/// Both databases whose writers are threads.
#[test]
fn a_full_queue_refuses_at_once_and_takes_more_later() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let options = Options { connections: 1, queue: 3, ..Options::default() };
        let store = TestStore::with_options(backend, options);
        let (release, gate) = mpsc::channel::<()>();
        let (gate, entered) = (std::sync::Mutex::new(gate), Arc::new(AtomicBool::new(false)));
        let inside = Arc::clone(&entered);
        let blocker = store.write(move |tx| {
            inside.store(true, Ordering::SeqCst);
            gate.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
            increment(tx)
        });
        while !entered.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let waiting: Vec<_> = (0..3).map(|_| store.write(increment)).collect();
        assert_eq!(store.write(increment).wait(), Err(StoreError::Busy));
        release.send(()).unwrap();
        assert_eq!(blocker.wait(), Ok(1));
        for pending in waiting {
            pending.wait().unwrap();
        }
        assert_eq!(store.write(increment).wait(), Ok(5), "what was refused did not happen");
    }
}

#[test]
fn what_waits_is_written_before_the_store_closes() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let store = Store::for_test(backend);
        let again = Store::open(store.url(), Options::default()).unwrap();
        let pending: Vec<_> = (0..50).map(|_| again.write(increment)).collect();
        drop(again);
        assert!(pending.into_iter().all(|pending| pending.wait().is_ok()));
        assert_eq!(read(&store, count), 50);
    }
}
