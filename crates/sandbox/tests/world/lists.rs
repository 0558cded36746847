//! Lists, cursors and expansion.

use serde_json::{Value, json};

use crate::shop::{Shop, field, id};

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().expect("a list").iter().map(id).collect()
}

#[test]
fn cursors_walk_a_list_in_both_directions() {
    let mut shop = Shop::open();
    let mut made: Vec<String> =
        (0..5).map(|n| shop.customer(&format!("{n}@example.com"))).collect();
    made.reverse();
    let page = shop.get("/v1/customers?limit=2");
    assert_eq!((ids(&page), &page["has_more"]), (made[0..2].to_vec(), &json!(true)));
    let page = shop.get(&format!("/v1/customers?limit=2&starting_after={}", made[1]));
    assert_eq!((ids(&page), &page["has_more"]), (made[2..4].to_vec(), &json!(true)));
    let page = shop.get(&format!("/v1/customers?limit=2&starting_after={}", made[3]));
    assert_eq!((ids(&page), &page["has_more"]), (made[4..].to_vec(), &json!(false)));
    let page = shop.get(&format!("/v1/customers?limit=2&ending_before={}", made[3]));
    assert_eq!((ids(&page), &page["has_more"]), (made[1..3].to_vec(), &json!(true)));
    let page = shop.get(&format!("/v1/customers?limit=2&ending_before={}", made[1]));
    assert_eq!((ids(&page), &page["has_more"]), (made[0..1].to_vec(), &json!(false)));
    shop.refused(400, "GET", "/v1/customers?starting_after=cus_none", "");
    shop.refused(400, "GET", "/v1/customers?limit=101", "");
    shop.refused(400, "GET", "/v1/customers?limit=0", "");
}

#[test]
fn events_are_filtered_by_type_and_time() {
    let mut shop = Shop::open();
    shop.advance(10);
    let now = shop.world.now();
    shop.customer("ada@example.com");
    let n = |list: Value| list["data"].as_array().map(Vec::len);
    assert_eq!(n(shop.get("/v1/events?types[]=price.created&types[]=customer.created")), Some(3));
    assert_eq!(n(shop.get("/v1/events?type=p*")), Some(4));
    assert_eq!(n(shop.get(&format!("/v1/events?created[gte]={now}"))), Some(1));
    assert_eq!(n(shop.get(&format!("/v1/events?created[lt]={now}"))), Some(4));
    assert_eq!(n(shop.get(&format!("/v1/events?created={now}"))), Some(1));
}

#[test]
fn an_event_is_never_rendered_again() {
    let mut shop = Shop::open();
    let customer = shop.customer("ada@example.com");
    let created = shop.last_event("customer.created");
    shop.post(&format!("/v1/customers/{customer}"), "email=new@example.com");
    assert_eq!(shop.get(&format!("/v1/events/{}", id(&created))), created);
    let updated = shop.last_event("customer.updated");
    assert_eq!(updated["data"]["previous_attributes"], json!({"email": "ada@example.com"}));
    let before = shop.n_events();
    shop.post(&format!("/v1/customers/{customer}"), "email=new@example.com");
    assert_eq!(shop.n_events(), before, "nothing changed, nothing is told");
}

#[test]
fn expansion_reaches_through_lists_and_objects() {
    let mut shop = Shop::open();
    let customer = shop.customer_with("pm_card_visa");
    shop.subscribe(&customer, "");
    let listed = shop.get(
        "/v1/subscriptions?expand[]=data.customer&expand[]=data.latest_invoice.payments&expand[]=data.items.data.price.product",
    );
    let subscription = &listed["data"][0];
    assert_eq!(subscription["customer"]["id"], customer.as_str());
    assert_eq!(subscription["latest_invoice"]["payments"]["data"][0]["object"], "invoice_payment");
    assert_eq!(subscription["items"]["data"][0]["price"]["product"]["name"], "Growth");
    let invoice = field(&subscription["latest_invoice"], "id");
    let path = format!("/v1/invoices/{invoice}?expand[]=payments.data.payment.payment_intent");
    let invoice = shop.get(&path);
    assert_eq!(invoice["payments"]["data"][0]["payment"]["payment_intent"]["status"], "succeeded");
}

#[test]
fn what_cannot_be_expanded_is_said_before_anything_happens() {
    let mut shop = Shop::open();
    let before = shop.n_events();
    shop.refused(400, "POST", "/v1/customers", "expand[]=custommer");
    shop.refused(400, "POST", "/v1/customers", "expand=subscriptions");
    assert_eq!(shop.n_events(), before);
    let customer = shop.customer("ada@example.com");
    shop.refused(400, "GET", &format!("/v1/customers/{customer}?expand[]=latest_invoice"), "");
}
