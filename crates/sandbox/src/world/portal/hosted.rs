//! The portal's page: what it shows, and what its forms do.

use super::{LIVES, PortalSession};
use crate::calendar::date;
use crate::error::ApiError;
use crate::pages::{self, Owned, Portal};
use crate::request::{Request, Response, field};
use crate::world::World;
use crate::world::cards::Card;
use crate::world::payment_intents::AUTHENTICATION_FAILED;
use crate::world::render::amount;
use crate::world::subscriptions::Terms;
use crate::world::table::Row;

impl World {
    /// `GET` shows the page; `POST` with `action` does something: `card` with `card=4242…`;
    /// `cancel` or `resume` with `subscription`; `switch` with `subscription`, `price` and
    /// `when=now` or `when=period_end`.
    pub(in crate::world) fn portal_page(&mut self, token: &str, request: &Request) -> Response {
        let now = self.now();
        let session = self.portal_session_by_token(token).cloned();
        let Some(session) = session.filter(|session| now < session.created + LIVES) else {
            let text = "Go back to the app and open it again.";
            return pages::message(410, "This link does not work any more", text, None);
        };
        if request.method != "POST" {
            return pages::portal(200, &self.view_portal(&session, None));
        }
        let card = field(request, "card");
        let asks = card.as_deref().is_some_and(|number| {
            Card::typed(number, self.card_expiry()).is_ok_and(|card| card.challenges())
        });
        let action = field(request, "action");
        if asks && action.as_deref() == Some("card") && field(request, "challenge").is_none() {
            return pages::challenge(&[("action", action), ("card", card)], &self.nonce(token));
        }
        match self.portal_action(&session, request) {
            Ok(()) => {
                let redirect = session.flow.as_ref().and_then(|flow| flow.redirect.clone());
                pages::see_other(redirect.unwrap_or_else(|| self.portal_url(&session)))
            }
            Err(error) => {
                pages::portal(error.status(), &self.view_portal(&session, Some(error.message())))
            }
        }
    }

    fn portal_action(
        &mut self,
        session: &PortalSession,
        request: &Request,
    ) -> Result<(), ApiError> {
        let action = field(request, "action").unwrap_or_default();
        if action == "card" {
            return self.portal_card(&session.customer, request);
        }
        let id = field(request, "subscription").unwrap_or_default();
        if self.subscription(&id)?.customer != session.customer {
            return Err(ApiError::no_such("subscription", &id));
        }
        match action.as_str() {
            "cancel" => self.portal_cancel(&id),
            "resume" => self.portal_resume(&id),
            "switch" => {
                let later = field(request, "when").as_deref() == Some("period_end");
                self.portal_switch(&id, &field(request, "price").unwrap_or_default(), later)
            }
            _ => Err(ApiError::bad_param(
                "action",
                "The portal can do: card, cancel, resume, switch. Nothing was changed.",
            )),
        }
    }

    fn portal_card(&mut self, customer: &str, request: &Request) -> Result<(), ApiError> {
        let card = Card::typed(&field(request, "card").unwrap_or_default(), self.card_expiry())?;
        card.save().map_err(crate::world::cards::Decline::error)?;
        let confirmed = field(request, "challenge").as_deref() == Some("confirm");
        if card.challenges() && !confirmed {
            return Err(ApiError::card(AUTHENTICATION_FAILED.0, None, AUTHENTICATION_FAILED.1));
        }
        let email = self.customers.get(customer).and_then(|found| found.email.clone());
        let mut method = self.new_method(card, email);
        method.set_up = confirmed;
        let method = self.attach(method, customer);
        self.change_customer(customer, |customer| {
            customer.default_payment_method = Some(method.clone());
        });
        self.pay_with(customer, &method);
        Ok(())
    }

    fn view_portal(&self, session: &PortalSession, error: Option<&str>) -> Portal {
        let customer = self.customers.get(&session.customer);
        let email = customer.and_then(|customer| customer.email.clone());
        let method = customer.and_then(|customer| customer.default_payment_method.as_deref());
        let card = method
            .and_then(|id| self.payment_methods.get(id))
            .map(|method| format!("{} ending in {}", method.card.brand(), method.card.last4()));
        let owned = self.owned_by(&session.customer);
        Portal {
            customer: email.unwrap_or_else(|| session.customer.clone()),
            card,
            subscriptions: owned.iter().map(|terms| self.view_owned(terms)).collect(),
            return_url: session.return_url.clone(),
            error: error.map(str::to_owned),
            nonce: self.nonce(session.id()),
        }
    }

    fn view_owned(&self, terms: &Terms) -> Owned {
        let words = |price: &crate::world::catalog::Price| {
            let product = self.products.get(&price.product).map(|product| product.name.as_str());
            let every = price.recurring.map_or("", |every| every.unit.name());
            let each = amount(price.unit_amount, &price.currency);
            format!("{}, {each} per {every}", product.unwrap_or_default())
        };
        let next = match terms.ends_at {
            Some(at) => format!("Ends on {}.", date(at)),
            None => format!("Renews on {}.", date(terms.period_end)),
        };
        let offers = self.prices.oldest_first().filter(|price| {
            price.active
                && price.recurring.is_some()
                && price.currency == terms.currency
                && price.id() != terms.price
        });
        Owned {
            id: terms.id.clone(),
            name: self.prices.get(&terms.price).map(words).unwrap_or_default(),
            terms: next,
            ends: terms.ends_at.is_some(),
            offers: offers.map(|price| (price.id().to_owned(), words(price))).collect(),
        }
    }
}
