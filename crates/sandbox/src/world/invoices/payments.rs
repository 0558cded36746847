//! Invoice payments: which intent pays which invoice.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Answer, ApiError};
use crate::params::{Field, Kind, may, need};
use crate::world::World;
use crate::world::list::{PAGE, page};
use crate::world::render::sublist;
use crate::world::route::Form;
use crate::world::table::Row;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoicePayment {
    id: String,
    created: i64,
    invoice: String,
    intent: String,
    amount: i64,
    currency: String,
    status: Status,
    paid_at: Option<i64>,
    canceled_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Open,
    Paid,
    Canceled,
}

impl Row for InvoicePayment {
    const KIND: &'static str = "invoice_payment";
    fn id(&self) -> &str {
        &self.id
    }
}

const PAYMENT: &[Field] =
    &[need("type", Kind::OneOf(&["payment_intent"])), may("payment_intent", Kind::Text)];
const LIST: &[Field] = &[
    may("invoice", Kind::Text),
    may("payment", Kind::Object(PAYMENT)),
    may("status", Kind::OneOf(&["open", "paid", "canceled"])),
];

impl World {
    pub(super) fn new_invoice_payment(
        &mut self,
        invoice: &str,
        intent: &str,
        amount: i64,
        currency: &str,
    ) {
        let payment = InvoicePayment {
            id: self.new_id("inpay_"),
            created: self.now(),
            invoice: invoice.to_owned(),
            intent: intent.to_owned(),
            amount,
            currency: currency.to_owned(),
            status: Status::Open,
            paid_at: None,
            canceled_at: None,
        };
        self.invoice_payments.put(payment);
    }

    pub(super) fn invoice_payment_paid(&mut self, invoice: &str) {
        let Some(mut payment) = self.payment_of(invoice).cloned() else { return };
        payment.status = Status::Paid;
        payment.paid_at = Some(self.now());
        let rendered = render(&payment);
        self.invoice_payments.put(payment);
        self.emit("invoice_payment.paid", rendered);
    }

    pub(super) fn invoice_payment_canceled(&mut self, invoice: &str) {
        let Some(mut payment) = self.payment_of(invoice).cloned() else { return };
        payment.status = Status::Canceled;
        payment.canceled_at = Some(self.now());
        self.invoice_payments.put(payment);
    }

    /// The invoice that the intent pays.
    pub(in crate::world) fn invoice_of_intent(&self, intent: &str) -> Option<String> {
        let mut payments = self.invoice_payments.newest_first();
        payments.find(|payment| payment.intent == intent).map(|payment| payment.invoice.clone())
    }

    fn payment_of(&self, invoice: &str) -> Option<&InvoicePayment> {
        self.invoice_payments.newest_first().find(|payment| payment.invoice == invoice)
    }

    pub(in crate::world) fn retrieve_invoice_payment(&self, id: &str) -> Answer {
        let found = self.invoice_payments.get(id).map(render);
        found.ok_or_else(|| ApiError::no_such("invoice_payment", id))
    }

    pub(in crate::world) fn list_invoice_payments(&self, form: &Form) -> Answer {
        let params = form.check(&[LIST, PAGE])?;
        let payment = params.object("payment");
        let (invoice, intent) = (params.text("invoice"), payment.text("payment_intent"));
        page(
            &self.invoice_payments,
            "/v1/invoice_payments",
            &params,
            |payment| payment.created,
            |payment| {
                invoice.is_none_or(|invoice| invoice == payment.invoice)
                    && intent.is_none_or(|intent| intent == payment.intent)
                    && params.text("status").is_none_or(|word| json!(payment.status) == word)
            },
            render,
        )
    }

    pub(in crate::world) fn payments_of_invoice(&self, invoice: &str) -> Value {
        let payments = self.invoice_payments.newest_first().filter(|p| p.invoice == invoice);
        let url = format!("/v1/invoice_payments?invoice={invoice}");
        sublist(payments.map(render).collect(), &url)
    }

    /// The secret with which a browser could confirm the invoice's open payment.
    pub(in crate::world) fn confirmation_secret(&self, invoice: &str) -> Value {
        match self.payment_of(invoice).filter(|payment| payment.status == Status::Open) {
            Some(payment) => json!({
                "client_secret": self.client_secret(&payment.intent), "type": "payment_intent",
            }),
            None => Value::Null,
        }
    }
}

fn render(payment: &InvoicePayment) -> Value {
    json!({
        "id": payment.id,
        "object": "invoice_payment",
        "amount_paid": (payment.status == Status::Paid).then_some(payment.amount),
        "amount_requested": payment.amount,
        "created": payment.created,
        "currency": payment.currency,
        "invoice": payment.invoice,
        "is_default": true,
        "livemode": false,
        "payment": {"payment_intent": payment.intent, "type": "payment_intent"},
        "status": payment.status,
        "status_transitions": {
            "canceled_at": payment.canceled_at, "paid_at": payment.paid_at,
        },
    })
}
