//! The prices that we created at the provider, of this catalog and of all before it.

use farthing_core::facts::{Offer, PriceBook, Sold};
use farthing_core::money::Currency;
use farthing_core::time::Interval;
use farthing_store::provider_prices::{self, PriceKind};
use farthing_store::{StoreError, Tx};

use crate::{Engine, EngineError, STRIPE};

/// The provider's price ids with what they sell.
pub(crate) fn price_book(tx: &mut Tx<'_>, provider: &str) -> Result<PriceBook, StoreError> {
    let sold = provider_prices::list(tx, provider)?.into_iter().map(|price| {
        let offer = match price.kind {
            PriceKind::Plan => Offer::Plan {
                plan: price.item,
                interval: price.interval.unwrap_or(Interval::Month),
            },
            PriceKind::Pack => Offer::Pack { pack: price.item },
        };
        (price.provider_price_id, Sold { offer, amount: price.amount })
    });
    Ok(sold.collect())
}

impl Engine {
    /// The provider's id of a plan's price. Errors: it is not sold, or its price is not in our
    /// book, because the catalog was applied without a provider.
    pub(crate) fn known_price(
        &self,
        tx: &mut Tx<'_>,
        (plan, interval): (&str, Interval),
        currency: Currency,
    ) -> Result<String, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let missing = || {
            EngineError::refused(
                "catalog_not_at_provider",
                "the provider does not have this price yet; nothing was changed: apply the catalog again",
            )
        };
        let slot = catalog.plan_slot(plan, interval, currency).ok_or_else(missing)?;
        let known = provider_prices::find_by_lookup_key(tx, STRIPE, &slot.lookup_key())?;
        Ok(known.ok_or_else(missing)?.provider_price_id)
    }
}
