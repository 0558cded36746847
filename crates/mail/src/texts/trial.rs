//! Before and after the end of a trial.

use super::{billing, each};
use crate::Brand;
use crate::content::Content;
use crate::letter::{Lapse, TrialEnding};
use crate::shown::{amount, day, instant};

pub(super) fn ending(trial: &TrialEnding, brand: &Brand) -> Content {
    let TrialEnding { plan, ends_at, charge, then } = trial;
    let on = day(*ends_at);
    let (next, closing) = match charge {
        Some((money, interval)) => {
            let (sum, each) = (amount(*money), each(*interval));
            (
                format!(
                    "If you do nothing, {plan} goes on and we charge {sum} {each}, plus tax where \
                     it applies, for the first time when the trial ends."
                ),
                "If you do not want to go on, cancel before then. Nothing is charged, and you keep \
                 everything until the trial ends.",
            )
        }
        None => (
            format!("If you do nothing, nothing is charged, and your account goes on with {then}."),
            "To keep what you have, choose a plan before then.",
        ),
    };
    Content {
        subject: format!("Your trial of {plan} ends on {on}"),
        preview: next.clone(),
        title: format!("Your trial ends on {on}"),
        body: vec![format!("Your trial of {plan} at {} ends soon.", brand.app), next],
        facts: facts(trial),
        button: billing(brand),
        closing: vec![closing.to_owned()],
        ..Content::default()
    }
}

fn facts(trial: &TrialEnding) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Plan", trial.plan.clone()), ("Trial ends", instant(trial.ends_at))];
    if let Some((money, _)) = trial.charge {
        facts.push(("First charge", amount(money)));
    }
    facts
}

pub(super) fn ended(lapse: &Lapse, brand: &Brand) -> Content {
    let Lapse { plan, now, kept_until } = lapse;
    let happened = format!(
        "Your trial of {plan} at {} has ended without a payment, so your account is now on {now}.",
        brand.app
    );
    let mut closing = vec![format!("You can choose {plan} again whenever you like.")];
    closing.extend(super::plan::kept(now, *kept_until));
    Content {
        subject: format!("Your trial of {plan} has ended"),
        preview: format!("Your account is now on {now}. Nothing was charged."),
        title: "Your trial has ended".to_owned(),
        body: vec![happened, "Nothing was charged.".to_owned()],
        button: billing(brand),
        closing,
        ..Content::default()
    }
}
