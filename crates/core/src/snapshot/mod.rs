//! What a provider's objects say, in our words: the adapters' output and the facts' input.
//!
//! A snapshot is one object as it was when it was fetched. It is a mirror, not a decision: what
//! follows from it is decided elsewhere in this crate. Every enum that a provider may extend has a
//! variant for what we do not know, because an unknown status is unknown and not a guess.

mod changes;
mod money_back;
mod payments;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::{Interval, Period, Timestamp};

pub use changes::{
    PendingUpdate, PreviewSnapshot, SchedulePhase, ScheduleSnapshot, ScheduleStatus,
};
pub use money_back::{
    ChargeSnapshot, DisputeSnapshot, DisputeStatus, RefundSnapshot, RefundStatus,
};
pub use payments::{Card, PaymentMethodSnapshot, PaymentSnapshot, PaymentStatus};

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
    /// A successful payment, and how much of it went back.
    Charge(Box<ChargeSnapshot>),
    /// Money that went back, or is on its way back.
    Refund(Box<RefundSnapshot>),
    /// A payment that the customer's bank contests.
    Dispute(Box<DisputeSnapshot>),
    /// A card or the like, stored or no longer stored.
    PaymentMethod(Box<PaymentMethodSnapshot>),
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
    /// How many of its first item. Ours have 1.
    pub quantity: i64,
    /// How many prices it has. Ours have one; anything else was made by somebody else.
    pub items: usize,
    /// `[start, end)` of the current period. Not a sign that it was paid.
    pub period: Period,
    /// What the periods are counted from.
    pub anchor: Timestamp,
    /// When it will end, if that is scheduled, whichever way the provider says so.
    pub cancel_at: Option<Timestamp>,
    /// Whether the end is said as "with the period"; else an instant is named. Undoing the one is
    /// another request than undoing the other.
    pub cancel_at_period_end: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `[start, end)` of the trial, also when it is over.
    pub trial: Option<Period>,
    /// The provider's word for why it is paused, for example `trial_end_without_payment_method`;
    /// only while it is.
    pub pause_reason: Option<String>,
    /// What is planned for it, by us or by somebody else.
    pub schedule: Option<ScheduleSnapshot>,
    /// A change that waits for its payment.
    pub pending_update: Option<PendingUpdate>,
    /// The provider's id of the payment method that pays: its own, else the customer's default.
    pub default_payment_method: Option<String>,
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
    /// What it stored, when it was only for that.
    pub payment_method: Option<PaymentMethodSnapshot>,
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
