//! How schedules are rendered.

use serde_json::{Value, json};

use super::{Phase, Schedule, Status};
use crate::world::World;
use crate::world::render::with_nulls;

impl World {
    pub(super) fn render_schedule(&self, schedule: &Schedule) -> Value {
        let subscription = self.subscriptions.get(&schedule.subscription);
        let currency = subscription.map(|found| found.currency.clone()).unwrap_or_default();
        let active = schedule.status == Status::Active;
        let current = schedule.phases.get(schedule.current).filter(|_| active);
        let ended = |status| schedule.ended_at.filter(|_| schedule.status == status);
        let released = schedule.status == Status::Released;
        json!({
            "id": schedule.id,
            "object": "subscription_schedule",
            "application": null,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"}, "type": "flexible",
                "updated_at": schedule.created,
            },
            "canceled_at": ended(Status::Canceled),
            "completed_at": ended(Status::Completed),
            "created": schedule.created,
            "current_phase": current.map(|phase| json!({
                "end_date": phase.end, "start_date": phase.start,
            })),
            "customer": schedule.customer,
            "customer_account": null,
            "default_settings": default_settings(),
            "end_behavior": schedule.end_behavior,
            "livemode": false,
            "metadata": schedule.metadata,
            "pause_schedules": [],
            "phases": schedule.phases.iter().map(|phase| render(phase, &currency)).collect::<Vec<_>>(),
            "released_at": ended(Status::Released),
            "released_subscription": released.then_some(&schedule.subscription),
            "status": schedule.status,
            "subscription": (!released).then_some(&schedule.subscription),
            "test_clock": null,
        })
    }
}

fn default_settings() -> Value {
    json!({
        "application_fee_percent": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": null,
        "collection_method": "charge_automatically",
        "default_payment_method": null,
        "description": null,
        "invoice_settings": {
            "account_tax_ids": null, "custom_fields": null, "days_until_due": null,
            "description": null, "footer": null, "issuer": {"type": "self"},
        },
        "on_behalf_of": null,
        "transfer_data": null,
    })
}

fn render(phase: &Phase, currency: &str) -> Value {
    let items = phase.items.iter().map(|item| {
        json!({
            "billing_thresholds": null, "discounts": [], "metadata": item.metadata,
            "plan": item.price, "price": item.price, "quantity": item.quantity, "tax_rates": [],
        })
    });
    let object = json!({
        "add_invoice_items": [],
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "end_date": phase.end,
        "items": items.collect::<Vec<_>>(),
        "metadata": phase.metadata,
        "proration_behavior": phase.prorations,
        "start_date": phase.start,
        "trial_end": phase.trial_end,
    });
    with_nulls(
        object,
        &[
            "application_fee_percent",
            "billing_cycle_anchor",
            "billing_thresholds",
            "collection_method",
            "default_payment_method",
            "description",
            "invoice_settings",
            "on_behalf_of",
            "transfer_data",
        ],
    )
}
