//! What a mail says, as data: one variant for each occasion. Stored as JSON until it is sent.
//!
//! Plans are named as people know them, not by their keys. Whoever makes a letter resolves that.

use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};
use serde::{Deserialize, Serialize};

/// What a mail says. A new occasion has to say its words, its sample and who reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// A trial ends soon.
    TrialEnding(TrialEnding),
    /// A trial ended without a payment.
    TrialEnded(Lapse),
    /// A payment failed for the first time.
    PaymentFailed(Overdue),
    /// It was tried again, and failed again.
    RetryFailed(Overdue),
    /// The plan ends next, unless it is paid.
    LastChance(Overdue),
    /// Only reading works until it is paid.
    AccessLimited(Overdue),
    /// It was not paid, and the plan has ended.
    GivenUp(Lapse),
    /// What was owed was paid.
    Recovered(Standing),
    /// Another plan, or another interval, is in force.
    PlanChanged(PlanChanged),
    /// Another plan will be in force from an instant on.
    ChangeScheduled(ChangeScheduled),
    /// The plan stays as it is after all.
    ChangeUndone(Standing),
    /// The plan will end.
    CancelScheduled(Ending),
    /// It will not end after all.
    CancelUndone(Standing),
    /// The plan has ended as it was asked for.
    PlanEnded(Lapse),
    /// The bank wants the customer to confirm a payment.
    ActionRequired(Due),
    /// A customer asked for money back: the customer's receipt.
    RefundAsked(Refund),
    /// A customer asked for money back: for operators.
    RefundToReview(RefundToReview),
    /// It was granted, and the money is on its way.
    RefundApproved(Refund),
    /// It was not granted.
    RefundRejected(Refund),
    /// The money was sent back.
    RefundPaid(Refund),
    /// The bank did not take the money back.
    RefundFailed(Refund),
    /// A bank takes a payment back: for operators.
    DisputeOpened(DisputeOpened),
}

/// Who reads a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The customer whom it is about.
    Customer,
    /// The operators that the configuration names.
    Operators,
}

/// Why a payment failed, as far as it matters to who has to do something about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The card's date has passed.
    ExpiredCard,
    /// There was not enough money.
    InsufficientFunds,
    /// The bank wants the customer to confirm it.
    AuthenticationRequired,
    /// The bank will not take this card again: lost, stolen, closed, not allowed.
    Hard,
    /// Declined without saying more.
    #[default]
    Other,
}

impl Reason {
    /// What a provider's decline code means for people; `None` when there is no code.
    ///
    /// Source: <https://docs.stripe.com/declines/codes>.
    pub fn of_code(code: Option<&str>) -> Self {
        match code.unwrap_or_default() {
            "expired_card" | "invalid_expiry_year" | "invalid_expiry_month" => Self::ExpiredCard,
            "insufficient_funds" | "withdrawal_count_limit_exceeded" | "card_velocity_exceeded" => {
                Self::InsufficientFunds
            }
            "authentication_required" | "authentication_not_handled" => {
                Self::AuthenticationRequired
            }
            "lost_card"
            | "stolen_card"
            | "pickup_card"
            | "restricted_card"
            | "fraudulent"
            | "incorrect_number"
            | "invalid_number"
            | "invalid_account"
            | "card_not_supported"
            | "currency_not_supported"
            | "do_not_honor_permanent"
            | "revocation_of_authorization"
            | "revocation_of_all_authorizations"
            | "stop_payment_order"
            | "transaction_not_allowed"
            | "new_account_information_available"
            | "no_action_taken" => Self::Hard,
            _ => Self::Other,
        }
    }
}

/// A card, as its owner knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardName {
    /// For example `visa`.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
}

/// A trial that ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialEnding {
    /// The plan's name.
    pub plan: String,
    /// The first instant after it.
    pub ends_at: Timestamp,
    /// What is charged then, and how often; `None`: nothing, the plan ends.
    pub charge: Option<(Money, Interval)>,
    /// The name of the plan afterwards, when nothing is charged.
    pub then: String,
}

/// A plan that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapse {
    /// The name of the plan that ended.
    pub plan: String,
    /// The name of the plan now.
    pub now: String,
    /// Until when what the plan now does not hold is kept, if that was promised.
    pub kept_until: Option<Timestamp>,
}

/// A payment that is overdue, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// The plan's name.
    pub plan: String,
    /// What is owed.
    pub amount: Option<Money>,
    /// What was tried.
    pub card: Option<CardName>,
    /// Why it failed.
    pub reason: Reason,
    /// A page of the provider on which it can be paid.
    pub pay_url: Option<String>,
    /// When it is tried again; `None`: not by itself.
    pub retry_at: Option<Timestamp>,
    /// From when on only reading works; `None`: it does already, or never will.
    pub read_only_at: Option<Timestamp>,
    /// When the plan ends.
    pub ends_at: Option<Timestamp>,
    /// The name of the plan afterwards.
    pub then: String,
}

/// A plan in good order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The plan's name.
    pub plan: String,
    /// When it is paid next.
    pub renews_at: Option<Timestamp>,
}

/// A change that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChanged {
    /// Where it led.
    pub direction: Direction,
    /// The name of the plan before.
    pub from: String,
    /// The name of the plan now.
    pub to: String,
    /// What a whole interval costs.
    pub price: Money,
    /// How often that is paid.
    pub interval: Interval,
    /// When it is paid next.
    pub renews_at: Timestamp,
}

/// Where a change leads. The catalog's order of tiers says so, never an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To a higher tier.
    Up,
    /// To a lower tier.
    Down,
    /// To another interval of the same plan.
    Interval,
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeScheduled {
    /// The name of the plan now.
    pub from: String,
    /// The name of the plan then.
    pub to: String,
    /// How often that is paid.
    pub interval: Interval,
    /// When it takes effect.
    pub at: Timestamp,
}

/// An end that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The plan's name.
    pub plan: String,
    /// When it ends.
    pub at: Timestamp,
    /// The name of the plan afterwards.
    pub then: String,
}

/// A payment that waits for the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The plan's name.
    pub plan: String,
    /// What is to be paid.
    pub amount: Option<Money>,
    /// A page of the provider on which it can be confirmed.
    pub pay_url: Option<String>,
    /// Until when that has an effect, if it is known.
    pub until: Option<Timestamp>,
}

/// Money back, as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Our id of it: what to name when asking.
    pub id: String,
    /// What is asked or given.
    pub amount: Money,
    /// What an operator said to it, for the customer.
    pub note: Option<String>,
}

/// Money back, as an operator has to decide on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundToReview {
    /// Our id of it.
    pub id: String,
    /// The app's id of who asks.
    pub customer: String,
    /// What is asked for.
    pub amount: Money,
    /// What the customer said.
    pub reason: String,
}

/// A payment that a bank takes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeOpened {
    /// The provider's id of it.
    pub id: String,
    /// The app's id of whose payment it is, if that is known.
    pub customer: Option<String>,
    /// What is taken back.
    pub amount: Money,
    /// The bank's word for why.
    pub reason: String,
    /// Until when evidence counts.
    pub due_by: Option<Timestamp>,
}

impl Letter {
    /// The word for its occasion: what it is stored and listed under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TrialEnding(_) => "trial_ending",
            Self::TrialEnded(_) => "trial_ended",
            Self::PaymentFailed(_) => "payment_failed",
            Self::RetryFailed(_) => "retry_failed",
            Self::LastChance(_) => "last_chance",
            Self::AccessLimited(_) => "access_limited",
            Self::GivenUp(_) => "given_up",
            Self::Recovered(_) => "recovered",
            Self::PlanChanged(_) => "plan_changed",
            Self::ChangeScheduled(_) => "change_scheduled",
            Self::ChangeUndone(_) => "change_undone",
            Self::CancelScheduled(_) => "cancel_scheduled",
            Self::CancelUndone(_) => "cancel_undone",
            Self::PlanEnded(_) => "plan_ended",
            Self::ActionRequired(_) => "action_required",
            Self::RefundAsked(_) => "refund_asked",
            Self::RefundToReview(_) => "refund_to_review",
            Self::RefundApproved(_) => "refund_approved",
            Self::RefundRejected(_) => "refund_rejected",
            Self::RefundPaid(_) => "refund_paid",
            Self::RefundFailed(_) => "refund_failed",
            Self::DisputeOpened(_) => "dispute_opened",
        }
    }

    /// Who reads it.
    pub fn reader(&self) -> Reader {
        match self {
            Self::RefundToReview(_) | Self::DisputeOpened(_) => Reader::Operators,
            Self::TrialEnding(_)
            | Self::TrialEnded(_)
            | Self::PaymentFailed(_)
            | Self::RetryFailed(_)
            | Self::LastChance(_)
            | Self::AccessLimited(_)
            | Self::GivenUp(_)
            | Self::Recovered(_)
            | Self::PlanChanged(_)
            | Self::ChangeScheduled(_)
            | Self::ChangeUndone(_)
            | Self::CancelScheduled(_)
            | Self::CancelUndone(_)
            | Self::PlanEnded(_)
            | Self::ActionRequired(_)
            | Self::RefundAsked(_)
            | Self::RefundApproved(_)
            | Self::RefundRejected(_)
            | Self::RefundPaid(_)
            | Self::RefundFailed(_) => Reader::Customer,
        }
    }
}
