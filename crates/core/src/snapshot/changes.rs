//! What is planned for a subscription, and what a change would cost.

use serde::{Deserialize, Serialize};

use super::InvoiceLine;
use crate::money::Money;
use crate::time::Timestamp;

/// A change of price that the provider applies once its invoice is paid, and forgets otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUpdate {
    /// The provider's id of the price it changes to; the present one when it changes other things.
    pub price: String,
    /// When the provider forgets it.
    pub expires_at: Timestamp,
}

/// The phases that a subscription goes through by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleSnapshot {
    /// The provider's id.
    pub id: String,
    /// The provider's id of the subscription that it manages, or managed until it let go of it.
    pub subscription: Option<String>,
    /// Where it stands. Only [`ScheduleStatus::NotStarted`] and [`ScheduleStatus::Active`] ones
    /// still do something.
    pub status: ScheduleStatus,
    /// The phase that runs; `None` before the first, and when it no longer manages anything.
    pub current: Option<SchedulePhase>,
    /// The phase that comes next.
    pub next: Option<SchedulePhase>,
    /// How many phases come after the next one. Ours have none.
    pub later: usize,
    /// Whether the subscription just goes on after the last phase, as with ours. Else it ends or
    /// starts over.
    pub releases: bool,
}

/// Where a schedule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStatus {
    /// Its first phase is still ahead.
    NotStarted,
    /// In one of its phases.
    Active,
    /// All its phases are over; final.
    Completed,
    /// It let go of its subscription, which goes on; final.
    Released,
    /// It ended together with its subscription; final.
    Canceled,
    /// A word that we do not know.
    Other(String),
}

/// One phase of a schedule, `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchedulePhase {
    /// The provider's id of the price of its first item.
    pub price: String,
    /// How many of it.
    pub quantity: i64,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Option<Timestamp>,
    /// When the trial in it ends.
    pub trial_end: Option<Timestamp>,
}

/// What a change of price would cost, if it were made as of one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewSnapshot {
    /// What is taken from the customer at once; never negative.
    pub due_now: Money,
    /// The sum of the lines with discounts and tax; negative when the change gives back more than
    /// it costs. What [`due_now`](Self::due_now) lacks of it comes from the customer's balance, or
    /// goes there.
    pub total: Money,
    /// What is charged or credited at once, before discounts and tax.
    pub lines: Vec<InvoiceLine>,
    /// The instant as of which all this holds.
    pub proration_at: Timestamp,
    /// When the next regular charge is due and what it comes to, if the provider told.
    pub next_charge: Option<(Timestamp, Money)>,
}
