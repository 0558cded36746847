//! Subscription schedules: a downgrade at the end of the period, and what can come between.

use serde_json::{Value, json};

use crate::shop::{DAY, HOUR, START, Shop, field, id, period, switch_body};

const SCHEDULES: &str = "/v1/subscription_schedules";

fn path(schedule: &Value) -> String {
    format!("{SCHEDULES}/{}", id(schedule))
}

/// A running subscription to Growth, and a schedule made from it.
fn scheduled(shop: &mut Shop) -> (Value, Value) {
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let body = format!("from_subscription={}", id(&subscription));
    let schedule = shop.post(SCHEDULES, &body);
    (subscription, schedule)
}

/// The form for "what it is now until the end, then `price` for one `interval`".
fn then(schedule: &Value, price: &str, interval: &str) -> String {
    let phase = &schedule["phases"][0];
    let now = field(&phase["items"][0], "price");
    format!(
        "phases[0][items][0][price]={now}&phases[0][start_date]={}&phases[0][end_date]={}\
         &phases[1][items][0][price]={price}&phases[1][duration][interval]={interval}\
         &phases[1][proration_behavior]=none&end_behavior=release",
        phase["start_date"], phase["end_date"]
    )
}

fn price(subscription: &Value) -> String {
    field(&subscription["items"]["data"][0]["price"], "id")
}

#[test]
fn a_schedule_made_from_a_subscription_begins_with_its_current_period() {
    let mut shop = Shop::open();
    let before = shop.n_events() + 1;
    let (subscription, schedule) = scheduled(&mut shop);
    let (start, end) = period(&subscription);
    assert_eq!(schedule["status"], "active");
    assert_eq!(schedule["current_phase"], json!({"start_date": start, "end_date": end}));
    assert_eq!(shop.subscription(&id(&subscription))["schedule"], schedule["id"]);
    let kinds = shop.events_since(before);
    assert!(kinds.contains(&"subscription_schedule.created".to_owned()));
    let body = format!("from_subscription={}", id(&subscription));
    let error = shop.refused(400, "POST", SCHEDULES, &body);
    assert!(field(&error, "message").contains("already attached to a schedule"));
    let more = format!("{body}&end_behavior=release");
    assert_eq!(shop.refused(400, "POST", SCHEDULES, &more)["code"], "parameter_unknown");
    shop.refused(400, "POST", SCHEDULES, "from_subscription=sub_gone");
    assert_eq!(shop.get(SCHEDULES)["data"][0]["id"], schedule["id"]);
}

#[test]
fn a_downgrade_takes_place_with_the_renewal_and_is_billed_at_the_new_price() {
    let mut shop = Shop::open();
    let small = shop.price("Small", 900, "month");
    let (subscription, schedule) = scheduled(&mut shop);
    let (_, end) = period(&subscription);
    let planned = shop.post(&path(&schedule), &then(&schedule, &small, "month"));
    assert_eq!(planned["phases"][1]["start_date"], end);
    // Counted from the 31st: 28 February to 31 March.
    assert_eq!(planned["phases"][1]["end_date"], START + 59 * DAY);
    assert_eq!(price(&shop.subscription(&id(&subscription))), shop.growth);
    let body = format!("subscription={}", id(&subscription));
    assert_eq!(shop.post("/v1/invoices/create_preview", &body)["total"], 900);
    shop.world.advance_to(end - 1);
    assert_eq!(price(&shop.subscription(&id(&subscription))), shop.growth);
    let before = shop.n_events();
    shop.world.advance_to(end + HOUR);
    let kinds = shop.events_since(before);
    assert_eq!(kinds[0], "subscription_schedule.updated");
    let renewed = shop.subscription(&id(&subscription));
    assert_eq!((price(&renewed), period(&renewed)), (small, (end, START + 59 * DAY)));
    assert_eq!(renewed["schedule"], schedule["id"]);
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&renewed, "latest_invoice")));
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(900), &json!("paid")));
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    shop.world.advance_to(START + 59 * DAY);
    let done = shop.get(&path(&schedule));
    assert_eq!((&done["status"], &done["subscription"]), (&json!("released"), &Value::Null));
    assert_eq!(done["released_subscription"], subscription["id"]);
    assert_eq!(shop.last_event("subscription_schedule.released")["data"]["object"], done);
    assert!(shop.subscription(&id(&subscription))["schedule"].is_null());
}

#[test]
fn a_downgrade_may_change_the_interval_at_the_boundary() {
    let mut shop = Shop::open();
    let yearly = shop.price("Yearly", 49_000, "year");
    let (subscription, schedule) = scheduled(&mut shop);
    let (_, end) = period(&subscription);
    shop.post(&path(&schedule), &then(&schedule, &yearly, "year"));
    shop.world.advance_to(end + HOUR);
    let renewed = shop.subscription(&id(&subscription));
    assert_eq!(
        (period(&renewed), &renewed["billing_cycle_anchor"]),
        ((end, end + 365 * DAY), &json!(end))
    );
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&renewed, "latest_invoice")));
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(49_000), &json!("paid")));
    assert_eq!(shop.n_invoices(), 2);
}

#[test]
fn a_released_schedule_leaves_the_subscription_as_it_is() {
    let mut shop = Shop::open();
    let small = shop.price("Small", 900, "month");
    let (subscription, schedule) = scheduled(&mut shop);
    shop.post(&path(&schedule), &then(&schedule, &small, "month"));
    let released = shop.post(&format!("{}/release", path(&schedule)), "");
    assert_eq!(released["status"], "released");
    shop.advance(29 * DAY);
    assert_eq!(price(&shop.subscription(&id(&subscription))), shop.growth);
    shop.refused(400, "POST", &format!("{}/release", path(&schedule)), "");
    shop.refused(400, "POST", &path(&schedule), "metadata[a]=b");
}

#[test]
fn a_managed_subscription_cannot_be_canceled_at_its_end_but_its_card_can_be_changed() {
    let mut shop = Shop::open();
    let (subscription, schedule) = scheduled(&mut shop);
    let direct = format!("/v1/subscriptions/{}", id(&subscription));
    for body in ["cancel_at_period_end=true", "cancel_at=min_period_end", "cancel_at="] {
        let error = shop.refused(400, "POST", &direct, body);
        let message = field(&error, "message");
        assert!(
            message.contains(&format!(
                "managed by the subscription schedule `{}`, and updating any cancelation behavior \
                 directly is not allowed",
                id(&schedule)
            )),
            "{message}"
        );
    }
    shop.post(&direct, "metadata[a]=b");
    shop.delete(&direct);
    assert_eq!(shop.get(&path(&schedule))["status"], "canceled");
}

#[test]
fn a_direct_upgrade_splits_the_current_phase() {
    let mut shop = Shop::open();
    let (scale, small) = (shop.price("Scale", 9_900, "month"), shop.price("Small", 900, "month"));
    let (subscription, schedule) = scheduled(&mut shop);
    let (start, end) = period(&subscription);
    shop.post(&path(&schedule), &then(&schedule, &small, "month"));
    shop.advance(14 * DAY);
    shop.switch(&subscription, &scale, "proration_behavior=always_invoice");
    let split = shop.get(&path(&schedule));
    let bounds: Vec<_> = split["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| (phase["start_date"].clone(), field(&phase["items"][0], "price")))
        .collect();
    assert_eq!(
        bounds,
        [
            (json!(start), shop.growth.clone()),
            (json!(start + 14 * DAY), scale),
            (json!(end), small.clone())
        ]
    );
    shop.world.advance_to(end);
    assert_eq!(price(&shop.subscription(&id(&subscription))), small);
}

#[test]
fn a_schedule_can_end_the_subscription() {
    let mut shop = Shop::open();
    let (subscription, schedule) = scheduled(&mut shop);
    let (start, end) = period(&subscription);
    let growth = shop.growth.clone();
    let body = format!(
        "phases[0][items][0][price]={growth}&phases[0][start_date]={start}&phases[0][end_date]={end}&end_behavior=cancel"
    );
    shop.post(&path(&schedule), &body);
    assert_eq!(shop.subscription(&id(&subscription))["cancel_at"], end);
    shop.world.advance_to(end);
    assert_eq!(shop.subscription(&id(&subscription))["status"], "canceled");
    assert_eq!(shop.get(&path(&schedule))["status"], "completed");
    assert_eq!(shop.n_invoices(), 1);
}

#[test]
fn canceling_the_schedule_cancels_the_subscription() {
    let mut shop = Shop::open();
    let (subscription, schedule) = scheduled(&mut shop);
    let canceled = shop.post(&format!("{}/cancel", path(&schedule)), "");
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(shop.subscription(&id(&subscription))["status"], "canceled");
}

#[test]
fn a_phase_that_changes_now_is_prorated_and_one_that_ends_now_gives_way() {
    let mut shop = Shop::open();
    let (scale, small) = (shop.price("Scale", 9_900, "month"), shop.price("Small", 900, "month"));
    let (subscription, schedule) = scheduled(&mut shop);
    shop.advance(14 * DAY);
    let body = then(&schedule, &small, "month").replace(&shop.growth, &scale);
    shop.post(&path(&schedule), &format!("{body}&proration_behavior=always_invoice"));
    let changed = shop.subscription(&id(&subscription));
    assert_eq!(price(&changed), scale);
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&changed, "latest_invoice")));
    assert_eq!(invoice["total"], 2_500);
    let body = then(&shop.get(&path(&schedule)), &small, "month");
    let end = field_end(&body);
    let now = body.replace(&format!("phases[0][end_date]={end}"), "phases[0][end_date]=now");
    shop.post(&path(&schedule), &now);
    assert_eq!(price(&shop.subscription(&id(&subscription))), small);
}

fn field_end(body: &str) -> String {
    let (_, rest) = body.split_once("phases[0][end_date]=").expect("an end");
    rest.split('&').next().expect("a value").to_owned()
}

#[test]
fn phases_that_do_not_fit_are_refused_and_change_nothing() {
    let mut shop = Shop::open();
    let small = shop.price("Small", 900, "month");
    let (subscription, schedule) = scheduled(&mut shop);
    let good = then(&schedule, &small, "month");
    let (start, end) = period(&subscription);
    let before = shop.n_events();
    for (from, to) in [
        (format!("&phases[0][start_date]={start}"), String::new()),
        (format!("start_date]={start}"), format!("start_date]={}", start + 1)),
        (format!("end_date]={end}"), format!("end_date]={start}")),
        (format!("&phases[0][end_date]={end}"), String::new()),
        ("&phases[1][duration][interval]=month".to_owned(), String::new()),
        (small.clone(), shop.pack.clone()),
        ("duration][interval]=month".to_owned(), "iterations]=1".to_owned()),
    ] {
        let body = good.replacen(&from, &to, 1);
        assert_ne!(body, good, "{from}");
        shop.refused(400, "POST", &path(&schedule), &body);
    }
    assert_eq!(shop.n_events(), before);
    let growth = shop.growth.clone();
    let direct = format!("/v1/subscriptions/{}", id(&subscription));
    shop.post(&direct, &switch_body(&subscription, &growth, ""));
}
