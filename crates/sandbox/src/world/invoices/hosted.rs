//! The hosted page of an invoice: shows it and takes a card.

use super::collect::Attempt;
use super::{Invoice, Status};
use crate::pages::{self, Checkout, Line};
use crate::request::{Request, Response, field};
use crate::world::World;
use crate::world::cards::Card;
use crate::world::payment_intents::AUTHENTICATION_FAILED;
use crate::world::render::amount;

impl World {
    pub(super) fn invoice_url(&self, id: &str) -> String {
        format!("{}/invoice/{id}", self.meta.base_url)
    }

    /// `GET` shows the invoice `id`; `POST` with `card=4242424242424242` pays it. The card is kept
    /// for the customer, but not as a default.
    pub(in crate::world) fn invoice_page(&mut self, id: &str, request: &Request) -> Response {
        let Some(invoice) = self.invoices.get(id).cloned().filter(|i| i.finalized_at.is_some())
        else {
            return pages::message(
                404,
                "This invoice does not exist",
                "The link is wrong or was cut off.",
                None,
            );
        };
        match invoice.status {
            Status::Paid => {
                return pages::message(200, "This invoice is paid", "Nothing more is owed.", None);
            }
            Status::Void => {
                return pages::message(410, "This invoice is void", "Nothing is owed.", None);
            }
            Status::Draft | Status::Open | Status::Uncollectible => {}
        }
        match request.method.as_str() {
            "GET" | "HEAD" => pages::checkout(200, &self.view_invoice(&invoice, None)),
            "POST" => self.pay_on_page(&invoice, request),
            _ => pages::message(405, "This page takes GET and POST", "Nothing was changed.", None),
        }
    }

    fn pay_on_page(&mut self, invoice: &Invoice, request: &Request) -> Response {
        let refuse = |world: &World, status, message: &str| {
            pages::checkout(status, &world.view_invoice(invoice, Some(message)))
        };
        let confirmed = field(request, "challenge").map(|word| word == "confirm");
        let typed = field(request, "card");
        let card = match Card::typed(&typed.clone().unwrap_or_default(), self.card_expiry()) {
            Ok(card) => card,
            Err(error) => return refuse(self, error.status(), error.message()),
        };
        if card.challenges() {
            match confirmed {
                None => return pages::challenge(&[("card", typed)], &self.nonce(&invoice.id)),
                Some(false) => return refuse(self, 402, AUTHENTICATION_FAILED.1),
                Some(true) => {}
            }
        }
        let mut method = self.new_method(card, invoice.customer_email.clone());
        method.set_up = confirmed == Some(true);
        let declined = method.charge(true).is_err();
        let kept = match declined {
            true => self.keep_unattached(method),
            false => self.attach(method, &invoice.customer),
        };
        let method = self.payment_methods.get(&kept).cloned();
        match self.collect(&invoice.id, method, Attempt::Authenticated) {
            Ok(()) => pages::see_other(self.invoice_url(&invoice.id)),
            Err(super::collect::Unpaid::Refused(refusal)) => {
                refuse(self, 402, refusal.error().message())
            }
            Err(super::collect::Unpaid::NoMethod) => {
                refuse(self, 402, "There is no card to charge.")
            }
        }
    }

    fn view_invoice(&self, invoice: &Invoice, error: Option<&str>) -> Checkout {
        let lines = invoice.lines.iter().map(|line| Line {
            name: line.description.clone(),
            description: None,
            terms: String::new(),
            amount: amount(line.amount, &invoice.currency),
        });
        let due = amount(self.amount_due(invoice), &invoice.currency);
        let number = invoice.number.clone().unwrap_or_else(|| invoice.id.clone());
        Checkout {
            title: format!("Invoice {number}"),
            action: format!("Pay {due}"),
            lines: lines.collect(),
            due: Some(due),
            note: None,
            known_email: Some(
                invoice.customer_email.clone().unwrap_or_else(|| invoice.customer.clone()),
            ),
            needs_card: true,
            cancel_url: None,
            error: error.map(str::to_owned),
            nonce: self.nonce(&invoice.id),
        }
    }
}
