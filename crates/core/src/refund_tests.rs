use crate::catalog::{Catalog, SAMPLE, parse};
use crate::money::Currency;

use super::*;

fn catalog(change: impl Fn(&str) -> String) -> Catalog {
    parse(&change(SAMPLE)).unwrap()
}

fn sample() -> Catalog {
    catalog(str::to_owned)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse::<Currency>().unwrap())
}

fn used(of: &[(&str, i64)]) -> BTreeMap<String, i64> {
    of.iter().map(|(feature, n)| ((*feature).to_owned(), *n)).collect()
}

fn paid<'a>(from: &'a str, to: &'a str, usage: &'a BTreeMap<String, i64>) -> Paid<'a> {
    Paid {
        to: Some(to),
        from: Some(from),
        at: at("2027-01-31T10:00:00Z"),
        captured: usd(6_900),
        refunded: 0,
        disputed: 0,
        usage,
    }
}

const SOON: &str = "2027-02-01T00:00:00Z";

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.obstacles.iter().map(Obstacle::code).collect()
}

#[test]
fn the_window_closes_at_its_instant() {
    let (catalog, usage) = (sample(), used(&[]));
    let judged =
        |now| judge(catalog.refunds.as_ref(), &paid("free", "growth", &usage), None, at(now));
    assert_eq!(codes(&judged("2027-02-14T09:59:59Z")), [""; 0]);
    assert_eq!(codes(&judged("2027-02-14T10:00:00Z")), ["refund_window_over"]);
}

#[test]
fn the_first_rule_about_the_transition_decides_with_numbers() {
    let catalog = sample();
    let usage = used(&[("storage", 6_100_000_000), ("galleries", 5), ("chatbots", 99)]);
    let judged =
        |from, to| judge(catalog.refunds.as_ref(), &paid(from, to, &usage), None, at(SOON));
    let first = judged("free", "growth");
    assert_eq!(first.rule.as_deref(), Some("first purchase or from starter"));
    let numbers = |check: &Check| (check.feature.clone(), check.limit, check.used, check.ok);
    assert_eq!(
        first.checks.iter().map(numbers).collect::<Vec<_>>(),
        [
            ("galleries".to_owned(), 5, 5, true),
            ("storage".to_owned(), 5_000_000_000, 6_100_000_000, false)
        ]
    );
    assert_eq!(codes(&first), ["used_too_much"]);
    let to_pro = judged("growth", "pro");
    assert_eq!((to_pro.rule.as_deref(), codes(&to_pro)), (Some("to pro"), vec![]));
    let renewal = judged("growth", "growth");
    assert_eq!((renewal.rule, renewal.checks.len()), (None, 0));
}

#[test]
fn a_rule_that_names_plans_is_not_about_a_pack() {
    let (catalog, usage) = (sample(), used(&[("storage", i64::MAX)]));
    let pack = Paid { to: None, from: None, ..paid("", "", &usage) };
    let verdict = judge(catalog.refunds.as_ref(), &pack, None, at(SOON));
    assert_eq!((verdict.rule.clone(), codes(&verdict)), (None, vec![]));
}

#[test]
fn never_more_goes_back_than_is_left() {
    let (catalog, usage) = (sample(), used(&[]));
    let policy = catalog.refunds.as_ref();
    let half = Paid { refunded: 3_000, ..paid("free", "growth", &usage) };
    let judged = |paid: &Paid<'_>, wanted| judge(policy, paid, wanted, at(SOON));
    assert_eq!(judged(&half, None).amount, usd(3_900));
    assert_eq!(codes(&judged(&half, Some(usd(3_900)))), [""; 0]);
    assert_eq!(codes(&judged(&half, Some(usd(3_901)))), ["refund_too_large"]);
    let euro = Money::new(1, "EUR".parse().unwrap());
    assert_eq!(codes(&judged(&half, Some(euro))), ["refund_too_large"]);
    let all = Paid { refunded: 6_900, ..half.clone() };
    assert_eq!(codes(&judged(&all, None)), ["nothing_to_refund"]);
    let disputed = Paid { disputed: 6_900, ..all };
    let verdict = judged(&disputed, None);
    assert_eq!((verdict.refundable, codes(&verdict)), (usd(0), vec!["payment_disputed"]));
}

#[test]
fn who_has_to_agree_follows_from_review_and_amount() {
    let of = |review: &str, minor| {
        let catalog = catalog(|text| text.replace("\"always\"", &format!("{review:?}")));
        agreement(catalog.refunds.as_ref().unwrap(), usd(minor))
    };
    assert_eq!(of("always", 1), Agreement::OnePerson);
    assert_eq!(of("always", 50_000), Agreement::OnePerson);
    assert_eq!(of("always", 50_001), Agreement::TwoPeople);
    assert_eq!(of("auto", 20_000), Agreement::Nobody);
    assert_eq!(of("auto", 20_001), Agreement::OnePerson);
    assert_eq!(of("auto", 50_001), Agreement::TwoPeople);
    assert_eq!(of("never", 50_001), Agreement::Nobody);
}

#[test]
fn without_a_policy_nobody_may_have_money_back() {
    let usage = used(&[]);
    let verdict = judge(None, &paid("free", "growth", &usage), None, at(SOON));
    assert_eq!(codes(&verdict), ["no_refunds"]);
}
