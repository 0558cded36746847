//! What would be done, and what was.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{CustomerState, Money, ProviderEvent, Subscription, TimelineEntry};

/// A preview of a change (with `?preview=true`), or what became of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "a client holds one of them at a time")]
pub enum ChangeAnswer {
    /// With `?preview=true`.
    Preview(ChangePreview),
    /// Without.
    Changed(Box<Changed>),
}

/// What a change would cost and do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePreview {
    /// What is charged at once; 0 for a change that waits.
    pub due_now: Money,
    /// What that is made of.
    pub lines: Vec<PreviewLine>,
    /// When it takes effect.
    #[schema(format = DateTime)]
    pub effective_at: String,
    /// What is charged next, and when.
    pub next_charge: Option<NextCharge>,
    /// What has to go first, in sentences.
    pub blocked_by: Vec<String>,
    /// To be sent with the change within 15 minutes; `null` when it is blocked.
    pub preview_token: Option<String>,
}

/// One line of a preview.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewLine {
    /// What it is for.
    pub description: String,
    /// Its amount; negative for a credit.
    pub amount: Money,
}

/// The next regular charge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NextCharge {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// How much.
    pub amount: Money,
}

/// What became of a change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// `done`, `scheduled`, `payment_pending` or `unchanged`.
    pub outcome: String,
    /// When it takes effect.
    #[schema(format = DateTime)]
    pub effective_at: String,
    /// Where the customer can pay, when a payment is pending.
    pub payment_url: Option<String>,
    /// The subscription afterwards.
    pub subscription: Subscription,
}

/// A preview of a replay (with `?preview=true`), or the event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "it only describes")]
pub enum ReplayAnswer {
    /// With `?preview=true`.
    Preview(ReplayPreview),
    /// Without.
    Event(ProviderEvent),
}

/// What handling an event again would do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayPreview {
    /// The event, as it is now.
    pub event: ProviderEvent,
    /// `absorbed`, `ignored`, or `set_aside` when a person has to act first.
    pub outcome: String,
    /// Why it would be set aside.
    pub reason: Option<String>,
    /// Whose it turns out to be.
    pub customer: Option<String>,
    /// What would be written into the timeline; empty: nothing would change.
    pub changes: Vec<TimelineEntry>,
    /// The customer's state afterwards.
    pub state: Option<CustomerState>,
}

/// What a purchase would cost if its page were paid now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutPreview {
    /// What is charged when the page is completed; 0 with a trial.
    pub due_now: Money,
    /// The trial's length in days, when it starts with one.
    pub trial_days: Option<i64>,
    /// When the trial would end.
    #[schema(format = DateTime)]
    pub trial_ends_at: Option<String>,
    /// What is charged next, and when; `null` for a pack.
    pub next_charge: Option<NextCharge>,
}
