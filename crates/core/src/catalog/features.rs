//! `[features]`: what can be gated.

use std::collections::BTreeMap;

use crate::time::time_zone;

use super::error::{Report, nearest, shown};
use super::reader::{MOST, Node, Section};
use super::{CreditFeature, Feature, GrantSource, OnCancel, OnOutage, Reset, Unit};

/// Reads every feature. One whose type is not known is there as `None`: its name is known, so that
/// plans that use it are not called wrong as well. One with another mistake has its type.
pub(super) fn read(node: &Node<'_>, report: &mut Report<'_>) -> BTreeMap<String, Option<Feature>> {
    let section = node.named("a feature", report);
    let nodes = section.map(|section| section.nodes).unwrap_or_default();
    nodes.iter().map(|node| (node.key.to_owned(), feature(node, report))).collect()
}

fn feature(node: &Node<'_>, report: &mut Report<'_>) -> Option<Feature> {
    const TYPES: [(&str, &str); 5] = [
        ("boolean", "boolean"),
        ("value", "value"),
        ("count", "count"),
        ("usage", "usage"),
        ("credits", "credits"),
    ];
    let any = node.table(report)?;
    match any.get("type", "type = \"boolean\"", report)?.word(&TYPES, report)? {
        "boolean" => node.section(&["type"], report).map(|_| Feature::Boolean),
        "value" => node.section(&["type"], report).map(|_| Feature::Value),
        "count" => {
            let section = node.section(&["type", "unit"], report)?;
            Some(Feature::Count { unit: unit(&section, report) })
        }
        "usage" => {
            let section = node.section(&["type", "unit", "resets", "timezone"], report)?;
            let (unit, resets) = (unit(&section, report), resets(&section, report));
            Some(Feature::Usage { unit, resets: resets.unwrap_or(Reset::Month) })
        }
        _ => {
            let known = ["type", "spend", "cost", "on_cancel", "on_outage"];
            Some(Feature::Credits(credits(&node.section(&known, report)?, report)))
        }
    }
}

/// Without `unit` a feature is counted in things.
fn unit(section: &Section<'_>, report: &mut Report<'_>) -> Option<Unit> {
    let node = section.find("unit")?;
    // Whatever was meant, the feature is measured and not counted: its limits may be sizes.
    Some(node.word(&[("byte", Unit::Byte)], report).unwrap_or(Unit::Byte))
}

/// A daily window without `timezone` starts at midnight UTC.
fn resets(section: &Section<'_>, report: &mut Report<'_>) -> Option<Reset> {
    let zone = section.find("timezone");
    let daily = section
        .get("resets", "resets = \"month\"", report)?
        .word(&[("month", false), ("day", true)], report)?;
    match zone {
        None if daily => Some(Reset::Day { timezone: "UTC".to_owned() }),
        Some(zone) if daily => timezone(zone, report).map(|timezone| Reset::Day { timezone }),
        None => Some(Reset::Month),
        Some(zone) => {
            report.add(
                "catalog_unknown_key",
                &zone.key_at,
                "`timezone` has no meaning with resets = \"month\", which counts from the billing day",
                "remove it, or write resets = \"day\"",
            );
            None
        }
    }
}

fn timezone(node: &Node<'_>, report: &mut Report<'_>) -> Option<String> {
    let name = node.text("Europe/Berlin", report)?;
    if time_zone(name).is_ok() {
        return Some(name.to_owned());
    }
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    match nearest(name, &zones) {
        Some(_) => {
            report.add_unknown("catalog_timezone", &node.at, "an IANA time zone", name, zones)
        }
        None => report.add(
            "catalog_timezone",
            &node.at,
            format!("`{}` is not an IANA time zone", shown(name)),
            "write \"UTC\" or a name such as \"Europe/Berlin\"",
        ),
    }
    None
}

/// Left out, `spend` is plan, pack, signup; `cost` is empty; `on_cancel` is keep; `on_outage` is
/// last_known.
fn credits(section: &Section<'_>, report: &mut Report<'_>) -> CreditFeature {
    const SOURCES: [(&str, GrantSource); 4] = [
        ("plan", GrantSource::Plan),
        ("pack", GrantSource::Pack),
        ("signup", GrantSource::Signup),
        ("manual", GrantSource::Manual),
    ];
    const ENDS: [(&str, OnCancel); 2] =
        [("keep", OnCancel::Keep), ("expire_at_period_end", OnCancel::ExpireAtPeriodEnd)];
    const OUTAGES: [(&str, OnOutage); 3] =
        [("last_known", OnOutage::LastKnown), ("deny", OnOutage::Deny), ("allow", OnOutage::Allow)];
    let spend = section.find("spend").and_then(|node| node.words(&SOURCES, false, report));
    let cost = section.find("cost").and_then(|node| cost(node, report));
    let on_cancel = section.find("on_cancel").and_then(|node| node.word(&ENDS, report));
    let on_outage = section.find("on_outage").and_then(|node| node.word(&OUTAGES, report));
    let usual = [GrantSource::Plan, GrantSource::Pack, GrantSource::Signup];
    CreditFeature {
        spend: spend.unwrap_or_else(|| usual.to_vec()),
        cost: cost.unwrap_or_default(),
        on_cancel: on_cancel.unwrap_or(OnCancel::Keep),
        on_outage: on_outage.unwrap_or(OnOutage::LastKnown),
    }
}

fn cost(node: &Node<'_>, report: &mut Report<'_>) -> Option<BTreeMap<String, i64>> {
    let section = node.named("an operation", report)?;
    let costs = section
        .nodes
        .iter()
        .filter_map(|node| Some((node.key.to_owned(), node.integer(1..=MOST, report)?)));
    Some(costs.collect())
}
