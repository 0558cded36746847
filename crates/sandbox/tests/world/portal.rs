//! The billing portal: what a customer does there, and what the app sees of it.

use serde_json::{Value, json};

use crate::shop::{BASE, DAY, HOUR, Shop, field, header, id, period, text};

const SESSIONS: &str = "/v1/billing_portal/sessions";

struct Visit {
    shop: Shop,
    subscription: Value,
    session: Value,
    page: String,
}

/// A customer with a running subscription who has opened the portal.
fn visit(more: &str) -> Visit {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    let subscription = shop.subscribe(&customer, "");
    let more = more.replace("@sub", &id(&subscription));
    let body = format!("customer={customer}&return_url=https://app.example.com/back&{more}");
    let session = shop.post(SESSIONS, &body);
    let page = field(&session, "url").strip_prefix(BASE).expect("below the base url").to_owned();
    Visit { shop, subscription, session, page }
}

impl Visit {
    fn act(&mut self, form: &str) -> u16 {
        let form = form.replace("@sub", &id(&self.subscription));
        self.shop.call("POST", &self.page, &form, &[]).status
    }

    /// Opens the portal again, for links do not live long.
    fn reopen(&mut self) {
        let body = format!("customer={}", field(&self.subscription, "customer"));
        let url = field(&self.shop.post(SESSIONS, &body), "url");
        self.page = url.strip_prefix(BASE).expect("below the base url").to_owned();
    }

    fn now(&mut self) -> Value {
        self.shop.subscription(&id(&self.subscription))
    }
}

#[test]
fn an_end_asked_for_in_the_portal_sets_cancel_at_only() {
    let mut visit = visit("");
    let before = visit.shop.n_events();
    assert_eq!(visit.act("action=cancel&subscription=@sub"), 303);
    let ending = visit.now();
    let (_, end) = period(&ending);
    assert_eq!(
        (&ending["cancel_at"], &ending["cancel_at_period_end"]),
        (&json!(end), &json!(false))
    );
    assert_eq!(ending["status"], "active");
    assert_eq!(visit.shop.events_since(before), ["customer.subscription.updated"]);
    let event = visit.shop.last_event("customer.subscription.updated");
    assert!(event["request"]["id"].is_null());
    assert_eq!(event["data"]["previous_attributes"]["cancel_at"], Value::Null);
    assert_eq!(visit.act("action=resume&subscription=@sub"), 303);
    assert!(visit.now()["cancel_at"].is_null());
    visit.act("action=cancel&subscription=@sub");
    let path = format!("/v1/subscriptions/{}", id(&visit.subscription));
    assert_eq!(visit.shop.post(&path, "cancel_at_period_end=false")["cancel_at"], end);
    assert!(visit.shop.post(&path, "cancel_at=")["cancel_at"].is_null());
    visit.act("action=cancel&subscription=@sub");
    visit.shop.world.advance_to(end);
    assert_eq!(visit.now()["status"], "canceled");
    visit.reopen();
    assert_eq!(visit.act("action=resume&subscription=@sub"), 400);
}

#[test]
fn a_switch_is_charged_at_once_or_planned_for_the_end() {
    let mut visit = visit("");
    let scale = visit.shop.price("Scale", 9_900, "month");
    let small = visit.shop.price("Small", 900, "month");
    visit.shop.advance(14 * DAY);
    visit.reopen();
    let price = |subscription: &Value| field(&subscription["items"]["data"][0]["price"], "id");
    let form = format!("action=switch&subscription=@sub&price={scale}&when=now");
    assert_eq!(visit.act(&form), 303);
    let switched = visit.now();
    assert_eq!(price(&switched), scale);
    let invoice = format!("/v1/invoices/{}", field(&switched, "latest_invoice"));
    assert_eq!(visit.shop.get(&invoice)["amount_paid"], 2_500);
    let form = format!("action=switch&subscription=@sub&price={small}&when=period_end");
    assert_eq!(visit.act(&form), 303);
    let planned = visit.now();
    let schedule = format!("/v1/subscription_schedules/{}", field(&planned, "schedule"));
    assert_eq!(visit.shop.get(&schedule)["phases"].as_array().map(Vec::len), Some(2));
    assert_eq!(visit.act("action=cancel&subscription=@sub"), 400);
    visit.shop.world.advance_to(period(&planned).1 + HOUR);
    assert_eq!(price(&visit.now()), small);
}

#[test]
fn a_switch_that_is_not_paid_waits() {
    let mut visit = visit("");
    let scale = visit.shop.price("Scale", 9_900, "month");
    let card = id(&visit.shop.get("/v1/payment_methods")["data"][0]);
    visit.shop.world.scenario("card_fails", &[("payment_method", &card)]).expect("a scenario");
    let form = format!("action=switch&subscription=@sub&price={scale}");
    assert_eq!(visit.act(&form), 402);
    assert!(visit.now()["pending_update"].is_object());
}

#[test]
fn a_new_card_pays_from_now_on() {
    let mut visit = visit("");
    assert_eq!(visit.act("action=card&card=4000000000000002"), 402);
    assert_eq!(visit.act("action=card&card=4000002500003155"), 200);
    assert_eq!(visit.act("action=card&card=4000002500003155&challenge=fail"), 402);
    assert_eq!(visit.act("action=card&card=5555+5555+5555+4444"), 303);
    let page = visit.shop.call("GET", &visit.page, "", &[]);
    assert!(text(&page).contains("mastercard ending in 4444"), "{}", text(&page));
    visit.shop.advance(29 * DAY);
    let charge = visit.shop.get("/v1/charges")["data"][0].clone();
    assert_eq!(charge["payment_method_details"]["card"]["brand"], "mastercard");
}

#[test]
fn a_flow_leads_back_when_it_is_done_and_a_link_does_not_live_long() {
    let mut visit = visit(
        "flow_data[type]=subscription_cancel&flow_data[subscription_cancel][subscription]=@sub\
         &flow_data[after_completion][type]=redirect\
         &flow_data[after_completion][redirect][return_url]=https://app.example.com/done",
    );
    let flow = &visit.session["flow"];
    assert_eq!(flow["subscription_cancel"]["subscription"], visit.subscription["id"]);
    let form = format!("action=cancel&subscription={}", id(&visit.subscription));
    let done = visit.shop.call("POST", &visit.page, &form, &[]);
    assert_eq!(header(&done, "location"), Some("https://app.example.com/done"));
    visit.shop.advance(HOUR);
    assert_eq!(visit.act("action=resume&subscription=@sub"), 410);
    assert_eq!(visit.shop.call("GET", "/portal/test_guess", "", &[]).status, 410);
}

#[test]
fn nobody_changes_what_is_somebody_elses() {
    let mut visit = visit("");
    let other = visit.shop.customer_with("pm_card_visa");
    let theirs = id(&visit.shop.subscribe(&other, ""));
    assert_eq!(visit.act(&format!("action=cancel&subscription={theirs}")), 404);
    assert_eq!(visit.act("action=delete&subscription=@sub"), 400);
    assert_eq!(visit.act("action=switch&subscription=@sub&price=price_gone"), 400);
    let body = format!(
        "customer={other}&flow_data[type]=subscription_cancel\
         &flow_data[subscription_cancel][subscription]={}",
        id(&visit.subscription)
    );
    visit.shop.refused(400, "POST", SESSIONS, &body);
    visit.shop.refused(400, "POST", SESSIONS, "customer=cus_gone");
    let body = format!("customer={other}&flow_data[type]=subscription_update");
    let error = visit.shop.refused(400, "POST", SESSIONS, &body);
    assert_eq!(error["code"], "parameter_missing");
}

#[test]
fn everything_can_be_walked_with_cursors_for_a_comparison() {
    let mut visit = visit("");
    let scale = visit.shop.price("Scale", 9_900, "month");
    let more = "proration_behavior=always_invoice&payment_behavior=pending_if_incomplete";
    visit.shop.switch(&visit.subscription, &scale, more);
    for _ in 0..6 {
        let customer = visit.shop.customer_with("pm_card_visa");
        let subscription = id(&visit.shop.subscribe(&customer, ""));
        visit.shop.delete(&format!("/v1/subscriptions/{subscription}"));
        visit.shop.advance(HOUR);
    }
    let since = visit.shop.world.now() - 3 * HOUR;
    for (path, all, recent) in [
        ("subscriptions?status=all", 7, 3),
        ("subscriptions?status=canceled", 6, 3),
        ("invoices?", 8, 3),
        ("customers?", 7, 3),
        ("charges?", 8, 3),
        ("payment_intents?", 8, 3),
    ] {
        for (filter, expected) in [("", all), (&*format!("&created[gte]={since}"), recent)] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = visit.shop.get(&format!("/v1/{path}&limit=2{filter}{after}"));
                let data = page["data"].as_array().expect("a list").clone();
                seen.extend(data.iter().map(id));
                if page["has_more"] == false {
                    break;
                }
                after = format!("&starting_after={}", seen.last().expect("a page is not empty"));
            }
            let n = seen.len();
            seen.sort();
            seen.dedup();
            assert_eq!((seen.len(), n), (expected, expected), "{path}{filter}");
        }
    }
}
