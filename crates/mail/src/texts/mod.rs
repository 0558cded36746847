//! Every sentence of every mail, in English, and nowhere else.
//!
//! Rules: say what happened, what it means, what happens next and when, and the one thing to do.
//! No guilt, no exclamation marks, no urgency that is not a date. A promise is only made where the
//! catalog makes it.

mod dunning;
mod plan;
mod refund;
mod trial;

use farthing_core::time::Interval;

use crate::Brand;
use crate::clean::one_line;
use crate::content::{Button, Content};
use crate::letter::{Letter, Reader};

/// How much of a name is greeted, in characters.
const NAME_MAX: usize = 80;

/// What `letter` says to `name`.
pub(crate) fn content(letter: &Letter, name: Option<&str>, brand: &Brand) -> Content {
    let said = said(letter, brand);
    match letter.reader() {
        Reader::Customer => {
            let footer = for_customers(brand);
            Content { greeting: greeting(name), footer, ..said }
        }
        Reader::Operators => {
            let footer = for_operators(brand);
            Content { greeting: greeting(None), footer, ..said }
        }
    }
}

fn said(letter: &Letter, brand: &Brand) -> Content {
    match letter {
        Letter::TrialEnding(trial) => trial::ending(trial, brand),
        Letter::TrialEnded(lapse) => trial::ended(lapse, brand),
        Letter::PaymentFailed(overdue) => dunning::failed(overdue, brand),
        Letter::RetryFailed(overdue) => dunning::retry_failed(overdue, brand),
        Letter::LastChance(overdue) => dunning::last_chance(overdue, brand),
        Letter::AccessLimited(overdue) => dunning::access_limited(overdue, brand),
        Letter::GivenUp(lapse) => dunning::given_up(lapse, brand),
        Letter::Recovered(standing) => dunning::recovered(standing, brand),
        Letter::ActionRequired(due) => dunning::action_required(due, brand),
        Letter::PlanChanged(changed) => plan::changed(changed, brand),
        Letter::ChangeScheduled(change) => plan::scheduled(change, brand),
        Letter::ChangeUndone(standing) => plan::change_undone(standing, brand),
        Letter::CancelScheduled(ending) => plan::cancel_scheduled(ending, brand),
        Letter::CancelUndone(standing) => plan::cancel_undone(standing, brand),
        Letter::PlanEnded(lapse) => plan::ended(lapse, brand),
        Letter::RefundAsked(refund) => refund::asked(refund, brand),
        Letter::RefundToReview(review) => refund::to_review(review),
        Letter::RefundApproved(refund) => refund::approved(refund, brand),
        Letter::RefundRejected(refund) => refund::rejected(refund, brand),
        Letter::RefundPaid(refund) => refund::paid(refund, brand),
        Letter::RefundFailed(refund) => refund::failed(refund, brand),
        Letter::DisputeOpened(dispute) => refund::dispute_opened(dispute),
    }
}

fn greeting(name: Option<&str>) -> String {
    match name.map(|name| one_line(name, NAME_MAX)).filter(|name| !name.is_empty()) {
        Some(name) => format!("Hello {name},"),
        None => "Hello,".to_owned(),
    }
}

fn for_customers(brand: &Brand) -> Vec<String> {
    let app = &brand.app;
    let mut lines = vec![format!("You get this because you have an account at {app}.")];
    lines.extend(brand.support.as_ref().map(|address| format!("Questions? Write to {address}.")));
    lines
}

fn for_operators(brand: &Brand) -> Vec<String> {
    vec![format!(
        "You get this because your address is in FARTHING_MAIL_ADMINS of the Farthing that bills \
         for {}.",
        brand.app
    )]
}

/// The button that leads to where everything can be seen and changed.
fn billing(brand: &Brand) -> Option<Button> {
    Button::to("See your plan", brand.billing_url.as_deref())
}

/// `a month`, as in "$19.00 a month".
fn each(interval: Interval) -> &'static str {
    match interval {
        Interval::Day => "a day",
        Interval::Month => "a month",
        Interval::Year => "a year",
    }
}
