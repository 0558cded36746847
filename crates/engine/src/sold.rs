//! What may be sold to whom: everything that is in the way of a purchase, before anything is made.

use farthing_core::catalog::{Catalog, OverLimit, PriceSlot};
use farthing_core::money::Currency;
use farthing_core::subscription::{Standing, Status as SubscriptionStatus};
use farthing_core::time::{Interval, Timestamp};
use farthing_store::checkouts::Item;
use farthing_store::customers::Customer;
use farthing_store::{Tx, subscriptions};

use crate::EngineError;
use crate::checkouts::SoldPack;
use crate::room::{no_room, over_limits};

pub(crate) fn currency(
    catalog: &Catalog,
    customer: &Customer,
    wanted: Option<Currency>,
) -> Result<Currency, EngineError> {
    let chosen = wanted.or(customer.currency).or_else(|| catalog.currencies.first().copied());
    let known: Vec<&str> = catalog.currencies.iter().map(Currency::code).collect();
    chosen.filter(|chosen| catalog.currencies.contains(chosen)).ok_or_else(|| {
        EngineError::invalid(
            "/currency",
            "unknown_currency",
            "the catalog has no prices in this currency",
            format!("use one of: {}", known.join(", ")),
        )
    })
}

/// Whether the customer may buy this plan now, with everything that is in the way.
pub(crate) fn check_plan(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &Customer,
    (plan, interval, now): (&str, Interval, Timestamp),
) -> Result<(), EngineError> {
    let Some(wanted) = catalog.plans.get(plan) else {
        return Err(unknown_plan(catalog, plan));
    };
    let running = subscriptions::of_customer(tx, &customer.id)?.into_iter().find(|stored| {
        stored.subscription.status.is_entitled()
            || stored.subscription.status == SubscriptionStatus::Paused
    });
    let same = match &running {
        Some(running) => {
            let sub = &running.subscription;
            sub.plan == plan && (sub.interval == interval || wanted.is_free())
        }
        None => customer.plan == plan,
    };
    if same {
        return Err(EngineError::refused(
            "same_plan",
            format!("the customer is on {} already; nothing was changed", wanted.name),
        ));
    }
    check_room(tx, catalog, customer, (plan, now))?;
    match running {
        Some(running) => Err(EngineError::refused(
            "subscription_exists",
            format!(
                "the customer has the running subscription {}; nothing was changed: a second one would be paid twice",
                running.id
            ),
        )),
        None => Ok(()),
    }
}

/// Refuses a plan that has no room for what is held, naming all of it, where the catalog blocks.
pub(crate) fn check_room(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &Customer,
    (plan, now): (&str, Timestamp),
) -> Result<(), EngineError> {
    let over = over_limits(tx, catalog, &customer.id, (plan, now))?;
    match over.is_empty() || catalog.changes.over_limit != OverLimit::Block {
        true => Ok(()),
        false => Err(no_room(&over)),
    }
}

pub(crate) fn unknown_plan(catalog: &Catalog, plan: &str) -> EngineError {
    let known: Vec<&str> = catalog.tiers.iter().map(String::as_str).collect();
    EngineError::invalid(
        "/plan",
        "unknown_plan",
        format!("the catalog has no plan {plan:?}"),
        format!("use one of: {}", known.join(", ")),
    )
}

pub(crate) fn plan_slot(
    catalog: &Catalog,
    plan: &str,
    interval: Interval,
    currency: Currency,
) -> Result<PriceSlot, EngineError> {
    catalog.plan_slot(plan, interval, currency).ok_or_else(|| {
        let sold = catalog.plans.get(plan).map(|plan| plan.prices.keys());
        let sold: Vec<&str> = sold.into_iter().flatten().map(|i| i.as_str()).collect();
        match sold.is_empty() {
            true => EngineError::refused(
                "plan_is_free",
                format!(
                    "the plan {plan} has no price, so there is nothing to buy; nothing was changed"
                ),
            ),
            false => EngineError::invalid(
                "/interval",
                "unknown_interval",
                format!("the plan {plan} is not sold per {}", interval.as_str()),
                format!("use one of: {}", sold.join(", ")),
            ),
        }
    })
}

pub(crate) fn pack_item(
    catalog: &Catalog,
    customer: &Customer,
    pack: &str,
    currency: Currency,
) -> Result<(Item, PriceSlot), EngineError> {
    let Some(sold) = catalog.packs.get(pack) else {
        let known: Vec<&str> = catalog.packs.keys().map(String::as_str).collect();
        return Err(EngineError::invalid(
            "/pack",
            "unknown_pack",
            format!("the catalog has no pack {pack:?}"),
            format!("use one of: {}", known.join(", ")),
        ));
    };
    if customer.standing != Standing::Good {
        return Err(EngineError::refused(
            "past_due",
            "a payment is overdue, and has to be paid before more is bought; nothing was changed",
        ));
    }
    if !sold.plans.is_empty() && !sold.plans.contains(&customer.plan) {
        return Err(EngineError::refused(
            "pack_not_for_plan",
            format!(
                "{} is sold to customers on {}, and this one is on {}; nothing was changed",
                sold.name,
                sold.plans.join(", "),
                customer.plan
            ),
        ));
    }
    let slot = catalog.pack_slot(pack, currency).ok_or(EngineError::NoProvider)?;
    let held = SoldPack { credits: sold.credits.clone(), expires: sold.expires };
    let held = serde_json::to_string(&held).expect("a pack is plain data");
    Ok((Item::Pack { pack: pack.to_owned(), sold: held }, slot))
}

/// Addresses come from the configuration; a request chooses only the path on the app's own site.
pub(crate) fn check_return_path(path: Option<&str>) -> Result<(), EngineError> {
    let Some(path) = path else {
        return Ok(());
    };
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>".contains(&b));
    if path.starts_with('/') && !path.starts_with("//") && plain && path.len() <= 500 {
        return Ok(());
    }
    Err(EngineError::invalid(
        "/return_path",
        "invalid_return_path",
        "the return path is not a path on the app's own site",
        "send a path such as /billing; the host comes from the configuration",
    ))
}
