//! What time does to a subscription: renewal, the end of a trial, expiry, planned endings.

use super::{MissingMethod, Status, Subscription};
use crate::calendar::{HOUR, boundary};
use crate::world::World;
use crate::world::clock::AfterLastRetry;
use crate::world::table::Row;

/// An invoice of a new period stays a draft for so long.
const DRAFT_FOR: i64 = HOUR;

impl World {
    /// Runs the one thing about `subscription` that is due now.
    pub(in crate::world) fn subscription_due(&mut self, subscription: Subscription) {
        let now = self.now();
        let id = subscription.id.clone();
        if subscription.status == Status::Incomplete {
            self.stop_collecting(&id, true);
            self.change_subscription(&id, |subscription| {
                subscription.status = Status::IncompleteExpired;
                subscription.ended_at = Some(now);
            });
        } else if subscription.pending.as_ref().is_some_and(|pending| pending.expires_at <= now) {
            self.expire_pending(&id);
        } else if subscription.cancellation.at.is_some_and(|at| at <= now) {
            self.end_subscription(&id, "cancellation_requested");
        } else if subscription
            .trial
            .as_ref()
            .is_some_and(|t| t.notice_due().is_some_and(|at| at <= now))
        {
            self.announce_trial_end(&id);
        } else if subscription.status == Status::Trialing {
            self.end_trial(subscription);
        } else {
            self.next_period(&id, subscription.status);
        }
    }

    /// Tells that the trial ends soon, if it does and was not told yet.
    pub(super) fn announce_trial_end(&mut self, id: &str) {
        let Some(mut subscription) = self.subscriptions.get(id).cloned() else { return };
        let now = self.now();
        let Some(trial) = &mut subscription.trial else { return };
        if trial.notice_due().is_none_or(|at| now < at) {
            return;
        }
        trial.end_announced = true;
        let rendered = self.render_subscription(&subscription);
        self.subscriptions.put(subscription);
        self.emit("customer.subscription.trial_will_end", rendered);
    }

    fn end_trial(&mut self, subscription: Subscription) {
        let id = subscription.id;
        let method = subscription.default_payment_method.as_deref();
        let can_pay = self.method_for(method, &subscription.customer).is_some();
        let missing = subscription.trial.map(|trial| trial.missing_payment_method);
        match missing.filter(|_| !can_pay) {
            Some(MissingMethod::Cancel) => self.end_subscription(&id, ""),
            Some(MissingMethod::Pause) => {
                let now = self.now();
                self.change_subscription(&id, |subscription| {
                    subscription.status = Status::Paused;
                    subscription.paused_at = Some(now);
                });
                if let Ok(rendered) = self.retrieve_subscription(&id) {
                    self.emit("customer.subscription.paused", rendered);
                }
            }
            Some(MissingMethod::CreateInvoice) | None => self.next_period(&id, Status::Active),
        }
    }

    /// Moves to the next period and drafts its invoice, which is finalized and charged an hour
    /// later. An unpaid subscription gets the draft only.
    fn next_period(&mut self, id: &str, status: Status) {
        let Some(mut subscription) = self.subscriptions.get(id).cloned() else { return };
        let before = (subscription.period_start, subscription.period_end);
        advance(&mut subscription);
        subscription.status = status;
        let mut invoice = self.subscription_invoice(&subscription, "subscription_cycle");
        subscription.note_billed(&invoice.lines, Some(invoice.id()));
        invoice.lines.splice(0..0, std::mem::take(&mut subscription.waiting));
        (invoice.period_start, invoice.period_end) = before;
        invoice.auto_advance = status != Status::Unpaid;
        invoice.finalizes_at = Some(self.now() + DRAFT_FOR);
        let invoice = self.put_new_invoice(invoice);
        self.change_subscription(id, |current| {
            *current = Subscription { latest_invoice: Some(invoice), ..subscription };
        });
    }

    /// Takes note of a paid invoice of the subscription: its latest one makes it active again.
    pub(in crate::world) fn subscription_paid(&mut self, id: &str, invoice: &str) {
        self.apply_pending(id, invoice);
        let Some(subscription) = self.subscriptions.get(id) else { return };
        let latest = subscription.latest_invoice.as_deref();
        // A voided invoice, as of a change that was given up, settles nothing and hinders nothing.
        let settles = latest == Some(invoice) || latest.is_some_and(|latest| self.is_void(latest));
        let waits =
            matches!(subscription.status, Status::Incomplete | Status::PastDue | Status::Unpaid);
        if settles && waits {
            self.change_subscription(id, |subscription| subscription.status = Status::Active);
        }
    }

    /// Takes note that an invoice was voided: an incomplete subscription has no way on.
    pub(in crate::world) fn first_invoice_voided(&mut self, id: &str) {
        let now = self.now();
        let status = self.subscriptions.get(id).map(|subscription| subscription.status);
        if status == Some(Status::Incomplete) {
            self.change_subscription(id, |subscription| {
                subscription.status = Status::IncompleteExpired;
                subscription.ended_at = Some(now);
            });
        }
    }

    /// Takes note of a failed charge; `last` if no retry follows.
    pub(in crate::world) fn subscription_unpaid(&mut self, id: &str, last: bool) {
        let Some(subscription) = self.subscriptions.get(id) else { return };
        if !matches!(subscription.status, Status::Active | Status::PastDue) {
            return;
        }
        match (last, self.meta.after_last_retry) {
            (true, AfterLastRetry::Cancel) => self.end_subscription(id, "payment_failed"),
            (true, AfterLastRetry::Unpaid) => {
                self.change_subscription(id, |subscription| subscription.status = Status::Unpaid);
            }
            (true, AfterLastRetry::PastDue) | (false, _) => {
                self.change_subscription(id, |subscription| subscription.status = Status::PastDue);
            }
        }
    }
}

/// Moves the current period to the next one, counted from the anchor.
pub(super) fn advance(subscription: &mut Subscription) {
    let at = |n| boundary(subscription.anchor, subscription.interval, n);
    let n = subscription.next_cycle;
    (subscription.period_start, subscription.period_end) = (at(n), at(n + 1));
    subscription.next_cycle = n + 1;
}
