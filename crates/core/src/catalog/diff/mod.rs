//! What applying a catalog would change, for people to read before they agree.
//!
//! Both catalogs are written out as facts, one line each (`facts.rs`), and the facts are compared.
//! A change that would take something away from people who have it is blocked, with what to do.

mod effects;
mod facts;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Catalog;
use facts::{Fact, Place, facts};

/// What people have now, so that nothing is taken from under them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Plan key to how many customers are on it, or are scheduled to move to it.
    pub plans: BTreeMap<String, u64>,
}

impl InUse {
    fn on(&self, plan: &str) -> u64 {
        self.plans.get(plan).copied().unwrap_or(0)
    }
}

/// Whether something is new, gone, or different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is there with another value.
    Changed,
}

/// One difference between the applied catalog and the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where it is in the file, for example `plans.growth.prices.month.USD`.
    pub path: String,
    /// New, gone, or different.
    pub kind: ChangeKind,
    /// What is applied; `None` when it is new.
    pub from: Option<String>,
    /// What comes; `None` when it is gone.
    pub to: Option<String>,
    /// Who is affected and how, in one sentence.
    pub effect: String,
    /// Why it cannot be applied, and what to do; `None` when it can.
    pub blocking: Option<String>,
}

/// What applying `next` over `applied` would change; everything is new when nothing is applied.
///
/// In the order of the file: currencies, tiers, fallback, features, plans, packs, policies; by name
/// inside. A plan, feature or pack that is new or gone is one change. Equal catalogs have none.
pub fn diff(applied: Option<&Catalog>, next: &Catalog, in_use: &InUse) -> Vec<Change> {
    let before = applied.map(facts).unwrap_or_default();
    let after = facts(next);
    let places: BTreeSet<&Place> = before.keys().chain(after.keys()).collect();
    places
        .into_iter()
        .filter(|place| !is_said_elsewhere(place, &before, &after))
        .filter_map(|place| change(place, before.get(place), after.get(place), in_use))
        .collect()
}

/// Whether anything in `changes` stops them from being applied.
pub fn is_blocked(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.blocking.is_some())
}

/// Whether the plan, feature, pack or refund policy that `place` is in says it already: it is new
/// or gone itself, or `place` is that whole and what changed is inside.
fn is_said_elsewhere(
    place: &Place,
    before: &BTreeMap<Place, Fact>,
    after: &BTreeMap<Place, Fact>,
) -> bool {
    place.whole().is_some_and(|whole| {
        let stays = before.contains_key(&whole) && after.contains_key(&whole);
        stays == (*place == whole)
    })
}

fn change(
    place: &Place,
    before: Option<&Fact>,
    after: Option<&Fact>,
    in_use: &InUse,
) -> Option<Change> {
    let kind = match (before, after) {
        (None, Some(_)) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Removed,
        (Some(before), Some(after)) if before.text != after.text => ChangeKind::Changed,
        _ => return None,
    };
    let from = before.map(|fact| fact.text.clone());
    let to = after.map(|fact| fact.text.clone());
    let (from_text, to_text) = (from.as_deref().unwrap_or(""), to.as_deref().unwrap_or(""));
    let topic = &after.or(before)?.topic;
    Some(Change {
        path: place.path(),
        kind,
        effect: effects::effect(topic, kind, from_text, to_text, in_use),
        blocking: effects::blocking(topic, kind, from_text, in_use),
        from,
        to,
    })
}
