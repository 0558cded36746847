//! Every request that the adapter can encode, with each optional part once present and absent.

use farthing_core::money::Money;
use farthing_core::snapshot::SchedulePhase;
use farthing_core::time::{Interval, Timestamp};
use farthing_providers::HttpRequest;
use farthing_providers::stripe::account::encode_fetch_account;
use farthing_providers::stripe::charges::{encode_fetch_charge, encode_find_paid_invoice};
use farthing_providers::stripe::checkouts::{
    CheckoutWhat, NewCheckout, encode_create_checkout, encode_expire_checkout,
    encode_fetch_checkout, encode_find_checkout,
};
use farthing_providers::stripe::customers::{
    CustomerUpdate, NewCustomer, encode_create_customer, encode_delete_customer,
    encode_fetch_customer, encode_set_default_payment_method, encode_update_customer,
};
use farthing_providers::stripe::disputes::{encode_fetch_dispute, encode_list_disputes};
use farthing_providers::stripe::events::encode_list_events;
use farthing_providers::stripe::invoices::{
    encode_fetch_invoice, encode_fetch_invoice_lines, encode_hold_invoice, encode_list_invoices,
    encode_pay_invoice, encode_void_invoice,
};
use farthing_providers::stripe::payment_methods::{
    encode_detach_payment_method, encode_fetch_payment_method, encode_fetch_setup_intent,
    encode_list_payment_methods,
};
use farthing_providers::stripe::portal::{PortalFlow, encode_create_portal_session};
use farthing_providers::stripe::previews::encode_preview_change;
use farthing_providers::stripe::prices::{NewPrice, encode_create_price, encode_find_prices};
use farthing_providers::stripe::products::{encode_create_product, encode_fetch_product};
use farthing_providers::stripe::refunds::{
    NewRefund, RefundReason, encode_create_refund, encode_fetch_refund, encode_list_refunds,
};
use farthing_providers::stripe::schedules::{
    PhasesUpdate, encode_create_schedule, encode_fetch_schedule, encode_release_schedule,
    encode_update_schedule,
};
use farthing_providers::stripe::subscriptions::{
    PriceChange, encode_cancel_subscription_now, encode_change_price_now, encode_clear_cancel_at,
    encode_fetch_subscription, encode_list_subscriptions, encode_set_cancel_at_period_end,
    encode_set_subscription_payment_method, encode_set_trial_end,
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
    all.extend(subscriptions());
    all.extend(schedules());
    all.extend(invoices());
    all.extend(money_back());
    all.extend(payment_methods());
    all.extend(events());
    all.extend([
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
        encode_set_default_payment_method("cus_1", "pm_1", "customer:ada:3"),
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
        expires_at: Some(at("2027-01-01T00:00:00Z")),
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
        encode_find_checkout("pi_1"),
        encode_expire_checkout("cs_test_1", "chk_1:expire"),
    ]
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn subscriptions() -> Vec<HttpRequest> {
    let change = PriceChange {
        subscription: "sub_1".to_owned(),
        item: "si_1".to_owned(),
        price: "price_2".to_owned(),
        proration_at: Some(at("2027-01-16T12:00:00Z")),
        key: "change:1".to_owned(),
    };
    vec![
        encode_fetch_subscription("sub_1"),
        encode_list_subscriptions(Some("cus_1"), None),
        encode_list_subscriptions(None, Some("sub_1")),
        encode_preview_change("sub_1", "si_1", "price_2", at("2027-01-16T12:00:00Z")),
        encode_change_price_now(&PriceChange { proration_at: None, ..change.clone() }),
        encode_change_price_now(&change),
        encode_set_cancel_at_period_end("sub_1", true, "cancel:1"),
        encode_set_cancel_at_period_end("sub_1", false, "resume:1"),
        encode_clear_cancel_at("sub_1", "resume:1:at"),
        encode_set_subscription_payment_method("sub_1", "pm_1", "card:1"),
        encode_set_trial_end("sub_1", at("2027-02-10T10:00:00Z"), "trial:1"),
        encode_cancel_subscription_now("sub_1"),
    ]
}

fn schedules() -> Vec<HttpRequest> {
    let current = SchedulePhase {
        price: "price_2".to_owned(),
        quantity: 1,
        start: at("2027-01-01T00:00:00Z"),
        end: Some(at("2027-02-01T00:00:00Z")),
        trial_end: None,
    };
    let update = PhasesUpdate {
        schedule: "sub_sched_1".to_owned(),
        current: current.clone(),
        boundary: at("2027-02-01T00:00:00Z"),
        next_price: "price_1".to_owned(),
        next_interval: Interval::Month,
        key: "schedule:1:phases".to_owned(),
    };
    let trial = SchedulePhase { trial_end: Some(at("2027-01-08T00:00:00Z")), ..current };
    let yearly = PhasesUpdate { current: trial, next_interval: Interval::Year, ..update.clone() };
    vec![
        encode_create_schedule("sub_1", "schedule:1"),
        encode_update_schedule(&update),
        encode_update_schedule(&yearly),
        encode_release_schedule("sub_sched_1", "schedule:1:release"),
        encode_fetch_schedule("sub_sched_1"),
    ]
}

fn invoices() -> Vec<HttpRequest> {
    vec![
        encode_fetch_invoice("in_1"),
        encode_fetch_invoice_lines("in_1", None),
        encode_fetch_invoice_lines("in_1", Some("il_10")),
        encode_list_invoices(None, Some(at("2027-01-31T10:00:00Z")), None),
        encode_list_invoices(Some("cus_1"), None, Some("in_1")),
        encode_pay_invoice("in_1", "retry:1"),
        encode_hold_invoice("in_1", "hold:1"),
        encode_void_invoice("in_1", "void:1"),
    ]
}

fn money_back() -> Vec<HttpRequest> {
    let whole = NewRefund {
        payment: "pi_1".to_owned(),
        amount: None,
        reason: None,
        refund: "ref_1".to_owned(),
        app_customer: "ada".to_owned(),
        key: "ref_1".to_owned(),
    };
    let refund = |minor: i64, code: &str, reason: RefundReason| NewRefund {
        amount: Some(Money::new(minor, code.parse().expect("a currency"))),
        reason: Some(reason),
        ..whole.clone()
    };
    let created = [
        whole.clone(),
        refund(1_250, "USD", RefundReason::RequestedByCustomer),
        refund(1_500, "ISK", RefundReason::Duplicate),
        refund(10, "JPY", RefundReason::Fraudulent),
    ];
    let mut all: Vec<HttpRequest> =
        created.iter().map(|new| encode_create_refund(new).expect("exact")).collect();
    all.extend([
        encode_fetch_refund("re_1"),
        encode_list_refunds("pi_1", None),
        encode_list_refunds("pi_1", Some("re_1")),
        encode_fetch_charge("ch_1"),
        encode_find_paid_invoice("pi_1"),
        encode_fetch_dispute("du_1"),
        encode_list_disputes("pi_1", None),
        encode_list_disputes("pi_1", Some("du_1")),
    ]);
    all
}

fn payment_methods() -> Vec<HttpRequest> {
    let account = "https://app.example.com/account";
    let flow = Some(PortalFlow::PaymentMethodUpdate);
    vec![
        encode_list_payment_methods("cus_1", None),
        encode_list_payment_methods("cus_1", Some("pm_1")),
        encode_fetch_payment_method("pm_1"),
        encode_detach_payment_method("pm_1", "detach:1"),
        encode_fetch_setup_intent("seti_1"),
        encode_create_portal_session("cus_1", account, None, "portal:1"),
        encode_create_portal_session("cus_1", account, flow, "portal:2"),
    ]
}

fn events() -> Vec<HttpRequest> {
    let since = Some(at("2027-01-01T00:00:00Z"));
    [
        encode_list_events(&[], None, None),
        encode_list_events(&["invoice.paid", "refund.failed"], since, Some("evt_1")),
    ]
    .into_iter()
    .map(|request| request.expect("few types"))
    .collect()
}
