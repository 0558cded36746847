//! Calls about money that goes back, and about what pays.

use farthing_core::snapshot::{
    ChargeSnapshot, CheckoutSnapshot, DisputeSnapshot, PaymentMethodSnapshot, RefundSnapshot,
};

use super::Stripe;
use crate::error::CallError;
use crate::stripe::refunds::{self, NewRefund};
use crate::stripe::{charges, checkouts, customers, disputes, payment_methods};

impl Stripe {
    /// Gives money back. `Ok` does not mean that it arrived: look at the status, which may still
    /// become `Failed` after it was `Succeeded`.
    ///
    /// Refused as `charge_already_refunded` or, when the amount is more than what is left, as
    /// `invalid_request_error`; here when the amount cannot be said exactly.
    pub fn create_refund(&self, new: &NewRefund) -> Result<RefundSnapshot, CallError> {
        self.call(&refunds::encode_create_refund(new)?, refunds::decode_refund)
    }

    /// Reads a refund.
    pub fn fetch_refund(&self, id: &str) -> Result<RefundSnapshot, CallError> {
        self.call(&refunds::encode_fetch_refund(id), refunds::decode_refund)
    }

    /// Every refund of a payment, the newest first.
    pub fn list_refunds(&self, payment: &str) -> Result<Vec<RefundSnapshot>, CallError> {
        let encode = |after: Option<&str>| refunds::encode_list_refunds(payment, after);
        self.pages(encode, refunds::decode_refunds)
    }

    /// Reads a charge, and finds the invoice that it paid.
    pub fn fetch_charge(&self, id: &str) -> Result<ChargeSnapshot, CallError> {
        let request = charges::encode_fetch_charge(id);
        let mut charge = self.call(&request, charges::decode_charge)?;
        if let Some(payment) = &charge.payment {
            let request = charges::encode_find_paid_invoice(payment);
            charge.invoice = self.call(&request, charges::decode_paid_invoice)?;
        }
        Ok(charge)
    }

    /// Finds the checkout that collected a payment, if one did.
    pub fn find_checkout(&self, payment: &str) -> Result<Option<CheckoutSnapshot>, CallError> {
        let request = checkouts::encode_find_checkout(payment);
        self.call(&request, checkouts::decode_found_checkout)
    }

    /// Reads a dispute.
    pub fn fetch_dispute(&self, id: &str) -> Result<DisputeSnapshot, CallError> {
        self.call(&disputes::encode_fetch_dispute(id), disputes::decode_dispute)
    }

    /// Every dispute of a payment, the newest first.
    pub fn list_disputes(&self, payment: &str) -> Result<Vec<DisputeSnapshot>, CallError> {
        let encode = |after: Option<&str>| disputes::encode_list_disputes(payment, after);
        self.pages(encode, disputes::decode_disputes)
    }

    /// Everything that a customer can pay with, the newest first. Which of them is the default,
    /// [`Stripe::fetch_customer`] and the subscription say.
    pub fn list_payment_methods(
        &self,
        customer: &str,
    ) -> Result<Vec<PaymentMethodSnapshot>, CallError> {
        let encode =
            |after: Option<&str>| payment_methods::encode_list_payment_methods(customer, after);
        self.pages(encode, payment_methods::decode_payment_methods)
    }

    /// Reads a payment method, stored or not.
    pub fn fetch_payment_method(&self, id: &str) -> Result<PaymentMethodSnapshot, CallError> {
        let request = payment_methods::encode_fetch_payment_method(id);
        self.call(&request, payment_methods::decode_payment_method)
    }

    /// Makes a stored payment method the one that pays where nothing else is said. A subscription
    /// with its own goes on with that: [`Stripe::set_subscription_payment_method`].
    pub fn set_default_payment_method(
        &self,
        customer: &str,
        method: &str,
        key: &str,
    ) -> Result<(), CallError> {
        let request = customers::encode_set_default_payment_method(customer, method, key);
        self.call(&request, customers::decode_customer).map(|_| ())
    }

    /// Takes a payment method from its customer, for good.
    pub fn detach_payment_method(
        &self,
        id: &str,
        key: &str,
    ) -> Result<PaymentMethodSnapshot, CallError> {
        let request = payment_methods::encode_detach_payment_method(id, key);
        self.call(&request, payment_methods::decode_payment_method)
    }

    /// What a setup intent stored; `None` when it has not.
    pub fn fetch_setup_intent(&self, id: &str) -> Result<Option<PaymentMethodSnapshot>, CallError> {
        let request = payment_methods::encode_fetch_setup_intent(id);
        self.call(&request, payment_methods::decode_setup_intent)
    }
}
