//! Payments that are overdue, and trying them again.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{ChangePreview, Money, Subscription};

/// A payment that is overdue and what is done about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningCase {
    /// Ours.
    pub id: String,
    /// Whose.
    pub customer: String,
    /// The subscription that is overdue.
    pub subscription: String,
    /// The plan that it is for.
    pub plan: String,
    /// `full_access` or `read_only`.
    pub stage: String,
    /// When the failure was learned of.
    #[schema(format = DateTime)]
    pub since: String,
    /// The unpaid invoice.
    pub invoice: Option<String>,
    /// What is owed.
    pub amount: Option<Money>,
    /// Why the last try failed, in the provider's word.
    pub decline_code: Option<String>,
    /// The same in a sentence for the customer.
    pub reason: String,
    /// The way out: `retry`, `new_card` or `confirm`.
    pub path: String,
    /// How many tries Farthing made.
    pub attempts: i64,
    /// When it is tried next; `null`: not by itself.
    #[schema(format = DateTime)]
    pub next_retry_at: Option<String>,
    /// When only reading still works.
    #[schema(format = DateTime)]
    pub read_only_from: String,
    /// When it is given up.
    #[schema(format = DateTime)]
    pub ends_at: String,
    /// Until when the app should keep what the plan after that does not hold.
    #[schema(format = DateTime)]
    pub data_kept_until: Option<String>,
    /// A page on which the customer can pay and confirm.
    pub payment_url: Option<String>,
}

/// A preview of a try (with `?preview=true`), or what became of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RetryAnswer {
    /// With `?preview=true`.
    Preview(ChangePreview),
    /// Without.
    Retried(Box<Retried>),
}

/// What became of a try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retried {
    /// `paid`, `declined` or `action_required`.
    pub outcome: String,
    /// What was to be paid.
    pub amount: Money,
    /// Why it was not, in the provider's word.
    pub decline_code: Option<String>,
    /// One sentence for the customer.
    pub message: String,
    /// Where the customer can pay or confirm, while it is not paid.
    pub payment_url: Option<String>,
    /// The subscription afterwards.
    pub subscription: Subscription,
}
