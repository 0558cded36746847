//! The prices that we created at the provider, of this catalog and of all before it.

use farthing_core::facts::{Offer, PriceBook, Sold};
use farthing_core::time::Interval;
use farthing_store::provider_prices::{self, PriceKind};
use farthing_store::{StoreError, Tx};

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
