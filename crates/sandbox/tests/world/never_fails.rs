//! Whatever is asked, in whatever order: no panic and no 5xx.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::Value;

use crate::shop::{HOUR, Shop, json};

const PATHS: &[&str] = &[
    "customers",
    "customers/@cus",
    "customers/@cus/payment_methods",
    "products",
    "products/growth",
    "prices",
    "prices/@price",
    "checkout/sessions",
    "checkout/sessions/@cs",
    "checkout/sessions/@cs/expire",
    "checkout/sessions/@cs/line_items",
    "payment_methods",
    "payment_methods/pm_card_visa/attach",
    "payment_methods/pm_card_chargeCustomerFail/attach",
    "payment_methods/@pm/attach",
    "payment_methods/@pm/detach",
    "subscriptions",
    "subscriptions/@sub",
    "subscription_items",
    "invoices",
    "invoices/@in",
    "invoices/@in/pay",
    "invoices/@in/void",
    "invoices/@in/finalize",
    "invoices/@in/mark_uncollectible",
    "disputes",
    "billing_portal/sessions",
    "disputes/@du",
    "disputes/@du/close",
    "invoices/@in/lines",
    "invoices/create_preview",
    "subscription_schedules",
    "subscription_schedules/@sched",
    "subscription_schedules/@sched/release",
    "subscription_schedules/@sched/cancel",
    "invoice_payments",
    "payment_intents",
    "charges",
    "refunds",
    "events",
    "webhook_endpoints",
    "webhook_endpoints/@we",
    "account",
    "nothing",
    "",
];
const NAMES: &[&str] = &[
    "customer",
    "email",
    "name",
    "mode",
    "success_url",
    "line_items[0][price]",
    "line_items[0][quantity]",
    "items[0][price]",
    "items[0][id]",
    "items[0][quantity]",
    "items[0][deleted]",
    "items[1][price]",
    "subscription_details[items][0][id]",
    "subscription_details[items][0][price]",
    "subscription_details[proration_behavior]",
    "subscription_details[trial_end]",
    "proration_behavior",
    "proration_date",
    "from_subscription",
    "evidence[uncategorized_text]",
    "submit",
    "challenge",
    "phases[0][items][0][price]",
    "phases[0][start_date]",
    "phases[0][end_date]",
    "phases[0][duration][interval]",
    "end_behavior",
    "currency",
    "unit_amount",
    "product",
    "recurring[interval]",
    "recurring[interval_count]",
    "trial_period_days",
    "trial_end",
    "subscription_data[trial_period_days]",
    "cancel_at",
    "cancel_at_period_end",
    "payment_behavior",
    "default_payment_method",
    "invoice_settings[default_payment_method]",
    "payment_intent",
    "charge",
    "amount",
    "url",
    "enabled_events[]",
    "limit",
    "starting_after",
    "ending_before",
    "expand[]",
    "metadata[k]",
    "metadata",
    "subscription",
    "status",
    "created[gte]",
    "card",
    "]",
    "a[b",
    "",
];
const VALUES: &[&str] = &[
    "@cus",
    "@price",
    "@pack",
    "@sub",
    "@si",
    "@scale",
    "@yearly",
    "always_invoice",
    "pending_if_incomplete",
    "@in",
    "@pi",
    "@ch",
    "@pm",
    "growth",
    "usd",
    "jpy",
    "1",
    "0",
    "-1",
    "99999999",
    "9223372036854775807",
    "999999999999999999999",
    "true",
    "false",
    "",
    "now",
    "month",
    "year",
    "subscription",
    "payment",
    "setup",
    "a@b.c",
    "http://a/b",
    "*",
    "default_incomplete",
    "error_if_incomplete",
    "customer",
    "data.customer",
    "4242424242424242",
    "4000000000000341",
    "4000000000000002",
    "4000002760003184",
    "4000002760003184&challenge=confirm",
    "4000000000000259",
    "winning_evidence",
    "confirm",
    "all",
    "min_period_end",
    "é\u{0}💥",
];

/// Calls that make sense, so that the others meet a world with something in it.
const SENSIBLE: &[(&str, &str)] = &[
    (
        "customers",
        "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa",
    ),
    ("customers/@cus", "invoice_settings[default_payment_method]=@pm"),
    ("payment_methods/pm_card_chargeCustomerFail/attach", "customer=@cus"),
    ("payment_methods/pm_card_visa/attach", "customer=@cus"),
    ("payment_methods/pm_card_authenticationRequired/attach", "customer=@cus"),
    ("payment_methods/pm_card_createDispute/attach", "customer=@cus"),
    ("payment_methods/pm_card_refundFail/attach", "customer=@cus"),
    ("billing_portal/sessions", "customer=@cus"),
    ("disputes/@du", "evidence[uncategorized_text]=winning_evidence"),
    ("invoices/@in/mark_uncollectible", ""),
    ("subscriptions", "customer=@cus&items[0][price]=@price"),
    ("subscriptions", "customer=@cus&items[0][price]=@price&payment_behavior=default_incomplete"),
    ("subscriptions", "customer=@cus&items[0][price]=@price&trial_period_days=5"),
    ("subscriptions/@sub", "default_payment_method=@pm"),
    ("subscriptions/@sub", "cancel_at_period_end=true"),
    ("subscriptions/@sub", "cancel_at="),
    ("subscriptions/@sub", "items[0][id]=@si&items[0][price]=@scale"),
    (
        "subscriptions/@sub",
        "items[0][id]=@si&items[0][price]=@scale&proration_behavior=always_invoice&payment_behavior=pending_if_incomplete",
    ),
    (
        "subscriptions/@sub",
        "items[0][id]=@si&items[0][price]=@price&proration_behavior=always_invoice",
    ),
    (
        "subscriptions/@sub",
        "items[0][id]=@si&items[0][price]=@yearly&payment_behavior=error_if_incomplete",
    ),
    ("subscriptions/@sub", "trial_end=now&payment_behavior=pending_if_incomplete"),
    (
        "invoices/create_preview",
        "subscription=@sub&subscription_details[items][0][id]=@si&subscription_details[items][0][price]=@scale",
    ),
    ("subscription_schedules", "from_subscription=@sub"),
    (
        "subscription_schedules/@sched",
        "phases[0][items][0][price]=@price&phases[0][start_date]=@start&phases[0][end_date]=@end&phases[1][items][0][price]=@scale&phases[1][duration][interval]=month&phases[1][proration_behavior]=none",
    ),
    (
        "subscription_schedules/@sched",
        "phases[0][items][0][price]=@scale&phases[0][start_date]=@start&phases[0][end_date]=now&phases[1][items][0][price]=@yearly&phases[1][duration][interval]=year&end_behavior=cancel",
    ),
    ("subscription_schedules/@sched/release", "preserve_cancel_date=true"),
    ("invoices/@in/pay", "payment_method=@pm"),
    ("refunds", "payment_intent=@pi&amount=1000"),
    ("refunds", "charge=@ch"),
    (
        "checkout/sessions",
        "mode=payment&line_items[0][price]=@pack&success_url=http://a/b&customer=@cus",
    ),
    ("checkout/sessions", "mode=setup&currency=usd&success_url=http://a/b&customer=@cus"),
    (
        "checkout/sessions",
        "mode=subscription&line_items[0][price]=@price&success_url=http://a/b&subscription_data[trial_period_days]=3",
    ),
    ("webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=*"),
];

/// Scenarios that leave the answers as they are.
const SCENARIOS: &[(&str, &[(&str, &str)])] = &[
    ("webhook_lost", &[("times", "3")]),
    ("webhook_late", &[("seconds", "5000")]),
    ("webhook_twice", &[("type", "invoice.")]),
    ("webhook_other_id", &[("times", "2")]),
    ("webhooks_reversed", &[]),
    ("card_fails", &[("payment_method", "@pm")]),
    ("card_heals", &[("payment_method", "@pm")]),
    ("dispute", &[("charge", "@ch")]),
    ("portal_cancel", &[("subscription", "@sub")]),
    ("portal_resume", &[("subscription", "@sub")]),
    ("portal_switch", &[("subscription", "@sub"), ("price", "@scale"), ("when", "now")]),
    ("portal_switch", &[("subscription", "@sub"), ("price", "@yearly"), ("when", "period_end")]),
    ("calm", &[]),
];

#[derive(Debug, Clone)]
enum Step {
    Sensible(usize),
    Call { method: usize, path: usize, pairs: Vec<(usize, usize)>, key: Option<u8> },
    Pay { page: usize, card: usize },
    Advance(i64),
    Deliver(Option<u16>),
    Scenario(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let pairs = prop::collection::vec((0..NAMES.len(), 0..VALUES.len()), 0..6);
    prop_oneof![
        8 => (0..3_usize, 0..PATHS.len(), pairs, prop::option::weighted(0.2, 0..4_u8))
            .prop_map(|(method, path, pairs, key)| Step::Call { method, path, pairs, key }),
        8 => (0..SENSIBLE.len()).prop_map(Step::Sensible),
        2 => (0..3_usize, 0..VALUES.len()).prop_map(|(page, card)| Step::Pay { page, card }),
        1 => (0..800 * HOUR).prop_map(Step::Advance),
        1 => (0..SCENARIOS.len()).prop_map(Step::Scenario),
        1 => prop::option::of(prop_oneof![Just(200_u16), Just(500)]).prop_map(Step::Deliver),
    ]
}

/// The newest object of each kind, for the `@` words.
fn fill(shop: &mut Shop, word: &str) -> String {
    let path = match word {
        "@cus" => "customers",
        "@cs" => "checkout/sessions",
        "@pm" => "payment_methods",
        "@sub" => "subscriptions?status=all",
        "@in" => "invoices",
        "@pi" => "payment_intents",
        "@ch" => "charges",
        "@we" => "webhook_endpoints",
        "@si" => {
            let list = shop.get("/v1/subscriptions?status=all");
            let item = &list["data"][0]["items"]["data"][0]["id"];
            return item.as_str().unwrap_or("none").to_owned();
        }
        "@start" | "@end" => {
            let list = shop.get("/v1/subscription_schedules");
            let phase = &list["data"][0]["current_phase"];
            let name = if word == "@start" { "start_date" } else { "end_date" };
            return phase[name].as_i64().unwrap_or(0).to_string();
        }
        "@du" => "disputes",
        "@sched" => "subscription_schedules",
        "@scale" => "prices?lookup_keys[]=scale",
        "@yearly" => "prices?lookup_keys[]=yearly",
        "@price" => return shop.growth.clone(),
        "@pack" => return shop.pack.clone(),
        plain => return plain.to_owned(),
    };
    let list = shop.get(&format!("/v1/{path}"));
    list["data"][0]["id"].as_str().unwrap_or("none").to_owned()
}

fn fill_all(shop: &mut Shop, text: &str, between: char) -> String {
    let words: Vec<String> = text.split(between).map(|word| fill(shop, word)).collect();
    words.join(&between.to_string())
}

fn run(shop: &mut Shop, step: Step) {
    match step {
        Step::Sensible(at) => {
            let (path, body) = SENSIBLE[at];
            let path = format!("/v1/{}", fill_all(shop, path, '/'));
            let pairs: Vec<String> =
                body.split('&').map(|pair| fill_all(shop, pair, '=')).collect();
            let response = shop.call("POST", &path, &pairs.join("&"), &[]);
            assert!(response.status < 500, "POST {path} {body}");
        }
        Step::Call { method, path, pairs, key } => {
            let path: Vec<String> =
                PATHS[path].split('/').map(|segment| fill(shop, segment)).collect();
            let path = format!("/v1/{}", path.join("/"));
            let mut form = String::new();
            for (name, value) in pairs {
                let value = fill(shop, VALUES[value]);
                let value: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
                form.push_str(&format!("{}={value}&", NAMES[name]));
            }
            let key = key.map(|key| key.to_string());
            let headers: Vec<(&str, &str)> =
                key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
            let method = ["GET", "POST", "DELETE"][method];
            let response = match method {
                "POST" => shop.call(method, &path, &form, &headers),
                _ => shop.call(method, &format!("{path}?{form}"), "", &headers),
            };
            assert!(response.status < 500, "{method} {path} {form}");
            assert!(json(&response).is_object());
        }
        Step::Pay { page, card } => {
            let (page, of) = [("checkout", "@cs"), ("invoice", "@in"), ("3ds", "@pi")][page];
            let path = format!("/{page}/{}", fill(shop, of));
            let body = format!("card={}", VALUES[card].replace('\u{0}', "%00"));
            assert!(shop.call("POST", &path, &body, &[]).status < 500);
        }
        Step::Scenario(at) => {
            let (name, params) = SCENARIOS[at];
            let params: Vec<(&str, String)> =
                params.iter().map(|(name, word)| (*name, fill(shop, word))).collect();
            let params: Vec<(&str, &str)> =
                params.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let _refused = shop.world.scenario(name, &params);
        }
        Step::Advance(seconds) => shop.advance(seconds),
        Step::Deliver(status) => {
            for delivery in shop.world.deliveries_due() {
                shop.world.delivered(delivery.id, status);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_calls_never_panic_and_never_answer_5xx(steps in prop::collection::vec(step(), 1..60)) {
        let mut shop = Shop::open();
        let customer = shop.customer_with("pm_card_visa");
        shop.subscribe(&customer, "");
        shop.growth_session("");
        for (key, amount, interval) in [("scale", 9_900, "month"), ("yearly", 49_000, "year")] {
            let price = shop.price(key, amount, interval);
            shop.post(&format!("/v1/prices/{price}"), &format!("lookup_key={key}"));
        }
        for step in steps {
            run(&mut shop, step);
        }
        keeps_its_books(&mut shop);
    }
}

fn listed(shop: &mut Shop, path: &str) -> Vec<Value> {
    shop.get(&format!("/v1/{path}"))["data"].as_array().expect("a list").clone()
}

/// What has to hold in every world: no period is billed twice, an invoice is paid by what was
/// charged for it, nothing more is given back than was taken, and what ended is not collected.
fn keeps_its_books(shop: &mut Shop) {
    let mut periods = HashSet::new();
    for invoice in listed(
        shop,
        "invoices?limit=100&expand[]=data.payments&expand[]=data.parent.subscription_details.subscription",
    ) {
        let details = &invoice["parent"]["subscription_details"];
        let subscription = &details["subscription"];
        let lines = invoice["lines"]["data"].as_array().expect("lines");
        if invoice["billing_reason"] == "subscription_cycle" {
            let line = lines.last().expect("a renewal bills something");
            let period = line["period"].to_string();
            assert!(periods.insert((subscription["id"].to_string(), period)), "{invoice:#}");
        }
        let sum: i64 = lines.iter().filter_map(|line| line["amount"].as_i64()).sum();
        assert_eq!(invoice["total"], sum, "{invoice:#}");
        let paid: i64 = invoice["payments"]["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|payment| payment["amount_paid"].as_i64())
            .sum();
        assert_eq!(invoice["amount_paid"], paid, "{invoice:#}");
        assert_eq!(
            invoice["status"] == "paid",
            invoice["amount_remaining"] == 0
                && !["void", "draft"].contains(&invoice["status"].as_str().unwrap_or_default())
        );
        if subscription["status"] == "canceled" {
            assert!(invoice["next_payment_attempt"].is_null(), "{invoice:#}");
        }
    }
    for intent in listed(shop, "payment_intents?limit=100&expand[]=data.latest_charge") {
        let charge = &intent["latest_charge"];
        let taken = charge["amount_captured"].as_i64().unwrap_or(0);
        assert_eq!(intent["amount_received"], taken, "{intent:#}");
        assert!((0..=taken).contains(&charge["amount_refunded"].as_i64().unwrap_or(0)));
    }
}
