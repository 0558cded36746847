//! Changes of plan: in force, waiting, undone, ended.

use farthing_core::time::{Interval, Timestamp};

use super::{billing, each};
use crate::Brand;
use crate::content::Content;
use crate::letter::{ChangeScheduled, Direction, Ending, Lapse, PlanChanged, Standing};
use crate::shown::{amount, day, instant};

pub(super) fn changed(changed: &PlanChanged, brand: &Brand) -> Content {
    let PlanChanged { direction, from, to, price, interval, renews_at } = changed;
    let (app, each) = (&brand.app, each(*interval));
    let (subject, happened) = match direction {
        Direction::Up => (
            format!("You are now on {to}"),
            format!("You have moved from {from} to {to} at {app}. It is yours from now on."),
        ),
        Direction::Down => (
            format!("You are now on {to}"),
            format!("As you asked, you have moved from {from} to {to} at {app}."),
        ),
        Direction::Interval => (
            format!("You now pay for {to} {}", once(*interval)),
            format!("Your plan {to} at {app} is now paid {}.", once(*interval)),
        ),
    };
    Content {
        preview: format!("{to}, {} {each}.", amount(*price)),
        title: subject.clone(),
        subject,
        body: vec![happened],
        facts: vec![
            ("Plan", to.clone()),
            ("Price", format!("{} {each}, plus tax where it applies", amount(*price))),
            ("Paid until", instant(*renews_at)),
        ],
        button: billing(brand),
        closing: vec!["What you were charged for the change is on the invoice.".to_owned()],
        ..Content::default()
    }
}

fn once(interval: Interval) -> &'static str {
    match interval {
        Interval::Day => "once a day",
        Interval::Month => "once a month",
        Interval::Year => "once a year",
    }
}

pub(super) fn scheduled(change: &ChangeScheduled, brand: &Brand) -> Content {
    let ChangeScheduled { from, to, interval, at } = change;
    let what = if from == to { format!("{to}, paid {}", once(*interval)) } else { to.clone() };
    let keeps = format!("Until then you keep {from} and everything in it.");
    Content {
        subject: format!("Your plan changes to {what} on {}", day(*at)),
        preview: keeps.clone(),
        title: format!("Your plan changes on {}", day(*at)),
        body: vec![format!("As you asked, your plan at {} changes to {what}.", brand.app), keeps],
        facts: vec![
            ("Plan now", from.clone()),
            ("Plan then", what.clone()),
            ("Changes on", instant(*at)),
        ],
        button: billing(brand),
        closing: vec!["Changed your mind? You can undo this until then.".to_owned()],
        ..Content::default()
    }
}

pub(super) fn change_undone(standing: &Standing, brand: &Brand) -> Content {
    let plan = &standing.plan;
    Content {
        subject: format!("You stay on {plan}"),
        preview: "The change that was planned will not happen.".to_owned(),
        title: format!("You stay on {plan}"),
        body: vec![format!(
            "The change that was planned for your account at {} will not happen. Nothing else \
             changes.",
            brand.app
        )],
        facts: renewal(standing),
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn cancel_scheduled(ending: &Ending, brand: &Brand) -> Content {
    let Ending { plan, at, then } = ending;
    let keeps = format!("Until then you keep {plan} and everything in it.");
    Content {
        subject: format!("{plan} ends on {}", day(*at)),
        preview: format!("{keeps} Nothing more is charged."),
        title: format!("Your plan ends on {}", day(*at)),
        body: vec![
            format!("As you asked, your plan {plan} at {} will end.", brand.app),
            format!("{keeps} It will not renew, and nothing more is charged for it."),
        ],
        facts: vec![
            ("Plan", plan.clone()),
            ("Ends", instant(*at)),
            ("Plan after that", then.clone()),
        ],
        button: billing(brand),
        closing: vec!["Changed your mind? You can undo this until then.".to_owned()],
        ..Content::default()
    }
}

pub(super) fn cancel_undone(standing: &Standing, brand: &Brand) -> Content {
    let plan = &standing.plan;
    Content {
        subject: format!("{plan} goes on"),
        preview: "The cancellation was undone.".to_owned(),
        title: format!("{plan} goes on"),
        body: vec![format!(
            "The cancellation of your plan {plan} at {} was undone. It goes on as before, at the \
             same price.",
            brand.app
        )],
        facts: renewal(standing),
        button: billing(brand),
        ..Content::default()
    }
}

pub(super) fn ended(lapse: &Lapse, brand: &Brand) -> Content {
    let Lapse { plan, now, kept_until } = lapse;
    let mut closing = vec!["You can come back whenever you like.".to_owned()];
    closing.extend(kept(now, *kept_until));
    Content {
        subject: format!("{plan} has ended"),
        preview: format!("Your account is now on {now}."),
        title: format!("{plan} has ended"),
        body: vec![format!(
            "Your plan {plan} at {} has ended, and your account is now on {now}. Nothing more is \
             charged for it.",
            brand.app
        )],
        button: billing(brand),
        closing,
        ..Content::default()
    }
}

/// What the catalog promises about data that the plan now does not hold.
pub(super) fn kept(now: &str, until: Option<Timestamp>) -> Option<String> {
    let until = until?;
    Some(format!("What you have beyond the limits of {now} is kept until {}.", instant(until)))
}

fn renewal(standing: &Standing) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Plan", standing.plan.clone())];
    facts.extend(standing.renews_at.map(|at| ("Paid until", instant(at))));
    facts
}
