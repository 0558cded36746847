//! Subscriptions: what a customer pays for again and again.
//!
//! Here: the state, how it is rendered, finding it. [`create`]: how one starts. [`update`]: what
//! may be changed. [`change`]: items, prices and trials, which cost something; [`proration`] says
//! what. [`pending`]: changes that wait until they are paid. [`schedules`]: changes that are
//! planned. [`by_customer`]: changes made in the portal. [`preview`]: what is billed next.
//! [`cycle`]: what time does.

mod by_customer;
mod change;
mod create;
mod cycle;
mod pending;
mod preview;
mod proration;
mod schedules;
mod update;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use by_customer::Terms;
pub(super) use create::{NewItem, Start, TRIAL_SETTINGS, read_missing};
pub(crate) use schedules::Schedule;

use super::World;
use super::catalog::{render_plan, render_price};
use super::invoices::Line;
use super::list::{PAGE, page, page_of};
use super::render::{Metadata, sublist, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::calendar::{DAY, HOUR, Interval, LAST_INSTANT};
use crate::error::{Answer, ApiError};
use crate::params::{Field, INSTANT, Kind, may, need};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    id: String,
    created: i64,
    pub(crate) customer: String,
    pub(crate) status: Status,
    items: Vec<Item>,
    pub(crate) currency: String,
    interval: Interval,
    /// Periods are counted from here; the end of the trial, if there is one.
    anchor: i64,
    /// The current period is `[period_start, period_end)`.
    period_start: i64,
    period_end: i64,
    /// Which period, counted from the anchor, comes after the current one.
    next_cycle: i64,
    trial: Option<Trial>,
    cancellation: Cancellation,
    ended_at: Option<i64>,
    pub(crate) default_payment_method: Option<String>,
    description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) latest_invoice: Option<String>,
    paused_at: Option<i64>,
    /// Prorations that wait for the next invoice.
    #[serde(default)]
    waiting: Vec<Line>,
    /// A change that waits until it is paid.
    #[serde(default)]
    pending: Option<pending::PendingUpdate>,
    /// The schedule that manages it.
    #[serde(default)]
    schedule: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Canceled,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Item {
    id: String,
    created: i64,
    price: String,
    quantity: i64,
    metadata: Metadata,
    /// What was billed for the current period, part by part.
    #[serde(default)]
    billed: Vec<proration::Billed>,
}

/// `[start, end)`, and what to do at its end if there is nothing to charge.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trial {
    start: i64,
    end: i64,
    missing_payment_method: MissingMethod,
    end_announced: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MissingMethod {
    #[default]
    CreateInvoice,
    Cancel,
    Pause,
}

impl MissingMethod {
    pub(crate) fn parse(word: &str) -> MissingMethod {
        match word {
            "cancel" => MissingMethod::Cancel,
            "pause" => MissingMethod::Pause,
            _ => MissingMethod::CreateInvoice,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cancellation {
    at: Option<i64>,
    at_period_end: bool,
    /// When it was asked for.
    canceled_at: Option<i64>,
    reason: Option<String>,
    comment: Option<String>,
    feedback: Option<String>,
}

/// A first invoice may stay unpaid so long.
const INCOMPLETE_FOR: i64 = 23 * HOUR;
/// The end of a trial is announced so long ahead.
const TRIAL_NOTICE: i64 = 3 * DAY;

impl Row for Subscription {
    const KIND: &'static str = "subscription";
    fn id(&self) -> &str {
        &self.id
    }
    fn due(&self) -> Option<i64> {
        match self.status {
            Status::Canceled | Status::IncompleteExpired => None,
            Status::Incomplete => Some(self.created + INCOMPLETE_FOR),
            Status::Paused => self.cancellation.at,
            Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid => {
                let notice = self.trial.as_ref().and_then(Trial::notice_due);
                // Time ends for the sandbox at the last instant: no period begins there.
                let renewal = Some(self.period_end).filter(|end| *end < LAST_INSTANT);
                let pending = self.pending.as_ref().map(|pending| pending.expires_at);
                [renewal, self.cancellation.at, notice, pending].into_iter().flatten().min()
            }
        }
    }
}

impl Trial {
    fn notice_due(&self) -> Option<i64> {
        (!self.end_announced).then_some(self.end - TRIAL_NOTICE)
    }
}

impl Subscription {
    fn is_over(&self) -> bool {
        matches!(self.status, Status::Canceled | Status::IncompleteExpired)
    }

    /// Its periods follow one another.
    fn is_running(&self) -> bool {
        matches!(self.status, Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid)
    }

    fn trial_end_in_period(&self) -> Option<i64> {
        self.trial.as_ref().map(|trial| trial.end).filter(|end| *end == self.period_end)
    }

    /// Plans its end, or takes the plan back.
    fn end_at(&mut self, at: Option<i64>, now: i64) {
        let cancellation = &mut self.cancellation;
        if at.is_some() && cancellation.at.is_none() {
            cancellation.canceled_at = Some(now);
            cancellation.reason = Some("cancellation_requested".to_owned());
        }
        if at.is_none() {
            cancellation.canceled_at = None;
            cancellation.reason = None;
        }
        cancellation.at = at;
        cancellation.at_period_end = false;
    }
}

const STATUSES: Kind = Kind::OneOf(&[
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "unpaid",
    "paused",
    "canceled",
    "all",
    "ended",
]);
/// An instant in unix seconds, or the word `now`.
const INSTANT_OR_NOW: Kind = Kind::Either(&INSTANT, &Kind::OneOf(&["now"]));
const LIST: &[Field] =
    &[may("customer", Kind::Text), may("price", Kind::Text), may("status", STATUSES)];
const LIST_ITEMS: &[Field] = &[need("subscription", Kind::Text)];

/// What a subscription always has and the sandbox never fills.
const NULLS: &[&str] = &[
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "days_until_due",
    "default_source",
    "managed_payments",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "test_clock",
    "transfer_data",
];

impl World {
    pub(super) fn subscription(&self, id: &str) -> Result<&Subscription, ApiError> {
        self.subscriptions.get(id).ok_or_else(|| ApiError::no_such("subscription", id))
    }

    pub(super) fn retrieve_subscription(&self, id: &str) -> Answer {
        self.subscription(id).map(|subscription| self.render_subscription(subscription))
    }

    pub(super) fn list_subscriptions(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let status = params.text("status");
        page(
            &self.subscriptions,
            "/v1/subscriptions",
            &params,
            |subscription| subscription.created,
            |subscription| {
                params.text("customer").is_none_or(|id| id == subscription.customer)
                    && params
                        .text("price")
                        .is_none_or(|id| subscription.items.iter().any(|item| item.price == id))
                    && match status {
                        Some("all") => true,
                        Some("ended") => subscription.is_over(),
                        Some(word) => json!(subscription.status) == word,
                        None => subscription.status != Status::Canceled,
                    }
            },
            |subscription| self.render_subscription(subscription),
        )
    }

    pub(super) fn list_subscription_items(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST_ITEMS, PAGE])?;
        let id = params.text("subscription").unwrap_or_default();
        let subscription = self
            .subscriptions
            .get(id)
            .ok_or_else(|| ApiError::unknown_reference("subscription", id, "subscription"))?;
        page_of(self.render_items(subscription), &params)
    }

    pub(super) fn retrieve_subscription_item(&self, id: &str) -> Answer {
        let found = self.subscriptions.oldest_first().find_map(|subscription| {
            let item = subscription.items.iter().find(|item| item.id == id)?;
            Some(self.render_item(subscription, item))
        });
        found.ok_or_else(|| ApiError::no_such("subscription item", id))
    }

    /// Ids of the customer's subscriptions that have not ended.
    pub(super) fn running_subscriptions(&self, customer: &str) -> Vec<String> {
        self.subscriptions
            .newest_first()
            .filter(|subscription| subscription.customer == customer && !subscription.is_over())
            .map(|subscription| subscription.id.clone())
            .collect()
    }

    /// Changes a subscription and tells of it, if anything was changed.
    pub(super) fn change_subscription(&mut self, id: &str, change: impl FnOnce(&mut Subscription)) {
        let Some(mut subscription) = self.subscriptions.get(id).cloned() else { return };
        let old = self.render_subscription(&subscription);
        change(&mut subscription);
        let new = self.render_subscription(&subscription);
        self.subscriptions.put(subscription);
        self.emit_update("customer.subscription.updated", &old, new);
    }

    /// Changes what nobody is told of.
    fn change_quietly(&mut self, id: &str, change: impl FnOnce(&mut Subscription)) {
        if let Some(mut subscription) = self.subscriptions.get(id).cloned() {
            change(&mut subscription);
            self.subscriptions.put(subscription);
        }
    }

    /// A detached payment method is nobody's default any more.
    pub(super) fn forget_default_method(&mut self, method: &str) {
        let users: Vec<String> = self
            .subscriptions
            .oldest_first()
            .filter(|subscription| subscription.default_payment_method.as_deref() == Some(method))
            .map(|subscription| subscription.id.clone())
            .collect();
        for id in users {
            self.change_subscription(&id, |subscription| {
                subscription.default_payment_method = None
            });
        }
    }

    pub(super) fn render_subscription(&self, subscription: &Subscription) -> Value {
        let cancellation = &subscription.cancellation;
        let trial = subscription.trial.as_ref();
        let missing = trial.map(|trial| trial.missing_payment_method).unwrap_or_default();
        let object = json!({
            "id": subscription.id,
            "object": "subscription",
            "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
            "billing_cycle_anchor": subscription.anchor,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
                "updated_at": subscription.created,
            },
            "billing_schedules": [],
            "cancel_at": cancellation.at,
            "cancel_at_period_end": cancellation.at_period_end,
            "canceled_at": cancellation.canceled_at,
            "cancellation_details": {
                "comment": cancellation.comment, "feedback": cancellation.feedback,
                "feedback_option": null, "reason": cancellation.reason,
            },
            "collection_method": "charge_automatically",
            "created": subscription.created,
            "currency": subscription.currency,
            "customer": subscription.customer,
            "default_payment_method": subscription.default_payment_method,
            "default_tax_rates": [],
            "description": subscription.description,
            "discounts": [],
            "ended_at": subscription.ended_at,
            "invoice_settings": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
                "issuer": {"type": "self"},
            },
            "items": self.render_items(subscription),
            "latest_invoice": subscription.latest_invoice,
            "livemode": false,
            "metadata": subscription.metadata,
            "pending_update": self.render_pending(subscription),
            "payment_settings": {
                "payment_method_options": null, "payment_method_types": null,
                "save_default_payment_method": "off",
            },
            "schedule": subscription.schedule,
            "start_date": subscription.created,
            "status": subscription.status,
            "status_details": subscription.paused_at.map(|at| json!({"paused": {
                "subscription": {"type": "trial_end_without_payment_method"},
                "transitioned_at": at, "type": "subscription",
            }})),
            "trial_end": trial.map(|trial| trial.end),
            "trial_settings": {"end_behavior": {
                "billing_cycle_anchor": null, "missing_payment_method": missing,
            }},
            "trial_start": trial.map(|trial| trial.start),
        });
        with_nulls(object, NULLS)
    }

    fn render_items(&self, subscription: &Subscription) -> Value {
        let items = subscription.items.iter().map(|item| self.render_item(subscription, item));
        let url = format!("/v1/subscription_items?subscription={}", subscription.id);
        let mut list = sublist(items.collect(), &url);
        list["total_count"] = json!(subscription.items.len());
        list
    }

    fn render_item(&self, subscription: &Subscription, item: &Item) -> Value {
        let price = self.prices.get(&item.price);
        json!({
            "id": item.id,
            "object": "subscription_item",
            "billing_thresholds": null,
            "created": item.created,
            "current_period_end": subscription.period_end,
            "current_period_start": subscription.period_start,
            "current_trial": null,
            "discounts": [],
            "metadata": item.metadata,
            "plan": price.map(render_plan),
            "price": price.map(render_price),
            "quantity": item.quantity,
            "subscription": subscription.id,
            "tax_rates": [],
        })
    }
}
