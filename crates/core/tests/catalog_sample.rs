//! The sample catalog, value by value.

use farthing_core::catalog::{
    Catalog, Feature, Limit, OnRenewal, Reset, Retries, SAMPLE, Unit, parse,
};
use farthing_core::time::Interval;

fn sample() -> Catalog {
    parse(SAMPLE).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn the_sample_is_read_completely() {
    let catalog = sample();
    assert_eq!(catalog.tiers, ["free", "starter", "growth", "pro"]);
    assert_eq!(catalog.fallback, "free");
    assert_eq!(catalog.features["storage"], Feature::Count { unit: Some(Unit::Byte) });
    let utc = Reset::Day { timezone: "UTC".to_owned() };
    assert_eq!(catalog.features["prompts"], Feature::Usage { unit: None, resets: utc });
    let growth = &catalog.plans["growth"];
    let price = growth.price(Interval::Month, "USD".parse().unwrap()).unwrap();
    assert_eq!(price.to_string(), "69.00 USD");
    assert_eq!(growth.limits["chatbots"], Limit::Amount(10));
    assert_eq!(growth.credits["ai"].amount, 10_000);
    assert_eq!(growth.credits["ai"].on_renewal, OnRenewal::Reset);
    let pro = &catalog.plans["pro"];
    assert_eq!(pro.limits["chatbots"], Limit::Unlimited);
    assert_eq!(pro.limits["storage"], Limit::Amount(1_000_000_000_000));
    assert_eq!(pro.limits["white_label"], Limit::Switch(true));
    assert_eq!(pro.overage["storage"].cap, 5_000_000_000_000);
    assert_eq!(catalog.plans["free"].signup_credits["ai"], 500);
    assert!(catalog.plans["free"].is_free());
    assert_eq!(catalog.plans["starter"].trial.as_ref().unwrap().days, 7);
    assert_eq!(catalog.packs["ai_500"].expires.unwrap().to_string(), "12 months");
    let rules = &catalog.refunds.as_ref().unwrap().rules;
    assert_eq!(rules[0].refuse_above["storage"], 5_000_000_000);
    assert_eq!(rules[0].refuse_above["galleries"], 5);
    assert!(matches!(&catalog.dunning.retries, Retries::After(times) if times.len() == 4));
}
