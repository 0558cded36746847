//! What an overdue payment leads to, step by step: full access, then only reading, then the end.

use crate::catalog::DunningPolicy;
use crate::subscription::{Absorbed, Event, Standing, Status, Subscription};
use crate::time::Timestamp;

/// When the next step is due; `None`: nothing is overdue.
pub fn next_step_at(sub: &Subscription, policy: &DunningPolicy) -> Option<Timestamp> {
    if sub.status != Status::Active {
        return None;
    }
    match sub.standing {
        Standing::Good => None,
        Standing::PastDue { since } => Some(policy.full_access.after(since)),
        Standing::ReadOnly { since } => Some(policy.read_only_until.after(since)),
    }
}

/// The step that is due at `now`; `None` when none is. Steps that were slept through follow each
/// other: ask again until there is none.
pub fn step(sub: &Subscription, policy: &DunningPolicy, now: Timestamp) -> Option<Absorbed> {
    if next_step_at(sub, policy).is_none_or(|due| now < due) {
        return None;
    }
    let mut next = sub.clone();
    let event = match sub.standing {
        Standing::Good => return None,
        Standing::PastDue { since } => {
            next.standing = Standing::ReadOnly { since };
            Event::AccessLimited
        }
        Standing::ReadOnly { .. } => {
            next.standing = Standing::Good;
            next.status = Status::Incomplete;
            Event::DunningExhausted
        }
    };
    Some(Absorbed { next, events: vec![event] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{SAMPLE, parse};
    use crate::time::{Interval, Period};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn overdue() -> Subscription {
        let since = at("2027-03-01T00:00:00Z");
        Subscription {
            plan: "growth".into(),
            interval: Interval::Month,
            price: "price_growth".into(),
            currency: "USD".parse().unwrap(),
            status: Status::Active,
            standing: Standing::PastDue { since },
            period: Period { start: at("2027-02-01T00:00:00Z"), end: since },
            anchor: at("2027-02-01T00:00:00Z"),
            cancel_at: None,
            trial_ends_at: None,
            ended_at: None,
            pending: None,
        }
    }

    #[test]
    fn access_shrinks_in_steps_counted_from_the_failure() {
        let policy = parse(SAMPLE).unwrap().dunning;
        let sub = overdue();
        assert_eq!(next_step_at(&sub, &policy), Some(at("2027-03-08T00:00:00Z")));
        assert_eq!(step(&sub, &policy, at("2027-03-07T23:59:59Z")), None);
        let limited = step(&sub, &policy, at("2027-03-08T00:00:00Z")).unwrap();
        assert_eq!(limited.events, [Event::AccessLimited]);
        assert_eq!(limited.next.standing.as_str(), "read_only");
        assert_eq!(next_step_at(&limited.next, &policy), Some(at("2027-03-17T00:00:00Z")));
        let over = step(&limited.next, &policy, at("2027-03-17T00:00:00Z")).unwrap();
        assert_eq!(over.events, [Event::DunningExhausted]);
        assert_eq!((over.next.status, over.next.standing), (Status::Incomplete, Standing::Good));
        assert_eq!(next_step_at(&over.next, &policy), None);
    }

    #[test]
    fn steps_that_were_slept_through_follow_each_other() {
        let policy = parse(SAMPLE).unwrap().dunning;
        let mut sub = overdue();
        let mut steps = 0;
        while let Some(absorbed) = step(&sub, &policy, at("2027-09-01T00:00:00Z")) {
            sub = absorbed.next;
            steps += 1;
        }
        assert_eq!((steps, sub.status), (2, Status::Incomplete));
    }
}
