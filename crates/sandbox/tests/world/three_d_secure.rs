//! Payments that the person has to confirm, and the hosted pages on which they do.

use serde_json::{Value, json};

use crate::shop::{BASE, DAY, HOUR, Shop, field, header, id, page_path, period, text};

const ONCE: &str = "4000002500003155";
const ALWAYS: &str = "4000002760003184";

/// A subscription whose card wants every payment confirmed; its first payment has been.
fn always(shop: &mut Shop) -> Value {
    let session = shop.growth_session("");
    assert_eq!(shop.pay(&session, ALWAYS).status, 200);
    assert_eq!(shop.pay(&session, &format!("{ALWAYS}&challenge=confirm")).status, 303);
    let session = shop.get(&format!("/v1/checkout/sessions/{}", id(&session)));
    shop.subscription(&field(&session, "subscription"))
}

fn intent_of(shop: &mut Shop, invoice: &Value) -> Value {
    let path =
        format!("/v1/invoices/{}?expand[]=payments.data.payment.payment_intent", id(invoice));
    shop.get(&path)["payments"]["data"][0]["payment"]["payment_intent"].clone()
}

#[test]
fn the_checkout_asks_the_bank_before_anything_is_bought() {
    let mut shop = Shop::open();
    let session = shop.growth_session("");
    let asked = shop.pay(&session, ALWAYS);
    assert!(text(&asked).contains("Confirm this payment"), "{}", text(&asked));
    assert!(text(&asked).contains(&format!("value=\"{ALWAYS}\"")));
    shop.last_event("payment_intent.requires_action");
    let failed = shop.pay(&session, &format!("{ALWAYS}&challenge=fail"));
    assert_eq!(failed.status, 402);
    let intent = shop.get("/v1/payment_intents")["data"][0].clone();
    assert_eq!(intent["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(shop.get("/v1/subscriptions?status=all")["data"], json!([]));
    assert_eq!(shop.pay(&session, &format!("{ALWAYS}&challenge=confirm")).status, 303);
    assert_eq!(shop.get("/v1/subscriptions")["data"][0]["status"], "active");
    let paid = shop.get(&format!("/v1/payment_intents/{}", id(&intent)));
    assert_eq!((&paid["status"], &paid["next_action"]), (&json!("succeeded"), &Value::Null));
}

#[test]
fn a_renewal_that_has_to_be_confirmed_waits_for_the_person() {
    let mut shop = Shop::open();
    let subscription = always(&mut shop);
    let (_, end) = period(&subscription);
    let before = shop.n_events();
    shop.world.advance_to(end + HOUR);
    let kinds = shop.events_since(before);
    assert!(kinds.contains(&"invoice.payment_action_required".to_owned()), "{kinds:?}");
    let renewed = shop.subscription(&id(&subscription));
    assert_eq!(renewed["status"], "past_due");
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&renewed, "latest_invoice")));
    let intent = intent_of(&mut shop, &invoice);
    assert_eq!(intent["status"], "requires_action");
    let path = format!("/v1/invoices/{}/pay", id(&invoice));
    let error = shop.refused(402, "POST", &path, "");
    assert_eq!(error["code"], "invoice_payment_intent_requires_action");
    let url = field(&intent["next_action"]["redirect_to_url"], "url");
    let page = url.strip_prefix(BASE).expect("below the base url");
    assert_eq!(shop.call("GET", page, "", &[]).status, 200);
    assert_eq!(shop.call("POST", page, "challenge=fail", &[]).status, 402);
    assert_eq!(intent_of(&mut shop, &invoice)["status"], "requires_payment_method");
    assert_eq!(shop.call("POST", page, "challenge=confirm", &[]).status, 410);
    shop.refused(402, "POST", &path, "");
    assert_eq!(shop.call("POST", page, "challenge=confirm", &[]).status, 200);
    assert_eq!(shop.subscription(&id(&subscription))["status"], "active");
}

#[test]
fn a_card_that_was_confirmed_when_it_was_saved_renews_by_itself() {
    let mut shop = Shop::open();
    let session = shop.growth_session("subscription_data[trial_period_days]=3");
    assert_eq!(shop.pay(&session, ONCE).status, 200);
    assert_eq!(shop.pay(&session, &format!("{ONCE}&challenge=confirm")).status, 303);
    shop.advance(4 * DAY);
    assert_eq!(shop.get("/v1/subscriptions")["data"][0]["status"], "active");
    let customer = shop.customer_with("pm_card_authenticationRequiredOnSetup");
    let body = format!("customer={customer}&items[0][price]={}", shop.growth);
    assert_eq!(shop.post("/v1/subscriptions", &body)["status"], "incomplete");
    let error = shop.refused(
        402,
        "POST",
        "/v1/subscriptions",
        &format!("{body}&payment_behavior=error_if_incomplete"),
    );
    assert_eq!(error["code"], "subscription_payment_intent_requires_action");
}

#[test]
fn an_upgrade_that_has_to_be_confirmed_grants_nothing_before() {
    let mut shop = Shop::open();
    let scale = shop.price("Scale", 9_900, "month");
    let subscription = always(&mut shop);
    let more = "proration_behavior=always_invoice&payment_behavior=pending_if_incomplete";
    let waiting = shop.switch(&subscription, &scale, more);
    assert!(waiting["pending_update"].is_object());
    let invoice = shop.get(&format!("/v1/invoices/{}", field(&waiting, "latest_invoice")));
    let intent = intent_of(&mut shop, &invoice);
    shop.call("POST", &format!("/3ds/{}", id(&intent)), "challenge=confirm", &[]);
    let changed = shop.subscription(&id(&subscription));
    assert_eq!(changed["items"]["data"][0]["price"]["id"], scale.as_str());
    assert_eq!(changed["status"], "active");
}

#[test]
fn an_open_invoice_can_be_paid_on_its_page() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let subscription = shop.subscribe(&customer, "payment_behavior=default_incomplete");
    let invoice = format!("/v1/invoices/{}", field(&subscription, "latest_invoice"));
    let url = field(&shop.get(&invoice), "hosted_invoice_url");
    let page = url.strip_prefix(BASE).expect("below the base url").to_owned();
    let shown = shop.call("GET", &page, "", &[]);
    assert!(text(&shown).contains("Pay $49.00") && text(&shown).contains("Growth"));
    assert_eq!(shop.call("POST", &page, "card=4000000000009995", &[]).status, 402);
    let charge = shop.get("/v1/charges")["data"][0].clone();
    assert_eq!(charge["outcome"]["reason"], "insufficient_funds");
    assert_eq!(shop.call("POST", &page, &format!("card={ALWAYS}"), &[]).status, 200);
    let paid = shop.call("POST", &page, &format!("card={ALWAYS}&challenge=confirm"), &[]);
    assert_eq!((paid.status, header(&paid, "location")), (303, Some(url.as_str())));
    assert_eq!(shop.subscription(&id(&subscription))["status"], "active");
    assert!(text(&shop.call("GET", &page, "", &[])).contains("is paid"));
    assert_eq!(shop.call("GET", "/invoice/in_gone", "", &[]).status, 404);
}

#[test]
fn an_uncollectible_invoice_can_still_be_paid_or_voided() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    for end in ["pay", "void"] {
        let subscription = shop.subscribe(&customer, "payment_behavior=default_incomplete");
        let invoice = format!("/v1/invoices/{}", field(&subscription, "latest_invoice"));
        let given_up = shop.post(&format!("{invoice}/mark_uncollectible"), "");
        assert_eq!(given_up["status"], "uncollectible");
        assert!(given_up["status_transitions"]["marked_uncollectible_at"].is_number());
        shop.refused(400, "POST", &format!("{invoice}/mark_uncollectible"), "");
        let attach = "/v1/payment_methods/pm_card_visa/attach";
        let card = id(&shop.post(attach, &format!("customer={customer}")));
        let body = if end == "pay" { format!("payment_method={card}") } else { String::new() };
        let ended = shop.post(&format!("{invoice}/{end}"), &body);
        assert_eq!(ended["status"], if end == "pay" { "paid" } else { "void" });
    }
}

#[test]
fn a_saved_card_is_confirmed_in_setup_mode_too() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let session = shop.session("setup", &format!("currency=usd&customer={customer}"));
    assert_eq!(shop.pay(&session, ONCE).status, 200);
    assert_eq!(shop.pay(&session, &format!("{ONCE}&challenge=fail")).status, 402);
    assert_eq!(shop.pay(&session, &format!("{ONCE}&challenge=confirm")).status, 303);
    assert_eq!(shop.call("GET", &page_path(&session), "", &[]).status, 410);
}
