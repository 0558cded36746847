//! `[packs]`: credits that are bought once.

use std::collections::BTreeMap;

use super::Pack;
use super::error::Report;
use super::parse::Known;
use super::reader::{MOST, Node};

/// Reads every pack; a catalog may have none. A pack without `expires` lasts for good, one
/// without `plans` is for everyone.
pub(super) fn read(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> BTreeMap<String, Pack> {
    let section = node.named("a pack", report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    nodes
        .iter()
        .filter_map(|node| Some((node.key.to_owned(), pack(node, known, report)?)))
        .collect()
}

fn pack(node: &Node<'_>, known: &Known, report: &mut Report<'_>) -> Option<Pack> {
    let section = node.section(&["name", "price", "credits", "expires", "plans"], report)?;
    let name = section.get("name", "name = \"500 credits\"", report);
    let name = name.and_then(|node| node.title(report));
    let price = section.get("price", "price = { USD = \"9.00\" }", report);
    let price = price.and_then(|node| node.money(known, false, report));
    let credits = section.get("credits", "credits = { ai = 500 }", report);
    let credits = credits.and_then(|node| credit_amounts(node, known, report));
    let expires = match section.find("expires") {
        None => Some(None),
        Some(node) => node.span("12 months", report).map(Some),
    };
    let plans = match section.find("plans") {
        None => Some(Vec::new()),
        Some(node) => known.plan_list(node, report),
    };
    Some(Pack { name: name?, price: price?, credits: credits?, expires: expires?, plans: plans? })
}

/// `{ ai = 500 }`: credit features to credits, at least one entry and each at least 1.
pub(super) fn credit_amounts(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<BTreeMap<String, i64>> {
    let section = node.table(report)?;
    if section.nodes.is_empty() {
        node.empty("at least one credit feature, such as { ai = 500 }", report);
    }
    let mut all = BTreeMap::new();
    for node in &section.nodes {
        let feature = known.credit_feature(node, report);
        let amount = node.integer(1..=MOST, report);
        if let (Some(feature), Some(amount)) = (feature, amount) {
            all.insert(feature, amount);
        }
    }
    (!all.is_empty()).then_some(all)
}
