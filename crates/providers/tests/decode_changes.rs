//! Planned and pending changes, previews and events in our words.

mod fixtures;

use farthing_core::snapshot::{PendingUpdate, PreviewSnapshot, ScheduleStatus, SubscriptionStatus};
use farthing_providers::CallError;
use farthing_providers::stripe::events::decode_events;
use farthing_providers::stripe::portal::decode_portal_session;
use farthing_providers::stripe::previews::decode_preview;
use farthing_providers::stripe::schedules::decode_schedule;
use farthing_providers::stripe::subscriptions::decode_subscription;
use fixtures::{at, fixture, pretty, with};
use serde_json::Value;

const MIDDLE: &str = "2027-01-16T12:00:00Z";

fn preview(name: &str) -> PreviewSnapshot {
    decode_preview(200, &fixture(name), at(MIDDLE)).expect("a preview")
}

#[test]
fn a_schedule_tells_what_runs_and_what_comes_next() {
    let schedule = decode_schedule(200, &fixture("schedule")).unwrap();
    let subscription = decode_subscription(200, &fixture("subscription_scheduled")).unwrap();
    assert_eq!(subscription.schedule.as_ref(), Some(&schedule), "the same inside a subscription");
    insta::assert_snapshot!(pretty(&schedule));
}

#[test]
fn a_schedule_that_let_go_plans_nothing_and_still_knows_its_subscription() {
    let released = decode_schedule(200, &fixture("schedule_released")).unwrap();
    assert_eq!(released.status, ScheduleStatus::Released);
    assert_eq!(released.subscription.as_deref(), Some("sub_1"));
    assert_eq!((released.current, released.next, released.later), (None, None, 0));
}

#[test]
fn a_schedule_that_somebody_else_made_is_seen_as_it_is() {
    let mut phases: Value = serde_json::from_slice(&fixture("schedule")).unwrap();
    let mut third = phases["phases"][1].clone();
    third["start_date"] = 1_803_859_200.into();
    phases["phases"].as_array_mut().unwrap().push(third);
    phases["end_behavior"] = "cancel".into();
    let schedule = decode_schedule(200, phases.to_string().as_bytes()).unwrap();
    assert_eq!((schedule.later, schedule.releases), (1, false));

    phases["current_phase"] = Value::Null;
    phases["status"] = "not_started".into();
    let ahead = decode_schedule(200, phases.to_string().as_bytes()).unwrap();
    assert_eq!((ahead.current, ahead.later), (None, 2));
    assert_eq!(ahead.next.unwrap().price, "price_growth_month");

    let body = with("schedule", "/current_phase/start_date", 5.into());
    let err = decode_schedule(200, &body).unwrap_err();
    assert!(err.to_string().contains("current_phase: is none of the phases"), "{err}");
}

#[test]
fn a_change_that_waits_for_its_payment_has_not_happened_yet() {
    let subscription = decode_subscription(200, &fixture("subscription_pending_update")).unwrap();
    assert_eq!(subscription.price, "price_growth_month");
    let price = "price_scale_month".to_owned();
    let expires_at = at("2027-01-17T11:00:00Z");
    assert_eq!(subscription.pending_update, Some(PendingUpdate { price, expires_at }));
}

#[test]
fn a_pending_change_of_something_else_keeps_the_price() {
    for items in [Value::Null, Value::Array(vec![])] {
        let pointer = "/pending_update/subscription_items";
        let body = with("subscription_pending_update", pointer, items);
        let subscription = decode_subscription(200, &body).unwrap();
        assert_eq!(subscription.pending_update.unwrap().price, subscription.price);
    }
}

#[test]
fn a_subscription_without_a_card_of_its_own_is_paid_by_the_customers() {
    let paused = decode_subscription(200, &fixture("subscription_paused")).unwrap();
    assert_eq!(paused.default_payment_method.as_deref(), Some("pm_1"));
    assert_eq!(paused.card.unwrap().last4, "4242");
    assert_eq!(paused.status, SubscriptionStatus::Paused);
    assert_eq!(paused.pause_reason.as_deref(), Some("pause_requested"));
    let none = "/customer/invoice_settings/default_payment_method";
    let none = decode_subscription(200, &with("subscription_paused", none, Value::Null)).unwrap();
    assert_eq!((none.default_payment_method, none.card), (None, None));
}

#[test]
fn a_schedule_that_is_only_an_id_is_not_taken_for_none() {
    let body = with("subscription_active", "/schedule", "sub_sched_1".into());
    let err = decode_subscription(200, &body).unwrap_err();
    assert!(matches!(&err, CallError::Unknown(why) if why.contains("schedule: is only an id")));
}

#[test]
fn an_upgrade_costs_the_difference_for_the_rest_of_the_period() {
    insta::assert_snapshot!(pretty(&preview("preview_upgrade")));
}

#[test]
fn the_next_regular_charge_is_not_due_now() {
    let with_renewal = preview("preview_with_renewal");
    assert_eq!(with_renewal.lines, preview("preview_upgrade").lines);
    assert_eq!(with_renewal.total.minor, 2500);
    assert_eq!(with_renewal.due_now.minor, 1500, "the customer has a balance of 10 dollars");
    let (due_at, charge) = with_renewal.next_charge.unwrap();
    assert_eq!((due_at, charge.minor), (at("2027-02-01T00:00:00Z"), 9900));
}

#[test]
fn a_balance_or_a_credit_never_makes_less_than_nothing_due() {
    for (pointer, value) in [
        ("/starting_balance", (-9_000).into()),
        ("/lines/data/0/amount", (-9_000).into()),
        ("/lines/data/1/amount", 0.into()),
    ] {
        let body = with("preview_with_renewal", pointer, value);
        assert_eq!(decode_preview(200, &body, at(MIDDLE)).unwrap().due_now.minor, 0, "{pointer}");
    }
    let body = with("preview_with_renewal", "/starting_balance", Value::Null);
    assert_eq!(decode_preview(200, &body, at(MIDDLE)).unwrap().due_now.minor, 2500);
}

#[test]
fn a_change_of_interval_charges_its_first_period_with_discount_and_tax_at_once() {
    let yearly = preview("preview_to_yearly");
    assert_eq!((yearly.lines.len(), yearly.next_charge), (2, None));
    assert!(!yearly.lines[1].proration, "a whole period is no share of one");
    assert_eq!(
        (yearly.total.minor, yearly.due_now.minor),
        (-2450 + 49_000 - 4_900 + 8_379, 50_029)
    );
}

#[test]
fn a_preview_that_is_not_whole_is_no_preview() {
    let body = with("preview_upgrade", "/lines/has_more", true.into());
    assert!(decode_preview(200, &body, at(MIDDLE)).is_err());
}

#[test]
fn listed_events_are_read_whatever_their_version() {
    let page = decode_events(200, &fixture("events")).unwrap();
    assert_eq!(page.next.as_deref(), Some("evt_0"));
    let [new, old] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((new.envelope.kind.as_str(), new.envelope.id.as_str()), ("invoice.paid", "evt_1"));
    assert_eq!(old.envelope.api_version, "2020-08-27");
    assert_eq!(old.envelope.object_id.as_deref(), Some("in_1"));
    let payload: Value = serde_json::from_str(&new.payload).unwrap();
    assert_eq!(payload, serde_json::from_slice::<Value>(&fixture("event_invoice_paid")).unwrap());
}

#[test]
fn the_portal_has_an_address() {
    let url = decode_portal_session(200, &fixture("portal_session")).unwrap();
    assert_eq!(url, "https://billing.stripe.com/p/session/test_1");
}
