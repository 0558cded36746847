//! One letter of each kind, for people who want to see them all, and for tests.

use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};

use crate::letter::{
    CardName, ChangeScheduled, Direction, DisputeOpened, Due, Ending, Lapse, Letter, Overdue,
    PlanChanged, Reason, Refund, RefundToReview, Standing, TrialEnding,
};

/// Every kind of letter, under a name of its own; several where the words differ.
pub fn all() -> Vec<(&'static str, Letter)> {
    [trials(), dunning(), reasons(), plans(), refunds()].concat()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("the samples are written as instants")
}

fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().expect("the samples are in a known currency"))
}

fn trials() -> Vec<(&'static str, Letter)> {
    let charged = TrialEnding {
        plan: "Starter".into(),
        ends_at: at("2027-02-07T10:00:00Z"),
        charge: Some((usd(1_900), Interval::Month)),
        then: "Free".into(),
    };
    let ends = TrialEnding { charge: None, ..charged.clone() };
    let lapse = Lapse { plan: "Starter".into(), now: "Free".into(), kept_until: None };
    vec![
        ("trial_ending", Letter::TrialEnding(charged)),
        ("trial_ending_without_card", Letter::TrialEnding(ends)),
        ("trial_ended", Letter::TrialEnded(lapse)),
    ]
}

fn overdue(reason: Reason) -> Overdue {
    Overdue {
        plan: "Growth".into(),
        amount: Some(usd(6_900)),
        card: Some(CardName { brand: "visa".into(), last4: "0341".into() }),
        reason,
        pay_url: Some("https://pay.example/inv_1".into()),
        retry_at: Some(at("2027-03-01T10:00:00Z")),
        read_only_at: Some(at("2027-03-07T10:00:00Z")),
        ends_at: Some(at("2027-03-16T10:00:00Z")),
        then: "Free".into(),
    }
}

fn dunning() -> Vec<(&'static str, Letter)> {
    let failed = overdue(Reason::Other);
    let last_retry = Overdue { retry_at: None, ..failed.clone() };
    let limited = Overdue { read_only_at: None, ..last_retry.clone() };
    let lapse = Lapse {
        plan: "Growth".into(),
        now: "Free".into(),
        kept_until: Some(at("2027-06-14T10:00:00Z")),
    };
    let standing = Standing { plan: "Growth".into(), renews_at: Some(at("2027-03-31T10:00:00Z")) };
    vec![
        ("payment_failed", Letter::PaymentFailed(failed.clone())),
        ("retry_failed", Letter::RetryFailed(failed)),
        ("retry_failed_last", Letter::RetryFailed(last_retry)),
        ("access_limited", Letter::AccessLimited(limited.clone())),
        ("last_chance", Letter::LastChance(limited)),
        ("given_up", Letter::GivenUp(lapse)),
        ("recovered", Letter::Recovered(standing)),
    ]
}

fn reasons() -> Vec<(&'static str, Letter)> {
    let failed = |reason| Letter::PaymentFailed(overdue(reason));
    let due = Due {
        plan: "Growth".into(),
        amount: Some(usd(6_900)),
        pay_url: Some("https://pay.example/inv_1".into()),
        until: Some(at("2027-03-01T09:00:00Z")),
    };
    vec![
        ("payment_failed_expired_card", failed(Reason::ExpiredCard)),
        ("payment_failed_insufficient_funds", failed(Reason::InsufficientFunds)),
        ("payment_failed_authentication", failed(Reason::AuthenticationRequired)),
        ("payment_failed_hard", failed(Reason::Hard)),
        ("action_required", Letter::ActionRequired(due)),
    ]
}

fn plans() -> Vec<(&'static str, Letter)> {
    let up = PlanChanged {
        direction: Direction::Up,
        from: "Starter".into(),
        to: "Growth".into(),
        price: usd(6_900),
        interval: Interval::Month,
        renews_at: at("2027-02-28T10:00:00Z"),
    };
    let down = PlanChanged {
        direction: Direction::Down,
        from: "Growth".into(),
        to: "Starter".into(),
        price: usd(1_900),
        ..up.clone()
    };
    let yearly = PlanChanged {
        direction: Direction::Interval,
        from: "Growth".into(),
        price: usd(69_000),
        interval: Interval::Year,
        ..up.clone()
    };
    let scheduled = ChangeScheduled {
        from: "Growth".into(),
        to: "Starter".into(),
        interval: Interval::Month,
        at: at("2027-02-28T10:00:00Z"),
    };
    let ending =
        Ending { plan: "Growth".into(), at: at("2027-02-28T10:00:00Z"), then: "Free".into() };
    let standing = Standing { plan: "Growth".into(), renews_at: Some(at("2027-02-28T10:00:00Z")) };
    let lapse = Lapse { plan: "Growth".into(), now: "Free".into(), kept_until: None };
    vec![
        ("plan_changed_up", Letter::PlanChanged(up)),
        ("plan_changed_down", Letter::PlanChanged(down)),
        ("plan_changed_interval", Letter::PlanChanged(yearly)),
        ("change_scheduled", Letter::ChangeScheduled(scheduled)),
        ("change_undone", Letter::ChangeUndone(standing.clone())),
        ("cancel_scheduled", Letter::CancelScheduled(ending)),
        ("cancel_undone", Letter::CancelUndone(standing)),
        ("plan_ended", Letter::PlanEnded(lapse)),
    ]
}

fn refunds() -> Vec<(&'static str, Letter)> {
    let refund = Refund { id: "rfd_01".into(), amount: usd(4_900), note: None };
    let noted = |note: &str| Refund { note: Some(note.into()), ..refund.clone() };
    let review = RefundToReview {
        id: "rfd_01".into(),
        customer: "u_1".into(),
        amount: usd(4_900),
        reason: "It does not import our old galleries.\nWe would have needed that.".into(),
    };
    let dispute = DisputeOpened {
        id: "dp_1".into(),
        customer: Some("u_1".into()),
        amount: usd(6_900),
        reason: "product_not_received".into(),
        due_by: Some(at("2027-02-20T23:59:59Z")),
    };
    vec![
        ("refund_asked", Letter::RefundAsked(refund.clone())),
        ("refund_to_review", Letter::RefundToReview(review)),
        ("refund_approved", Letter::RefundApproved(refund.clone())),
        ("refund_rejected", Letter::RefundRejected(noted("You have used 40 GB since you paid."))),
        ("refund_paid", Letter::RefundPaid(refund.clone())),
        ("refund_failed", Letter::RefundFailed(refund)),
        ("dispute_opened", Letter::DisputeOpened(dispute)),
    ]
}
