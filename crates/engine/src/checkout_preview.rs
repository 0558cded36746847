//! What a checkout would cost, before anything is made.

use farthing_core::catalog::Trial;
use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};
use farthing_store::checkouts::{self, Item};
use farthing_store::customers::{self, Customer};
use farthing_store::{Tx, trials};
use serde::Serialize;

use crate::changes::NextCharge;
use crate::checkouts::{Buy, Purchase, Step, asked_for, claims, had_before, reuse};
use crate::sold::{check_plan, check_return_path, currency, pack_item, plan_slot};
use crate::{Engine, EngineError};

/// What a purchase would cost if its page were paid now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckoutPreview {
    /// What is charged when the page is completed; 0 with a trial.
    pub due_now: Money,
    /// The trial's length in days, when it starts with one.
    pub trial_days: Option<i64>,
    /// When the trial would end.
    pub trial_ends_at: Option<Timestamp>,
    /// What is charged next, and when; `null` for a pack.
    pub next_charge: Option<NextCharge>,
}

impl Engine {
    /// What [`Engine::start_checkout`] would sell, and for how much. Nothing is made, here or at the
    /// provider.
    ///
    /// Errors: the same as there, but for the provider's. Whether a card had a trial before is known
    /// only once it is there.
    pub fn preview_checkout(&self, purchase: &Purchase) -> Result<CheckoutPreview, EngineError> {
        self.stripe()?;
        check_return_path(purchase.return_path.as_deref())?;
        self.read(|engine, tx| engine.what_it_costs(tx, purchase))
    }

    fn what_it_costs(
        &self,
        tx: &mut Tx<'_>,
        purchase: &Purchase,
    ) -> Result<CheckoutPreview, EngineError> {
        let id = &purchase.customer;
        let customer = customers::find(tx, id)?.ok_or_else(|| EngineError::no_customer(id))?;
        let (_, catalog) = self.catalog(tx)?;
        let currency = currency(&catalog, &customer, purchase.currency)?;
        let (plan, interval, trial) = match &purchase.buy {
            Buy::Plan { plan, interval, trial } => (plan, *interval, *trial),
            Buy::Pack { pack } => {
                let (_, slot) = pack_item(&catalog, &customer, pack, currency)?;
                return Ok(of_pack(slot.amount()));
            }
        };
        let now = self.now();
        check_plan(tx, &catalog, &customer, (plan, interval, now))?;
        let open = checkouts::open_plan(tx, id)?;
        let replaced = match open.map(|open| reuse(open, purchase, currency, now)) {
            Some(Step::Ready(open) | Step::Send(open)) => {
                let trial_days = match open.item {
                    Item::Plan { trial_days, .. } => trial_days,
                    Item::Pack { .. } => None,
                };
                return Ok(of_plan(open.price, trial_days, (interval, now)));
            }
            Some(Step::Close(open)) => Some(open.id),
            None => None,
        };
        let price = plan_slot(&catalog, plan, interval, currency)?.amount();
        let offered = catalog.plans.get(plan).and_then(|plan| plan.trial.as_ref());
        let trial_days = match asked_for(offered, trial)? {
            None => None,
            Some(offered) => match self.may_have(tx, &customer, offered, replaced.as_deref())? {
                true => Some(offered.days),
                false => had_before(trial)?,
            },
        };
        Ok(of_plan(price, trial_days, (interval, now)))
    }

    /// Whether the customer may still have a trial. A page that would be closed for the new one
    /// gives back what it claimed.
    fn may_have(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
        trial: &Trial,
        replaced: Option<&str>,
    ) -> Result<bool, EngineError> {
        let Some(pepper) = self.known_pepper(tx)? else {
            return Ok(true);
        };
        for claim in claims(&trial.once_per, customer, None, &pepper) {
            let holder = trials::holder(tx, &claim)?;
            if holder.is_some() && holder.as_deref() != replaced {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn of_pack(price: Money) -> CheckoutPreview {
    CheckoutPreview { due_now: price, trial_days: None, trial_ends_at: None, next_charge: None }
}

fn of_plan(
    price: Money,
    trial_days: Option<i64>,
    (interval, now): (Interval, Timestamp),
) -> CheckoutPreview {
    let trial_ends_at = trial_days.map(|days| now.plus_intervals(days, Interval::Day));
    let due_now = if trial_days.is_some() { Money::new(0, price.currency) } else { price };
    let at = trial_ends_at.unwrap_or_else(|| now.plus_intervals(1, interval));
    let next_charge = Some(NextCharge { at, amount: price });
    CheckoutPreview { due_now, trial_days, trial_ends_at, next_charge }
}
