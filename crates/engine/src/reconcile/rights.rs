//! What a customer may use, held against what subscription, catalog and exceptions add up to.

use std::collections::BTreeMap;

use farthing_core::entitlement::{Access, Entitlement};
use farthing_core::ids::CustomerId;
use farthing_core::subscription::Status;
use farthing_store::customers::{self, Customer};
use farthing_store::drift::Repair;
use farthing_store::{Tx, entitlements, subscriptions};

use super::Drift;
use crate::customers::rights;
use crate::{Call, Engine, EngineError};

impl Engine {
    /// Writes the plan and what may be used with it anew where it is not what it should be.
    pub(super) fn settle_rights(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &CustomerId,
    ) -> Result<Vec<Drift>, EngineError> {
        let Some(before) = customers::find(tx, id)? else {
            return Ok(Vec::new());
        };
        let (_, catalog) = self.catalog(tx)?;
        let mut right = before.clone();
        let all = subscriptions::of_customer(tx, id)?;
        match all.iter().find(|stored| stored.subscription.status.is_entitled()) {
            Some(running) => {
                let sub = &running.subscription;
                right.plan.clone_from(&sub.plan);
                right.on_trial = sub.status == Status::Trialing;
                right.standing = sub.standing;
                right.anchor = sub.anchor;
            }
            None => {
                right.plan.clone_from(&catalog.fallback);
                right.on_trial = false;
            }
        }
        let mut drift = self.held_and_right(tx, &right)?;
        drift.extend(profile(&before, &right));
        if !drift.is_empty() {
            self.next_revision(tx, &mut right)?;
            self.announce_state(tx, call, &right)?;
        }
        Ok(drift)
    }

    fn held_and_right(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
    ) -> Result<Vec<Drift>, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let held: BTreeMap<String, Entitlement> = entitlements::of_customer(tx, &customer.id)?
            .into_iter()
            .map(|stored| (stored.feature, stored.entitlement))
            .collect();
        let mut drift = Vec::new();
        for (feature, right) in rights(tx, &catalog, customer, self.now())? {
            if let Some(words) = differ(held.get(&feature), &right) {
                let at = (customer.id.as_str(), format!("limits.{feature}"));
                drift.push(Drift::new(Repair::Rematerialize, at, words));
            }
        }
        Ok(drift)
    }
}

fn profile(before: &Customer, right: &Customer) -> Vec<Drift> {
    let fields = [
        ("plan", before.plan.as_str(), right.plan.as_str()),
        ("standing", before.standing.as_str(), right.standing.as_str()),
    ];
    let differ = fields.into_iter().filter(|(_, ours, theirs)| ours != theirs);
    let drift = differ.map(|(field, ours, theirs)| {
        Drift::new(Repair::Rematerialize, (before.id.as_str(), field), (ours, theirs))
    });
    drift.collect()
}

/// What two entitlements allow, in words; `None` when it is the same.
fn differ(held: Option<&Entitlement>, right: &Entitlement) -> Option<(String, String)> {
    let Some(held) = held else {
        return Some(("missing".to_owned(), terms(right)));
    };
    let all =
        |it: &Entitlement| (it.source, it.limit, it.cap, it.access, it.kind.clone(), it.anchor);
    if all(held) == all(right) {
        return None;
    }
    let (ours, theirs) = (terms(held), terms(right));
    if ours != theirs {
        return Some((ours, theirs));
    }
    let basis = |it: &Entitlement| {
        format!("{} ({:?} from {:?}, counted from {})", terms(it), it.kind, it.source, it.anchor)
    };
    Some((basis(held), basis(right)))
}

fn terms(entitlement: &Entitlement) -> String {
    let Entitlement { limit, cap, source, access, .. } = entitlement;
    if source.is_none() {
        return "not included".to_owned();
    }
    let mut text = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    text += &cap.map_or_else(String::new, |cap| format!(", at most {cap}"));
    if *access == Access::ReadOnly {
        text += ", read only";
    }
    text
}
