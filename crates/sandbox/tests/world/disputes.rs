//! Banks that take money back, and refunds that do not go as planned.

use serde_json::{Value, json};

use crate::shop::{DAY, Shop, field, id};

const MINUTE: i64 = 60;

/// The charge of a subscription paid with `method`.
fn charged(shop: &mut Shop, method: &str) -> Value {
    let customer = shop.customer_with(method);
    shop.subscribe(&customer, "");
    shop.get("/v1/charges")["data"][0].clone()
}

fn disputed(shop: &mut Shop, method: &str) -> (Value, Value) {
    let charge = charged(shop, method);
    assert_eq!(shop.get("/v1/disputes")["data"], json!([]));
    shop.advance(MINUTE);
    let list = shop.get(&format!("/v1/disputes?charge={}", id(&charge)));
    (charge, list["data"][0].clone())
}

#[test]
fn a_dispute_takes_the_money_with_its_fee_and_stands_in_the_way_of_refunds() {
    let mut shop = Shop::open();
    let (charge, dispute) = disputed(&mut shop, "pm_card_createDispute");
    assert_eq!(
        (&dispute["status"], &dispute["reason"]),
        (&json!("needs_response"), &json!("fraudulent"))
    );
    assert_eq!(dispute["evidence_details"]["due_by"], shop.world.now() + 7 * DAY);
    let taken = &dispute["balance_transactions"][0];
    assert_eq!((&taken["amount"], &taken["net"]), (&json!(-4_900), &json!(-6_400)));
    let created = shop.last_event("charge.dispute.created")["data"]["object"].clone();
    assert_eq!(created["balance_transactions"], json!([]));
    shop.last_event("charge.dispute.funds_withdrawn");
    assert_eq!(shop.get(&format!("/v1/charges/{}", id(&charge)))["disputed"], true);
    let error = shop.refused(400, "POST", "/v1/refunds", &format!("charge={}", id(&charge)));
    assert_eq!(error["code"], "charge_disputed");
}

#[test]
fn evidence_that_wins_brings_the_money_back() {
    let mut shop = Shop::open();
    let (_, dispute) = disputed(&mut shop, "pm_card_createDisputeProductNotReceived");
    assert_eq!(dispute["reason"], "product_not_received");
    let path = format!("/v1/disputes/{}", id(&dispute));
    let kept = shop.post(&path, "evidence[uncategorized_text]=winning_evidence&submit=false");
    assert_eq!(kept["status"], "needs_response");
    let before = shop.n_events();
    assert_eq!(shop.post(&path, "evidence[customer_name]=Ada")["status"], "under_review");
    shop.refused(400, "POST", &path, "evidence[customer_name]=Bob");
    shop.advance(MINUTE);
    assert_eq!(
        shop.events_since(before),
        ["charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated"]
    );
    let won = shop.get(&path);
    assert_eq!(won["status"], "won");
    assert_eq!(won["balance_transactions"][1]["amount"], 4_900);
    shop.refused(400, "POST", &format!("{path}/close"), "");
}

#[test]
fn a_dispute_is_lost_by_evidence_by_silence_and_by_acceptance() {
    for how in ["evidence", "silence", "acceptance"] {
        let mut shop = Shop::open();
        let (charge, dispute) = disputed(&mut shop, "pm_card_createDispute");
        let path = format!("/v1/disputes/{}", id(&dispute));
        match how {
            "evidence" => {
                shop.post(&path, "evidence[uncategorized_text]=losing_evidence");
                shop.advance(MINUTE);
            }
            "silence" => shop.advance(7 * DAY),
            _ => {
                shop.post(&format!("{path}/close"), "");
            }
        }
        assert_eq!(shop.get(&path)["status"], "lost", "{how}");
        shop.last_event("charge.dispute.closed");
        shop.refused(400, "POST", "/v1/refunds", &format!("charge={}", id(&charge)));
    }
}

#[test]
fn an_inquiry_takes_nothing_and_can_be_answered_with_a_refund() {
    let mut shop = Shop::open();
    let (charge, dispute) = disputed(&mut shop, "pm_card_createDisputeInquiry");
    assert_eq!(dispute["status"], "warning_needs_response");
    assert_eq!(
        (&dispute["balance_transactions"], &dispute["is_charge_refundable"]),
        (&json!([]), &json!(true))
    );
    shop.post("/v1/refunds", &format!("charge={}", id(&charge)));
    shop.advance(7 * DAY);
    assert_eq!(shop.get(&format!("/v1/disputes/{}", id(&dispute)))["status"], "warning_closed");
}

#[test]
fn a_refund_can_be_pending_first() {
    let mut shop = Shop::open();
    let charge = charged(&mut shop, "pm_card_pendingRefund");
    let refund = shop.post("/v1/refunds", &format!("charge={}", id(&charge)));
    assert_eq!(refund["status"], "pending");
    let before = shop.n_events();
    shop.advance(MINUTE);
    assert_eq!(shop.events_since(before), ["refund.updated", "charge.refund.updated"]);
    assert_eq!(shop.get(&format!("/v1/refunds/{}", id(&refund)))["status"], "succeeded");
}

#[test]
fn a_refund_that_fails_later_gives_the_money_back_to_be_refunded_again() {
    let mut shop = Shop::open();
    let charge = charged(&mut shop, "pm_card_refundFail");
    let body = format!("charge={}&amount=900", id(&charge));
    let refund = shop.post("/v1/refunds", &body);
    assert_eq!(refund["status"], "succeeded");
    let path = format!("/v1/charges/{}", id(&charge));
    assert_eq!(shop.get(&path)["amount_refunded"], 900);
    let before = shop.n_events();
    shop.advance(MINUTE);
    assert_eq!(
        shop.events_since(before),
        ["charge.updated", "refund.updated", "charge.refund.updated", "refund.failed"]
    );
    let failed = shop.last_event("refund.failed")["data"]["object"].clone();
    assert_eq!(field(&failed, "failure_reason"), "expired_or_canceled_card");
    assert_eq!(shop.get(&path)["amount_refunded"], 0);
    shop.post("/v1/refunds", &format!("charge={}", id(&charge)));
}
