//! Databases for tests: one of its own for every test, migrated, gone afterwards.
//!
//! PostgreSQL must be there: `TEST_POSTGRES_URL` names a cluster in which databases may be made
//! and dropped. A test that silently skips is one that does not exist, so without it the tests
//! fail. `cargo xtask postgres -- <command>` runs a command with a temporary cluster.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use ::postgres::{Client, NoTls};

use crate::{Options, Store};

/// Where the tests look for PostgreSQL.
const URL_VARIABLE: &str = "TEST_POSTGRES_URL";

/// What a test runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// SQLite in a file, as in production.
    Sqlite,
    /// SQLite in memory, as in the simulation.
    Memory,
    /// PostgreSQL.
    Postgres,
}

/// A database of one test. Dropping it closes the store and removes the database.
pub struct TestStore {
    /// Taken when dropped.
    store: Option<Store>,
    url: String,
    place: Place,
}

enum Place {
    Memory,
    Folder(PathBuf),
    Database(String),
}

impl Store {
    /// A new, migrated database. Panics with what to do when there is no PostgreSQL.
    pub fn for_test(backend: Backend) -> TestStore {
        TestStore::with(backend, true, options())
    }
}

impl TestStore {
    /// The same with other options.
    pub fn with_options(backend: Backend, options: Options) -> Self {
        Self::with(backend, true, options)
    }

    /// A new database without any table.
    pub fn empty(backend: Backend) -> Self {
        Self::with(backend, false, options())
    }

    /// The address, for opening the database once more.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn with(backend: Backend, migrated: bool, options: Options) -> Self {
        let (url, place) = match backend {
            Backend::Memory => ("sqlite::memory:".to_owned(), Place::Memory),
            Backend::Sqlite => {
                let folder = std::env::temp_dir().join(unique_name());
                std::fs::create_dir(&folder).expect("a folder can be made for the test");
                (format!("sqlite:{}/store.db", folder.display()), Place::Folder(folder))
            }
            Backend::Postgres => {
                let name = unique_name();
                create_database(&name, migrated);
                (with_database(&postgres_url(), &name), Place::Database(name))
            }
        };
        let store = Store::open(&url, options).expect("a new database can be opened");
        if migrated && backend != Backend::Postgres {
            store.migrate().expect("a new database can be migrated");
        }
        Self { store: Some(store), url, place }
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store.as_ref().expect("only taken when dropped")
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        self.store = None;
        match &self.place {
            Place::Memory => {}
            // What is left behind in a folder for temporary files harms nobody.
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Database(name) => {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let dropped = with_cluster(|cluster| cluster.batch_execute(&sql));
                if let Err(error) = dropped {
                    tracing::warn!(%error, name, "a test's database was not dropped");
                }
            }
        }
    }
}

/// Fewer connections than in production: many tests run at once.
fn options() -> Options {
    Options { connections: 4, ..Options::default() }
}

fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("farthing_test_{}_{number}", std::process::id())
}

fn postgres_url() -> String {
    let url = std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty());
    url.unwrap_or_else(|| {
        panic!(
            "{URL_VARIABLE} is not set, and these tests are worth nothing without PostgreSQL. \
             Run `cargo xtask postgres -- cargo test`, or set it to a cluster in which databases \
             may be made and dropped"
        )
    })
}

fn with_database(url: &str, name: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or(("postgres", place));
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{scheme}://{host}/{name}{query}")
}

/// Runs `work` on a connection to the cluster, on whatever thread it is called.
fn with_cluster<T: Send>(work: impl FnOnce(&mut Client) -> T + Send) -> T {
    crate::off_async(|| {
        let client = Client::connect(&postgres_url(), NoTls);
        work(&mut client.unwrap_or_else(|error| panic!("{URL_VARIABLE}: no connection: {error}")))
    })
}

/// Copies a migrated database where one is wanted: a tenth of the time of migrating.
fn create_database(name: &str, migrated: bool) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let from = if migrated { TEMPLATE.get_or_init(template) } else { "template0" };
    let sql = format!("CREATE DATABASE {name} TEMPLATE {from} ENCODING 'UTF8'");
    with_cluster(|cluster| cluster.batch_execute(&sql)).expect("a database can be made");
}

/// The name of a database with the migrations of this program. It stays for the next run; its
/// name is the checksum of the migrations, so that others get one of their own.
fn template() -> String {
    let name = format!("farthing_template_{}", &crate::migrate::fingerprint()[..16]);
    let exists = |cluster: &mut Client| {
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        cluster.query_opt(sql, &[&name]).expect("pg_database can be read").is_some()
    };
    if with_cluster(exists) {
        return name;
    }
    // Made under another name, so that a process beside this one never copies half of it.
    let draft = unique_name();
    let create = format!("CREATE DATABASE {draft} TEMPLATE template0 ENCODING 'UTF8'");
    with_cluster(|cluster| cluster.batch_execute(&create)).expect("a database can be made");
    let store = Store::open(&with_database(&postgres_url(), &draft), options());
    store.and_then(|store| store.migrate()).expect("a new database can be migrated");
    let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
    if let Err(error) = with_cluster(|cluster| cluster.batch_execute(&rename)) {
        assert!(with_cluster(exists), "the template cannot be made: {error}");
        let drop = format!("DROP DATABASE {draft}");
        with_cluster(|cluster| cluster.batch_execute(&drop)).expect("it is nobody else's");
    }
    name
}

/// Makes tests out of functions that take a `&TestStore`: each runs on SQLite in a file, on
/// SQLite in memory and on PostgreSQL, on a database of its own.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() {
                super::$name(&$crate::Store::for_test($crate::testing::Backend::Sqlite));
            })+
        }
        mod in_memory {
            $(#[test] fn $name() {
                super::$name(&$crate::Store::for_test($crate::testing::Backend::Memory));
            })+
        }
        mod on_postgres {
            $(#[test] fn $name() {
                super::$name(&$crate::Store::for_test($crate::testing::Backend::Postgres));
            })+
        }
    };
}
