//! The order of plans: which way a move goes, what would allow more, and what has to go first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Interval;

use super::{Catalog, Feature, Limit, Overage, Unit, about_size, format_size};

/// Which way a move from one plan and interval to another goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The same plan and interval: nothing would change.
    Same,
    /// To a higher tier, whatever the interval.
    Upgrade,
    /// To a lower tier, whatever the interval.
    Downgrade,
    /// The same plan, paid for longer at once: monthly to yearly.
    LongerInterval,
    /// The same plan, paid for shorter at once: yearly to monthly.
    ShorterInterval,
}

impl Direction {
    /// Whether the move happens at once and is paid for now. The others wait for the end of the
    /// paid period, so that nothing paid is lost.
    pub fn is_immediate(self) -> bool {
        match self {
            Self::Upgrade | Self::LongerInterval => true,
            Self::Same | Self::Downgrade | Self::ShorterInterval => false,
        }
    }
}

/// More of a feature is held than a plan allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverLimitFinding {
    /// The feature's key.
    pub feature: String,
    /// How much is held.
    pub used: i64,
    /// The most that the plan allows, with overage up to its cap; less than `used`.
    pub allowed: i64,
    /// What to do, in one sentence without a full stop: "delete 2 chatbots before moving to
    /// Starter (5 used, 3 allowed)".
    pub message: String,
}

impl Catalog {
    /// The place of `plan` among the tiers, 0 the lowest; `None` when there is no such plan.
    pub fn tier(&self, plan: &str) -> Option<usize> {
        self.tiers.iter().position(|tier| tier == plan)
    }

    /// Which way a move goes, by the order of `tiers` and never by amounts. An interval is `None`
    /// on a plan without prices. Answers `None` when a plan is not in the catalog.
    ///
    /// Between tiers the interval plays no part: yearly to monthly of a higher tier is an upgrade.
    pub fn direction(
        &self,
        from: (&str, Option<Interval>),
        to: (&str, Option<Interval>),
    ) -> Option<Direction> {
        let (from_tier, to_tier) = (self.tier(from.0)?, self.tier(to.0)?);
        if from_tier < to_tier {
            return Some(Direction::Upgrade);
        }
        if to_tier < from_tier {
            return Some(Direction::Downgrade);
        }
        Some(match (from.1, to.1) {
            (Some(from), Some(to)) if from < to => Direction::LongerInterval,
            (Some(from), Some(to)) if to < from => Direction::ShorterInterval,
            _ => Direction::Same,
        })
    }

    /// The nearest plan above `from` that can be bought and would allow `needed` of `feature`.
    ///
    /// `needed` is the whole amount, what is used already included. A count or usage may go into
    /// overage up to its cap. For credits, `needed` plays no part: a plan that grants more than
    /// `from` does is better. `None` when no plan helps, or `from` or `feature` is unknown.
    pub fn upgrade_for(&self, feature: &str, needed: i64, from: &str) -> Option<&str> {
        let above = self.tiers.get(self.tier(from)? + 1..)?;
        let kind = self.features.get(feature)?;
        let allows = |key: &&String| {
            let Some(plan) = self.plans.get(*key).filter(|plan| !plan.is_free()) else {
                return false;
            };
            if matches!(kind, Feature::Credits(_)) {
                return self.plan_credits(from, feature) < self.plan_credits(key, feature);
            }
            match plan.limits.get(feature) {
                None => false,
                Some(Limit::Switch(on)) => *on,
                Some(Limit::Unlimited) => true,
                Some(Limit::Amount(limit)) => needed <= ceiling(*limit, plan.overage.get(feature)),
            }
        };
        above.iter().find(allows).map(String::as_str)
    }

    fn plan_credits(&self, plan: &str, feature: &str) -> i64 {
        let credits = self.plans.get(plan).and_then(|plan| plan.credits.get(feature));
        credits.map_or(0, |credits| credits.amount)
    }

    /// Every count feature of which `used` holds more than `plan` allows, by feature key.
    ///
    /// Usage and credits are not here: they end with their window or stay spendable. What the plan
    /// does not name is allowed 0 times; a plan that is not in the catalog allows nothing.
    pub fn over_limits(&self, plan: &str, used: &BTreeMap<String, i64>) -> Vec<OverLimitFinding> {
        let mut findings = Vec::new();
        for (key, feature) in &self.features {
            let Feature::Count { unit } = feature else { continue };
            let used = used.get(key).copied().unwrap_or(0);
            let Some(allowed) = self.held_at_most(plan, key) else { continue };
            if allowed < used {
                let name = self.plans.get(plan).map_or(plan, |plan| plan.name.as_str());
                let message = over_limit_message(key, *unit, name, used, allowed);
                findings.push(OverLimitFinding { feature: key.clone(), used, allowed, message });
            }
        }
        findings
    }

    /// The most that `plan` lets a customer hold; `None` when that is unlimited.
    fn held_at_most(&self, plan: &str, feature: &str) -> Option<i64> {
        let Some(plan) = self.plans.get(plan) else { return Some(0) };
        match plan.limits.get(feature) {
            Some(Limit::Unlimited) => None,
            Some(Limit::Amount(limit)) => Some(ceiling(*limit, plan.overage.get(feature))),
            Some(Limit::Switch(_)) | None => Some(0),
        }
    }
}

fn ceiling(limit: i64, overage: Option<&Overage>) -> i64 {
    overage.map_or(limit, |overage| overage.cap.max(limit))
}

fn over_limit_message(
    feature: &str,
    unit: Option<Unit>,
    plan: &str,
    used: i64,
    allowed: i64,
) -> String {
    let surplus = used.saturating_sub(allowed);
    let things = feature.replace('_', " ");
    match unit {
        Some(Unit::Byte) => format!(
            "free {} of {things} before moving to {plan} ({} used, {} allowed)",
            about_size(surplus),
            about_size(used),
            format_size(allowed)
        ),
        None => {
            let things = if surplus == 1 { singular(&things) } else { things };
            format!(
                "delete {surplus} {things} before moving to {plan} ({used} used, {allowed} allowed)"
            )
        }
    }
}

/// One of an English plural. Feature keys are usually plurals; one that is not stays as it is.
fn singular(things: &str) -> String {
    if let Some(stem) = things.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let long = ["sses", "xes", "ches", "shes"].iter().any(|end| things.ends_with(end));
    let stem = if long { things.strip_suffix("es") } else { things.strip_suffix('s') };
    match stem {
        Some(stem) if !stem.ends_with('s') || long => stem.to_owned(),
        _ => things.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SAMPLE, parse};
    use super::*;

    fn sample() -> Catalog {
        parse(SAMPLE).unwrap()
    }

    #[test]
    fn the_direction_is_the_tiers_and_never_the_amounts() {
        use Interval::{Month, Year};
        let catalog = sample();
        let table = [
            ("starter", Month, "growth", Month, Direction::Upgrade),
            ("starter", Year, "growth", Month, Direction::Upgrade),
            ("growth", Month, "starter", Year, Direction::Downgrade),
            ("growth", Month, "growth", Month, Direction::Same),
            ("growth", Month, "growth", Year, Direction::LongerInterval),
            ("growth", Year, "growth", Month, Direction::ShorterInterval),
        ];
        for (from, from_interval, to, to_interval, expected) in table {
            let direction = catalog.direction((from, Some(from_interval)), (to, Some(to_interval)));
            assert_eq!(direction, Some(expected), "{from} {from_interval:?} to {to}");
            // What waits costs nothing now; what is dearer at once is paid at once.
            let immediate = [Direction::Upgrade, Direction::LongerInterval].contains(&expected);
            assert_eq!(expected.is_immediate(), immediate);
        }
        assert_eq!(catalog.direction(("free", None), ("free", None)), Some(Direction::Same));
        let to_free = catalog.direction(("pro", Some(Year)), ("free", None));
        assert_eq!(to_free, Some(Direction::Downgrade));
        assert_eq!(catalog.direction(("free", None), ("gold", Some(Month))), None);
    }

    #[test]
    fn the_nearest_plan_that_allows_it_is_named() {
        let catalog = sample();
        let to = |feature, needed, from| catalog.upgrade_for(feature, needed, from);
        assert_eq!(to("chatbots", 2, "free"), Some("starter"));
        assert_eq!(to("chatbots", 4, "free"), Some("growth"));
        assert_eq!(to("chatbots", 11, "growth"), Some("pro"));
        assert_eq!(to("api_access", 1, "free"), Some("pro"));
        assert_eq!(to("messages", 60_000, "growth"), Some("pro"), "overage reaches to 100,000");
        assert_eq!(to("messages", 100_000, "growth"), Some("pro"));
        assert_eq!(to("messages", 100_001, "growth"), None);
        assert_eq!(to("ai", 1, "free"), Some("starter"));
        assert_eq!(to("ai", 1, "starter"), Some("growth"));
        for (feature, from) in [("chatbots", "pro"), ("chatbots", "gold"), ("planes", "free")] {
            assert_eq!(to(feature, 1, from), None);
        }
    }

    #[test]
    fn a_plan_that_cannot_be_bought_is_not_an_upgrade() {
        let mut catalog = sample();
        let growth = catalog.plans.get_mut("growth").unwrap();
        growth.prices.clear();
        assert_eq!(catalog.upgrade_for("chatbots", 4, "starter"), Some("pro"));
    }

    #[test]
    fn everything_above_the_lower_plan_is_named_at_once() {
        let held = [
            ("chatbots", 5),
            ("galleries", 11),
            ("storage", 13_200_000_000),
            ("messages", 1_000_000),
            ("planes", 7),
        ];
        let held = held.map(|(feature, used)| (feature.to_owned(), used)).into();
        let said: Vec<String> =
            sample().over_limits("starter", &held).into_iter().map(|found| found.message).collect();
        assert_eq!(
            said,
            [
                "delete 2 chatbots before moving to Starter (5 used, 3 allowed)",
                "delete 1 gallery before moving to Starter (11 used, 10 allowed)",
                "free 3.2 GB of storage before moving to Starter (13.2 GB used, 10 GB allowed)",
            ]
        );
        assert!(sample().over_limits("growth", &held).is_empty());
    }

    #[test]
    fn exactly_the_limit_fits_and_overage_counts_as_allowed() {
        let over = |plan: &str, feature: &str, used| {
            !sample().over_limits(plan, &[(feature.to_owned(), used)].into()).is_empty()
        };
        assert!(!over("starter", "chatbots", 3) && over("starter", "chatbots", 4));
        assert!(!over("pro", "chatbots", i64::MAX));
        assert!(!over("pro", "storage", 5_000_000_000_000));
        assert!(over("pro", "storage", 5_000_000_000_001));
        assert!(over("gold", "chatbots", 1), "an unknown plan allows nothing");
    }

    #[test]
    fn one_thing_is_named_in_the_singular() {
        for (many, one) in [
            ("chatbots", "chatbot"),
            ("galleries", "gallery"),
            ("inboxes", "inbox"),
            ("team seats", "team seat"),
            ("storage", "storage"),
            ("access", "access"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
