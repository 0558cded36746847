//! Finalizing, charging, retrying and voiding invoices.

use super::{Invoice, Status};
use crate::calendar::DAY;
use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, METADATA, may};
use crate::world::World;
use crate::world::cards::Refusal;
use crate::world::payment_intents::NewIntent;
use crate::world::payment_methods::PaymentMethod;
use crate::world::render::update_metadata;
use crate::world::route::Form;
use crate::world::table::Row;

/// The wait before each automatic retry of a renewal. Stripe chooses these days itself; they are
/// of the same order.
const RETRIES: &[i64] = &[3 * DAY, 5 * DAY, 7 * DAY];

/// Why an invoice was not paid by an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpaid {
    NoMethod,
    Refused(Refusal),
}

/// Who asks for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Time: it counts and leads to the next retry.
    Scheduled,
    /// A request: it counts only if it is the first.
    Asked,
    /// The person on a hosted page, who has confirmed it at their bank if they had to.
    Authenticated,
}

const FINALIZE: &[Field] = &[may("auto_advance", Kind::Bool)];
const UPDATE: &[Field] = &[may("auto_advance", Kind::Bool), may("metadata", METADATA)];
const PAY: &[Field] = &[may("off_session", Kind::Bool), may("payment_method", Kind::Text)];

impl World {
    /// Runs what is due for `invoice` now: finalizing with a first charge, or a retry.
    pub(in crate::world) fn invoice_due(&mut self, invoice: Invoice) {
        let id = invoice.id;
        if invoice.status == Status::Draft {
            self.finalize(&id, None);
        }
        if self.invoices.get(&id).is_some_and(|invoice| invoice.status == Status::Open) {
            // A decline is written down in the objects; nobody waits for the answer here.
            let _declined = self.collect(&id, None, Attempt::Scheduled);
        }
    }

    /// Freezes a draft. One over nothing is paid thereby; any other gets an intent: `intent`, or a
    /// new one.
    pub(in crate::world) fn finalize(&mut self, id: &str, intent: Option<String>) {
        let Some(invoice) = self.invoices.get(id).cloned() else { return };
        let now = self.now();
        let due = self.amount_due(&invoice);
        let balance = self.balances(&invoice);
        let intent = (due > 0).then(|| match intent {
            Some(intent) => intent,
            None => self.new_payment_intent(NewIntent {
                amount: due,
                currency: invoice.currency.clone(),
                customer: Some(invoice.customer.clone()),
                description: Some(describe(&invoice)),
                ..NewIntent::default()
            }),
        });
        if let Some(intent) = &intent {
            self.new_invoice_payment(id, intent, due, &invoice.currency);
        }
        let number = self.next_invoice_number(&invoice.customer);
        self.change_invoice(id, |invoice| {
            invoice.status = Status::Open;
            invoice.number = Some(number);
            invoice.finalized_at = Some(now);
            invoice.finalizes_at = None;
            invoice.intent = intent;
            invoice.balance = Some(balance);
        });
        self.change_customer(&invoice.customer, |customer| customer.balance = balance.1);
        self.emit_invoice("invoice.finalized", id);
        if due == 0 {
            self.settle(id);
        }
    }

    fn next_invoice_number(&mut self, customer: &str) -> String {
        let prefix = self.invoice_prefix(customer);
        let Some(mut owner) = self.customers.get(customer).cloned() else { return prefix };
        let number = format!("{prefix}-{:04}", owner.next_invoice);
        owner.next_invoice += 1;
        self.customers.put(owner);
        number
    }

    /// The method that would be charged: `preferred`, or the customer's default.
    pub(in crate::world) fn method_for(
        &self,
        preferred: Option<&str>,
        customer: &str,
    ) -> Option<PaymentMethod> {
        let fallback = self.customers.get(customer)?.default_payment_method.as_deref();
        self.payment_methods.get(preferred.or(fallback)?).cloned()
    }

    /// Charges an open invoice to `method`, or to what the subscription or customer has.
    pub(in crate::world) fn collect(
        &mut self,
        id: &str,
        method: Option<PaymentMethod>,
        attempt: Attempt,
    ) -> Result<(), Unpaid> {
        let Some(invoice) = self.invoices.get(id).cloned() else { return Ok(()) };
        let collectable = matches!(invoice.status, Status::Open | Status::Uncollectible);
        let Some(intent) = invoice.intent.clone().filter(|_| collectable) else {
            return Ok(());
        };
        let subscription =
            invoice.subscription.as_deref().and_then(|id| self.subscriptions.get(id));
        let preferred =
            subscription.and_then(|subscription| subscription.default_payment_method.clone());
        let method = method.or_else(|| self.method_for(preferred.as_deref(), &invoice.customer));
        let outcome = match method {
            Some(method) => self
                .charge_intent(&intent, &method, attempt == Attempt::Authenticated)
                .map_err(Unpaid::Refused),
            None => Err(Unpaid::NoMethod),
        };
        match outcome {
            Ok(()) => self.settle(id),
            Err(unpaid) => self.attempt_failed(&invoice, attempt == Attempt::Scheduled, unpaid),
        }
        outcome
    }

    /// Marks an invoice paid, with all that follows.
    fn settle(&mut self, id: &str) {
        let now = self.now();
        let Some(invoice) = self.invoices.get(id).cloned() else { return };
        self.invoice_payment_paid(id);
        let due = self.amount_due(&invoice);
        self.change_invoice(id, |invoice| {
            invoice.status = Status::Paid;
            invoice.amount_paid = due;
            invoice.attempted = true;
            invoice.attempt_count += u32::from(due > 0);
            invoice.next_attempt = None;
            invoice.paid_at = Some(now);
        });
        self.emit_invoice("invoice.paid", id);
        self.emit_invoice("invoice.payment_succeeded", id);
        self.change_customer(&invoice.customer, |customer| customer.delinquent = false);
        if let Some(subscription) = &invoice.subscription {
            self.subscription_paid(subscription, id);
        }
    }

    fn attempt_failed(&mut self, before: &Invoice, scheduled: bool, unpaid: Unpaid) {
        let id = before.id.as_str();
        let counts = scheduled || before.attempt_count == 0;
        let attempts = before.attempt_count + u32::from(counts);
        // A first invoice is not retried: its subscription waits for the customer and expires.
        // Neither is one for a change that waits for the payment.
        let retried = before.billing_reason != "subscription_create" && !before.for_pending_update;
        let made = usize::try_from(attempts).unwrap_or(usize::MAX);
        let wait = RETRIES.get(made - 1).filter(|_| retried && before.auto_advance);
        let next = if counts { wait.map(|wait| self.now() + wait) } else { before.next_attempt };
        self.change_invoice(id, |invoice| {
            invoice.attempted = true;
            invoice.attempt_count = attempts;
            invoice.next_attempt = next;
        });
        let kind = match unpaid {
            Unpaid::Refused(Refusal::NeedsAction) => "invoice.payment_action_required",
            _ => "invoice.payment_failed",
        };
        self.emit_invoice(kind, id);
        self.change_customer(&before.customer, |customer| customer.delinquent = true);
        if let Some(subscription) =
            before.subscription.as_ref().filter(|_| !before.for_pending_update)
        {
            self.subscription_unpaid(subscription, scheduled && next.is_none());
        }
    }

    /// Stops the collection of what `subscription` has not paid; `void` also voids it.
    pub(in crate::world) fn stop_collecting(&mut self, subscription: &str, void: bool) {
        let open: Vec<String> = self
            .invoices
            .oldest_first()
            .filter(|invoice| invoice.subscription.as_deref() == Some(subscription))
            .filter(|invoice| matches!(invoice.status, Status::Draft | Status::Open))
            .map(|invoice| invoice.id().to_owned())
            .collect();
        for id in open {
            self.change_invoice(&id, |invoice| {
                invoice.auto_advance = false;
                invoice.next_attempt = None;
            });
            if void {
                self.void(&id);
            }
        }
    }

    /// Voids an invoice; credit that paid a part of it is given back.
    pub(in crate::world) fn void(&mut self, id: &str) {
        let now = self.now();
        if let Some(invoice) = self.invoices.get(id).cloned()
            && let Some((before, after)) = invoice.balance
        {
            self.change_customer(&invoice.customer, |customer| {
                customer.balance = customer.balance.saturating_sub(after - before);
            });
        }
        let intent = self.invoices.get(id).and_then(|invoice| invoice.intent.clone());
        if let Some(intent) = intent {
            self.cancel_intent(&intent, "void_invoice");
            self.invoice_payment_canceled(id);
        }
        self.change_invoice(id, |invoice| {
            invoice.status = Status::Void;
            invoice.voided_at = Some(now);
            invoice.next_attempt = None;
        });
        self.emit_invoice("invoice.voided", id);
    }

    pub(in crate::world) fn finalize_invoice_now(&mut self, id: &str, form: &Form) -> Answer {
        let draft = self.invoice(id)?.status == Status::Draft;
        let params = form.check(&[FINALIZE])?;
        if !draft {
            return Err(not_editable(
                "This invoice is already finalized, you can't re-finalize it.",
            ));
        }
        self.finalize(id, None);
        if let Some(auto_advance) = params.flag("auto_advance") {
            self.change_invoice(id, |invoice| invoice.auto_advance = auto_advance);
        }
        self.retrieve_invoice(id)
    }

    /// Whether the provider collects it by itself; and the account's own notes.
    pub(in crate::world) fn edit_invoice(&mut self, id: &str, form: &Form) -> Answer {
        let status = self.invoice(id)?.status;
        let params = form.check(&[UPDATE])?;
        if let Some(auto_advance) = params.flag("auto_advance") {
            if matches!(status, Status::Paid | Status::Void) {
                return Err(not_editable("Finalized invoices can't be updated in this way."));
            }
            self.change_invoice(id, |invoice| {
                invoice.auto_advance = auto_advance;
                invoice.next_attempt = invoice.next_attempt.filter(|_| auto_advance);
            });
        }
        self.change_invoice(id, |invoice| update_metadata(&mut invoice.metadata, &params));
        self.retrieve_invoice(id)
    }

    pub(in crate::world) fn pay_invoice(&mut self, id: &str, form: &Form) -> Answer {
        let invoice = self.invoice(id)?.clone();
        let params = form.check(&[PAY])?;
        let method = match params.text("payment_method") {
            Some(method) => {
                Some(self.method_of_customer(method, &invoice.customer, "payment_method")?.clone())
            }
            None => None,
        };
        match invoice.status {
            Status::Draft => self.finalize(id, None),
            Status::Open | Status::Uncollectible => {}
            Status::Paid => return Err(not_editable("Invoice is already paid")),
            Status::Void => return Err(not_editable("This invoice is void and cannot be paid.")),
        }
        match self.collect(id, method, Attempt::Asked) {
            Ok(()) => self.retrieve_invoice(id),
            Err(Unpaid::Refused(refusal)) => {
                let intent = self.invoice(id)?.intent.clone().unwrap_or_default();
                let shown = self.retrieve_payment_intent(&intent).unwrap_or_default();
                let error = match refusal {
                    Refusal::Declined(decline) => decline.error(),
                    Refusal::NeedsAction => ApiError::card(
                        "invoice_payment_intent_requires_action",
                        None,
                        "This payment requires additional user action before it can be completed \
                         successfully. Payment can be completed using the PaymentIntent associated \
                         with this invoice.",
                    ),
                };
                Err(error.with("payment_intent", shown))
            }
            Err(Unpaid::NoMethod) => Err(ApiError::bad_param(
                "payment_method",
                "Cannot charge a customer that has no active card. Attach a payment method first.",
            )),
        }
    }

    /// Gives up hope, without giving up the claim: it can still be paid or voided.
    pub(in crate::world) fn mark_uncollectible(&mut self, id: &str, form: &Form) -> Answer {
        let status = self.invoice(id)?.status;
        form.check(&[])?;
        if status != Status::Open {
            return Err(not_editable("You can only mark an open invoice as uncollectible."));
        }
        let now = self.now();
        self.change_invoice(id, |invoice| {
            invoice.status = Status::Uncollectible;
            invoice.uncollectible_at = Some(now);
            invoice.auto_advance = false;
            invoice.next_attempt = None;
        });
        self.emit_invoice("invoice.marked_uncollectible", id);
        self.retrieve_invoice(id)
    }

    /// Takes note that the person did not confirm the payment of an invoice at their bank.
    pub(in crate::world) fn challenge_failed(&mut self, id: &str) {
        self.emit_invoice("invoice.payment_failed", id);
    }

    pub(in crate::world) fn void_invoice(&mut self, id: &str, form: &Form) -> Answer {
        let invoice = self.invoice(id)?.clone();
        form.check(&[])?;
        if !matches!(invoice.status, Status::Open | Status::Uncollectible) {
            return Err(not_editable("You can only void an open or uncollectible invoice."));
        }
        self.void(id);
        if let Some(subscription) = &invoice.subscription {
            self.first_invoice_voided(subscription);
            self.pending_invoice_voided(subscription, id);
        }
        self.retrieve_invoice(id)
    }
}

fn not_editable(message: &str) -> ApiError {
    ApiError::refused(message).with("code", "invoice_not_editable")
}

fn describe(invoice: &Invoice) -> String {
    match invoice.billing_reason.as_str() {
        "subscription_create" => "Subscription creation".to_owned(),
        "subscription_cycle" => "Subscription update".to_owned(),
        _ => "Payment for Invoice".to_owned(),
    }
}
