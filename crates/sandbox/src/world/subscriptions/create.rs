//! How a subscription starts: by the API or by a finished checkout.

use super::proration::Prorations;
use super::{Cancellation, INSTANT_OR_NOW, Item, MissingMethod, Status, Subscription, Trial};
use crate::calendar::{DAY, LAST_INSTANT, boundary};
use crate::error::{Answer, ApiError};
use crate::params::{CLEARABLE, Field, INSTANT, Kind, METADATA, Params, may, need};
use crate::world::cards::Refusal;
use crate::world::catalog::Price;
use crate::world::invoices::{Attempt, Invoice, Line};
use crate::world::render::{Metadata, new_metadata};
use crate::world::route::Form;
use crate::world::table::Row;
use crate::world::{Ids, World};

/// Everything about a subscription that starts now; all of it has been checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    pub(crate) customer: String,
    pub(crate) items: Vec<NewItem>,
    /// Things paid once with the first invoice: price and quantity.
    pub(crate) once: Vec<(String, i64)>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) trial_end: Option<i64>,
    pub(crate) missing_payment_method: MissingMethod,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) cancel_at_period_end: bool,
    /// An intent of earlier, declined attempts to use again.
    pub(crate) intent: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) metadata: Metadata,
}

const ITEM: &[Field] =
    &[need("price", Kind::Text), may("quantity", Kind::Int(0, 999_999)), may("metadata", METADATA)];
const END_BEHAVIOR: &[Field] =
    &[need("missing_payment_method", Kind::OneOf(&["cancel", "create_invoice", "pause"]))];
/// `trial_settings`, wherever a subscription can be made.
pub(crate) const TRIAL_SETTINGS: &[Field] = &[need("end_behavior", Kind::Object(END_BEHAVIOR))];
const BILLING_MODE: &[Field] = &[need("type", Kind::OneOf(&["flexible"]))];
const PAYMENT_SETTINGS: &[Field] =
    &[may("save_default_payment_method", Kind::OneOf(&["off", "on_subscription"]))];
const CREATE: &[Field] = &[
    need("customer", Kind::Text),
    need("items", Kind::List(&Kind::Object(ITEM))),
    may("billing_mode", Kind::Object(BILLING_MODE)),
    may("cancel_at", INSTANT),
    may("cancel_at_period_end", Kind::Bool),
    may("collection_method", Kind::OneOf(&["charge_automatically"])),
    may("currency", Kind::Text),
    may("default_payment_method", Kind::Text),
    may("description", CLEARABLE),
    may("metadata", METADATA),
    may("off_session", Kind::Bool),
    may(
        "payment_behavior",
        Kind::OneOf(&["allow_incomplete", "default_incomplete", "error_if_incomplete"]),
    ),
    may("payment_settings", Kind::Object(PAYMENT_SETTINGS)),
    may("proration_behavior", Kind::OneOf(Prorations::NAMES)),
    may("trial_end", INSTANT_OR_NOW),
    may("trial_period_days", Kind::Int(1, 730)),
    may("trial_settings", Kind::Object(TRIAL_SETTINGS)),
];
pub(super) const ITEMS_MAX: usize = 20;

impl World {
    pub(in crate::world) fn create_subscription(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let start = self.read_start(&params)?;
        let free = start.trial_end.is_some() || self.first_amount(&start) == 0;
        let behavior = params.text("payment_behavior").unwrap_or("allow_incomplete");
        let pays_now = !free && behavior != "default_incomplete";
        let method = self.method_for(start.default_payment_method.as_deref(), &start.customer);
        if pays_now && method.is_none() {
            return Err(ApiError::refused(
                "This customer has no attached payment source or default payment method. Please \
                 consider adding a default payment method. For more information, visit \
                 https://stripe.com/docs/billing/subscriptions/payment-methods-setting.",
            )
            .with("code", "resource_missing"));
        }
        if let (true, "error_if_incomplete", Some(method)) = (pays_now, behavior, &method) {
            method.charge(false).map_err(Refusal::error)?;
        }
        let (id, invoice) = self.start_subscription(start);
        if pays_now {
            // A decline leaves the subscription incomplete: that is what was asked for.
            let _declined = self.collect(&invoice, None, Attempt::Asked);
        }
        self.retrieve_subscription(&id)
    }

    fn read_start(&self, params: &Params) -> Result<Start, ApiError> {
        let customer = params.text("customer").unwrap_or_default();
        self.customer_param(customer)?;
        let mut start = Start {
            customer: customer.to_owned(),
            default_payment_method: params.string("default_payment_method"),
            description: params.string("description"),
            metadata: new_metadata(params),
            trial_end: self.read_trial(params, "")?,
            missing_payment_method: read_missing(params),
            cancel_at: params.int("cancel_at"),
            cancel_at_period_end: params.flag("cancel_at_period_end").unwrap_or(false),
            ..Start::default()
        };
        for (at, item) in params.objects("items").iter().enumerate() {
            let name = format!("items[{at}][price]");
            let price = self.price_param(item.text("price").unwrap_or_default(), &name)?;
            if price.recurring.is_none() {
                let message = "The price specified is set to `type=one_time` but this field only \
                               accepts prices with `type=recurring`.";
                return Err(ApiError::bad_param(&name, message));
            }
            start.items.push(NewItem {
                price: item.string("price").unwrap_or_default(),
                quantity: item.int("quantity").unwrap_or(1),
                metadata: new_metadata(item),
            });
        }
        if let Some(method) = &start.default_payment_method {
            self.method_of_customer(method, customer, "default_payment_method")?;
        }
        if start.cancel_at.is_some_and(|at| at <= self.now()) {
            return Err(ApiError::bad_param("cancel_at", "cancel_at must be in the future."));
        }
        if start.cancel_at.is_some() && start.cancel_at_period_end {
            return Err(ApiError::refused(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
            ));
        }
        self.check_together(&start)?;
        if params
            .text("currency")
            .is_some_and(|wanted| wanted.to_lowercase() != self.currency_of(&start))
        {
            return Err(ApiError::bad_param("currency", "The prices have another currency."));
        }
        Ok(start)
    }

    /// When the trial of these parameters ends; `at` names where they stand.
    pub(in crate::world) fn read_trial(
        &self,
        params: &Params,
        at: &str,
    ) -> Result<Option<i64>, ApiError> {
        let days = params.int("trial_period_days").map(|days| self.now() + days * DAY);
        let end = params.int("trial_end");
        let name = if at.is_empty() { "trial_end".to_owned() } else { format!("{at}[trial_end]") };
        match (days, end) {
            (Some(_), Some(_)) => Err(ApiError::refused(
                "You may only specify one of these parameters: trial_end, trial_period_days.",
            )),
            (None, Some(end)) if end <= self.now() || self.now() + 5 * 365 * DAY < end => {
                let message = "Invalid timestamp: must be in the future, within five years.";
                Err(ApiError::bad_param(&name, message))
            }
            (days, end) => Ok(days.or(end).map(|end| end.min(LAST_INSTANT))),
        }
    }

    /// Prices of one subscription share currency and interval, and a customer has one currency.
    pub(in crate::world) fn check_together(&self, start: &Start) -> Result<(), ApiError> {
        if start.items.is_empty() || ITEMS_MAX < start.items.len() {
            let message = format!("A subscription has 1 to {ITEMS_MAX} items.");
            return Err(ApiError::bad_param("items", message));
        }
        let prices: Vec<&Price> =
            start.items.iter().filter_map(|item| self.prices.get(&item.price)).collect();
        if prices.iter().any(|price| price.currency != prices[0].currency) {
            return Err(ApiError::bad_param(
                "items",
                "All prices of a subscription must have the same currency.",
            ));
        }
        if prices.iter().any(|price| price.recurring != prices[0].recurring) {
            return Err(ApiError::bad_param(
                "items",
                "The sandbox bills all items of a subscription at the same interval.",
            ));
        }
        let customer = self.customers.get(&start.customer);
        let other = customer
            .and_then(|customer| customer.currency.as_deref())
            .filter(|currency| *currency != prices[0].currency);
        if let Some(currency) = other
            && !self.running_subscriptions(&start.customer).is_empty()
        {
            return Err(ApiError::refused(format!(
                "You cannot combine currencies on a single customer. This customer has a \
                 subscription in {currency}."
            )));
        }
        Ok(())
    }

    fn currency_of(&self, start: &Start) -> String {
        let price = start.items.first().and_then(|item| self.prices.get(&item.price));
        price.map(|price| price.currency.clone()).unwrap_or_default()
    }

    /// What the first invoice comes to without a trial, in minor units.
    fn first_amount(&self, start: &Start) -> i64 {
        let amount = |price: &str, quantity: i64| {
            self.prices.get(price).map_or(0, |price| price.unit_amount.saturating_mul(quantity))
        };
        let items: i64 = start.items.iter().map(|item| amount(&item.price, item.quantity)).sum();
        let once: i64 = start.once.iter().map(|(price, quantity)| amount(price, *quantity)).sum();
        items.saturating_add(once)
    }

    /// Records the subscription and finalizes its first invoice; ids of both. Nothing is charged
    /// yet; an invoice over nothing is paid at once.
    pub(in crate::world) fn start_subscription(&mut self, start: Start) -> (String, String) {
        let mut subscription = self.new_subscription(&start);
        let (id, customer) = (subscription.id.clone(), subscription.customer.clone());
        let mut invoice = self.subscription_invoice(&subscription, "subscription_create");
        for (price, quantity) in &start.once {
            invoice.lines.extend(self.once_line(price, *quantity));
        }
        subscription.note_billed(&invoice.lines, Some(invoice.id()));
        let subscription =
            Subscription { latest_invoice: Some(invoice.id().to_owned()), ..subscription };
        let currency = subscription.currency.clone();
        let rendered = self.render_subscription(&subscription);
        self.subscriptions.put(subscription);
        self.emit("customer.subscription.created", rendered);
        self.change_customer(&customer, |customer| customer.currency = Some(currency));
        self.announce_trial_end(&id);
        let invoice = self.put_new_invoice(invoice);
        self.finalize(&invoice, start.intent);
        (id, invoice)
    }

    fn new_subscription(&mut self, start: &Start) -> Subscription {
        let now = self.now();
        let first = self.prices.get(&start.items[0].price).cloned().expect("prices were checked");
        let interval = first.recurring.expect("items of a subscription recur");
        let items = start.items.iter().map(|item| Item {
            id: self.new_id("si_"),
            created: now,
            price: item.price.clone(),
            quantity: item.quantity,
            metadata: item.metadata.clone(),
            billed: Vec::new(),
        });
        let items = items.collect();
        let trial = start.trial_end.map(|end| Trial {
            start: now,
            end,
            missing_payment_method: start.missing_payment_method,
            end_announced: false,
        });
        let period_end = start.trial_end.unwrap_or_else(|| boundary(now, interval, 1));
        let status = match (&trial, self.first_amount(start)) {
            (Some(_), _) => Status::Trialing,
            (None, 0) => Status::Active,
            (None, _) => Status::Incomplete,
        };
        let at = start.cancel_at.or(start.cancel_at_period_end.then_some(period_end));
        Subscription {
            id: self.new_id("sub_"),
            created: now,
            customer: start.customer.clone(),
            status,
            items,
            currency: first.currency,
            interval,
            anchor: start.trial_end.unwrap_or(now),
            period_start: now,
            period_end,
            next_cycle: if trial.is_some() { 0 } else { 1 },
            trial,
            cancellation: Cancellation {
                at,
                at_period_end: start.cancel_at_period_end,
                canceled_at: at.map(|_| now),
                reason: at.map(|_| "cancellation_requested".to_owned()),
                ..Cancellation::default()
            },
            ended_at: None,
            default_payment_method: start.default_payment_method.clone(),
            description: start.description.clone(),
            metadata: start.metadata.clone(),
            latest_invoice: None,
            paused_at: None,
            waiting: Vec::new(),
            pending: None,
            schedule: None,
        }
    }

    /// A draft of the invoice for the current period of `subscription`. Its own period is the one
    /// before: that is how Stripe dates the collection of pending items.
    pub(super) fn subscription_invoice(
        &mut self,
        subscription: &Subscription,
        reason: &str,
    ) -> Invoice {
        let mut ids = self.next_ids();
        let lines = self.period_lines(subscription, &mut ids);
        self.take(&ids);
        let id = self.new_id("in_");
        let mut invoice =
            Invoice::draft(id, self.now(), &subscription.customer, &subscription.currency);
        invoice.subscription = Some(subscription.id.clone());
        invoice.subscription_metadata = subscription.metadata.clone();
        invoice.billing_reason = reason.to_owned();
        invoice.lines = lines;
        invoice
    }

    /// What the current period of `subscription` costs.
    pub(super) fn period_lines(&self, subscription: &Subscription, ids: &mut Ids) -> Vec<Line> {
        let period = (subscription.period_start, subscription.period_end);
        let line = |item: &Item| {
            let line = self.period_line(item, period, ids)?;
            if subscription.status != Status::Trialing {
                return Some(line);
            }
            let product = self.prices.get(&item.price).map(|price| price.product.as_str());
            let product = product.and_then(|id| self.products.get(id));
            Some(line.free(product.map(|product| product.name.as_str()).unwrap_or_default()))
        };
        subscription.items.iter().filter_map(line).collect()
    }

    fn once_line(&mut self, price: &str, quantity: i64) -> Option<Line> {
        let price = self.prices.get(price).cloned()?;
        let (id, item) = (self.new_id("il_"), self.new_id("ii_"));
        let product = self.products.get(&price.product).map(|product| product.name.clone());
        let line = Line::once(id, &price, item, quantity, self.now());
        Some(line.described(&price, &product.unwrap_or_default()))
    }
}

/// What to do at the end of a trial without a payment method.
pub(crate) fn read_missing(params: &Params) -> MissingMethod {
    let behavior = params.object("trial_settings").object("end_behavior");
    behavior.text("missing_payment_method").map(MissingMethod::parse).unwrap_or_default()
}
