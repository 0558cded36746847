//! Changing what a subscription is for: upgrades, downgrades, intervals, quantities, trials.

use serde_json::{Value, json};

use crate::shop::{DAY, START, Shop, field, id, period, switch_body};

const NOW: &str = "proration_behavior=always_invoice";

fn amounts(invoice: &Value) -> Vec<i64> {
    let lines = invoice["lines"]["data"].as_array().expect("lines");
    lines.iter().map(|line| line["amount"].as_i64().expect("an amount")).collect()
}

fn latest(shop: &mut Shop, subscription: &Value) -> Value {
    let latest = field(&shop.subscription(&id(subscription)), "latest_invoice");
    shop.get(&format!("/v1/invoices/{latest}?expand[]=payments"))
}

fn start(shop: &mut Shop) -> Value {
    let customer = shop.customer_with("pm_card_visa");
    shop.subscribe(&customer, "")
}

#[test]
fn an_upgrade_credits_the_unused_time_to_the_second_and_charges_the_rest() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let subscription = start(&mut shop);
    let (from, to) = period(&subscription);
    assert_eq!(to - from, 28 * DAY);
    shop.advance(7 * DAY + 1);
    let before = shop.n_events();
    let changed = shop.switch(&subscription, &scale, NOW);
    assert_eq!(changed["items"]["data"][0]["id"], subscription["items"]["data"][0]["id"]);
    assert_eq!(changed["items"]["data"][0]["price"]["id"], scale.as_str());
    assert_eq!(period(&changed), (from, to));
    let invoice = latest(&mut shop, &subscription);
    // 1,814,399 of 2,419,200 seconds: 3,674.998 and 7,424.997 cents.
    assert_eq!(amounts(&invoice), [-3_675, 7_425]);
    assert_eq!((&invoice["total"], &invoice["amount_paid"]), (&json!(3_750), &json!(3_750)));
    assert_eq!(invoice["billing_reason"], "subscription_update");
    let details = &invoice["parent"]["subscription_details"];
    assert_eq!(details["subscription_proration_date"], START + 7 * DAY + 1);
    let credit = &invoice["lines"]["data"][0];
    assert_eq!(credit["description"], "Unused time on Growth after 7 February 2027");
    assert_eq!(credit["period"], json!({"start": START + 7 * DAY + 1, "end": to}));
    let parent = &credit["parent"]["subscription_item_details"];
    assert_eq!(parent["proration"], true);
    assert_eq!(
        parent["proration_details"]["credited_items"]["invoice"],
        subscription["latest_invoice"]
    );
    assert_eq!(
        shop.events_since(before),
        [
            "customer.subscription.updated",
            "invoice.created",
            "payment_intent.created",
            "invoice.updated",
            "invoice.finalized",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice_payment.paid",
            "invoice.updated",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    shop.world.advance_to(to + DAY);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [9_900]);
}

#[test]
fn credit_is_for_what_was_billed_not_for_the_price_of_today() {
    let mut shop = Shop::open();
    let (scale, giant) =
        (shop.price("Scale", 9_900, "month"), shop.price("Giant", 19_900, "month"));
    let subscription = start(&mut shop);
    shop.switch(&subscription, &scale, "proration_behavior=none");
    shop.advance(14 * DAY);
    shop.switch(&subscription, &giant, NOW);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [-2_450, 9_950]);
    shop.advance(7 * DAY);
    shop.switch(&subscription, &scale, NOW);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [-4_975, 2_475]);
}

#[test]
fn what_is_credited_beyond_the_charge_pays_the_next_invoices() {
    let mut shop = Shop::open();
    let small = shop.price("Small", 900, "month");
    let subscription = start(&mut shop);
    shop.advance(14 * DAY);
    shop.switch(&subscription, &small, NOW);
    let invoice = latest(&mut shop, &subscription);
    assert_eq!(amounts(&invoice), [-2_450, 450]);
    assert_eq!(
        (&invoice["status"], &invoice["amount_due"], &invoice["ending_balance"]),
        (&json!("paid"), &json!(0), &json!(-2_000))
    );
    let customer = format!("/v1/customers/{}", field(&subscription, "customer"));
    assert_eq!(shop.get(&customer)["balance"], -2_000);
    let mut due = Vec::new();
    for _ in 0..3 {
        shop.advance(31 * DAY);
        let invoice = latest(&mut shop, &subscription);
        assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(900)));
        due.push(invoice["amount_paid"].as_i64());
    }
    assert_eq!(due, [Some(0), Some(0), Some(700)]);
    assert_eq!(shop.get(&customer)["balance"], 0);
}

#[test]
fn another_interval_begins_a_period_and_bills_it_whole() {
    let mut shop = Shop::open();
    let yearly = shop.price("Yearly", 49_000, "year");
    let subscription = start(&mut shop);
    shop.advance(14 * DAY);
    let changed = shop.switch(&subscription, &yearly, "");
    assert_eq!(changed["billing_cycle_anchor"], START + 14 * DAY);
    assert_eq!(period(&changed), (START + 14 * DAY, START + 379 * DAY));
    let invoice = latest(&mut shop, &subscription);
    assert_eq!(amounts(&invoice), [-2_450, 49_000]);
    let whole = &invoice["lines"]["data"][1]["parent"]["subscription_item_details"];
    assert_eq!(whole["proration"], false);
    assert_eq!(invoice["amount_paid"], 46_550);
    shop.world.advance_to(START + 380 * DAY);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [49_000]);
}

#[test]
fn from_free_to_paid_bills_at_once_whatever_was_said() {
    let mut shop = Shop::open();
    let free = shop.price("Free", 0, "month");
    let customer = shop.customer_with("pm_card_visa");
    let body = format!("customer={customer}&items[0][price]={free}");
    let subscription = shop.post("/v1/subscriptions", &body);
    shop.advance(DAY);
    let growth = shop.growth.clone();
    let changed = shop.switch(&subscription, &growth, "proration_behavior=none");
    assert_eq!(changed["billing_cycle_anchor"], START + DAY);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [4_900]);
}

#[test]
fn prorations_can_wait_for_the_next_invoice() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let subscription = start(&mut shop);
    let before = field(&subscription, "latest_invoice");
    shop.advance(14 * DAY);
    let changed = shop.switch(&subscription, &scale, "");
    assert_eq!(changed["latest_invoice"], before.as_str());
    shop.advance(15 * DAY);
    let invoice = latest(&mut shop, &subscription);
    assert_eq!(amounts(&invoice), [-2_450, 4_950, 9_900]);
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    shop.advance(31 * DAY);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [9_900]);
}

#[test]
fn quantities_are_reset_by_a_new_price_unless_they_are_given() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "items[0][quantity]=3");
    let item = field(&subscription["items"]["data"][0], "id");
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let more = shop.post(&path, &format!("items[0][id]={item}&items[0][quantity]=5&{NOW}"));
    assert_eq!(more["items"]["data"][0]["quantity"], 5);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [-14_700, 24_500]);
    let scale = shop.price("Scale", 9_900, "month");
    let body = format!("items[0][id]={item}&items[0][price]={scale}&proration_behavior=none");
    assert_eq!(shop.post(&path, &body)["items"]["data"][0]["quantity"], 1);
}

#[test]
fn items_are_added_and_removed() {
    let mut shop = Shop::open();
    let seats = shop.price("Seats", 1_000, "month");
    let subscription = start(&mut shop);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    shop.advance(14 * DAY);
    let added = shop.post(&path, &format!("items[0][price]={seats}&items[0][quantity]=2&{NOW}"));
    assert_eq!(added["items"]["total_count"], 2);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [1_000]);
    shop.refused(400, "POST", &path, &format!("items[0][price]={seats}"));
    let item = field(&added["items"]["data"][1], "id");
    let removed = shop.post(&path, &format!("items[0][id]={item}&items[0][deleted]=true&{NOW}"));
    assert_eq!(removed["items"]["total_count"], 1);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [-1_000]);
    let last = field(&removed["items"]["data"][0], "id");
    shop.refused(400, "POST", &path, &format!("items[0][id]={last}&items[0][deleted]=true"));
}

#[test]
fn a_trial_can_be_ended_now_and_is_billed_then() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "trial_period_days=14");
    shop.advance(DAY);
    let changed = shop.switch(&subscription, &scale, NOW);
    assert_eq!((&changed["status"], shop.n_invoices()), (&json!("trialing"), 1));
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let longer = shop.post(&path, &format!("trial_end={}", START + 20 * DAY));
    assert_eq!(period(&longer), (START, START + 20 * DAY));
    let ended = shop.post(&path, "trial_end=now");
    assert_eq!((&ended["status"], &ended["trial_end"]), (&json!("active"), &json!(START + DAY)));
    assert_eq!(ended["billing_cycle_anchor"], START + DAY);
    assert_eq!(amounts(&latest(&mut shop, &subscription)), [9_900]);
}

#[test]
fn an_upgrade_that_is_not_paid_applies_and_is_past_due_unless_told_otherwise() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let subscription = start(&mut shop);
    let customer = field(&subscription, "customer");
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let body = format!("customer={customer}");
    let bad = id(&shop.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &body));
    shop.post(&path, &format!("default_payment_method={bad}"));
    let before = shop.n_events();
    let refused = switch_body(
        &subscription,
        &scale,
        "proration_behavior=always_invoice&payment_behavior=error_if_incomplete",
    );
    assert_eq!(shop.refused(402, "POST", &path, &refused)["code"], "card_declined");
    assert_eq!(shop.n_events(), before);
    let changed = shop.switch(&subscription, &scale, NOW);
    assert_eq!(changed["status"], "past_due");
    assert_eq!(changed["items"]["data"][0]["price"]["id"], scale.as_str());
    let invoice = latest(&mut shop, &subscription);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
    shop.post(&path, "default_payment_method=");
    shop.post(&format!("/v1/invoices/{}/pay", id(&invoice)), "");
    assert_eq!(shop.subscription(&id(&subscription))["status"], "active");
}

#[test]
fn default_incomplete_waits_for_somebody_to_pay() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let subscription = start(&mut shop);
    let more = "proration_behavior=always_invoice&payment_behavior=default_incomplete";
    let changed = shop.switch(&subscription, &scale, more);
    assert_eq!(changed["status"], "past_due");
    let invoice = latest(&mut shop, &subscription);
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(0)));
    shop.post(&format!("/v1/invoices/{}/pay", id(&invoice)), "");
    assert_eq!(shop.subscription(&id(&subscription))["status"], "active");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut shop = Shop::open();
    let subscription = start(&mut shop);
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let pack = shop.pack.clone();
    let before = shop.n_events();
    for (body, param) in [
        (switch_body(&subscription, &pack, ""), "items[0][price]"),
        (switch_body(&subscription, "price_gone", ""), "items[0][price]"),
        ("items[0][id]=si_gone&items[0][quantity]=2".to_owned(), "items[0][id]"),
        ("items[0][quantity]=2".to_owned(), "items[0][price]"),
        ("proration_date=1&trial_end=now".to_owned(), "proration_date"),
        (format!("proration_date={START}&proration_behavior=none"), "proration_date"),
        (format!("trial_end={}", START + DAY), "trial_end"),
    ] {
        let error = shop.refused(400, "POST", &path, &body);
        assert_eq!(error["param"], param, "{body}");
    }
    assert_eq!(shop.n_events(), before);
    shop.delete(&path);
    let growth = shop.growth.clone();
    shop.refused(400, "POST", &path, &switch_body(&subscription, &growth, ""));
}
