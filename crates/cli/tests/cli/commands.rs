//! The other commands, and the command line itself.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::support::{Dev, Ran, farthing};

#[test]
fn an_unknown_command_is_a_usage_error() {
    let ran = Ran::of(farthing().arg("serf")).exits(2);
    assert!(ran.stderr.contains("serve"), "the nearest one is named: {}", ran.stderr);
    Ran::of(&mut farthing()).exits(2);
    Ran::of(farthing().args(["consume", "u_1", "chatbots", "many"])).exits(2);
}

#[test]
fn help_version_and_completions_need_nothing() {
    assert!(Ran::of(farthing().arg("--help")).exits(0).stdout.contains("Exit codes"));
    assert!(Ran::of(farthing().arg("version")).exits(0).stdout.starts_with("farthing 0."));
    let version = Ran::of(farthing().args(["version", "--json"])).exits(0).json();
    assert!(version["version"].is_string());
    for shell in ["bash", "zsh", "fish"] {
        let script = Ran::of(farthing().args(["completions", shell])).exits(0).stdout;
        assert!(script.contains("farthing"));
    }
    let document = Ran::of(farthing().arg("openapi")).exits(0).json();
    assert!(document["paths"]["/v1/consume"].is_object());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let binary = env!("CARGO_BIN_EXE_farthing");
    let line = format!("set -o pipefail; {binary} openapi | true");
    let ran = Ran::of(std::process::Command::new("bash").args(["-c", &line]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_customer_is_shown_and_uses_what_it_has() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let taken = dev.cli(&["consume", "u_1", "chatbots"]).exits(0);
    assert!(taken.stdout.starts_with("ok (ok): 1 of 1 chatbots used."), "{}", taken.stdout);
    let refused = dev.cli(&["consume", "u_1", "chatbots"]).exits(1);
    assert!(refused.stdout.starts_with("refused (limit_reached)"), "{}", refused.stdout);
    assert!(refused.stdout.contains("the plan starter would allow it"), "{}", refused.stdout);
    dev.cli(&["release", "u_1", "chatbots"]).exits(0);
    let answer = dev.cli(&["consume", "u_1", "chatbots", "--json"]).exits(0).json();
    assert_eq!(answer["used"], 1);

    assert!(dev.cli(&["customers", "list"]).exits(0).stdout.contains("ana@example.com"));
    assert!(dev.cli(&["customers", "show", "u_1"]).exits(0).stdout.contains("ai credits: 500"));
    let timeline = dev.cli(&["customers", "timeline", "u_1"]).exits(0);
    assert!(timeline.stdout.contains("customer.created"), "{}", timeline.stdout);
    let missing = dev.cli(&["customers", "show", "u/2"]).exits(1);
    assert!(missing.stderr.contains("u/2"), "{}", missing.stderr);
}

#[test]
fn the_clock_goes_forward_only_and_says_what_happened() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    let before = dev.cli(&["clock", "show", "--json"]).exits(0).json();
    let moved = dev.cli(&["clock", "advance", "31d", "--json"]).exits(0).json();
    assert!(0 < moved["events_delivered"].as_u64().unwrap());
    assert!(before["now"].as_str() < moved["now"].as_str());
    dev.cli(&["clock", "to", "2199-01-01"]).exits(1);
    dev.cli(&["clock", "to", "2020-01-01"]).exits(1);
    dev.cli(&["clock", "to", "soon"]).exits(2);
    dev.cli(&["clock", "advance", "a while"]).exits(1);
    dev.cli(&["check"]).exits(0);
}

#[test]
fn two_advances_at_once_both_happen_one_after_the_other() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    std::thread::scope(|scope| {
        for days in ["40d", "70d", "10d"] {
            let dev = &dev;
            scope.spawn(move || dev.advance(days));
        }
    });
    let state = dev.get("/v1/customers/u_1/state");
    assert_eq!(state["standing"], "good");
    dev.cli(&["check"]).exits(0);
}

#[test]
fn events_are_listed_shown_and_replayed_without_a_second_effect() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    // Everything that was sent by now is handled.
    dev.advance("1s");
    let state = dev.get("/v1/customers/u_1/state");
    let listed = dev.cli(&["events", "list", "--json"]).exits(0).json();
    let events = listed["data"].as_array().unwrap();
    assert!(!events.is_empty());
    for event in events {
        let id = event["id"].as_str().unwrap();
        assert!(dev.cli(&["events", "show", id]).exits(0).stdout.contains(id));
        dev.cli(&["events", "replay", id]).exits(0);
    }
    dev.advance("1s");
    assert_eq!(dev.get("/v1/customers/u_1/state"), state);
    assert!(dev.cli(&["events", "list"]).exits(0).stdout.contains("invoice.paid"));
    dev.cli(&["check"]).exits(0);
}

#[test]
fn a_server_can_be_named_and_needs_its_key() {
    let dev = Dev::start();
    let temp = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| Ran::of(farthing().current_dir(temp.path()).args(args));
    let named = here(&["--api", dev.api(), "--key", dev.key(), "customers", "list"]).exits(0);
    assert!(named.stderr.starts_with(&format!("→ {}", dev.api())), "{}", named.stderr);
    here(&["--api", dev.api(), "customers", "list"]).exits(2);
    let wrong = here(&["--api", dev.api(), "--key", "sk_test_1", "customers", "list"]).exits(1);
    assert!(wrong.stderr.contains("FARTHING_KEY"), "{}", wrong.stderr);
    let none = here(&["customers", "list"]).exits(1);
    assert!(none.stderr.contains("start one with `farthing dev`"), "{}", none.stderr);
    here(&["check"]).exits(1);
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn the_page_that_checkouts_return_to_tells_how_they_went() {
    let dev = Dev::start();
    let page = |address: &str| reqwest::blocking::get(address).unwrap().text().unwrap();
    crate::support::http();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let checkout = json!({ "customer": "u_1", "plan": "growth", "return_path": "/return" });
    let started = dev.post("/v1/checkouts", checkout);
    let id = started["id"].as_str().unwrap();
    let open = page(&format!("{}/return?checkout={id}&outcome=cancel", dev.api()));
    assert!(open.contains("Not paid"), "{open}");
    let paid = dev.pay(started["url"].as_str().unwrap(), "4242424242424242");
    let back = paid.headers()["location"].to_str().unwrap();
    assert!(back.starts_with(&format!("{}/return?checkout={id}", dev.api())), "{back}");
    assert!(page(back).contains("The money arrived"));
    assert!(page(&format!("{}/?checkout=chk_1", dev.api())).contains("No such checkout"));
    assert!(page(dev.api()).contains("Farthing runs"));
}

#[test]
fn a_month_and_a_year_of_many_customers_pass_quickly() {
    let dev = Dev::start();
    for n in 0..10 {
        let customer = format!("u_{n}");
        let email = format!("u{n}@example.com");
        dev.put(&format!("/v1/customers/{customer}"), json!({ "email": email }));
        dev.buy(json!({ "customer": customer, "plan": "growth" }), "4242424242424242");
    }
    let timed = |by: &str| {
        let start = std::time::Instant::now();
        assert!(10 <= dev.advance(by));
        start.elapsed()
    };
    let (month, year) = (timed("31d"), timed("365d"));
    // Far more than it takes on an idle machine; tests run beside each other.
    assert!(month < Duration::from_secs(10), "a month took {month:?}");
    assert!(year < Duration::from_secs(60), "a year took {year:?}");
    dev.cli(&["check"]).exits(0);
}

#[test]
fn the_tail_of_events_goes_on_as_they_come() {
    let dev = Dev::start();
    dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
    let mut command = farthing();
    command.arg("--data").arg(dev.dir()).args(["events", "tail", "--json"]);
    let mut tail = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    dev.buy(json!({ "customer": "u_1", "plan": "growth" }), "4242424242424242");
    let mut seen = Vec::new();
    while !seen.contains(&"invoice.paid".to_owned()) {
        let line = lines.next().unwrap().unwrap();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        seen.push(event["type"].as_str().unwrap().to_owned());
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
}
