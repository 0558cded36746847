//! What answers look like, as a client would declare it: the schemas of the OpenAPI document.
//!
//! The engine's own types are what is sent. The tests read every answer with these types, which
//! refuse a field that they do not know, so that neither can change alone.

mod drift;
mod dunning;
mod mails;
mod pages;
mod previews;
mod refunds;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

pub use drift::*;
pub use dunning::*;
pub use mails::*;
pub use pages::*;
pub use previews::*;
pub use refunds::*;

/// An error, as RFC 9457 has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "type": "/docs#invalid_request", "title": "The request is not valid", "status": 422,
    "detail": "there is no field \"amuont\" here; nothing was changed", "code": "invalid_request",
    "request_id": "req_0193", "errors": [{
        "pointer": "/amuont", "code": "unknown_field", "message": "there is no field \"amuont\" here",
        "fix": "did you mean \"amount\"?"
    }]
}))]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub r#type: String,
    /// What happened, in a few words that are the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and whether something was changed.
    pub detail: String,
    /// Stable; match on it.
    pub code: String,
    /// Names the request in the log.
    pub request_id: String,
    /// What is wrong, place by place; often empty.
    pub errors: Vec<ProblemField>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProblemField {
    /// A JSON pointer into the body, `?name` for a parameter, `{name}` for a part of the path.
    pub pointer: String,
    /// Stable; match on it.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// Whether something may be done, or was done, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "allowed": false, "code": "limit_reached", "feature": "chatbots", "limit": 5, "used": 5,
    "remaining": 0, "resets_at": null, "upgrade_to": "growth",
    "message": "5 of 5 chatbots are in use", "revision": 7
}))]
pub struct AccessAnswer {
    /// Whether it may be done (check) or was done (the others).
    pub allowed: bool,
    /// Why.
    pub code: AccessCode,
    /// The feature's key.
    pub feature: String,
    /// The most that may be used; `null` when unlimited, and for credits.
    pub limit: Option<i64>,
    /// What is used in the present window, or held.
    pub used: i64,
    /// What is left; `null` when unlimited. For credits, the spendable balance.
    pub remaining: Option<i64>,
    /// When `used` starts again at zero.
    #[schema(format = DateTime)]
    pub resets_at: Option<String>,
    /// On a refusal, the nearest plan that would allow it.
    pub upgrade_to: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The revision of the customer's state that this was decided on.
    pub revision: i64,
}

/// Why something is allowed or refused. The list is closed.
#[derive(Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessCode {
    /// Allowed: inside the plan's limit.
    Ok,
    /// Allowed: inside the limit of a plan on trial.
    Trial,
    /// Allowed: beyond the limit and billed in arrears.
    Overage,
    /// Allowed by an exception made for this customer.
    Override,
    /// Refused: the limit would be crossed.
    LimitReached,
    /// Refused: the plan does not have this feature.
    NotInPlan,
    /// Refused: not enough credits.
    CreditsEmpty,
    /// Refused: billed use would cross its cap.
    OverageCap,
    /// Refused: a payment is overdue and only reading is still allowed.
    ReadOnly,
    /// Refused: a payment is overdue.
    PastDue,
    /// Refused: spending was paused.
    SpendingPaused,
    /// Refused: the catalog has no such feature.
    UnknownFeature,
}

/// One answer, or one for each feature that was asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CheckAnswer {
    /// `feature` was given.
    One(AccessAnswer),
    /// `features` were given.
    Many(ManyAnswers),
}

/// One answer for each feature.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyAnswers {
    /// The app's own id of the customer.
    pub customer: String,
    /// Feature key to answer.
    pub answers: BTreeMap<String, AccessAnswer>,
}

/// An amount of money.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 4900, "currency": "USD"}))]
pub struct Money {
    /// Minor units: cents for USD, whole yen for JPY.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A stretch of time that contains its start and not its end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first instant inside.
    #[schema(format = DateTime)]
    pub start: String,
    /// The first instant after.
    #[schema(format = DateTime)]
    pub end: String,
}

/// Everything an app needs to know of a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerState {
    /// The app's own id.
    pub customer: String,
    /// Grows by one with each change; an older state can be dropped.
    pub revision: i64,
    /// The key of the plan in force.
    pub plan: String,
    /// How often it is paid; `null` on a plan without prices.
    pub interval: Option<String>,
    /// What the customer pays in, once that is decided.
    pub currency: Option<String>,
    /// `good`, `past_due` or `read_only`.
    pub standing: String,
    /// The running or newest subscription.
    pub subscription: Option<SubscriptionState>,
    /// Feature key to what may be used.
    pub features: BTreeMap<String, FeatureState>,
    /// The payment that is overdue, if one is.
    pub dunning: Option<DunningCase>,
    /// Credit feature key to what can be spent.
    pub credits: BTreeMap<String, CreditState>,
}

/// A subscription in a state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionState {
    /// Ours.
    pub id: String,
    /// `incomplete`, `trialing`, `active`, `paused` or `canceled`.
    pub status: String,
    /// What was last paid for, or the trial.
    pub period: Period,
    /// When it will end, if that is scheduled.
    #[schema(format = DateTime)]
    pub cancel_at: Option<String>,
    /// When the trial ends or ended.
    #[schema(format = DateTime)]
    pub trial_ends_at: Option<String>,
    /// What it will change to at the period's end.
    pub pending_change: Option<PendingChange>,
}

/// A change that will happen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingChange {
    /// To this plan.
    pub plan: String,
    /// Paid this often.
    pub interval: Option<String>,
    /// Then.
    #[schema(format = DateTime)]
    pub effective_at: String,
    /// What has to go before, in sentences: else the change is given up shortly before.
    pub blocked_by: Vec<String>,
}

/// A feature in a state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureState {
    /// `boolean`, `value`, `count` or `usage`.
    #[serde(rename = "type")]
    pub r#type: String,
    /// Whether the customer has it at all.
    pub included: bool,
    /// The most that may be used, or the value; `null` when unlimited.
    pub limit: Option<i64>,
    /// What is used in the present window, or held.
    pub used: i64,
    /// What is left; `null` when unlimited.
    pub remaining: Option<i64>,
    /// When `used` starts again at zero.
    #[schema(format = DateTime)]
    pub resets_at: Option<String>,
    /// Why the customer has it: `plan`, `trial` or `override`; `null` when it is not included.
    pub source: Option<String>,
    /// How much of what is held is beyond the limit: it stays, and no more can be taken.
    pub frozen: i64,
    /// Until when the limit of the plan before counts.
    #[schema(format = DateTime)]
    pub grace_until: Option<String>,
}

/// A kind of credits in a state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditState {
    /// What can be spent.
    pub balance: i64,
    /// What is owed.
    pub debt: i64,
    /// What the balance is made of.
    pub grants: Vec<GrantState>,
}

/// A grant in a state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantState {
    /// `plan`, `pack`, `signup` or `manual`.
    pub source: String,
    /// What is left of it.
    pub remaining: i64,
    /// The first instant at which it can no longer be spent.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// One line of a customer's timeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// Counts up.
    pub seq: i64,
    /// What happened.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// On what occasion.
    pub cause: String,
    /// Before.
    pub from: Option<Value>,
    /// After.
    pub to: Option<Value>,
    /// When it counts.
    #[schema(format = DateTime)]
    pub effective_at: String,
    /// When it was written down.
    #[schema(format = DateTime)]
    pub at: String,
}

/// The pricing table.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plans {
    /// From the lowest tier to the highest.
    pub data: Vec<Plan>,
}

/// One plan of the pricing table.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its key.
    pub plan: String,
    /// The name that people see.
    pub name: String,
    /// Interval to currency to price; empty: free.
    pub prices: BTreeMap<String, BTreeMap<String, Money>>,
    /// Feature key to `true`, a number, or `null` when unlimited.
    pub limits: BTreeMap<String, Value>,
    /// Credit feature key to what each paid period grants.
    pub credits: BTreeMap<String, Value>,
    /// The trial's length in days, where the plan has one.
    pub trial_days: Option<i64>,
    /// `current`, `checkout`, `upgrade` or `downgrade`; `null` without a customer.
    pub action: Option<String>,
    /// What has to go before the customer can move to it.
    pub blocked_by: Vec<String>,
}

/// A purchase on the way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    /// Ours.
    pub id: String,
    /// Who buys.
    pub customer: String,
    /// `open`, `settled`, `expired` or `failed`.
    pub status: String,
    /// The provider's page, while it is open.
    pub url: Option<String>,
    /// The plan's key, when it is one.
    pub plan: Option<String>,
    /// How often the plan is paid.
    pub interval: Option<String>,
    /// The pack's key, when it is one.
    pub pack: Option<String>,
    /// The price; for a trial, of the first period after it.
    pub price: Money,
    /// The trial's length in days, when it starts with one.
    pub trial_days: Option<i64>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the page stops being open.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// When money, or for a trial a payment method, arrived.
    #[schema(format = DateTime)]
    pub settled_at: Option<String>,
    /// Why it failed, as an error code: `trial_used` when the card has had a trial before.
    pub failure: Option<String>,
}

/// A subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: String,
    /// The key of the plan in force.
    pub plan: String,
    /// How often it is paid.
    pub interval: String,
    /// What it is paid in.
    pub currency: String,
    /// `incomplete`, `trialing`, `active`, `paused` or `canceled`.
    pub status: String,
    /// `good`, `past_due` or `read_only`.
    pub standing: String,
    /// What was last paid for, or the trial.
    pub period: Period,
    /// When it will end, if that is scheduled.
    #[schema(format = DateTime)]
    pub cancel_at: Option<String>,
    /// When the trial ends or ended.
    #[schema(format = DateTime)]
    pub trial_ends_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// What it will change to at the period's end.
    pub pending_change: Option<PendingChange>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// An invoice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: String,
    /// The subscription it bills.
    pub subscription: Option<String>,
    /// The number printed on it.
    pub number: Option<String>,
    /// `draft`, `open`, `paid`, `uncollectible`, `void` or `unknown`.
    pub status: String,
    /// Why it was made, in the provider's word.
    pub reason: String,
    /// The sum.
    pub total: Money,
    /// What was paid so far.
    pub paid: Money,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the provider tries again.
    #[schema(format = DateTime)]
    pub next_attempt_at: Option<String>,
    /// What it is for.
    pub lines: Value,
    /// The payments made or tried on it.
    pub payments: Vec<Payment>,
    /// A page on which it can be paid.
    pub hosted_url: Option<String>,
}

/// A payment on an invoice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Ours.
    pub id: String,
    /// `succeeded`, `processing`, `requires_action`, `failed`, `canceled` or `unknown`.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The catalog in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogInForce {
    /// Counts from 1.
    pub version: i64,
    /// When it was applied.
    #[schema(format = DateTime)]
    pub applied_at: String,
    /// Who applied it.
    pub actor: String,
    /// The TOML file, as it was applied.
    pub source: String,
    /// What it says.
    pub catalog: Value,
}

/// What applying a catalog would change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogPlan {
    /// The version in force; `null`: there is none yet.
    pub version: Option<i64>,
    /// Empty: it is in force already.
    pub changes: Vec<CatalogChange>,
    /// Whether something must not be taken away.
    pub blocked: bool,
}

/// One difference between two catalogs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogChange {
    /// Where it is in the file.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub kind: String,
    /// What is applied; `null` when it is new.
    pub from: Option<String>,
    /// What comes; `null` when it is gone.
    pub to: Option<String>,
    /// Who is affected and how.
    pub effect: String,
    /// Why it cannot be applied, and what to do.
    pub blocking: Option<String>,
}

/// A catalog was applied.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogApplied {
    /// The version in force now.
    pub version: i64,
    /// What changed; empty: nothing.
    pub changes: Vec<CatalogChange>,
    /// How many prices were made at the provider.
    pub prices_created: u64,
}

/// An event that a provider sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderEvent {
    /// Ours.
    pub id: String,
    /// `stripe`.
    pub provider: String,
    /// The provider's.
    pub event_id: String,
    /// For example `invoice.paid`.
    #[serde(rename = "type")]
    pub r#type: String,
    /// Whose it turned out to be.
    pub customer: Option<String>,
    /// `received`, `done`, `ignored`, `quarantined` or `dead`.
    pub state: String,
    /// How often its handling was tried.
    pub attempts: i64,
    /// Why it is where it is.
    pub last_error: Option<String>,
    /// When the provider made it.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When we stored it.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// When its handling ended.
    #[schema(format = DateTime)]
    pub processed_at: Option<String>,
}
