//! What was sent to whom, over HTTP.

use farthing_server::schema::{Checkout, Mail, WholeMail};
use serde_json::json;

use crate::harness::world::GOOD_CARD;
use crate::harness::{Server, off};

#[tokio::test]
async fn mails_are_listed_with_their_state_and_shown_whole() {
    let server = Server::new();
    server.customer("u_1").await;
    let body = json!({ "customer": "u_1", "plan": "growth", "trial": false });
    let opened: Checkout = server.post("/v1/checkouts", body).await.as_promised();
    off(|| {
        let page = server.world.engine.checkout(&opened.id).unwrap();
        assert_eq!(server.world.pay(&page, GOOD_CARD), 303);
        server.world.engine.refresh_checkout(&opened.id).unwrap();
    });
    let list = server.get("/v1/mails?customer=u_1").await.json();
    assert_eq!(list["data"], json!([]), "a receipt is the provider's");
    let sub = server.get("/v1/subscriptions?customer=u_1").await.json();
    let path = format!("/v1/subscriptions/{}/cancel", sub["data"][0]["id"].as_str().unwrap());
    assert_eq!(server.post(&path, json!({ "at": "period_end" })).await.status, 200);

    let list = server.get("/v1/mails?customer=u_1").await.json();
    let mail: Mail = serde_json::from_value(list["data"][0].clone()).unwrap();
    assert_eq!((mail.kind.as_str(), mail.state.as_str()), ("cancel_scheduled", "queued"));
    assert!(mail.subject.starts_with("Growth ends on"), "{}", mail.subject);
    let whole: WholeMail = server.get(&format!("/v1/mails/{}", mail.id)).await.as_promised();
    assert!(whole.html.starts_with("<!DOCTYPE html>") && whole.text.contains("Growth"));
    assert_eq!((whole.id, whole.to), (mail.id, mail.to));

    off(|| assert_eq!(server.world.engine.send_mails().unwrap(), 1));
    let list = server.get("/v1/mails").await.json();
    assert_eq!(list["data"][0]["state"], "suppressed");
    assert!(list["data"][0]["reason"].as_str().unwrap().contains("no mail server"));
    assert_eq!(server.get("/v1/mails?customer=u_2").await.json()["data"], json!([]));
    assert_eq!(server.get("/v1/mails/mail_none").await.problem(), "not_found");
}
