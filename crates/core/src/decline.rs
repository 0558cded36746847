//! Why a payment failed, what can be done about it, and how to say so to people.
//!
//! Codes are the provider's: a decline code where the bank gave one, else the error's code.
//! Source: <https://docs.stripe.com/declines/codes>.

use serde::{Deserialize, Serialize};

use crate::catalog::{DunningPolicy, Retries};
use crate::time::Timestamp;

/// The way out of a failed payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// It may work later with the same card.
    Retry,
    /// This card will not pay again: the customer has to give another one.
    NewCard,
    /// The bank wants to hear from the customer (3-D Secure): nobody else can help.
    Confirm,
}

impl Path {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Retry, Self::NewCard, Self::Confirm];

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::NewCard => "new_card",
            Self::Confirm => "confirm",
        }
    }
}

/// The code under which "the bank wants to hear from the customer" is kept.
pub const AUTHENTICATION_REQUIRED: &str = "authentication_required";

/// Declines that no later try with the same card will turn: the bank says never.
const HARD: &[&str] = &[
    "do_not_honor",
    "fraudulent",
    "highest_risk_level",
    "incorrect_number",
    "invalid_account",
    "lost_card",
    "merchant_blacklist",
    "no_payment_method",
    "pickup_card",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "stop_payment_order",
    "transaction_not_allowed",
];

const CONFIRM: &[&str] = &[
    AUTHENTICATION_REQUIRED,
    "authentication_not_handled",
    "invoice_payment_intent_requires_action",
    "subscription_payment_intent_requires_action",
];

/// The way out of a payment that failed with `code`; `None`: nobody said why.
pub fn path(code: Option<&str>, policy: &DunningPolicy) -> Path {
    match code {
        Some(code) if CONFIRM.contains(&code) => Path::Confirm,
        Some(code) if HARD.contains(&code) && policy.stop_on_hard_decline => Path::NewCard,
        Some(_) | None => Path::Retry,
    }
}

/// Whether `code` says that the bank wants to hear from the customer.
pub fn is_confirm(code: &str) -> bool {
    CONFIRM.contains(&code)
}

/// Why a payment failed, in a sentence for the customer. It says nothing of theft or loss: the
/// person in front of the screen may not be the one whom it concerns.
pub fn reason(code: Option<&str>) -> &'static str {
    match code {
        Some("insufficient_funds" | "withdrawal_count_limit_exceeded") => {
            "The bank says that the card does not have enough money for this payment."
        }
        Some("expired_card") => "The card has expired. Give the details of a current one.",
        Some("no_payment_method") => "There is no card to pay with. Add one.",
        Some("incorrect_cvc" | "invalid_cvc") => {
            "The card's security code was not accepted. Enter the card again."
        }
        Some("card_velocity_exceeded") => {
            "The card's limit for payments in this time is used up. Try later, or use another card."
        }
        Some("processing_error" | "try_again_later" | "issuer_not_available") => {
            "The bank could not be reached. The payment will be tried again."
        }
        Some(code) if CONFIRM.contains(&code) => {
            "The bank wants you to confirm this payment. Open the payment page to do so."
        }
        Some(code) if HARD.contains(&code) => {
            "The bank does not accept payments with this card any more. Use another card."
        }
        Some(_) => {
            "The bank declined the payment. It does not say why: ask it, or use another card."
        }
        None => "The payment did not go through.",
    }
}

/// When a payment that failed at `since` is tried next by us, after `now`; `None`: the provider
/// does it, or there is no further try. Tries that were slept through are not made up for.
pub fn next_retry(policy: &DunningPolicy, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    match &policy.retries {
        Retries::Provider => None,
        Retries::After(waits) => {
            waits.iter().map(|wait| wait.after(since)).find(|instant| now < *instant)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{SAMPLE, parse};

    /// One line per code. Reviewing a change to the ways out is reading this diff.
    #[test]
    fn every_decline_has_its_way_and_its_sentence() {
        let policy = parse(SAMPLE).unwrap().dunning;
        let soft = ["insufficient_funds", "expired_card", "generic_decline", "processing_error"];
        let more = ["card_velocity_exceeded", "incorrect_cvc", "a_code_of_tomorrow"];
        let mut table = String::new();
        let codes = HARD.iter().chain(CONFIRM).chain(&soft).chain(&more).copied();
        for code in codes.map(Some).chain([None]) {
            let name = code.unwrap_or("(none)");
            table += &format!("{name:<44} {:<9} {}\n", path(code, &policy).as_str(), reason(code));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_catalog_that_keeps_retrying_stops_for_nothing_but_the_customer() {
        let mut policy = parse(SAMPLE).unwrap().dunning;
        policy.stop_on_hard_decline = false;
        assert_eq!(path(Some("lost_card"), &policy), Path::Retry);
        assert_eq!(path(Some(AUTHENTICATION_REQUIRED), &policy), Path::Confirm);
    }

    #[test]
    fn retries_that_were_slept_through_are_not_made_up_for() {
        let mut policy = parse(SAMPLE).unwrap().dunning;
        let at = |day: i64| {
            let since: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
            since.plus_seconds(day * 86_400)
        };
        let next = |day: i64| next_retry(&policy, at(0), at(day));
        assert_eq!([0, 1, 2, 4, 6].map(next), [1, 3, 3, 5, 7].map(|day| Some(at(day))));
        assert_eq!(next(7), None);
        policy.retries = Retries::Provider;
        assert_eq!(next_retry(&policy, at(0), at(0)), None);
    }
}
