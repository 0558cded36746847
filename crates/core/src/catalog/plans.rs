//! `[plans]`: what can be subscribed to.

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::money::{Currency, Money};
use crate::time::Interval;

use super::error::{Report, shown};
use super::packs::credit_amounts;
use super::parse::{Known, in_bytes};
use super::reader::{MOST, Node};
use super::{Feature, Limit, OnRenewal, Overage, Plan, PlanCredits, Trial, TrialClaim};

const KEYS: [&str; 7] =
    ["name", "prices", "limits", "signup_credits", "credits", "trial", "overage"];

/// Reads every plan. Only `name` is needed: a plan without `prices` is free, and what `limits`
/// does not name is not in the plan.
pub(super) fn read(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> BTreeMap<String, Plan> {
    let section = node.named("a plan", report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    nodes
        .iter()
        .filter_map(|node| Some((node.key.to_owned(), plan(node, known, report)?)))
        .collect()
}

fn plan(node: &Node<'_>, known: &Known, report: &mut Report<'_>) -> Option<Plan> {
    let section = node.section(&KEYS, report)?;
    let name = section.get("name", "name = \"Growth\"", report);
    let name = name.and_then(|node| node.title(report));
    let prices = match section.find("prices") {
        None => Some(BTreeMap::new()),
        Some(node) => prices(node, known, report),
    };
    if section.find("prices").is_none() {
        for key in ["credits", "trial", "overage"] {
            if let Some(node) = section.find(key) {
                needs_price(key, node, report);
            }
        }
    }
    let limits = section.find("limits").map(|node| limits(node, known, report)).unwrap_or_default();
    let signup_credits = match section.find("signup_credits") {
        None => Some(BTreeMap::new()),
        Some(node) => credit_amounts(node, known, report),
    };
    let credits =
        section.find("credits").map(|node| credits(node, known, report)).unwrap_or_default();
    let trial = match section.find("trial") {
        None => Some(None),
        Some(node) => trial(node, report).map(Some),
    };
    let overage = section
        .find("overage")
        .map(|node| overages(node, &limits, known, report))
        .unwrap_or_default();
    Some(Plan {
        name: name?,
        prices: prices?,
        limits,
        signup_credits: signup_credits?,
        credits,
        trial: trial?,
        overage,
    })
}

/// What only a paid subscription can have.
fn needs_price(key: &str, node: &Node<'_>, report: &mut Report<'_>) {
    let (why, fix) = match key {
        "credits" => ("each paid period grants them", "use `signup_credits`, or add `prices`"),
        "trial" => ("it is of a plan that is paid for", "remove it, or add `prices`"),
        _ => ("it goes on the subscription's invoice", "remove it, or add `prices`"),
    };
    let message = format!("`{}` needs a price: {why}", node.path);
    report.add("catalog_price_missing", &node.key_at, message, fix);
}

fn prices(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<BTreeMap<Interval, BTreeMap<Currency, Money>>> {
    let section = node.section(&["month", "year"], report)?;
    if section.nodes.is_empty() {
        node.empty("month or year; a plan that costs nothing has no `prices`", report);
    }
    let mut prices = BTreeMap::new();
    for (key, interval) in [("month", Interval::Month), ("year", Interval::Year)] {
        let price = section.find(key).and_then(|node| node.money(known, false, report));
        prices.extend(price.map(|price| (interval, price)));
    }
    (!prices.is_empty()).then_some(prices)
}

fn limits(node: &Node<'_>, known: &Known, report: &mut Report<'_>) -> BTreeMap<String, Limit> {
    let section = node.table(report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    let mut limits = BTreeMap::new();
    for node in &nodes {
        let Some(feature) = known.feature(node, report) else { continue };
        let limit = limit(node, feature, report);
        limits.extend(limit.map(|limit| (node.key.to_owned(), limit)));
    }
    limits
}

fn limit(node: &Node<'_>, feature: &Feature, report: &mut Report<'_>) -> Option<Limit> {
    let wanted = match (feature, node.value()) {
        (Feature::Boolean, DeValue::Boolean(on)) => return Some(Limit::Switch(*on)),
        (Feature::Boolean, _) => ("true or false", "write true or false".to_owned()),
        (Feature::Credits(_), _) => {
            let fix = "grant them under `credits` or `signup_credits` of the plan";
            let message = format!("`{}` is a credit feature, which has no limit", node.key);
            report.add("catalog_limit_kind", &node.key_at, message, fix);
            return None;
        }
        (_, DeValue::String(text)) if text == "unlimited" => return Some(Limit::Unlimited),
        (_, DeValue::String(text)) if !in_bytes(feature) && is_word(text) => {
            ("a number", "write a whole number or \"unlimited\"".to_owned())
        }
        (_, DeValue::String(_) | DeValue::Integer(_)) => {
            return node.amount_of(in_bytes(feature), 0, report).map(Limit::Amount);
        }
        _ => ("a number", "write a whole number or \"unlimited\"".to_owned()),
    };
    let (wanted, fix) = wanted;
    let written = report.written(&node.at);
    let message = format!(
        "`{}` is a {} feature, limited by {wanted}, not by {written}",
        node.key,
        feature.type_name()
    );
    report.add("catalog_limit_kind", &node.at, message, fix);
    None
}

fn is_word(text: &str) -> bool {
    !text.starts_with(|char: char| char.is_ascii_digit())
}

fn credits(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> BTreeMap<String, PlanCredits> {
    let section = node.table(report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    let mut all = BTreeMap::new();
    for node in &nodes {
        let feature = known.credit_feature(node, report);
        if let (Some(feature), Some(credits)) = (feature, plan_credits(node, report)) {
            all.insert(feature, credits);
        }
    }
    all
}

/// Left out, `every` is month and `on_renewal` is reset.
fn plan_credits(node: &Node<'_>, report: &mut Report<'_>) -> Option<PlanCredits> {
    let section = node.section(&["amount", "every", "on_renewal"], report)?;
    let amount = section.get("amount", "amount = 2_000", report);
    let amount = amount.and_then(|node| node.integer(1..=MOST, report));
    let intervals = [("month", Interval::Month), ("year", Interval::Year), ("day", Interval::Day)];
    let every = match section.find("every") {
        None => Some(Interval::Month),
        Some(node) => node.word(&intervals, report),
    };
    let on_renewal = match section.find("on_renewal") {
        None => Some(OnRenewal::Reset),
        Some(node) => on_renewal(node, report),
    };
    Some(PlanCredits { amount: amount?, every: every?, on_renewal: on_renewal? })
}

fn on_renewal(node: &Node<'_>, report: &mut Report<'_>) -> Option<OnRenewal> {
    match node.value() {
        DeValue::String(text) if text == "rollover" => {
            let fix = "write { rollover = 5_000 }: the most that may stay";
            report.add("catalog_rollover_cap", &node.at, "`rollover` needs a cap", fix);
            None
        }
        DeValue::String(_) => {
            node.word(&[("reset", OnRenewal::Reset), ("stack", OnRenewal::Stack)], report)
        }
        DeValue::Table(_) => {
            let section = node.section(&["rollover"], report)?;
            let cap = section.get("rollover", "rollover = 5_000", report)?;
            cap.integer(1..=MOST, report).map(OnRenewal::Rollover)
        }
        _ => {
            let example = "\"reset\", \"stack\" or { rollover = 5_000 }";
            node.wrong_type("a word or a rollover", example, report);
            None
        }
    }
}

/// Left out, `payment_method` is required, `once_per` is customer, and nobody is reminded.
fn trial(node: &Node<'_>, report: &mut Report<'_>) -> Option<Trial> {
    /// Stripe takes no longer ones.
    ///
    /// Source: <https://docs.stripe.com/billing/subscriptions/trials>.
    const MOST_DAYS: i64 = 730;
    let known = ["days", "payment_method", "once_per", "remind_days_before"];
    let section = node.section(&known, report)?;
    let days = section.get("days", "days = 7", report);
    let days = days.and_then(|node| node.integer(1..=MOST_DAYS, report));
    let required = match section.find("payment_method") {
        None => Some(true),
        Some(node) => node.word(&[("required", true), ("optional", false)], report),
    };
    let claims = [
        ("customer", TrialClaim::Customer),
        ("card", TrialClaim::Card),
        ("email", TrialClaim::Email),
        ("device", TrialClaim::Device),
    ];
    let once_per = match section.find("once_per") {
        None => Some(vec![TrialClaim::Customer]),
        Some(node) => node.words(&claims, false, report),
    };
    let remind = match section.find("remind_days_before") {
        None => Some(None),
        Some(node) => {
            let latest = days.unwrap_or(MOST_DAYS).max(1);
            node.integer(1..=latest, report).map(Some)
        }
    };
    Some(Trial {
        days: days?,
        payment_method_required: required?,
        once_per: once_per?,
        remind_days_before: remind?,
    })
}

fn overages(
    node: &Node<'_>,
    limits: &BTreeMap<String, Limit>,
    known: &Known,
    report: &mut Report<'_>,
) -> BTreeMap<String, Overage> {
    let section = node.table(report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    let mut all = BTreeMap::new();
    for node in &nodes {
        let Some(feature) = known.feature(node, report) else { continue };
        if !matches!(feature, Feature::Count { .. } | Feature::Usage { .. }) {
            let message = format!(
                "`{}` is a {} feature, which has no overage",
                node.key,
                feature.type_name()
            );
            let fix = "remove it; only count and usage features have overage";
            report.add("catalog_overage_kind", &node.key_at, message, fix);
            continue;
        }
        let limit = limits.get(node.key).copied();
        let overage = overage(node, in_bytes(feature), limit, known, report);
        all.extend(overage.map(|overage| (node.key.to_owned(), overage)));
    }
    all
}

fn overage(
    node: &Node<'_>,
    bytes: bool,
    limit: Option<Limit>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<Overage> {
    let section = node.section(&["per", "price", "cap"], report)?;
    let per = section.get("per", "per = 1_000", report);
    let per = per.and_then(|node| node.amount_of(bytes, 1, report));
    let price = section.get("price", "price = { USD = \"5.00\" }", report);
    let price = price.and_then(|node| node.money(known, false, report));
    let cap = section.get("cap", "cap = 100_000", report);
    let cap_at = cap.map(|node| node.at.clone());
    let cap = cap.and_then(|node| node.amount_of(bytes, 1, report));
    let limit = match limit {
        Some(Limit::Amount(limit)) => limit,
        Some(_) => {
            let message = format!("`{}` is unlimited in this plan: there is no overage", node.key);
            report.add("catalog_overage_unlimited", &node.key_at, message, "remove the overage");
            return None;
        }
        None => {
            let message = format!("`{}` has no limit in this plan to go beyond", shown(node.key));
            let fix = format!("add `{} = 0` or more to `limits`", shown(node.key));
            report.add("catalog_overage_unlimited", &node.key_at, message, fix);
            return None;
        }
    };
    if let (Some(cap), Some(at)) = (cap, cap_at)
        && cap <= limit
    {
        let message = format!("`{}.cap` is not above the plan's limit", node.path);
        let fix = "write the most that can be used in all, the plan's limit included";
        report.add("catalog_overage_cap", &at, message, fix);
        return None;
    }
    Some(Overage { per: per?, price: price?, cap: cap? })
}
