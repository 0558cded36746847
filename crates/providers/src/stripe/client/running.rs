//! Calls about what runs: subscriptions, their schedules and their invoices.

use farthing_core::snapshot::{
    InvoiceSnapshot, PreviewSnapshot, ScheduleSnapshot, SubscriptionSnapshot,
};
use farthing_core::time::Timestamp;

use super::Stripe;
use crate::error::CallError;
use crate::http::HttpRequest;
use crate::stripe::answer::Page;
use crate::stripe::schedules::{self, PhasesUpdate};
use crate::stripe::subscriptions::{self, PriceChange};
use crate::stripe::{invoices, previews};

impl Stripe {
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
            |after: Option<&str>| subscriptions::encode_list_subscriptions(Some(customer), after);
        let mut all = self.pages(encode, subscriptions::decode_subscriptions)?;
        all.iter_mut().try_for_each(|subscription| self.complete_latest(subscription))?;
        Ok(all)
    }

    /// One page of all subscriptions of the account, ended ones too, the newest first. Start with
    /// `None`, go on with the page's `next`.
    pub fn list_subscriptions_page(
        &self,
        after: Option<&str>,
    ) -> Result<Page<SubscriptionSnapshot>, CallError> {
        let request = subscriptions::encode_list_subscriptions(None, after);
        let mut page = self.call(&request, subscriptions::decode_subscriptions)?;
        page.items.iter_mut().try_for_each(|found| self.complete_latest(found))?;
        Ok(page)
    }

    /// What changing the price now would cost, prorated as of `proration_at` (whole seconds, in
    /// the current period). Nothing is changed. [`Stripe::change_price_now`] as of the same instant
    /// charges the same, unless the subscription or the customer's balance has changed meanwhile.
    pub fn preview_change(
        &self,
        subscription: &str,
        item: &str,
        price: &str,
        proration_at: Timestamp,
    ) -> Result<PreviewSnapshot, CallError> {
        let request = previews::encode_preview_change(subscription, item, price, proration_at);
        self.call(&request, |status, body| previews::decode_preview(status, body, proration_at))
    }

    /// Changes the price now, quantity 1, and charges the difference at once.
    ///
    /// `Ok` does not mean changed: when the payment fails or wants the customer, the old price
    /// stays, the answer has a `pending_update` and its newest invoice is the open one.
    pub fn change_price_now(
        &self,
        change: &PriceChange,
    ) -> Result<SubscriptionSnapshot, CallError> {
        self.change(&subscriptions::encode_change_price_now(change))
    }

    /// Schedules the end for the end of the period, or takes exactly that back. Refused while a
    /// schedule manages the subscription: release it first.
    pub fn set_cancel_at_period_end(
        &self,
        subscription: &str,
        ends: bool,
        key: &str,
    ) -> Result<SubscriptionSnapshot, CallError> {
        self.change(&subscriptions::encode_set_cancel_at_period_end(subscription, ends, key))
    }

    /// Takes back a scheduled end, whichever way it was scheduled: reads the subscription, then
    /// clears what is set. Does nothing when nothing is. Refused like
    /// [`Stripe::set_cancel_at_period_end`].
    pub fn clear_cancel_at(
        &self,
        subscription: &str,
        key: &str,
    ) -> Result<SubscriptionSnapshot, CallError> {
        let found = self.fetch_subscription(subscription)?;
        if found.cancel_at_period_end {
            return self.set_cancel_at_period_end(subscription, false, key);
        }
        if found.cancel_at.is_none() {
            return Ok(found);
        }
        // Another request than the one above, should both be needed one after the other.
        let key = format!("{key}:at");
        self.change(&subscriptions::encode_clear_cancel_at(subscription, &key))
    }

    /// Makes a stored payment method the one that pays for this subscription. The customer's
    /// default does not touch a subscription that has its own, as those bought in a checkout have.
    pub fn set_subscription_payment_method(
        &self,
        subscription: &str,
        method: &str,
        key: &str,
    ) -> Result<SubscriptionSnapshot, CallError> {
        let encode = subscriptions::encode_set_subscription_payment_method;
        self.change(&encode(subscription, method, key))
    }

    /// Ends a subscription at once. Stripe keeps no idempotency key for this: after `Unknown`, ask
    /// with [`Stripe::fetch_subscription`].
    pub fn cancel_subscription_now(&self, id: &str) -> Result<SubscriptionSnapshot, CallError> {
        self.change(&subscriptions::encode_cancel_subscription_now(id))
    }

    /// Sends a change of a subscription and reads the whole answer.
    fn change(&self, request: &HttpRequest) -> Result<SubscriptionSnapshot, CallError> {
        let mut subscription = self.call(request, subscriptions::decode_subscription)?;
        self.complete_latest(&mut subscription).map_err(after_the_fact)?;
        Ok(subscription)
    }

    /// Puts a subscription under a new schedule that changes nothing yet. Refused when it has one.
    pub fn create_schedule(
        &self,
        subscription: &str,
        key: &str,
    ) -> Result<ScheduleSnapshot, CallError> {
        let request = schedules::encode_create_schedule(subscription, key);
        self.call(&request, schedules::decode_schedule)
    }

    /// Says what comes after the running phase; what was planned before is forgotten.
    pub fn update_schedule(&self, update: &PhasesUpdate) -> Result<ScheduleSnapshot, CallError> {
        self.call(&schedules::encode_update_schedule(update), schedules::decode_schedule)
    }

    /// Lets a subscription go on as it is, without the schedule. Refused when that is over.
    pub fn release_schedule(&self, id: &str, key: &str) -> Result<ScheduleSnapshot, CallError> {
        self.call(&schedules::encode_release_schedule(id, key), schedules::decode_schedule)
    }

    /// Reads a schedule.
    pub fn fetch_schedule(&self, id: &str) -> Result<ScheduleSnapshot, CallError> {
        self.call(&schedules::encode_fetch_schedule(id), schedules::decode_schedule)
    }

    /// Reads an invoice with all its lines and its payments.
    pub fn fetch_invoice(&self, id: &str) -> Result<InvoiceSnapshot, CallError> {
        let request = invoices::encode_fetch_invoice(id);
        let mut invoice = self.call(&request, invoices::decode_invoice)?;
        self.complete(&mut invoice)?;
        Ok(invoice)
    }

    /// One page of the invoices of a customer, or of the whole account, made at `since` or later, the
    /// newest first. Why a
    /// payment failed is not in it; [`Stripe::fetch_invoice`] tells.
    pub fn list_invoices_page(
        &self,
        customer: Option<&str>,
        since: Option<Timestamp>,
        after: Option<&str>,
    ) -> Result<Page<InvoiceSnapshot>, CallError> {
        let request = invoices::encode_list_invoices(customer, since, after);
        let mut page = self.call(&request, invoices::decode_invoices)?;
        page.items.iter_mut().try_for_each(|invoice| self.complete(invoice))?;
        Ok(page)
    }

    /// Tries to collect an open invoice now. Refused with the card's `decline_code` when the
    /// payment fails, as `invoice_payment_intent_requires_action` when it wants the customer.
    pub fn pay_invoice(&self, id: &str, key: &str) -> Result<InvoiceSnapshot, CallError> {
        self.settle(&invoices::encode_pay_invoice(id, key))
    }

    /// Has the provider stop trying to collect an open invoice by itself; [`Stripe::pay_invoice`]
    /// still can. Doing it twice is doing it once.
    pub fn hold_invoice(&self, id: &str, key: &str) -> Result<InvoiceSnapshot, CallError> {
        self.settle(&invoices::encode_hold_invoice(id, key))
    }

    /// Moves the end of a trial, without charging anything. Refused while a schedule manages the
    /// subscription.
    pub fn set_trial_end(
        &self,
        subscription: &str,
        at: Timestamp,
        key: &str,
    ) -> Result<SubscriptionSnapshot, CallError> {
        self.change(&subscriptions::encode_set_trial_end(subscription, at, key))
    }

    /// Gives up an open invoice for good. Refused when it is paid.
    pub fn void_invoice(&self, id: &str, key: &str) -> Result<InvoiceSnapshot, CallError> {
        self.settle(&invoices::encode_void_invoice(id, key))
    }

    /// Sends what settles an invoice and reads the whole answer.
    fn settle(&self, request: &HttpRequest) -> Result<InvoiceSnapshot, CallError> {
        let mut invoice = self.call(request, invoices::decode_invoice)?;
        self.complete(&mut invoice).map_err(after_the_fact)?;
        Ok(invoice)
    }

    pub(super) fn complete_latest(
        &self,
        subscription: &mut SubscriptionSnapshot,
    ) -> Result<(), CallError> {
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
}

/// The change was made, but its whole answer could not be read: `Unavailable` would say that
/// nothing happened.
fn after_the_fact(err: CallError) -> CallError {
    CallError::Unknown(format!("it was done, but its invoice could not be read: {err}"))
}
