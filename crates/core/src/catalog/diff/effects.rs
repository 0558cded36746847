//! Who a change affects and how, and which changes are blocked.

use super::facts::{PlanPart, Topic};
use super::{ChangeKind, InUse};

/// One sentence for people: who is affected, and how.
pub(super) fn effect(
    topic: &Topic,
    kind: ChangeKind,
    from: &str,
    to: &str,
    in_use: &InUse,
) -> String {
    match (topic, kind) {
        (Topic::Currencies, _) => {
            "new purchases can be paid in these; a subscription keeps its own".to_owned()
        }
        (Topic::Tiers, _) => {
            "decides which moves are upgrades from now on; nobody is moved".to_owned()
        }
        (Topic::Fallback, _) => {
            format!("new, lapsed and canceled customers get {to}; those who have one keep it")
        }
        (Topic::Feature { key }, ChangeKind::Added) => {
            format!("the app can ask for {key}; plans that name it allow it")
        }
        (Topic::Feature { key }, ChangeKind::Removed) => {
            format!("nobody can use {key} any more: the app is told unknown_feature")
        }
        (Topic::Feature { key } | Topic::FeatureDetail { key }, _) => {
            format!("counts for everyone who uses {key}, from the moment it is applied")
        }
        (Topic::FeatureType { key }, _) => format!("what is stored of {key} means something else"),
        (Topic::Plan { key }, kind) => whole_plan(key, kind, in_use),
        (Topic::PlanPart { key, part }, kind) => plan_part(*part, kind, from, to, key, in_use),
        (Topic::Pack, ChangeKind::Added) => "can be bought once it is applied".to_owned(),
        (Topic::Pack, _) => "cannot be bought any more; credits already bought stay".to_owned(),
        (Topic::PackPart, _) => {
            "packs bought from now on; earlier ones stay as they are".to_owned()
        }
        (Topic::Policy, _) => "what is decided from now on".to_owned(),
        (Topic::Anomalies, _) => "credits that are granted from now on".to_owned(),
        (Topic::Dunning, _) => "payments that fail from now on".to_owned(),
    }
}

fn whole_plan(key: &str, kind: ChangeKind, in_use: &InUse) -> String {
    match kind {
        ChangeKind::Added => "open to customers once it is applied".to_owned(),
        _ => format!("cannot be bought any more; {}", people(key, in_use)),
    }
}

fn plan_part(
    part: PlanPart,
    kind: ChangeKind,
    from: &str,
    to: &str,
    key: &str,
    in_use: &InUse,
) -> String {
    let people = people(key, in_use);
    let kept = format!("existing subscribers keep {from} until they are moved");
    match (part, kind) {
        (PlanPart::Name, _) => "people see the new name".to_owned(),
        (PlanPart::Price, ChangeKind::Added) => format!("new subscribers can pay {to}"),
        (PlanPart::Price, ChangeKind::Removed) => format!("not sold like this any more; {kept}"),
        (PlanPart::Price, ChangeKind::Changed) => format!("new subscribers pay {to}; {kept}"),
        (PlanPart::Limit, ChangeKind::Removed) => {
            format!("not in the plan any more, from the moment it is applied; {people}")
        }
        (PlanPart::Limit | PlanPart::Overage, _) => {
            format!("from the moment it is applied; {people}")
        }
        (PlanPart::SignupCredits, ChangeKind::Removed) => {
            "customers created from now on get none".to_owned()
        }
        (PlanPart::SignupCredits, _) => {
            "customers created from now on; nobody else gets more".to_owned()
        }
        (PlanPart::Credits, ChangeKind::Removed) => {
            format!("no more are granted, what was granted stays; {people}")
        }
        (PlanPart::Credits, _) => {
            format!("from the next grant on, what was granted stays; {people}")
        }
        (PlanPart::Trial, _) => {
            "trials that start from now on; running ones stay as they are".to_owned()
        }
    }
}

fn people(plan: &str, in_use: &InUse) -> String {
    match in_use.on(plan) {
        0 => "nobody is on the plan".to_owned(),
        1 => "1 customer is on the plan".to_owned(),
        many => format!("{many} customers are on the plan"),
    }
}

/// Why the change cannot be applied, and what to do instead.
pub(super) fn blocking(
    topic: &Topic,
    kind: ChangeKind,
    from: &str,
    in_use: &InUse,
) -> Option<String> {
    match (topic, kind) {
        (Topic::Plan { key }, ChangeKind::Removed) if 0 < in_use.on(key) => {
            let people = people(key, in_use);
            Some(format!(
                "{people}: keep it in the catalog, move them to another plan, then remove it"
            ))
        }
        (Topic::FeatureType { key }, ChangeKind::Changed) => Some(format!(
            "the type of a feature never changes: keep {key} as {from}, and add a feature under a new name"
        )),
        _ => None,
    }
}
