//! Successful payments and what goes back of them: refunds and disputes.

use serde::{Deserialize, Serialize};

use super::{Card, CustomerRef};
use crate::money::Money;
use crate::time::Timestamp;

/// Money that was taken, and how much of it went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeSnapshot {
    /// The provider's id.
    pub id: String,
    /// The provider's id of the payment (a payment intent at Stripe) that it belongs to.
    pub payment: Option<String>,
    /// Whose it is.
    pub customer: Option<CustomerRef>,
    /// The provider's id of the invoice that it paid; `None` for a one-off purchase, too.
    pub invoice: Option<String>,
    /// Our checkout that it paid, from the metadata we left, for a one-off purchase.
    pub checkout: Option<String>,
    /// What was taken.
    pub amount: Money,
    /// What went back by refunds, as the provider counts it.
    pub refunded: Money,
    /// Whether the money was really taken: a failed try is a charge, too.
    pub paid: bool,
    /// Whether the customer's bank contests it, or did.
    pub disputed: bool,
    /// The card used, as far as it is known.
    pub card: Option<Card>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A refund as the provider has it. One that succeeded can still fail later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundSnapshot {
    /// The provider's id.
    pub id: String,
    /// Our refund, from the metadata we left; `None` when somebody else made it.
    pub refund: Option<String>,
    /// Whose it is.
    pub customer: Option<CustomerRef>,
    /// The provider's id of the payment that it gives back.
    pub payment: Option<String>,
    /// The provider's id of the charge that it gives back.
    pub charge: Option<String>,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// The provider's word for why, for example `requested_by_customer`.
    pub reason: Option<String>,
    /// The provider's word for why it failed, for example `expired_or_canceled_card`.
    pub failure_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a refund stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The customer has to do something.
    RequiresAction,
    /// The money is on its way to the customer.
    Succeeded,
    /// The money came back to us, or never left.
    Failed,
    /// Given up before it left.
    Canceled,
    /// A word that we do not know.
    Other(String),
}

/// A dispute as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeSnapshot {
    /// The provider's id.
    pub id: String,
    /// Whose payment it is about.
    pub customer: Option<CustomerRef>,
    /// The provider's id of the payment that it is about.
    pub payment: Option<String>,
    /// The provider's id of the charge that it is about.
    pub charge: String,
    /// How much is contested.
    pub amount: Money,
    /// Where it stands.
    pub status: DisputeStatus,
    /// The provider's word for why, for example `fraudulent`.
    pub reason: String,
    /// Until when evidence can be given.
    pub due_by: Option<Timestamp>,
    /// Whether the bank took the money from us, whatever happened afterwards.
    pub funds_withdrawn: bool,
    /// Whether we got it back.
    pub funds_reinstated: bool,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// Where a dispute stands. That money moved is not said here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// An inquiry that wants an answer; no money was taken.
    WarningNeedsResponse,
    /// An inquiry that was answered.
    WarningUnderReview,
    /// An inquiry that is over.
    WarningClosed,
    /// Wants an answer.
    NeedsResponse,
    /// Was answered; the bank decides.
    UnderReview,
    /// Decided for us.
    Won,
    /// Decided against us.
    Lost,
    /// Settled before it became one, for example by a refund.
    Prevented,
    /// Lost, and the decision can be contested.
    AppealNeedsResponse,
    /// Lost, and the decision is contested.
    AppealUnderReview,
    /// A word that we do not know.
    Other(String),
}
