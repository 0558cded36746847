//! A preview says exactly what the change will charge.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shop::{DAY, START, Shop, field, id, period};

const PREVIEW: &str = "/v1/invoices/create_preview";

fn details(subscription: &Value, items: &[(&str, String)], more: &[(&str, String)]) -> String {
    let mut body = format!("subscription={}", id(subscription));
    for (name, value) in items {
        body += &format!("&subscription_details[items][0][{name}]={value}");
    }
    for (name, value) in more {
        body += &format!("&subscription_details[{name}]={value}");
    }
    body
}

/// What matters of an invoice: sums, and each line without its id.
fn charged(invoice: &Value) -> Value {
    let lines = invoice["lines"]["data"].as_array().expect("lines").iter().map(|line| {
        let mut line = line.clone();
        line.as_object_mut().expect("a line").retain(|name, _| name != "id" && name != "invoice");
        line
    });
    json!([
        invoice["total"],
        invoice["amount_due"],
        invoice["starting_balance"],
        invoice["currency"],
        invoice["billing_reason"],
        invoice["parent"],
        lines.collect::<Vec<_>>()
    ])
}

#[derive(Debug, Clone)]
struct Plan {
    amount: i64,
    quantity: i64,
    yearly: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    (prop_oneof![Just(0), 1..20_000_i64, Just(99_999_999)], 1..50_i64, prop::bool::weighted(0.2))
        .prop_map(|(amount, quantity, yearly)| Plan { amount, quantity, yearly })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_preview_is_what_the_change_charges(
        plans in prop::collection::vec(plan(), 1..5),
        waits in prop::collection::vec(0..20 * DAY, 5),
        earlier in 0..DAY,
        behavior in prop::sample::select(vec!["always_invoice", "create_prorations"]),
    ) {
        let mut shop = Shop::open();
        let customer = shop.customer_with("pm_card_visa");
        let subscription = shop.subscribe(&customer, "");
        let item = field(&subscription["items"]["data"][0], "id");
        for (plan, wait) in plans.iter().zip(waits) {
            shop.advance(wait);
            let now = shop.subscription(&id(&subscription));
            let interval = if plan.yearly { "year" } else { "month" };
            let price = shop.price("Plan", plan.amount, interval);
            let date = (shop.world.now() - earlier).max(period(&now).0);
            let items = [
                ("id", item.clone()), ("price", price), ("quantity", plan.quantity.to_string()),
            ];
            let more =
                [("proration_behavior", behavior.to_owned()), ("proration_date", date.to_string())];
            let events = shop.n_events();
            let preview = shop.post(PREVIEW, &details(&subscription, &items, &more));
            prop_assert_eq!(shop.n_events(), events);
            let again = shop.post(PREVIEW, &details(&subscription, &items, &more));
            prop_assert_eq!(&preview, &again);
            let lines = preview["lines"]["data"].as_array().expect("lines");
            let sum: i64 = lines.iter().filter_map(|line| line["amount"].as_i64()).sum();
            prop_assert_eq!(&preview["total"], sum);
            let body: String = items.iter().map(|(name, value)| format!("items[0][{name}]={value}&"))
                .chain(more.iter().map(|(name, value)| format!("{name}={value}&"))).collect();
            let changed = shop.post(&format!("/v1/subscriptions/{}", id(&subscription)), &body);
            let invoice = field(&changed, "latest_invoice");
            if preview["billing_reason"] == "upcoming" {
                prop_assert_eq!(&changed["latest_invoice"], &now["latest_invoice"]);
                let next = shop.post(PREVIEW, &format!("subscription={}", id(&subscription)));
                prop_assert_eq!(&next["total"], &preview["total"]);
                shop.world.advance_to(period(&changed).1);
                let renewed = field(&shop.subscription(&id(&subscription)), "latest_invoice");
                let invoice = shop.get(&format!("/v1/invoices/{renewed}"));
                prop_assert_eq!(&invoice["total"], &preview["total"]);
                prop_assert_eq!(&invoice["amount_due"], &preview["amount_due"]);
            } else if changed["latest_invoice"] != now["latest_invoice"] {
                let invoice = shop.get(&format!("/v1/invoices/{invoice}"));
                prop_assert_eq!(charged(&invoice), charged(&preview));
                prop_assert_eq!(&invoice["status"], "paid");
            }
        }
    }
}

#[test]
fn the_same_proration_date_gives_the_same_amounts_a_minute_later() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    shop.advance(9 * DAY + 12_345);
    let date = shop.world.now();
    let item = field(&subscription["items"]["data"][0], "id");
    let items = [("id", item), ("price", scale.clone())];
    let more =
        [("proration_behavior", "always_invoice".to_owned()), ("proration_date", date.to_string())];
    let preview = shop.post(PREVIEW, &details(&subscription, &items, &more));
    assert!(field(&preview, "id").starts_with("upcoming_in_"));
    shop.advance(60);
    let more = format!("proration_behavior=always_invoice&proration_date={date}");
    let changed = shop.switch(&subscription, &scale, &more);
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&changed, "latest_invoice")));
    assert_eq!(charged(&invoice), charged(&preview));
}

#[test]
fn without_a_change_it_is_the_next_invoice() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let body = format!("subscription={}&customer={customer}", id(&subscription));
    let next = shop.post(PREVIEW, &body);
    assert_eq!((&next["total"], &next["billing_reason"]), (&json!(4_900), &json!("upcoming")));
    assert_eq!((&next["period_start"], &next["status"]), (&json!(START), &json!("draft")));
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    shop.post(&path, "cancel_at_period_end=true");
    assert_eq!(shop.refused(400, "POST", PREVIEW, &body)["code"], "invoice_upcoming_none");
    shop.delete(&path);
    shop.refused(400, "POST", PREVIEW, &body);
    shop.refused(400, "POST", PREVIEW, "subscription=sub_gone");
}
