//! Money back: asked for, decided, paid or not; and taken back by a bank.

use super::billing;
use crate::Brand;
use crate::clean::one_line;
use crate::content::Content;
use crate::letter::{DisputeOpened, Refund, RefundToReview};
use crate::shown::{amount, instant};

pub(super) fn asked(refund: &Refund, brand: &Brand) -> Content {
    Content {
        subject: format!("We have your request for {} back", amount(refund.amount)),
        preview: "A person looks at it. You get a mail when it is decided.".to_owned(),
        title: "We have your request".to_owned(),
        body: vec![
            format!("You asked for {} back at {}.", amount(refund.amount), brand.app),
            "A person looks at it, and you get a mail when it is decided. There is nothing more \
             for you to do."
                .to_owned(),
        ],
        facts: facts(refund),
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn approved(refund: &Refund, brand: &Brand) -> Content {
    Content {
        subject: format!("You get {} back", amount(refund.amount)),
        preview: "Your request was granted.".to_owned(),
        title: "Your refund was granted".to_owned(),
        body: vec![format!(
            "Your request at {} was granted. We send {} back to the card or account that you paid \
             with. You get a mail when that is done.",
            brand.app,
            amount(refund.amount)
        )],
        facts: facts(refund),
        quote: note(refund),
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn rejected(refund: &Refund, brand: &Brand) -> Content {
    let closing = brand.support.as_ref().map(|address| {
        format!("If you see it differently, write to {address} and name {}.", refund.id)
    });
    Content {
        subject: "About your request for a refund".to_owned(),
        preview: "Your request was not granted.".to_owned(),
        title: "Your refund was not granted".to_owned(),
        body: vec![format!(
            "We looked at your request for {} back at {} and cannot grant it. Nothing changes on \
             your account.",
            amount(refund.amount),
            brand.app
        )],
        facts: facts(refund),
        quote: note(refund),
        closing: closing.into_iter().collect(),
        ..Content::default()
    }
}

pub(super) fn paid(refund: &Refund, brand: &Brand) -> Content {
    Content {
        subject: format!("{} is on its way back to you", amount(refund.amount)),
        preview: "Banks take 5 to 10 business days to show it.".to_owned(),
        title: "Your money is on its way".to_owned(),
        body: vec![
            format!(
                "We have sent {} back to the card or account that you paid with at {}.",
                amount(refund.amount),
                brand.app
            ),
            "Banks usually take 5 to 10 business days to show it. On some statements the original \
             payment disappears instead."
                .to_owned(),
        ],
        facts: facts(refund),
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn failed(refund: &Refund, brand: &Brand) -> Content {
    let sum = amount(refund.amount);
    let closing = brand.support.as_ref().map(|address| {
        format!("Please write to {address} and name {}, so that it can reach you.", refund.id)
    });
    Content {
        subject: format!("Your refund of {sum} could not be paid out"),
        preview: "Your bank did not take the money. It is still yours.".to_owned(),
        title: "Your refund could not be paid out".to_owned(),
        body: vec![format!(
            "We tried to send {sum} back to the card or account that you paid with at {}, but the \
             bank did not take it: often because the card or account is closed. The money is still \
             yours.",
            brand.app
        )],
        facts: facts(refund),
        closing: closing.into_iter().collect(),
        ..Content::default()
    }
}

pub(super) fn to_review(review: &RefundToReview) -> Content {
    let RefundToReview { id, customer, amount: sum, reason } = review;
    Content {
        subject: format!("Refund to decide: {} for {customer}", amount(*sum)),
        preview: one_line(reason, 120),
        title: "A refund waits for a decision".to_owned(),
        body: vec![
            "A customer asked for money back. Nothing is paid until somebody approves it."
                .to_owned(),
        ],
        facts: vec![
            ("Customer", customer.clone()),
            ("Amount", amount(*sum)),
            ("Refund", id.clone()),
        ],
        quote: Some(("The customer writes", reason.clone())),
        closing: vec![
            "Decide in the refund queue of the admin panel, or with `farthing refunds`.".to_owned(),
        ],
        ..Content::default()
    }
}

pub(super) fn dispute_opened(dispute: &DisputeOpened) -> Content {
    let DisputeOpened { id, customer, amount: sum, reason, due_by } = dispute;
    let due = due_by.map_or_else(
        || "Answer it in the provider's dashboard.".to_owned(),
        |at| format!("Answer it in the provider's dashboard before {}.", instant(at)),
    );
    let mut facts = vec![("Dispute", id.clone()), ("Amount", amount(*sum))];
    facts.extend(customer.clone().map(|customer| ("Customer", customer)));
    facts.push(("The bank says", one_line(&reason.replace('_', " "), 120)));
    facts.extend(due_by.map(|at| ("Evidence until", instant(at))));
    Content {
        subject: format!("Dispute over {}", amount(*sum)),
        preview: due.clone(),
        title: "A payment is disputed".to_owned(),
        body: vec![
            "A bank has taken a payment back, and holds the money until the dispute is decided."
                .to_owned(),
            format!("{due} Without an answer it is lost."),
        ],
        facts,
        ..Content::default()
    }
}

fn facts(refund: &Refund) -> Vec<(&'static str, String)> {
    vec![("Refund", refund.id.clone()), ("Amount", amount(refund.amount))]
}

fn note(refund: &Refund) -> Option<(&'static str, String)> {
    let note = refund.note.as_deref().filter(|note| !note.trim().is_empty());
    note.map(|note| ("What we want to say to it", note.to_owned()))
}
