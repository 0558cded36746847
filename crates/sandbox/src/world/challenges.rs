//! 3-D Secure: the page on which a person confirms a payment at their bank, or does not.

use super::World;
use super::invoices::Attempt;
use super::table::Row;
use crate::pages;
use crate::request::{Request, Response, field};

impl World {
    /// `GET` asks about the intent `id`; `POST` with `challenge=confirm` or `challenge=fail`
    /// answers.
    pub(super) fn challenge_page(&mut self, id: &str, request: &Request) -> Response {
        if self.challenged_method(id).is_none() {
            return pages::message(
                410,
                "There is nothing to confirm",
                "The payment was made, given up, or does not wait for you.",
                None,
            );
        }
        match (request.method.as_str(), field(request, "challenge").as_deref()) {
            ("POST", Some("confirm")) => {
                self.answer_challenge(id, true);
                pages::message(200, "The payment is confirmed", "You can close this page.", None)
            }
            ("POST", _) => {
                self.answer_challenge(id, false);
                let text = "The payment was not made. You can try another card.";
                pages::message(402, "The payment is not confirmed", text, None)
            }
            _ => pages::challenge(&[], &self.nonce(id)),
        }
    }

    /// The person's word about an intent that waits for it.
    pub(super) fn answer_challenge(&mut self, id: &str, confirmed: bool) {
        let Some(method) = self.challenged_method(id).cloned() else { return };
        let invoice = self.invoice_of_intent(id);
        if !confirmed {
            self.fail_challenge(id, Some(&method));
            if let Some(invoice) = invoice {
                self.challenge_failed(&invoice);
            }
            return;
        }
        self.note_set_up(method.id());
        let method = self.payment_methods.get(method.id()).cloned().unwrap_or(method);
        // A card that declines after all has said so in its objects and events.
        let _declined = match invoice {
            Some(invoice) => self.collect(&invoice, Some(method), Attempt::Authenticated).is_ok(),
            None => self.charge_intent(id, &method, true).is_ok(),
        };
    }
}
