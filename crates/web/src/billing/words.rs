//! Every sentence of the billing page, in one place.

use farthing_core::catalog::about_size;
use farthing_core::time::Interval;

// The frame.
pub(super) const BILLING: &str = "Billing";
pub(super) const SKIP: &str = "Skip to the page";
pub(super) const MENU: &str = "Billing";
pub(super) const OVERVIEW: &str = "Overview";
pub(super) const PLANS: &str = "Plans";
pub(super) const PACKS: &str = "Credits";
pub(super) const METHODS: &str = "Payment methods";
pub(super) const INVOICES: &str = "Invoices";
pub(super) const BACK_TO_APP: &str = "Back to the app";
pub(super) const TO_OVERVIEW: &str = "To the overview";
pub(super) const LEAVE: &str = "Sign out";
pub(super) const LEFT_TITLE: &str = "Signed out";
pub(super) const LEFT: &str = "You are signed out of this page.";

// The door.
pub(super) const KNOCK: &str =
    "This link opens your billing page once. It was made for you: keep it to yourself.";
pub(super) const KNOCK_BUTTON: &str = "Open my billing page";
pub(super) const GO_AND_PAY: &str = "You pay on the page of our payment provider.";
pub(super) const GO_ON: &str = "Go on";

// Problems.
pub(super) const SIGNED_OUT: &str = "You are signed out";
pub(super) const SIGNED_OUT_FIX: &str =
    "Nothing was changed. Open billing again from the app: it makes a new link.";
pub(super) const DEAD_LINK: &str = "This link no longer works";
pub(super) const DEAD_LINK_FIX: &str =
    "A link opens once, within 15 minutes. Open billing again from the app: it makes a new one.";
pub(super) const FOREIGN_FORM: &str = "This form is too old";
pub(super) const FOREIGN_FORM_FIX: &str =
    "Nothing was changed. Go back, reload the page, and try again.";
pub(super) const LOOKING_ONLY: &str = "You are looking only: nothing can be changed here.";
pub(super) const LOOKING_ONLY_FIX: &str =
    "Nothing was changed. This session was opened to look, not to act.";
pub(super) const TOO_LONG: &str = "That is too long";
pub(super) const TOO_LONG_FIX: &str = "Nothing was changed. Go back and send less.";
pub(super) const TOO_MANY: &str = "Too many requests";
pub(super) const TOO_MANY_FIX: &str = "Nothing was changed. Wait a moment, then try again.";
pub(super) const NO_PAGE: &str = "There is no such page";
pub(super) const NO_PAGE_FIX: &str =
    "It may have been there before. Everything you have is on the overview.";
pub(super) const BROKEN: &str = "Something went wrong on our side";
pub(super) const BROKEN_FIX: &str =
    "Look at the overview before you try again. If it stays, tell us the number below.";
pub(super) const PROVIDER_AWAY: &str = "Our payment provider does not answer";
pub(super) const PROVIDER_AWAY_FIX: &str = "Nothing was charged. Try again in a minute.";
pub(super) const PROVIDER_REFUSED: &str = "The payment was refused";
pub(super) const NOT_DONE: &str = "That was not done";
pub(super) const REQUEST: &str = "Request";
pub(super) const CHANGE_IN_PROGRESS: &str = "Another change is in progress";
pub(super) const CHANGE_IN_PROGRESS_FIX: &str = "It may be in another tab or on another device. Nothing was changed by this one, and nothing was charged. Wait a moment, then look at the overview.";
pub(super) const PREVIEW_CHANGED: &str = "The amount has changed";
pub(super) const PREVIEW_CHANGED_FIX: &str = "What you saw no longer holds, so nothing was changed and nothing was charged. This is what it costs now.";
pub(super) const OVER_LIMIT: &str = "More is in use than that plan allows";
pub(super) const OVER_LIMIT_FIX: &str = "Nothing was changed. This has to go first, in the app:";

// The overview.
pub(super) const TRIAL: &str = "Trial";
pub(super) const NEXT_CHARGE: &str = "Next charge:";
pub(super) const NO_CHARGE: &str = "Nothing will be charged.";
pub(super) const CHANGES_TO: &str = "Changes to";
pub(super) const CHANGE_PLAN: &str = "Change plan";
pub(super) const SEE_TRIAL: &str = "See the trial";
pub(super) const CANCEL: &str = "Cancel the plan";
pub(super) const KEEP_PLAN: &str = "Keep my plan";
pub(super) const IN_USE: &str = "In use";
pub(super) const NOTHING_COUNTED: &str = "Nothing is counted on this plan.";
pub(super) const RESETS: &str = "starts again on";
pub(super) const CHANGING: &str =
    "A change is being carried out. It is here in a moment: reload the page.";
pub(super) const NOT_PAID: &str = "A payment did not go through";
pub(super) const TRIED_AGAIN: &str = "the payment is tried again";
pub(super) const READ_ONLY_FROM: &str = "from then on you can read everything and add nothing";
pub(super) const PLAN_ENDS: &str = "the plan ends, if it is still not paid";
pub(super) const PAY_NOW: &str = "Pay now";
pub(super) const UPDATE_CARD: &str = "Use another card";
pub(super) const CREDITS_LEFT: &str = "credits left";
pub(super) const BUY_CREDITS: &str = "Buy credits";
pub(super) const BY_EXPIRY: &str = "What expires first";
pub(super) const FROM: &str = "From";
pub(super) const LEFT_OVER: &str = "Left";
pub(super) const EXPIRES: &str = "Expires";
pub(super) const NEVER: &str = "never";

// Plans.
pub(super) const HOW_OFTEN: &str = "How often to pay";
pub(super) const CURRENCY: &str = "Currency";
pub(super) const YOURS: &str = "Your plan";
pub(super) const FREE: &str = "Free";
pub(super) const NOT_SOLD_SO: &str = "not sold this way";
pub(super) const BLOCKED: &str = "Before you can move here:";
pub(super) const OTHER_PLANS: &str = "Look at the plans";
pub(super) const DUE_TODAY: &str = "Due today:";
pub(super) const MADE_OF: &str = "What that is made of";
pub(super) const WHAT: &str = "What";
pub(super) const AMOUNT: &str = "Amount";
pub(super) const AT_ONCE: &str = "The new plan counts at once.";
pub(super) const THEN: &str = "Then";
pub(super) const ON: &str = "on";
pub(super) const NOT_NOW: &str = "Not now";
pub(super) const EXACTLY: &str =
    "You are charged exactly this amount, or nothing. It holds for 15 minutes.";
pub(super) const TO_PAYMENT: &str = "Go to payment";
pub(super) const TRIAL_ENDS: &str = "It ends on";
pub(super) const TRIAL_CANCEL: &str = "Cancel before that and nothing is charged.";
pub(super) const NOT_RUNNING: &str = "there is no running plan to change; nothing was changed";

// Packs.
pub(super) const NO_PACKS: &str = "No credits are sold separately. Plans come with theirs.";
pub(super) const ONCE: &str = "once";
pub(super) const USABLE_UNTIL: &str = "usable until";
pub(super) const USABLE_FOR_GOOD: &str = "they do not expire";

// Payment methods.
pub(super) const NO_CARD: &str =
    "No card is stored. One is stored with your first purchase, or here.";
pub(super) const CARDS_AWAY: &str = "Our payment provider does not answer, so your cards cannot be shown right now. Nothing is wrong with them: try again in a minute.";
pub(super) const ADD_CARD: &str = "Add a card";
pub(super) const CARD_SAFE: &str =
    "Cards are entered and kept at our payment provider. We see the last four digits.";
pub(super) const PAYS: &str = "Pays";

// Invoices.
pub(super) const NO_INVOICES: &str =
    "There are no invoices yet. The first one comes with the first payment.";
pub(super) const OLDER: &str = "Older invoices";
pub(super) const DATE: &str = "Date";
pub(super) const NUMBER: &str = "Number";
pub(super) const STATUS: &str = "Status";
pub(super) const DOCUMENT: &str = "Document";
pub(super) const VIEW: &str = "View and download";
pub(super) const NO_DOCUMENT: &str = "none";

// The trial.
pub(super) const TRIAL_CHARGE: &str = "Then you are charged";
pub(super) const TRIAL_FREE_TO_GO: &str =
    "Cancel before that and nothing is charged. You keep the trial until it ends.";
pub(super) const CANCEL_TRIAL: &str = "Cancel the trial";
pub(super) const TRIAL_NO_CHARGE: &str =
    "It was canceled: nothing will be charged. You keep it until it ends.";
pub(super) const NO_TRIAL: &str = "No trial is running.";

// The end.
pub(super) const NOTHING_TO_CANCEL: &str = "There is no running plan to cancel.";
pub(super) const WHAT_HAPPENS: &str = "What happens";
pub(super) const NO_MORE_CHARGES: &str = "Nothing more is charged.";
pub(super) const DATA_STAYS: &str = "What you made stays yours, and credits that you bought stay.";
pub(super) const UNDO_UNTIL: &str = "You can take it back here until then, with one click.";
pub(super) const WHY: &str = "Why do you leave? You need not say.";
pub(super) const COMMENT: &str = "Anything that we should know (optional)";
pub(super) const CANCEL_NOW: &str = "Cancel the plan";
/// Why people leave: the word that is kept, and the sentence.
pub(super) const REASONS: [(&str, &str); 8] = [
    ("too_expensive", "It costs too much"),
    ("missing_features", "Something I need is missing"),
    ("switched_service", "I use something else now"),
    ("unused", "I do not use it enough"),
    ("customer_service", "I was not helped well"),
    ("too_complex", "It is too hard to use"),
    ("low_quality", "It is not good enough"),
    ("other", "Something else"),
];

// The result of a purchase.
pub(super) const THANKS: &str = "Thank you";
pub(super) const PAID: &str = "Paid:";
pub(super) const CREDITS_ARRIVED: &str = "Your credits are there";
pub(super) const UNLOCKED: &str = "You now have";
pub(super) const WAITING: &str = "Waiting for your payment";
pub(super) const WAITING_TEXT: &str =
    "Your bank has not said yes yet. That takes a few seconds as a rule.";
pub(super) const SLOW_BANK: &str = "Your bank takes its time. We'll e-mail you as soon as the payment is there; you can close this page.";
pub(super) const LOOK_AGAIN: &str = "Look now";
pub(super) const TURNED_BACK: &str = "Nothing was charged";
pub(super) const NOTHING_CHARGED: &str = "You left before the payment. Nothing was bought.";
pub(super) const BACK_TO_PAYMENT: &str = "Back to the payment";
pub(super) const EXPIRED: &str = "The payment page has closed";
pub(super) const EXPIRED_FIX: &str = "Nothing was charged. Start again when you are ready.";
pub(super) const FAILED: &str = "The purchase did not work";
pub(super) const TRY_AGAIN: &str = "Look at the plans";

/// What was just done; `None` for a word that we did not write into an address.
pub(super) fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "changed" => "Done. Your new plan counts from now on.",
        "scheduled" => "It is scheduled. You keep your plan until then.",
        "pending" => "The payment is on its way. The change counts once it is there.",
        "canceled" => {
            "Your plan is canceled and will not be charged again. You can take that back until it ends."
        }
        "resumed" => "Nothing ends: you keep your plan.",
        "card_added" => "The card is stored. It pays from now on.",
        "card_not_added" => "No card was stored. Nothing was changed.",
        "card_chosen" => "That card pays from now on.",
        "card_removed" => "The card is gone.",
        _ => return None,
    })
}

/// A message of the engine as a sentence: a capital at its beginning, a stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

/// `ai_prompts` as `Ai prompts`.
pub(super) fn title(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut chars = words.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", chars.as_str())
}

/// `12,000`, or `10 GB`.
pub(super) fn amount(n: i64, bytes: bool) -> String {
    if bytes {
        return about_size(n.max(0));
    }
    let digits = n.unsigned_abs().to_string();
    let mut text = if n < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn every(interval: Interval) -> &'static str {
    match interval {
        Interval::Day => "Paid every day",
        Interval::Month => "Paid every month",
        Interval::Year => "Paid every year",
    }
}

pub(super) fn how_often(word: &str) -> &'static str {
    if word == "year" { "Pay yearly" } else { "Pay monthly" }
}

pub(super) fn per(word: &str) -> String {
    format!("per {word}")
}

pub(super) fn switch_to(word: &str) -> String {
    format!("{} instead", how_often(word))
}

pub(super) fn choose(plan: &str) -> String {
    format!("Choose {plan}")
}

pub(super) fn buy(pack: &str) -> String {
    format!("Buy {pack}")
}

pub(super) fn move_to(plan: &str) -> String {
    format!("Move to {plan}")
}

pub(super) fn now_on(plan: &str) -> String {
    format!("Now: {plan}")
}

pub(super) fn then_on(plan: &str) -> String {
    format!("With {plan}")
}

pub(super) fn pay_and_change(amount: &str) -> String {
    format!("Pay {amount} and change now")
}

pub(super) fn confirm_change(plan: &str) -> String {
    format!("Change to {plan}")
}

pub(super) fn keep_until(plan: &str) -> String {
    format!("You keep {plan} until")
}

pub(super) fn after_that(plan: &str) -> String {
    format!("After that you are on {plan}.")
}

pub(super) fn ends_on(plan: &str) -> String {
    format!("Your plan is canceled. You move to {plan} on")
}

pub(super) fn trial_of(days: i64) -> String {
    if days == 1 { "1 day free.".to_owned() } else { format!("{days} days free.") }
}

pub(super) fn trial_on(plan: &str) -> String {
    format!("Your trial of {plan} ends on")
}

pub(super) fn trial_begun(plan: &str) -> String {
    format!("Your trial of {plan} has begun")
}

pub(super) fn reminder(days: i64) -> String {
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    format!("We'll remind you by e-mail {days} before.")
}

pub(super) fn you_are_on(plan: &str) -> String {
    format!("You are on {plan}")
}

pub(super) fn in_(distance: &str) -> String {
    format!("in {distance}")
}

pub(super) fn used_of(used: &str, limit: &str) -> String {
    format!("{used} of {limit}")
}

pub(super) fn used(used: &str) -> String {
    format!("{used}, no limit")
}

pub(super) fn over(by: &str) -> String {
    format!("{by} more than your plan allows: nothing new can be added.")
}

pub(super) fn limited(name: &str, limit: &str) -> String {
    format!("{name}: {limit}")
}

pub(super) fn unlimited(name: &str) -> String {
    format!("{name}: no limit")
}

pub(super) fn plan_credits(amount: &str, name: &str, every: &str) -> String {
    format!("{amount} {} credits every {every}", name.replace('_', " "))
}

pub(super) fn pack_credits(amount: &str, name: &str) -> String {
    format!("{amount} {} credits", name.replace('_', " "))
}

pub(super) fn credits_of(name: &str) -> String {
    format!("{} credits", title(name))
}

pub(super) fn debt(amount: &str) -> String {
    format!("{amount} credits are owed: money for them went back. New credits pay that first.")
}

pub(super) fn source(word: &str) -> &'static str {
    match word {
        "plan" => "Your plan",
        "pack" => "Bought",
        "signup" => "Welcome gift",
        _ => "Given by us",
    }
}

pub(super) fn spent_first(spend: &[&str]) -> String {
    let names: Vec<String> = spend.iter().map(|word| source(word).to_lowercase()).collect();
    format!("Spent in this order: {}; within each, what expires first.", names.join(", then "))
}

pub(super) fn not_paid(amount: &str) -> String {
    format!("{amount} could not be collected")
}

/// Why a payment failed, in plain words, without blame.
pub(super) fn decline(code: Option<&str>) -> &'static str {
    match code {
        Some("expired_card") => "The card has expired. Another one solves it.",
        Some("insufficient_funds") => "There was not enough money on the account at that moment.",
        Some("authentication_required") => "Your bank wants you to confirm the payment.",
        Some("lost_card" | "stolen_card" | "pickup_card") => {
            "The card can no longer be used. Another one solves it."
        }
        Some("incorrect_cvc" | "invalid_cvc") => "The card's security code did not match.",
        _ => {
            "Your bank declined the payment and did not say why. Another card solves it as a rule."
        }
    }
}

pub(super) fn card(brand: Option<&str>, last4: Option<&str>, kind: &str) -> String {
    match (brand, last4) {
        (Some(brand), Some(last4)) => format!("{} ending in {last4}", title(brand)),
        _ => title(kind),
    }
}

pub(super) fn expires(month: i64, year: i64) -> String {
    format!("expires {month:02}/{year}")
}

pub(super) fn pay_with(card: &str) -> String {
    format!("Pay with {card}")
}

pub(super) fn remove(card: &str) -> String {
    format!("Remove {card}")
}

pub(super) fn invoice_status(word: &str) -> &'static str {
    match word {
        "paid" => "Paid",
        "open" => "To pay",
        "draft" => "Being prepared",
        "void" => "Void",
        "uncollectible" => "Given up",
        _ => "Unknown",
    }
}

pub(super) fn looks_again(seconds: u32) -> String {
    format!("This page looks again every {seconds} seconds, for a minute.")
}

pub(super) fn failure(code: Option<&str>) -> &'static str {
    match code {
        Some("trial_used") => {
            "This card has had a trial before, so there is no second one. Nothing was charged: you can buy the plan without a trial."
        }
        _ => {
            "The payment did not arrive, so nothing was bought and nothing is charged. Try again, or with another card."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_written_for_people() {
        assert_eq!(amount(12_345_678, false), "12,345,678");
        assert_eq!(amount(-1_000, false), "-1,000");
        assert_eq!(amount(7, false), "7");
        assert_eq!(amount(10_000_000_000, true), "10 GB");
        assert_eq!(title("providers_per_prompt"), "Providers per prompt");
        assert_eq!(sentence("nothing was changed"), "Nothing was changed.");
        assert_eq!(sentence(""), ".");
    }
}
