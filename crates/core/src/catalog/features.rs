//! `[features]`: what can be gated.

use std::collections::BTreeMap;

use crate::time::time_zone;

use super::error::{Report, nearest, shown};
use super::reader::{MOST, Node, Section};
use super::{CreditFeature, Feature, GrantSource, OnCancel, OnOutage, Reset, Unit};

/// Reads every feature. One that is wrong is there as `None`: its name is known, so that plans
/// that use it are not called wrong as well.
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
            Some(Feature::Count { unit: unit(&section, report)? })
        }
        "usage" => {
            let section = node.section(&["type", "unit", "resets", "timezone"], report)?;
            let (unit, resets) = (unit(&section, report), resets(&section, report));
            Some(Feature::Usage { unit: unit?, resets: resets? })
        }
        _ => {
            let known = ["type", "spend", "cost", "on_cancel", "on_outage"];
            credits(&node.section(&known, report)?, report).map(Feature::Credits)
        }
    }
}

/// Without `unit` a feature is counted in things.
fn unit(section: &Section<'_>, report: &mut Report<'_>) -> Option<Option<Unit>> {
    match section.find("unit") {
        None => Some(None),
        Some(node) => node.word(&[("byte", Unit::Byte)], report).map(Some),
    }
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
fn credits(section: &Section<'_>, report: &mut Report<'_>) -> Option<CreditFeature> {
    let sources = [
        ("plan", GrantSource::Plan),
        ("pack", GrantSource::Pack),
        ("signup", GrantSource::Signup),
        ("manual", GrantSource::Manual),
    ];
    let spend = match section.find("spend") {
        None => Some(vec![GrantSource::Plan, GrantSource::Pack, GrantSource::Signup]),
        Some(node) => node.words(&sources, false, report),
    };
    let cost = match section.find("cost") {
        None => Some(BTreeMap::new()),
        Some(node) => cost(node, report),
    };
    let on_cancel = match section.find("on_cancel") {
        None => Some(OnCancel::Keep),
        Some(node) => node.word(
            &[("keep", OnCancel::Keep), ("expire_at_period_end", OnCancel::ExpireAtPeriodEnd)],
            report,
        ),
    };
    let on_outage = match section.find("on_outage") {
        None => Some(OnOutage::LastKnown),
        Some(node) => node.word(
            &[
                ("last_known", OnOutage::LastKnown),
                ("deny", OnOutage::Deny),
                ("allow", OnOutage::Allow),
            ],
            report,
        ),
    };
    Some(CreditFeature { spend: spend?, cost: cost?, on_cancel: on_cancel?, on_outage: on_outage? })
}

fn cost(node: &Node<'_>, report: &mut Report<'_>) -> Option<BTreeMap<String, i64>> {
    let section = node.named("an operation", report)?;
    let costs = section
        .nodes
        .iter()
        .filter_map(|node| Some((node.key.to_owned(), node.integer(1..=MOST, report)?)));
    Some(costs.collect())
}
