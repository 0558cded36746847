//! What a change of a subscription costs, to the second. Pure: a preview and the charge are the
//! same draft, so they cannot differ.
//!
//! In flexible billing mode credit is given for what was really billed, not for the current price.
//! Source: <https://docs.stripe.com/billing/subscriptions/prorations>

use serde::{Deserialize, Serialize};

use super::{Item, Status, Subscription, Trial};
use crate::calendar::{Interval, boundary, date};
use crate::world::catalog::Price;
use crate::world::invoices::Line;
use crate::world::{Ids, World};

/// What becomes of the rest of a period when something changes in its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Prorations {
    /// Reckoned, and invoiced at once.
    #[serde(rename = "always_invoice")]
    AtOnce,
    /// Reckoned; they wait for the next invoice.
    #[serde(rename = "create_prorations")]
    Later,
    /// Not reckoned.
    #[serde(rename = "none")]
    None,
}

impl Prorations {
    pub(crate) const NAMES: &'static [&'static str] =
        &["always_invoice", "create_prorations", "none"];

    pub(crate) fn parse(word: &str) -> Prorations {
        match word {
            "always_invoice" => Prorations::AtOnce,
            "none" => Prorations::None,
            _ => Prorations::Later,
        }
    }
}

/// What was billed for an item and reaches into the present: `amount` for `[start, end)`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Billed {
    /// Minor units.
    amount: i64,
    start: i64,
    end: i64,
    /// `None` while it waits for the next invoice.
    invoice: Option<String>,
    line: String,
}

/// What is to change; all of it has been checked.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// All items as they will be; new ones have no id yet.
    pub(super) items: Vec<Item>,
    /// A new end of the trial; now or earlier ends it.
    pub(super) trial_end: Option<i64>,
    pub(super) prorations: Prorations,
    /// The instant from which unused time counts, within the current period.
    pub(super) at: i64,
}

/// What a change decides anew about a subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) items: Vec<Item>,
    interval: Interval,
    pub(super) anchor: i64,
    period_start: i64,
    period_end: i64,
    next_cycle: i64,
    trial: Option<Trial>,
}

/// A change with its price. Nothing is recorded yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) terms: Terms,
    /// Credits first, then charges.
    pub(super) lines: Vec<Line>,
    /// The lines are invoiced at once, with all that waits; else they wait for the next invoice.
    pub(super) invoiced: bool,
    /// A period begins now.
    pub(super) resets: bool,
    pub(super) ids: Ids,
}

impl Subscription {
    pub(super) fn terms(&self) -> Terms {
        Terms {
            items: self.items.clone(),
            interval: self.interval,
            anchor: self.anchor,
            period_start: self.period_start,
            period_end: self.period_end,
            next_cycle: self.next_cycle,
            trial: self.trial.clone(),
        }
    }

    /// Takes over what a change has decided. A trial that is over makes it active.
    pub(super) fn take_terms(&mut self, terms: Terms, now: i64) {
        let over = terms.trial.as_ref().is_none_or(|trial| trial.end <= now);
        if self.status == Status::Trialing && over {
            self.status = Status::Active;
        }
        self.items = terms.items;
        self.interval = terms.interval;
        self.anchor = terms.anchor;
        self.period_start = terms.period_start;
        self.period_end = terms.period_end;
        self.next_cycle = terms.next_cycle;
        self.trial = terms.trial;
        if self.cancellation.at_period_end {
            self.cancellation.at = Some(self.period_end);
        }
    }

    /// Remembers what `lines` bill for which item.
    pub(super) fn note_billed(&mut self, lines: &[Line], invoice: Option<&str>) {
        note_billed(&mut self.items, lines, invoice);
    }
}

/// As [`Subscription::note_billed`]. Credit is no bill.
pub(super) fn note_billed(items: &mut [Item], lines: &[Line], invoice: Option<&str>) {
    for item in items {
        let mine = lines.iter().filter(|line| line.item() == Some(&item.id) && line.amount >= 0);
        let billed: Vec<Billed> = mine
            .map(|line| Billed {
                amount: line.amount,
                start: line.period.0,
                end: line.period.1,
                invoice: invoice.map(str::to_owned),
                line: line.id.clone(),
            })
            .collect();
        if !billed.is_empty() {
            item.billed = billed;
        }
    }
}

/// The share of `amount` (minor units) that `part` of `whole` seconds is, rounded half away from
/// zero. `0 <= part <= whole` and `0 < whole`; others are brought into range.
pub(super) fn share(amount: i64, part: i64, whole: i64) -> i64 {
    let whole = i128::from(whole.max(1));
    let part = i128::from(part).clamp(0, whole);
    let scaled = i128::from(amount) * part;
    let half = whole / 2 * scaled.signum();
    i64::try_from((scaled + half) / whole).expect("a share is no larger than the whole")
}

impl World {
    /// What `wish` makes of `before`, and what it costs.
    pub(super) fn draft_change(&self, before: &Subscription, wish: Wish) -> Draft {
        let now = self.now();
        let mut ids = self.next_ids();
        let mut items = wish.items;
        for item in items.iter_mut().filter(|item| item.id.is_empty()) {
            item.id = ids.next("si_");
            item.created = now;
        }
        let mut terms = Terms { items, ..before.terms() };
        if let Some(every) = self.interval_of(&terms.items) {
            terms.interval = every;
        }
        let in_trial = before.status == Status::Trialing;
        let ends_trial = in_trial && wish.trial_end.is_some_and(|end| end <= now);
        if in_trial && !ends_trial {
            if let Some(end) = wish.trial_end {
                move_trial(&mut terms, end);
            }
            return Draft { terms, lines: Vec::new(), invoiced: false, resets: false, ids };
        }
        let starts_paying = self.is_free(&before.items) && !self.is_free(&terms.items);
        let resets = ends_trial || before.interval != terms.interval || starts_paying;
        if resets {
            terms.restart(now);
        }
        let at = wish.at.clamp(before.period_start, before.period_end);
        let mut lines = Vec::new();
        if wish.prorations != Prorations::None {
            for old in before.items.iter().filter(|old| resets || changed(old, &terms.items)) {
                self.credit(old, at, &mut lines, &mut ids);
            }
        }
        for item in &terms.items {
            let is_new = before.items.iter().all(|old| !same(old, item));
            if resets {
                lines.extend(self.period_line(item, terms.period(), &mut ids));
            } else if is_new && wish.prorations != Prorations::None {
                lines.extend(self.rest_line(item, at, before, &mut ids));
            }
        }
        let invoiced = resets || wish.prorations == Prorations::AtOnce && !lines.is_empty();
        if !invoiced {
            lines = lines.into_iter().map(|line| line.waiting(ids.next("ii_"))).collect();
            note_billed(&mut terms.items, &lines, None);
        }
        Draft { terms, lines, invoiced, resets, ids }
    }

    pub(super) fn interval_of(&self, items: &[Item]) -> Option<Interval> {
        items.first().and_then(|item| self.prices.get(&item.price)?.recurring)
    }

    fn is_free(&self, items: &[Item]) -> bool {
        items.iter().all(|item| {
            item.quantity == 0
                || self.prices.get(&item.price).is_none_or(|price| price.unit_amount == 0)
        })
    }

    /// Credit for what was billed for `item` and is not used after `at`.
    fn credit(&self, item: &Item, at: i64, lines: &mut Vec<Line>, ids: &mut Ids) {
        let Some((price, product)) = self.price_and_product(&item.price) else { return };
        for billed in item.billed.iter().filter(|billed| at < billed.end && billed.amount > 0) {
            let from = at.max(billed.start);
            let amount = share(billed.amount, billed.end - from, billed.end - billed.start);
            let text =
                format!("Unused time on {} after {}", count(item.quantity, &product), date(at));
            let period = (from, billed.end);
            let line = Line::of_item(ids.next("il_"), &price, &item.id, item.quantity, period)
                .prorated(-amount, text);
            lines.push(match &billed.invoice {
                Some(invoice) => line.crediting(invoice, &billed.line),
                None => line,
            });
        }
    }

    /// The charge for `item` from `at` to the end of the current period.
    fn rest_line(&self, item: &Item, at: i64, of: &Subscription, ids: &mut Ids) -> Option<Line> {
        let (price, product) = self.price_and_product(&item.price)?;
        let whole = price.unit_amount.saturating_mul(item.quantity);
        let amount = share(whole, of.period_end - at, of.period_end - of.period_start);
        let text =
            format!("Remaining time on {} after {}", count(item.quantity, &product), date(at));
        let period = (at, of.period_end);
        let line = Line::of_item(ids.next("il_"), &price, &item.id, item.quantity, period);
        Some(line.prorated(amount, text))
    }

    /// The charge for `item` over a whole period.
    pub(super) fn period_line(
        &self,
        item: &Item,
        period: (i64, i64),
        ids: &mut Ids,
    ) -> Option<Line> {
        let (price, product) = self.price_and_product(&item.price)?;
        let line = Line::of_item(ids.next("il_"), &price, &item.id, item.quantity, period);
        Some(line.described(&price, &product))
    }

    fn price_and_product(&self, price: &str) -> Option<(Price, String)> {
        let price = self.prices.get(price)?;
        let product = self.products.get(&price.product).map(|product| product.name.clone());
        Some((price.clone(), product.unwrap_or_default()))
    }
}

impl Terms {
    pub(super) fn period(&self) -> (i64, i64) {
        (self.period_start, self.period_end)
    }

    /// A new period begins now, and periods are counted from here.
    fn restart(&mut self, now: i64) {
        self.anchor = now;
        self.period_start = now;
        self.period_end = boundary(now, self.interval, 1);
        self.next_cycle = 1;
        if let Some(trial) = &mut self.trial {
            trial.end = trial.end.min(now);
            trial.end_announced = true;
        }
    }
}

fn move_trial(terms: &mut Terms, end: i64) {
    terms.anchor = end;
    terms.period_end = end;
    terms.next_cycle = 0;
    if let Some(trial) = &mut terms.trial {
        trial.end = end;
        trial.end_announced = false;
    }
}

/// The same item at the same price and quantity.
fn same(one: &Item, other: &Item) -> bool {
    one.id == other.id && one.price == other.price && one.quantity == other.quantity
}

fn changed(old: &Item, items: &[Item]) -> bool {
    items.iter().all(|item| !same(old, item))
}

fn count(quantity: i64, product: &str) -> String {
    if quantity == 1 { product.to_owned() } else { format!("{quantity} × {product}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_stay_within_the_whole_and_add_up_to_it(
            amount in -99_999_999_999_999_i64..=99_999_999_999_999,
            whole in 1..=100_000_000_i64,
            at in 0.0..=1.0_f64,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any part will do")]
            let part = ((whole as f64 * at) as i64).clamp(0, whole);
            let (used, unused) = (share(amount, whole - part, whole), share(amount, part, whole));
            prop_assert!(unused.abs() <= amount.abs());
            prop_assert!((used + unused - amount).abs() <= 1);
            prop_assert_eq!(share(-amount, part, whole), -unused);
            prop_assert_eq!(share(amount, whole, whole), amount);
            prop_assert_eq!(share(amount, 0, whole), 0);
        }
    }

    #[test]
    fn half_a_cent_is_rounded_away_from_zero() {
        assert_eq!((share(1, 1, 2), share(-1, 1, 2), share(1, 1, 3)), (1, -1, 0));
    }
}
