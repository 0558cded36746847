//! `farthing catalog` and `farthing init`.

use std::path::Path;

use serde_json::json;

use crate::support::{Dev, Ran, farthing};

const BAD: &str = r#"schema     = 1
currencies = ["USD"]
tiers      = ["free", "starter"]
fallback   = "fre"

[features]
chatbots = { type = "count" }
messages = { type = "usage", resets = "weekly" }

[plans.free]
name   = "Free"
limits = { chatbot = 1 }

[plans.starter]
name         = "Starter"
prices.month = { USD = "19.000" }
limits       = { chatbots = 3 }
"#;

fn in_dir(dir: &Path, args: &[&str]) -> Ran {
    Ran::of(farthing().current_dir(dir).args(args))
}

#[test]
fn every_mistake_is_drawn_with_its_place_and_what_to_write() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("catalog.toml"), BAD).unwrap();
    let ran = in_dir(temp.path(), &["catalog", "check"]).exits(4);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn mistakes_are_json_when_asked() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("catalog.toml"), BAD).unwrap();
    let answer = in_dir(temp.path(), &["catalog", "check", "--json"]).exits(4).json();
    assert_eq!(answer["ok"], false);
    let first = &answer["errors"][0];
    assert_eq!((&first["line"], &first["nearest"]), (&json!(4), &json!("free")));
}

#[test]
fn every_template_is_written_and_checks() {
    for template in ["saas", "ai-credits", "seats"] {
        let temp = tempfile::tempdir().unwrap();
        in_dir(temp.path(), &["init", "--template", template]).exits(0);
        in_dir(temp.path(), &["catalog", "check"]).exits(0);
    }
}

#[test]
fn init_does_not_overwrite_unless_told_to() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("catalog.toml");
    std::fs::write(&file, "mine").unwrap();
    let ran = in_dir(temp.path(), &["init"]).exits(5);
    assert!(ran.stderr.contains("is there already; nothing was written"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    in_dir(temp.path(), &["init", "--force"]).exits(0);
    assert_ne!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_change_is_planned_confirmed_and_applied_on_a_running_server() {
    let dev = Dev::start();
    dev.cli(&["catalog", "plan"]).exits(0);
    let file = dev.dir().join("catalog.toml");
    let source = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, source.replace("USD = \"19.00\"", "USD = \"29.00\"")).unwrap();

    let planned = dev.cli(&["catalog", "plan"]).exits(3);
    assert!(planned.stdout.contains("plans.starter.prices.month.USD"), "{}", planned.stdout);
    assert!(planned.stderr.starts_with(&format!("→ {} (sandbox)", dev.api())));
    let asked = dev.cli(&["catalog", "apply"]).exits(5);
    assert!(asked.stderr.contains("nothing was changed"), "{}", asked.stderr);
    assert_eq!(dev.get("/v1/catalog")["version"], 1);

    let applied = dev.cli(&["catalog", "apply", "--yes"]).exits(0);
    assert!(applied.stdout.contains("version 2, 1 prices made"), "{}", applied.stdout);
    dev.cli(&["catalog", "plan"]).exits(0);
    assert!(dev.cli(&["catalog", "show"]).exits(0).stdout.contains("29.00"));
}

#[test]
fn what_customers_have_is_not_taken_away() {
    let dev = Dev::start();
    let file = dev.dir().join("catalog.toml");
    let source = std::fs::read_to_string(&file).unwrap();
    let changed =
        source.replace("chatbots = { type = \"count\" }", "chatbots = { type = \"value\" }");
    assert_ne!(source, changed);
    std::fs::write(&file, changed).unwrap();
    let ran = dev.cli(&["catalog", "apply", "--yes"]).exits(1);
    assert!(ran.stdout.contains("blocked:"), "{}", ran.stdout);
    assert_eq!(dev.get("/v1/catalog")["version"], 1);
}

#[test]
fn without_a_server_the_database_is_used() {
    let temp = tempfile::tempdir().unwrap();
    drop(Dev::start_in(temp.path(), &[]).unwrap());
    let data = temp.path().to_str().unwrap();
    let ran = in_dir(temp.path(), &["--data", data, "catalog", "plan"]).exits(0);
    assert!(ran.stderr.starts_with("→ sqlite:"), "{}", ran.stderr);
}
