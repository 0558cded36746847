//! Words of what is looked at.

pub(crate) mod frame {
    use farthing_engine::Mode;

    pub(crate) const SKIP: &str = "Skip to the page";
    pub(crate) const NAVIGATION: &str = "Admin";
    pub(crate) const SIGN_OUT: &str = "Sign out";
    pub(crate) const HOME: &str = "Home";
    pub(crate) const CUSTOMERS: &str = "Customers";
    pub(crate) const REFUNDS: &str = "Refunds";
    pub(crate) const DISPUTES: &str = "Disputes";
    pub(crate) const CATALOG: &str = "Catalog";
    pub(crate) const EVENTS: &str = "Events in";
    pub(crate) const OUTBOX: &str = "Events out";
    pub(crate) const CHECKS: &str = "Checks";
    pub(crate) const DRIFT: &str = "Drift";
    pub(crate) const LAB: &str = "Sandbox lab";
    pub(crate) const KEYS: &str = "API keys";
    pub(crate) const TEAM: &str = "Team";
    pub(crate) const AUDIT: &str = "Audit log";

    pub(crate) fn mode(mode: Mode) -> &'static str {
        match mode {
            Mode::Sandbox => "Sandbox: a pretend provider, no real money.",
            Mode::Test => "Test mode: no real money.",
            Mode::Live => "",
        }
    }
}

pub(crate) mod refused {
    use farthing_engine::operators::Role;

    pub(crate) const FORBIDDEN: &str = "Not for your role";
    pub(crate) const ASK_AN_OWNER: &str = "Nothing was changed. An owner can give you that role.";
    pub(crate) const FOREIGN_FORM: &str = "This form is not ours, or too old";
    pub(crate) const FOREIGN_FORM_FIX: &str =
        "Nothing was changed. Open the page again and send the form from there.";
    pub(crate) const TOO_LONG: &str = "That is too long";
    pub(crate) const TOO_LONG_FIX: &str = "Nothing was changed. Send at most 256 KiB.";
    pub(crate) const NOT_THERE: &str = "There is nothing here";
    pub(crate) const NO_PAGE_FIX: &str = "The address may be mistyped, or what it showed is gone.";
    pub(crate) const DEAD_LINK: &str = "This link does not work";
    pub(crate) const DEAD_LINK_FIX: &str = "A link works once and not for long. Ask for a new one: an owner makes it under Team, whoever runs the server with `farthing admin link`.";
    pub(crate) const TOO_MANY: &str = "Too many wrong tries";
    pub(crate) const PROVIDER_AWAY: &str = "The payment provider cannot be reached";
    pub(crate) const BROKEN: &str = "Something broke";
    pub(crate) const BROKEN_FIX: &str =
        "This is not your mistake. The log says more under the id below; try again in a moment.";
    pub(crate) const NOT_DONE: &str = "That was not done";
    pub(crate) const REQUEST: &str = "Request";
    pub(crate) const BACK: &str = "Home";

    pub(crate) fn forbidden(roles: &[Role]) -> String {
        let roles: Vec<&str> = roles.iter().map(|role| super::super::role_name(*role)).collect();
        format!("This takes one of the roles: {}.", roles.join(", "))
    }

    pub(crate) fn too_many(seconds: u64) -> String {
        format!("Nothing was changed. Wait {seconds} s, then try again.")
    }
}

pub(crate) mod home {
    pub(crate) const TITLE: &str = "Home";
    pub(crate) const NEEDS: &str = "Needs you";
    pub(crate) const NOTHING: &str = "Nothing needs you.";
    pub(crate) const NOTHING_MORE: &str =
        "Refunds to decide, disputes, dead events and drift would be here.";
    pub(crate) const REFUNDS: &str = "refunds to decide";
    pub(crate) const DISPUTES: &str = "disputes to answer";
    pub(crate) const DRIFT: &str = "differences from the provider";
    pub(crate) const DEAD: &str = "events gave up";
    pub(crate) const QUARANTINED: &str = "events set aside";
    pub(crate) const PAST_DUE: &str = "customers past due";
    pub(crate) const READ_ONLY: &str = "customers may only read";
    pub(crate) const ALERTS: &str = "Alerts";
    pub(crate) const SOON: &str = "In numbers";
    pub(crate) const CUSTOMERS: &str = "Customers";
    pub(crate) const TRIALS: &str = "On trial";
    pub(crate) const WAITING: &str = "Events being worked on";
    pub(crate) const CLOCK: &str = "Time here (UTC)";
}

pub(crate) mod customers {
    pub(crate) const TITLE: &str = "Customers";
    pub(crate) const SEARCH: &str = "Id, e-mail or name";
    pub(crate) const FIND: &str = "Find";
    pub(crate) const ANY: &str = "any";
    pub(crate) const WHO: &str = "Customer";
    pub(crate) const PLAN: &str = "Plan";
    pub(crate) const STANDING: &str = "Payments";
    pub(crate) const SINCE: &str = "Since";
    pub(crate) const TRIAL: &str = "Trial";
    pub(crate) const ON_TRIAL: &str = "on trial";
    pub(crate) const GOOD: &str = "in order";
    pub(crate) const PAST_DUE: &str = "past due";
    pub(crate) const READ_ONLY: &str = "only reading";
    pub(crate) const MORE: &str = "More";
    pub(crate) const ALL: &str = "Show everybody";
    pub(crate) const NOBODY_SUCH: &str = "Nobody fits what you asked for.";
    pub(crate) const NOBODY: &str = "No customers yet";
    pub(crate) const NOBODY_YET: &str = "Your app makes them, with its own ids:";
}

pub(crate) mod timeline {
    pub(crate) const ALL: &str = "Everything";
    pub(crate) const MONEY: &str = "Money";
    pub(crate) const ACCESS: &str = "Access";
    pub(crate) const STAFF: &str = "Team";
    pub(crate) const PROVIDER: &str = "Provider";
    pub(crate) const BY: &str = "by";
    pub(crate) const COUNTS: &str = "Counts from";
    pub(crate) const WHY: &str = "Because:";
    pub(crate) const INSIDE: &str = "Inside";
    pub(crate) const ACTION: &str = "Action";
    pub(crate) const ACTOR: &str = "Actor";
    pub(crate) const CAUSE: &str = "Occasion";
    pub(crate) const EVENT: &str = "Open the event";
    pub(crate) const FROM: &str = "Before";
    pub(crate) const TO: &str = "After";
    pub(crate) const RAW: &str = "The event as it came";

    pub(crate) fn app(key: &str) -> String {
        format!("the app ({key})")
    }

    pub(crate) fn provider(name: &str) -> String {
        match name {
            "stripe" => "Stripe".to_owned(),
            other => other.to_owned(),
        }
    }

    pub(crate) fn machine(actor: &str) -> String {
        match actor {
            "job" => "Farthing, on schedule".to_owned(),
            "cli" => "the command line".to_owned(),
            other => other.to_owned(),
        }
    }
}

pub(crate) mod outbox {
    pub(crate) const TITLE: &str = "Events out";
    pub(crate) const ABOUT: &str =
        "What the app is told. Most apps need one: customer.state_changed.";
    pub(crate) const NONE: &str = "Nothing was told yet";
    pub(crate) const NONE_MORE: &str = "Every change of a customer is written here with it.";
    pub(crate) const WHAT: &str = "Event";
    pub(crate) const WHOSE: &str = "Customer";
    pub(crate) const WHEN: &str = "When";
    pub(crate) const INSIDE: &str = "Content";
    pub(crate) const DATA: &str = "Data";
    pub(crate) const OLDER: &str = "Older";
}

pub(crate) mod checks {
    pub(crate) const TITLE: &str = "Checks";
    pub(crate) const ID: &str = "Id";
    pub(crate) const WHAT: &str = "What must be true";
    pub(crate) const RESULT: &str = "Now";
    pub(crate) const HOLDS: &str = "holds";
    pub(crate) const BROKEN: &str = "broken";

    pub(crate) fn all_hold(n: usize) -> String {
        format!("All {n} hold. The same on a terminal: farthing check")
    }

    pub(crate) fn broken(n: usize) -> String {
        format!("{n} are broken. Repair the cause first, then compare with the provider.")
    }
}

pub(crate) mod audit {
    pub(crate) const TITLE: &str = "Audit log";
    pub(crate) const ABOUT: &str = "Who did what. Each row carries the hash of the one before, so that a change or a gap is found by `farthing check`.";
    pub(crate) const CUSTOMER: &str = "Customer's id, or nothing for the system's log";
    pub(crate) const SHOW: &str = "Show";
    pub(crate) const NONE: &str = "Nothing is written here";
    pub(crate) const NONE_MORE: &str = "There is no entry under this id.";
    pub(crate) const WHAT: &str = "What";
    pub(crate) const ON: &str = "On";
    pub(crate) const WHO: &str = "Who";
    pub(crate) const WHEN: &str = "When";
    pub(crate) const OLDER: &str = "Older";
}

pub(crate) mod help {
    pub(crate) const TITLE: &str = "Shortcuts";
    pub(crate) const ABOUT: &str =
        "They need scripts; everything can be reached with Tab and Enter without them.";
    pub(crate) const KEYS: [(&str, &str); 9] = [
        ("Ctrl K", "Find a customer"),
        ("/", "To the search field of this page"),
        ("g h", "Home"),
        ("g c", "Customers"),
        ("g r", "Refunds"),
        ("g e", "Events in"),
        ("j  k", "Next and previous row of a list"),
        ("a  r  e", "To approve, reject or ask, on a refund"),
        ("?", "This page"),
    ];
}
