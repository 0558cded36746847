//! Links to the billing page, and payment methods.

use axum::body::Body;
use axum::http::Method;
use farthing_server::schema::{BillingLink, PaymentMethods, SetupPage};
use serde_json::json;

use crate::harness::{Server, off};

#[tokio::test]
async fn a_link_is_made_for_one_customer_and_kept_nowhere() {
    let server = Server::new();
    server.customer("u_1").await;
    let path = "/v1/customers/u_1/sessions";
    let made = server.post(path, json!({ "return_path": "/account" })).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let link: BillingLink = made.as_promised();
    assert!(link.url.starts_with("https://billing.example/b/enter/cst_"), "{link:?}");
    assert_eq!(link.expires_at, server.world.now().plus_seconds(900).to_string());
    for bad in ["https://evil.example", "//evil.example", "x"] {
        let refused = server.post(path, json!({ "return_path": bad })).await;
        assert_eq!(refused.fields(), ["/return_path invalid_return_path"]);
    }
    let nobody = server.post("/v1/customers/u_2/sessions", json!({})).await;
    assert_eq!(nobody.problem(), "not_found");
}

#[tokio::test]
async fn a_link_is_not_kept_for_the_next_request_of_the_same_key() {
    let server = Server::new();
    server.customer("u_1").await;
    let mut links = Vec::new();
    for _ in 0..2 {
        let request = server
            .request(Method::POST, "/v1/customers/u_1/sessions")
            .header("content-type", "application/json")
            .header("idempotency-key", "one");
        let made = server.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!((made.status.as_u16(), made.header("idempotent-replayed")), (201, ""));
        links.push(made.as_promised::<BillingLink>().url);
    }
    assert_ne!(links[0], links[1]);
}

#[tokio::test]
async fn cards_are_listed_chosen_and_taken_away() {
    let mut server = Server::new();
    server.customer("u_1").await;
    let path = "/v1/customers/u_1/payment-methods";
    let none: PaymentMethods = server.get(path).await.as_promised();
    assert!(none.data.is_empty());
    off(|| server.world.buy("u_1", "growth"));
    let held: PaymentMethods = server.get(path).await.as_promised();
    let card = &held.data[0];
    assert_eq!((card.last4.as_deref(), card.is_default), (Some("4242"), true));
    let page: SetupPage = server.post(path, json!({ "return_path": "/cards" })).await.as_promised();
    assert!(page.url.starts_with("http://sandbox.test/"), "{page:?}");
    let one = format!("{path}/{}", card.id);
    let chosen = server.post(&format!("{one}/default"), json!({})).await;
    assert_eq!((chosen.status.as_u16(), chosen.body.len()), (204, 0));
    assert_eq!(server.delete(&one).await.problem(), "last_payment_method");
    for missing in ["pm_1", "a%2Fb", "%3Cscript%3E"] {
        assert_eq!(server.delete(&format!("{path}/{missing}")).await.problem(), "not_found");
    }
}
