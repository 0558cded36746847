//! The adapter: every call that we make, in terms of snapshots.

use std::sync::Arc;

use farthing_core::snapshot::{
    CheckoutSnapshot, InvoiceSnapshot, PriceSnapshot, Snapshot, SubscriptionSnapshot,
};
use farthing_core::time::Timestamp;

use super::account::{self, AccountSnapshot};
use super::answer::Page;
use super::checkouts::{self, NewCheckout};
use super::customers::{self, CustomerUpdate, FetchedCustomer, NewCustomer};
use super::events::{self, EventEnvelope, Subject};
use super::prices::{self, NewPrice};
use super::signature::{self, WebhookConfig, WebhookError};
use super::webhook_endpoints::{self, WebhookEndpoint};
use super::{API_VERSION, Livemode, invoices, products, subscriptions};
use crate::error::CallError;
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

    /// Reads a subscription with its newest invoice.
    pub fn fetch_subscription(&self, id: &str) -> Result<SubscriptionSnapshot, CallError> {
        let request = subscriptions::encode_fetch_subscription(id);
        let mut subscription = self.call(&request, subscriptions::decode_subscription)?;
        self.complete_latest(&mut subscription)?;
        Ok(subscription)
    }

    /// Every subscription of a customer, ended ones too.
    pub fn list_subscriptions(
        &self,
        customer: &str,
    ) -> Result<Vec<SubscriptionSnapshot>, CallError> {
        let encode =
            |after: Option<&str>| subscriptions::encode_list_subscriptions(customer, after);
        let mut all = self.pages(encode, subscriptions::decode_subscriptions)?;
        all.iter_mut().try_for_each(|subscription| self.complete_latest(subscription))?;
        Ok(all)
    }

    /// Ends a subscription at once. Stripe keeps no idempotency key for this: after `Unknown`, ask
    /// with [`Stripe::fetch_subscription`].
    pub fn cancel_subscription_now(&self, id: &str) -> Result<SubscriptionSnapshot, CallError> {
        let request = subscriptions::encode_cancel_subscription_now(id);
        self.call(&request, subscriptions::decode_subscription)
    }

    /// Reads an invoice with all its lines and its payments.
    pub fn fetch_invoice(&self, id: &str) -> Result<InvoiceSnapshot, CallError> {
        let request = invoices::encode_fetch_invoice(id);
        let mut invoice = self.call(&request, invoices::decode_invoice)?;
        self.complete(&mut invoice)?;
        Ok(invoice)
    }

    fn complete_latest(&self, subscription: &mut SubscriptionSnapshot) -> Result<(), CallError> {
        subscription.latest_invoice.as_mut().map_or(Ok(()), |invoice| self.complete(invoice))
    }

    /// Reads the rest of the lines when an invoice may have more than were sent with it.
    fn complete(&self, invoice: &mut InvoiceSnapshot) -> Result<(), CallError> {
        if invoice.lines.len() < invoices::LINES_INCLUDED {
            return Ok(());
        }
        let id = invoice.id.clone();
        let encode = |after: Option<&str>| invoices::encode_fetch_invoice_lines(&id, after);
        invoice.lines = self.pages(encode, invoices::decode_invoice_lines)?;
        Ok(())
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
        let list = webhook_endpoints::encode_list_webhook_endpoints;
        let all = self.pages(list, webhook_endpoints::decode_webhook_endpoints)?;
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

    /// What an event makes us look at.
    pub fn subject(event: &EventEnvelope) -> Subject {
        events::subject(event)
    }

    /// Reads everything that an event is about, as it is now.
    ///
    /// An invoice comes with its subscription, a subscription with its newest invoice, a checkout
    /// with both: each of the events of one purchase yields the whole purchase.
    pub fn fetch(&self, subject: &Subject) -> Result<Vec<Snapshot>, CallError> {
        match subject {
            Subject::Subscription(id) => {
                Ok(vec![Snapshot::Subscription(Box::new(self.fetch_subscription(id)?))])
            }
            Subject::Invoice(id) => {
                let invoice = self.fetch_invoice(id)?;
                let subscription = match &invoice.subscription {
                    Some(id) => Some(self.fetch_subscription(id)?),
                    None => None,
                };
                let mut found = vec![Snapshot::Invoice(Box::new(invoice))];
                found.extend(subscription.map(|s| Snapshot::Subscription(Box::new(s))));
                Ok(found)
            }
            Subject::Checkout(id) => {
                Ok(vec![Snapshot::Checkout(Box::new(self.fetch_checkout(id)?))])
            }
            Subject::CustomerDeleted(id) => {
                let found = self.fetch_customer(id)?;
                let gone = found.deleted.then_some(Snapshot::CustomerDeleted(found.customer));
                Ok(gone.into_iter().collect())
            }
            Subject::Ignored => Ok(Vec::new()),
        }
    }
}
