//! `farthing serve`: what it refuses, and that it serves. The sandbox of a development server
//! stands in for Stripe.

use std::process::Command;

use serde_json::json;

use crate::support::{Dev, Process, Ran, farthing, http};

/// A command with a configuration that is right for test mode against the sandbox of `dev`.
fn serve(dev: &Dev, database: &std::path::Path) -> Command {
    let mut command = farthing();
    command.args(["serve", "--json"]).envs([
        ("FARTHING_MODE", "test"),
        ("FARTHING_LISTEN", "127.0.0.1:0"),
        ("FARTHING_RETURN_BASE", "http://localhost:3000"),
        ("STRIPE_API_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_0123456789abcdef0123456789abcdef"),
        ("FARTHING_STRIPE_URL", dev.ready()["sandbox"].as_str().unwrap()),
    ]);
    command.env("FARTHING_DATABASE_URL", format!("sqlite:{}", database.display()));
    command
}

#[test]
fn it_migrates_when_told_serves_and_stops_on_request() {
    let dev = Dev::start();
    let temp = tempfile::tempdir().unwrap();
    let database = temp.path().join("farthing.db");
    let refused = Ran::of(&mut serve(&dev, &database)).exits(1);
    assert!(refused.stderr.contains("lacks the migrations 0001_system"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--migrate"), "{}", refused.stderr);

    let mut server = Process::start(serve(&dev, &database).arg("--migrate")).unwrap();
    assert_eq!(server.ready["mode"], "test");
    let api = server.ready["api"].as_str().unwrap().to_owned();
    assert_eq!(http().get(format!("{api}/healthz")).send().unwrap().status(), 200);
    // There is no sandbox here, and no catalog yet.
    assert_eq!(http().get(format!("{api}/sandbox/clock")).send().unwrap().status(), 404);
    assert_ne!(http().get(format!("{api}/readyz")).send().unwrap().status(), 200);
    let (code, log, _) = server.terminate();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("sk_test_1"), "{log}");

    // The same database for the sandbox, or for another account, is refused.
    let url = format!("sqlite:{}", database.display());
    let temp = tempfile::tempdir().unwrap();
    let ran = Dev::start_in(temp.path(), &["--database", &url]).err().unwrap().exits(1);
    assert!(ran.stderr.contains("this is a test database, not a sandbox one"), "{}", ran.stderr);
    let other = Dev::start();
    let ran = Ran::of(&mut serve(&other, &database)).exits(1);
    assert!(ran.stderr.contains("belongs to the provider account"), "{}", ran.stderr);
}

#[test]
fn live_mode_refuses_test_keys_and_addresses_of_this_machine() {
    let temp = tempfile::tempdir().unwrap();
    let database = temp.path().join("farthing.db");
    let mut command = farthing();
    command.arg("serve").envs([
        ("FARTHING_MODE", "live"),
        ("FARTHING_RETURN_BASE", "http://localhost:3000"),
        ("STRIPE_API_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_test"),
    ]);
    command.env("FARTHING_DATABASE_URL", format!("sqlite:{}", database.display()));
    let ran = Ran::of(&mut command).exits(1);
    for expected in [
        "FARTHING_RETURN_BASE is \"http://localhost:3000\", which is this machine",
        "STRIPE_API_KEY is a test key, but FARTHING_MODE is live",
        "a secret from an example",
        "3 settings are wrong or missing; nothing was started",
    ] {
        assert!(ran.stderr.contains(expected), "{expected}:\n{}", ran.stderr);
    }
    assert!(!database.exists());
}

#[test]
fn a_sandbox_database_is_not_served() {
    let dev = Dev::start();
    let ran = Ran::of(&mut serve(&dev, &dev.dir().join("farthing.db"))).exits(1);
    assert!(ran.stderr.contains("this is a sandbox database, not a test one"), "{}", ran.stderr);
    assert_eq!(dev.get("/v1/plans")["data"][0]["plan"], json!("free"));
}

/// The how-to's order: migrate, apply, make a key, and only then serve.
#[test]
fn a_new_database_is_made_ready_before_the_first_server_starts() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("farthing.db").display());
    let run = |args: &[&str]| {
        let mut command = farthing();
        command.env("FARTHING_MODE", "test").env("FARTHING_DATABASE_URL", &url);
        Ran::of(command.current_dir(dir.path()).args(args))
    };
    run(&["keys", "create", "web app"]).exits(1);
    run(&["db", "migrate"]).exits(0);
    let made = run(&["keys", "create", "web app"]).exits(0);
    assert!(made.stdout.contains("sk_test_"), "{}", made.stdout);
    run(&["init"]).exits(0);
    run(&["catalog", "apply", "catalog.toml", "--yes"]).exits(0);
    run(&["check"]).exits(0);
}
