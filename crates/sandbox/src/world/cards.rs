//! The documented test cards: what each number does when it is saved and when it is charged.
//!
//! Source: <https://docs.stripe.com/testing>. A card whose meaning the sandbox does not know is
//! refused in words.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// A card as a payment method holds it. The number of a test card is not a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) number: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
}

/// Why a card says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
}

impl Decline {
    pub(crate) fn error(self) -> ApiError {
        ApiError::card(self.code, self.decline_code, self.message)
    }
}

/// Why a charge did not go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Declined(Decline),
    /// The bank wants to hear from the person first (3-D Secure).
    NeedsAction,
}

impl Refusal {
    pub(crate) fn error(self) -> ApiError {
        match self {
            Refusal::Declined(decline) => decline.error(),
            Refusal::NeedsAction => ApiError::card(
                "subscription_payment_intent_requires_action",
                None,
                "This payment requires additional user action before it can be completed \
                 successfully. Payment can be completed using the PaymentIntent associated with \
                 the latest invoice.",
            ),
        }
    }
}

/// What follows a charge that went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftermath {
    Nothing,
    /// The bank takes the money back, for this reason.
    Dispute(&'static str),
    /// The bank asks first, and takes nothing yet.
    Inquiry(&'static str),
    /// A refund is pending first and succeeds later.
    RefundPends,
    /// A refund succeeds first and fails later.
    RefundFails,
}

/// What a test card does "some time later", it does after so long.
pub(crate) const LATER: i64 = 60;

#[derive(Clone, Copy)]
struct TestCard {
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
    /// The ready-made payment method with this card.
    id: &'static str,
    behavior: Behavior,
    aftermath: Aftermath,
}

#[derive(Clone, Copy)]
enum Behavior {
    Works,
    /// Cannot be saved and cannot be charged.
    Declines(Decline),
    /// Can be saved; every charge fails.
    FailsLater(Decline),
    /// The person has to confirm a charge, unless they did when it was saved.
    ChallengesOnce,
    /// The person has to confirm every charge.
    ChallengesAlways,
}

const fn declined(decline_code: &'static str, message: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code: Some(decline_code), message }
}

const fn incorrect(code: &'static str, message: &'static str) -> Decline {
    Decline { code, decline_code: Some(code), message }
}

const fn card(
    number: &'static str,
    brand: &'static str,
    id: &'static str,
    behavior: Behavior,
) -> TestCard {
    TestCard { number, brand, funding: "credit", id, behavior, aftermath: Aftermath::Nothing }
}

const fn then(number: &'static str, id: &'static str, aftermath: Aftermath) -> TestCard {
    TestCard { aftermath, ..card(number, "visa", id, Behavior::Works) }
}

use Behavior::{ChallengesAlways, ChallengesOnce, Declines, FailsLater, Works};

const DECLINED: Decline = declined("generic_decline", "Your card was declined.");
const INSUFFICIENT: Decline = declined("insufficient_funds", "Your card has insufficient funds.");
const LOST: Decline = declined("lost_card", "Your card was declined.");
const STOLEN: Decline = declined("stolen_card", "Your card was declined.");
const VELOCITY: Decline = declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
);
const EXPIRED: Decline = incorrect("expired_card", "Your card has expired.");
const CVC: Decline = incorrect("incorrect_cvc", "Your card's security code is incorrect.");
const PROCESSING: Decline = incorrect(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
);

/// The declines by the word that names them.
pub(crate) fn decline_named(word: &str) -> Option<Decline> {
    let all = [DECLINED, INSUFFICIENT, LOST, STOLEN, VELOCITY, EXPIRED, CVC, PROCESSING];
    all.into_iter().find(|decline| decline.decline_code == Some(word))
}

const CARDS: &[TestCard] = &[
    card("4242424242424242", "visa", "pm_card_visa", Works),
    TestCard { funding: "debit", ..card("4000056655665556", "visa", "pm_card_visa_debit", Works) },
    card("5555555555554444", "mastercard", "pm_card_mastercard", Works),
    card("378282246310005", "amex", "pm_card_amex", Works),
    card("6011111111111117", "discover", "pm_card_discover", Works),
    card("3056930009020004", "diners", "pm_card_diners", Works),
    card("3566002020360505", "jcb", "pm_card_jcb", Works),
    card("6200000000000005", "unionpay", "pm_card_unionpay", Works),
    card("4000000000000002", "visa", "pm_card_chargeDeclined", Declines(DECLINED)),
    card(
        "4000000000009995",
        "visa",
        "pm_card_chargeDeclinedInsufficientFunds",
        Declines(INSUFFICIENT),
    ),
    card("4000000000009987", "visa", "pm_card_chargeDeclinedLostCard", Declines(LOST)),
    card("4000000000009979", "visa", "pm_card_chargeDeclinedStolenCard", Declines(STOLEN)),
    card("4000000000000069", "visa", "pm_card_chargeDeclinedExpiredCard", Declines(EXPIRED)),
    card("4000000000000127", "visa", "pm_card_chargeDeclinedIncorrectCvc", Declines(CVC)),
    card("4000000000000119", "visa", "pm_card_chargeDeclinedProcessingError", Declines(PROCESSING)),
    card(
        "4000000000006975",
        "visa",
        "pm_card_chargeDeclinedVelocityLimitExceeded",
        Declines(VELOCITY),
    ),
    card("4000000000000341", "visa", "pm_card_chargeCustomerFail", FailsLater(DECLINED)),
    card("4000002500003155", "visa", "pm_card_authenticationRequiredOnSetup", ChallengesOnce),
    card("4000002760003184", "visa", "pm_card_authenticationRequired", ChallengesAlways),
    then("4000000000000259", "pm_card_createDispute", Aftermath::Dispute("fraudulent")),
    then(
        "4000000000002685",
        "pm_card_createDisputeProductNotReceived",
        Aftermath::Dispute("product_not_received"),
    ),
    then(
        "4000000000001976",
        "pm_card_createDisputeInquiry",
        Aftermath::Inquiry("product_not_received"),
    ),
    then("4000000000007726", "pm_card_pendingRefund", Aftermath::RefundPends),
    then("4000000000005126", "pm_card_refundFail", Aftermath::RefundFails),
];

/// Cards that Stripe documents and that mean something the sandbox cannot do yet.
const NOT_YET: &[&str] = &["4000000000005423"];

fn find(number: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.number == number)
}

/// The card behind a ready-made payment method such as `pm_card_visa`.
pub(crate) fn ready_made(id: &str, exp_year: i64) -> Option<Card> {
    // The declining ones are documented with and without the brand.
    let plain = id.replacen("pm_card_visa_charge", "pm_card_charge", 1);
    let card = CARDS.iter().find(|card| card.id == plain)?;
    Some(Card { number: card.number.into(), exp_month: 12, exp_year })
}

impl Card {
    /// A card as typed into a form; spaces and dashes are dropped. Only test cards are taken.
    pub(crate) fn typed(number: &str, exp_year: i64) -> Result<Card, ApiError> {
        let number: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if find(&number).is_some() {
            return Ok(Card { number, exp_month: 12, exp_year });
        }
        if NOT_YET.contains(&number.as_str()) {
            return Err(ApiError::card(
                "card_declined",
                Some("generic_decline"),
                "The sandbox does not know what this test card does yet. Use another one.",
            ));
        }
        if !luhn(&number) {
            return Err(ApiError::card(
                "incorrect_number",
                Some("incorrect_number"),
                "Your card number is incorrect.",
            ));
        }
        Err(ApiError::card(
            "card_declined",
            Some("test_mode_live_card"),
            "Your card was declined. Your request was in test mode, but used a non test card. For \
             a list of valid test cards, visit: https://stripe.com/docs/testing.",
        ))
    }

    fn entry(&self) -> &'static TestCard {
        find(&self.number).unwrap_or(&CARDS[0])
    }

    /// Whether a customer can keep it.
    pub(crate) fn save(&self) -> Result<(), Decline> {
        match self.entry().behavior {
            Works | FailsLater(_) | ChallengesOnce | ChallengesAlways => Ok(()),
            Declines(decline) => Err(decline),
        }
    }

    /// Whether it pays. The person has confirmed this charge (`authenticated`), or has confirmed
    /// when it was saved that it may be charged (`set_up`).
    pub(crate) fn charge(&self, authenticated: bool, set_up: bool) -> Result<(), Refusal> {
        match self.entry().behavior {
            Works => Ok(()),
            Declines(decline) | FailsLater(decline) => Err(Refusal::Declined(decline)),
            ChallengesOnce if authenticated || set_up => Ok(()),
            ChallengesAlways if authenticated => Ok(()),
            ChallengesOnce | ChallengesAlways => Err(Refusal::NeedsAction),
        }
    }

    /// The person has to confirm that it may be saved.
    pub(crate) fn challenges(&self) -> bool {
        matches!(self.entry().behavior, ChallengesOnce | ChallengesAlways)
    }

    pub(crate) fn aftermath(&self) -> Aftermath {
        self.entry().aftermath
    }

    pub(crate) fn brand(&self) -> &'static str {
        self.entry().brand
    }

    pub(crate) fn funding(&self) -> &'static str {
        self.entry().funding
    }

    pub(crate) fn last4(&self) -> &str {
        &self.number[self.number.len().saturating_sub(4)..]
    }
}

fn luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (12..=19).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_card_is_a_valid_number_with_its_own_id() {
        for (at, card) in CARDS.iter().enumerate() {
            assert!(luhn(card.number), "{}", card.number);
            assert!(CARDS[..at].iter().all(|other| other.id != card.id), "{}", card.id);
        }
        assert!(NOT_YET.iter().all(|number| luhn(number) && find(number).is_none()));
    }

    #[test]
    fn declining_cards_cannot_be_saved_but_0341_can() {
        let typed = |number| Card::typed(number, 2034).expect("a test card");
        assert!(typed("4000 0000 0000 0002").save().is_err());
        let later = typed("4000-0000-0000-0341");
        assert!(later.save().is_ok() && later.charge(true, true).is_err());
        assert!(typed("4242 4242 4242 4242").charge(false, false).is_ok());
    }

    #[test]
    fn a_challenge_is_asked_once_or_always() {
        let charge = |number, authenticated, set_up| {
            let card = Card::typed(number, 2034).expect("a test card");
            card.charge(authenticated, set_up).is_ok()
        };
        let outcomes = |number| {
            [(false, false), (false, true), (true, false)]
                .map(|(authenticated, set_up)| charge(number, authenticated, set_up))
        };
        assert_eq!(outcomes("4000002500003155"), [false, true, true]);
        assert_eq!(outcomes("4000002760003184"), [false, false, true]);
    }

    #[test]
    fn other_numbers_are_told_apart() {
        let decline = |number| {
            let error = Card::typed(number, 2034).expect_err("not a test card").body();
            error["error"]["decline_code"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(decline("4242424242424241"), "incorrect_number");
        assert_eq!(decline(""), "incorrect_number");
        assert_eq!(decline("4111111111111111"), "test_mode_live_card");
        assert_eq!(decline("4000000000005423"), "generic_decline");
    }
}
