//! Webhook endpoints and deliveries.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::shop::{DAY, Shop, field, id};

fn endpoint(shop: &mut Shop, events: &str) -> Value {
    shop.post("/v1/webhook_endpoints", &format!("url=http://127.0.0.1:9/hook&{events}"))
}

#[test]
fn an_endpoint_gets_what_it_asked_for_and_its_secret_once() {
    let mut shop = Shop::open();
    let made =
        endpoint(&mut shop, "enabled_events[]=customer.created&enabled_events[]=price.created");
    assert!(field(&made, "secret").starts_with("whsec_"));
    assert!(shop.get("/v1/webhook_endpoints")["data"][0].get("secret").is_none());
    shop.customer("ada@example.com");
    shop.post("/v1/products", "name=Other");
    assert_eq!(shop.world.deliveries_due().len(), 1);
    let path = format!("/v1/webhook_endpoints/{}", id(&made));
    shop.post(&path, "enabled_events[]=*");
    shop.post("/v1/products", "name=Another");
    assert_eq!(shop.world.deliveries_due().len(), 1);
    assert_eq!(shop.post(&path, "disabled=true")["status"], "disabled");
    shop.customer("bob@example.com");
    assert_eq!(shop.world.deliveries_due().len(), 0);
    shop.delete(&path);
    shop.refused(404, "GET", &path, "");
}

#[test]
fn a_delivery_is_the_event_signed_at_the_time_of_sending() {
    let mut shop = Shop::open();
    let secret = field(&endpoint(&mut shop, "enabled_events[]=customer.created"), "secret");
    shop.customer("ada@example.com");
    shop.advance(17);
    let delivery = shop.world.deliveries_due().remove(0);
    assert_eq!(delivery.url, "http://127.0.0.1:9/hook");
    let event: Value = serde_json::from_slice(&delivery.body).expect("JSON");
    let listed = shop.last_event("customer.created");
    assert_eq!((&event["id"], &event["pending_webhooks"]), (&listed["id"], &json!(1)));
    assert_eq!(event["data"], listed["data"]);
    let at = shop.world.now();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{at}.").as_bytes());
    mac.update(&delivery.body);
    let expected = format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()));
    let header = delivery.headers.iter().find(|(name, _)| name == "stripe-signature");
    assert_eq!(header.map(|(_, value)| value), Some(&expected));
}

#[test]
fn a_failed_delivery_is_tried_again_ever_later_for_three_days() {
    let mut shop = Shop::open();
    endpoint(&mut shop, "enabled_events[]=customer.created");
    shop.customer("ada@example.com");
    let start = shop.world.now();
    let mut waits = Vec::new();
    let mut last = start;
    while let Some(due) = shop.world.next_due() {
        shop.world.advance_to(due);
        for delivery in shop.world.deliveries_due() {
            waits.push(due.max(start) - last);
            last = due;
            let status = [Some(500), Some(302), None][waits.len() % 3];
            shop.world.delivered(delivery.id, status);
        }
    }
    assert_eq!(waits[..5], [0, 60, 120, 240, 480]);
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert!((2 * DAY..=3 * DAY).contains(&(last - start)), "{waits:?}");
    let event = id(&shop.last_event("customer.created"));
    let failed = shop.get("/v1/events?delivery_success=false");
    assert_eq!(failed["data"][0]["id"], event.as_str());
}

#[test]
fn success_ends_a_delivery_and_silence_does_not() {
    let mut shop = Shop::open();
    endpoint(&mut shop, "enabled_events[]=customer.created");
    shop.customer("ada@example.com");
    let first = shop.world.deliveries_due();
    assert_eq!((first.len(), shop.world.deliveries_due().len()), (1, 0), "handed out once");
    shop.advance(60);
    let second = shop.world.deliveries_due();
    assert_eq!(second[0].id, first[0].id, "nothing was heard of the first attempt");
    assert_eq!(shop.last_event("customer.created")["pending_webhooks"], 1);
    shop.world.delivered(second[0].id, Some(204));
    shop.world.delivered(first[0].id, Some(500));
    shop.advance(DAY);
    assert!(shop.world.deliveries_due().is_empty());
    assert_eq!(shop.last_event("customer.created")["pending_webhooks"], 0);
}

#[test]
fn a_jump_of_the_clock_loses_no_webhook() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    shop.subscribe(&customer, "");
    endpoint(&mut shop, "enabled_events[]=invoice.paid");
    shop.advance(366 * DAY);
    assert_eq!(shop.world.deliveries_due().len(), 12);
}
