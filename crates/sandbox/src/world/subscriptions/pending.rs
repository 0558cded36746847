//! Changes that wait until they are paid: `payment_behavior=pending_if_incomplete`.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/pending-updates>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Subscription;
use super::proration::Terms;
use crate::calendar::HOUR;
use crate::world::World;

/// A change that was asked for and is applied when `invoice` is paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PendingUpdate {
    pub(super) invoice: String,
    pub(super) expires_at: i64,
    terms: Terms,
    /// The anchor moves, and a trial ends, if it is applied.
    resets: bool,
}

/// It waits for so long at most, and never longer than the current period.
const WAITS_FOR: i64 = 23 * HOUR;

impl World {
    /// Writes down a change that could not be paid yet.
    pub(super) fn hold_update(&mut self, id: &str, terms: Terms, resets: bool, invoice: &str) {
        let now = self.now();
        self.change_subscription(id, |subscription| {
            let expires_at = subscription.period_end.min(now + WAITS_FOR);
            let invoice = invoice.to_owned();
            subscription.latest_invoice = Some(invoice.clone());
            subscription.pending = Some(PendingUpdate { invoice, expires_at, terms, resets });
        });
    }

    /// Applies the change that waited for `invoice`, if one did.
    pub(super) fn apply_pending(&mut self, id: &str, invoice: &str) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let Some(pending) = subscription.pending.clone() else { return };
        if pending.invoice != invoice {
            return;
        }
        let now = self.now();
        self.change_subscription(id, |subscription| {
            subscription.pending = None;
            subscription.take_terms(pending.terms, now);
        });
        self.follow_items(id);
        if let Ok(rendered) = self.retrieve_subscription(id) {
            self.emit("customer.subscription.pending_update_applied", rendered);
        }
    }

    /// Gives up a change that was not paid in time.
    pub(super) fn expire_pending(&mut self, id: &str) {
        self.discard_pending(id);
        if let Ok(rendered) = self.retrieve_subscription(id) {
            self.emit("customer.subscription.pending_update_expired", rendered);
        }
    }

    /// Drops the change that waits, if one does, and voids its invoice.
    pub(super) fn discard_pending(&mut self, id: &str) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let Some(pending) = subscription.pending.clone() else { return };
        let waited = self.collected_lines(&pending.invoice);
        self.change_subscription(id, |subscription| {
            subscription.pending = None;
            subscription.waiting = waited;
        });
        self.void(&pending.invoice);
    }

    /// Takes note that `invoice` was voided by hand: the change that waits for it is gone.
    pub(in crate::world) fn pending_invoice_voided(&mut self, id: &str, invoice: &str) {
        let waits = self.subscriptions.get(id).and_then(|found| found.pending.as_ref());
        if waits.is_some_and(|pending| pending.invoice == invoice) {
            let waited = self.collected_lines(invoice);
            self.change_subscription(id, |subscription| {
                subscription.pending = None;
                subscription.waiting = waited;
            });
        }
    }

    pub(super) fn render_pending(&self, subscription: &Subscription) -> Value {
        let Some(pending) = &subscription.pending else { return Value::Null };
        let (start, end) = pending.terms.period();
        let items = pending.terms.items.iter().map(|item| {
            let mut shown = self.render_item(subscription, item);
            shown["current_period_start"] = json!(start);
            shown["current_period_end"] = json!(end);
            shown
        });
        json!({
            "billing_cycle_anchor": pending.resets.then_some(pending.terms.anchor),
            "cancel_at_period_end": null,
            "discount": null,
            "discounts": null,
            "expires_at": pending.expires_at,
            "metadata": null,
            "subscription_items": items.collect::<Vec<_>>(),
            "trial_end": null,
            "trial_from_plan": null,
        })
    }
}
