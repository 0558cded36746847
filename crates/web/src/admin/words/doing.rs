//! Words of what is looked at and done: customers, catalog, events.

pub(crate) mod customer {
    use farthing_core::catalog::Limit;

    pub(crate) const SINCE: &str = "customer since";
    pub(crate) const PLAN: &str = "Plan";
    pub(crate) const PAID: &str = "Paid";
    pub(crate) const CURRENCY: &str = "Currency";
    pub(crate) const REVISION: &str = "Revision";
    pub(crate) const STATUS: &str = "Status";
    pub(crate) const PERIOD: &str = "Period";
    pub(crate) const TRIAL_ENDS: &str = "Trial ends";
    pub(crate) const ENDS: &str = "Ends";
    pub(crate) const WILL_BE: &str = "Will become";
    pub(crate) const NO_SUBSCRIPTION: &str =
        "There is no subscription that could be changed. A plan is bought through a checkout.";
    pub(crate) const CHANGE: &str = "Change the plan";
    pub(crate) const TO_PLAN: &str = "To";
    pub(crate) const LOOK_FIRST: &str = "Show what it costs";
    pub(crate) const RESUME: &str = "Take back what is scheduled";
    pub(crate) const CANCEL: &str = "End with the period";
    pub(crate) const CANCEL_NOW: &str = "End at once";
    pub(crate) const LIMITS: &str = "Limits";
    pub(crate) const OVERRIDES: &str = "Exceptions";
    pub(crate) const NEW_OVERRIDE: &str = "Make an exception";
    pub(crate) const END_IT: &str = "End";
    pub(crate) const UNTIL: &str = "until";
    pub(crate) const NOT_INCLUDED: &str = "not in this plan";
    pub(crate) const INCLUDED: &str = "included";
    pub(crate) const UNLIMITED: &str = "unlimited";
    pub(crate) const RESETS: &str = "starts again";
    pub(crate) const CREDITS: &str = "Credits";
    pub(crate) const DEBT: &str = "owed:";
    pub(crate) const INVOICES: &str = "Invoices";
    pub(crate) const NO_INVOICES: &str = "None yet.";
    pub(crate) const DATE: &str = "Date";
    pub(crate) const TOTAL: &str = "Total";
    pub(crate) const HAPPENED: &str = "What happened";
    pub(crate) const PARTS: &str = "Parts of the timeline";
    pub(crate) const NOTHING_HERE: &str = "Nothing of this kind on this page.";
    pub(crate) const OLDER: &str = "Older";
    pub(crate) const NEWEST: &str = "Back to the newest";
    pub(crate) const NOTES: &str = "Notes";
    pub(crate) const NEW_NOTE: &str = "New note";
    pub(crate) const KEEP_NOTE: &str = "Keep the note";

    pub(crate) fn each(interval: &str) -> String {
        match interval {
            "month" => "each month".to_owned(),
            "year" => "each year".to_owned(),
            "day" => "each day".to_owned(),
            other => other.to_owned(),
        }
    }

    pub(crate) fn used(used: i64, limit: Option<i64>) -> String {
        match limit {
            Some(limit) => format!("{used} of {limit} used"),
            None => format!("{used} used, unlimited"),
        }
    }

    pub(crate) fn limit(limit: &Limit) -> String {
        match limit {
            Limit::Switch(true) => "on".to_owned(),
            Limit::Switch(false) => "off".to_owned(),
            Limit::Amount(amount) => amount.to_string(),
            Limit::Unlimited => UNLIMITED.to_owned(),
        }
    }
}

pub(crate) mod change {
    pub(crate) const WHO: &str = "Customer";
    pub(crate) const TO: &str = "To";
    pub(crate) const WHEN: &str = "Takes effect";
    pub(crate) const NOW: &str = "Charged now";
    pub(crate) const NEXT: &str = "Next charge";
    pub(crate) const LINES: &str = "What that is made of";
    pub(crate) const BLOCKED: &str = "This has to go first; nothing was changed:";
    pub(crate) const BACK: &str = "Back to the customer; change nothing";

    pub(crate) fn title(what: &str, name: &str) -> String {
        match what {
            "cancel" => format!("End the subscription of {name} with its period"),
            "cancel_now" => format!("End the subscription of {name} at once"),
            "resume" => format!("Take back what is scheduled for {name}"),
            _ => format!("Change the plan of {name}"),
        }
    }

    pub(crate) fn button(what: &str, amount: &str, minor: i64, name: &str) -> String {
        match what {
            "cancel" => format!("End it with the period for {name}"),
            "cancel_now" => format!("End it now for {name}"),
            "resume" => format!("Keep the subscription of {name}"),
            _ if 0 < minor => format!("Charge {amount} to {name} and change the plan"),
            _ => format!("Change the plan of {name}"),
        }
    }
}

pub(crate) mod favour {
    pub(crate) const TITLE: &str = "Exception for";
    pub(crate) const ABOUT: &str =
        "It counts instead of what the plan says, until it ends. No mail is sent.";
    pub(crate) const FEATURE: &str = "Feature";
    pub(crate) const LIMIT: &str = "Limit";
    pub(crate) const LIMIT_HINT: &str =
        "Write a whole number, “unlimited”, or on and off for what is switched.";
    pub(crate) const BAD_LIMIT: &str = "This is not a limit.";
    pub(crate) const REASON: &str = "Reason, for the timeline";
    pub(crate) const UNTIL: &str = "Until (UTC)";
    pub(crate) const UNTIL_HINT: &str =
        "The first day on which it no longer counts, as 2027-01-31; empty for good.";
    pub(crate) const BAD_DAY: &str = "This is not a day.";
    pub(crate) const SUBMIT: &str = "Make the exception";
    pub(crate) const BACK: &str = "Back to the customer; change nothing";

    pub(crate) fn now(limit: Option<i64>) -> String {
        limit.map_or_else(|| "now unlimited".to_owned(), |limit| format!("now {limit}"))
    }
}

pub(crate) mod catalog {
    pub(crate) use super::customer::{UNLIMITED, each};

    pub(crate) const TITLE: &str = "Catalog";
    pub(crate) const VERSION: &str = "Version";
    pub(crate) const SOURCE: &str = "The file";
    pub(crate) const VERSIONS: &str = "Versions";
    pub(crate) const APPLIED: &str = "Applied";
    pub(crate) const BY: &str = "By";
    pub(crate) const FREE: &str = "free";
    pub(crate) const EDIT: &str =
        "Change it here, then look at what that does. Nothing happens before.";
    pub(crate) const COMPARE: &str = "Show what would change";
    pub(crate) const DIFF: &str = "What would change";
    pub(crate) const SAME: &str = "Nothing would change";
    pub(crate) const SAME_MORE: &str = "This is the catalog in force.";
    pub(crate) const BLOCKED: &str =
        "It takes away what customers have, and was not applied. Do what the marked lines say.";
    pub(crate) const NOT_POSSIBLE: &str = "Not possible:";
    pub(crate) const MISTAKES: &str = "It cannot be used; nothing was changed.";
    pub(crate) const LINE: &str = "Line";
    pub(crate) const BACK: &str = "Back to the catalog; change nothing";

    pub(crate) fn trial(days: i64) -> String {
        format!("trial of {days} days")
    }

    pub(crate) fn apply(n: usize) -> String {
        if n == 1 { "Apply this change".to_owned() } else { format!("Apply these {n} changes") }
    }
}

pub(crate) mod events {
    pub(crate) const TITLE: &str = "Events in";
    pub(crate) const STATES: &str = "States";
    pub(crate) const ALL_STATES: [(&str, &str); 6] = [
        ("", "All"),
        ("received", "Being worked on"),
        ("done", "Applied"),
        ("ignored", "Ignored"),
        ("quarantined", "Set aside"),
        ("dead", "Given up"),
    ];
    pub(crate) const NONE: &str = "No events here";
    pub(crate) const NONE_MORE: &str = "What the payment provider tells is stored here first.";
    pub(crate) const WHAT: &str = "Event";
    pub(crate) const STATE: &str = "State";
    pub(crate) const WHOSE: &str = "Customer";
    pub(crate) const NOBODYS: &str = "nobody’s";
    pub(crate) const CAME: &str = "Came";
    pub(crate) const OLDER: &str = "Older";
    pub(crate) const WHY: &str = "Why";
    pub(crate) const OURS: &str = "Our id";
    pub(crate) const THEIRS: &str = "The provider’s id";
    pub(crate) const MADE: &str = "Made";
    pub(crate) const ENDED: &str = "Handled";
    pub(crate) const TRIES: &str = "Tries";
    pub(crate) const RAW: &str = "As it came; its signature was verified";
    pub(crate) const BACK: &str = "All events";
    pub(crate) const LOOK: &str = "Handle it again…";
    pub(crate) const REPLAY_TITLE: &str = "Handle again:";
    pub(crate) const IGNORED: &str = "It does not concern us: nothing would change.";
    pub(crate) const SET_ASIDE: &str = "It would be set aside again:";
    pub(crate) const NO_EFFECT: &str = "What it says is known already: nothing would change.";
    pub(crate) const EFFECT: &str =
        "It would have an effect. What has had its effect has none again.";
    pub(crate) const WOULD: &str = "This would be written";
    pub(crate) const REPLAY: &str = "Handle it again";
    pub(crate) const REPLAYED: &str =
        "It is handled again now. Load the page once more to see how it went.";
    pub(crate) const BACK_TO: &str = "Back to the event; do nothing";
}
