//! The file, and determinism.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use farthing_sandbox::{OpenError, Request, Sandbox, World};
use serde_json::Value;

use crate::shop::{BASE, HOUR, START, Shop};

fn open(file: &Path, now: &Arc<AtomicI64>) -> Result<Sandbox, OpenError> {
    let now = now.clone();
    Sandbox::open(Some(file), 7, Arc::new(move || now.load(Ordering::SeqCst) * 1_000_000), BASE)
}

fn call(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Value {
    let request = Request {
        method: method.into(),
        path: path.into(),
        headers: vec![("authorization".into(), "Bearer sk_test_1".into())],
        body: body.as_bytes().to_vec(),
    };
    let response = sandbox.with(|world| world.handle(&request));
    serde_json::from_slice(&response.body).expect("JSON")
}

const LISTS: &[&str] = &[
    "customers",
    "products",
    "prices",
    "checkout/sessions",
    "payment_methods",
    "subscriptions?status=all",
    "invoices",
    "invoice_payments",
    "payment_intents",
    "charges",
    "events?limit=100",
    "webhook_endpoints",
];

fn everything(sandbox: &Sandbox) -> Vec<Value> {
    LISTS.iter().map(|path| call(sandbox, "GET", &format!("/v1/{path}"), "")).collect()
}

fn sell(sandbox: &Sandbox) {
    call(sandbox, "POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=*");
    let price = call(
        sandbox,
        "POST",
        "/v1/prices",
        "product_data[name]=Growth&currency=usd&unit_amount=4900&recurring[interval]=month",
    );
    let body = format!(
        "mode=subscription&success_url=https://a.example/&line_items[0][price]={}",
        price["id"].as_str().expect("an id")
    );
    let session = call(sandbox, "POST", "/v1/checkout/sessions", &body);
    let path = session["url"].as_str().and_then(|url| url.strip_prefix(BASE)).expect("a page");
    let request = Request {
        method: "POST".into(),
        path: path.into(),
        headers: Vec::new(),
        body: b"card=4242424242424242".to_vec(),
    };
    assert_eq!(sandbox.with(|world| world.handle(&request)).status, 303);
}

#[test]
fn a_file_opened_again_holds_the_same_world_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    let now = Arc::new(AtomicI64::new(START));
    let sandbox = open(&file, &now).expect("a new file");
    sell(&sandbox);
    let before = everything(&sandbox);
    let twin: World = sandbox.with(|world| world.clone());
    drop(sandbox);
    let sandbox = open(&file, &now).expect("the same file");
    assert_eq!(everything(&sandbox), before);
    // Both go on alike, ids included.
    now.fetch_add(40 * 24 * HOUR, Ordering::SeqCst);
    let mut twin = twin;
    twin.advance_to(now.load(Ordering::SeqCst));
    let due = sandbox.with(World::deliveries_due);
    assert_eq!(due, twin.deliveries_due());
    assert!(due.len() > 20);
    assert_eq!(call(&sandbox, "GET", "/v1/invoices", "")["data"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_world_survives_a_round_trip_through_json() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    shop.subscribe(&customer, "");
    let text = serde_json::to_string(&shop.world).expect("a world is plain data");
    shop.world = serde_json::from_str(&text).expect("its own words");
    assert_eq!(serde_json::to_string(&shop.world).expect("plain data"), text);
    shop.advance(32 * 24 * HOUR);
    assert_eq!(shop.get("/v1/invoices")["data"].as_array().map(Vec::len), Some(2));
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Arc::new(AtomicI64::new(START));
    let refused = |file: &Path| match open(file, &now) {
        Ok(_) => panic!("{} was opened", file.display()),
        Err(error) => error.to_string(),
    };
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but a longer text than a header has").expect("written");
    assert!(refused(&text).contains("not a database"));

    let other = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&other).expect("opened");
    connection.execute_batch("CREATE TABLE books (name TEXT)").expect("made");
    drop(connection);
    assert!(refused(&other).contains("not a sandbox file"));

    let file = folder.path().join("sandbox.db");
    let sandbox = open(&file, &now).expect("a new file");
    sell(&sandbox);
    assert!(refused(&file).contains("in use"), "a second process");
    drop(sandbox);
    let change = |sql: &str| {
        let connection = rusqlite::Connection::open(&file).expect("opened");
        assert_eq!(connection.execute(sql, []).expect("changed"), 1);
    };
    change("UPDATE objects SET json = '{' WHERE kind = 'price'");
    let damaged = refused(&file);
    assert!(damaged.contains("damaged at price 1"), "{damaged}");
    change("UPDATE meta SET value = '2030-01-01.other' WHERE name = 'api_version'");
    let version = refused(&file);
    assert!(version.contains("2030-01-01.other"), "{version}");
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes() {
    let run = || {
        let mut shop = Shop::open();
        let session = shop.growth_session("customer_email=ada@example.com");
        shop.paid(&session);
        shop.advance(33 * 24 * HOUR);
        shop.call("GET", "/v1/events?limit=100", "", &[])
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
}
