//! The adapter: every call that we make, in terms of snapshots.
//!
//! Here is what is needed to sell: the account, customers, products, prices, checkouts and the
//! webhook endpoint. [`running`] has subscriptions and invoices, [`money_back`] has refunds,
//! disputes and stored cards, [`looking`] reads what an event is about and walks through all there
//! is.

mod looking;
mod money_back;
mod running;

use std::sync::Arc;

use farthing_core::snapshot::{CheckoutSnapshot, PriceSnapshot};
use farthing_core::time::Timestamp;

use super::account::{self, AccountSnapshot};
use super::answer::Page;
use super::checkouts::{self, NewCheckout};
use super::customers::{self, CustomerUpdate, FetchedCustomer, NewCustomer};
use super::events::EventEnvelope;
use super::portal::{self, PortalFlow};
use super::prices::{self, NewPrice};
use super::signature::{self, WebhookConfig, WebhookError};
use super::webhook_endpoints::{self, WebhookEndpoint};
use super::{API_VERSION, Livemode, products};
use crate::error::CallError;
use crate::guard::Health;
use crate::http::{HttpRequest, Transport, TransportError};

/// Calls Stripe and takes its events in. Blocks while it waits: not for async code.
#[derive(Clone)]
pub struct Stripe {
    transport: Arc<dyn Transport>,
    mode: Livemode,
    webhook: WebhookConfig,
}

impl Stripe {
    /// Over `transport`, whose API key must be of mode `mode`.
    pub fn new(transport: Arc<dyn Transport>, mode: Livemode, webhook: WebhookConfig) -> Self {
        Self { transport, mode, webhook }
    }

    /// Real money or not. Events of the other mode are none of ours.
    pub fn mode(&self) -> Livemode {
        self.mode
    }

    /// Whether Stripe answers; `None` when the transport does not keep count.
    pub fn health(&self) -> Option<Health> {
        self.transport.health()
    }

    /// Whether there is a webhook secret, without which no event can be accepted.
    pub fn takes_events(&self) -> bool {
        self.webhook.is_configured()
    }

    /// Sends `request` and reads the answer with `decode`.
    fn call<T>(
        &self,
        request: &HttpRequest,
        decode: impl Fn(u16, &[u8]) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        match self.transport.send(request) {
            Ok(response) => decode(response.status, &response.body),
            Err(TransportError::NotSent(why)) => Err(CallError::Unavailable(why)),
            Err(TransportError::HeldBack { seconds, why }) => {
                Err(CallError::HeldBack { seconds, why })
            }
            Err(TransportError::Unknown(why)) => Err(CallError::Unknown(why)),
        }
    }

    /// Every page of a list.
    fn pages<T>(
        &self,
        encode: impl Fn(Option<&str>) -> HttpRequest,
        decode: impl Fn(u16, &[u8]) -> Result<Page<T>, CallError>,
    ) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.call(&encode(after.as_deref()), &decode)?;
            all.extend(page.items);
            match page.next {
                None => return Ok(all),
                Some(next) if Some(&next) == after.as_ref() => {
                    return Err(CallError::Unknown(format!("a list repeats itself at {next}")));
                }
                Some(next) => after = Some(next),
            }
        }
    }

    /// Whose account the API key belongs to.
    pub fn account(&self) -> Result<AccountSnapshot, CallError> {
        let decode = |status, body: &[u8]| account::decode_account(status, body, self.mode);
        self.call(&account::encode_fetch_account(), decode)
    }

    /// Creates a customer; answers its id, `cus_...`.
    pub fn create_customer(&self, new: &NewCustomer) -> Result<String, CallError> {
        let request = customers::encode_create_customer(new);
        Ok(self.call(&request, customers::decode_customer)?.customer.provider_id)
    }

    /// Changes a customer's e-mail or name.
    pub fn update_customer(&self, id: &str, update: &CustomerUpdate) -> Result<(), CallError> {
        let request = customers::encode_update_customer(id, update);
        self.call(&request, customers::decode_customer).map(|_| ())
    }

    /// Deletes a customer for good; Stripe ends the subscriptions at once, too. Stripe keeps no
    /// idempotency key for this: after `Unknown`, ask with [`Stripe::fetch_customer`].
    pub fn delete_customer(&self, id: &str) -> Result<(), CallError> {
        let request = customers::encode_delete_customer(id);
        self.call(&request, customers::decode_customer).map(|_| ())
    }

    /// Reads a customer; a deleted one is still found.
    pub fn fetch_customer(&self, id: &str) -> Result<FetchedCustomer, CallError> {
        self.call(&customers::encode_fetch_customer(id), customers::decode_customer)
    }

    /// Makes an address on Stripe's own page, from which the customer comes back to `return_url`.
    /// It is short-lived: make one when it is wanted and keep none.
    pub fn create_portal_session(
        &self,
        customer: &str,
        return_url: &str,
        flow: Option<PortalFlow>,
        key: &str,
    ) -> Result<String, CallError> {
        let request = portal::encode_create_portal_session(customer, return_url, flow, key);
        self.call(&request, portal::decode_portal_session)
    }

    /// Finds the product under our own `id`, or creates it. Two at once make one.
    pub fn ensure_product(&self, id: &str, name: &str, key: &str) -> Result<String, CallError> {
        let find = products::encode_fetch_product(id);
        match self.call(&find, products::decode_product) {
            Err(err) if err.is_refusal("resource_missing") => {}
            found => return found,
        }
        let create = products::encode_create_product(id, name, key);
        match self.call(&create, products::decode_product) {
            Err(err) if err.is_refusal("resource_already_exists") => {
                self.call(&find, products::decode_product)
            }
            created => created,
        }
    }

    /// Every active price with one of `lookup_keys`.
    pub fn find_prices(&self, lookup_keys: &[String]) -> Result<Vec<PriceSnapshot>, CallError> {
        let mut found = Vec::new();
        for keys in lookup_keys.chunks(prices::LOOKUP_KEYS_AT_ONCE) {
            let encode = |after: Option<&str>| prices::encode_find_prices(keys, after);
            found.extend(self.pages(encode, prices::decode_prices)?);
        }
        Ok(found)
    }

    /// Creates a price. Refused when the lookup key is taken or the amount cannot be charged.
    pub fn create_price(&self, new: &NewPrice) -> Result<PriceSnapshot, CallError> {
        self.call(&prices::encode_create_price(new)?, prices::decode_price)
    }

    /// Creates a hosted checkout.
    pub fn create_checkout(&self, new: &NewCheckout) -> Result<CheckoutSnapshot, CallError> {
        self.call(&checkouts::encode_create_checkout(new), checkouts::decode_checkout)
    }

    /// Closes an open checkout. Refused when it is complete or expired.
    pub fn expire_checkout(&self, id: &str, key: &str) -> Result<CheckoutSnapshot, CallError> {
        self.call(&checkouts::encode_expire_checkout(id, key), checkouts::decode_checkout)
    }

    /// Reads a checkout with the subscription, invoice and payment that it started.
    pub fn fetch_checkout(&self, id: &str) -> Result<CheckoutSnapshot, CallError> {
        let request = checkouts::encode_fetch_checkout(id);
        let mut checkout = self.call(&request, checkouts::decode_checkout)?;
        if let Some(subscription) = &mut checkout.subscription {
            self.complete_latest(subscription)?;
        }
        Ok(checkout)
    }

    /// Every webhook endpoint of the account, without their secrets.
    pub fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, CallError> {
        let list = webhook_endpoints::encode_list_webhook_endpoints;
        self.pages(list, webhook_endpoints::decode_webhook_endpoints)
    }

    /// Finds our webhook endpoint by its address and makes it deliver [`EVENTS`], or creates it.
    /// Only a new one comes with its secret.
    ///
    /// Refused as `webhook_endpoint_version` when the address is taken by an endpoint for another
    /// API version, which cannot be changed; nothing was changed then.
    pub fn ensure_webhook_endpoint(
        &self,
        url: &str,
        key: &str,
    ) -> Result<WebhookEndpoint, CallError> {
        let all = self.list_webhook_endpoints()?;
        let mut ours = all.into_iter().filter(|known| known.url == url).peekable();
        if ours.peek().is_none() {
            let create = webhook_endpoints::encode_create_webhook_endpoint(url, key);
            return self.call(&create, webhook_endpoints::decode_webhook_endpoint);
        }
        let Some(found) = ours.find(|known| known.api_version.as_deref() == Some(API_VERSION))
        else {
            let message = format!(
                "a webhook endpoint for {url} exists with another API version than {API_VERSION}: \
                 delete it at Stripe and try again; nothing was changed"
            );
            return Err(CallError::refused_here("webhook_endpoint_version", message));
        };
        if found.is_up_to_date() {
            return Ok(found);
        }
        let update = webhook_endpoints::encode_update_webhook_endpoint(&found.id, key);
        self.call(&update, webhook_endpoints::decode_webhook_endpoint)
    }

    /// Checks who sent an event, on the raw body, and reads what it is about.
    ///
    /// `signature` is the `Stripe-Signature` header, empty when there is none. The mode is not
    /// judged here: compare the envelope's with [`Stripe::mode`].
    pub fn verify(
        &self,
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<EventEnvelope, WebhookError> {
        signature::check(&self.webhook, signature, body, now)?;
        EventEnvelope::parse(body)
    }
}
