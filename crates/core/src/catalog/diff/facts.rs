//! A catalog written out as one line of text per thing that can change.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::money::{Currency, Money};
use crate::time::Interval;

use super::super::parse::in_bytes;
use super::super::{
    Catalog, CreditFeature, DunningPolicy, Feature, Limit, OnRenewal, OverLimit, Pack, Plan,
    RefundPolicy, Reset, Retries, Trial, format_size,
};

/// Where a fact is, ordered as the file is. The parts are joined with dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    section: Section,
    parts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Currencies,
    Tiers,
    Fallback,
    Features,
    Plans,
    Packs,
    Changes,
    Refunds,
    Dunning,
    Anomalies,
}

impl Section {
    fn name(self) -> &'static str {
        match self {
            Self::Currencies => "currencies",
            Self::Tiers => "tiers",
            Self::Fallback => "fallback",
            Self::Features => "features",
            Self::Plans => "plans",
            Self::Packs => "packs",
            Self::Changes => "changes",
            Self::Refunds => "refunds",
            Self::Dunning => "dunning",
            Self::Anomalies => "anomalies",
        }
    }
}

impl Place {
    /// `plans.growth.prices.month.USD`
    pub fn path(&self) -> String {
        let parts = self.parts.iter().map(String::as_str);
        std::iter::once(self.section.name()).chain(parts).collect::<Vec<_>>().join(".")
    }

    /// The plan, feature, pack or refund policy that this is, or is a part of; `None` elsewhere.
    pub fn whole(&self) -> Option<Self> {
        let depth = match self.section {
            Section::Features | Section::Plans | Section::Packs => 1,
            Section::Refunds => 0,
            _ => return None,
        };
        let parts = self.parts.iter().take(depth).cloned().collect();
        Some(Self { section: self.section, parts })
    }
}

/// What a fact is about: decides who is affected when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Currencies,
    Tiers,
    Fallback,
    Feature {
        key: String,
    },
    FeatureType {
        key: String,
    },
    FeatureDetail {
        key: String,
    },
    Plan {
        key: String,
    },
    PlanPart {
        key: String,
        part: PlanPart,
    },
    Pack,
    PackPart,
    Policy,
    Dunning,
    /// What happens when credits look wrong.
    Anomalies,
}

/// Which part of a plan a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlanPart {
    Name,
    Price,
    Limit,
    SignupCredits,
    Credits,
    Trial,
    Overage,
}

/// One thing that can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub topic: Topic,
    /// Its value, for people.
    pub text: String,
}

type Facts = BTreeMap<Place, Fact>;

/// Every fact of `catalog`.
pub(super) fn facts(catalog: &Catalog) -> Facts {
    let mut facts = Facts::new();
    let codes = catalog.currencies.iter().map(Currency::code);
    add(&mut facts, Section::Currencies, &[], Topic::Currencies, joined(codes));
    add(&mut facts, Section::Tiers, &[], Topic::Tiers, joined(&catalog.tiers));
    add(&mut facts, Section::Fallback, &[], Topic::Fallback, &catalog.fallback);
    for (key, feature) in &catalog.features {
        feature_facts(&mut facts, key, feature);
    }
    for (key, plan) in &catalog.plans {
        plan_facts(&mut facts, catalog, key, plan);
    }
    for (key, pack) in &catalog.packs {
        pack_facts(&mut facts, key, pack);
    }
    change_facts(&mut facts, catalog);
    if let Some(refunds) = &catalog.refunds {
        refund_facts(&mut facts, catalog, refunds);
    }
    dunning_facts(&mut facts, &catalog.dunning);
    let pause = catalog.anomalies.pause_spending;
    add(&mut facts, Section::Anomalies, &["pause_spending"], Topic::Anomalies, pause);
    facts
}

fn add(facts: &mut Facts, section: Section, parts: &[&str], topic: Topic, text: impl Display) {
    let parts = parts.iter().map(|part| (*part).to_owned()).collect();
    facts.insert(Place { section, parts }, Fact { topic, text: text.to_string() });
}

fn joined(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    parts.into_iter().map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}

/// The name under which a value is serialized: the word in the catalog.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(err) => err.to_string(),
    }
}

fn words<T: serde::Serialize>(values: &[T]) -> String {
    joined(values.iter().map(word))
}

fn feature_facts(facts: &mut Facts, key: &str, feature: &Feature) {
    let owned = key.to_owned();
    let name = feature.type_name();
    add(facts, Section::Features, &[key], Topic::Feature { key: owned.clone() }, name);
    add(facts, Section::Features, &[key, "type"], Topic::FeatureType { key: owned.clone() }, name);
    let mut detail = |part: &str, text: String| {
        let topic = Topic::FeatureDetail { key: owned.clone() };
        add(facts, Section::Features, &[key, part], topic, text);
    };
    match feature {
        Feature::Boolean | Feature::Value => {}
        Feature::Count { unit } => {
            if unit.is_some() {
                detail("unit", "byte".to_owned());
            }
        }
        Feature::Usage { unit, resets } => {
            if unit.is_some() {
                detail("unit", "byte".to_owned());
            }
            match resets {
                Reset::Month => detail("resets", "month".to_owned()),
                Reset::Day { timezone } => detail("resets", format!("day, {timezone}")),
            }
        }
        Feature::Credits(credits) => credit_details(credits, detail),
    }
}

fn credit_details(credits: &CreditFeature, mut detail: impl FnMut(&str, String)) {
    detail("spend", joined(credits.spend.iter().map(|source| source.as_str())));
    let costs = credits.cost.iter().map(|(operation, cost)| format!("{operation} {cost}"));
    detail("cost", joined(costs));
    detail("on_cancel", word(&credits.on_cancel));
    detail("on_outage", word(&credits.on_outage));
}

fn plan_facts(facts: &mut Facts, catalog: &Catalog, key: &str, plan: &Plan) {
    let part = |part| Topic::PlanPart { key: key.to_owned(), part };
    let mut plan_fact = |parts: &[&str], topic: Topic, text: String| {
        let parts: Vec<&str> = std::iter::once(key).chain(parts.iter().copied()).collect();
        add(facts, Section::Plans, &parts, topic, text);
    };
    plan_fact(&[], Topic::Plan { key: key.to_owned() }, summary(plan));
    plan_fact(&["name"], part(PlanPart::Name), plan.name.clone());
    for (interval, amounts) in &plan.prices {
        for (currency, amount) in amounts {
            let parts = ["prices", interval.as_str(), currency.code()];
            plan_fact(&parts, part(PlanPart::Price), amount.to_string());
        }
    }
    for (feature, limit) in &plan.limits {
        let text = limit_text(catalog, feature, *limit);
        plan_fact(&["limits", feature], part(PlanPart::Limit), text);
    }
    for (feature, credits) in &plan.signup_credits {
        plan_fact(&["signup_credits", feature], part(PlanPart::SignupCredits), credits.to_string());
    }
    for (feature, credits) in &plan.credits {
        let renewal = match credits.on_renewal {
            OnRenewal::Reset => "reset".to_owned(),
            OnRenewal::Rollover(cap) => format!("rollover up to {cap}"),
            OnRenewal::Stack => "stack".to_owned(),
        };
        let text = format!("{} every {}, {renewal}", credits.amount, credits.every.as_str());
        plan_fact(&["credits", feature], part(PlanPart::Credits), text);
    }
    if let Some(trial) = &plan.trial {
        plan_fact(&["trial"], part(PlanPart::Trial), trial_text(trial));
    }
    for (feature, overage) in &plan.overage {
        let size = |amount| amount_text(catalog, feature, amount);
        let price = amounts_text(&overage.price);
        let text = format!("{price} per {}, up to {}", size(overage.per), size(overage.cap));
        plan_fact(&["overage", feature], part(PlanPart::Overage), text);
    }
}

/// `Growth, 64.00 EUR, 69.00 USD every month`
fn summary(plan: &Plan) -> String {
    if plan.is_free() {
        return format!("{}, free", plan.name);
    }
    let price = |(interval, amounts): (&Interval, _)| {
        format!(", {} every {}", amounts_text(amounts), interval.as_str())
    };
    let prices: String = plan.prices.iter().map(price).collect();
    format!("{}{prices}", plan.name)
}

fn limit_text(catalog: &Catalog, feature: &str, limit: Limit) -> String {
    match limit {
        Limit::Switch(true) => "on".to_owned(),
        Limit::Switch(false) => "off".to_owned(),
        Limit::Unlimited => "unlimited".to_owned(),
        Limit::Amount(amount) => amount_text(catalog, feature, amount),
    }
}

fn amount_text(catalog: &Catalog, feature: &str, amount: i64) -> String {
    match catalog.features.get(feature) {
        Some(feature) if in_bytes(feature) => format_size(amount),
        _ => amount.to_string(),
    }
}

fn amounts_text(amounts: &BTreeMap<Currency, Money>) -> String {
    joined(amounts.values().map(Money::to_string))
}

fn trial_text(trial: &Trial) -> String {
    let method = if trial.payment_method_required { "required" } else { "optional" };
    let reminder = match trial.remind_days_before {
        Some(days) => format!("reminder {days} days before the end"),
        None => "no reminder".to_owned(),
    };
    let once = words(&trial.once_per);
    format!("{} days, payment method {method}, once per {once}, {reminder}", trial.days)
}

fn pack_facts(facts: &mut Facts, key: &str, pack: &Pack) {
    let mut pack_fact = |parts: &[&str], topic: Topic, text: String| {
        let parts: Vec<&str> = std::iter::once(key).chain(parts.iter().copied()).collect();
        add(facts, Section::Packs, &parts, topic, text);
    };
    pack_fact(&[], Topic::Pack, format!("{}, {}", pack.name, amounts_text(&pack.price)));
    pack_fact(&["name"], Topic::PackPart, pack.name.clone());
    for (currency, amount) in &pack.price {
        pack_fact(&["price", currency.code()], Topic::PackPart, amount.to_string());
    }
    for (feature, credits) in &pack.credits {
        pack_fact(&["credits", feature], Topic::PackPart, credits.to_string());
    }
    let expires = pack.expires.map_or("never".to_owned(), |span| span.to_string());
    pack_fact(&["expires"], Topic::PackPart, expires);
    let plans = if pack.plans.is_empty() { "all".to_owned() } else { joined(&pack.plans) };
    pack_fact(&["plans"], Topic::PackPart, plans);
}

fn change_facts(facts: &mut Facts, catalog: &Catalog) {
    let policy = &catalog.changes;
    let over_limit = match policy.over_limit {
        OverLimit::Grace(span) => format!("grace of {span}"),
        other => word(&other),
    };
    let undo = if policy.undo_cancel { "yes" } else { "no" };
    let section = Section::Changes;
    add(facts, section, &["upgrade", "proration"], Topic::Policy, word(&policy.upgrade));
    add(facts, section, &["downgrade", "over_limit"], Topic::Policy, over_limit);
    add(facts, section, &["cancel", "undo"], Topic::Policy, undo);
}

fn refund_facts(facts: &mut Facts, catalog: &Catalog, policy: &RefundPolicy) {
    let mut fact = |parts: &[&str], text: String| {
        add(facts, Section::Refunds, parts, Topic::Policy, text);
    };
    fact(&[], format!("within {}", policy.window));
    fact(&["window"], policy.window.to_string());
    fact(&["review"], word(&policy.review));
    let thresholds =
        [("auto_max", &policy.auto_max), ("second_approver_above", &policy.second_approver_above)];
    for (key, amounts) in thresholds {
        for (currency, amount) in amounts {
            fact(&[key, currency.code()], amount.to_string());
        }
    }
    let at = if policy.then.at_once { "now" } else { "at the period's end" };
    let credits = if policy.then.claw_back { "clawed back" } else { "kept" };
    fact(&["then"], format!("move to {} {at}, credits {credits}", policy.then.move_to));
    for (index, rule) in policy.rules.iter().enumerate() {
        let any = |plans: &[String]| match plans {
            [] => "any plan".to_owned(),
            plans => joined(plans),
        };
        let refused = rule.refuse_above.iter().map(|(feature, above)| {
            format!("{feature} above {}", amount_text(catalog, feature, *above))
        });
        let refused = refused.collect::<Vec<_>>().join(" or ");
        let (from, to) = (any(&rule.from), any(&rule.to));
        let text = format!("{}: from {from} to {to}, refused with {refused}", rule.name);
        fact(&[&format!("rules[{index}]")], text);
    }
}

fn dunning_facts(facts: &mut Facts, policy: &DunningPolicy) {
    let mut fact = |parts: &[&str], text: String| {
        add(facts, Section::Dunning, parts, Topic::Dunning, text);
    };
    let retries = match &policy.retries {
        Retries::Provider => "provider".to_owned(),
        Retries::After(times) => joined(times.iter().map(|time| time.to_string())),
    };
    fact(&["retries"], retries);
    let stop = if policy.stop_on_hard_decline { "stop_retrying" } else { "keep_retrying" };
    fact(&["hard_decline"], stop.to_owned());
    fact(&["email_on"], words(&policy.email_on));
    fact(&["grace", "full_access"], policy.full_access.to_string());
    fact(&["grace", "until"], policy.read_only_until.to_string());
    fact(&["give_up", "move_to"], policy.move_to.clone());
    let keep = policy.keep_data.map_or("not said".to_owned(), |span| span.to_string());
    fact(&["give_up", "keep_data"], keep);
}
