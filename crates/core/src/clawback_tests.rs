use proptest::prelude::*;

use super::*;

fn granted(amount: i64, left: i64, ended: i64) -> Granted {
    Granted { id: "grt_1".to_owned(), amount, left, ended, clawed: Clawed::default() }
}

/// The grant and the debt of its account after a settlement.
fn apply(grant: &Granted, debt: i64, settled: &Settlement) -> (Granted, i64) {
    let (mut next, mut owed) = (Granted { clawed: settled.clawed, ..grant.clone() }, debt);
    for posting in &settled.postings {
        assert!(0 < posting.amount);
        let drawn: i64 = posting.draws.iter().map(|draw| draw.amount).sum();
        match (posting.from, posting.to) {
            (Bucket::Available, Bucket::Clawed) => {
                assert_eq!(drawn, posting.amount);
                next.left -= posting.amount;
            }
            (Bucket::Clawed, Bucket::Available) => {
                assert_eq!(drawn, posting.amount);
                next.left += posting.amount;
            }
            (Bucket::Debt, Bucket::Clawed) => owed += posting.amount,
            (Bucket::Clawed, Bucket::Debt) => owed -= posting.amount,
            other => panic!("{other:?} is no claw-back"),
        }
    }
    (next, owed)
}

#[test]
fn a_share_is_rounded_down_and_the_whole_is_whole() {
    assert_eq!(target(10_000, 6_900, 6_900), 10_000);
    assert_eq!(target(10_000, 2_300, 6_900), 3_333);
    assert_eq!(target(10_000, 4_600, 6_900), 6_666);
    assert_eq!(target(500, 1, 900), 0);
    assert_eq!(target(500, 99_999, 900), 500, "a dispute after a refund takes nothing twice");
    assert_eq!(target(500, -1, 900), 0);
    assert_eq!(target(500, 1, 0), 0, "nothing was paid, so nothing is taken");
    assert_eq!(target(i64::MAX, i64::MAX, i64::MAX), i64::MAX);
}

#[test]
fn what_is_left_goes_first_then_what_ended_and_only_what_was_spent_is_owed() {
    let all = settle(&granted(100, 30, 20), 100, 0).unwrap();
    assert_eq!(all.clawed, Clawed { taken: 30, voided: 20, owed: 50 });
    let half = settle(&granted(100, 30, 20), 45, 0).unwrap();
    assert_eq!(half.clawed, Clawed { taken: 30, voided: 15, owed: 0 });
    let reset = settle(&granted(100, 0, 100), 100, 0).unwrap();
    assert_eq!(
        reset,
        Settlement { clawed: Clawed { taken: 0, voided: 100, owed: 0 }, postings: Vec::new() }
    );
}

#[test]
fn what_comes_back_pays_what_is_still_owed_before_it_can_be_spent() {
    let grant = Granted { clawed: Clawed { taken: 40, voided: 0, owed: 60 }, ..granted(100, 0, 0) };
    let unpaid = settle(&grant, 0, 60).unwrap();
    assert_eq!(apply(&grant, 60, &unpaid), (granted(100, 40, 0), 0));
    let paid_since = settle(&grant, 0, 0).unwrap();
    assert_eq!(apply(&grant, 0, &paid_since), (granted(100, 100, 0), 0));
}

proptest! {
    /// Refunds, disputes, their ends, spending, resets and other grants in any order: never more
    /// is taken than was granted, the debt is never negative, the target is always reached
    /// exactly, and when all money is ours again, all that was taken is back.
    #[test]
    fn whatever_happens_nothing_is_taken_twice_and_everything_comes_back(
        amount in 1_i64..1_000_000,
        captured in 1_i64..1_000_000,
        steps in prop::collection::vec((0_u8..5, 0_i64..1_000_000), 0..40),
    ) {
        let (mut grant, mut debt) = (granted(amount, amount, 0), 0);
        let mut reversed = 0;
        for (kind, n) in steps.into_iter().chain([(9, 0)]) {
            match kind {
                0 => reversed = n % (2 * captured),
                1 => grant.left -= n % (grant.left + 1),
                2 => {
                    let part = n % (grant.left + 1);
                    grant.left -= part;
                    grant.ended += part;
                }
                // Another grant pays.
                3 => debt -= n.min(debt),
                9 => reversed = 0,
                _ => {}
            }
            let goal = target(amount, reversed, captured);
            if let Some(settled) = settle(&grant, goal, debt) {
                let (next, owed) = apply(&grant, debt, &settled);
                (grant, debt) = (next, owed);
            }
            prop_assert_eq!(grant.clawed.total(), goal);
            prop_assert_eq!(settle(&grant, goal, debt), None, "the same news twice");
            prop_assert!(0 <= debt && 0 <= grant.left);
            let Clawed { taken, voided, owed } = grant.clawed;
            prop_assert!(0 <= taken && 0 <= voided && 0 <= owed);
            prop_assert!(voided <= grant.ended);
            prop_assert!(grant.left + grant.ended + taken <= amount);
            let spent = amount - grant.left - grant.ended - taken;
            prop_assert!(owed <= spent, "nobody owes what was not spent");
        }
        prop_assert_eq!((grant.clawed, debt), (Clawed::default(), 0));
    }

    /// The parts of a payment take exactly what the whole would have taken.
    #[test]
    fn partial_refunds_add_up_to_the_whole(
        amount in 1_i64..1_000_000,
        parts in prop::collection::vec(1_i64..10_000, 1..20),
        left in 0_i64..1_000_000,
    ) {
        let captured: i64 = parts.iter().sum();
        let whole = granted(amount, left.min(amount), 0);
        let at_once = apply(&whole, 0, &settle(&whole, amount, 0).unwrap());
        let (mut grant, mut debt, mut reversed) = (whole, 0, 0);
        for part in parts {
            reversed += part;
            if let Some(settled) = settle(&grant, target(amount, reversed, captured), debt) {
                (grant, debt) = apply(&grant, debt, &settled);
            }
        }
        prop_assert_eq!((grant, debt), at_once);
    }
}
