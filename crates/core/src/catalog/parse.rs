//! Reading a catalog file: the top level, and the names that sections refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::money::Currency;

use super::error::{CatalogError, MAX_ERRORS, Report, nearest, shown};
use super::reader::{Node, Section};
use super::{Catalog, Feature, Unit, features, packs, plans, policies};

/// The longest file that is read, in bytes.
pub const MAX_SOURCE_BYTES: usize = 1_000_000;

const SECTIONS: [&str; 11] = [
    "schema",
    "currencies",
    "tiers",
    "fallback",
    "features",
    "plans",
    "packs",
    "changes",
    "refunds",
    "dunning",
    "anomalies",
];

/// Reads a whole catalog file.
///
/// `[packs]`, `[changes]`, `[refunds]`, `[dunning]` and `[anomalies]` may be left out: then there are
/// no packs and no refund policy, changes and dunning are as [`super::ChangePolicy::default`] and
/// [`super::DunningPolicy::when_absent`] say, and anomalies pause nothing.
///
/// Errors: every mistake in the file at once (the first [`MAX_ERRORS`]), in file order. While the TOML itself is broken,
/// mistakes that may only follow from that are left out.
pub fn parse(source: &str) -> Result<Catalog, Vec<CatalogError>> {
    let mut report = Report::new(source);
    if MAX_SOURCE_BYTES < source.len() {
        let message = format!("the catalog is larger than {MAX_SOURCE_BYTES} bytes");
        let fix = "write a smaller one; nothing of this one was read";
        report.add("catalog_too_large", &(0..0), message, fix);
        return Err(report.finish(&[]));
    }
    let (root, mistakes) = DeTable::parse_recoverable(source);
    let mut syntax = Vec::new();
    for mistake in mistakes.iter().take(MAX_ERRORS) {
        let at = mistake.span().unwrap_or(source.len()..source.len());
        report_syntax(mistake.message(), &at, &mut report);
        syntax.push(at);
    }
    let root = DeValue::Table(root.into_inner());
    let catalog = catalog(&Node::root(&root), &mut report);
    let errors = report.finish(&syntax);
    match catalog {
        Some(catalog) if errors.is_empty() => Ok(catalog),
        _ => Err(errors),
    }
}

fn report_syntax(message: &str, at: &Range<usize>, report: &mut Report<'_>) {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let fix = match (what, expected) {
        ("duplicate key", _) => "keep one of them".to_owned(),
        ("string values must be quoted" | "invalid boolean", _) => {
            "put quotes around text; write true and false without them".to_owned()
        }
        (_, "" | "nothing") => "correct or remove it".to_owned(),
        (_, expected) => format!("write {expected} here"),
    };
    report.add("catalog_syntax", at, what, fix);
}

fn catalog(root: &Node<'_>, report: &mut Report<'_>) -> Option<Catalog> {
    let section = root.table(report)?;
    if section.nodes.is_empty() {
        let fix = "`farthing init` writes a sample to start from";
        report.add("catalog_empty", &(0..0), "the catalog is empty", fix);
        return None;
    }
    root.section(&SECTIONS, report);
    schema(&section, report);
    let currencies = section.get("currencies", "currencies = [\"USD\"]", report);
    let currencies = currencies.and_then(|node| read_currencies(node, report));
    let features = section.get("features", "[features]", report);
    let features = features.map(|node| features::read(node, report));
    let plans = section.get("plans", "[plans.free]", report);
    let mut known =
        Known { currencies, plans: plans.and_then(priced_plans), features, fallback: None };
    let tiers = section.get("tiers", "tiers = [\"free\", \"growth\"]", report);
    let tiers = tiers.and_then(|node| read_tiers(node, plans, &known, report));
    let fallback = section.get("fallback", "fallback = \"free\"", report);
    known.fallback = fallback.and_then(|node| known.free_plan(node, "the fallback", report));
    let plans = plans.map(|node| plans::read(node, &known, report));
    let packs = section.find("packs").map(|node| packs::read(node, &known, report));
    let changes = policies::changes(section.find("changes"), report);
    let refunds = section.find("refunds").map(|node| policies::refunds(node, &known, report));
    let dunning = policies::dunning(section.find("dunning"), &known, report);
    let anomalies = policies::anomalies(section.find("anomalies"), report);
    Some(Catalog {
        currencies: known.currencies?,
        tiers: tiers?,
        fallback: known.fallback?,
        features: known
            .features?
            .into_iter()
            .map(|(key, feature)| Some((key, feature?)))
            .collect::<Option<_>>()?,
        plans: plans?,
        packs: packs.unwrap_or_default(),
        changes: changes?,
        refunds: match refunds {
            None => None,
            Some(refunds) => Some(refunds?),
        },
        dunning: dunning?,
        anomalies: anomalies?,
    })
}

fn schema(section: &Section<'_>, report: &mut Report<'_>) {
    let Some(node) = section.get("schema", "schema = 1", report) else { return };
    if node.integer(0..=i64::MAX, report).is_some_and(|schema| schema != 1) {
        let message = "this version of Farthing does not know that schema";
        report.add("catalog_schema", &node.at, message, "write schema = 1");
    }
}

fn read_currencies(node: &Node<'_>, report: &mut Report<'_>) -> Option<Vec<Currency>> {
    let texts = node.texts("[\"USD\"]", report)?;
    if texts.is_empty() {
        node.empty("at least one currency, such as [\"USD\"]", report);
        return None;
    }
    let mut currencies = Some(Vec::new());
    for (node, text) in texts {
        match text.parse::<Currency>() {
            Ok(currency) => {
                if let Some(currencies) = &mut currencies {
                    currencies.push(currency);
                }
            }
            Err(_) => {
                unknown_currency(text, &node.at, report);
                currencies = None;
            }
        }
    }
    currencies
}

fn unknown_currency(text: &str, at: &Range<usize>, report: &mut Report<'_>) {
    const COMMON: [&str; 12] =
        ["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "INR"];
    let what = "an ISO 4217 currency";
    match nearest(text, &COMMON) {
        Some(_) => report.add_unknown("catalog_unknown_currency", at, what, text, COMMON),
        None => report.add(
            "catalog_unknown_currency",
            at,
            format!("`{}` is not {what}", shown(text)),
            "write its three capital letters, such as \"USD\"",
        ),
    }
}

/// Plan keys in file order, and whether each has prices.
fn priced_plans(node: &Node<'_>) -> Option<BTreeMap<String, bool>> {
    let mut unheard = Report::new("");
    let plans = node.table(&mut unheard)?;
    let priced = plans.nodes.iter().map(|node| {
        let plan = node.table(&mut unheard);
        (node.key.to_owned(), plan.is_some_and(|plan| plan.find("prices").is_some()))
    });
    Some(priced.collect())
}

/// Every plan is in `tiers` once, and every tier is a plan.
fn read_tiers(
    node: &Node<'_>,
    plans: Option<&Node<'_>>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let texts = node.texts("[\"free\", \"growth\"]", report)?;
    if texts.is_empty() {
        node.empty("every plan, from the lowest to the highest", report);
    }
    let tiers: Vec<Option<String>> =
        texts.iter().map(|(node, text)| known.plan(text, node, report)).collect();
    let listed: BTreeSet<&str> = texts.iter().map(|(_, text)| *text).collect();
    let plans = plans.and_then(|plans| plans.table(&mut Report::new("")));
    for plan in plans.map(|plans| plans.nodes).unwrap_or_default() {
        if !listed.contains(plan.key) {
            let message = format!("the plan `{}` is not in `tiers`", shown(plan.key));
            let fix = "add it to `tiers`, between the plans below and above it";
            report.add("catalog_plan_not_in_tiers", &plan.key_at, message, fix);
        }
    }
    tiers.into_iter().collect()
}

/// The names that a catalog declares. `None` where the declaration itself is missing or broken:
/// then nothing that refers to it is called wrong.
pub(super) struct Known {
    /// In declared order.
    pub currencies: Option<Vec<Currency>>,
    /// Plan keys, and whether each has prices.
    pub plans: Option<BTreeMap<String, bool>>,
    /// Feature keys; `None` for a feature that is itself wrong.
    pub features: Option<BTreeMap<String, Option<Feature>>>,
    /// Where customers without a subscription land.
    pub fallback: Option<String>,
}

impl Known {
    /// The currency that is `node`'s key, if it is declared.
    pub fn currency(&self, node: &Node<'_>, report: &mut Report<'_>) -> Option<Currency> {
        let parsed = node.key.parse::<Currency>().ok();
        let Some(declared) = &self.currencies else {
            if parsed.is_none() {
                unknown_currency(node.key, &node.key_at, report);
            }
            return parsed;
        };
        if parsed.is_some_and(|currency| declared.contains(&currency)) {
            return parsed;
        }
        let what = "one of the declared `currencies`";
        let codes = declared.iter().map(Currency::code);
        report.add_unknown("catalog_undeclared_currency", &node.key_at, what, node.key, codes);
        None
    }

    /// The plan of that name.
    pub fn plan(&self, name: &str, node: &Node<'_>, report: &mut Report<'_>) -> Option<String> {
        let plans = self.plans.as_ref()?;
        if plans.contains_key(name) {
            return Some(name.to_owned());
        }
        let known = plans.keys().map(String::as_str);
        report.add_unknown("catalog_unknown_plan", &node.at, "a plan", name, known);
        None
    }

    /// A plan without prices, for customers who do not pay. `role` is what messages call it.
    pub fn free_plan(
        &self,
        node: &Node<'_>,
        role: &str,
        report: &mut Report<'_>,
    ) -> Option<String> {
        let plan = self.plan(node.text("free", report)?, node, report)?;
        if self.is_priced(&plan) {
            let message = format!("{role} `{plan}` has a price, and nobody would have paid it");
            report.add("catalog_fallback_priced", &node.at, message, "name a plan without prices");
            return None;
        }
        Some(plan)
    }

    /// Whether people pay for that plan.
    pub fn is_priced(&self, plan: &str) -> bool {
        self.plans.as_ref().and_then(|plans| plans.get(plan)).is_some_and(|priced| *priced)
    }

    /// A list of plans, none twice.
    pub fn plan_list(&self, node: &Node<'_>, report: &mut Report<'_>) -> Option<Vec<String>> {
        let texts = node.texts("[\"growth\"]", report)?;
        let plans: Vec<Option<String>> =
            texts.iter().map(|(node, text)| self.plan(text, node, report)).collect();
        plans.into_iter().collect()
    }

    /// The feature that is `node`'s key. `None` also when that feature is itself wrong.
    pub fn feature(&self, node: &Node<'_>, report: &mut Report<'_>) -> Option<&Feature> {
        let features = self.features.as_ref()?;
        let Some(feature) = features.get(node.key) else {
            let known = features.keys().map(String::as_str);
            report.add_unknown(
                "catalog_unknown_feature",
                &node.key_at,
                "a feature",
                node.key,
                known,
            );
            return None;
        };
        feature.as_ref()
    }

    /// The key of a credit feature that is `node`'s key.
    pub fn credit_feature(&self, node: &Node<'_>, report: &mut Report<'_>) -> Option<String> {
        let feature = self.feature(node, report)?;
        if matches!(feature, Feature::Credits(_)) {
            return Some(node.key.to_owned());
        }
        let message = format!("`{}` is a {} feature, not credits", node.key, feature.type_name());
        let fix = "name a feature with type = \"credits\"";
        report.add("catalog_not_credits", &node.key_at, message, fix);
        None
    }
}

/// Whether a feature is counted in bytes, so that sizes are understood.
pub(super) fn in_bytes(feature: &Feature) -> bool {
    matches!(
        feature,
        Feature::Count { unit: Some(Unit::Byte) } | Feature::Usage { unit: Some(Unit::Byte), .. }
    )
}
