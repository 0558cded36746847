//! The hosted page of a session: shows the offer and takes the card.

use super::complete::{Next, Typed};
use super::{Mode, Session, Status};
use crate::calendar::{DAY, date};
use crate::pages::{self, Checkout, Line};
use crate::request::{Request, Response, field};
use crate::world::World;
use crate::world::render::amount;

impl World {
    /// `GET` shows the page of session `id`; `POST` with `card=4242424242424242` pays.
    pub(in crate::world) fn checkout_page(&mut self, id: &str, request: &Request) -> Response {
        let Some(session) = self.sessions.get(id).cloned() else {
            return pages::message(
                404,
                "This checkout does not exist",
                "The link is wrong or was cut off.",
                None,
            );
        };
        match session.status {
            Status::Open => {}
            Status::Complete => {
                return self.closed(&session, "This checkout is paid", "Nothing more was charged.");
            }
            Status::Expired => {
                return self.closed(
                    &session,
                    "This checkout has expired",
                    "Nothing was charged. Go back and start again.",
                );
            }
        }
        match request.method.as_str() {
            "GET" | "HEAD" => pages::checkout(200, &self.view(&session, None)),
            "POST" => match self.complete(session.clone(), typed(request)) {
                Ok(Next::Url(url)) => pages::see_other(url),
                Ok(Next::Challenge) => {
                    let typed = typed(request);
                    let kept = [("card", typed.card), ("email", typed.email)];
                    pages::challenge(&kept, &self.nonce(&session.id))
                }
                Err(error) => {
                    pages::checkout(error.status(), &self.view(&session, Some(error.message())))
                }
            },
            _ => pages::message(405, "This page takes GET and POST", "Nothing was changed.", None),
        }
    }

    fn closed(&self, session: &Session, title: &str, text: &str) -> Response {
        let back = session.cancel_url.as_deref().filter(|_| session.status == Status::Expired);
        let done = session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id);
        let link = match session.status {
            Status::Complete => Some((done.as_str(), "Continue")),
            _ => back.map(|url| (url, "Go back")),
        };
        pages::message(410, title, text, link)
    }

    fn view(&self, session: &Session, error: Option<&str>) -> Checkout {
        let currency = session.currency.clone().unwrap_or_default();
        let lines = session.items.iter().filter_map(|item| {
            let price = self.prices.get(&item.price)?;
            let product = self.products.get(&price.product)?;
            let each = amount(price.unit_amount, &price.currency);
            let every = match price.recurring {
                Some(every) if every.count == 1 => format!(" per {}", every.unit.name()),
                Some(every) => format!(" every {} {}s", every.count, every.unit.name()),
                None => ", once".to_owned(),
            };
            Some(Line {
                name: product.name.clone(),
                description: product.description.clone(),
                terms: match item.quantity {
                    1 => format!("{each}{every}"),
                    n => format!("{n} × {each}{every}"),
                },
                amount: amount(self.item_due(session, item), &price.currency),
            })
        });
        let trial_end = session
            .target
            .trial_days
            .map(|days| self.now() + days * DAY)
            .or(session.target.trial_end);
        let due = self.due_now(session);
        let title = match session.mode {
            Mode::Setup => "Save a card".to_owned(),
            Mode::Payment => "Pay".to_owned(),
            Mode::Subscription if trial_end.is_some() => "Start your trial".to_owned(),
            Mode::Subscription => "Subscribe".to_owned(),
        };
        let action =
            if due > 0 { format!("Pay {}", amount(due, &currency)) } else { title.clone() };
        Checkout {
            title,
            action,
            lines: lines.collect(),
            due: (session.mode != Mode::Setup).then(|| amount(due, &currency)),
            note: trial_end
                .map(|end| format!("Free until {}. You can cancel before then.", date(end))),
            known_email: self.email_of(session),
            needs_card: self.needs_card(session),
            cancel_url: session.cancel_url.clone(),
            error: error.map(str::to_owned),
            nonce: self.nonce(&session.id),
        }
    }
}

/// What a person typed into a hosted page.
fn typed(request: &Request) -> Typed {
    Typed {
        card: field(request, "card"),
        email: field(request, "email"),
        confirmed: field(request, "challenge").map(|word| word == "confirm"),
    }
}
