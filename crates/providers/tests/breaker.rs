//! Which calls go through while a provider does not answer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use farthing_core::time::Timestamp;
use farthing_providers::breaker::{Breaker, HeldBack};
use farthing_providers::{
    BreakerRules, BreakerState, CallError, GuardedTransport, HttpRequest, HttpResponse, Livemode,
    Moment, Stripe, Transport, TransportError, stripe::WebhookConfig,
};

const RULES: BreakerRules = BreakerRules {
    opens_after: 3,
    first_pause_seconds: 10,
    longest_pause_seconds: 60,
    probe_seconds: 30,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("an instant")
}

/// A state in few words: `closed 1`, `open until 12`, `half open until 42`, with the failed probes
/// where there were some.
fn short(state: BreakerState) -> String {
    let after = |probes: u32| if probes == 0 { String::new() } else { format!(" after {probes}") };
    match state {
        BreakerState::Closed { failures } => format!("closed {failures}"),
        BreakerState::Open { until, probes, .. } => {
            format!("open until {}{}", until.seconds(), after(probes))
        }
        BreakerState::HalfOpen { until, probes, .. } => {
            format!("half open until {}{}", until.seconds(), after(probes))
        }
    }
}

/// What a call at some second meets, and the state after it: `+` answered, `-` failed,
/// `.` held back.
fn run(calls: &[(i64, char, &str)]) {
    let mut breaker = Breaker::new(RULES);
    for (second, outcome, expected) in calls {
        match (breaker.admit(at(*second)), *outcome) {
            (Err(_), '.') => {}
            (Ok(ticket), '+' | '-') => breaker.record(ticket, *outcome == '+', at(*second), 0),
            (admitted, _) => panic!("at {second}: {outcome} but {admitted:?}"),
        }
        assert_eq!(short(breaker.state()), *expected, "at {second}");
    }
}

#[test]
fn failures_in_a_row_open_it_and_one_answer_between_them_does_not() {
    run(&[
        (0, '-', "closed 1"),
        (1, '-', "closed 2"),
        (2, '+', "closed 0"),
        (3, '-', "closed 1"),
        (4, '-', "closed 2"),
        (5, '-', "open until 15"),
        (5, '.', "open until 15"),
        (14, '.', "open until 15"),
    ]);
}

#[test]
fn after_the_pause_one_probe_closes_it_or_doubles_the_pause_up_to_the_longest() {
    run(&[
        (0, '-', "closed 1"),
        (0, '-', "closed 2"),
        (0, '-', "open until 10"),
        (10, '-', "open until 30 after 1"),
        (29, '.', "open until 30 after 1"),
        (31, '-', "open until 71 after 2"),
        (71, '-', "open until 131 after 3"),
        (131, '-', "open until 191 after 4"),
        (200, '+', "closed 0"),
        (201, '-', "closed 1"),
    ]);
}

fn opened(chance: u64) -> Breaker {
    let mut breaker = Breaker::new(RULES);
    for _ in 0..RULES.opens_after {
        let ticket = breaker.admit(at(0)).expect("closed");
        breaker.record(ticket, false, at(0), chance);
    }
    breaker
}

#[test]
fn up_to_half_of_a_pause_is_left_out_at_random() {
    for (chance, until) in [(0, 10), (1, 9), (5, 5), (6, 10), (u64::MAX, 7)] {
        assert_eq!(short(opened(chance).state()), format!("open until {until}"), "{chance}");
    }
}

#[test]
fn only_one_probe_is_under_way_and_a_lost_one_is_given_up() {
    let mut breaker = opened(0);
    let lost = breaker.admit(at(10)).expect("the pause is over");
    assert_eq!(short(breaker.state()), "half open until 40");
    assert_eq!(breaker.admit(at(39)), Err(HeldBack { until: at(40) }));
    let second = breaker.admit(at(40)).expect("the first probe is given up");
    breaker.record(lost, false, at(41), 0);
    assert_eq!(short(breaker.state()), "half open until 70", "the lost one counts no more");
    breaker.record(second, true, at(42), 0);
    assert_eq!(short(breaker.state()), "closed 0");
}

#[test]
fn a_call_from_before_it_opened_says_nothing_about_now() {
    let mut breaker = Breaker::new(RULES);
    let slow = [breaker.admit(at(0)).expect("closed"), breaker.admit(at(0)).expect("closed")];
    for _ in 0..RULES.opens_after {
        let ticket = breaker.admit(at(1)).expect("closed");
        breaker.record(ticket, false, at(1), 0);
    }
    let [answered, failed] = slow;
    breaker.record(answered, true, at(2), 0);
    assert_eq!(short(breaker.state()), "open until 11");
    let probe = breaker.admit(at(11)).expect("the pause is over");
    breaker.record(failed, false, at(12), 0);
    assert_eq!(short(breaker.state()), "half open until 41");
    breaker.record(probe, true, at(12), 0);
    assert_eq!(short(breaker.state()), "closed 0");
}

#[test]
fn since_when_calls_are_held_back_outlives_the_probes() {
    let mut breaker = opened(0);
    let probe = breaker.admit(at(20)).expect("the pause is over");
    breaker.record(probe, false, at(21), 0);
    let BreakerState::Open { since, .. } = breaker.state() else { panic!("{breaker:?}") };
    assert_eq!(since, at(0));
}

/// Gives the same outcome until it is changed, and counts.
struct Same {
    outcome: Mutex<Result<HttpResponse, TransportError>>,
    sent: AtomicUsize,
}

impl Transport for &Same {
    fn send(&self, _: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.outcome.lock().expect("no panic").clone()
    }
}

/// A clock that stands still until it is set.
struct Still(AtomicI64);

impl Moment for &Still {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }

    fn chance(&self) -> u64 {
        0
    }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Result<HttpResponse, TransportError> {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Ok(HttpResponse { status, headers, body: b"{}".to_vec() })
}

fn same(outcome: Result<HttpResponse, TransportError>) -> Same {
    Same { outcome: Mutex::new(outcome), sent: AtomicUsize::new(0) }
}

#[test]
fn what_is_held_back_was_not_sent_and_is_unavailable() {
    let provider: &'static Same = Box::leak(Box::new(same(answer(500, &[]))));
    let clock: &'static Still = Box::leak(Box::new(Still(AtomicI64::new(0))));
    let guarded = std::sync::Arc::new(GuardedTransport::new(provider, clock, RULES));
    let stripe = Stripe::new(guarded.clone(), Livemode::Test, WebhookConfig::absent());
    for _ in 0..3 {
        assert!(matches!(stripe.fetch_customer("cus_1"), Err(CallError::Unknown(_))));
    }
    let err = stripe.fetch_customer("cus_1").unwrap_err();
    let why = "too many calls in a row failed, the last one: HTTP 500".to_owned();
    assert_eq!(err, CallError::HeldBack { seconds: 10, why });
    let health = stripe.health().expect("it keeps count");
    assert_eq!(health.last_failure.expect("three failed").why, "HTTP 500");
    assert_eq!(provider.sent.load(Ordering::SeqCst), 3);
    assert_eq!(short(guarded.state()), "open until 10");

    clock.0.store(10, Ordering::SeqCst);
    *provider.outcome.lock().unwrap() = answer(404, &[]);
    assert!(stripe.fetch_customer("cus_1").is_err());
    assert_eq!(short(guarded.state()), "closed 0", "a refusal is an answer");
}

#[test]
fn only_a_provider_that_does_its_work_is_alive() {
    let replayed = [("idempotent-replayed", "true")];
    for (outcome, alive) in [
        (answer(200, &[]), true),
        (answer(400, &[]), true),
        (answer(402, &[]), true),
        (answer(404, &[]), true),
        (answer(409, &[]), true),
        (answer(401, &[]), false),
        (answer(429, &[]), false),
        (answer(500, &[]), false),
        (answer(503, &[]), false),
        (answer(500, &replayed), true),
        (Err(TransportError::NotSent("refused".into())), false),
        (Err(TransportError::Unknown("timed out".into())), false),
    ] {
        let provider = same(outcome.clone());
        let clock = Still(AtomicI64::new(0));
        let guarded = GuardedTransport::new(&provider, &clock, RULES);
        let got = guarded.send(&HttpRequest::get("/v1/account".into()));
        assert_eq!(got, outcome, "the outcome is passed on as it is");
        let expected = if alive { "closed 0" } else { "closed 1" };
        assert_eq!(short(guarded.state()), expected, "{outcome:?}");
    }
}
