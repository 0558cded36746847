//! The answer to "may this customer do that now?", with its reason.

use serde::Serialize;

use crate::time::Timestamp;

/// Why something is allowed or refused. The list is closed: clients match on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Inside the plan's limit.
    Ok,
    /// Inside the limit of a plan on trial.
    Trial,
    /// Beyond the limit and billed in arrears.
    Overage,
    /// Allowed by an exception made for this customer.
    Override,
    /// The limit would be crossed.
    LimitReached,
    /// The plan does not have this feature.
    NotInPlan,
    /// Not enough credits.
    CreditsEmpty,
    /// Billed use would cross its cap.
    OverageCap,
    /// A payment is overdue and only reading is still allowed.
    ReadOnly,
    /// A payment is overdue.
    PastDue,
    /// Spending was paused by an operator or an anomaly.
    SpendingPaused,
    /// The catalog has no such feature.
    UnknownFeature,
}

impl Code {
    /// Whether the answer with this code is yes.
    pub fn allowed(self) -> bool {
        matches!(self, Self::Ok | Self::Trial | Self::Overage | Self::Override)
    }

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Trial => "trial",
            Self::Overage => "overage",
            Self::Override => "override",
            Self::LimitReached => "limit_reached",
            Self::NotInPlan => "not_in_plan",
            Self::CreditsEmpty => "credits_empty",
            Self::OverageCap => "overage_cap",
            Self::ReadOnly => "read_only",
            Self::PastDue => "past_due",
            Self::SpendingPaused => "spending_paused",
            Self::UnknownFeature => "unknown_feature",
        }
    }
}

/// What a check, consume, release or sync is answered with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answer {
    /// Whether it may be done (check) or was done (the others).
    pub allowed: bool,
    /// Why.
    pub code: Code,
    /// The feature's key.
    pub feature: String,
    /// The most that may be used; `None` when unlimited. For credits the spendable balance plus
    /// what was used is not a limit, so it is `None` too.
    pub limit: Option<i64>,
    /// What is used in the present window, or held.
    pub used: i64,
    /// What is left; `None` when unlimited. For credits, the spendable balance.
    pub remaining: Option<i64>,
    /// When `used` starts again at zero.
    pub resets_at: Option<Timestamp>,
    /// On a refusal, the nearest plan that would allow it.
    pub upgrade_to: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The revision of the customer's state that this was decided on.
    pub revision: i64,
}
