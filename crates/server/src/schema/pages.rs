//! What answers about the billing page and about payment methods look like.

use serde::Deserialize;
use utoipa::ToSchema;

/// A link to a billing page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BillingLink {
    /// Send the customer there. It is not shown again.
    pub url: String,
    /// The first instant at which it no longer opens anything.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// The provider's page on which a payment method is stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupPage {
    /// Send the customer there.
    pub url: String,
}

/// Everything that a customer can pay with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentMethods {
    /// What pays next comes first.
    pub data: Vec<PaymentMethod>,
}

/// Something that a customer can pay with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentMethod {
    /// The provider's id.
    pub id: String,
    /// `card`, `sepa_debit` and so on, in the provider's word.
    pub kind: String,
    /// `visa` and so on, for a card.
    pub brand: Option<String>,
    /// The last four digits, for a card.
    pub last4: Option<String>,
    /// 1 to 12, for a card.
    pub exp_month: Option<i64>,
    /// Four digits, for a card.
    pub exp_year: Option<i64>,
    /// Whether it pays what comes next.
    pub is_default: bool,
}
