//! How invoices and their lines are rendered.

use serde_json::{Value, json};

use super::line::{Line, Origin};
use super::{Invoice, Status};
use crate::world::World;
use crate::world::render::{sublist, with_nulls};

const NULLS: &[&str] = &[
    "account_tax_ids",
    "application",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "footer",
    "from_invoice",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "status_details",
    "test_clock",
];

impl World {
    pub(in crate::world) fn render_invoice(&self, invoice: &Invoice) -> Value {
        let total = invoice.total();
        let lines = invoice.lines.iter().map(|inner| line(invoice, inner)).collect();
        let due = self.amount_due(invoice);
        let (starting_balance, ending_balance) = self.balances(invoice);
        let remaining = if invoice.status == Status::Void { 0 } else { due - invoice.amount_paid };
        let object = json!({
            "id": invoice.id,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Sandbox",
            "amount_due": due,
            "amount_overpaid": 0,
            "amount_paid": invoice.amount_paid,
            "amount_remaining": remaining,
            "amount_shipping": 0,
            "attempt_count": invoice.attempt_count,
            "attempted": invoice.attempted,
            "auto_advance": invoice.auto_advance && matches!(invoice.status, Status::Draft | Status::Open),
            "automatic_tax": {
                "disabled_reason": null, "enabled": false, "liability": null, "provider": null,
                "status": null,
            },
            "automatically_finalizes_at": invoice.finalizes_at.filter(|_| invoice.auto_advance),
            "billing_reason": invoice.billing_reason,
            "collection_method": "charge_automatically",
            "created": invoice.created,
            "currency": invoice.currency,
            "customer": invoice.customer,
            "customer_email": invoice.customer_email,
            "customer_name": invoice.customer_name,
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_tax_rates": [],
            "discounts": [],
            "effective_at": invoice.finalized_at,
            "ending_balance": invoice.finalized_at.map(|_| ending_balance),
            "hosted_invoice_url": invoice.finalized_at.map(|_| self.invoice_url(&invoice.id)),
            "issuer": {"type": "self"},
            "lines": sublist(lines, &format!("/v1/invoices/{}/lines", invoice.id)),
            "livemode": false,
            "metadata": invoice.metadata,
            "next_payment_attempt": invoice.next_attempt.or(invoice.finalizes_at).filter(|_| invoice.auto_advance),
            "number": invoice.number,
            "parent": parent(invoice),
            "payment_settings": {
                "default_mandate": null, "payment_method_options": null,
                "payment_method_types": null,
            },
            "period_end": invoice.period_end,
            "period_start": invoice.period_start,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": starting_balance,
            "status": invoice.status,
            "status_transitions": {
                "finalized_at": invoice.finalized_at, "marked_uncollectible_at": invoice.uncollectible_at,
                "paid_at": invoice.paid_at, "voided_at": invoice.voided_at,
            },
            "subtotal": total,
            "subtotal_excluding_tax": total,
            "total": total,
            "total_discount_amounts": [],
            "total_excluding_tax": total,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": invoice.created,
        });
        with_nulls(object, NULLS)
    }
}

fn parent(invoice: &Invoice) -> Value {
    match &invoice.subscription {
        Some(subscription) => {
            let mut details = json!({
                "metadata": invoice.subscription_metadata, "subscription": subscription,
            });
            if let Some(at) = invoice.proration_date {
                details["subscription_proration_date"] = json!(at);
            }
            json!({
                "quote_details": null,
                "subscription_details": details,
                "type": "subscription_details",
            })
        }
        None => Value::Null,
    }
}

/// One line of `invoice`.
pub(super) fn line(invoice: &Invoice, line: &Line) -> Value {
    let credited = line
        .credits
        .as_ref()
        .map(|(invoice, line)| json!({"invoice": invoice, "invoice_line_items": [line]}));
    let parent = match &line.origin {
        Origin::SubscriptionItem(item) => json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": line.invoice_item, "proration": line.proration,
                "proration_details": {"credited_items": credited},
                "subscription": invoice.subscription, "subscription_item": item,
            },
            "type": "subscription_item_details",
        }),
        Origin::InvoiceItem(item) => json!({
            "invoice_item_details": {
                "invoice_item": item, "proration": false,
                "proration_details": {"credited_items": null},
                "subscription": invoice.subscription,
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
    };
    let (start, end) = line.period;
    json!({
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": [],
        "discountable": true,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": false,
        "metadata": {},
        "parent": parent,
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price, "product": line.product},
            "type": "price_details",
            "unit_amount_decimal": line.unit_amount.to_string(),
        },
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.to_string(),
        "subscription": invoice.subscription,
        "subtotal": line.amount,
        "taxes": [],
    })
}
