//! A payment that failed, what follows step by step, and its good end.

use super::billing;
use crate::Brand;
use crate::clean::one_line;
use crate::content::{Button, Content};
use crate::letter::{CardName, Due, Lapse, Overdue, Reason, Standing};
use crate::shown::{amount, day, instant};

pub(super) fn failed(overdue: &Overdue, brand: &Brand) -> Content {
    let plan = &overdue.plan;
    let happened = match overdue.amount {
        Some(sum) => {
            format!("We could not charge {} for your plan {plan} at {}.", amount(sum), brand.app)
        }
        None => format!("We could not charge you for your plan {plan} at {}.", brand.app),
    };
    let goes_on = match overdue.read_only_at.or(overdue.ends_at) {
        Some(at) => format!("Everything keeps working until {}.", instant(at)),
        None => "Everything keeps working for now.".to_owned(),
    };
    Content {
        subject: match overdue.reason {
            Reason::AuthenticationRequired => {
                format!("Please confirm your payment for {plan}")
            }
            _ => format!("Your payment for {plan} did not go through"),
        },
        title: "Your payment did not go through".to_owned(),
        body: vec![happened, reason(overdue), goes_on],
        ..asking(overdue, brand)
    }
}

pub(super) fn retry_failed(overdue: &Overdue, brand: &Brand) -> Content {
    let plan = &overdue.plan;
    let next = match overdue.retry_at {
        Some(at) => format!("We try again on {}.", instant(at)),
        None => "We do not try again by ourselves.".to_owned(),
    };
    Content {
        subject: format!("We tried again: your payment for {plan} did not go through"),
        title: "The payment failed again".to_owned(),
        body: vec![
            format!("We tried the payment for your plan {plan} at {} again.", brand.app),
            format!("{} {next}", reason(overdue)),
        ],
        ..asking(overdue, brand)
    }
}

pub(super) fn access_limited(overdue: &Overdue, brand: &Brand) -> Content {
    let plan = &overdue.plan;
    Content {
        subject: "Your account can only be read for now".to_owned(),
        title: "Your account can only be read for now".to_owned(),
        body: vec![
            format!(
                "The payment for your plan {plan} at {} is still missing. You can see everything, \
                 but nothing new can be made.",
                brand.app
            ),
            reason(overdue),
            "As soon as it is paid, everything works again at once.".to_owned(),
        ],
        ..asking(overdue, brand)
    }
}

pub(super) fn last_chance(overdue: &Overdue, brand: &Brand) -> Content {
    let Overdue { plan, then, .. } = overdue;
    let when = overdue.ends_at.map(|at| format!(" on {}", day(at))).unwrap_or_default();
    let exactly = overdue.ends_at.map(|at| format!(" on {}", instant(at))).unwrap_or_default();
    Content {
        subject: format!("{plan} ends{when} unless it is paid"),
        title: format!("Your plan ends{when}"),
        body: vec![
            format!(
                "The payment for your plan {plan} at {} is still missing. Without it, the plan \
                 ends{exactly}, and your account goes on with {then}.",
                brand.app
            ),
            reason(overdue),
            "As soon as it is paid, everything works again at once.".to_owned(),
        ],
        ..asking(overdue, brand)
    }
}

pub(super) fn given_up(lapse: &Lapse, brand: &Brand) -> Content {
    let Lapse { plan, now, kept_until } = lapse;
    let mut closing = vec!["You can choose a plan again whenever you like.".to_owned()];
    closing.extend(super::plan::kept(now, *kept_until));
    Content {
        subject: format!("{plan} has ended because it was not paid"),
        preview: format!("Your account is now on {now}."),
        title: "Your plan has ended".to_owned(),
        body: vec![
            format!(
                "The payment for your plan {plan} at {} did not arrive, so it has ended. Your \
                 account is now on {now}.",
                brand.app
            ),
            "We do not try to charge you for it any more.".to_owned(),
        ],
        button: billing(brand),
        closing,
        ..Content::default()
    }
}

pub(super) fn recovered(standing: &Standing, brand: &Brand) -> Content {
    let plan = &standing.plan;
    let mut facts = vec![("Plan", plan.clone())];
    facts.extend(standing.renews_at.map(|at| ("Paid until", instant(at))));
    Content {
        subject: format!("Thank you, your payment for {plan} arrived"),
        preview: "Everything works as before.".to_owned(),
        title: "Your payment arrived".to_owned(),
        body: vec![format!(
            "The payment for your plan {plan} at {} arrived. Everything works as before, and there \
             is nothing left to do.",
            brand.app
        )],
        facts,
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn action_required(due: &Due, brand: &Brand) -> Content {
    let Due { plan, amount: sum, pay_url, until } = due;
    let what =
        sum.map_or_else(|| "a payment".to_owned(), |sum| format!("a payment of {}", amount(sum)));
    let mut facts = vec![("Plan", plan.clone())];
    facts.extend(sum.map(|sum| ("Amount", amount(sum))));
    facts.extend(until.map(|at| ("Confirm before", instant(at))));
    let url = pay_url.as_deref().or(brand.billing_url.as_deref());
    Content {
        subject: format!("Please confirm your payment for {plan}"),
        preview: "Your bank asks you to confirm it. It takes a minute.".to_owned(),
        title: "Please confirm your payment".to_owned(),
        body: vec![
            format!(
                "Your bank asks you to confirm {what} for your plan {plan} at {}. Until you do, \
                 nothing is charged.",
                brand.app
            ),
            "Open the page below and follow what your bank asks for.".to_owned(),
        ],
        facts,
        button: Button::to("Confirm the payment", url),
        ..Content::default()
    }
}

/// What all mails about an overdue payment have: what is owed, what comes next, what to do.
fn asking(overdue: &Overdue, brand: &Brand) -> Content {
    Content {
        preview: reason(overdue),
        facts: facts(overdue),
        steps: steps(overdue),
        button: button(overdue, brand),
        closing: vec!["Have you paid in the meantime? Then you can ignore this.".to_owned()],
        ..Content::default()
    }
}

fn facts(overdue: &Overdue) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Plan", overdue.plan.clone())];
    facts.extend(overdue.amount.map(|sum| ("Amount", amount(sum))));
    facts.extend(overdue.card.as_ref().map(|card| ("Card", named(card))));
    facts
}

/// `Visa ending in 4242`.
fn named(card: &CardName) -> String {
    let brand = one_line(&card.brand.replace('_', " "), 30);
    let mut letters = brand.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{} ending in {}", letters.as_str(), one_line(&card.last4, 4))
}

/// Why it failed, in words that say whose turn it is.
fn reason(overdue: &Overdue) -> String {
    match overdue.reason {
        Reason::ExpiredCard => "Your card has expired. Please add one that is valid.",
        Reason::InsufficientFunds => {
            "Your bank says that there was not enough money for it on the card or account."
        }
        Reason::AuthenticationRequired => {
            "Your bank wants you to confirm this payment yourself. It takes a minute."
        }
        Reason::Hard => {
            "Your bank has declined this card for good. Please add another one: trying again \
             would not help."
        }
        Reason::Other => {
            "Your bank declined it without saying why. Often another card, or a call to the bank, \
             helps."
        }
    }
    .to_owned()
}

/// What happens next, each with its instant.
fn steps(overdue: &Overdue) -> Vec<(String, String)> {
    let retry = overdue.retry_at.map(|at| (at, "We try the payment again.".to_owned()));
    let read_only = overdue
        .read_only_at
        .map(|at| (at, "If it is still not paid, your account can only be read.".to_owned()));
    let ends = overdue.ends_at.map(|at| {
        (
            at,
            format!("If it is still not paid, your plan ends and you go on with {}.", overdue.then),
        )
    });
    let mut steps: Vec<_> = [retry, read_only, ends].into_iter().flatten().collect();
    steps.sort_by_key(|(at, _)| *at);
    steps.into_iter().map(|(at, what)| (instant(at), what)).collect()
}

/// A new card is added on the billing page; the same card is used on the provider's.
fn button(overdue: &Overdue, brand: &Brand) -> Option<Button> {
    let (pay, billing) = (overdue.pay_url.as_deref(), brand.billing_url.as_deref());
    match overdue.reason {
        Reason::ExpiredCard | Reason::Hard => Button::to("Update your card", billing.or(pay)),
        Reason::AuthenticationRequired => Button::to("Confirm the payment", pay.or(billing)),
        Reason::InsufficientFunds | Reason::Other => Button::to("Pay now", pay.or(billing)),
    }
}
