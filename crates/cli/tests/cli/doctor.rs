//! `farthing doctor`.

use farthing_store::alerts::{self, Alert};
use farthing_store::{Options, Store};

use crate::support::{Dev, Process, Ran, farthing};

#[test]
fn a_fresh_server_has_nothing_wrong() {
    let dev = Dev::start();
    let ran = dev.cli(&["doctor"]).exits(0);
    assert!(ran.stdout.contains("nothing found"), "{}", ran.stdout);
}

#[test]
fn each_finding_comes_with_a_fix() {
    let dev = Dev::start();
    std::fs::remove_file(dev.dir().join("webhook-secret")).unwrap();
    let file = dev.dir().join("catalog.toml");
    let source = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, source.replace("chatbots = 3", "chatbots = 4")).unwrap();
    let url = format!("sqlite:{}", dev.dir().join("farthing.db").display());
    let store = Store::open(&url, Options::default()).unwrap();
    let alert = Alert {
        id: "evt_alert".into(),
        kind: "provider_event".into(),
        subject: "evt_1".into(),
        detail: "it has no customer".into(),
        created_at: farthing_core::time::Timestamp::from_seconds(1_800_000_000).unwrap(),
    };
    store.write(move |tx| alerts::raise(tx, &alert)).wait().unwrap();

    let answer = dev.cli(&["doctor", "--json"]).exits(4).json();
    let findings = answer["checks"].as_array().unwrap().iter();
    let findings: Vec<&str> = findings
        .filter(|seen| seen["status"] == "finding")
        .inspect(|seen| assert!(seen["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{seen}"))
        .map(|seen| seen["check"].as_str().unwrap())
        .collect();
    assert_eq!(findings, ["catalog", "alerts", "webhooks"]);
}

#[test]
fn nothing_set_up_is_a_finding() {
    let temp = tempfile::tempdir().unwrap();
    let ran = Ran::of(farthing().current_dir(temp.path()).arg("doctor")).exits(4);
    assert!(ran.stdout.contains("start `farthing dev`"), "{}", ran.stdout);
}

#[test]
fn a_production_setup_that_is_wrong_is_told_setting_by_setting() {
    let temp = tempfile::tempdir().unwrap();
    let ran = Ran::of(
        farthing().current_dir(temp.path()).arg("doctor").env("FARTHING_MODE", "live").envs([
            ("STRIPE_API_KEY", "sk_test_1"),
            ("FARTHING_RETURN_BASE", "http://localhost:3000"),
        ]),
    )
    .exits(4);
    for expected in ["FARTHING_DATABASE_URL is not set", "is a test key", "which is this machine"] {
        assert!(ran.stdout.contains(expected), "{expected}: {}", ran.stdout);
    }
}

#[test]
fn a_production_setup_is_looked_at_as_a_whole() {
    let dev = Dev::start();
    let temp = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", temp.path().join("farthing.db").display());
    let env = [
        ("FARTHING_MODE", "test"),
        ("FARTHING_LISTEN", "127.0.0.1:0"),
        ("FARTHING_RETURN_BASE", "http://localhost:3000"),
        ("STRIPE_API_KEY", "sk_test_1"),
        ("FARTHING_PUBLIC_URL", "http://localhost:4000"),
        ("FARTHING_STRIPE_URL", dev.ready()["sandbox"].as_str().unwrap()),
        ("FARTHING_DATABASE_URL", &url),
    ];
    let run = |args: &[&str]| Ran::of(farthing().current_dir(temp.path()).args(args).envs(env));
    let ran = run(&["doctor"]).exits(4);
    assert!(ran.stdout.contains("there is no database at"), "{}", ran.stdout);

    drop(Process::start(farthing().args(["serve", "--json", "--migrate"]).envs(env)).unwrap());
    run(&["init"]).exits(0);
    run(&["catalog", "apply", "--yes"]).exits(0);
    let answer = run(&["doctor", "--json"]).exits(4).json();
    let checks = answer["checks"].as_array().unwrap();
    let status = |check: &str| {
        let seen = checks.iter().find(|seen| seen["check"] == check).unwrap();
        seen["status"].as_str().unwrap()
    };
    for check in ["configuration", "database", "migrations", "mode", "catalog", "provider", "clock"]
    {
        assert_eq!(status(check), "ok", "{answer}");
    }
    assert_eq!(status("webhooks"), "finding", "no secret is configured");
    let message = |answer: &serde_json::Value, check: &str| {
        let seen = answer["checks"].as_array().unwrap().iter();
        let seen = seen.filter(|seen| seen["check"] == check).map(|seen| seen.to_string());
        seen.collect::<String>()
    };
    assert!(message(&answer, "endpoint").contains("no endpoint delivers to"), "{answer}");
    let made = run(&["doctor", "--fix", "--json"]).exits(4).json();
    assert!(message(&made, "endpoint").contains("STRIPE_WEBHOOK_SECRETS=whsec_"), "{made}");
    let again = run(&["doctor", "--fix", "--json"]).json();
    assert!(message(&again, "endpoint").contains("delivers everything"), "{again}");
    assert!(!again.to_string().contains("whsec_"), "a secret is told once");
}
