//! What a customer does to a subscription in the provider's own portal.
//!
//! In flexible billing mode an end that was asked for there sets `cancel_at` and leaves
//! `cancel_at_period_end` false.

use super::change::PaymentBehavior;
use super::proration::{Prorations, Wish};
use super::{Item, Subscription};
use crate::error::ApiError;
use crate::world::World;

impl World {
    /// Plans the end of `id` with its current period.
    pub(in crate::world) fn portal_cancel(&mut self, id: &str) -> Result<(), ApiError> {
        let end = self.owned_freely(id)?.period_end;
        let now = self.now();
        self.change_subscription(id, |subscription| subscription.end_at(Some(end), now));
        Ok(())
    }

    /// Takes the planned end back.
    pub(in crate::world) fn portal_resume(&mut self, id: &str) -> Result<(), ApiError> {
        self.owned_freely(id)?;
        let now = self.now();
        self.change_subscription(id, |subscription| subscription.end_at(None, now));
        Ok(())
    }

    /// Moves the first item of `id` to `price`: now, once it is paid; or at the end of the period
    /// by a schedule that the portal makes (`later`).
    pub(in crate::world) fn portal_switch(
        &mut self,
        id: &str,
        price: &str,
        later: bool,
    ) -> Result<(), ApiError> {
        let subscription = self.owned_freely(id)?.clone();
        if self.price_param(price, "price")?.recurring.is_none() {
            return Err(ApiError::bad_param("price", "This price is not for a subscription."));
        }
        let mut items = subscription.items.clone();
        if let Some(first) = items.first_mut() {
            *first = Item { price: price.to_owned(), ..first.clone() };
        }
        self.check_terms(&subscription.currency, &items)?;
        if later {
            self.schedule_switch(&subscription, &items);
            return Ok(());
        }
        let now = self.now();
        let wish = Wish { items, trial_end: None, prorations: Prorations::AtOnce, at: now };
        let draft = self.draft_change(&subscription, wish);
        self.change_terms(id, draft, Some(now), PaymentBehavior::Pending);
        match self.subscription(id)?.pending.is_some() {
            true => Err(ApiError::card(
                "card_declined",
                None,
                "The payment did not go through. The plan changes when it does.",
            )),
            false => Ok(()),
        }
    }

    /// A subscription that its customer may change: it runs, and no schedule manages it.
    fn owned_freely(&self, id: &str) -> Result<&Subscription, ApiError> {
        let subscription = self.subscription(id)?;
        if !subscription.is_running() {
            return Err(ApiError::refused("This subscription cannot be changed any more."));
        }
        if subscription.schedule.is_some() {
            return Err(ApiError::refused(
                "A change of this subscription is planned already. It cannot be changed here.",
            ));
        }
        Ok(subscription)
    }

    /// The running subscriptions of `customer`: id, price, quantity, period end, planned end.
    pub(in crate::world) fn owned_by(&self, customer: &str) -> Vec<Terms> {
        self.subscriptions
            .newest_first()
            .filter(|found| found.customer == customer && found.is_running())
            .filter_map(|found| {
                let first = found.items.first()?;
                Some(Terms {
                    id: found.id.clone(),
                    price: first.price.clone(),
                    currency: found.currency.clone(),
                    period_end: found.period_end,
                    ends_at: found.cancellation.at,
                })
            })
            .collect()
    }

    /// The new card pays for everything that had a card of its own.
    pub(in crate::world) fn pay_with(&mut self, customer: &str, method: &str) {
        let users: Vec<String> = self
            .subscriptions
            .oldest_first()
            .filter(|found| found.customer == customer && !found.is_over())
            .filter(|found| found.default_payment_method.is_some())
            .map(|found| found.id.clone())
            .collect();
        for id in users {
            self.change_subscription(&id, |subscription| {
                subscription.default_payment_method = Some(method.to_owned());
            });
        }
    }
}

/// What the portal says of a subscription.
pub(crate) struct Terms {
    pub(crate) id: String,
    /// Of its first item.
    pub(crate) price: String,
    pub(crate) currency: String,
    pub(crate) period_end: i64,
    pub(crate) ends_at: Option<i64>,
}
