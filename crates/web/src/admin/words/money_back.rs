//! Words of refunds and disputes.

pub(crate) mod refunds {
    pub(crate) const TITLE: &str = "Refunds";
    pub(crate) const STATES: &str = "States";
    pub(crate) const ALL_STATES: [(&str, &str); 6] = [
        ("needs_review", "To decide"),
        ("sent", "Sent"),
        ("succeeded", "Done"),
        ("rejected", "Rejected"),
        ("failed", "Failed"),
        ("", "All"),
    ];
    pub(crate) const NONE: &str = "No refunds here";
    pub(crate) const NONE_MORE: &str =
        "What customers ask back and a person has to decide waits here.";
    pub(crate) const OLDER: &str = "Older";
    pub(crate) const WHO: &str = "Customer";
    pub(crate) const ASKED: &str = "Asked for";
    pub(crate) const REASON: &str = "Reason";
    pub(crate) const AGREED: &str = "Agreed";
    pub(crate) const MISSING: &str = "People who have to agree yet";
    pub(crate) const REJECTED: &str = "Rejected by";
    pub(crate) const FAILED: &str = "Failed with";
    pub(crate) const JUDGED: &str = "What the policy said when it was asked for";
    pub(crate) const PAST: &str = "Other refunds of this customer";
    pub(crate) const BACK: &str = "All refunds";
    pub(crate) const DECIDE: &str = "Decide";
    pub(crate) const WHY_NOT: &str = "Why not; the customer reads it";
    pub(crate) const TEMPLATES: [&str; 3] = [
        "The time in which money can come back is over.",
        "More was used than the policy allows for a refund.",
        "This payment was refunded before.",
    ];
    pub(crate) const REJECT: &str = "Reject it";
    pub(crate) const REASON_FIELD: &str = "Reason, at least 10 characters";
    pub(crate) const AMOUNT: &str = "Amount in minor units (cents)";
    pub(crate) const BAD_AMOUNT: &str = "This is not an amount.";
    pub(crate) const AMOUNT_FIX: &str = "Write whole minor units, such as 4900, or leave it empty.";
    pub(crate) const LOOK: &str = "Show what happens";
    pub(crate) const BACK_TO: &str = "Back to the customer; change nothing";
    pub(crate) const MAY: &str = "The policy allows it.";
    pub(crate) const MAY_NOT: &str = "The policy does not allow it.";
    pub(crate) const PAID: &str = "Paid";
    pub(crate) const FOR: &str = "For";
    pub(crate) const BACK_NOW: &str = "Goes back";
    pub(crate) const UNTIL: &str = "Possible until";
    pub(crate) const AGREE: &str = "Who agrees";
    pub(crate) const THEN: &str = "The plan becomes";
    pub(crate) const RULES: &str = "Use since the payment";
    pub(crate) const FINE: &str = "within the rule";
    pub(crate) const TOO_MUCH: &str = "too much";
    pub(crate) const NOBODY: &str = "nobody: it is sent at once";
    pub(crate) const ONE: &str = "one person";
    pub(crate) const TWO: &str = "two people";

    pub(crate) fn state(word: &str) -> &str {
        match word {
            "needs_review" => "to decide",
            "sent" => "sent",
            "waiting" => "the provider waits",
            "succeeded" => "done",
            "rejected" => "rejected",
            "failed" => "failed",
            other => other,
        }
    }

    pub(crate) fn of(amount: &str, name: &str) -> String {
        format!("{amount} back to {name}")
    }

    pub(crate) fn ask_title(name: &str) -> String {
        format!("Money back to {name}")
    }

    pub(crate) fn follows(missing: u8) -> &'static str {
        match missing {
            0 | 1 => {
                "The money goes back to the card it came from, and the customer gets a mail. It cannot be taken back."
            }
            _ => "Another person has to agree after you; only then the money goes back.",
        }
    }

    pub(crate) fn approve(amount: &str, name: &str, missing: u8) -> String {
        match missing {
            0 | 1 => format!("Refund {amount} to {name}"),
            _ => format!("Agree to {amount} for {name}"),
        }
    }

    pub(crate) fn make(amount: &str, name: &str, at_once: bool) -> String {
        if at_once {
            format!("Refund {amount} to {name}")
        } else {
            format!("Ask for {amount} back for {name}")
        }
    }

    pub(crate) fn amount_hint(most: &str) -> String {
        format!("Empty for all of it; at most {most}.")
    }

    pub(crate) fn at(word: &str) -> &str {
        match word {
            "now" => "at once",
            "period_end" => "at the end of the period",
            other => other,
        }
    }

    pub(crate) fn credits(taken: i64, owed: i64) -> String {
        match owed {
            0 => format!("{taken} are taken back"),
            _ => format!("{taken} are taken back, {owed} are owed"),
        }
    }

    pub(crate) fn used(used: i64, limit: i64) -> String {
        format!("{used} used, up to {limit} allowed")
    }
}

pub(crate) mod disputes {
    pub(crate) const TITLE: &str = "Disputes";
    pub(crate) const ABOUT: &str = "A bank takes a payment back because its customer contests it. It is answered in the provider’s dashboard, with what the timeline shows.";
    pub(crate) const WHICH: &str = "Which";
    pub(crate) const OPEN: &str = "Open";
    pub(crate) const ALL: &str = "All";
    pub(crate) const NONE: &str = "No disputes";
    pub(crate) const NONE_MORE: &str = "May it stay so.";
    pub(crate) const OLDER: &str = "Older";
    pub(crate) const WHO: &str = "Customer";
    pub(crate) const REASON: &str = "The bank’s reason";
    pub(crate) const DUE: &str = "To be answered";
    pub(crate) const MONEY: &str = "The money";
    pub(crate) const WITH_BANK: &str = "is with the bank";
    pub(crate) const HERE: &str = "is not with the bank";
    pub(crate) const OPENED: &str = "Opened";
    pub(crate) const CLOSED: &str = "Closed";
    pub(crate) const EVIDENCE: &str = "What happened to this customer";

    pub(crate) fn days(days: i64) -> String {
        match days {
            0 => "today".to_owned(),
            1 => "within 1 day".to_owned(),
            n => format!("within {n} days"),
        }
    }
}
