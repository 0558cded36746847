//! Money and credits that go back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Money;

/// Whether money may go back, rule by rule with numbers, and what would follow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundEligibility {
    /// Who asks.
    pub customer: String,
    /// Whether it may go back.
    pub eligible: bool,
    /// Our id of the payment.
    pub payment: String,
    /// When it was paid.
    #[schema(format = DateTime)]
    pub paid_at: String,
    /// The plan before; `null` for a pack.
    pub from: Option<String>,
    /// The plan that was bought; `null` for a pack.
    pub to: Option<String>,
    /// What was paid.
    pub captured: Money,
    /// The most that could go back.
    pub refundable: Money,
    /// What would go back.
    pub amount: Money,
    /// The first instant at which the window is over.
    #[schema(format = DateTime)]
    pub closes_at: Option<String>,
    /// The rule that decided about use.
    pub rule: Option<String>,
    /// Its comparisons.
    pub checks: Vec<RefundCheck>,
    /// What is in the way.
    pub problems: Vec<RefundProblem>,
    /// `nobody`, `one_person` or `two_people` have to agree.
    pub approval: String,
    /// What would follow.
    pub then: RefundThen,
    /// With `?preview=true`: to be sent with the request within 15 minutes.
    pub preview_token: Option<String>,
}

/// One comparison of a refund rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundCheck {
    /// The rule's name.
    pub rule: String,
    /// The feature's key.
    pub feature: String,
    /// Use above this refuses the refund.
    pub limit: i64,
    /// The use since the payment: the peak of what was held, or what was used up.
    pub used: i64,
    /// Whether it is within the limit.
    pub ok: bool,
}

/// One thing that is in the way of a refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundProblem {
    /// Stable; match on it.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What follows a refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundThen {
    /// The plan that the customer would get; `null`: the plan stays.
    pub move_to: Option<String>,
    /// `now` or `period_end`.
    pub at: String,
    /// Credit feature key to what would be taken.
    pub credits: BTreeMap<String, TakenCredits>,
}

/// What a refund takes of one kind of credits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenCredits {
    /// Of what can be spent now.
    pub taken: i64,
    /// What was spent and would be owed.
    pub owed: i64,
}

/// A refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// Ours.
    pub id: String,
    /// Whose money it is.
    pub customer: String,
    /// Our id of the payment.
    pub payment: String,
    /// How much.
    pub amount: Money,
    /// `needs_review`, `sent`, `waiting`, `succeeded`, `rejected` or `failed`.
    pub state: String,
    /// `request`, or `provider` when it was made in the provider's dashboard.
    pub origin: String,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// What the policy said then: transition, rule, numbers.
    pub judged: Option<Value>,
    /// How many people still have to agree.
    pub approvals_missing: u8,
    /// Who asked.
    pub requested_by: String,
    /// When.
    #[schema(format = DateTime)]
    pub requested_at: String,
    /// Who agreed; `policy` when nobody had to.
    pub approved_by: Option<String>,
    /// Who agreed besides.
    pub second_approved_by: Option<String>,
    /// Who said no.
    pub rejected_by: Option<String>,
    /// Why not.
    pub reject_reason: Option<String>,
    /// Why it failed, as a code.
    pub failure: Option<String>,
    /// When its state last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// A preview of a refund (with `?preview=true`), or the refund.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RefundAnswer {
    /// With `?preview=true`.
    Preview(RefundEligibility),
    /// Without.
    Refund(Refund),
}

/// A payment that the customer's bank contests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Ours.
    pub id: String,
    /// Whose payment it is about.
    pub customer: String,
    /// Our id of the payment.
    pub payment: String,
    /// How much is contested.
    pub amount: Money,
    /// For example `needs_response`, `won` or `lost`.
    pub status: String,
    /// The bank's word for why.
    pub reason: String,
    /// Until when it can be answered.
    #[schema(format = DateTime)]
    pub due_by: Option<String>,
    /// Whether the bank has the money now.
    pub funds_withdrawn: bool,
    /// When it was opened.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When we learned that it is over.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
}

/// A payment with what went back of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentDetail {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: String,
    /// Our id of the invoice that it paid.
    pub invoice: Option<String>,
    /// Our id of the checkout that it paid, for a one-off purchase.
    pub checkout: Option<String>,
    /// `succeeded`, `processing`, `requires_action`, `failed`, `canceled` or `unknown`.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// What went back, or is on its way.
    pub refunded: Money,
    /// What the customer's bank has.
    pub disputed: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// One transaction of a customer's ledger of credits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Ours.
    pub id: String,
    /// Counts from 1 in each account.
    pub seq: i64,
    /// `grant`, `spend`, `expire`, `reset`, `claw_back`, `reinstate`, `repay` or `take`.
    pub reason: String,
    /// What gave: `issued`, `available`, `spent`, `ended`, `clawed` or `debt`.
    pub from: String,
    /// What received.
    pub to: String,
    /// How many, at least 1.
    pub amount: i64,
    /// What caused it.
    pub cause: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}
