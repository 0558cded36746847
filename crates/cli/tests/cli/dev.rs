//! `farthing dev`: the ready line, what it refuses, and how it stops.

use std::net::TcpListener;
use std::time::Duration;

use farthing_core::time::Timestamp;
use farthing_store::meta::{self, Mode};
use farthing_store::testing::{Backend, TestStore};
use farthing_store::{Options, Store};
use serde_json::{Value, json};

use crate::support::{Dev, Process, Ran, http};

/// The promise is one second on an idle machine with an optimised build; tests run unoptimised and
/// beside each other.
const READY_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn the_ready_line_is_one_line_with_everything_needed_to_begin() {
    let mut dev = Dev::start();
    assert!(dev.ready_after() < READY_WITHIN, "ready after {:?}", dev.ready_after());
    let names: Vec<&String> = dev.ready().as_object().unwrap().keys().collect();
    assert_eq!(names, ["api", "key", "admin", "billing", "sandbox"]);
    assert!(dev.key().starts_with("sk_test_"));
    assert_eq!(dev.ready()["sandbox"], json!(format!("{}/sandbox/stripe", dev.api())));
    let open = |page: &str| http().get(page).send().unwrap();
    assert_eq!(open(dev.ready()["admin"].as_str().unwrap()).status(), 200);
    let billing = open(dev.ready()["billing"].as_str().unwrap());
    let link = billing.headers()["location"].to_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("{}/b/enter/cst_", dev.api())), "{link}");
    assert_eq!(open(&link).status(), 200);
    let nobody = format!("{}?customer=nobody", dev.ready()["billing"].as_str().unwrap());
    assert_eq!(open(&nobody).status(), 404);
    assert_eq!(dev.get("/v1/plans")["data"][0]["plan"], "free");
    let (code, log, took) = dev.process().terminate();
    assert_eq!((code, log.as_str()), (0, ""));
    assert!(took < Duration::from_secs(10), "stopped after {took:?}");
}

#[test]
fn it_listens_on_this_machine_only() {
    let dev = Dev::start();
    assert!(dev.api().starts_with("http://127.0.0.1:"));
    let port = dev.api().rsplit(':').next().unwrap();
    // Every address of 127.0.0.0/8 is this machine; only one of them is listened on.
    assert!(http().get(format!("http://127.0.0.2:{port}/healthz")).send().is_err());
}

#[test]
fn a_port_in_use_is_told_and_nothing_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let ran = Dev::start_in(&dir, &["--port", &port]).err().unwrap().exits(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains(&format!("port {port} is in use")), "{}", ran.stderr);
    assert!(ran.stderr.contains("\"fix\":\"stop that program, or choose another port"));
    assert!(!dir.exists());
}

#[test]
fn a_second_server_in_the_same_directory_is_refused() {
    let dev = Dev::start();
    let ran = Dev::start_in(dev.dir(), &[]).err().unwrap().exits(1);
    assert!(ran.stderr.contains(&format!("at {}; nothing was changed", dev.api())));
    dev.get("/v1/plans");
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ran = Dev::start_in(&file.join("data"), &[]).err().unwrap().exits(1);
    assert!(ran.stderr.contains("cannot be used"), "{}", ran.stderr);
}

#[test]
fn a_database_of_another_mode_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", temp.path().join("farthing.db").display());
    let store = Store::open(&url, Options::default()).unwrap();
    store.migrate().unwrap();
    let now = Timestamp::from_seconds(1_800_000_000).unwrap();
    let stamped = store.write(move |tx| meta::stamp(tx, Mode::Live, now)).wait();
    assert_eq!(stamped, Ok(Mode::Live));
    drop(store);
    let ran = Dev::start_in(temp.path(), &[]).err().unwrap().exits(1);
    assert!(ran.stderr.contains("this is a live database, not a sandbox one"), "{}", ran.stderr);
    assert!(!temp.path().join("sandbox.db").exists());
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(Dev::start_in(temp.path(), &[]).unwrap());
    let url = format!("sqlite:{}", temp.path().join("farthing.db").display());
    let store = Store::open(&url, Options::default()).unwrap();
    let insert = "INSERT INTO schema_migrations (number, name, sha256, applied_at)
                  VALUES (9000, '9000_future', 'x', 0)";
    store.write(move |tx| tx.execute(insert, &[])).wait().unwrap();
    drop(store);
    let ran = Dev::start_in(temp.path(), &[]).err().unwrap().exits(1);
    assert!(ran.stderr.contains("9000_future"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Run the newer version"), "{}", ran.stderr);
}

#[test]
fn a_broken_catalog_is_drawn_and_nothing_is_made() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("catalog.toml"), "schema = 1\ncurencies = []\n").unwrap();
    let mut command = crate::support::farthing();
    command.args(["dev", "--port", "0", "--data"]).arg(temp.path());
    let ran = Ran::of(&mut command).exits(1);
    assert!(ran.stderr.contains("did you mean currencies?"), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was started or changed"), "{}", ran.stderr);
    let left: Vec<_> = std::fs::read_dir(temp.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the catalog is there: {left:?}");
}

#[test]
fn the_suggested_commands_work_as_they_are_printed() {
    let temp = tempfile::tempdir().unwrap();
    let mut command = crate::support::farthing();
    command.args(["dev", "--port", "0", "--data"]).arg(temp.path());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut printed = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let last = line.starts_with("Stop with");
        printed.push(line);
        if last {
            break;
        }
    }
    let curls: Vec<&String> = printed.iter().filter(|l| l.trim().starts_with("curl ")).collect();
    assert_eq!(curls.len(), 3, "{printed:#?}");
    let expected = ["\"id\":\"u_1\"", "\"status\":\"open\"", "\"allowed\":true"];
    for (curl, expected) in curls.iter().zip(expected) {
        let quiet = curl.replacen("curl ", "curl -sS ", 1);
        let ran = Ran::of(std::process::Command::new("sh").args(["-c", &quiet]));
        assert!(ran.stdout.contains(expected), "{curl}\n{}\n{}", ran.stdout, ran.stderr);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_request_under_way_is_answered_before_it_stops() {
    let mut dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let started = dev.post("/v1/checkouts", json!({ "customer": "u_1", "plan": "growth" }));
    let address = format!("{}/v1/checkouts/{}?wait=3", dev.api(), started["id"].as_str().unwrap());
    let key = dev.key().to_owned();
    let waiting = std::thread::spawn(move || http().get(address).bearer_auth(key).send());
    std::thread::sleep(Duration::from_millis(300));
    let (code, _, took) = dev.process().terminate();
    let answer = waiting.join().unwrap().unwrap();
    assert_eq!((answer.status().as_u16(), code), (200, 0));
    assert!(took < Duration::from_secs(10), "stopped after {took:?}");
}

#[test]
fn everything_works_on_postgresql_too() {
    let database = TestStore::empty(Backend::Postgres);
    let temp = tempfile::tempdir().unwrap();
    let start = || Dev::start_in(temp.path(), &["--database", database.url()]);
    let mut dev = start().unwrap();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    dev.advance("31d");
    dev.process().kill();
    let dev = start().unwrap();
    assert_eq!(dev.get("/v1/customers/u_1/state")["plan"], "growth");
    let checked = dev.cli(&["check"]).exits(0);
    assert!(checked.stderr.starts_with("→ postgres"), "{}", checked.stderr);
    assert!(!temp.path().join("farthing.db").exists());
}

#[test]
fn a_catalog_in_the_directory_where_it_is_started_is_used_in_place() {
    let temp = tempfile::tempdir().unwrap();
    let mut init = crate::support::farthing();
    Ran::of(init.current_dir(temp.path()).args(["init", "--template", "seats"])).exits(0);
    let data = temp.path().join("data");
    let mut command = Dev::command(&data, &[]);
    let server = Process::start(command.current_dir(temp.path())).unwrap();
    let key = server.ready["key"].as_str().unwrap();
    let api = server.ready["api"].as_str().unwrap();
    let catalog = http().get(format!("{api}/v1/catalog")).bearer_auth(key).send().unwrap();
    let catalog: serde_json::Value = catalog.json().unwrap();
    assert_eq!(
        catalog["source"],
        std::fs::read_to_string(temp.path().join("catalog.toml")).unwrap()
    );
    assert!(!data.join("catalog.toml").exists());
}

/// The sandbox's clock jumps over the month for which answers are kept; the answer is kept.
#[test]
fn the_clock_moves_once_for_one_idempotency_key() {
    let dev = Dev::start();
    let advance = || {
        let request = http().post(format!("{}/v1/sandbox/clock/advance", dev.api()));
        let request = request.bearer_auth(dev.key()).header("idempotency-key", "one-month");
        let answer = request.json(&json!({ "by": "31d" })).send().unwrap();
        assert_eq!(answer.status(), 200);
        let replayed = answer.headers().contains_key("idempotent-replayed");
        (answer.json::<Value>().unwrap(), replayed)
    };
    let (first, replayed) = advance();
    assert!(!replayed);
    assert_eq!(advance(), (first, true));
}
