//! The catalog: what can be gated, what can be bought, and the policies around both.
//!
//! These types hold only what is valid: parsing refuses everything else, so no other code has
//! to ask whether a plan exists in `tiers` or a price names every currency.

mod diff;
mod error;
mod features;
mod packs;
mod parse;
mod plans;
mod policies;
mod reader;
mod slots;
mod templates;
mod tiers;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::time::{Interval, Timestamp};

pub use diff::{Change, ChangeKind, InUse, diff, is_blocked};
pub use error::{CatalogError, MAX_ERRORS};
pub use parse::{MAX_SOURCE_BYTES, parse};
pub use slots::PriceSlot;
pub use templates::{AI_CREDITS, SAMPLE, SEATS, TEMPLATES, template};
pub use tiers::{Direction, OverLimitFinding};
pub use values::{InvalidQuantity, about_size, format_size, parse_size};

/// A whole catalog file, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Catalog {
    /// Every price names each of these; at least one.
    pub currencies: Vec<Currency>,
    /// Plan keys from the lowest to the highest; moving right is an upgrade.
    pub tiers: Vec<String>,
    /// The plan for new, lapsed and canceled customers; it has no prices.
    pub fallback: String,
    /// What can be gated, by key.
    pub features: BTreeMap<String, Feature>,
    /// What can be subscribed to, by key; exactly the keys in `tiers`.
    pub plans: BTreeMap<String, Plan>,
    /// One-off purchases of credits, by key.
    pub packs: BTreeMap<String, Pack>,
    /// When plan changes happen.
    pub changes: ChangePolicy,
    /// Who may have money back; `None` when the catalog has no `[refunds]`.
    pub refunds: Option<RefundPolicy>,
    /// What happens after a failed payment.
    pub dunning: DunningPolicy,
    /// What happens when credits look wrong.
    pub anomalies: AnomalyPolicy,
}

/// Something that a plan allows or limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Feature {
    /// On or off.
    Boolean,
    /// A number that the app reads; nothing is consumed.
    Value,
    /// Things held at one time, given back when they are deleted.
    Count {
        /// `byte` makes limits accept sizes such as `"10 GB"`.
        unit: Option<Unit>,
    },
    /// Use that starts again at zero in every window.
    Usage {
        /// `byte` makes limits accept sizes such as `"10 GB"`.
        unit: Option<Unit>,
        /// How long a window is.
        resets: Reset,
    },
    /// A balance that is spent.
    Credits(CreditFeature),
}

impl Feature {
    /// The word used for it in the catalog and the API.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Value => "value",
            Self::Count { .. } => "count",
            Self::Usage { .. } => "usage",
            Self::Credits(_) => "credits",
        }
    }
}

/// What a count or usage is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes; KB, MB, GB and TB are powers of 1,000.
    Byte,
}

/// When a usage window starts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "every", rename_all = "lowercase")]
pub enum Reset {
    /// Monthly from the customer's billing day, also on yearly plans.
    Month,
    /// At midnight in `timezone`, an IANA name.
    Day {
        /// The IANA name, for example `UTC`.
        timezone: String,
    },
}

/// How a credit feature is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditFeature {
    /// Which grants go first; inside one source the soonest expiry does.
    pub spend: Vec<GrantSource>,
    /// Credits per named operation, each at least 1.
    pub cost: BTreeMap<String, i64>,
    /// What becomes of plan credits when a subscription ends.
    pub on_cancel: OnCancel,
    /// What an SDK answers when Farthing cannot be reached.
    pub on_outage: OnOutage,
}

/// Where credits came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantSource {
    /// Granted by a plan for a paid period.
    Plan,
    /// Bought.
    Pack,
    /// Granted once when the customer was created.
    Signup,
    /// Granted by an operator, with a reason. Spent last unless `spend` places it.
    Manual,
}

impl GrantSource {
    /// The word used in the catalog, the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Pack => "pack",
            Self::Signup => "signup",
            Self::Manual => "manual",
        }
    }

    /// The source of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Plan, Self::Pack, Self::Signup, Self::Manual]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

/// What becomes of plan credits when a subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCancel {
    /// They stay until they are used up.
    Keep,
    /// They end with the paid period.
    ExpireAtPeriodEnd,
}

/// What an SDK answers when Farthing cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOutage {
    /// The last answer it saw.
    LastKnown,
    /// No.
    Deny,
    /// Yes.
    Allow,
}

/// How much of a feature a plan allows. A feature that a plan does not name is not in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Limit {
    /// A boolean feature is on (`true`) or off.
    Switch(bool),
    /// At most this much, at least 0; for a value feature, the value.
    Amount(i64),
    /// No limit.
    Unlimited,
}

/// Something to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The name that people see.
    pub name: String,
    /// One price per interval and currency; each interval has every currency. Empty: free.
    pub prices: BTreeMap<Interval, BTreeMap<Currency, Money>>,
    /// Feature key to limit; credit features are not in here.
    pub limits: BTreeMap<String, Limit>,
    /// Credit feature key to credits granted once per customer, for good.
    pub signup_credits: BTreeMap<String, i64>,
    /// Credit feature key to what each paid period grants.
    pub credits: BTreeMap<String, PlanCredits>,
    /// Offered before the first payment.
    pub trial: Option<Trial>,
    /// Feature key to what use beyond the limit costs.
    pub overage: BTreeMap<String, Overage>,
}

impl Plan {
    /// What the plan costs for `interval` in `currency`; `None` when it is not sold that way.
    pub fn price(&self, interval: Interval, currency: Currency) -> Option<Money> {
        self.prices.get(&interval)?.get(&currency).copied()
    }

    /// Whether it costs nothing at all.
    pub fn is_free(&self) -> bool {
        self.prices.is_empty()
    }
}

/// Credits that come with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanCredits {
    /// Credits per grant, at least 1.
    pub amount: i64,
    /// How often they are granted; monthly also on yearly plans.
    pub every: Interval,
    /// What happens to what is left of the last grant.
    pub on_renewal: OnRenewal,
}

/// What happens to unused plan credits when new ones are granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnRenewal {
    /// They end.
    Reset,
    /// Up to this many stay.
    Rollover(i64),
    /// They all stay.
    Stack,
}

/// A trial of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Length in days, at least 1.
    pub days: i64,
    /// Whether a payment method is collected before it starts.
    pub payment_method_required: bool,
    /// What must not have had a trial before.
    pub once_per: Vec<TrialClaim>,
    /// Days before the end at which the customer is reminded.
    pub remind_days_before: Option<i64>,
}

/// What one trial for good is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialClaim {
    /// The customer.
    Customer,
    /// The card's fingerprint.
    Card,
    /// The canonical e-mail address.
    Email,
    /// The device fingerprint that the app sent.
    Device,
}

/// What use beyond the limit costs, billed in arrears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overage {
    /// One price per this many units, at least 1.
    pub per: i64,
    /// The price of each started `per`.
    pub price: BTreeMap<Currency, Money>,
    /// The most that can be used in all, or held at one time; above the plan's limit.
    pub cap: i64,
}

/// Credits that are bought once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pack {
    /// The name that people see.
    pub name: String,
    /// One price per currency.
    pub price: BTreeMap<Currency, Money>,
    /// Credit feature key to credits, each at least 1.
    pub credits: BTreeMap<String, i64>,
    /// How long they last after the payment; `None`: for good.
    pub expires: Option<Span>,
    /// Plan keys whose customers may buy it; empty: all.
    pub plans: Vec<String>,
}

/// A length of calendar time such as `"12 months"` or `"7 days"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// How many, at least 1.
    pub count: i64,
    /// Of what.
    pub unit: Interval,
}

impl Span {
    /// This long after `at`.
    pub fn after(&self, at: Timestamp) -> Timestamp {
        at.plus_intervals(self.count, self.unit)
    }
}

/// When plan changes happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChangePolicy {
    /// What a customer pays when moving up within a period.
    pub upgrade: Proration,
    /// What happens to a move down while more is held than the lower plan allows.
    pub over_limit: OverLimit,
    /// Whether a scheduled cancellation can be undone.
    pub undo_cancel: bool,
}

/// What a customer pays when moving up within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// The unused part of the old price is credited.
    CreditUnusedTime,
    /// The new price in full.
    None,
}

/// What happens to a move down while more is held than the lower plan allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverLimit {
    /// Refused, with what to delete.
    Block,
    /// Allowed; the newest things above the limit are frozen.
    FreezeNewest,
    /// Allowed; the surplus must be gone after this time.
    Grace(Span),
}

/// Who may have money back, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundPolicy {
    /// How long after the payment.
    pub window: Span,
    /// Who decides.
    pub review: Review,
    /// With [`Review::Auto`]: above this a person decides.
    pub auto_max: BTreeMap<Currency, Money>,
    /// Above this a second person has to agree.
    pub second_approver_above: BTreeMap<Currency, Money>,
    /// What follows a refund.
    pub then: RefundEffect,
    /// The first that matches decides.
    pub rules: Vec<RefundRule>,
}

/// Who decides about a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Review {
    /// A person, always.
    Always,
    /// Nobody up to `auto_max`.
    Auto,
    /// Nobody.
    Never,
}

/// What follows a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundEffect {
    /// The plan the customer gets.
    pub move_to: String,
    /// Whether at once (or at the period's end).
    pub at_once: bool,
    /// Whether granted credits are taken back in proportion.
    pub claw_back: bool,
}

/// One rule of a refund policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundRule {
    /// The name that people see.
    pub name: String,
    /// Plan keys the purchase came from; empty: any.
    pub from: Vec<String>,
    /// Plan keys the purchase went to; empty: any.
    pub to: Vec<String>,
    /// Feature key to the use since the payment above which a refund is refused.
    pub refuse_above: BTreeMap<String, i64>,
}

/// What happens when more than 1.5 times the credits of a plan were granted in one period. People
/// are told in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnomalyPolicy {
    /// Whether nothing can be spent until a person has looked.
    pub pause_spending: bool,
}

/// What happens after a failed payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DunningPolicy {
    /// When a failed payment is tried again.
    pub retries: Retries,
    /// Whether a hard decline (a lost card) ends the retries.
    pub stop_on_hard_decline: bool,
    /// At which steps the customer gets a mail.
    pub email_on: Vec<DunningMail>,
    /// How long everything keeps working.
    pub full_access: Span,
    /// How long, counted from the failure, reading keeps working; at least `full_access`.
    pub read_only_until: Span,
    /// The plan after that.
    pub move_to: String,
    /// How long the app should keep what the lower plan does not hold.
    pub keep_data: Option<Span>,
}

/// When a failed payment is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Retries {
    /// The provider decides.
    Provider,
    /// These times after the failure, ascending.
    After(Vec<Span>),
}

/// A dunning step that sends a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DunningMail {
    /// The payment failed.
    Failure,
    /// It failed again.
    EachRetry,
    /// Access ends next.
    LastChance,
    /// It was paid.
    Recovered,
}
