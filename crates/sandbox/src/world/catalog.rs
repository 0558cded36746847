//! Products and prices.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::list::{PAGE, page};
use super::render::{Metadata, new_metadata, update_metadata, with_nulls};
use super::route::Form;
use super::table::Row;
use crate::calendar::{Interval, Unit};
use crate::error::{Answer, ApiError};
use crate::params::{AMOUNT, CLEARABLE, Field, Kind, METADATA, Params, may, need};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    id: String,
    created: i64,
    updated: i64,
    active: bool,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    default_price: Option<String>,
    images: Vec<String>,
    statement_descriptor: Option<String>,
    unit_label: Option<String>,
    url: Option<String>,
    metadata: Metadata,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    id: String,
    created: i64,
    pub(crate) active: bool,
    pub(crate) product: String,
    pub(crate) currency: String,
    /// Minor units.
    pub(crate) unit_amount: i64,
    /// `None`: paid once.
    pub(crate) recurring: Option<Interval>,
    lookup_key: Option<String>,
    nickname: Option<String>,
    tax_behavior: String,
    metadata: Metadata,
}

impl Row for Product {
    const KIND: &'static str = "product";
    fn id(&self) -> &str {
        &self.id
    }
}

impl Row for Price {
    const KIND: &'static str = "price";
    fn id(&self) -> &str {
        &self.id
    }
}

const PRODUCT: &[Field] = &[
    may("active", Kind::Bool),
    may("description", CLEARABLE),
    may("images", Kind::Clear(&Kind::List(&Kind::Text))),
    may("statement_descriptor", CLEARABLE),
    may("unit_label", CLEARABLE),
    may("url", CLEARABLE),
    may("metadata", METADATA),
];
const PRODUCT_CREATE: &[Field] = &[need("name", Kind::Text), may("id", Kind::Text)];
const PRODUCT_UPDATE: &[Field] = &[may("name", Kind::Text), may("default_price", CLEARABLE)];
const PRODUCT_LIST: &[Field] =
    &[may("active", Kind::Bool), may("ids", Kind::List(&Kind::Text)), may("url", Kind::Text)];

/// How often a price recurs, wherever a price can be made.
pub(crate) const RECURRING: &[Field] = &[
    need("interval", Kind::OneOf(Unit::NAMES)),
    may("interval_count", Kind::Int(1, 1_095)),
    may("usage_type", Kind::OneOf(&["licensed"])),
];
/// A stretch of time: `duration` of a phase.
pub(crate) const RECURRING_STEP: &[Field] =
    &[need("interval", Kind::OneOf(Unit::NAMES)), may("interval_count", Kind::Int(1, 1_095))];
const TAX_BEHAVIOR: Kind = Kind::OneOf(&["unspecified", "exclusive", "inclusive"]);
const PRICE: &[Field] = &[
    may("active", Kind::Bool),
    may("lookup_key", CLEARABLE),
    may("transfer_lookup_key", Kind::Bool),
    may("nickname", CLEARABLE),
    may("tax_behavior", TAX_BEHAVIOR),
    may("metadata", METADATA),
];
const PRODUCT_DATA: &[Field] = &[
    need("name", Kind::Text),
    may("id", Kind::Text),
    may("active", Kind::Bool),
    may("metadata", METADATA),
];
const PRICE_CREATE: &[Field] = &[
    need("currency", Kind::Text),
    need("unit_amount", AMOUNT),
    may("product", Kind::Text),
    may("product_data", Kind::Object(PRODUCT_DATA)),
    may("recurring", Kind::Object(RECURRING)),
    may("billing_scheme", Kind::OneOf(&["per_unit"])),
];
const PRICE_LIST: &[Field] = &[
    may("active", Kind::Bool),
    may("currency", Kind::Text),
    may("product", Kind::Text),
    may("type", Kind::OneOf(&["one_time", "recurring"])),
    may("lookup_keys", Kind::List(&Kind::Text)),
];
const LOOKUP_KEYS_MAX: usize = 10;
const LOOKUP_KEY_LENGTH_MAX: usize = 200;

impl World {
    pub(super) fn create_product(&mut self, form: &Form) -> Answer {
        let params = form.check(&[PRODUCT_CREATE, PRODUCT])?;
        self.check_product_id(&params)?;
        let id = self.add_product(&params);
        self.retrieve_product(&id)
    }

    fn check_product_id(&self, params: &Params) -> Result<(), ApiError> {
        match params.text("id") {
            Some(id) if self.products.get(id).is_some() => {
                let message = format!("Product already exists: {id}.");
                Err(ApiError::invalid("resource_already_exists", "id", message))
            }
            Some(id) if !is_plain(id) => {
                Err(ApiError::bad_param("id", "An id has letters, digits, _ and - only."))
            }
            _ => Ok(()),
        }
    }

    fn add_product(&mut self, params: &Params) -> String {
        let id = params.string("id").unwrap_or_else(|| self.new_id("prod_"));
        let mut product = Product {
            id: id.clone(),
            created: self.now(),
            updated: self.now(),
            active: true,
            name: String::new(),
            description: None,
            default_price: None,
            images: Vec::new(),
            statement_descriptor: None,
            unit_label: None,
            url: None,
            metadata: Metadata::new(),
        };
        write_product(&mut product, params);
        let rendered = render_product(&product);
        self.products.put(product);
        self.emit("product.created", rendered);
        id
    }

    pub(super) fn update_product(&mut self, id: &str, form: &Form) -> Answer {
        let mut product = self.product(id)?.clone();
        let params = form.check(&[PRODUCT, PRODUCT_UPDATE])?;
        if let Some(price) = params.text("default_price") {
            self.prices
                .get(price)
                .filter(|price| price.product == id)
                .ok_or_else(|| ApiError::unknown_reference("price", price, "default_price"))?;
        }
        let old = render_product(&product);
        write_product(&mut product, &params);
        if render_product(&product) != old {
            product.updated = self.now();
        }
        let new = render_product(&product);
        self.products.put(product);
        self.emit_update("product.updated", &old, new.clone());
        Ok(new)
    }

    pub(super) fn delete_product(&mut self, id: &str, form: &Form) -> Answer {
        let rendered = render_product(self.product(id)?);
        form.check(&[])?;
        if self.prices.oldest_first().any(|price| price.product == id) {
            return Err(ApiError::refused(
                "This product cannot be deleted because it has one or more user-created prices. \
                 Set active to false instead.",
            ));
        }
        self.products.remove(id);
        self.emit("product.deleted", rendered);
        Ok(json!({"id": id, "object": "product", "deleted": true}))
    }

    pub(super) fn retrieve_product(&self, id: &str) -> Answer {
        self.product(id).map(render_product)
    }

    pub(super) fn product(&self, id: &str) -> Result<&Product, ApiError> {
        self.products.get(id).ok_or_else(|| ApiError::no_such("product", id))
    }

    pub(super) fn list_products(&self, form: &Form) -> Answer {
        let params = form.check(&[PRODUCT_LIST, PAGE])?;
        let ids = params.texts("ids");
        let url = params.text("url");
        page(
            &self.products,
            "/v1/products",
            &params,
            |product| product.created,
            |product| {
                params.flag("active").is_none_or(|active| active == product.active)
                    && (ids.is_empty() || ids.contains(&product.id))
                    && (url.is_none() || product.url.as_deref() == url)
            },
            render_product,
        )
    }

    pub(super) fn create_price(&mut self, form: &Form) -> Answer {
        let params = form.check(&[PRICE_CREATE, PRICE])?;
        self.check_price(&params, "")?;
        let id = self.add_price(&params);
        self.retrieve_price(&id)
    }

    /// What a new price of these parameters would be refused for; `at` names where they stand in
    /// the request. Nothing is changed.
    pub(super) fn check_price(&self, params: &Params, at: &str) -> Result<(), ApiError> {
        let name = |name: &str| if at.is_empty() { name.into() } else { format!("{at}[{name}]") };
        valid_currency(params.text("currency").unwrap_or_default(), &name("currency"))?;
        self.free_lookup_key(params, None)?;
        match (params.text("product"), params.is_object("product_data")) {
            (Some(id), false) => {
                let found = self.products.get(id);
                found
                    .ok_or_else(|| ApiError::unknown_reference("product", id, &name("product")))?;
                Ok(())
            }
            (None, true) => self.check_product_id(&params.object("product_data")),
            (Some(_), true) => Err(ApiError::refused(
                "You may only specify one of these parameters: product, product_data.",
            )),
            (None, false) => {
                let message = format!("Missing required param: {}.", name("product"));
                Err(ApiError::invalid("parameter_missing", &name("product"), message))
            }
        }
    }

    /// Makes a price of parameters that [`World::check_price`] has passed.
    pub(super) fn add_price(&mut self, params: &Params) -> String {
        let product = match params.string("product") {
            Some(id) => id,
            None => self.add_product(&params.object("product_data")),
        };
        let lookup_key = self.take_lookup_key(params.string("lookup_key"));
        let recurring =
            params.is_object("recurring").then(|| read_interval(&params.object("recurring")));
        let price = Price {
            id: self.new_id("price_"),
            created: self.now(),
            active: params.flag("active").unwrap_or(true),
            product,
            currency: params.text("currency").unwrap_or_default().to_ascii_lowercase(),
            unit_amount: params.int("unit_amount").unwrap_or(0),
            recurring,
            lookup_key,
            nickname: params.string("nickname"),
            tax_behavior: params.string("tax_behavior").unwrap_or("unspecified".into()),
            metadata: new_metadata(params),
        };
        let id = price.id.clone();
        let rendered = render_price(&price);
        self.prices.put(price);
        self.emit("price.created", rendered);
        id
    }

    pub(super) fn update_price(&mut self, id: &str, form: &Form) -> Answer {
        let mut price = self.price(id)?.clone();
        let params = form.check(&[PRICE])?;
        let lookup_key = self.free_lookup_key(&params, Some(id))?;
        let old = render_price(&price);
        if let Some(active) = params.flag("active") {
            price.active = active;
        }
        if params.has("lookup_key") && price.lookup_key != lookup_key {
            price.lookup_key = self.take_lookup_key(lookup_key);
        }
        params.update("nickname", &mut price.nickname);
        if let Some(tax_behavior) = params.string("tax_behavior") {
            price.tax_behavior = tax_behavior;
        }
        update_metadata(&mut price.metadata, &params);
        let new = render_price(&price);
        self.prices.put(price);
        self.emit_update("price.updated", &old, new.clone());
        Ok(new)
    }

    /// The wanted lookup key, if no other price holds it or it may be taken from that one.
    fn free_lookup_key(
        &self,
        params: &Params,
        own: Option<&str>,
    ) -> Result<Option<String>, ApiError> {
        let Some(key) = params.string("lookup_key") else { return Ok(None) };
        if LOOKUP_KEY_LENGTH_MAX < key.chars().count() {
            let message = format!("At most {LOOKUP_KEY_LENGTH_MAX} characters.");
            return Err(ApiError::bad_param("lookup_key", message));
        }
        let holder = self.holder_of(&key).filter(|price| Some(price.id.as_str()) != own);
        if let Some(holder) = holder
            && params.flag("transfer_lookup_key") != Some(true)
        {
            let message = format!("A price (`{}`) already uses that lookup key.", holder.id);
            return Err(ApiError::bad_param("lookup_key", message));
        }
        Ok(Some(key))
    }

    /// Takes `key` away from the price that holds it, if one does.
    fn take_lookup_key(&mut self, key: Option<String>) -> Option<String> {
        let holder = key.as_deref().and_then(|key| self.holder_of(key)).cloned();
        if let Some(mut holder) = holder {
            let old = render_price(&holder);
            holder.lookup_key = None;
            let new = render_price(&holder);
            self.prices.put(holder);
            self.emit_update("price.updated", &old, new);
        }
        key
    }

    fn holder_of(&self, key: &str) -> Option<&Price> {
        self.prices.oldest_first().find(|price| price.lookup_key.as_deref() == Some(key))
    }

    pub(super) fn retrieve_price(&self, id: &str) -> Answer {
        self.price(id).map(render_price)
    }

    fn price(&self, id: &str) -> Result<&Price, ApiError> {
        self.prices.get(id).ok_or_else(|| ApiError::no_such("price", id))
    }

    /// The price that a parameter names; it has to be active.
    pub(super) fn price_param(&self, id: &str, at: &str) -> Result<&Price, ApiError> {
        let price =
            self.prices.get(id).ok_or_else(|| ApiError::unknown_reference("price", id, at))?;
        if price.active {
            return Ok(price);
        }
        Err(ApiError::bad_param(
            at,
            "The price specified is inactive. This field only accepts active prices.",
        ))
    }

    pub(super) fn list_prices(&self, form: &Form) -> Answer {
        let params = form.check(&[PRICE_LIST, PAGE])?;
        let keys = params.texts("lookup_keys");
        if LOOKUP_KEYS_MAX < keys.len() {
            let message = format!("At most {LOOKUP_KEYS_MAX} lookup keys.");
            return Err(ApiError::bad_param("lookup_keys", message));
        }
        page(
            &self.prices,
            "/v1/prices",
            &params,
            |price| price.created,
            |price| {
                params.flag("active").is_none_or(|active| active == price.active)
                    && params.text("currency").is_none_or(|currency| currency == price.currency)
                    && params.text("product").is_none_or(|product| product == price.product)
                    && params
                        .text("type")
                        .is_none_or(|kind| (kind == "recurring") == price.recurring.is_some())
                    && (keys.is_empty()
                        || price.lookup_key.as_ref().is_some_and(|key| keys.contains(key)))
            },
            render_price,
        )
    }
}

/// Reads checked `recurring` parameters.
pub(crate) fn read_interval(recurring: &Params) -> Interval {
    let unit = recurring.text("interval").and_then(Unit::parse).unwrap_or(Unit::Month);
    Interval { unit, count: recurring.int("interval_count").unwrap_or(1) }
}

/// A three-letter currency, in lower case as Stripe keeps it.
pub(crate) fn valid_currency(text: &str, at: &str) -> Result<String, ApiError> {
    let currency = text.to_ascii_lowercase();
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(currency);
    }
    Err(ApiError::bad_param(at, format!("Invalid currency: {text}. It has three letters: usd.")))
}

fn is_plain(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn write_product(product: &mut Product, params: &Params) {
    if let Some(name) = params.string("name") {
        product.name = name;
    }
    if let Some(active) = params.flag("active") {
        product.active = active;
    }
    if params.has("images") {
        product.images = params.texts("images");
    }
    params.update("default_price", &mut product.default_price);
    params.update("description", &mut product.description);
    params.update("statement_descriptor", &mut product.statement_descriptor);
    params.update("unit_label", &mut product.unit_label);
    params.update("url", &mut product.url);
    update_metadata(&mut product.metadata, params);
}

fn render_product(product: &Product) -> Value {
    let object = json!({
        "id": product.id,
        "object": "product",
        "active": product.active,
        "created": product.created,
        "default_price": product.default_price,
        "description": product.description,
        "images": product.images,
        "livemode": false,
        "marketing_features": [],
        "metadata": product.metadata,
        "name": product.name,
        "statement_descriptor": product.statement_descriptor,
        "type": "service",
        "unit_label": product.unit_label,
        "updated": product.updated,
        "url": product.url,
    });
    with_nulls(object, &["package_dimensions", "shippable", "tax_code", "tax_details"])
}

pub(super) fn render_price(price: &Price) -> Value {
    let recurring = price.recurring.map(|every| {
        json!({
            "interval": every.unit.name(), "interval_count": every.count, "meter": null,
            "trial_period_days": null, "usage_type": "licensed",
        })
    });
    let object = json!({
        "id": price.id,
        "object": "price",
        "active": price.active,
        "billing_scheme": "per_unit",
        "created": price.created,
        "currency": price.currency,
        "livemode": false,
        "lookup_key": price.lookup_key,
        "metadata": price.metadata,
        "nickname": price.nickname,
        "product": price.product,
        "recurring": recurring,
        "tax_behavior": price.tax_behavior,
        "type": if price.recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": price.unit_amount,
        "unit_amount_decimal": price.unit_amount.to_string(),
    });
    with_nulls(object, &["custom_unit_amount", "tiers_mode", "transform_quantity"])
}

/// The plan that Stripe still shows beside a recurring price.
pub(super) fn render_plan(price: &Price) -> Value {
    let every = price.recurring.unwrap_or(Interval { unit: Unit::Month, count: 1 });
    let object = json!({
        "id": price.id,
        "object": "plan",
        "active": price.active,
        "amount": price.unit_amount,
        "amount_decimal": price.unit_amount.to_string(),
        "billing_scheme": "per_unit",
        "created": price.created,
        "currency": price.currency,
        "interval": every.unit.name(),
        "interval_count": every.count,
        "livemode": false,
        "metadata": price.metadata,
        "nickname": price.nickname,
        "product": price.product,
        "usage_type": "licensed",
    });
    with_nulls(object, &["meter", "tiers_mode", "transform_usage", "trial_period_days"])
}
