//! Time: what is due, and moving to an instant by running everything on the way.

use serde::{Deserialize, Serialize};

use super::World;
use super::table::Row;
use crate::calendar::{DAY, LAST_INSTANT};

/// What becomes of a subscription when the last retry of its payment failed: a setting of the
/// account at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterLastRetry {
    /// The subscription ends (Stripe's default and ours).
    Cancel,
    /// It stays, `unpaid`; its invoices are drafted and not charged.
    Unpaid,
    /// It stays `past_due`.
    PastDue,
}

/// Events can be read for so long.
const EVENTS_KEPT: i64 = 30 * DAY;

impl World {
    /// When the world next has something to do (unix seconds): a renewal, the end of a trial, a
    /// finalization, a retry, an expiry, a webhook. May lie in the past only for deliveries that
    /// wait to be taken.
    pub fn next_due(&self) -> Option<i64> {
        [self.next_act(), self.deliveries.next_due()].into_iter().flatten().min()
    }

    /// Brings world time to `to` and runs everything due at or before it, in order of time, each
    /// at its own instant. An instant in the past changes nothing.
    pub fn advance_to(&mut self, to: i64) {
        let to = to.min(LAST_INSTANT);
        while let Some(at) = self.next_act().filter(|at| *at <= to) {
            self.meta.now = self.meta.now.max(at);
            self.act();
        }
        self.meta.now = self.meta.now.max(to);
        self.forget_old();
    }

    /// Decides what happens after the last failed retry.
    pub fn set_after_last_retry(&mut self, setting: AfterLastRetry) {
        self.meta.after_last_retry = setting;
    }

    fn next_act(&self) -> Option<i64> {
        [
            self.subscriptions.next_due(),
            self.schedules.next_due(),
            self.invoices.next_due(),
            self.sessions.next_due(),
            self.refunds.next_due(),
            self.disputes.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Runs one thing that is due. Invoices come first: at one instant a charge of the old period
    /// precedes the new period. Then the phases of schedules, which say what the new period is for.
    fn act(&mut self) {
        let now = self.meta.now;
        if let Some(invoice) = self.invoices.first_due(now).cloned() {
            self.invoice_due(invoice);
        } else if let Some(schedule) = self.schedules.first_due(now).cloned() {
            self.schedule_due(schedule);
        } else if let Some(subscription) = self.subscriptions.first_due(now).cloned() {
            self.subscription_due(subscription);
        } else if let Some(session) = self.sessions.first_due(now).cloned() {
            self.expire_session(session);
        } else if let Some(refund) = self.refunds.first_due(now).cloned() {
            self.refund_due(refund);
        } else if let Some(dispute) = self.disputes.first_due(now).cloned() {
            self.dispute_due(dispute);
        }
    }

    fn forget_old(&mut self) {
        let horizon = self.meta.now - EVENTS_KEPT;
        let old: Vec<String> = self
            .events
            .oldest_first()
            // After a long jump of the clock, what nobody was told yet is kept until it is.
            .take_while(|event| event.created < horizon && event.owed == 0)
            .map(|event| event.id().to_owned())
            .collect();
        for id in old {
            self.events.remove(&id);
        }
        self.forget_idempotency_keys();
    }
}
