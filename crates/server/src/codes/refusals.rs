//! Codes for what is right, but not for this customer or not now.

use super::Code;

/// The name in the API.
pub(super) fn code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::CatalogBlocked => "catalog_blocked",
        Code::CatalogChanged => "catalog_changed",
        Code::CatalogNotAtProvider => "catalog_not_at_provider",
        Code::NoRunningSubscription => "no_running_subscription",
        Code::NotSold => "not_sold",
        Code::ChangeScheduled => "change_scheduled",
        Code::NotOnTrial => "not_on_trial",
        Code::TrialNotLonger => "trial_not_longer",
        Code::NothingDue => "nothing_due",
        Code::RetryTooSoon => "retry_too_soon",
        Code::NothingToUndo => "nothing_to_undo",
        Code::PastDue => "past_due",
        Code::PreviewChanged => "preview_changed",
        Code::UnknownIntent => "unknown_intent",
        Code::ChangeInProgress => "change_in_progress",
        Code::CurrencyChange => "currency_change",
        Code::DriftOver => "drift_over",
        Code::LastPaymentMethod => "last_payment_method",
        Code::NoBillingPage => "no_billing_page",
        Code::NoCatalog => "no_catalog",
        Code::NoTrial => "no_trial",
        Code::OverLimit => "over_limit",
        Code::PackNotForPlan => "pack_not_for_plan",
        Code::PlanIsFree => "plan_is_free",
        Code::PriceMismatch => "price_mismatch",
        Code::SamePlan => "same_plan",
        Code::SubscriptionExists => "subscription_exists",
        Code::TrialUsed => "trial_used",
        Code::NotEnoughCredits => "not_enough_credits",
        Code::NothingToRefund => "nothing_to_refund",
        Code::NoRefunds => "no_refunds",
        Code::PaymentDisputed => "payment_disputed",
        Code::RefundDecided => "refund_decided",
        Code::RefundTooLarge => "refund_too_large",
        Code::RefundWindowOver => "refund_window_over",
        Code::SecondApproverNeeded => "second_approver_needed",
        Code::UsedTooMuch => "used_too_much",
        _ => return None,
    })
}

/// The HTTP status.
pub(super) fn status(code: Code) -> Option<u16> {
    Some(match code {
        Code::CatalogBlocked
        | Code::CatalogChanged
        | Code::CatalogNotAtProvider
        | Code::NoRunningSubscription
        | Code::NotSold
        | Code::ChangeScheduled
        | Code::NotOnTrial
        | Code::TrialNotLonger
        | Code::NothingDue
        | Code::RetryTooSoon
        | Code::NothingToUndo
        | Code::PastDue
        | Code::PreviewChanged
        | Code::UnknownIntent
        | Code::ChangeInProgress
        | Code::CurrencyChange
        | Code::DriftOver
        | Code::LastPaymentMethod
        | Code::NoTrial
        | Code::OverLimit
        | Code::PackNotForPlan
        | Code::PlanIsFree
        | Code::PriceMismatch
        | Code::SamePlan
        | Code::SubscriptionExists
        | Code::TrialUsed
        | Code::NotEnoughCredits
        | Code::NothingToRefund
        | Code::NoRefunds
        | Code::PaymentDisputed
        | Code::RefundDecided
        | Code::RefundTooLarge
        | Code::RefundWindowOver
        | Code::SecondApproverNeeded
        | Code::UsedTooMuch => 409,
        Code::NoBillingPage | Code::NoCatalog => 503,
        _ => return None,
    })
}

/// What happened, in a few words.
pub(super) fn title(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::CatalogBlocked => "The catalog takes away what is in use",
        Code::CatalogChanged => "Another catalog was applied meanwhile",
        Code::CatalogNotAtProvider => "The provider does not have this price yet",
        Code::NoRunningSubscription => "The subscription does not run",
        Code::NotSold => "The plan is not sold that way",
        Code::ChangeScheduled => "An end or a change is scheduled",
        Code::NotOnTrial => "The subscription is not on trial",
        Code::TrialNotLonger => "The trial would not become longer",
        Code::NothingDue => "Nothing is owed",
        Code::RetryTooSoon => "This payment was tried a moment ago",
        Code::NothingToUndo => "Nothing is scheduled",
        Code::PastDue => "A payment is overdue",
        Code::PreviewChanged => "What was shown no longer holds",
        Code::UnknownIntent => "A newer version made this",
        Code::ChangeInProgress => "Another change is running",
        Code::CurrencyChange => "The running subscription is paid in another currency",
        Code::LastPaymentMethod => "It is the only payment method",
        Code::DriftOver => "The difference is over",
        Code::NoBillingPage => "There is no billing page",
        Code::NoCatalog => "No catalog was applied yet",
        Code::NoTrial => "The plan has no trial",
        Code::OverLimit => "More is in use than the plan allows",
        Code::PackNotForPlan => "The pack is not sold to this plan",
        Code::PlanIsFree => "The plan is free",
        Code::PriceMismatch => "The provider has another price under our key",
        Code::SamePlan => "The customer has this plan",
        Code::SubscriptionExists => "There is a running subscription",
        Code::TrialUsed => "The trial was used",
        Code::NotEnoughCredits => "There are not so many credits",
        Code::NothingToRefund => "Nothing is left to refund",
        Code::NoRefunds => "There is no refund policy",
        Code::PaymentDisputed => "The bank contests this payment",
        Code::RefundDecided => "The refund is decided",
        Code::RefundTooLarge => "Less is left of the payment",
        Code::RefundWindowOver => "The refund window is over",
        Code::SecondApproverNeeded => "Another person has to agree",
        Code::UsedTooMuch => "Too much was used for a refund",
        _ => return None,
    })
}

/// What happened and what to do.
pub(super) fn advice(code: Code) -> Option<(&'static str, &'static str)> {
    for_operators(code).or_else(|| for_customers(code))
}

/// Where whoever runs the server has to do something.
fn for_operators(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::CatalogBlocked => (
            "Applying it would take away a plan that customers are on.",
            "Keep what `errors` names, or move those customers first.",
        ),
        Code::CatalogChanged => (
            "Someone applied another catalog at the same moment.",
            "Look at the changes, then try again.",
        ),
        Code::CatalogNotAtProvider => {
            ("A price of the catalog was not made at the provider.", "Apply the catalog again.")
        }
        Code::UnknownIntent => ("The change was begun by a newer version.", "Upgrade."),
        Code::NoBillingPage => (
            "It is not configured where customers reach this server.",
            "Set `FARTHING_PUBLIC_URL`.",
        ),
        Code::NoCatalog => {
            ("There are no plans and features yet.", "Run `farthing catalog apply`.")
        }
        Code::PriceMismatch => (
            "A price at the provider has the lookup key of ours and another amount.",
            "Remove that lookup key at the provider, then apply again.",
        ),
        Code::DriftOver => ("It was repaired, or is no longer there.", "Nothing needs to be done."),
        _ => return None,
    })
}

fn for_customers(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::NoRunningSubscription => (
            "The subscription is not active or on trial, so it cannot be changed.",
            "Buy a plan with a new checkout.",
        ),
        Code::NotSold => (
            "The plan has no price at this interval in the subscription's currency.",
            "Choose another interval or plan.",
        ),
        Code::NothingToUndo => {
            ("No cancellation or change is scheduled.", "Nothing needs to be done.")
        }
        Code::PreviewChanged => (
            "The amounts, the subscription or 15 minutes have gone by since the preview.",
            "Ask for a new preview.",
        ),
        Code::ChangeInProgress => {
            ("Another change of this customer is running.", "Try again after `Retry-After`.")
        }
        Code::CurrencyChange => (
            "A customer with a running subscription keeps its currency.",
            "Cancel first, then buy again in the other currency.",
        ),
        Code::LastPaymentMethod => (
            "A running subscription needs something to pay with.",
            "Add another payment method first, or cancel the subscription.",
        ),
        Code::NoTrial => ("A trial was asked for and the plan has none.", "Buy it without one."),
        Code::OverLimit => (
            "The customer holds more than the plan has room for; `errors` says what has to go.",
            "Delete that, then try again.",
        ),
        Code::PackNotForPlan => ("The pack is sold to other plans only.", "Change the plan first."),
        Code::PlanIsFree => {
            ("A plan without prices cannot be bought.", "Cancel the subscription instead.")
        }
        Code::SamePlan => ("The customer is on this plan already.", "Nothing needs to be done."),
        Code::SubscriptionExists => (
            "The customer has a running subscription, so another one cannot be bought.",
            "Change the subscription instead.",
        ),
        Code::TrialUsed => ("The customer has had a trial before.", "Buy the plan without one."),
        _ => return advice_on_refunds(code),
    })
}

/// The same for money and credits that go back.
fn advice_on_refunds(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::NotEnoughCredits => {
            ("The customer has fewer credits than are to be taken.", "Take fewer.")
        }
        Code::NothingToRefund => (
            "Everything that was paid went back already, is on its way or waits for a person.",
            "Look at the refunds of this customer.",
        ),
        Code::NoRefunds => (
            "The catalog has no `[refunds]`, so nobody may have money back here.",
            "Add the section, or make the refund at the provider.",
        ),
        Code::PaymentDisputed => (
            "The customer's bank has the money, so it cannot be refunded.",
            "Answer the dispute at the provider.",
        ),
        Code::RefundDecided => (
            "It was sent, rejected or failed before.",
            "Look at it again; ask for a new one if it failed.",
        ),
        Code::RefundTooLarge => {
            ("More is wanted than was paid and has not gone back.", "Ask for what is left.")
        }
        Code::RefundWindowOver => (
            "The catalog's `window` after the payment has passed.",
            "Make an exception at the provider, if you want to.",
        ),
        Code::SecondApproverNeeded => (
            "The amount is above `second_approver_above`, and this person agreed already.",
            "Have somebody else approve it.",
        ),
        Code::UsedTooMuch => (
            "More was used since the payment than the catalog's rule allows; `errors` has the numbers.",
            "Make an exception at the provider, if you want to.",
        ),
        _ => return advice_on_payments(code),
    })
}

/// The same for what is owed.
fn advice_on_payments(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::ChangeScheduled => (
            "The subscription is to end or to change, and its trial cannot be moved meanwhile.",
            "Resume it first, then make the trial longer.",
        ),
        Code::NotOnTrial => ("Only a trial that runs can be made longer.", "Nothing was changed."),
        Code::TrialNotLonger => (
            "The instant is before the end that the trial has already.",
            "Name a later one, or cancel the subscription to end it sooner.",
        ),
        Code::NothingDue => {
            ("No payment of this subscription is overdue.", "Nothing needs to be done.")
        }
        Code::RetryTooSoon => (
            "The payment was tried within the last ten seconds, for example by a second click.",
            "Read the subscription; ask again if it is still overdue.",
        ),
        Code::PastDue => (
            "A payment failed, and more cannot be bought until it is paid.",
            "Pay it, or store another card, then try again.",
        ),
        _ => return None,
    })
}
