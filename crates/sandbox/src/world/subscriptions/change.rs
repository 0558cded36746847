//! Changing items, prices, quantities and the end of a trial: reading what is wanted, and doing it.

use super::create::ITEMS_MAX;
use super::proration::{Draft, Prorations, Wish, note_billed};
use super::{INSTANT_OR_NOW, Item, Status, Subscription};
use crate::calendar::LAST_INSTANT;
use crate::error::ApiError;
use crate::params::{Field, INSTANT, Kind, METADATA, Params, may};
use crate::world::World;
use crate::world::catalog::Price;
use crate::world::invoices::{Attempt, Invoice, Line};
use crate::world::render::update_metadata;
use crate::world::table::Row;

const ITEM: &[Field] = &[
    may("id", Kind::Text),
    may("price", Kind::Text),
    may("quantity", Kind::Int(0, 999_999)),
    may("deleted", Kind::Bool),
    may("metadata", METADATA),
];
/// What to do about an invoice that is not paid at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PaymentBehavior {
    /// The change applies; the subscription may become past due.
    #[default]
    Allow,
    /// The change applies; the invoice waits for somebody to pay it.
    Default,
    /// The change waits until the invoice is paid.
    Pending,
    /// Nothing changes, and the request is refused.
    Error,
}

impl PaymentBehavior {
    pub(super) const NAMES: &'static [&'static str] =
        &["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];

    pub(super) fn parse(word: &str) -> PaymentBehavior {
        match word {
            "default_incomplete" => PaymentBehavior::Default,
            "error_if_incomplete" => PaymentBehavior::Error,
            "pending_if_incomplete" => PaymentBehavior::Pending,
            _ => PaymentBehavior::Allow,
        }
    }
}

/// What changes the terms of a subscription, for an update and for its preview.
pub(crate) const TERMS: &[Field] = &[
    may("items", Kind::List(&Kind::Object(ITEM))),
    may("proration_behavior", Kind::OneOf(Prorations::NAMES)),
    may("proration_date", INSTANT),
    may("trial_end", INSTANT_OR_NOW),
];

impl World {
    /// What `params` want changed about `subscription`; `None` if nothing of [`TERMS`]. `at` names
    /// where the parameters stand.
    pub(super) fn read_wish(
        &self,
        subscription: &Subscription,
        params: &Params,
        at: &str,
    ) -> Result<Option<Wish>, ApiError> {
        let now = self.now();
        let prorations = params.text("proration_behavior").map(Prorations::parse);
        let prorations = prorations.unwrap_or(Prorations::Later);
        let date = params.int("proration_date");
        if date.is_some() && prorations == Prorations::None {
            return Err(ApiError::bad_param(
                &name(at, "proration_date"),
                "You cannot set `proration_date` when `proration_behavior` is `none`.",
            ));
        }
        if let Some(date) = date
            && !(subscription.period_start..=subscription.period_end).contains(&date)
        {
            return Err(ApiError::bad_param(
                &name(at, "proration_date"),
                "Invalid proration date: it must lie within the subscription's current period.",
            ));
        }
        if !params.has("items") && !params.has("trial_end") {
            return Ok(None);
        }
        let trial_end = match params.text("trial_end") {
            Some("now") => Some(now),
            _ => params.int("trial_end"),
        };
        if let Some(end) = trial_end {
            self.check_trial_end(subscription, end, &name(at, "trial_end"))?;
        }
        let items = self.read_items(subscription, params, at)?;
        Ok(Some(Wish { items, trial_end, prorations, at: date.unwrap_or(now) }))
    }

    fn check_trial_end(
        &self,
        subscription: &Subscription,
        end: i64,
        at: &str,
    ) -> Result<(), ApiError> {
        let now = self.now();
        if end < now || LAST_INSTANT <= end {
            return Err(ApiError::bad_param(at, "Invalid timestamp: must be in the future."));
        }
        if subscription.status != Status::Trialing && now < end {
            let message = "The sandbox starts trials with a subscription only; this one has no \
                           trial that could be moved.";
            return Err(ApiError::bad_param(at, message));
        }
        Ok(())
    }

    fn read_items(
        &self,
        subscription: &Subscription,
        params: &Params,
        at: &str,
    ) -> Result<Vec<Item>, ApiError> {
        let mut items = subscription.items.clone();
        for (index, given) in params.objects("items").iter().enumerate() {
            let at = format!("{}[{index}]", name(at, "items"));
            self.read_item(&mut items, given, &at)?;
        }
        self.check_terms(&subscription.currency, &items)?;
        Ok(items)
    }

    /// All items of a subscription have its currency and one interval.
    pub(super) fn check_terms(&self, currency: &str, items: &[Item]) -> Result<(), ApiError> {
        if items.is_empty() || ITEMS_MAX < items.len() {
            let message = format!("A subscription has 1 to {ITEMS_MAX} items.");
            return Err(ApiError::bad_param("items", message));
        }
        let prices: Vec<&Price> =
            items.iter().filter_map(|item| self.prices.get(&item.price)).collect();
        if let Some(other) = prices.iter().find(|price| price.currency != currency) {
            return Err(ApiError::refused(format!(
                "The price specified supports currencies of `{}`. This doesn't match the expected \
                 currency: `{currency}`.",
                other.currency
            )));
        }
        if prices.iter().any(|price| price.recurring != prices[0].recurring) {
            return Err(ApiError::bad_param(
                "items",
                "The sandbox bills all items of a subscription at the same interval.",
            ));
        }
        Ok(())
    }

    fn read_item(&self, items: &mut Vec<Item>, given: &Params, at: &str) -> Result<(), ApiError> {
        if let Some(price) = given.text("price") {
            let found = self.price_param(price, &format!("{at}[price]"))?;
            if found.recurring.is_none() {
                let message = "The price specified is set to `type=one_time` but this field only \
                               accepts prices with `type=recurring`.";
                return Err(ApiError::bad_param(&format!("{at}[price]"), message));
            }
        }
        let Some(id) = given.text("id") else {
            let price = given.string("price").ok_or_else(|| {
                let message = format!("Missing required param: {at}[price].");
                ApiError::invalid("parameter_missing", &format!("{at}[price]"), message)
            })?;
            if items.iter().any(|item| item.price == price) {
                return Err(ApiError::refused(format!(
                    "Cannot add multiple subscription items with the same plan: {price}"
                )));
            }
            let quantity = given.int("quantity").unwrap_or(1);
            let mut item = Item { price, quantity, ..Item::default() };
            update_metadata(&mut item.metadata, given);
            items.push(item);
            return Ok(());
        };
        let position = items.iter().position(|item| item.id == id).ok_or_else(|| {
            ApiError::unknown_reference("subscription item", id, &format!("{at}[id]"))
        })?;
        if given.flag("deleted") == Some(true) {
            items.remove(position);
            return Ok(());
        }
        let item = &mut items[position];
        if let Some(price) = given.string("price") {
            item.price = price;
            item.quantity = 1;
        }
        item.quantity = given.int("quantity").unwrap_or(item.quantity);
        update_metadata(&mut item.metadata, given);
        Ok(())
    }

    /// Does what was drafted, and lets the schedule of the subscription follow.
    pub(super) fn change_terms(
        &mut self,
        id: &str,
        draft: Draft,
        date: Option<i64>,
        behavior: PaymentBehavior,
    ) {
        self.apply_draft(id, draft, date, behavior);
        self.follow_items(id);
    }

    /// Does what was drafted, and collects as `behavior` says. Everything has been checked; a card
    /// that declines is not an error but for `error_if_incomplete`, which the caller has asked.
    fn apply_draft(
        &mut self,
        id: &str,
        draft: Draft,
        date: Option<i64>,
        behavior: PaymentBehavior,
    ) {
        self.take(&draft.ids);
        self.discard_pending(id);
        let now = self.now();
        let Draft { mut terms, lines, invoiced, resets, .. } = draft;
        if !invoiced {
            self.change_subscription(id, |subscription| {
                subscription.take_terms(terms, now);
                subscription.waiting.extend(lines);
            });
            return;
        }
        let Some(subscription) = self.subscriptions.get(id).cloned() else { return };
        let invoice_id = self.new_id("in_");
        note_billed(&mut terms.items, &lines, Some(&invoice_id));
        let mut invoice = self.update_invoice(&subscription, lines, invoice_id.clone());
        invoice.proration_date = date;
        self.change_quietly(id, |subscription| subscription.waiting.clear());
        let due = self.amount_due(&invoice);
        if behavior == PaymentBehavior::Pending && due > 0 {
            invoice.for_pending_update = true;
            self.put_new_invoice(invoice);
            self.finalize(&invoice_id, None);
            if self.collect(&invoice_id, None, Attempt::Asked).is_err() {
                self.hold_update(id, terms, resets, &invoice_id);
                return;
            }
            self.change_subscription(id, |subscription| {
                subscription.latest_invoice = Some(invoice_id);
                subscription.take_terms(terms, now);
            });
            return;
        }
        let waits = behavior == PaymentBehavior::Default && due > 0;
        self.change_subscription(id, |subscription| {
            subscription.latest_invoice = Some(invoice_id.clone());
            subscription.take_terms(terms, now);
            if waits && subscription.status == Status::Active {
                subscription.status = Status::PastDue;
            }
        });
        self.put_new_invoice(invoice);
        self.finalize(&invoice_id, None);
        if !waits {
            // A decline makes the subscription past due: that is what was asked for.
            let _declined = self.collect(&invoice_id, None, Attempt::Asked);
        }
    }

    /// A draft of the invoice for a change: what has waited, then `lines`.
    pub(super) fn update_invoice(
        &self,
        subscription: &Subscription,
        lines: Vec<Line>,
        id: String,
    ) -> Invoice {
        let mut invoice =
            Invoice::draft(id, self.now(), &subscription.customer, &subscription.currency);
        invoice.subscription = Some(subscription.id().to_owned());
        invoice.subscription_metadata = subscription.metadata.clone();
        invoice.billing_reason = "subscription_update".to_owned();
        invoice.lines = subscription.waiting.iter().cloned().chain(lines).collect();
        invoice
    }
}

fn name(at: &str, field: &str) -> String {
    if at.is_empty() { field.to_owned() } else { format!("{at}[{field}]") }
}
