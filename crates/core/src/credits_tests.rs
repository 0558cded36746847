use proptest::prelude::*;

use super::*;

const ORDER: [GrantSource; 3] = [GrantSource::Plan, GrantSource::Pack, GrantSource::Signup];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2027-02-10T00:00:00Z")
}

fn of(id: &str, source: GrantSource, remaining: i64, expires: Option<&str>) -> Grant {
    Grant { id: id.to_owned(), source, remaining, expires_at: expires.map(at) }
}

fn drawn(posting: &Posting) -> Vec<(&str, i64)> {
    posting.draws.iter().map(|draw| (draw.grant.as_str(), draw.amount)).collect()
}

#[test]
fn sources_are_spent_in_the_declared_order_and_the_soonest_expiry_first() {
    let grants = [
        of("grt_1", GrantSource::Signup, 10, None),
        of("grt_2", GrantSource::Pack, 10, Some("2028-01-01T00:00:00Z")),
        of("grt_3", GrantSource::Pack, 10, Some("2027-06-01T00:00:00Z")),
        of("grt_4", GrantSource::Plan, 10, None),
        of("grt_0", GrantSource::Manual, 10, None),
    ];
    let posting = spend(&grants, &ORDER, 42, now()).unwrap();
    assert_eq!(
        drawn(&posting),
        [("grt_4", 10), ("grt_3", 10), ("grt_2", 10), ("grt_1", 10), ("grt_0", 2)]
    );
}

#[test]
fn what_has_expired_is_never_spent() {
    let grants = [of("grt_1", GrantSource::Pack, 10, Some("2027-02-10T00:00:00Z"))];
    assert_eq!(spend(&grants, &ORDER, 1, now()), Err(CreditsEmpty { spendable: 0 }));
    assert_eq!(drawn(&expire(&grants, now()).unwrap()), [("grt_1", 10)]);
    assert_eq!(expire(&grants, at("2027-02-09T23:59:59Z")), None);
}

#[test]
fn too_little_spends_nothing() {
    let grants = [of("grt_1", GrantSource::Plan, 3, None), of("grt_2", GrantSource::Pack, 1, None)];
    assert_eq!(spend(&grants, &ORDER, 5, now()), Err(CreditsEmpty { spendable: 4 }));
}

#[test]
fn a_reset_ends_plan_credits_and_nothing_else() {
    let grants = [of("grt_1", GrantSource::Plan, 3, None), of("grt_2", GrantSource::Pack, 9, None)];
    let posting = end_plan_grants(&grants, OnRenewal::Reset, now()).unwrap();
    assert_eq!(drawn(&posting), [("grt_1", 3)]);
    assert_eq!((posting.from, posting.to), (Bucket::Available, Bucket::Ended));
}

#[test]
fn a_rollover_keeps_the_newest_up_to_its_cap() {
    let grants = [of("grt_1", GrantSource::Plan, 8, None), of("grt_2", GrantSource::Plan, 5, None)];
    let posting = end_plan_grants(&grants, OnRenewal::Rollover(10), now()).unwrap();
    assert_eq!(drawn(&posting), [("grt_1", 3)]);
    assert_eq!(end_plan_grants(&grants, OnRenewal::Rollover(13), now()), None);
    assert_eq!(end_plan_grants(&grants, OnRenewal::Stack, now()), None);
}

proptest! {
    #[test]
    fn a_spend_draws_exactly_its_amount_and_never_more_than_a_grant_has(
        left in prop::collection::vec(0_i64..50, 0..6), amount in 1_i64..200,
    ) {
        let grants: Vec<Grant> = left
            .iter()
            .enumerate()
            .map(|(n, left)| of(&format!("grt_{n}"), GrantSource::Pack, *left, None))
            .collect();
        match spend(&grants, &ORDER, amount, now()) {
            Err(empty) => {
                prop_assert!(empty.spendable < amount);
                prop_assert_eq!(empty.spendable, spendable(&grants, now()));
            }
            Ok(posting) => {
                let total: i64 = posting.draws.iter().map(|draw| draw.amount).sum();
                prop_assert_eq!(total, amount);
                for draw in &posting.draws {
                    let grant = grants.iter().find(|grant| grant.id == draw.grant).unwrap();
                    prop_assert!(0 < draw.amount && draw.amount <= grant.remaining);
                }
            }
        }
    }
}
