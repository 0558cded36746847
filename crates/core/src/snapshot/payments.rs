//! Payments and what pays.

use serde::{Deserialize, Serialize};

use super::CustomerRef;
use crate::money::Money;

/// What is known of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// For example `visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The same for the same card number, whoever uses it.
    pub fingerprint: Option<String>,
    /// 1 to 12.
    pub exp_month: Option<i64>,
    /// Four digits.
    pub exp_year: Option<i64>,
}

/// A stored card or other way of paying, as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethodSnapshot {
    /// The provider's id.
    pub id: String,
    /// The provider's word for what it is, for example `card`.
    pub kind: String,
    /// The card, when it is one.
    pub card: Option<Card>,
    /// Whose it is; `None` when it is not stored, or no longer.
    pub customer: Option<CustomerRef>,
}

/// A payment as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSnapshot {
    /// The provider's id of the payment (a payment intent at Stripe).
    pub id: String,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The amount.
    pub amount: Money,
    /// The provider's code for why it failed, for example `insufficient_funds`.
    pub failure_code: Option<String>,
    /// The card used, as far as it is known.
    pub card: Option<Card>,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money arrived.
    Succeeded,
    /// On its way.
    Processing,
    /// The customer has to do something, such as 3-D Secure.
    RequiresAction,
    /// It failed; another try is possible.
    Failed,
    /// Given up.
    Canceled,
    /// A word that we do not know.
    Other(String),
}
