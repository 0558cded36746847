//! Codes for what is right, but not for this customer or not now.

use super::Code;

/// The name in the API.
pub(super) fn code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::CatalogBlocked => "catalog_blocked",
        Code::CatalogChanged => "catalog_changed",
        Code::ChangeInProgress => "change_in_progress",
        Code::CurrencyChange => "currency_change",
        Code::NoCatalog => "no_catalog",
        Code::NoTrial => "no_trial",
        Code::OverLimit => "over_limit",
        Code::PackNotForPlan => "pack_not_for_plan",
        Code::PlanIsFree => "plan_is_free",
        Code::PriceMismatch => "price_mismatch",
        Code::SamePlan => "same_plan",
        Code::SubscriptionExists => "subscription_exists",
        Code::TrialUsed => "trial_used",
        _ => return None,
    })
}

/// The HTTP status.
pub(super) fn status(code: Code) -> Option<u16> {
    Some(match code {
        Code::CatalogBlocked
        | Code::CatalogChanged
        | Code::ChangeInProgress
        | Code::CurrencyChange
        | Code::NoTrial
        | Code::OverLimit
        | Code::PackNotForPlan
        | Code::PlanIsFree
        | Code::PriceMismatch
        | Code::SamePlan
        | Code::SubscriptionExists
        | Code::TrialUsed => 409,
        Code::NoCatalog => 503,
        _ => return None,
    })
}

/// What happened, in a few words.
pub(super) fn title(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::CatalogBlocked => "The catalog takes away what is in use",
        Code::CatalogChanged => "Another catalog was applied meanwhile",
        Code::ChangeInProgress => "Another change is running",
        Code::CurrencyChange => "The running subscription is paid in another currency",
        Code::NoCatalog => "No catalog was applied yet",
        Code::NoTrial => "The plan has no trial",
        Code::OverLimit => "More is in use than the plan allows",
        Code::PackNotForPlan => "The pack is not sold to this plan",
        Code::PlanIsFree => "The plan is free",
        Code::PriceMismatch => "The provider has another price under our key",
        Code::SamePlan => "The customer has this plan",
        Code::SubscriptionExists => "There is a running subscription",
        Code::TrialUsed => "The trial was used",
        _ => return None,
    })
}

/// What happened and what to do.
pub(super) fn advice(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::CatalogBlocked => (
            "Applying it would take away a plan that customers are on.",
            "Keep what `errors` names, or move those customers first.",
        ),
        Code::CatalogChanged => (
            "Someone applied another catalog at the same moment.",
            "Look at the changes, then try again.",
        ),
        Code::ChangeInProgress => {
            ("Another change of this customer is running.", "Try again after `Retry-After`.")
        }
        Code::CurrencyChange => (
            "A customer with a running subscription keeps its currency.",
            "Cancel first, then buy again in the other currency.",
        ),
        Code::NoCatalog => {
            ("There are no plans and features yet.", "Run `farthing catalog apply`.")
        }
        Code::NoTrial => ("A trial was asked for and the plan has none.", "Buy it without one."),
        Code::OverLimit => (
            "The customer holds more than the plan has room for; `errors` says what has to go.",
            "Delete that, then try again.",
        ),
        Code::PackNotForPlan => ("The pack is sold to other plans only.", "Change the plan first."),
        Code::PlanIsFree => {
            ("A plan without prices cannot be bought.", "Cancel the subscription instead.")
        }
        Code::PriceMismatch => (
            "A price at the provider has the lookup key of ours and another amount.",
            "Remove that lookup key at the provider, then apply again.",
        ),
        Code::SamePlan => ("The customer is on this plan already.", "Nothing needs to be done."),
        Code::SubscriptionExists => (
            "The customer has a running subscription, so another one cannot be bought.",
            "Change the subscription instead.",
        ),
        Code::TrialUsed => ("The customer has had a trial before.", "Buy the plan without one."),
        _ => return None,
    })
}
