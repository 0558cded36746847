//! Events in, and what became of them.

use axum::body::Body;
use axum::http::Request;
use farthing_server::RateLimit;
use farthing_server::schema::ProviderEvent;
use serde_json::json;

use crate::harness::world::GOOD_CARD;
use crate::harness::{Answer, Server, off};

async fn deliver(server: &Server, signature: Option<&str>, body: &[u8]) -> Answer {
    let mut request = Request::post("/webhooks/stripe");
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    server.send(request.body(Body::from(body.to_vec())).unwrap()).await
}

/// A server with the deliveries of a purchase that nobody has seen yet.
async fn purchase() -> (Server, Vec<(String, Vec<u8>)>) {
    purchase_at(Server::new()).await
}

async fn purchase_at(mut server: Server) -> (Server, Vec<(String, Vec<u8>)>) {
    server.customer("u_1").await;
    let checkout = off(|| server.world.checkout(&server.world.plan("u_1", "growth")).unwrap());
    assert_eq!(server.world.pay(&checkout, GOOD_CARD), 303);
    let deliveries = server.world.take_deliveries();
    assert!(2 < deliveries.len());
    (server, deliveries)
}

async fn stored(server: &Server) -> usize {
    server.get("/v1/events?limit=200").await.json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_event_is_stored_once_however_often_it_comes() {
    let (server, deliveries) = purchase().await;
    for (round, duplicate) in [(1, false), (2, true), (3, true)] {
        for (signature, body) in &deliveries {
            let answer = deliver(&server, Some(signature), body).await;
            assert_eq!(answer.status, 200, "round {round}");
            assert_eq!(answer.json()["duplicate"], duplicate, "round {round}");
        }
    }
    assert_eq!(stored(&server).await, deliveries.len());
    off(|| server.world.drain());
    let state = server.get("/v1/customers/u_1/state").await.json();
    assert_eq!(state["plan"], "growth");
}

#[tokio::test]
async fn forged_events_are_slowed_down_and_real_ones_are_not() {
    let limit = RateLimit { burst: 2, per_second: 1 };
    let (server, deliveries) = purchase_at(Server::with_strangers(limit)).await;
    let body = deliveries[0].1.as_slice();
    for _ in 0..2 {
        assert_eq!(deliver(&server, Some("t=1,v1=00"), body).await.problem(), "invalid_signature");
    }
    assert_eq!(deliver(&server, Some("t=1,v1=00"), body).await.problem(), "rate_limited");
    for (signature, body) in &deliveries {
        assert_eq!(deliver(&server, Some(signature), body).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_not_stored() {
    let (server, deliveries) = purchase().await;
    let (signature, body) = &deliveries[0];
    let mut changed = body.clone();
    *changed.last_mut().unwrap() = b' ';
    let old = signature.replace("v1=", "v0=");
    let late = signature.replacen("t=1", "t=2", 1);
    for (signature, body) in [
        (None, body),
        (Some(""), body),
        (Some("nonsense"), body),
        (Some(old.as_str()), body),
        (Some(late.as_str()), body),
        (Some(signature.as_str()), &changed),
        (Some(signature.as_str()), &Vec::new()),
    ] {
        let answer = deliver(&server, signature, body).await;
        assert_eq!(answer.problem(), "invalid_signature", "{signature:?}");
        assert_eq!(answer.status, 400);
    }
    let long = vec![b'x'; (1 << 20) + 1];
    assert_eq!(deliver(&server, Some(signature), &long).await.problem(), "body_too_large");
    assert_eq!(stored(&server).await, 0);
}

#[tokio::test]
async fn events_are_listed_read_and_replayed() {
    let (server, deliveries) = purchase().await;
    for (signature, body) in &deliveries {
        deliver(&server, Some(signature), body).await;
    }
    let waiting = server.get("/v1/events?state=received&limit=200").await.json();
    assert_eq!(waiting["data"].as_array().unwrap().len(), deliveries.len());
    off(|| server.world.drain());
    let page = server.get("/v1/events?limit=2").await.json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    let rest = server.get(&format!("/v1/events?after={}", page["next"].as_str().unwrap())).await;
    assert_eq!(rest.json()["data"].as_array().unwrap().len(), deliveries.len() - 2);
    let event: ProviderEvent = serde_json::from_value(page["data"][0].clone()).unwrap();
    let one: ProviderEvent = server.get(&format!("/v1/events/{}", event.id)).await.as_promised();
    assert_eq!((one.event_id, one.r#type), (event.event_id, event.r#type));
    let before = server.get("/v1/customers/u_1/state").await.json();
    let path = format!("/v1/events/{}/replay", event.id);
    let replayed = server.post(&path, json!({})).await;
    let replayed: ProviderEvent = replayed.as_promised();
    assert_eq!(replayed.state, "received");
    off(|| server.world.drain());
    assert_eq!(server.get("/v1/customers/u_1/state").await.json(), before, "it had its effect");
}

#[tokio::test]
async fn a_replay_can_be_looked_at_first() {
    let server = Server::new();
    server.customer("u_1").await;
    let opened = server.post("/v1/checkouts", json!({ "customer": "u_1", "plan": "growth" })).await;
    let id = opened.json()["id"].as_str().unwrap().to_owned();
    off(|| {
        let page = server.world.engine.checkout(&id).unwrap();
        assert_eq!(server.world.pay(&page, crate::harness::world::GOOD_CARD), 303);
        let mut provider = server.world.provider();
        let mut deliveries = Vec::new();
        for delivery in provider.deliveries_due() {
            let signed =
                delivery.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case("stripe-signature"));
            deliveries.push((signed.unwrap().1.clone(), delivery.body));
        }
        drop(provider);
        deliveries.iter().for_each(|it| drop(server.world.receive(it)));
    });
    let events = server.get("/v1/events?state=received&limit=200").await.json();
    let paid = events["data"].as_array().unwrap().iter().find(|it| it["type"] == "invoice.paid");
    let path = format!("/v1/events/{}/replay", paid.unwrap()["id"].as_str().unwrap());
    let shown: farthing_server::schema::ReplayPreview =
        server.post(&format!("{path}?preview=true"), json!({})).await.as_promised();
    assert_eq!((shown.outcome.as_str(), shown.customer.as_deref()), ("absorbed", Some("u_1")));
    assert_eq!(shown.state.unwrap().plan, "growth");
    assert!(shown.changes.iter().any(|it| it.action == "subscription.activated"));
    let state = server.get("/v1/customers/u_1/state").await.json();
    assert_eq!(state["plan"], "free", "it was only shown");
}
