//! What a customer pays with: cards and the like, kept by the provider, never here.
//!
//! A change is an intent first, and takes the customer's lock for changes: of two who take the last
//! two cards away at once, one is told that another change is in progress. A lost answer is asked
//! for again with the same keys.

use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::snapshot::PaymentMethodSnapshot;
use farthing_providers::CallError;
use farthing_providers::stripe::{CheckoutWhat, NewCheckout};
use farthing_store::customers;
use farthing_store::intents::{self, Inserted, Intent, NewIntent};
use farthing_store::subscriptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::changes::in_progress;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::sold::{check_return_path, currency};
use crate::{Call, Engine, EngineError, STRIPE};

/// Something that a customer can pay with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentMethodView {
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

/// The provider's page on which a payment method is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetupView {
    /// Send the customer there.
    pub url: String,
}

/// The kind of the intents that are made here.
pub(crate) const KIND: &str = "payment_method.change";
/// How long after a lost answer the provider is asked, in seconds.
const RESOLVE_AFTER: i64 = 20;
/// How long the page for a new card stays open, in seconds.
const SETUP_FOR: i64 = 3_600;

/// What is stored with an intent: all that is needed to go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wanted {
    method: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    MakeDefault,
    Remove,
}

/// What the provider has of a customer.
struct Held {
    methods: Vec<PaymentMethodSnapshot>,
    default: Option<String>,
    /// The provider's id of the running subscription.
    running: Option<String>,
}

impl Engine {
    /// What a customer can pay with, what pays next first, as the provider has it now.
    ///
    /// Errors: no such customer, and the provider's.
    pub fn payment_methods(
        &self,
        customer: &CustomerId,
    ) -> Result<Vec<PaymentMethodView>, EngineError> {
        let Some(provider_id) = self.known_at_provider(customer)? else {
            return Ok(Vec::new());
        };
        let held = self.methods_of(customer, &provider_id)?;
        let mut views: Vec<_> =
            held.methods.iter().map(|method| view(method, held.default.as_deref())).collect();
        views.sort_by_key(|view| !view.is_default);
        Ok(views)
    }

    /// Opens the provider's page on which the customer stores another card. Its bank may ask for a
    /// confirmation there. The customer comes back to `return_path` of the app, or else to the
    /// billing page, which makes the new card the one that pays.
    ///
    /// Errors: no such customer, a return path that is none, no address to come back to, and the
    /// provider's. A page that nobody was shown stores nothing.
    pub fn start_card_setup(
        &self,
        customer: &CustomerId,
        return_path: Option<&str>,
    ) -> Result<SetupView, EngineError> {
        check_return_path(return_path)?;
        let (saved, back) = match return_path {
            Some(path) => {
                let url = format!("{}{path}", self.inner.config.return_base);
                (url.clone(), url)
            }
            None => {
                let page = format!("{}/b/payment-methods", self.pages_url()?);
                (format!("{page}/saved?setup={{CHECKOUT_SESSION_ID}}"), page)
            }
        };
        let known = self.customer(customer)?;
        let currency = self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            currency(&catalog, &known, None)
        })?;
        let id = self.new_id(IdKind::Checkout);
        let made = self.stripe()?.create_checkout(&NewCheckout {
            customer: self.provider_customer(customer)?,
            app_customer: customer.to_string(),
            checkout: id.clone(),
            what: CheckoutWhat::Setup { currency },
            success_url: saved,
            cancel_url: back,
            expires_at: Some(self.now().plus_seconds(SETUP_FOR)),
            key: format!("farthing:setup:{id}"),
        })?;
        let detail = "the provider's page has no address".to_owned();
        made.url.map(|url| SetupView { url }).ok_or(EngineError::ProviderUnavailable { detail })
    }

    /// After the customer came back from storing a card: makes it the one that pays. `None` when
    /// nothing was stored on that page. Errors: the page was another customer's.
    pub fn finish_card_setup(
        &self,
        call: &Call,
        customer: &CustomerId,
        page: &str,
    ) -> Result<Option<PaymentMethodView>, EngineError> {
        let missing = || EngineError::NotFound { what: "page", id: page.to_owned() };
        let provider_id = self.known_at_provider(customer)?.ok_or_else(missing)?;
        let possible = page.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !possible || page.is_empty() || 200 < page.len() {
            return Err(missing());
        }
        let seen = self.stripe()?.fetch_checkout(page).map_err(|error| match error {
            error if error.is_refusal("resource_missing") => missing(),
            error => error.into(),
        })?;
        if seen.customer.is_none_or(|owner| owner.provider_id != provider_id) {
            return Err(missing());
        }
        let Some(stored) = seen.payment_method else {
            return Ok(None);
        };
        self.set_default_payment_method(call, customer, &stored.id)?;
        Ok(Some(view(&stored, Some(&stored.id))))
    }

    /// Makes a payment method the one that pays, also for what is running.
    ///
    /// Errors: the customer has none of that id, a change that is in flight, and the provider's.
    pub fn set_default_payment_method(
        &self,
        call: &Call,
        customer: &CustomerId,
        method: &str,
    ) -> Result<(), EngineError> {
        self.change_methods(
            call,
            customer,
            &Wanted { method: method.to_owned(), what: What::MakeDefault },
        )
    }

    /// Takes a payment method away, for good. When it was the one that pays, the newest of the
    /// others pays from now on.
    ///
    /// Errors: the customer has none of that id, it is the last one of a running subscription, a
    /// change that is in flight, and the provider's.
    pub fn remove_payment_method(
        &self,
        call: &Call,
        customer: &CustomerId,
        method: &str,
    ) -> Result<(), EngineError> {
        self.change_methods(
            call,
            customer,
            &Wanted { method: method.to_owned(), what: What::Remove },
        )
    }

    fn change_methods(
        &self,
        call: &Call,
        customer: &CustomerId,
        wanted: &Wanted,
    ) -> Result<(), EngineError> {
        let missing =
            || EngineError::NotFound { what: "payment method", id: wanted.method.clone() };
        let provider_id = self.known_at_provider(customer)?.ok_or_else(missing)?;
        // Whose it is, before a lock is taken for it.
        let held = self.methods_of(customer, &provider_id)?;
        held.methods.iter().find(|found| found.id == wanted.method).ok_or_else(missing)?;
        let intent = self.lock_for_methods(call, customer, wanted)?;
        self.go_on_with_method(call, &intent)
    }

    fn lock_for_methods(
        &self,
        call: &Call,
        customer: &CustomerId,
        wanted: &Wanted,
    ) -> Result<Intent, EngineError> {
        let id = self.new_id(IdKind::Intent);
        let new = NewIntent {
            id: id.clone(),
            customer: Some(customer.clone()),
            kind: KIND.to_owned(),
            is_change: true,
            idempotency_key: format!("farthing:method:{id}"),
            request: serde_json::to_string(wanted).expect("plain data"),
            created_at: self.now(),
        };
        let (customer, call, wanted) = (customer.clone(), call.clone(), wanted.clone());
        self.write(move |engine, tx| {
            let locked = customers::lock(tx, &customer)?;
            let locked = locked.ok_or_else(|| EngineError::no_customer(&customer))?;
            match intents::insert(tx, &new)? {
                Inserted::Inserted => {}
                Inserted::Same(open) | Inserted::ChangeInProgress(open) => {
                    return Err(in_progress(&open));
                }
            }
            engine.reachable()?;
            let job = Job::ResolveIntent { intent: new.id.clone() };
            engine.enqueue(tx, &job, engine.now().plus_seconds(RESOLVE_AFTER))?;
            let to = Some(json!({ "intent": new.id, "what": wanted.what }));
            let action = "payment_method.change_requested";
            let change = Change { action, from: None, to, effective_at: engine.now() };
            engine.record(tx, &call, &locked, &change)?;
            intents::get(tx, &new.id)?.ok_or_else(|| EngineError::no_customer(&customer))
        })
    }

    /// Does what an intent of [`KIND`] says, or finds it done. Safe to run twice.
    pub(crate) fn go_on_with_method(
        &self,
        call: &Call,
        intent: &Intent,
    ) -> Result<(), EngineError> {
        let wanted: Wanted = serde_json::from_str(&intent.new.request).map_err(|_| {
            EngineError::refused(
                "unknown_intent",
                "this version does not know this intent; upgrade",
            )
        })?;
        let Some(customer) = &intent.new.customer else {
            return Ok(());
        };
        match self.at_provider(customer, intent, &wanted) {
            Ok(()) => self.methods_changed(call, intent, &wanted),
            Err(error) if error.passes() => {
                let id = intent.new.id.clone();
                self.write(move |engine, tx| {
                    intents::mark_unknown(tx, &id, engine.now())?;
                    Ok(())
                })?;
                Err(error)
            }
            Err(error) => {
                let (id, response) =
                    (intent.new.id.clone(), json!({ "message": error.to_string() }).to_string());
                self.write(move |engine, tx| {
                    intents::close(tx, &id, true, &response, engine.now())?;
                    Ok(())
                })?;
                Err(error)
            }
        }
    }

    fn at_provider(
        &self,
        customer: &CustomerId,
        intent: &Intent,
        wanted: &Wanted,
    ) -> Result<(), EngineError> {
        let Some(provider_id) = self.known_at_provider(customer)? else {
            return Ok(());
        };
        let held = self.methods_of(customer, &provider_id)?;
        let key = &intent.new.idempotency_key;
        let owner = (provider_id.as_str(), held.running.as_deref());
        if wanted.what == What::MakeDefault {
            return self.pay_with(owner, &wanted.method, key);
        }
        let mut others = held.methods.iter().filter(|method| method.id != wanted.method);
        let next = others.next();
        if next.is_none() && held.running.is_some() {
            return Err(EngineError::refused(
                "last_payment_method",
                "it is the only payment method of a running subscription; nothing was changed: \
                 add another one first, or cancel the subscription",
            ));
        }
        if let (Some(next), true) = (next, held.default.as_deref() == Some(&wanted.method)) {
            self.pay_with(owner, &next.id, key)?;
        }
        match self.stripe()?.detach_payment_method(&wanted.method, &format!("{key}:detach")) {
            // A second try after a lost answer finds it gone.
            Err(CallError::Refused { .. }) if self.is_gone(&provider_id, &wanted.method)? => Ok(()),
            detached => Ok(detached.map(drop)?),
        }
    }

    fn is_gone(&self, provider_id: &str, method: &str) -> Result<bool, EngineError> {
        let left = self.stripe()?.list_payment_methods(provider_id)?;
        Ok(left.iter().all(|left| left.id != method))
    }

    fn pay_with(
        &self,
        (customer, running): (&str, Option<&str>),
        method: &str,
        key: &str,
    ) -> Result<(), EngineError> {
        let stripe = self.stripe()?;
        stripe.set_default_payment_method(customer, method, &format!("{key}:customer"))?;
        if let Some(running) = running {
            let key = format!("{key}:subscription");
            stripe.set_subscription_payment_method(running, method, &key)?;
        }
        Ok(())
    }

    fn methods_changed(
        &self,
        call: &Call,
        intent: &Intent,
        wanted: &Wanted,
    ) -> Result<(), EngineError> {
        let (call, id, what) = (call.clone(), intent.new.id.clone(), wanted.what);
        let of = intent.new.customer.clone();
        self.write(move |engine, tx| {
            let now = engine.now();
            let customer = match &of {
                Some(of) => customers::lock(tx, of)?,
                None => None,
            };
            let (Some(customer), true) = (customer, intents::close(tx, &id, false, "{}", now)?)
            else {
                return Ok(());
            };
            let action = match what {
                What::MakeDefault => "payment_method.default_changed",
                What::Remove => "payment_method.removed",
            };
            let to = Some(json!({ "intent": id }));
            let change = Change { action, from: None, to, effective_at: now };
            engine.record(tx, &call, &customer, &change)
        })
    }

    /// The provider's id of a customer; `None` when nothing was ever bought. Errors: no such
    /// customer.
    fn known_at_provider(&self, customer: &CustomerId) -> Result<Option<String>, EngineError> {
        self.read(|_, tx| {
            let found = customers::find(tx, customer)?;
            found.ok_or_else(|| EngineError::no_customer(customer))?;
            Ok(customers::provider_id(tx, customer, STRIPE)?)
        })
    }

    fn methods_of(&self, customer: &CustomerId, provider_id: &str) -> Result<Held, EngineError> {
        let running = self.read(|_, tx| {
            let all = subscriptions::of_customer(tx, customer)?;
            Ok(all.into_iter().find(|stored| stored.subscription.status.is_entitled()))
        })?;
        let running = running.map(|stored| stored.provider_id);
        let stripe = self.stripe()?;
        let methods = stripe.list_payment_methods(provider_id)?;
        let default = match &running {
            Some(running) => stripe.fetch_subscription(running)?.default_payment_method,
            None => stripe.fetch_customer(provider_id)?.default_payment_method,
        };
        Ok(Held { methods, default, running })
    }
}

fn view(method: &PaymentMethodSnapshot, default: Option<&str>) -> PaymentMethodView {
    let card = method.card.as_ref();
    PaymentMethodView {
        id: method.id.clone(),
        kind: method.kind.clone(),
        brand: card.map(|card| card.brand.clone()),
        last4: card.map(|card| card.last4.clone()),
        exp_month: card.and_then(|card| card.exp_month),
        exp_year: card.and_then(|card| card.exp_year),
        is_default: default == Some(&method.id),
    }
}
