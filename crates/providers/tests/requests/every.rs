//! Every request that the adapter can encode, with each optional part once present and absent.

use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};
use farthing_providers::HttpRequest;
use farthing_providers::stripe::account::encode_fetch_account;
use farthing_providers::stripe::checkouts::{
    CheckoutWhat, NewCheckout, encode_create_checkout, encode_expire_checkout,
    encode_fetch_checkout,
};
use farthing_providers::stripe::customers::{
    CustomerUpdate, NewCustomer, encode_create_customer, encode_delete_customer,
    encode_fetch_customer, encode_update_customer,
};
use farthing_providers::stripe::invoices::{encode_fetch_invoice, encode_fetch_invoice_lines};
use farthing_providers::stripe::prices::{NewPrice, encode_create_price, encode_find_prices};
use farthing_providers::stripe::products::{encode_create_product, encode_fetch_product};
use farthing_providers::stripe::subscriptions::{
    encode_cancel_subscription_now, encode_fetch_subscription, encode_list_subscriptions,
};
use farthing_providers::stripe::webhook_endpoints::{
    encode_create_webhook_endpoint, encode_list_webhook_endpoints, encode_update_webhook_endpoint,
};

/// This file, for the check that it names every encoder.
#[allow(dead_code)]
pub const SOURCE: &str = include_str!("every.rs");

/// All of them, in the order of the files that make them.
pub fn every_request() -> Vec<HttpRequest> {
    let mut all = vec![encode_fetch_account()];
    all.extend(customers());
    all.extend([
        encode_fetch_product("farthing_plan_growth"),
        encode_create_product("farthing_plan_growth", "Growth", "product:growth"),
    ]);
    all.extend(prices());
    all.extend(checkouts());
    all.extend([
        encode_fetch_subscription("sub_1"),
        encode_list_subscriptions("cus_1", None),
        encode_list_subscriptions("cus_1", Some("sub_1")),
        encode_cancel_subscription_now("sub_1"),
        encode_fetch_invoice("in_1"),
        encode_fetch_invoice_lines("in_1", None),
        encode_fetch_invoice_lines("in_1", Some("il_10")),
        encode_list_webhook_endpoints(None),
        encode_list_webhook_endpoints(Some("we_1")),
        encode_create_webhook_endpoint("https://billing.example.com/webhooks/stripe", "endpoint"),
        encode_update_webhook_endpoint("we_1", "endpoint:events"),
    ]);
    all
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn customers() -> Vec<HttpRequest> {
    let new = NewCustomer {
        app_id: "ada & bob/7".to_owned(),
        email: some("ada+billing@example.com"),
        name: some("Ada Lovelace"),
        key: "customer:ada".to_owned(),
    };
    let update = CustomerUpdate {
        email: some("ada@example.com"),
        name: some(""),
        key: "customer:ada:2".to_owned(),
    };
    vec![
        encode_create_customer(&NewCustomer { email: None, name: None, ..new.clone() }),
        encode_create_customer(&new),
        encode_update_customer("cus_1", &CustomerUpdate { email: None, ..update.clone() }),
        encode_update_customer("cus_1", &update),
        encode_fetch_customer("cus_1"),
        encode_delete_customer("cus_1"),
    ]
}

fn prices() -> Vec<HttpRequest> {
    let new = |code: &str, minor: i64, interval: Option<Interval>| NewPrice {
        product: "farthing_plan_growth".to_owned(),
        lookup_key: "growth:month".to_owned(),
        amount: Money::new(minor, code.parse().expect("a currency")),
        interval,
        key: "price:growth:month".to_owned(),
    };
    let created = [
        new("USD", 4900, Some(Interval::Month)),
        new("EUR", 49_000, Some(Interval::Year)),
        new("JPY", 10, Some(Interval::Day)),
        new("ISK", 1500, None),
        new("USD", 0, Some(Interval::Month)),
    ];
    let keys: Vec<String> = ["growth:month", "pack 100%"].map(str::to_owned).into();
    let mut all = vec![encode_find_prices(&keys, None), encode_find_prices(&keys, Some("price_9"))];
    all.extend(created.iter().map(|new| encode_create_price(new).expect("Stripe can charge it")));
    all
}

fn checkouts() -> Vec<HttpRequest> {
    let price = || "price_1".to_owned();
    let new = |what: CheckoutWhat| NewCheckout {
        customer: "cus_1".to_owned(),
        app_customer: "ada".to_owned(),
        checkout: "chk_1".to_owned(),
        what,
        success_url: "https://app.example.com/thanks?checkout=chk_1".to_owned(),
        cancel_url: "https://app.example.com/plans".to_owned(),
        expires_at: Some(Timestamp::from_seconds(1_798_761_600).expect("an instant")),
        key: "chk_1".to_owned(),
    };
    let plan = |trial_days: Option<i64>| CheckoutWhat::Plan { price: price(), trial_days };
    let setup = CheckoutWhat::Setup { currency: "EUR".parse().expect("a currency") };
    vec![
        encode_create_checkout(&new(plan(None))),
        encode_create_checkout(&NewCheckout { expires_at: None, ..new(plan(Some(7))) }),
        encode_create_checkout(&new(CheckoutWhat::Pack { price: price() })),
        encode_create_checkout(&new(setup)),
        encode_fetch_checkout("cs_test_1"),
        encode_expire_checkout("cs_test_1", "chk_1:expire"),
    ]
}
