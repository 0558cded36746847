//! What a provider's objects say, in our words: the adapters' output and the facts' input.
//!
//! A snapshot is one object as it was when it was fetched. It is a mirror, not a decision: what
//! follows from it is decided elsewhere in this crate. Every enum that a provider may extend has a
//! variant for what we do not know, because an unknown status is unknown and not a guess.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::{Interval, Period, Timestamp};

/// One object, fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename_all = "snake_case")]
pub enum Snapshot {
    /// A subscription together with its newest invoice.
    Subscription(Box<SubscriptionSnapshot>),
    /// An invoice with its lines and payments.
    Invoice(Box<InvoiceSnapshot>),
    /// A hosted checkout.
    Checkout(Box<CheckoutSnapshot>),
    /// The provider's customer is gone.
    CustomerDeleted(CustomerRef),
}

/// Whose an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRef {
    /// The provider's own id of its customer object.
    pub provider_id: String,
    /// The app's customer id that we left in the object's metadata or reference; as found there,
    /// so not yet checked.
    pub app_id: Option<String>,
}

/// A subscription as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSnapshot {
    /// The provider's id.
    pub id: String,
    /// Whose it is.
    pub customer: CustomerRef,
    /// Our checkout that started it, from the metadata we left.
    pub checkout: Option<String>,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// The provider's id of the price of its first item.
    pub price: String,
    /// The provider's id of its first item.
    pub item: String,
    /// How many prices it has. Ours have one; anything else was made by somebody else.
    pub items: usize,
    /// `[start, end)` of the current period. Not a sign that it was paid.
    pub period: Period,
    /// What the periods are counted from.
    pub anchor: Timestamp,
    /// When it will end, if that is scheduled, whichever way the provider says so.
    pub cancel_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `[start, end)` of the trial, also when it is over.
    pub trial: Option<Period>,
    /// The card that pays, as far as it is known.
    pub card: Option<Card>,
    /// The newest invoice it made.
    pub latest_invoice: Option<InvoiceSnapshot>,
}

/// Where a subscription stands, in the provider's sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// The first payment has not succeeded yet.
    Incomplete,
    /// The first payment never succeeded; final.
    IncompleteExpired,
    /// In its trial.
    Trialing,
    /// Running.
    Active,
    /// A renewal is unpaid and still being tried.
    PastDue,
    /// A renewal is unpaid and no longer tried.
    Unpaid,
    /// Halted.
    Paused,
    /// Ended; final.
    Canceled,
    /// A word that we do not know.
    Other(String),
}

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

/// An invoice as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSnapshot {
    /// The provider's id.
    pub id: String,
    /// Whose it is.
    pub customer: CustomerRef,
    /// The provider's id of the subscription it bills.
    pub subscription: Option<String>,
    /// The number printed on it.
    pub number: Option<String>,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The provider's word for why it was made, for example `subscription_cycle`.
    pub reason: String,
    /// The sum of the lines after discounts and tax.
    pub total: Money,
    /// What was paid so far.
    pub paid: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// How often a payment was tried.
    pub attempts: i64,
    /// When the provider tries again.
    pub next_attempt_at: Option<Timestamp>,
    /// What it is for.
    pub lines: Vec<InvoiceLine>,
    /// The payments made or tried on it.
    pub payments: Vec<PaymentSnapshot>,
    /// A page on which it can be paid.
    pub hosted_url: Option<String>,
}

/// Where an invoice stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Not final yet.
    Draft,
    /// Waiting for payment.
    Open,
    /// Paid.
    Paid,
    /// Given up, still owed.
    Uncollectible,
    /// Void.
    Void,
    /// A word that we do not know.
    Other(String),
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// What the provider calls it.
    pub description: String,
    /// The provider's id of the price; `None` for a one-off amount.
    pub price: Option<String>,
    /// The line's amount before discounts; negative for a credit.
    pub amount: Money,
    /// How many.
    pub quantity: i64,
    /// `[start, end)` of what it pays for; both the same for a one-off amount.
    pub period: Period,
    /// Whether it is a share for part of a period.
    pub proration: bool,
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

/// A hosted checkout as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutSnapshot {
    /// The provider's id.
    pub id: String,
    /// Our checkout, from the metadata we left; `None` when somebody else made it.
    pub checkout: Option<String>,
    /// Whose it is.
    pub customer: Option<CustomerRef>,
    /// Where it stands.
    pub status: CheckoutStatus,
    /// Whether the money is there: `false` also while a slow payment is on its way.
    pub paid: bool,
    /// Whether nothing had to be paid (a trial, a card that is only stored).
    pub nothing_due: bool,
    /// What it came to.
    pub total: Option<Money>,
    /// The page for the customer; `None` once it is over.
    pub url: Option<String>,
    /// When it stops being open.
    pub expires_at: Timestamp,
    /// What it started.
    pub subscription: Option<SubscriptionSnapshot>,
    /// What it collected, for a one-off purchase.
    pub payment: Option<PaymentSnapshot>,
}

/// Where a hosted checkout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// The customer has not finished.
    Open,
    /// Finished; look at `paid`.
    Complete,
    /// Too late.
    Expired,
}

/// A price as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSnapshot {
    /// The provider's id.
    pub id: String,
    /// The provider's id of its product.
    pub product: String,
    /// The key we gave it.
    pub lookup_key: Option<String>,
    /// The amount.
    pub amount: Money,
    /// How often it recurs; `None`: once.
    pub interval: Option<Interval>,
    /// Whether it can be bought.
    pub active: bool,
}
