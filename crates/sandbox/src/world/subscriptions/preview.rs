//! What an invoice would be: the same draft as the change itself, and nothing is recorded.

use super::change::TERMS;
use super::cycle::advance;
use super::{Status, Subscription};
use crate::error::{Answer, ApiError};
use crate::ids;
use crate::params::{Field, Kind, may, need};
use crate::world::World;
use crate::world::invoices::Line;
use crate::world::route::Form;

const CREATE: &[Field] = &[
    need("subscription", Kind::Text),
    may("customer", Kind::Text),
    may("preview_mode", Kind::OneOf(&["next"])),
    may("subscription_details", Kind::Object(TERMS)),
];

impl World {
    /// `POST /v1/invoices/create_preview`: the invoice that a change would make now, or the next
    /// regular one with what waits for it.
    pub(in crate::world) fn create_preview(&self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let id = params.text("subscription").unwrap_or_default();
        let subscription = self
            .subscriptions
            .get(id)
            .ok_or_else(|| ApiError::unknown_reference("subscription", id, "subscription"))?;
        if params.text("customer").is_some_and(|customer| customer != subscription.customer) {
            return Err(ApiError::bad_param("customer", "The subscription has another customer."));
        }
        let nothing = || {
            ApiError::invalid(
                "invoice_upcoming_none",
                "subscription",
                format!("No upcoming invoices for subscription: {id}"),
            )
        };
        if subscription.is_over() || subscription.status == Status::Incomplete {
            return Err(nothing());
        }
        let details = params.object("subscription_details");
        let wish = self.read_wish(subscription, &details, "subscription_details")?;
        let mut after = subscription.clone();
        let mut lines = Vec::new();
        let mut ids = self.next_ids();
        if let Some(wish) = wish {
            let date = wish.at;
            let draft = self.draft_change(subscription, wish);
            if draft.invoiced {
                return Ok(self.preview(subscription, draft.lines, Some(date), None));
            }
            after.take_terms(draft.terms, self.now());
            lines = draft.lines;
            ids = draft.ids;
        }
        if after.cancellation.at.is_some_and(|at| at <= after.period_end) {
            return match subscription.waiting.is_empty() && lines.is_empty() {
                true => Err(nothing()),
                false => Ok(self.preview(subscription, lines, None, Some(&after))),
            };
        }
        let ended = after.clone();
        if let Some((items, every)) = self.next_terms(&after) {
            after.switch_at_end(items, every);
        }
        advance(&mut after);
        after.status = Status::Active;
        lines.extend(self.period_lines(&after, &mut ids));
        Ok(self.preview(subscription, lines, None, Some(&ended)))
    }

    /// Shows the invoice of `lines`: now, or at the end of the current period of `next`.
    fn preview(
        &self,
        subscription: &Subscription,
        lines: Vec<Line>,
        proration_date: Option<i64>,
        next: Option<&Subscription>,
    ) -> serde_json::Value {
        let label = format!("preview {} {}", subscription.id, self.now());
        let id = format!("upcoming_in_{}", ids::text(self.meta.seed, &label, 24));
        let mut invoice = self.update_invoice(subscription, lines, id);
        invoice.proration_date = proration_date;
        if let Some(next) = next {
            invoice.billing_reason = "upcoming".to_owned();
            (invoice.period_start, invoice.period_end) = (next.period_start, next.period_end);
        }
        for line in &mut invoice.lines {
            line.id = line.id.replacen("il_", "il_tmp_", 1);
        }
        self.name_customer(&mut invoice);
        self.render_invoice(&invoice)
    }
}
