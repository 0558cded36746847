//! Charges, refunds, disputes and stored cards in our words.

mod fixtures;

use farthing_core::snapshot::{CustomerRef, DisputeStatus, RefundStatus};
use farthing_providers::stripe::charges::{decode_charge, decode_paid_invoice};
use farthing_providers::stripe::customers::decode_customer;
use farthing_providers::stripe::disputes::decode_dispute;
use farthing_providers::stripe::payment_methods::{
    decode_payment_method, decode_payment_methods, decode_setup_intent,
};
use farthing_providers::stripe::refunds::decode_refund;
use fixtures::{at, fixture, pretty, with};
use serde_json::{Value, json};

#[test]
fn a_charge_says_whose_it_is_and_how_much_went_back() {
    insta::assert_snapshot!(pretty(&decode_charge(200, &fixture("charge")).unwrap()));
}

#[test]
fn a_failed_try_is_a_charge_that_took_nothing() {
    let body = with("charge", "/paid", false.into());
    assert!(!decode_charge(200, &body).unwrap().paid);
}

#[test]
fn the_invoice_of_a_payment_is_the_paid_one() {
    let found = decode_paid_invoice(200, &fixture("invoice_payments")).unwrap();
    assert_eq!(found.as_deref(), Some("in_1"));
    let payment = |invoice: &str, status: &str| json!({ "id": invoice, "object": "invoice_payment", "invoice": invoice, "status": status });
    let of = |data: Value| {
        let list = json!({ "object": "list", "data": data, "has_more": false });
        decode_paid_invoice(200, list.to_string().as_bytes()).unwrap()
    };
    let both = json!([payment("in_2", "paid"), payment("in_3", "canceled")]);
    assert_eq!(of(both).as_deref(), Some("in_2"));
    assert_eq!(of(json!([payment("in_3", "open")])).as_deref(), Some("in_3"));
    assert_eq!(of(json!([])), None);
}

#[test]
fn a_refund_of_ours_carries_our_id_and_its_customer() {
    insta::assert_snapshot!(pretty(&decode_refund(200, &fixture("refund")).unwrap()));
}

#[test]
fn a_refund_made_in_the_dashboard_belongs_to_the_customer_of_its_charge() {
    let refund = decode_refund(200, &fixture("refund_failed")).unwrap();
    assert_eq!((refund.refund, refund.reason), (None, None));
    assert_eq!(refund.created_at, at("2027-01-16T12:00:00Z"));
    assert_eq!(refund.customer.unwrap().app_id.as_deref(), Some("ada"));
    assert_eq!(refund.status, RefundStatus::Failed);
    assert_eq!(refund.failure_reason.as_deref(), Some("expired_or_canceled_card"));

    let without_charge = decode_refund(200, &with("refund_failed", "/charge", Value::Null));
    let customer = without_charge.unwrap().customer.unwrap();
    assert_eq!((customer.provider_id.as_str(), customer.app_id), ("cus_Ada", None));
}

#[test]
fn what_we_left_on_the_object_says_most_about_whose_it_is() {
    let ours = json!({ "farthing_customer": "grace" });
    let named = |customer: Option<CustomerRef>| customer.expect("an owner").app_id;
    let charge = decode_charge(200, &with("charge", "/metadata", ours.clone())).unwrap();
    assert_eq!(named(charge.customer).as_deref(), Some("grace"));
    let by_charge = with("refund_failed", "/charge/metadata", ours.clone());
    let by_charge = decode_refund(200, &by_charge).unwrap();
    assert_eq!(named(by_charge.customer).as_deref(), Some("grace"));
    let own = decode_refund(200, &with("refund", "/metadata", ours)).unwrap();
    assert_eq!(named(own.customer).as_deref(), Some("grace"));
}

#[test]
fn every_status_of_a_refund_has_its_word_and_an_unknown_one_is_kept() {
    for (word, status) in [
        ("pending", RefundStatus::Pending),
        ("requires_action", RefundStatus::RequiresAction),
        ("succeeded", RefundStatus::Succeeded),
        ("failed", RefundStatus::Failed),
        ("canceled", RefundStatus::Canceled),
        ("lost_at_sea", RefundStatus::Other("lost_at_sea".to_owned())),
    ] {
        let refund = decode_refund(200, &with("refund", "/status", word.into())).unwrap();
        assert_eq!(refund.status, status);
    }
}

#[test]
fn a_dispute_says_what_is_contested_until_when_and_whether_the_money_is_gone() {
    insta::assert_snapshot!(pretty(&decode_dispute(200, &fixture("dispute")).unwrap()));
}

#[test]
fn a_won_dispute_gave_the_money_back_and_an_inquiry_never_took_it() {
    let won = decode_dispute(200, &fixture("dispute_won")).unwrap();
    assert_eq!((won.status, won.due_by), (DisputeStatus::Won, None));
    assert!(won.funds_withdrawn && won.funds_reinstated);
    let inquiry = with("dispute", "/balance_transactions", json!([]));
    let inquiry = decode_dispute(200, &inquiry).unwrap();
    assert!(!inquiry.funds_withdrawn && !inquiry.funds_reinstated);
    let only_back = with("dispute", "/balance_transactions", json!([{ "amount": 4_500 }]));
    let only_back = decode_dispute(200, &only_back).unwrap();
    assert!(!only_back.funds_withdrawn && only_back.funds_reinstated);
}

#[test]
fn every_status_of_a_dispute_has_its_word_and_an_unknown_one_is_kept() {
    for (word, status) in [
        ("warning_needs_response", DisputeStatus::WarningNeedsResponse),
        ("warning_under_review", DisputeStatus::WarningUnderReview),
        ("warning_closed", DisputeStatus::WarningClosed),
        ("needs_response", DisputeStatus::NeedsResponse),
        ("under_review", DisputeStatus::UnderReview),
        ("won", DisputeStatus::Won),
        ("lost", DisputeStatus::Lost),
        ("prevented", DisputeStatus::Prevented),
        ("appeal_needs_response", DisputeStatus::AppealNeedsResponse),
        ("appeal_under_review", DisputeStatus::AppealUnderReview),
        ("hung_jury", DisputeStatus::Other("hung_jury".to_owned())),
    ] {
        let dispute = decode_dispute(200, &with("dispute", "/status", word.into())).unwrap();
        assert_eq!(dispute.status, status);
    }
}

#[test]
fn a_stored_card_names_its_customer_and_a_detached_one_none() {
    let stored = decode_payment_method(200, &fixture("payment_method")).unwrap();
    assert_eq!(stored.customer.unwrap().app_id.as_deref(), Some("ada"));
    let detached = with("payment_method", "/customer", Value::Null);
    assert_eq!(decode_payment_method(200, &detached).unwrap().customer, None);
}

#[test]
fn what_is_stored_may_be_no_card() {
    let all = decode_payment_methods(200, &fixture("payment_methods")).unwrap().items;
    let kinds: Vec<_> = all.iter().map(|it| (it.kind.as_str(), it.card.is_some())).collect();
    assert_eq!(kinds, [("card", true), ("sepa_debit", false)]);
}

#[test]
fn a_setup_intent_has_stored_a_card_only_when_it_succeeded() {
    let stored = decode_setup_intent(200, &fixture("setup_intent")).unwrap().unwrap();
    assert_eq!(stored.card.unwrap().fingerprint.as_deref(), Some("fp4242"));
    let waiting = with("setup_intent", "/status", "requires_action".into());
    assert_eq!(decode_setup_intent(200, &waiting).unwrap(), None);
}

#[test]
fn a_customers_default_is_read_as_id_or_object() {
    let default = |value: Value| {
        let body = with("customer", "/invoice_settings/default_payment_method", value);
        decode_customer(200, &body).unwrap().default_payment_method
    };
    assert_eq!(default(Value::Null), None);
    assert_eq!(default("pm_1".into()).as_deref(), Some("pm_1"));
    let gone = decode_customer(200, &fixture("customer_deleted")).unwrap();
    assert_eq!(gone.default_payment_method, None);
}
