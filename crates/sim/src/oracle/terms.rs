//! What was promised: the oracle's own, short reading of the catalog file.
//!
//! The file is known to be valid: the engine refused it otherwise. What is not needed to predict
//! limits and credits is not read.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// What the catalog promises.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Where customers without a subscription are.
    pub fallback: String,
    /// Feature key to what kind it is.
    pub features: BTreeMap<String, Kind>,
    /// Plan key to what it gives.
    pub plans: BTreeMap<String, PlanTerms>,
    /// Pack key to credits, and how long they last.
    pub packs: BTreeMap<String, (BTreeMap<String, i64>, Option<Span>)>,
    /// Whether a lower plan takes its limits at once for what is held.
    pub strict: bool,
    /// Days of full access, and days until a subscription is given up, after a failed payment.
    pub dunning_days: (i64, i64),
}

/// What kind a feature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Boolean,
    /// A number.
    Value,
    /// Held.
    Count,
    /// Used up each month.
    Monthly,
    /// Used up each day; `true`: in UTC, which is all that the oracle can count.
    Daily(bool),
    /// Credits: the order of sources, and whether plan credits end with the subscription.
    Credits(Vec<String>, bool),
}

/// What a plan gives.
#[derive(Clone, Debug, Default)]
pub struct PlanTerms {
    /// Feature key to limit; `None`: unlimited.
    pub limits: BTreeMap<String, Option<i64>>,
    /// Feature key to the most with overage.
    pub caps: BTreeMap<String, i64>,
    /// Credits once at sign-up.
    pub signup: BTreeMap<String, i64>,
    /// Credits of each period.
    pub credits: BTreeMap<String, Refill>,
}

/// Credits of a period.
#[derive(Clone, Copy, Debug)]
pub struct Refill {
    /// How many.
    pub amount: i64,
    /// Whether each month, also on yearly plans.
    pub monthly: bool,
    /// How many of the old ones stay; `None`: all.
    pub keeps: Option<i64>,
}

/// A length of time.
#[derive(Clone, Copy, Debug)]
pub enum Span {
    /// Days.
    Days(i64),
    /// Months.
    Months(i64),
}

impl Span {
    /// This long after an instant in microseconds.
    pub fn after(self, at: i64) -> i64 {
        match self {
            Self::Days(n) => super::calendar::plus_days(at, n),
            Self::Months(n) => super::calendar::plus_months(at, n),
        }
    }
}

type Item<'a> = (&'a str, &'a DeValue<'a>);

impl Terms {
    /// Reads a valid catalog file. Errors: it is not one.
    pub fn read(source: &str) -> Result<Self, String> {
        let root = DeTable::parse(source).map_err(|error| error.message().to_owned())?;
        let root = DeValue::Table(root.into_inner());
        let mut terms = Self {
            fallback: text(&root, "fallback").ok_or("no fallback")?.to_owned(),
            strict: find(&root, "changes")
                .and_then(|it| find(it, "downgrade"))
                .and_then(|it| text(it, "over_limit"))
                .is_none_or(|word| word == "block"),
            dunning_days: dunning(&root),
            ..Self::default()
        };
        for (key, feature) in table(&root, "features") {
            terms.features.insert(key.to_owned(), kind(feature).ok_or("a feature without type")?);
        }
        for (key, plan) in table(&root, "plans") {
            terms.plans.insert(key.to_owned(), read_plan(plan));
        }
        for (key, pack) in table(&root, "packs") {
            let expires = text(pack, "expires").and_then(span);
            terms.packs.insert(key.to_owned(), (numbers(pack, "credits"), expires));
        }
        Ok(terms)
    }
}

fn read_plan(plan: &DeValue<'_>) -> PlanTerms {
    let mut terms = PlanTerms { signup: numbers(plan, "signup_credits"), ..PlanTerms::default() };
    for (key, limit) in table(plan, "limits") {
        match limit {
            DeValue::Boolean(false) => {}
            DeValue::Boolean(true) => drop(terms.limits.insert(key.to_owned(), Some(1))),
            DeValue::String(word) if word == "unlimited" => {
                terms.limits.insert(key.to_owned(), None);
            }
            other => drop(terms.limits.insert(key.to_owned(), amount(other))),
        }
    }
    for (key, overage) in table(plan, "overage") {
        if let Some(cap) = find(overage, "cap").and_then(amount) {
            terms.caps.insert(key.to_owned(), cap);
        }
    }
    for (key, refill) in table(plan, "credits") {
        let keeps = match find(refill, "on_renewal") {
            Some(DeValue::String(word)) if word == "stack" => None,
            Some(rule) => Some(find(rule, "rollover").and_then(amount).unwrap_or(0)),
            None => Some(0),
        };
        let monthly = text(refill, "every").is_none_or(|every| every == "month");
        let amount = find(refill, "amount").and_then(amount).unwrap_or(0);
        terms.credits.insert(key.to_owned(), Refill { amount, monthly, keeps });
    }
    terms
}

fn kind(feature: &DeValue<'_>) -> Option<Kind> {
    Some(match text(feature, "type")? {
        "boolean" => Kind::Boolean,
        "value" => Kind::Value,
        "count" => Kind::Count,
        "usage" if text(feature, "resets") == Some("month") => Kind::Monthly,
        "usage" => Kind::Daily(text(feature, "timezone").is_none_or(|zone| zone == "UTC")),
        _ => {
            let order = match find(feature, "spend") {
                Some(DeValue::Array(words)) => {
                    let words = words.iter().filter_map(|word| word.as_ref().as_str());
                    words.map(str::to_owned).collect()
                }
                _ => ["plan", "pack", "signup"].map(str::to_owned).to_vec(),
            };
            Kind::Credits(order, text(feature, "on_cancel") == Some("expire_at_period_end"))
        }
    })
}

fn dunning(root: &DeValue<'_>) -> (i64, i64) {
    let grace = find(root, "dunning").and_then(|it| find(it, "grace"));
    let days = |key| match grace.and_then(|it| text(it, key)).and_then(span) {
        Some(Span::Days(days)) => Some(days),
        _ => None,
    };
    (days("full_access").unwrap_or(7), days("until").unwrap_or(16))
}

fn find<'a>(value: &'a DeValue<'a>, key: &str) -> Option<&'a DeValue<'a>> {
    value.as_table()?.get(key).map(|found| found.as_ref())
}

fn text<'a>(value: &'a DeValue<'a>, key: &str) -> Option<&'a str> {
    find(value, key)?.as_str()
}

fn table<'a>(value: &'a DeValue<'a>, key: &str) -> Vec<Item<'a>> {
    let found = find(value, key).and_then(DeValue::as_table);
    let items = found.into_iter().flat_map(|table| table.iter());
    items.map(|(key, value)| (key.as_ref().as_ref(), value.as_ref())).collect()
}

fn numbers(value: &DeValue<'_>, key: &str) -> BTreeMap<String, i64> {
    let items = table(value, key).into_iter();
    items.filter_map(|(key, value)| Some((key.to_owned(), amount(value)?))).collect()
}

/// `2_000`, or `"10 GB"`.
fn amount(value: &DeValue<'_>) -> Option<i64> {
    if let Some(number) = value.as_integer() {
        return i64::from_str_radix(number.as_str(), number.radix()).ok();
    }
    let (number, unit) = value.as_str()?.trim().split_once(' ')?;
    let power = ["B", "KB", "MB", "GB", "TB"].iter().position(|known| *known == unit)?;
    Some(number.parse::<i64>().ok()? * 1_000_i64.pow(u32::try_from(power).ok()?))
}

/// `12 months`.
fn span(text: &str) -> Option<Span> {
    let (number, unit) = text.split_once(' ')?;
    let number: i64 = number.parse().ok()?;
    match unit.trim_end_matches('s') {
        "day" => Some(Span::Days(number)),
        "week" => Some(Span::Days(7 * number)),
        "month" => Some(Span::Months(number)),
        "year" => Some(Span::Months(12 * number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_read_as_it_is_written() {
        let terms = Terms::read(farthing_core::catalog::SAMPLE).unwrap();
        assert_eq!(terms.plans["free"].limits["storage"], Some(500_000_000));
        assert_eq!(terms.plans["pro"].limits["chatbots"], None);
        assert_eq!(terms.plans["starter"].credits["ai"].amount, 2_000);
        assert_eq!(terms.plans["starter"].credits["ai"].keeps, Some(0));
        assert_eq!(terms.plans["free"].signup["ai"], 500);
        assert_eq!(terms.features["prompts"], Kind::Daily(true));
        assert_eq!(terms.dunning_days, (7, 16));
    }

    #[test]
    fn credits_roll_over_where_the_catalog_says_so() {
        let terms = Terms::read(farthing_core::catalog::AI_CREDITS).unwrap();
        assert_eq!(terms.plans["creator"].credits["credits"].keeps, Some(3_000));
        assert_eq!(
            terms.features["credits"],
            Kind::Credits(["signup", "plan", "pack"].map(str::to_owned).to_vec(), true,)
        );
    }
}
