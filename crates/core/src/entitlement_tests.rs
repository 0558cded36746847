use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn count(limit: Option<i64>, used: i64) -> Entitlement {
    Entitlement {
        kind: Kind::Count,
        source: Some(Source::Plan),
        limit,
        cap: None,
        used,
        reserved: 0,
        floor_used: 0,
        window: None,
        anchor: at("2027-01-31T00:00:00Z"),
        epoch: 0,
        access: Access::Full,
    }
}

fn messages(limit: i64, used: i64) -> Entitlement {
    let month = Period { start: at("2027-01-31T00:00:00Z"), end: at("2027-02-28T00:00:00Z") };
    Entitlement {
        kind: Kind::Usage(Window::Month),
        window: Some(month),
        ..count(Some(limit), used)
    }
}

const NOW: &str = "2027-02-10T00:00:00Z";

#[test]
fn the_last_unit_is_taken_and_the_next_one_refused() {
    let last = count(Some(5), 4).take(1, at(NOW));
    assert_eq!((last.code, last.next.used), (Code::Ok, 5));
    let next = last.next.take(1, at(NOW));
    assert_eq!((next.code, next.next.used), (Code::LimitReached, 5));
}

#[test]
fn an_amount_is_taken_whole_or_not_at_all() {
    let decision = count(Some(5), 4).take(2, at(NOW));
    assert_eq!((decision.code, decision.next.used), (Code::LimitReached, 4));
}

#[test]
fn what_is_reserved_is_not_there_for_others() {
    let reserved = Entitlement { reserved: 1, ..count(Some(5), 4) };
    assert_eq!(reserved.take(1, at(NOW)).code, Code::LimitReached);
}

#[test]
fn a_feature_outside_the_plan_says_so() {
    let absent = Entitlement { source: None, limit: Some(0), ..count(None, 0) };
    assert_eq!(absent.take(1, at(NOW)).code, Code::NotInPlan);
    assert_eq!(absent.remaining(), Some(0));
}

#[test]
fn a_window_starts_again_at_its_end_and_not_before() {
    let full = messages(100, 100);
    assert_eq!(full.take(1, at("2027-02-27T23:59:59.999999Z")).code, Code::LimitReached);
    let taken = full.take(1, at("2027-02-28T00:00:00Z"));
    assert_eq!((taken.code, taken.next.used, taken.next.epoch), (Code::Ok, 1, 1));
    assert_eq!(taken.next.window.unwrap().end, at("2027-03-31T00:00:00Z"));
}

#[test]
fn a_long_sleep_is_one_new_window_and_not_many() {
    let woken = messages(100, 100).at(at("2027-08-15T00:00:00Z"));
    assert_eq!((woken.used, woken.epoch), (0, 1));
    assert_eq!(woken.window.unwrap().start, at("2027-07-31T00:00:00Z"));
}

#[test]
fn overage_is_allowed_up_to_its_cap_and_never_beyond() {
    let plan = Entitlement { cap: Some(7), ..count(Some(5), 5) };
    let over = plan.take(2, at(NOW));
    assert_eq!((over.code, over.next.used), (Code::Overage, 7));
    assert_eq!(over.next.take(1, at(NOW)).code, Code::OverageCap);
}

#[test]
fn reading_stays_when_payments_are_overdue_and_taking_does_not() {
    let late = Entitlement { access: Access::ReadOnly, ..count(Some(5), 1) };
    assert_eq!(late.take(1, at(NOW)).code, Code::ReadOnly);
    assert_eq!(late.give_back(1).used, 0);
}

#[test]
fn giving_back_stops_at_zero_and_lowers_the_floor() {
    let held = Entitlement { floor_used: 9, ..count(Some(3), 9) };
    let less = held.give_back(2);
    assert_eq!((less.used, less.floor_used), (7, 7));
    assert_eq!(less.give_back(100).used, 0);
}

#[test]
fn what_is_reserved_stays_when_held_units_are_set_or_given_back() {
    let held = Entitlement { reserved: 2, floor_used: 9, ..count(Some(3), 7) };
    for next in [held.give_back(1), held.set_held(6)] {
        assert_eq!((next.used, next.reserved, next.floor_used), (6, 2, 8));
    }
}

#[test]
fn unlimited_ends_where_numbers_do() {
    let full = count(None, i64::MAX - 5);
    assert_eq!(full.take(6, at(NOW)).code, Code::LimitReached);
    assert_eq!(full.take(5, at(NOW)).next.used, i64::MAX);
}

#[test]
fn a_count_above_a_lowered_limit_cannot_grow() {
    let lowered = count(Some(3), 5);
    assert_eq!(lowered.take(1, at(NOW)).code, Code::LimitReached);
    assert_eq!(lowered.remaining(), Some(0));
}

#[test]
fn a_value_is_compared_and_not_used_up() {
    let value = Entitlement { kind: Kind::Value, ..count(Some(3), 0) };
    assert_eq!((value.take(3, at(NOW)).code, value.take(3, at(NOW)).next.used), (Code::Ok, 0));
    assert_eq!(value.take(4, at(NOW)).code, Code::LimitReached);
}

#[test]
fn a_paid_change_of_plan_starts_a_new_window_with_nothing_used() {
    let changed = messages(100, 100).restarted(at(NOW), at(NOW));
    assert_eq!((changed.used, changed.epoch), (0, 1));
    assert_eq!(changed.window, Some(Period { start: at(NOW), end: at("2027-03-10T00:00:00Z") }));
}

proptest! {
    #[test]
    fn no_sequence_of_calls_crosses_the_limit(
        limit in 0_i64..20, calls in prop::collection::vec((any::<bool>(), 1_i64..5), 0..60),
    ) {
        let mut entitlement = count(Some(limit), 0);
        for (take, amount) in calls {
            entitlement = match take {
                true => entitlement.take(amount, at(NOW)).next,
                false => entitlement.give_back(amount),
            };
            prop_assert!(0 <= entitlement.used && entitlement.used <= limit);
        }
    }

    #[test]
    fn huge_amounts_are_refused_and_never_wrap(used in 0_i64..AMOUNT_MAX) {
        let decision = count(Some(AMOUNT_MAX), used).take(AMOUNT_MAX, at(NOW));
        prop_assert!(used == 0 || decision.code == Code::LimitReached);
    }
}
