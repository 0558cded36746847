//! What only SQLite does: group commit, one writer among processes, files.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use farthing_store::{OpenError, Options, Store, StoreError, Tx, params};

use super::{Backend, TestStore, read, write};

fn put(tx: &mut Tx<'_>, key: &str) -> Result<u64, StoreError> {
    tx.execute("INSERT INTO meta (key, value) VALUES ($1, '')", &params![key])
}

fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_opt("SELECT COUNT(*) FROM meta", &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Work that keeps the writer until the sender says so (or is dropped), once it is inside.
fn hold(store: &TestStore) -> mpsc::Sender<()> {
    let (release, gate) = mpsc::channel();
    let (gate, entered) = (Mutex::new(gate), Arc::new(AtomicBool::new(false)));
    let inside = Arc::clone(&entered);
    let _held = store.write(move |tx| {
        inside.store(true, Ordering::SeqCst);
        let _released = gate.lock().unwrap().recv_timeout(Duration::from_secs(20));
        put(tx, "held")
    });
    while !entered.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    release
}

#[test]
fn writes_that_wait_share_a_commit() {
    let store = Store::for_test(Backend::Sqlite);
    let release = hold(&store);
    let pending: Vec<_> =
        (0..100).map(|i| store.write(move |tx| put(tx, &format!("k{i}")))).collect();
    drop(release);
    assert!(pending.into_iter().all(|pending| pending.wait() == Ok(1)));
    let stats = store.stats();
    assert_eq!((stats.writes, stats.commits), (101, 2));
    assert_eq!(read(&store, count), 101);
}

#[test]
fn writes_that_share_a_commit_fail_alone() {
    let store = Store::for_test(Backend::Sqlite);
    let release = hold(&store);
    let pending: Vec<_> = (0..40)
        .map(|i| {
            store.write(move |tx| {
                put(tx, &format!("k{i}"))?;
                match i % 4 {
                    0 => Ok(()),
                    1 => Err(StoreError::Busy),
                    2 => panic!("on purpose"),
                    // The key is there already.
                    _ => put(tx, &format!("k{i}")).map(drop),
                }
            })
        })
        .collect();
    drop(release);
    let done = pending.into_iter().map(|pending| pending.wait().is_ok());
    assert_eq!(done.filter(|ok| *ok).count(), 10);
    assert_eq!(store.stats().commits, 2);
    assert_eq!(read(&store, count), 11);
}

#[test]
fn a_commit_that_fails_fails_everyone_in_it() {
    let store = Store::for_test(Backend::Sqlite);
    write(&store, |tx| {
        tx.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT", &[])?;
        let child = "
            CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)
            STRICT";
        tx.execute(child, &[])
    });
    let release = hold(&store);
    let good = store.write(|tx| put(tx, "good"));
    // Refused at COMMIT and not before, so there is nobody left to tell apart.
    let bad = store.write(|tx| tx.execute("INSERT INTO child (id) VALUES (7)", &[]));
    drop(release);
    for answer in [good.wait(), bad.wait()] {
        assert!(matches!(answer, Err(StoreError::Constraint { .. })), "{answer:?}");
    }
    assert_eq!(read(&store, count), 1, "held, and nothing else");
    assert_eq!(store.write(|tx| put(tx, "later")).wait(), Ok(1), "the writer goes on");
}

/// As the command line does beside the server.
#[test]
fn another_process_reads_while_this_one_writes() {
    let server = Store::for_test(Backend::Sqlite);
    write(&server, |tx| put(tx, "a"));
    let other = Store::open(server.url(), Options::default()).unwrap();
    let release = hold(&server);
    let seen = other.read(|tx| {
        let before = count(tx)?;
        Ok::<_, StoreError>((before, count(tx)?))
    });
    assert_eq!(
        seen,
        Ok((1, 1)),
        "reading does not wait for the writer, and sees what is committed"
    );
    drop(release);
    write(&server, |tx| put(tx, "b"));
    assert_eq!(other.read(count), Ok(3));
    assert_eq!(other.write(|tx| put(tx, "c")).wait(), Ok(1));
    assert_eq!(read(&server, count), 4);
}

#[test]
fn a_read_is_one_snapshot() {
    let store = Store::for_test(Backend::Sqlite);
    let counts = store.read(|tx| {
        let before = count(tx)?;
        store.write(|tx| put(tx, "in between")).wait()?;
        Ok::<_, StoreError>((before, count(tx)?))
    });
    assert_eq!(counts, Ok((0, 0)));
    assert_eq!(read(&store, count), 1);
}

#[test]
fn two_processes_that_write_take_turns() {
    let server = Store::for_test(Backend::Sqlite);
    let other = Store::open(server.url(), Options::default()).unwrap();
    let mine: Vec<_> =
        (0..100).map(|i| server.write(move |tx| put(tx, &format!("mine {i}")))).collect();
    let theirs: Vec<_> =
        (0..100).map(|i| other.write(move |tx| put(tx, &format!("theirs {i}")))).collect();
    assert!(mine.into_iter().chain(theirs).all(|pending| pending.wait() == Ok(1)));
    assert_eq!(read(&server, count), 200);
}

#[test]
fn a_writer_that_never_gets_its_turn_is_busy() {
    let server = Store::for_test(Backend::Sqlite);
    let impatient = Options { busy_timeout: Duration::from_millis(20), ..Options::default() };
    let other = Store::open(server.url(), impatient).unwrap();
    let release = hold(&server);
    assert_eq!(other.write(|tx| put(tx, "a")).wait(), Err(StoreError::Busy));
    drop(release);
    write(&server, |tx| put(tx, "b"));
    assert_eq!(other.write(|tx| put(tx, "a")).wait(), Ok(1));
}

#[test]
fn what_was_answered_is_in_the_file() {
    let store = Store::for_test(Backend::Sqlite);
    write(&store, |tx| put(tx, "a"));
    for (pragma, value) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
        let row = write(&store, move |tx| tx.query_opt(pragma, &[])).unwrap();
        assert_eq!(row.int(0), Ok(value), "{pragma}");
    }
    let row = write(&store, |tx| tx.query_opt("PRAGMA journal_mode", &[])).unwrap();
    assert_eq!(row.text(0), Ok("wal".into()));
    let path = store.url().strip_prefix("sqlite:").unwrap();
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    let again = Store::open(store.url(), Options::default()).unwrap();
    assert_eq!(again.read(count), Ok(1));
}

#[test]
fn an_address_that_cannot_be_opened_says_why() {
    let open = |url: &str| Store::open(url, Options::default()).err().unwrap().to_string();
    let text = open("sqlite:/no/such/folder/store.db");
    assert!(text.contains("/no/such/folder") && text.contains("directory must exist"), "{text}");
    for url in ["", "sqlite:", "mysql://me:secret@host/db", "/var/lib/store.db"] {
        let text = open(url);
        assert!(text.contains("Write sqlite:PATH") && !text.contains("secret"), "{text}");
    }
    let folder = TestStore::empty(Backend::Sqlite);
    let path = folder.url().strip_prefix("sqlite:").unwrap().replace("store.db", "notes.txt");
    std::fs::write(&path, "this is no database ".repeat(100)).unwrap();
    let error = Store::open(&format!("sqlite:{path}"), Options::default()).err().unwrap();
    assert!(matches!(&error, OpenError::Unusable { .. }), "{error}");
}

#[test]
#[should_panic(expected = "a transaction in memory was started inside another")]
fn a_transaction_in_memory_inside_another_is_a_mistake() {
    let store = Store::for_test(Backend::Memory);
    let _never = store.read(|_| store.read(count));
}
