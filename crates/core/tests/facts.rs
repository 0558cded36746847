//! What a provider's pictures mean: nothing is granted for what was not surely paid.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use farthing_core::facts::{Offer, PriceBook, Puzzle, Sold, paid_period, seen};
use farthing_core::money::Money;
use farthing_core::snapshot::{
    CustomerRef, InvoiceLine, InvoiceSnapshot, InvoiceStatus, PendingUpdate, SchedulePhase,
    ScheduleSnapshot, ScheduleStatus, SubscriptionSnapshot, SubscriptionStatus,
};
use farthing_core::subscription::{PaidPeriod, Payment, Pending, ProviderStatus};
use farthing_core::time::{Interval, Period, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn month(n: u32) -> Period {
    let start = |n: u32| at(&format!("2027-{n:02}-10T00:00:00Z"));
    Period { start: start(n), end: start(n + 1) }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, "USD".parse().unwrap())
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn book() -> PriceBook {
    let plan = |plan: &str, amount| Sold {
        offer: Offer::Plan { plan: plan.to_owned(), interval: Interval::Month },
        amount,
    };
    let pack = Sold { offer: Offer::Pack { pack: "boost".to_owned() }, amount: usd(900) };
    [
        ("price_starter", plan("starter", usd(1_900))),
        ("price_growth", plan("growth", usd(6_900))),
        ("price_max", plan("max", usd(i64::MAX))),
        ("price_boost", pack),
    ]
    .map(|(id, sold)| (id.to_owned(), sold))
    .into()
}

fn line(price: Option<&str>, amount: Money, period: Period) -> InvoiceLine {
    InvoiceLine {
        description: "a line".to_owned(),
        price: price.map(str::to_owned),
        amount,
        quantity: 1,
        period,
        proration: false,
    }
}

fn customer() -> CustomerRef {
    CustomerRef { provider_id: "cus_1".to_owned(), app_id: None }
}

fn invoice(id: &str, lines: Vec<InvoiceLine>) -> InvoiceSnapshot {
    InvoiceSnapshot {
        id: id.to_owned(),
        customer: customer(),
        subscription: Some("sub_1".to_owned()),
        number: None,
        status: InvoiceStatus::Paid,
        reason: "subscription_cycle".to_owned(),
        total: usd(1_900),
        paid: usd(1_900),
        created_at: month(1).start,
        attempts: 1,
        next_attempt_at: None,
        lines,
        payments: Vec::new(),
        hosted_url: None,
    }
}

fn starter(n: u32) -> InvoiceLine {
    line(Some("price_starter"), usd(1_900), month(n))
}

fn subscription() -> SubscriptionSnapshot {
    SubscriptionSnapshot {
        id: "sub_1".to_owned(),
        customer: customer(),
        checkout: None,
        status: SubscriptionStatus::Active,
        price: "price_starter".to_owned(),
        item: "si_1".to_owned(),
        quantity: 1,
        items: 1,
        period: month(1),
        anchor: month(1).start,
        cancel_at: None,
        cancel_at_period_end: false,
        ended_at: None,
        trial: None,
        pause_reason: None,
        schedule: None,
        pending_update: None,
        default_payment_method: None,
        card: None,
        latest_invoice: None,
    }
}

fn paid(invoice: &InvoiceSnapshot) -> Option<PaidPeriod> {
    paid_period(invoice, &book()).unwrap()
}

fn puzzle(invoice: &InvoiceSnapshot) -> Puzzle {
    paid_period(invoice, &book()).unwrap_err()
}

#[test]
fn a_paid_line_buys_its_plan_for_its_period() {
    let bought = paid(&invoice("in_1", vec![starter(1)])).unwrap();
    let expected = PaidPeriod {
        invoice: "in_1".to_owned(),
        plan: "starter".to_owned(),
        interval: Interval::Month,
        price: "price_starter".to_owned(),
        amount: usd(1_900),
        period: month(1),
        prorated: false,
    };
    assert_eq!(bought, expected);
}

#[test]
fn what_is_not_paid_buys_nothing() {
    for status in [
        InvoiceStatus::Draft,
        InvoiceStatus::Open,
        InvoiceStatus::Void,
        InvoiceStatus::Uncollectible,
        InvoiceStatus::Other("weird".to_owned()),
    ] {
        assert_eq!(paid(&InvoiceSnapshot { status, ..invoice("in_1", vec![starter(1)]) }), None);
    }
    let one_off = InvoiceSnapshot { subscription: None, ..invoice("in_1", vec![starter(1)]) };
    assert_eq!(paid(&one_off), None, "it is of no subscription");
}

#[test]
fn a_trials_invoice_over_nothing_buys_nothing() {
    let free = line(Some("price_starter"), usd(0), month(1));
    assert_eq!(paid(&invoice("in_1", vec![free])), None);
    assert_eq!(paid(&invoice("in_1", Vec::new())), None);
    let credit = line(Some("price_starter"), usd(-1_900), month(1));
    assert_eq!(paid(&invoice("in_1", vec![credit])), None);
    assert_eq!(paid(&invoice("in_1", vec![line(None, usd(500), month(1))])), None, "a fee");
}

#[test]
fn another_currency_than_the_prices_grants_nothing() {
    let wrong = invoice("in_1", vec![line(Some("price_starter"), eur(1_900), month(1))]);
    let (paid, price) = ("EUR".to_owned(), "USD".to_owned());
    assert_eq!(puzzle(&wrong), Puzzle::Currency { object: "in_1".to_owned(), paid, price });
    let prorated = InvoiceLine { proration: true, ..wrong.lines[0].clone() };
    assert!(matches!(puzzle(&invoice("in_1", vec![prorated])), Puzzle::Currency { .. }));
}

#[test]
fn another_amount_than_the_price_grants_nothing() {
    for amount in [1, 1_899, 1_901, 190_000, i64::MAX] {
        let wrong = invoice("in_1", vec![line(Some("price_starter"), usd(amount), month(1))]);
        let (paid, price) = (usd(amount), usd(1_900));
        assert_eq!(puzzle(&wrong), Puzzle::Amount { object: "in_1".to_owned(), paid, price });
    }
    let twice = InvoiceLine { quantity: 2, amount: usd(3_800), ..starter(1) };
    assert_eq!(paid(&invoice("in_1", vec![twice.clone()])).unwrap().amount, usd(1_900));
    let half_paid = InvoiceLine { amount: usd(1_900), ..twice };
    assert!(matches!(puzzle(&invoice("in_1", vec![half_paid])), Puzzle::Amount { .. }));
    let huge = line(Some("price_max"), usd(i64::MAX), month(1));
    let wraps = InvoiceLine { quantity: 3, ..huge };
    assert!(matches!(puzzle(&invoice("in_1", vec![wraps])), Puzzle::Amount { .. }));
}

#[test]
fn an_unknown_price_grants_nothing() {
    let unknown = invoice("in_1", vec![line(Some("price_eve"), usd(1_900), month(1))]);
    assert_eq!(puzzle(&unknown), Puzzle::UnknownPrice("price_eve".to_owned()));
    let pack = invoice("in_1", vec![line(Some("price_boost"), usd(900), month(1))]);
    assert!(matches!(puzzle(&pack), Puzzle::Unknown(_)), "a pack is no plan");
}

#[test]
fn a_share_for_the_rest_of_a_period_buys_the_new_plan_from_then_on() {
    let rest = Period { start: at("2027-01-20T00:00:00Z"), end: month(1).end };
    let credit = InvoiceLine { proration: true, ..line(Some("price_starter"), usd(-1_200), rest) };
    let charge = InvoiceLine { proration: true, ..line(Some("price_growth"), usd(4_400), rest) };
    for lines in [vec![credit.clone(), charge.clone()], vec![charge, credit]] {
        let bought = paid(&invoice("in_1", lines)).unwrap();
        assert_eq!((bought.plan.as_str(), bought.period), ("growth", rest));
        assert!(bought.prorated);
        assert_eq!(bought.amount, usd(6_900), "the price of a whole month");
    }
}

#[test]
fn of_several_lines_the_one_that_reaches_furthest_decides() {
    let rest = Period { start: at("2027-01-20T00:00:00Z"), end: month(1).end };
    let late_share = InvoiceLine { proration: true, ..line(Some("price_starter"), usd(600), rest) };
    let fee = line(None, usd(100), month(5));
    let bought = paid(&invoice("in_1", vec![fee, starter(2), late_share])).unwrap();
    assert_eq!((bought.period, bought.prorated), (month(2), false));
}

#[test]
fn a_picture_says_what_was_bought_and_how_payments_stand() {
    let newest = InvoiceSnapshot {
        status: InvoiceStatus::Open,
        attempts: 2,
        ..invoice("in_2", vec![starter(2)])
    };
    let picture = SubscriptionSnapshot {
        status: SubscriptionStatus::PastDue,
        latest_invoice: Some(newest),
        cancel_at: Some(month(2).end),
        ..subscription()
    };
    let older = invoice("in_0", vec![starter(1)]);
    let seen = seen(&picture, &[&older], &book()).unwrap();
    assert_eq!((seen.status, seen.payment), (ProviderStatus::Running, Payment::Failed));
    assert_eq!((seen.plan.as_str(), seen.interval), ("starter", Interval::Month));
    assert_eq!((seen.currency, seen.cancel_at), (usd(0).currency, Some(month(2).end)));
    let periods: Vec<Period> = seen.paid.iter().map(|paid| paid.period).collect();
    assert_eq!(periods, [month(1)], "the newest is not paid");
}

#[test]
fn every_paid_invoice_counts_the_earliest_first_in_whatever_order() {
    let all = [3, 1, 2].map(|n| invoice(&format!("in_{n}"), vec![starter(n)]));
    let latest = SubscriptionSnapshot { latest_invoice: Some(all[1].clone()), ..subscription() };
    for others in [[&all[0], &all[2]], [&all[2], &all[0]]] {
        let seen = seen(&latest, &others, &book()).unwrap();
        let invoices: Vec<&str> = seen.paid.iter().map(|paid| paid.invoice.as_str()).collect();
        assert_eq!(invoices, ["in_1", "in_2", "in_3"]);
    }
}

#[test]
fn payments_stand_as_the_newest_invoice_does() {
    let with = |status, invoice_status, pending_update| {
        let newest =
            InvoiceSnapshot { status: invoice_status, ..invoice("in_1", vec![starter(1)]) };
        let latest_invoice = Some(newest);
        let picture =
            SubscriptionSnapshot { status, latest_invoice, pending_update, ..subscription() };
        seen(&picture, &[], &book()).unwrap().payment
    };
    let active = |invoice| with(SubscriptionStatus::Active, invoice, None);
    let past_due = |invoice| with(SubscriptionStatus::PastDue, invoice, None);
    for settled in [InvoiceStatus::Paid, InvoiceStatus::Void] {
        assert_eq!(active(settled.clone()), Payment::NoneDue);
        assert_eq!(past_due(settled), Payment::NoneDue);
    }
    let other = InvoiceStatus::Other("weird".to_owned());
    for owed in [InvoiceStatus::Draft, InvoiceStatus::Open, InvoiceStatus::Uncollectible, other] {
        assert_eq!(active(owed.clone()), Payment::Waiting);
        assert_eq!(past_due(owed.clone()), Payment::Failed);
        let change = PendingUpdate { price: "price_growth".to_owned(), expires_at: month(1).end };
        let waits = with(SubscriptionStatus::Active, owed, Some(change));
        assert_eq!(waits, Payment::NoneDue, "what was paid for goes on");
    }
    assert_eq!(seen(&subscription(), &[], &book()).unwrap().payment, Payment::NoneDue);
}

#[test]
fn a_schedule_says_what_follows() {
    let with = |price: &str| {
        let next = SchedulePhase {
            price: price.to_owned(),
            quantity: 1,
            start: month(2).start,
            end: None,
            trial_end: None,
        };
        let schedule = ScheduleSnapshot {
            id: "sub_sched_1".to_owned(),
            subscription: Some("sub_1".to_owned()),
            status: ScheduleStatus::Active,
            current: None,
            next: Some(next),
            later: 0,
            releases: true,
        };
        let picture = SubscriptionSnapshot { schedule: Some(schedule), ..subscription() };
        seen(&picture, &[], &book()).map(|seen| seen.pending)
    };
    let at = month(2).start;
    let growth = Pending { plan: "growth".to_owned(), interval: Interval::Month, at };
    assert_eq!(with("price_growth"), Ok(Some(growth)));
    assert_eq!(with("price_starter"), Ok(None), "the same price is no change");
    for unknown in ["price_eve", "price_boost"] {
        assert_eq!(with(unknown), Err(Puzzle::UnknownPrice(unknown.to_owned())));
    }
}

#[test]
fn a_subscription_that_is_not_certainly_ours_is_not_guessed_at() {
    let of = |picture: SubscriptionSnapshot| seen(&picture, &[], &book()).unwrap_err();
    for items in [0, 2] {
        let several = of(SubscriptionSnapshot { items, ..subscription() });
        assert_eq!(several, Puzzle::SeveralPrices("sub_1".to_owned()));
    }
    let unknown = of(SubscriptionSnapshot { price: "price_eve".to_owned(), ..subscription() });
    assert_eq!(unknown, Puzzle::UnknownPrice("price_eve".to_owned()));
    let pack = of(SubscriptionSnapshot { price: "price_boost".to_owned(), ..subscription() });
    assert!(matches!(pack, Puzzle::Unknown(_)), "{pack:?}");
    let status = SubscriptionStatus::Other("resting".to_owned());
    let word = of(SubscriptionSnapshot { status, ..subscription() });
    assert!(word.to_string().contains("resting"), "{word}");
    let wrong = invoice("in_1", vec![line(Some("price_starter"), eur(1_900), month(1))]);
    let paid = SubscriptionSnapshot { latest_invoice: Some(wrong), ..subscription() };
    assert!(matches!(of(paid), Puzzle::Currency { .. }), "a wrong payment stops all of it");
}

#[test]
fn every_status_of_the_provider_means_one_of_ours() {
    use ProviderStatus::{Ended, Halted, Incomplete, Running, Trialing};
    for (status, expected) in [
        (SubscriptionStatus::Incomplete, Incomplete),
        (SubscriptionStatus::IncompleteExpired, Ended),
        (SubscriptionStatus::Trialing, Trialing),
        (SubscriptionStatus::Active, Running),
        (SubscriptionStatus::PastDue, Running),
        (SubscriptionStatus::Unpaid, Halted),
        (SubscriptionStatus::Paused, Halted),
        (SubscriptionStatus::Canceled, Ended),
    ] {
        let picture = SubscriptionSnapshot { status, ..subscription() };
        assert_eq!(seen(&picture, &[], &book()).unwrap().status, expected);
    }
}
