//! What has to exist at a payment provider, and the keys under which it is found again.
//!
//! A lookup key names the amount. A price in use therefore never changes: a new amount is a new
//! key and a new price, and who subscribed before keeps the old one. Taking an old amount back
//! finds its old price again. The same catalog has the same keys on every machine.

use serde::Serialize;

use crate::money::{Currency, Money};
use crate::time::Interval;

use super::{Catalog, Pack, Plan};

/// One price that has to exist at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PriceSlot {
    /// What a plan costs each interval.
    Plan {
        /// The plan's key.
        plan: String,
        /// How often it is paid.
        interval: Interval,
        /// The price.
        amount: Money,
    },
    /// What a pack costs once.
    Pack {
        /// The pack's key.
        pack: String,
        /// The price.
        amount: Money,
    },
}

impl PriceSlot {
    /// The amount with its currency.
    pub fn amount(&self) -> Money {
        match self {
            Self::Plan { amount, .. } | Self::Pack { amount, .. } => *amount,
        }
    }

    /// The currency of the amount.
    pub fn currency(&self) -> Currency {
        self.amount().currency
    }

    /// The product that the price is of: `farthing_plan_growth`, `farthing_pack_ai_500`.
    pub fn product_key(&self) -> String {
        match self {
            Self::Plan { plan, .. } => format!("farthing_plan_{plan}"),
            Self::Pack { pack, .. } => format!("farthing_pack_{pack}"),
        }
    }

    /// The price itself: `farthing_growth_month_usd_6900`, and for a pack
    /// `farthing_pack_ai_500_once_usd_900`. Amounts are in minor units.
    ///
    /// Two different prices never share a key: from the end backwards it names amount, currency
    /// and interval, and only packs have the interval `once`.
    pub fn lookup_key(&self) -> String {
        let amount = self.amount();
        let currency = amount.currency.code().to_lowercase();
        match self {
            Self::Plan { plan, interval, .. } => {
                format!("farthing_{plan}_{}_{currency}_{}", interval.as_str(), amount.minor)
            }
            Self::Pack { pack, .. } => {
                format!("farthing_pack_{pack}_once_{currency}_{}", amount.minor)
            }
        }
    }
}

impl Catalog {
    /// Every price that has to exist at a provider: plans from the lowest tier, then packs. Plans
    /// without prices need nothing there.
    pub fn price_slots(&self) -> Vec<PriceSlot> {
        let plan_slots = |key: &String| {
            let plan: Option<&Plan> = self.plans.get(key);
            let prices = plan.into_iter().flat_map(|plan| &plan.prices);
            let slots = prices.flat_map(|(interval, amounts)| {
                amounts.values().map(|amount| PriceSlot::Plan {
                    plan: key.clone(),
                    interval: *interval,
                    amount: *amount,
                })
            });
            slots.collect::<Vec<_>>()
        };
        let pack_slots = |(key, pack): (&String, &Pack)| {
            let slot = |amount: &Money| PriceSlot::Pack { pack: key.clone(), amount: *amount };
            pack.price.values().map(slot).collect::<Vec<_>>()
        };
        let plans = self.tiers.iter().flat_map(plan_slots);
        plans.chain(self.packs.iter().flat_map(pack_slots)).collect()
    }

    /// The price of a plan for an interval and currency; `None` when it is not sold that way.
    pub fn plan_slot(
        &self,
        plan: &str,
        interval: Interval,
        currency: Currency,
    ) -> Option<PriceSlot> {
        let amount = self.plans.get(plan)?.price(interval, currency)?;
        Some(PriceSlot::Plan { plan: plan.to_owned(), interval, amount })
    }

    /// The price of a pack in a currency; `None` when it is not sold that way.
    pub fn pack_slot(&self, pack: &str, currency: Currency) -> Option<PriceSlot> {
        let amount = *self.packs.get(pack)?.price.get(&currency)?;
        Some(PriceSlot::Pack { pack: pack.to_owned(), amount })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{SAMPLE, parse};
    use super::*;

    #[test]
    fn every_price_of_the_sample_has_its_own_key() {
        let slots = parse(SAMPLE).unwrap().price_slots();
        let keys: Vec<String> = slots.iter().map(PriceSlot::lookup_key).collect();
        insta::assert_snapshot!(keys.join("\n"), @r"
        farthing_starter_month_eur_1800
        farthing_starter_month_usd_1900
        farthing_starter_year_eur_18000
        farthing_starter_year_usd_19000
        farthing_growth_month_eur_6400
        farthing_growth_month_usd_6900
        farthing_growth_year_eur_64000
        farthing_growth_year_usd_69000
        farthing_pro_month_eur_18500
        farthing_pro_month_usd_19900
        farthing_pro_year_eur_185000
        farthing_pro_year_usd_199000
        farthing_pack_ai_500_once_eur_850
        farthing_pack_ai_500_once_usd_900
        ");
        let products: BTreeSet<String> = slots.iter().map(PriceSlot::product_key).collect();
        let products: Vec<String> = products.into_iter().collect();
        assert_eq!(
            products,
            [
                "farthing_pack_ai_500",
                "farthing_plan_growth",
                "farthing_plan_pro",
                "farthing_plan_starter"
            ]
        );
    }

    #[test]
    fn a_new_amount_is_a_new_price_of_the_same_product() {
        let slot = |source: &str| {
            let catalog = parse(source).unwrap();
            catalog.plan_slot("growth", Interval::Month, "USD".parse().unwrap()).unwrap()
        };
        let (old, new) = (slot(SAMPLE), slot(&SAMPLE.replace("69.00", "79.00")));
        assert_ne!(old.lookup_key(), new.lookup_key());
        assert_eq!(old.product_key(), new.product_key());
    }

    #[test]
    fn a_plan_named_like_a_pack_has_other_keys() {
        let amount = Money::new(900, "USD".parse().unwrap());
        let pack = |pack: &str| PriceSlot::Pack { pack: pack.to_owned(), amount };
        let plan =
            |plan: &str, interval| PriceSlot::Plan { plan: plan.to_owned(), interval, amount };
        let slots = [
            pack("ai_month"),
            pack("ai"),
            plan("pack_ai", Interval::Month),
            plan("pack_ai_once", Interval::Month),
            plan("ai", Interval::Year),
        ];
        let keys: BTreeSet<String> = slots.iter().map(PriceSlot::lookup_key).collect();
        assert_eq!(keys.len(), slots.len());
    }

    #[test]
    fn what_is_not_sold_has_no_price() {
        let catalog = parse(SAMPLE).unwrap();
        let usd = "USD".parse().unwrap();
        assert_eq!(catalog.plan_slot("free", Interval::Month, usd), None);
        assert_eq!(catalog.plan_slot("growth", Interval::Day, usd), None);
        assert_eq!(catalog.pack_slot("ai_500", "JPY".parse().unwrap()), None);
        assert_eq!(catalog.pack_slot("ai_500", usd).unwrap().amount().minor, 900);
    }
}
