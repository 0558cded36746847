//! Webhook deliveries: at least once, signed afresh each time, retried for three days.

use serde::{Deserialize, Serialize};

use super::World;
use super::faults::WebhookFault;
use super::table::Row;
use crate::calendar::{DAY, HOUR};
use crate::signature;

/// A POST that is due: the caller makes it and tells the answer with [`World::delivered`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names this delivery in [`World::delivered`].
    pub id: u64,
    /// Where to POST.
    pub url: String,
    /// Headers to send, the signature among them.
    pub headers: Vec<(String, String)>,
    /// The event, in JSON.
    pub body: Vec<u8>,
}

/// One event that one endpoint has not yet acknowledged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    id: String,
    event: String,
    endpoint: String,
    /// When it was first handed out.
    first_at: Option<i64>,
    attempts: u32,
    due_at: i64,
}

impl Row for Pending {
    const KIND: &'static str = "delivery";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        Some(self.due_at)
    }
}

/// Attempts end so long after the first one.
const GIVE_UP_AFTER: i64 = 3 * DAY;
/// A delivery that was taken and of which nothing was heard is due again after so long.
const LEASE: i64 = 60;
/// The wait before the second attempt; each further wait is twice as long, up to 12 hours.
const FIRST_WAIT: i64 = 60;
const LONGEST_WAIT: i64 = 12 * HOUR;

impl World {
    /// Owes `event` to each of the endpoints `wanting` it, as `fault` has it; how many deliveries
    /// are owed.
    pub(super) fn owe_deliveries(
        &mut self,
        event: &str,
        wanting: &[String],
        fault: Option<WebhookFault>,
    ) -> usize {
        let (copies, wait) = match fault {
            Some(WebhookFault::Lost) => (0, 0),
            Some(WebhookFault::Late(seconds)) => (1, i64::from(seconds)),
            Some(WebhookFault::Twice) => (2, 0),
            Some(WebhookFault::OtherId) | None => (1, 0),
        };
        let due_at = self.now() + wait;
        for endpoint in wanting.iter().flat_map(|endpoint| std::iter::repeat_n(endpoint, copies)) {
            self.meta.counter += 1;
            self.deliveries.put(Pending {
                id: self.meta.counter.to_string(),
                event: event.to_owned(),
                endpoint: endpoint.clone(),
                first_at: None,
                attempts: 0,
                due_at,
            });
        }
        wanting.len() * copies
    }

    /// The endpoints that want events of this kind.
    pub(super) fn wanting(&self, kind: &str) -> Vec<String> {
        self.endpoints
            .oldest_first()
            .filter(|endpoint| endpoint.wants(kind))
            .map(|endpoint| endpoint.id().to_owned())
            .collect()
    }

    /// Ends `pending`, acknowledged or given up.
    fn end_delivery(&mut self, pending: &Pending, acknowledged: bool) {
        self.deliveries.remove(&pending.id);
        if let Some(mut event) = self.events.get(&pending.event).cloned() {
            event.owed = event.owed.saturating_sub(1);
            event.waiting = event.waiting.saturating_sub(usize::from(acknowledged));
            self.events.put(event);
        }
    }

    /// The deliveries to make now, oldest event first, signed at world time. Each is handed out
    /// once; without a [`World::delivered`] it is due again after a minute.
    pub fn deliveries_due(&mut self) -> Vec<Delivery> {
        let now = self.now();
        let mut due: Vec<Pending> = self.deliveries.all_due(now).into_iter().cloned().collect();
        let mut out = Vec::with_capacity(due.len());
        if self.meta.faults.newest_first() {
            due.reverse();
        }
        for mut pending in due {
            match self.delivery(&pending) {
                Some(delivery) => {
                    out.push(delivery);
                    pending.due_at = now + LEASE;
                    pending.first_at.get_or_insert(now);
                    self.deliveries.put(pending);
                }
                // The endpoint was deleted or disabled.
                None => self.end_delivery(&pending, false),
            }
        }
        out
    }

    fn delivery(&self, pending: &Pending) -> Option<Delivery> {
        let event = self.events.get(&pending.event)?;
        let endpoint = self.endpoints.get(&pending.endpoint).filter(|endpoint| endpoint.enabled)?;
        let body = self.render_event(event, event.endpoints).to_string().into_bytes();
        let signature = signature::header(&endpoint.secret, self.now(), &body);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Some(Delivery {
            id: pending.id.parse().expect("delivery ids are counters"),
            url: endpoint.url.clone(),
            headers: vec![
                header("content-type", "application/json; charset=utf-8"),
                header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
                header("stripe-signature", &signature),
            ],
            body,
        })
    }

    /// Tells how the delivery `id` was answered: with a status, or not at all. Anything but 2xx is
    /// tried again, each time after twice the wait, for three days.
    pub fn delivered(&mut self, id: u64, status: Option<u16>) {
        let Some(mut pending) = self.deliveries.get(&id.to_string()).cloned() else { return };
        if status.is_some_and(|status| (200..300).contains(&status)) {
            self.end_delivery(&pending, true);
            return;
        }
        let wait = FIRST_WAIT.saturating_mul(1 << pending.attempts.min(20)).min(LONGEST_WAIT);
        pending.attempts += 1;
        pending.due_at = self.now() + wait;
        if pending.first_at.unwrap_or(self.now()) + GIVE_UP_AFTER < pending.due_at {
            self.end_delivery(&pending, false);
        } else {
            self.deliveries.put(pending);
        }
    }
}
