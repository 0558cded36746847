//! The pricing table, checkouts, subscriptions and invoices.

use std::time::{Duration, Instant};

use farthing_server::schema::{
    Checkout, CheckoutPreview, CustomerState, Invoice, Plans, Subscription,
};
use serde_json::json;

use crate::harness::world::{DECLINED_CARD, GOOD_CARD};
use crate::harness::{Server, off};

/// The engine's view of a checkout, to pay it with.
fn page(server: &Server, id: &str) -> farthing_engine::checkouts::CheckoutView {
    off(|| server.world.engine.checkout(id).unwrap())
}

#[tokio::test]
async fn the_pricing_table_says_what_each_plan_is_for_a_customer() {
    let server = Server::new();
    server.customer("u_1").await;
    let plain: Plans = server.get("/v1/plans").await.as_promised();
    assert!(2 < plain.data.len() && plain.data.iter().all(|plan| plan.action.is_none()));
    let table: Plans = server.get("/v1/plans?customer=u_1").await.as_promised();
    let action = |key: &str| {
        let plan = table.data.iter().find(|plan| plan.plan == key).unwrap();
        plan.action.clone().unwrap()
    };
    assert_eq!((action("free").as_str(), action("growth").as_str()), ("current", "checkout"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_bought_and_the_wait_ends_when_it_is_paid() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "plan": "growth", "trial": false });
    let opened = server.post("/v1/checkouts", body.clone()).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    let opened: Checkout = opened.as_promised();
    assert_eq!((opened.status.as_str(), opened.interval.as_deref()), ("open", Some("month")));
    assert!(opened.url.is_some());
    let again: Checkout = server.post("/v1/checkouts", body).await.as_promised();
    assert_eq!(again.id, opened.id, "the same purchase is the same page");

    let path = format!("/v1/checkouts/{}", opened.id);
    let still: Checkout = server.get(&path).await.as_promised();
    assert_eq!(still.status, "open");
    let started = Instant::now();
    let waiting = format!("{path}?wait=30");
    let (settled, ()) = tokio::join!(server.get(&waiting), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(server.world.pay(&page(&server, &opened.id), GOOD_CARD), 303);
    });
    let settled: Checkout = settled.as_promised();
    assert_eq!(settled.status, "settled");
    assert!(started.elapsed() < Duration::from_secs(10), "it waited for {:?}", started.elapsed());

    let state: CustomerState = server.get("/v1/customers/u_1/state").await.as_promised();
    assert_eq!((state.plan.as_str(), state.interval.as_deref()), ("growth", Some("month")));
    let list = server.get("/v1/subscriptions?customer=u_1").await.json();
    let sub: Subscription = serde_json::from_value(list["data"][0].clone()).unwrap();
    assert_eq!(
        (sub.status.as_str(), Some(sub.id.clone())),
        ("active", state.subscription.map(|it| it.id))
    );
    let one: Subscription =
        server.get(&format!("/v1/subscriptions/{}", sub.id)).await.as_promised();
    assert_eq!(one.plan, "growth");
    let list = server.get("/v1/invoices?customer=u_1").await.json();
    let invoice: Invoice = serde_json::from_value(list["data"][0].clone()).unwrap();
    assert_eq!((invoice.status.as_str(), invoice.total.amount), ("paid", settled.price.amount));
    assert_eq!(invoice.payments[0].status, "succeeded");
    let second = server.post("/v1/checkouts", json!({ "customer": "u_1", "plan": "growth" })).await;
    assert_eq!(second.status, 409, "{}", second.json());
    assert!(["same_plan", "subscription_exists"].contains(&second.problem().as_str()));
}

#[tokio::test]
async fn a_checkout_is_previewed_and_nothing_is_made() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "plan": "starter" });
    let before = server.get("/v1/customers/u_1/timeline").await.json();
    let shown = server.post("/v1/checkouts?preview=true", body.clone()).await;
    assert_eq!(shown.status, 200, "{}", shown.json());
    let shown: CheckoutPreview = shown.as_promised();
    assert_eq!((shown.due_now.amount, shown.trial_days), (0, Some(7)));
    assert_eq!(shown.next_charge.unwrap().amount.amount, 1_900);
    assert_eq!(server.get("/v1/customers/u_1/timeline").await.json(), before);
    let wrong = server.post("/v1/checkouts?preview=yes", body.clone()).await;
    assert_eq!(wrong.fields(), ["?preview invalid_value"]);
    let none = json!({ "customer": "u_1", "plan": "free" });
    assert_eq!(server.post("/v1/checkouts?preview=true", none).await.problem(), "same_plan");
    assert_eq!(server.post("/v1/checkouts?preview=false", body).await.status, 201);
}

#[tokio::test]
async fn a_wait_ends_after_its_time() {
    let server = Server::new();
    server.customer("u_1").await;
    let body =
        json!({ "customer": "u_1", "plan": "growth", "interval": "year", "currency": "EUR" });
    let opened: Checkout = server.post("/v1/checkouts", body).await.as_promised();
    assert_eq!(server.world.pay(&page(&server, &opened.id), DECLINED_CARD), 402);
    let started = Instant::now();
    let path = format!("/v1/checkouts/{}?wait=2", opened.id);
    let still: Checkout = server.get(&path).await.as_promised();
    assert_eq!(still.status, "open");
    let took = started.elapsed();
    assert!(Duration::from_secs(2) <= took && took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn what_cannot_be_bought_is_refused() {
    let server = Server::new();
    server.customer("u_1").await;
    let refused = |body: serde_json::Value| async {
        let answer = server.post("/v1/checkouts", body).await;
        let fields = answer.fields();
        if fields.is_empty() { answer.problem() } else { fields.join(", ") }
    };
    let of = |more: serde_json::Value| {
        let mut body = json!({ "customer": "u_1" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, expected) in [
        (json!({}), "/plan invalid_value"),
        (json!({ "plan": "growth", "pack": "ai_500" }), "/plan invalid_value"),
        (json!({ "pack": "ai_500", "trial": true }), "/trial invalid_value"),
        (json!({ "pack": "ai_500", "interval": "month" }), "/interval invalid_value"),
        (json!({ "plan": "growht" }), "/plan unknown_plan"),
        (json!({ "pack": "nonsense" }), "/pack unknown_pack"),
        (json!({ "plan": "growth", "interval": "week" }), "/interval invalid_value"),
        (json!({ "plan": "growth", "interval": "day" }), "/interval unknown_interval"),
        (json!({ "plan": "growth", "currency": "JPY" }), "/currency unknown_currency"),
        (
            json!({ "plan": "growth", "return_path": "https://evil.example" }),
            "/return_path invalid_return_path",
        ),
        (json!({ "plan": "growth", "price": 1 }), "/price unknown_field"),
        (json!({ "plan": "free" }), "same_plan"),
    ] {
        assert_eq!(refused(of(more.clone())).await, expected, "{more}");
    }
}
