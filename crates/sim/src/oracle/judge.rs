//! The end: everything that the provider has, against everything that Farthing stands by.

use serde_json::Value;

use super::{Oracle, Truth, paid_of};
use farthing_engine::state::State;

impl Oracle {
    /// Every payment at the provider that had no effect here. Call it when nothing is on its way.
    pub fn missed(&self, truth: &mut Truth) -> Vec<String> {
        let mut found = Vec::new();
        for invoice in truth.all("/v1/invoices") {
            let id = invoice["id"].as_str().unwrap_or_default();
            let charged = invoice["amount_paid"].as_i64().unwrap_or_default();
            let means = paid_of(truth, &invoice).is_some();
            if 0 < charged && means && !self.counted.contains(id) {
                found.push(format!("{id} is paid and had no effect"));
            }
        }
        for session in truth.all("/v1/checkout/sessions") {
            let checkout = session["metadata"]["farthing_checkout"].as_str().unwrap_or_default();
            let pack = session["mode"] == "payment" && session["payment_status"] == "paid";
            if pack && !self.counted.contains(checkout) {
                found.push(format!("{checkout} is a paid pack and had no effect"));
            }
        }
        found
    }

    /// How a customer's state differs from the provider's, when nothing is on its way.
    pub fn against(&self, customer: &str, state: &State, truth: &mut Truth) -> Vec<String> {
        let subs = truth.subscriptions(customer);
        let runs = |sub: &&Value| {
            matches!(sub["status"].as_str(), Some("active" | "trialing" | "past_due"))
        };
        let running: Vec<&Value> = subs.iter().filter(runs).collect();
        let mut found = Vec::new();
        if 1 < running.len() {
            found.push(format!("pays for {} subscriptions at once", running.len()));
        }
        let Some(sub) = running.first() else {
            if state.plan != self.terms.fallback {
                found.push(format!("is on {} and has nothing at the provider", state.plan));
            }
            return found;
        };
        let price = sub["items"]["data"][0]["price"]["id"].as_str().unwrap_or_default();
        let price = truth.price(price);
        let settled = sub["status"] != "past_due" && sub["pending_update"].is_null();
        let unpaid = truth
            .get(&format!("/v1/invoices/{}", sub["latest_invoice"].as_str().unwrap_or_default()))["status"]
            != "paid";
        if !settled || unpaid {
            return found;
        }
        if price.as_ref().map(|price| price.item.as_str()) != Some(state.plan.as_str()) {
            found.push(format!("is on {} and pays for {price:?}", state.plan));
        }
        let Some(held) = &state.subscription else {
            return [found, vec!["has no subscription here".to_owned()]].concat();
        };
        let ends = held.cancel_at.map(farthing_core::time::Timestamp::seconds);
        if ends != sub["cancel_at"].as_i64() {
            found.push(format!("ends at {ends:?}, at the provider at {}", sub["cancel_at"]));
        }
        let paid_until = sub["items"]["data"][0]["current_period_end"].as_i64();
        if Some(held.period.end.seconds()) != paid_until {
            found.push(format!(
                "is paid until {}, at the provider until {paid_until:?}",
                held.period.end
            ));
        }
        found
    }
}
