//! What happens when a person pays on the hosted page.

use super::{Mode, Session, Status};
use crate::error::ApiError;
use crate::world::World;
use crate::world::cards::{Card, Decline};
use crate::world::invoices::Attempt;
use crate::world::payment_intents::{AUTHENTICATION_FAILED, NewIntent};
use crate::world::payment_methods::PaymentMethod;
use crate::world::setup_intents::NewSetup;
use crate::world::subscriptions::Start;
use crate::world::table::Row;

/// What a person typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) card: Option<String>,
    pub(super) email: Option<String>,
    /// What they told their bank, if it asked.
    pub(super) confirmed: Option<bool>,
}

/// Where a person goes next.
pub(super) enum Next {
    /// The app.
    Url(String),
    /// Their bank wants to hear from them.
    Challenge,
}

impl World {
    /// What is to be paid at once, in minor units: nothing in a trial but what is paid once.
    pub(super) fn due_now(&self, session: &Session) -> i64 {
        session.items.iter().fold(0, |sum, item| sum.saturating_add(self.item_due(session, item)))
    }

    /// As [`World::due_now`], of one item.
    pub(super) fn item_due(&self, session: &Session, item: &super::Item) -> i64 {
        let Some(price) = self.prices.get(&item.price) else { return 0 };
        if price.recurring.is_some() && session.has_trial() {
            return 0;
        }
        price.unit_amount.saturating_mul(item.quantity)
    }

    pub(super) fn needs_card(&self, session: &Session) -> bool {
        match session.mode {
            Mode::Setup => true,
            Mode::Payment => self.due_now(session) > 0,
            Mode::Subscription => self.due_now(session) > 0 || !session.card_if_required,
        }
    }

    /// Accepts the offer of an open session, once the bank is content. A refusal leaves the session
    /// open.
    pub(super) fn complete(
        &mut self,
        mut session: Session,
        typed: Typed,
    ) -> Result<Next, ApiError> {
        if let Some(customer) = &session.customer {
            self.customer(customer)?;
        }
        if session.email.is_none() {
            session.email = typed.email.filter(|email| email.contains('@'));
        }
        let due = self.due_now(&session);
        let card = match typed.card {
            None if !self.needs_card(&session) => None,
            card => Some(Card::typed(&card.unwrap_or_default(), self.card_expiry())?),
        };
        if session.mode == Mode::Subscription {
            let customer = session.customer.clone().unwrap_or_default();
            self.check_together(&self.start_of(&session, &customer))?;
        }
        let email = self.email_of(&session);
        let mut method = card.map(|card| self.new_method(card, email));
        if let Some(method) = method.as_mut().filter(|method| method.card.challenges()) {
            match typed.confirmed {
                None => {
                    self.challenged(&mut session, method, due);
                    return Ok(Next::Challenge);
                }
                Some(false) => return Err(self.not_confirmed(&session, method)),
                Some(true) => method.set_up = true,
            }
        }
        match &method {
            Some(method) if due > 0 => self.first_attempt(&mut session, method, due)?,
            Some(method) => method.card.save().map_err(Decline::error)?,
            None => {}
        }
        match session.mode {
            Mode::Payment => self.complete_payment(&mut session, method),
            Mode::Setup => self.complete_setup(&mut session, method),
            Mode::Subscription => self.complete_subscription(&mut session, method),
        }
        session.status = Status::Complete;
        session.made.paid = due > 0;
        let url = session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id);
        let rendered = self.render_session(&session);
        self.sessions.put(session);
        self.emit("checkout.session.completed", rendered);
        Ok(Next::Url(url))
    }

    pub(super) fn email_of(&self, session: &Session) -> Option<String> {
        let customer = session.customer.as_deref().and_then(|id| self.customers.get(id));
        customer.and_then(|customer| customer.email.clone()).or_else(|| session.email.clone())
    }

    /// Makes sure that the session has an intent, and that `method` will pay it: a decline is
    /// recorded as a failed charge and refused.
    fn first_attempt(
        &mut self,
        session: &mut Session,
        method: &PaymentMethod,
        due: i64,
    ) -> Result<(), ApiError> {
        let Err(refusal) = method.charge(true) else { return Ok(()) };
        let intent = self.intent_of(session, due);
        let _declined = self.charge_intent(&intent, method, true);
        self.keep_unattached(method.clone());
        self.sessions.put(session.clone());
        Err(refusal.error())
    }

    /// Records that the bank asks before it pays.
    fn challenged(&mut self, session: &mut Session, method: &PaymentMethod, due: i64) {
        if due > 0 {
            let intent = self.intent_of(session, due);
            let _asked = self.charge_intent(&intent, method, false);
            self.keep_unattached(method.clone());
            self.sessions.put(session.clone());
        }
    }

    /// Records that the person did not confirm.
    fn not_confirmed(&mut self, session: &Session, method: &PaymentMethod) -> ApiError {
        if let Some(intent) = session.made.intent.clone() {
            self.fail_challenge(&intent, Some(method));
        }
        let (code, message) = AUTHENTICATION_FAILED;
        ApiError::card(code, None, message)
    }

    fn intent_of(&mut self, session: &mut Session, due: i64) -> String {
        if let Some(intent) = &session.made.intent {
            return intent.clone();
        }
        let target = &session.target;
        let payment = session.mode == Mode::Payment;
        let intent = self.new_payment_intent(NewIntent {
            amount: due,
            currency: session.currency.clone().unwrap_or_default(),
            customer: session.customer.clone(),
            description: match payment {
                true => target.description.clone(),
                false => Some("Subscription creation".to_owned()),
            },
            metadata: if payment { target.metadata.clone() } else { Default::default() },
            setup_future_usage: match payment {
                true => target.setup_future_usage.clone(),
                false => Some("off_session".to_owned()),
            },
        });
        session.made.intent = Some(intent.clone());
        intent
    }

    fn ensure_customer(&mut self, session: &mut Session) -> String {
        let email = session.email.clone();
        session.customer.get_or_insert_with(|| self.new_checkout_customer(email)).clone()
    }

    fn complete_payment(&mut self, session: &mut Session, method: Option<PaymentMethod>) {
        let kept = session.target.setup_future_usage.is_some();
        if session.always_customer || kept {
            self.ensure_customer(session);
        }
        let Some(method) = method else { return };
        let due = self.due_now(session);
        let intent = self.intent_of(session, due);
        if let Some(customer) = &session.customer {
            self.claim_intent(&intent, customer);
        }
        let id = match &session.customer {
            Some(customer) if kept => self.attach(method, customer),
            _ => self.keep_unattached(method),
        };
        let method = self.payment_methods.get(&id).cloned().expect("it was just kept");
        self.charge_intent(&intent, &method, true).expect("first_attempt asked the card");
    }

    fn complete_setup(&mut self, session: &mut Session, method: Option<PaymentMethod>) {
        let Some(method) = method else { return };
        if session.always_customer {
            self.ensure_customer(session);
        }
        let id = match &session.customer {
            Some(customer) => self.attach(method, customer),
            None => self.keep_unattached(method),
        };
        session.made.setup_intent = Some(self.succeeded_setup(NewSetup {
            customer: session.customer.clone(),
            description: session.target.description.clone(),
            metadata: session.target.metadata.clone(),
            payment_method: id,
        }));
    }

    fn complete_subscription(&mut self, session: &mut Session, method: Option<PaymentMethod>) {
        let customer = self.ensure_customer(session);
        let kept = method.map(|method| self.attach(method, &customer));
        let method = kept.as_deref().and_then(|id| self.payment_methods.get(id)).cloned();
        if let (Some(method), true) = (&method, session.has_trial()) {
            self.succeeded_setup(NewSetup {
                customer: Some(customer.clone()),
                payment_method: method.id().to_owned(),
                ..NewSetup::default()
            });
        }
        if let Some(intent) = &session.made.intent {
            self.claim_intent(intent, &customer);
        }
        let start = Start {
            default_payment_method: kept,
            intent: session.made.intent.clone(),
            ..self.start_of(session, &customer)
        };
        let (subscription, invoice) = self.start_subscription(start);
        if method.is_some() {
            self.collect(&invoice, method, Attempt::Authenticated)
                .expect("first_attempt asked the card");
        }
        session.made.subscription = Some(subscription);
        session.made.invoice = Some(invoice);
    }
}
