//! What may be changed about a subscription, and ending it now.

use super::change::{PaymentBehavior, TERMS};
use super::proration::Draft;
use super::{Status, Subscription};
use crate::error::{Answer, ApiError};
use crate::params::{CLEARABLE, Field, INSTANT, Kind, METADATA, Params, may};
use crate::world::World;
use crate::world::cards::Refusal;
use crate::world::render::update_metadata;
use crate::world::route::Form;

const FEEDBACK: Kind = Kind::Clear(&Kind::OneOf(&[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
]));
const DETAILS: &[Field] = &[may("comment", CLEARABLE), may("feedback", FEEDBACK)];
const CANCEL_AT: Kind =
    Kind::Clear(&Kind::Either(&INSTANT, &Kind::OneOf(&["min_period_end", "max_period_end"])));
const UPDATE: &[Field] = &[
    may("cancel_at", CANCEL_AT),
    may("cancel_at_period_end", Kind::Bool),
    may("cancellation_details", Kind::Object(DETAILS)),
    may("default_payment_method", CLEARABLE),
    may("description", CLEARABLE),
    may("metadata", METADATA),
    may("off_session", Kind::Bool),
    may("payment_behavior", Kind::OneOf(PaymentBehavior::NAMES)),
];
/// What a change may say that waits until it is paid.
const UPDATE_PENDING: &[&str] = &["metadata", "off_session", "payment_behavior"];
/// What may still be written when a subscription has ended.
const UPDATE_ENDED: &[&str] = &["cancellation_details", "metadata"];
const CANCEL: &[Field] = &[
    may("cancellation_details", Kind::Object(DETAILS)),
    may("invoice_now", Kind::OneOf(&["false"])),
    may("prorate", Kind::OneOf(&["false"])),
];

impl World {
    pub(in crate::world) fn update_subscription(&mut self, id: &str, form: &Form) -> Answer {
        let subscription = self.subscription(id)?;
        let params = form.check(&[UPDATE, TERMS])?;
        if subscription.is_over()
            && UPDATE
                .iter()
                .chain(TERMS)
                .any(|field| params.has(field.name()) && !UPDATE_ENDED.contains(&field.name()))
        {
            return Err(ApiError::refused(
                "A canceled subscription can only update its cancellation_details and metadata.",
            ));
        }
        if let Some(method) = params.text("default_payment_method") {
            self.method_of_customer(method, &subscription.customer, "default_payment_method")?;
        }
        if params.has("cancel_at") && params.flag("cancel_at_period_end") == Some(true) {
            return Err(ApiError::refused(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
            ));
        }
        let now = self.now();
        if params.int("cancel_at").is_some_and(|at| at <= now) {
            return Err(ApiError::bad_param("cancel_at", "cancel_at must be in the future."));
        }
        check_managed(subscription, &params)?;
        let behavior =
            params.text("payment_behavior").map(PaymentBehavior::parse).unwrap_or_default();
        let wish = self.read_wish(subscription, &params, "")?;
        check_behavior(&params, behavior)?;
        if let Some(wish) = &wish {
            check_changeable(subscription)?;
            let draft = self.draft_change(subscription, wish.clone());
            self.check_payable(subscription, draft, behavior)?;
        }
        self.change_subscription(id, |subscription| {
            params.update("default_payment_method", &mut subscription.default_payment_method);
            params.update("description", &mut subscription.description);
            update_metadata(&mut subscription.metadata, &params);
            if wish.is_none() {
                write_cancellation(subscription, &params, now);
            }
            write_details(subscription, &params);
        });
        if let (Some(wish), Ok(subscription)) = (wish, self.subscription(id)) {
            let date = wish.at;
            let draft = self.draft_change(subscription, wish);
            self.change_terms(id, draft, Some(date), behavior);
            self.change_subscription(id, |subscription| {
                write_cancellation(subscription, &params, now);
            });
        }
        self.retrieve_subscription(id)
    }

    /// Asks the card first, if nothing may change unless it pays.
    fn check_payable(
        &self,
        subscription: &Subscription,
        draft: Draft,
        behavior: PaymentBehavior,
    ) -> Result<(), ApiError> {
        if behavior != PaymentBehavior::Error || !draft.invoiced {
            return Ok(());
        }
        let invoice = self.update_invoice(subscription, draft.lines, String::new());
        if self.amount_due(&invoice) == 0 {
            return Ok(());
        }
        let preferred = subscription.default_payment_method.as_deref();
        match self.method_for(preferred, &subscription.customer) {
            Some(method) => method.charge(false).map_err(Refusal::error),
            None => Err(ApiError::refused(
                "This customer has no attached payment source or default payment method.",
            )
            .with("code", "resource_missing")),
        }
    }

    pub(in crate::world) fn cancel_subscription(&mut self, id: &str, form: &Form) -> Answer {
        if self.subscription(id)?.is_over() {
            return Err(ApiError::no_such("subscription", id));
        }
        let params = form.check(&[CANCEL])?;
        if let Some(mut subscription) = self.subscriptions.get(id).cloned() {
            write_details(&mut subscription, &params);
            self.subscriptions.put(subscription);
        }
        self.end_subscription(id, "cancellation_requested");
        self.retrieve_subscription(id)
    }

    /// Ends a subscription at this instant. Its unpaid invoices are not collected any more.
    pub(in crate::world) fn end_subscription(&mut self, id: &str, reason: &str) {
        let Some(mut subscription) = self.subscriptions.get(id).cloned() else { return };
        let now = self.now();
        self.discard_pending(id);
        self.schedule_of_ended(id);
        let was_incomplete = subscription.status == Status::Incomplete;
        subscription.status = Status::Canceled;
        subscription.ended_at = Some(now);
        subscription.paused_at = None;
        let cancellation = &mut subscription.cancellation;
        cancellation.canceled_at.get_or_insert(now);
        if !reason.is_empty() {
            cancellation.reason.get_or_insert_with(|| reason.to_owned());
        }
        let rendered = self.render_subscription(&subscription);
        self.subscriptions.put(subscription);
        self.stop_collecting(id, was_incomplete);
        self.emit("customer.subscription.deleted", rendered);
    }
}

/// Refuses what only the schedule of a subscription may decide.
fn check_managed(subscription: &Subscription, params: &Params) -> Result<(), ApiError> {
    let Some(schedule) = &subscription.schedule else { return Ok(()) };
    if params.has("cancel_at") || params.has("cancel_at_period_end") {
        return Err(ApiError::refused(format!(
            "The subscription is managed by the subscription schedule `{schedule}`, and updating \
             any cancelation behavior directly is not allowed. Please update the schedule instead."
        )));
    }
    if params.has("trial_end") {
        return Err(ApiError::bad_param(
            "trial_end",
            format!(
                "The subscription is managed by the subscription schedule `{schedule}`; the \
                 sandbox moves its trial only after the schedule is released."
            ),
        ));
    }
    Ok(())
}

/// Refuses what cannot wait until it is paid.
fn check_behavior(params: &Params, behavior: PaymentBehavior) -> Result<(), ApiError> {
    let other = UPDATE
        .iter()
        .map(Field::name)
        .find(|name| params.has(name) && !UPDATE_PENDING.contains(name));
    match other.filter(|_| behavior == PaymentBehavior::Pending) {
        Some(name) => Err(ApiError::bad_param(
            name,
            format!(
                "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass \
                 supported params. `{name}` is not supported."
            ),
        )),
        None => Ok(()),
    }
}

/// Refuses to change the items of a subscription that is not running.
fn check_changeable(subscription: &Subscription) -> Result<(), ApiError> {
    match subscription.status {
        Status::Incomplete => Err(ApiError::refused(
            "You cannot update a subscription in `incomplete` status in a way that results in a \
             new invoice or payment. Pay its first invoice, or cancel it.",
        )),
        Status::Paused => Err(ApiError::refused(
            "The sandbox does not change the items of a paused subscription.",
        )),
        _ => Ok(()),
    }
}

fn write_cancellation(subscription: &mut Subscription, params: &Params, now: i64) {
    let period_end = subscription.period_end;
    let cancellation = &subscription.cancellation;
    let wanted = match (params.flag("cancel_at_period_end"), params.has("cancel_at")) {
        (Some(true), _) => Some((Some(period_end), true)),
        (_, true) => {
            // Items share one period, so its least and its greatest end are the same.
            let word = params.text("cancel_at").is_some_and(|text| text.ends_with("period_end"));
            Some((if word { Some(period_end) } else { params.int("cancel_at") }, false))
        }
        (Some(false), false) if cancellation.at_period_end => Some((None, false)),
        _ => None,
    };
    let Some((at, at_period_end)) = wanted else { return };
    subscription.end_at(at, now);
    subscription.cancellation.at_period_end = at_period_end;
}

fn write_details(subscription: &mut Subscription, params: &Params) {
    let details = params.object("cancellation_details");
    details.update("comment", &mut subscription.cancellation.comment);
    details.update("feedback", &mut subscription.cancellation.feedback);
}
