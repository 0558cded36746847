use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn month(n: u32) -> Period {
    let start = |n: u32| at(&format!("2027-{n:02}-10T00:00:00Z"));
    Period { start: start(n), end: start(n + 1) }
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn running(status: Status, standing: Standing, cancel_at: Option<Timestamp>) -> Subscription {
    Subscription {
        plan: "starter".into(),
        interval: Interval::Month,
        price: "price_starter".into(),
        currency: usd(),
        status,
        standing,
        period: month(1),
        anchor: month(1).start,
        cancel_at,
        trial_ends_at: (status == Status::Trialing).then_some(month(1).end),
        ended_at: (status == Status::Canceled).then_some(month(1).end),
        pending: None,
    }
}

fn paid(plan: &str, period: Period, prorated: bool) -> PaidPeriod {
    PaidPeriod {
        invoice: format!("in_{plan}_{}", period.start),
        plan: plan.into(),
        interval: Interval::Month,
        price: format!("price_{plan}"),
        amount: Money::new(1900, usd()),
        period,
        prorated,
    }
}

fn seen(status: ProviderStatus, payment: Payment, paid: Option<PaidPeriod>) -> Seen {
    let paid: Vec<PaidPeriod> = paid.into_iter().collect();
    Seen {
        status,
        plan: "starter".into(),
        interval: Interval::Month,
        price: "price_starter".into(),
        currency: usd(),
        anchor: month(1).start,
        cancel_at: None,
        ended_at: None,
        trial: None,
        pending: None,
        payment,
        paid,
    }
}

/// The provider is on what was paid for.
fn upgraded(paid: PaidPeriod) -> Seen {
    let (plan, price) = (paid.plan.clone(), paid.price.clone());
    Seen { plan, price, ..seen(ProviderStatus::Running, Payment::NoneDue, Some(paid)) }
}

fn sightings() -> Vec<(&'static str, Seen)> {
    use Payment::*;
    use ProviderStatus::*;
    let upgrade = Period { start: at("2027-01-20T00:00:00Z"), end: month(1).end };
    vec![
        ("incomplete", seen(Incomplete, Waiting, None)),
        ("trialing", Seen { trial: Some(month(1)), ..seen(Trialing, NoneDue, None) }),
        ("paid this period", seen(Running, NoneDue, Some(paid("starter", month(1), false)))),
        ("next period draft", seen(Running, Waiting, None)),
        ("next period failed", seen(Running, Failed, None)),
        ("next period paid", seen(Running, NoneDue, Some(paid("starter", month(2), false)))),
        ("upgrade paid", upgraded(paid("growth", upgrade, true))),
        ("old upgrade paid", seen(Running, NoneDue, Some(paid("growth", upgrade, true)))),
        (
            "cancel scheduled",
            Seen {
                cancel_at: Some(month(1).end),
                ..seen(Running, NoneDue, Some(paid("starter", month(1), false)))
            },
        ),
        (
            "change scheduled",
            Seen {
                pending: Some(Pending {
                    plan: "free".into(),
                    interval: Interval::Month,
                    at: month(1).end,
                }),
                ..seen(Running, NoneDue, Some(paid("starter", month(1), false)))
            },
        ),
        ("halted", seen(Halted, Failed, None)),
        ("ended", Seen { ended_at: Some(month(1).end), ..seen(Ended, NoneDue, None) }),
    ]
}

fn show(sub: &Subscription) -> String {
    let mut words = vec![sub.status.as_str().to_owned()];
    if sub.standing != Standing::Good {
        words.push(sub.standing.as_str().to_owned());
    }
    if sub.cancel_at.is_some() {
        words.push("canceling".to_owned());
    }
    if sub.pending.is_some() {
        words.push("changing".to_owned());
    }
    words.join(", ")
}

/// Every state that there can be: status × standing × cancellation × pending change.
fn states() -> Vec<Option<Subscription>> {
    let since = month(1).end;
    let overdue = [Standing::Good, Standing::PastDue { since }, Standing::ReadOnly { since }];
    let free = || Pending { plan: "free".into(), interval: Interval::Month, at: month(1).end };
    let mut states = vec![None];
    for status in Status::ALL {
        let standings = if status == Status::Active { &overdue[..] } else { &overdue[..1] };
        let over = matches!(status, Status::Incomplete | Status::Canceled);
        for standing in standings {
            for cancel_at in [None, Some(month(1).end)] {
                for pending in [None, Some(free())] {
                    if over && (cancel_at.is_some() || pending.is_some()) {
                        continue;
                    }
                    let state = running(status, *standing, cancel_at);
                    states.push(Some(Subscription { pending, ..state }));
                }
            }
        }
    }
    states
}

fn line(before: Option<&Subscription>, fact: &str, absorbed: &Absorbed) -> String {
    let before = before.map_or("(new)".to_owned(), show);
    let events: Vec<&str> = absorbed.events.iter().map(Event::name).collect();
    let after = format!("{} on {}", show(&absorbed.next), absorbed.next.plan);
    format!("{before:<38} {fact:<19} {after:<50} {}\n", events.join(" "))
}

/// One line per (state, fact): what the provider says, and what time alone brings. Reviewing a
/// change to the machine is reading this diff.
#[test]
fn transition_table() {
    let mut table = String::new();
    for state in states() {
        for (name, seen) in sightings() {
            let absorbed = absorb(state.as_ref(), &seen, at("2027-02-10T02:00:00Z"));
            table += &line(state.as_ref(), name, &absorbed);
            // What was paid late has had its effect then, and is not shown again.
            let late = |event: &Event| matches!(event, Event::PaidLate(_));
            let shown =
                if absorbed.events.iter().any(late) { Vec::new() } else { seen.paid.clone() };
            let seen = Seen { paid: shown, ..seen };
            let again = absorb(Some(&absorbed.next), &seen, at("2027-02-10T03:00:00Z"));
            assert_eq!(again.events, [], "{state:?} + {name} twice is not the same as once");
        }
        let Some(state) = state else { continue };
        let policy = crate::catalog::parse(crate::catalog::SAMPLE).unwrap().dunning;
        let (late, unchanged) =
            (at("2027-04-10T00:00:00Z"), || Absorbed { next: state.clone(), events: Vec::new() });
        let trial = expire_trial(&state, late).unwrap_or_else(unchanged);
        table += &line(Some(&state), "trial's end passed", &trial);
        let step = crate::dunning::step(&state, &policy, late).unwrap_or_else(unchanged);
        table += &line(Some(&state), "dunning step due", &step);
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_late_payment_of_an_earlier_period_does_not_move_a_subscription_back() {
    let mut sub = running(Status::Active, Standing::Good, None);
    sub.period = month(3);
    let late =
        seen(ProviderStatus::Running, Payment::NoneDue, Some(paid("growth", month(2), false)));
    let absorbed = absorb(Some(&sub), &late, month(3).start);
    assert_eq!(absorbed.next, sub);
    assert_eq!(absorbed.events, [Event::PaidLate(paid("growth", month(2), false))]);
}

#[test]
fn an_upgrade_keeps_the_start_of_the_period_and_takes_the_new_plan() {
    let sub = running(Status::Active, Standing::Good, None);
    let rest = Period { start: at("2027-01-20T00:00:00Z"), end: month(1).end };
    let seen = upgraded(paid("growth", rest, true));
    let next = absorb(Some(&sub), &seen, rest.start).next;
    assert_eq!((next.plan.as_str(), next.period), ("growth", month(1)));
}

#[test]
fn payments_in_the_wrong_order_end_in_the_same_plan_and_period() {
    let rest = Period { start: at("2027-02-20T00:00:00Z"), end: month(2).end };
    let (renewal, upgrade) = (paid("starter", month(2), false), paid("growth", rest, true));
    let sub = running(Status::Active, Standing::Good, None);
    let end = |order: [&PaidPeriod; 2]| {
        let absorbed = order.iter().fold(sub.clone(), |sub, paid| {
            let seen = Seen { paid: vec![(*paid).clone()], ..upgraded(upgrade.clone()) };
            absorb(Some(&sub), &seen, rest.start).next
        });
        (absorbed.plan, absorbed.period)
    };
    assert_eq!(end([&renewal, &upgrade]), ("growth".into(), month(2)));
    assert_eq!(end([&upgrade, &renewal]), ("growth".into(), month(2)));
}

#[test]
fn an_older_sighting_adds_payments_and_takes_nothing_back() {
    let mut sub = running(Status::Active, Standing::Good, Some(month(3).end));
    sub.period = month(2);
    let late = absorb_payments(&sub, &[paid("starter", month(1), false)]);
    assert_eq!(late.next, sub);
    assert_eq!(late.events, [Event::PaidLate(paid("starter", month(1), false))]);
    let known = absorb_payments(&sub, &[paid("starter", month(2), false)]);
    assert_eq!((known.next, known.events), (sub, vec![]));
}

#[test]
fn a_trial_ends_by_itself_at_its_end_and_not_before() {
    let trial = running(Status::Trialing, Standing::Good, None);
    assert_eq!(expire_trial(&trial, month(1).end.plus_seconds(-1)), None);
    let over = expire_trial(&trial, month(1).end).unwrap();
    assert_eq!((over.next.status, over.events), (Status::Incomplete, vec![Event::TrialEnded]));
}
