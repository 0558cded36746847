//! Phases: reading them, and what their beginning and their end do.

use super::{EndBehavior, Phase, PhaseItem, Schedule, Status};
use crate::calendar::{Interval, boundary};
use crate::error::ApiError;
use crate::params::{Field, INSTANT, Kind, METADATA, Params, may, need};
use crate::world::World;
use crate::world::catalog::{RECURRING_STEP, read_interval};
use crate::world::render::new_metadata;
use crate::world::subscriptions::change::PaymentBehavior;
use crate::world::subscriptions::proration::{Prorations, Wish};
use crate::world::subscriptions::{INSTANT_OR_NOW, Item, Subscription};

const ITEM: &[Field] =
    &[need("price", Kind::Text), may("quantity", Kind::Int(0, 999_999)), may("metadata", METADATA)];
/// One phase of an update.
pub(super) const PHASE: &[Field] = &[
    need("items", Kind::List(&Kind::Object(ITEM))),
    may("start_date", INSTANT_OR_NOW),
    may("end_date", INSTANT_OR_NOW),
    may("duration", Kind::Object(RECURRING_STEP)),
    may("proration_behavior", Kind::OneOf(Prorations::NAMES)),
    may("collection_method", Kind::OneOf(&["charge_automatically"])),
    may("currency", Kind::Text),
    may("metadata", METADATA),
    may("trial_end", INSTANT),
];

impl World {
    /// Reads the phases of an update of `schedule`, which begin with its current one.
    pub(super) fn read_phases(
        &self,
        schedule: &Schedule,
        subscription: &Subscription,
        params: &Params,
    ) -> Result<Vec<Phase>, ApiError> {
        let given = params.objects("phases");
        let current = &schedule.phases[schedule.current];
        let now = self.now();
        let instant = |phase: &Params, name: &str| match phase.text(name) {
            Some("now") => Some(now),
            _ => phase.int(name),
        };
        let first = given.first().and_then(|phase| instant(phase, "start_date"));
        match first {
            None => {
                return Err(ApiError::refused(
                    "The subscription schedule update is missing at least one phase with a \
                     `start_date` to anchor end dates to.",
                ));
            }
            Some(start) if start != current.start => {
                return Err(ApiError::bad_param(
                    "phases[0][start_date]",
                    "You can not modify the start date of the current phase.",
                ));
            }
            Some(_) => {}
        }
        let mut phases: Vec<Phase> = Vec::new();
        for (index, given) in given.iter().enumerate() {
            let at = format!("phases[{index}]");
            let start = phases.last().map_or(current.start, |phase| phase.end);
            if instant(given, "start_date").is_some_and(|wanted| wanted != start) {
                let message = "The start of a phase has to be the end of the one before.";
                return Err(ApiError::bad_param(&format!("{at}[start_date]"), message));
            }
            let items = self.read_phase_items(subscription, given, &at)?;
            let end = match (instant(given, "end_date"), given.is_object("duration")) {
                (Some(end), false) => end,
                (None, true) => {
                    after(subscription, start, read_interval(&given.object("duration")))
                }
                _ => {
                    return Err(ApiError::bad_param(
                        &format!("{at}[end_date]"),
                        "Each phase takes one of these parameters: end_date, duration.",
                    ));
                }
            };
            if end <= start || end < now {
                let message = "The end of a phase has to be after its start, and not in the past.";
                return Err(ApiError::bad_param(&format!("{at}[end_date]"), message));
            }
            let prorations = given.text("proration_behavior").map(Prorations::parse);
            phases.push(Phase {
                start,
                end,
                items,
                prorations: prorations.unwrap_or(Prorations::Later),
                metadata: new_metadata(given),
                trial_end: given.int("trial_end").filter(|trial| *trial <= end),
            });
        }
        Ok(phases)
    }

    fn read_phase_items(
        &self,
        subscription: &Subscription,
        phase: &Params,
        at: &str,
    ) -> Result<Vec<PhaseItem>, ApiError> {
        let mut items = Vec::new();
        for (index, given) in phase.objects("items").iter().enumerate() {
            let name = format!("{at}[items][{index}][price]");
            let price = self.price_param(given.text("price").unwrap_or_default(), &name)?;
            if price.recurring.is_none() {
                let message = "This field only accepts prices with `type=recurring`.";
                return Err(ApiError::bad_param(&name, message));
            }
            if items.iter().any(|item: &PhaseItem| Some(item.price.as_str()) == given.text("price"))
            {
                let message = "A phase has each price once; use quantity.";
                return Err(ApiError::bad_param(&name, message));
            }
            items.push(PhaseItem {
                price: given.string("price").unwrap_or_default(),
                quantity: given.int("quantity").unwrap_or(1),
                metadata: new_metadata(given),
            });
        }
        self.check_terms(&subscription.currency, &as_items(subscription, &items))?;
        Ok(items)
    }

    /// Runs the end of the current phase of `schedule`: the next one begins, or it is over.
    pub(in crate::world) fn schedule_due(&mut self, schedule: Schedule) {
        let (id, subscription) = (schedule.id.clone(), schedule.subscription.clone());
        let next = schedule.current + 1;
        if let Some(phase) = schedule.phases.get(next).cloned() {
            self.change_schedule(&id, |schedule| schedule.current = next);
            self.begin_phase(&subscription, &phase, phase.prorations);
            return;
        }
        match schedule.end_behavior {
            EndBehavior::Release => self.end_schedule(&id, Status::Released),
            EndBehavior::Cancel => {
                self.end_schedule(&id, Status::Completed);
                self.end_subscription(&subscription, "cancellation_requested");
            }
        }
    }

    /// Gives the subscription `id` what `phase` is for. At the end of a period the renewal that
    /// follows bills it; in the middle of one it is a change like any other.
    pub(super) fn begin_phase(&mut self, id: &str, phase: &Phase, prorations: Prorations) {
        let Some(subscription) = self.subscriptions.get(id).cloned() else { return };
        let items = as_items(&subscription, &phase.items);
        let now = self.now();
        if subscription.period_end <= now {
            let items: Vec<Item> = items.into_iter().map(|item| self.with_id(item)).collect();
            let every = self.interval_of(&items).unwrap_or(subscription.interval);
            self.change_subscription(id, |subscription| subscription.switch_at_end(items, every));
        } else {
            let wish = Wish { items, trial_end: None, prorations, at: now };
            let draft = self.draft_change(&subscription, wish);
            self.change_terms(id, draft, None, PaymentBehavior::Allow);
        }
        let metadata = phase.metadata.clone();
        self.change_subscription(id, |subscription| subscription.metadata.extend(metadata));
    }

    fn with_id(&mut self, item: Item) -> Item {
        match item.id.is_empty() {
            true => Item { id: self.new_id("si_"), created: self.now(), ..item },
            false => item,
        }
    }

    /// What `subscription` will be for when its current period ends, if that changes then.
    pub(in crate::world::subscriptions) fn next_terms(
        &self,
        subscription: &Subscription,
    ) -> Option<(Vec<Item>, Interval)> {
        let schedule = self.schedules.get(subscription.schedule.as_deref()?)?;
        let phase = schedule.phases.get(schedule.current + 1)?;
        if phase.start != subscription.period_end {
            return None;
        }
        let items = as_items(subscription, &phase.items);
        let every = self.interval_of(&items)?;
        Some((items, every))
    }

    /// Takes note that the items of a subscription were changed directly: the current phase ends
    /// here, and one with the new items takes the rest of its time.
    pub(in crate::world::subscriptions) fn follow_items(&mut self, id: &str) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let Some(schedule) = subscription.schedule.clone() else { return };
        let items: Vec<PhaseItem> = subscription.items.iter().map(as_phase_item).collect();
        let now = self.now();
        self.change_schedule(&schedule, |schedule| {
            let at = schedule.current;
            let current = &mut schedule.phases[at];
            if same_items(&current.items, &items) {
                return;
            }
            if current.start == now {
                current.items = items;
                return;
            }
            let rest = Phase { start: now, items, ..current.clone() };
            current.end = now;
            schedule.phases.insert(at + 1, rest);
            schedule.current = at + 1;
        });
    }
}

impl Subscription {
    /// Switches what the next period is for; the current one is at its end.
    pub(in crate::world::subscriptions) fn switch_at_end(
        &mut self,
        items: Vec<Item>,
        every: Interval,
    ) {
        self.items = items;
        if self.interval != every {
            self.interval = every;
            self.anchor = self.period_end;
            self.next_cycle = 0;
        }
    }
}

pub(super) fn same_items(one: &[PhaseItem], other: &[PhaseItem]) -> bool {
    let plain = |items: &[PhaseItem]| {
        items.iter().map(|item| (item.price.clone(), item.quantity)).collect::<Vec<_>>()
    };
    plain(one) == plain(other)
}

pub(super) fn as_phase_item(item: &Item) -> PhaseItem {
    PhaseItem {
        price: item.price.clone(),
        quantity: item.quantity,
        metadata: item.metadata.clone(),
    }
}

/// The items of a phase as items of `subscription`: one at the same price stays the same item.
fn as_items(subscription: &Subscription, items: &[PhaseItem]) -> Vec<Item> {
    let item = |wanted: &PhaseItem| {
        let kept = subscription.items.iter().find(|item| item.price == wanted.price).cloned();
        let mut item = kept.unwrap_or_else(|| Item {
            price: wanted.price.clone(),
            metadata: wanted.metadata.clone(),
            ..Item::default()
        });
        item.quantity = wanted.quantity;
        item
    };
    items.iter().map(item).collect()
}

/// The end of a phase that starts at `start` and lasts `long`: counted from the anchor, if `start`
/// is one of the periods' boundaries, so that months of different length stay in step.
pub(super) fn after(subscription: &Subscription, start: i64, long: Interval) -> i64 {
    let every = subscription.interval;
    if every.unit == long.unit && long.count % every.count == 0 {
        let next = (0..=subscription.next_cycle.saturating_add(120))
            .rev()
            .take(240)
            .find(|n| boundary(subscription.anchor, every, *n) == start);
        if let Some(n) = next {
            return boundary(subscription.anchor, every, n + long.count / every.count);
        }
    }
    boundary(start, long, 1)
}
