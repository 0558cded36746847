//! What an offer may be: the parameters of a new session.

use super::{Item, Made, Mode, Session, Status, Target};
use crate::calendar::{DAY, HOUR};
use crate::error::{Answer, ApiError};
use crate::params::{AMOUNT, CLEARABLE, Field, INSTANT, Kind, METADATA, Params, may, need};
use crate::world::World;
use crate::world::catalog::{RECURRING, valid_currency};
use crate::world::render::{Metadata, new_metadata};
use crate::world::route::Form;
use crate::world::subscriptions::{NewItem, Start, TRIAL_SETTINGS, read_missing};

const PRODUCT_DATA: &[Field] =
    &[need("name", Kind::Text), may("description", Kind::Text), may("metadata", METADATA)];
const PRICE_DATA: &[Field] = &[
    need("currency", Kind::Text),
    need("unit_amount", AMOUNT),
    may("product", Kind::Text),
    may("product_data", Kind::Object(PRODUCT_DATA)),
    may("recurring", Kind::Object(RECURRING)),
];
const ITEM: &[Field] = &[
    may("price", Kind::Text),
    may("price_data", Kind::Object(PRICE_DATA)),
    may("quantity", Kind::Int(1, 999_999)),
];
const SUBSCRIPTION_DATA: &[Field] = &[
    may("description", CLEARABLE),
    may("metadata", METADATA),
    may("trial_end", INSTANT),
    may("trial_period_days", Kind::Int(1, 730)),
    may("trial_settings", Kind::Object(TRIAL_SETTINGS)),
];
const PAYMENT_DATA: &[Field] = &[
    may("description", CLEARABLE),
    may("metadata", METADATA),
    may("setup_future_usage", Kind::OneOf(&["off_session", "on_session"])),
];
const SETUP_DATA: &[Field] = &[may("description", CLEARABLE), may("metadata", METADATA)];
const CREATE: &[Field] = &[
    need("mode", Kind::OneOf(&["payment", "setup", "subscription"])),
    need("success_url", Kind::Text),
    may("cancel_url", Kind::Text),
    may("client_reference_id", Kind::Text),
    may("currency", Kind::Text),
    may("customer", Kind::Text),
    may("customer_creation", Kind::OneOf(&["always", "if_required"])),
    may("customer_email", Kind::Text),
    may("expires_at", INSTANT),
    may("line_items", Kind::List(&Kind::Object(ITEM))),
    may("locale", Kind::Text),
    may("metadata", METADATA),
    may("payment_intent_data", Kind::Object(PAYMENT_DATA)),
    may("payment_method_collection", Kind::OneOf(&["always", "if_required"])),
    may("payment_method_types", Kind::List(&Kind::OneOf(&["card"]))),
    may("setup_intent_data", Kind::Object(SETUP_DATA)),
    may("subscription_data", Kind::Object(SUBSCRIPTION_DATA)),
];
const SHORTEST: i64 = HOUR / 2;
const LONGEST: i64 = 24 * HOUR;
/// The least notice of a trial's end that Checkout takes.
const TRIAL_END_AHEAD: i64 = 2 * DAY;
const ITEMS_MAX: usize = 20;

impl World {
    pub(in crate::world) fn create_session(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let mode = match params.text("mode") {
            Some("payment") => Mode::Payment,
            Some("setup") => Mode::Setup,
            _ => Mode::Subscription,
        };
        check_fit(&params, mode)?;
        let expires_at = self.read_expiry(&params)?;
        if let Some(customer) = params.text("customer") {
            self.customer_param(customer)?;
        }
        let items = params.objects("line_items");
        self.check_items(&items, mode)?;
        let target = self.read_target(&params, mode)?;
        let currency = match params.text("currency") {
            Some(text) => Some(valid_currency(text, "currency")?),
            None => None,
        };
        let success_url = valid_url(&params, "success_url")?.unwrap_or_default();
        let cancel_url = valid_url(&params, "cancel_url")?;
        let items = items.iter().map(|item| self.new_item(item)).collect::<Vec<Item>>();
        let first = items.first().and_then(|item| self.prices.get(&item.price));
        let session = Session {
            currency: first.map(|price| price.currency.clone()).or(currency),
            id: self.new_id("cs_test_"),
            created: self.now(),
            expires_at,
            mode,
            status: Status::Open,
            success_url,
            cancel_url,
            customer: params.string("customer"),
            email: params.string("customer_email"),
            client_reference_id: params.string("client_reference_id"),
            metadata: new_metadata(&params),
            items,
            target,
            card_if_required: params.text("payment_method_collection") == Some("if_required"),
            always_customer: params.text("customer_creation") == Some("always"),
            made: Made::default(),
        };
        let rendered = self.render_session(&session);
        self.sessions.put(session);
        Ok(rendered)
    }

    fn read_expiry(&self, params: &Params) -> Result<i64, ApiError> {
        let Some(at) = params.int("expires_at") else { return Ok(self.now() + LONGEST) };
        if at < self.now() + SHORTEST || self.now() + LONGEST < at {
            return Err(ApiError::bad_param(
                "expires_at",
                "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours after \
                 Checkout Session creation.",
            ));
        }
        Ok(at)
    }

    fn check_items(&self, items: &[Params], mode: Mode) -> Result<(), ApiError> {
        if ITEMS_MAX < items.len() {
            return Err(ApiError::bad_param("line_items", format!("At most {ITEMS_MAX} items.")));
        }
        let mut currencies = Vec::new();
        let mut recurring = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let (currency, recurs) = self.check_item(item, at)?;
            currencies.push(currency);
            recurring.push(recurs);
        }
        let bad = |message: &str| Err(ApiError::bad_param("line_items", message));
        if currencies.iter().any(|currency| *currency != currencies[0]) {
            return bad("All prices on a Checkout Session must have the same currency.");
        }
        match mode {
            Mode::Subscription if !recurring.contains(&true) => {
                bad("You must provide at least one recurring price in `subscription` mode.")
            }
            Mode::Payment if recurring.contains(&true) => {
                bad("You specified `payment` mode but passed a recurring price. Either switch to \
                 `subscription` mode or use only one-time prices.")
            }
            _ => Ok(()),
        }
    }

    /// Currency of one line item, and whether it recurs.
    fn check_item(&self, item: &Params, at: usize) -> Result<(String, bool), ApiError> {
        let data = item.object("price_data");
        match (item.text("price"), item.is_object("price_data")) {
            (Some(id), false) => {
                let price = self.price_param(id, &format!("line_items[{at}][price]"))?;
                Ok((price.currency.clone(), price.recurring.is_some()))
            }
            (None, true) => {
                self.check_price(&data, &format!("line_items[{at}][price_data]"))?;
                let currency = data.text("currency").unwrap_or_default().to_ascii_lowercase();
                Ok((currency, data.is_object("recurring")))
            }
            _ => {
                let param = format!("line_items[{at}][price]");
                let message = format!("Give either {param} or line_items[{at}][price_data].");
                Err(ApiError::invalid("parameter_missing", &param, message))
            }
        }
    }

    fn new_item(&mut self, item: &Params) -> Item {
        let price = match item.string("price") {
            Some(price) => price,
            None => self.add_price(&item.object("price_data")),
        };
        Item { id: self.new_id("li_"), price, quantity: item.int("quantity").unwrap_or(1) }
    }

    fn read_target(&self, params: &Params, mode: Mode) -> Result<Target, ApiError> {
        let name = match mode {
            Mode::Payment => "payment_intent_data",
            Mode::Setup => "setup_intent_data",
            Mode::Subscription => "subscription_data",
        };
        let data = params.object(name);
        self.read_trial(&data, name)?;
        if data.int("trial_end").is_some_and(|end| end < self.now() + TRIAL_END_AHEAD) {
            return Err(ApiError::bad_param(
                "subscription_data[trial_end]",
                "The `trial_end` date has to be at least 2 days in the future.",
            ));
        }
        Ok(Target {
            metadata: new_metadata(&data),
            description: data.string("description"),
            trial_days: data.int("trial_period_days"),
            trial_end: data.int("trial_end"),
            missing_payment_method: read_missing(&data),
            setup_future_usage: data.string("setup_future_usage"),
        })
    }

    /// The subscription that `session` starts for `customer` now.
    pub(super) fn start_of(&self, session: &Session, customer: &str) -> Start {
        let (mut items, mut once) = (Vec::new(), Vec::new());
        for item in &session.items {
            if self.prices.get(&item.price).is_some_and(|price| price.recurring.is_some()) {
                items.push(NewItem {
                    price: item.price.clone(),
                    quantity: item.quantity,
                    metadata: Metadata::new(),
                });
            } else {
                once.push((item.price.clone(), item.quantity));
            }
        }
        let target = &session.target;
        let trial_end = target.trial_days.map(|days| self.now() + days * DAY).or(target.trial_end);
        Start {
            customer: customer.to_owned(),
            items,
            once,
            description: target.description.clone(),
            metadata: target.metadata.clone(),
            trial_end: trial_end.filter(|end| self.now() < *end),
            missing_payment_method: target.missing_payment_method,
            ..Start::default()
        }
    }
}

/// Refuses parameters that the mode has no use for, or that exclude each other.
fn check_fit(params: &Params, mode: Mode) -> Result<(), ApiError> {
    let refuse = |name: &str, word: &str| {
        let message = format!("You can not pass `{name}` in `{word}` mode.");
        Err(ApiError::bad_param(name, message))
    };
    let (word, foreign): (&str, &[&str]) = match mode {
        Mode::Payment => {
            ("payment", &["subscription_data", "setup_intent_data", "payment_method_collection"])
        }
        Mode::Setup => (
            "setup",
            &[
                "line_items",
                "subscription_data",
                "payment_intent_data",
                "payment_method_collection",
            ],
        ),
        Mode::Subscription => {
            ("subscription", &["payment_intent_data", "setup_intent_data", "customer_creation"])
        }
    };
    if let Some(name) = foreign.iter().find(|name| params.has(name)) {
        return refuse(name, word);
    }
    if params.has("customer") && (params.has("customer_email") || params.has("customer_creation")) {
        return Err(ApiError::refused(
            "You may only specify one of these parameters: customer, customer_email, \
             customer_creation.",
        ));
    }
    let missing = match mode {
        Mode::Setup if !params.has("currency") && !params.has("payment_method_types") => "currency",
        Mode::Payment | Mode::Subscription if params.objects("line_items").is_empty() => {
            "line_items"
        }
        _ => return Ok(()),
    };
    let message = format!("Missing required param: {missing}.");
    Err(ApiError::invalid("parameter_missing", missing, message))
}

/// A url that a browser can be sent to.
fn valid_url(params: &Params, name: &str) -> Result<Option<String>, ApiError> {
    let Some(url) = params.text(name) else { return Ok(None) };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    let runs_code = ["javascript", "data", "vbscript"].contains(&scheme.as_str());
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if scheme.is_empty() || runs_code || !plain {
        let message = "Not a valid URL: it needs a scheme such as https://, without spaces.";
        return Err(ApiError::invalid("url_invalid", name, message));
    }
    Ok(Some(url.to_owned()))
}
