//! Hosted checkouts in all three modes.

use crate::shop::{DAY, HOUR, START, Shop, field, header, id, page_path, text};

#[test]
fn a_paid_subscription_checkout_tells_everything_once_and_in_order() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let session = shop.growth_session(&format!(
        "customer={customer}&metadata[order]=1&subscription_data[metadata][account]=ada"
    ));
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_status"], "unpaid");
    assert_eq!(session["amount_total"], 4_900);
    let before = shop.n_events();
    let session = shop.paid(&session);
    assert_eq!(
        shop.events_since(before),
        [
            "payment_method.attached",
            "customer.subscription.created",
            "customer.updated",
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
            "customer.subscription.updated",
            "checkout.session.completed",
        ]
    );
    assert_eq!(session["status"], "complete");
    assert_eq!(session["payment_status"], "paid");
    assert!(session["url"].is_null());
    let path = format!(
        "/v1/subscriptions/{}?expand[]=latest_invoice.payments",
        field(&session, "subscription")
    );
    let subscription = shop.get(&path);
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"]["account"], "ada");
    assert_eq!(subscription["latest_invoice"]["status"], "paid");
    assert_eq!(subscription["latest_invoice"]["billing_reason"], "subscription_create");
    assert_eq!(subscription["latest_invoice"]["payments"]["data"][0]["status"], "paid");
    let line = &subscription["latest_invoice"]["lines"]["data"][0];
    assert_eq!(line["period"]["start"], START);
    assert_eq!(line["period"]["end"], subscription["items"]["data"][0]["current_period_end"]);
    assert_eq!(line["parent"]["subscription_item_details"]["subscription"], subscription["id"]);
}

#[test]
fn events_of_one_action_share_their_second_and_name_no_request() {
    let mut shop = Shop::open();
    let session = shop.growth_session("customer_email=ada@example.com");
    shop.advance(5);
    shop.paid(&session);
    let events = shop.all_events();
    let of_action: Vec<_> = events.iter().filter(|event| event["created"] == START + 5).collect();
    assert_eq!(of_action.len(), 16);
    assert!(of_action.iter().all(|event| event["request"]["id"].is_null()));
    let created = shop.last_event("customer.created");
    assert_eq!(created["data"]["object"]["email"], "ada@example.com");
}

#[test]
fn the_subscription_is_incomplete_when_created_and_active_when_paid() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    shop.paid(&session);
    let created = shop.last_event("customer.subscription.created");
    assert_eq!(created["data"]["object"]["status"], "incomplete");
    let updated = shop.last_event("customer.subscription.updated");
    assert_eq!(updated["data"]["object"]["status"], "active");
    assert_eq!(updated["data"]["previous_attributes"], serde_json::json!({"status": "incomplete"}));
}

#[test]
fn a_declined_card_leaves_the_checkout_open_for_another() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    let before = shop.n_events();
    let response = shop.pay(&session, "4000000000009995");
    assert_eq!(response.status, 402);
    assert!(text(&response).contains("Your card has insufficient funds."));
    assert_eq!(
        shop.events_since(before),
        ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    );
    let failed = shop.last_event("charge.failed")["data"]["object"].clone();
    let method = shop.get(&format!("/v1/payment_methods/{}", field(&failed, "payment_method")));
    assert_eq!(method["card"]["last4"], "9995");
    let session = shop.paid(&session);
    assert_eq!(session["payment_status"], "paid");
    let intents = shop.get("/v1/payment_intents");
    assert_eq!(intents["data"].as_array().map(Vec::len), Some(1), "one intent for both attempts");
    assert_eq!(intents["data"][0]["customer"], session["customer"]);
}

#[test]
fn a_number_that_is_no_test_card_changes_nothing() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    let before = shop.n_events();
    for number in ["", "4242", "4111111111111111", "4000000000005423", "abc"] {
        assert_eq!(shop.pay(&session, number).status, 402, "{number}");
    }
    assert_eq!(shop.n_events(), before);
}

#[test]
fn success_sends_the_person_back_with_the_session() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    let response = shop.pay(&session, "4242424242424242");
    let expected = format!("https://app.example.com/done?s={}", id(&session));
    assert_eq!(header(&response, "location"), Some(expected.as_str()));
}

#[test]
fn the_page_shows_the_offer_and_closes_when_paid() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    let path = page_path(&session);
    let page = shop.call("GET", &path, "", &[]);
    assert_eq!(page.status, 200);
    let html = text(&page);
    for part in ["Growth", "$49.00 per month", "Pay $49.00", "Cancel and go back", "name=\"card\""]
    {
        assert!(html.contains(part), "{part} is not on the page");
    }
    let policy = header(&page, "content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
    shop.paid(&session);
    let again = shop.pay(&session, "4242424242424242");
    assert_eq!(again.status, 410);
    assert!(text(&again).contains("already paid") || text(&again).contains("is paid"));
    assert_eq!(shop.get("/v1/charges")["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.call("GET", "/checkout/cs_test_none", "", &[]).status, 404);
}

#[test]
fn what_an_app_writes_is_shown_as_text() {
    let mut shop = Shop::open();
    shop.post("/v1/products/growth", "name=%3Cscript%3Ealert(1)%3C/script%3E");
    let session = shop.growth_session("");
    let html = text(&shop.call("GET", &page_path(&session), "", &[]));
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    let body = "mode=setup&currency=usd&success_url=javascript://x%0aalert(1)";
    let error = shop.refused(400, "POST", "/v1/checkout/sessions", body);
    assert_eq!(error["code"], "url_invalid");
}

#[test]
fn a_trial_takes_the_card_and_no_money() {
    let mut shop = Shop::open();
    let session = shop.growth_session("subscription_data[trial_period_days]=7");
    assert_eq!(session["amount_total"], 0);
    let session = shop.paid(&session);
    assert_eq!(session["payment_status"], "no_payment_required");
    let subscription = shop.get(&format!("/v1/subscriptions/{}", field(&session, "subscription")));
    assert_eq!(subscription["status"], "trialing");
    assert_eq!(subscription["trial_end"], START + 7 * DAY);
    assert!(!subscription["default_payment_method"].is_null());
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&session, "invoice")));
    assert_eq!((&invoice["status"], &invoice["total"]), (&"paid".into(), &0.into()));
    assert_eq!(shop.get("/v1/charges")["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(shop.get("/v1/setup_intents")["data"][0]["status"], "succeeded");
}

#[test]
fn a_card_that_cannot_be_saved_starts_no_trial() {
    let mut shop = Shop::open();
    let session = shop.growth_session("subscription_data[trial_period_days]=7");
    assert_eq!(shop.pay(&session, "4000000000000002").status, 402);
    assert_eq!(shop.get("/v1/subscriptions?status=all")["data"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_pack_is_paid_once_without_a_subscription() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let more = format!(
        "customer={customer}&line_items[0][price]={}&line_items[0][quantity]=3&payment_intent_data[metadata][pack]=3",
        shop.pack
    );
    let session = shop.session("payment", &more);
    let before = shop.n_events();
    let session = shop.paid(&session);
    assert_eq!(
        shop.events_since(before),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    let path = format!(
        "/v1/checkout/sessions/{}?expand[]=payment_intent.payment_method&expand[]=line_items",
        id(&session)
    );
    let session = shop.get(&path);
    assert_eq!(session["payment_intent"]["amount_received"], 3_000);
    assert_eq!(session["payment_intent"]["metadata"]["pack"], "3");
    assert_eq!(session["payment_intent"]["payment_method"]["card"]["last4"], "4242");
    assert_eq!(session["line_items"]["data"][0]["amount_total"], 3_000);
}

#[test]
fn a_setup_keeps_the_card_for_later() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let session = shop.session("setup", &format!("customer={customer}&currency=usd"));
    let session = shop.paid(&session);
    assert_eq!(session["payment_status"], "no_payment_required");
    let setup = shop.get(&format!("/v1/setup_intents/{}", field(&session, "setup_intent")));
    let kept = shop.get(&format!("/v1/customers/{customer}/payment_methods"));
    assert_eq!(kept["data"][0]["id"], setup["payment_method"]);
}

#[test]
fn an_open_checkout_expires_after_a_day_or_when_told() {
    let mut shop = Shop::open();
    let told = shop.growth_session("");
    let left = shop.growth_session("");
    let path = format!("/v1/checkout/sessions/{}/expire", id(&told));
    assert_eq!(shop.post(&path, "")["status"], "expired");
    shop.refused(400, "POST", &path, "");
    shop.advance(24 * HOUR - 1);
    let path = format!("/v1/checkout/sessions/{}", id(&left));
    assert_eq!(shop.get(&path)["status"], "open");
    shop.advance(1);
    assert_eq!(shop.get(&path)["status"], "expired");
    assert_eq!(shop.last_event("checkout.session.expired")["data"]["object"]["id"], left["id"]);
    assert_eq!(shop.pay(&left, "4242424242424242").status, 410);
}

#[test]
fn offers_that_make_no_sense_are_refused() {
    let mut shop = Shop::open();
    let (growth, pack) = (shop.growth.clone(), shop.pack.clone());
    let soon = START + 60;
    let cases = [
        ("mode=subscription".to_owned(), "line_items"),
        (format!("mode=subscription&line_items[0][price]={pack}"), "line_items"),
        (format!("mode=payment&line_items[0][price]={growth}"), "line_items"),
        ("mode=setup".to_owned(), "currency"),
        (format!("mode=setup&currency=usd&line_items[0][price]={pack}"), "line_items"),
        (format!("mode=payment&line_items[0][price]={pack}&expires_at={soon}"), "expires_at"),
        ("mode=payment&line_items[0][price]=price_none".to_owned(), "line_items[0][price]"),
        (format!("mode=payment&line_items[0][price]={pack}&customer=cus_none"), "customer"),
        (
            format!(
                "mode=payment&line_items[0][price]={pack}&subscription_data[trial_period_days]=1"
            ),
            "subscription_data",
        ),
    ];
    let before = shop.n_events();
    for (body, param) in cases {
        let body = format!("{body}&success_url=https://app.example.com/");
        let error = shop.refused(400, "POST", "/v1/checkout/sessions", &body);
        assert_eq!(error["param"], param, "{body}");
    }
    assert_eq!(shop.n_events(), before);
}
