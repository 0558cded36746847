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
    pub(crate) const REFUND: &str = "Money back…";
    pub(crate) const COMPARE: &str = "Compare with the provider";
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

pub(crate) mod team {
    use farthing_engine::operators::Action;

    pub(crate) const TITLE: &str = "Team";
    pub(crate) const WHO: &str = "Who";
    pub(crate) const ROLE: &str = "Role";
    pub(crate) const SECOND: &str = "Second factor";
    pub(crate) const DO: &str = "To do";
    pub(crate) const ON: &str = "on";
    pub(crate) const OFF: &str = "off";
    pub(crate) const CHANGE: &str = "Change";
    pub(crate) const RESET: &str = "Reset sign-in…";
    pub(crate) const REMOVE: &str = "Remove…";
    pub(crate) const INVITE: &str = "Invite somebody";
    pub(crate) const EMAIL: &str = "E-mail";
    pub(crate) const MAKE_LINK: &str = "Make a link";
    pub(crate) const LINK: &str = "Send this link";
    pub(crate) const LINK_ABOUT: &str =
        "It works once and for three days, for whoever has it. It is not shown again.";
    pub(crate) const PERMISSIONS: &str = "Who may do what";
    pub(crate) const YES: &str = "yes";
    pub(crate) const NO: &str = "–";
    pub(crate) const GONE: &str = "Removed";
    pub(crate) const RESET_ABOUT: &str = "Their second factor and every session end at once. You get a link with which they choose a new password.";
    pub(crate) const REMOVE_ABOUT: &str =
        "Every session ends at once. What they did stays in the audit log under their name.";
    pub(crate) const BACK: &str = "Back to the team; change nothing";

    pub(crate) fn role_of(name: &str) -> String {
        format!("Role of {name}")
    }

    pub(crate) fn reset(name: &str) -> String {
        format!("Reset the sign-in of {name}")
    }

    pub(crate) fn remove(name: &str) -> String {
        format!("Remove {name} from the team")
    }

    pub(crate) fn action(action: Action) -> &'static str {
        match action {
            Action::Look => "Look at everything but secrets",
            Action::Note => "Write notes",
            Action::AskRefund => "Ask for a refund",
            Action::Refund => "Decide and make refunds",
            Action::ChangePlan => "Change, end and resume subscriptions",
            Action::Favour => "Make exceptions, extend trials",
            Action::Repair => "Handle events again, repair drift",
            Action::ApplyCatalog => "Apply a catalog",
            Action::Keys => "Make and revoke API keys",
            Action::Lab => "Move the sandbox’s clock",
            Action::Team => "Change the team",
            Action::Audit => "Read the audit log",
        }
    }
}

pub(crate) mod keys {
    use farthing_engine::keys::Scope;

    pub(crate) const TITLE: &str = "API keys";
    pub(crate) const ABOUT: &str = "What your app calls the API with.";
    pub(crate) const DOCS: &str = "Browse the API";
    pub(crate) const NONE: &str = "No keys yet";
    pub(crate) const NONE_MORE: &str = "Make one below, or on a terminal:";
    pub(crate) const NAME: &str = "Key";
    pub(crate) const SCOPE: &str = "May";
    pub(crate) const MADE: &str = "Made";
    pub(crate) const STATE: &str = "State";
    pub(crate) const REVOKED: &str = "revoked";
    pub(crate) const REVOKE: &str = "Revoke…";
    pub(crate) const NEW: &str = "New key";
    pub(crate) const USED_BY: &str = "What uses it";
    pub(crate) const MAKE: &str = "Make the key";
    pub(crate) const ONCE: &str = "Copy it now. It is not shown again, only its end is kept.";
    pub(crate) const KEPT: &str = "I have kept it";
    pub(crate) const REVOKE_ABOUT: &str =
        "Whatever uses it is refused within five seconds. This cannot be undone.";
    pub(crate) const BACK: &str = "Back to the keys; change nothing";

    pub(crate) fn revoke(name: &str) -> String {
        format!("Revoke the key of {name}")
    }

    pub(crate) fn scope(scope: Scope) -> &'static str {
        match scope {
            Scope::Full => "everything",
            Scope::Read => "read",
            Scope::Usage => "check and consume",
        }
    }
}

pub(crate) mod lab {
    pub(crate) const TITLE: &str = "Sandbox lab";
    pub(crate) const CLOCK: &str = "The clock";
    pub(crate) const ABOUT: &str = "Everything lives by it: the pretend provider, renewals, trials, reminders. It only goes ahead.";
    pub(crate) const DAY: &str = "+1 day";
    pub(crate) const WEEK: &str = "+7 days";
    pub(crate) const MONTH: &str = "+1 month";
    pub(crate) const RENEWAL: &str = "To the next renewal";
    pub(crate) const TRIAL: &str = "To the next end of a trial";
    pub(crate) const HAPPENED: &str = "What happened last";
    pub(crate) const NOTHING: &str = "Nothing yet";
    pub(crate) const NOTHING_MORE: &str = "Make a customer, buy a plan, then move the clock.";
    pub(crate) const NEW: &str = "new";

    pub(crate) fn moved(events: u64) -> String {
        format!("The clock was moved; the provider sent {events} events on the way.")
    }
}

pub(crate) mod drift {
    pub(crate) const TITLE: &str = "Drift";
    pub(crate) const ABOUT: &str = "Where we and the provider differ. Everything is compared once a day, and what can be repaired is.";
    pub(crate) const STATES: &str = "States";
    pub(crate) const ALL_STATES: [(&str, &str); 5] = [
        ("open", "Open"),
        ("repaired", "Repaired"),
        ("gone", "Gone by itself"),
        ("ignored", "May stay"),
        ("", "All"),
    ];
    pub(crate) const NONE: &str = "No differences";
    pub(crate) const NONE_MORE: &str = "Compare right now on a terminal:";
    pub(crate) const OURS: &str = "Ours";
    pub(crate) const THEIRS: &str = "Theirs";
    pub(crate) const REPAIR: &str = "What ends it";
    pub(crate) const BECAUSE: &str = "May stay, because:";
    pub(crate) const ACCEPT: &str = "Repair this customer";
    pub(crate) const IGNORE: &str = "Let it be…";
    pub(crate) const REASON: &str = "Reason, at least 10 characters";
    pub(crate) const LET_BE: &str = "Let it be";
    pub(crate) const OLDER: &str = "Older";

    pub(crate) fn repair(word: &str) -> &str {
        match word {
            "absorb" => "taking over what the provider has",
            "rematerialize" => "writing the limits anew",
            "grant" => "granting the credits that are missing",
            "person" => "a person: there are two ways, and one has to be chosen",
            other => other,
        }
    }

    pub(crate) fn away(since: Option<&str>) -> String {
        let since = since.map(|at| format!(", data from {at}")).unwrap_or_default();
        format!("The provider does not answer{since}. Nothing is compared until it does.")
    }
}
