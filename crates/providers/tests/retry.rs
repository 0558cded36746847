//! What is sent again, when, and what an unclear attempt leaves behind.

use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::time::Duration;

use farthing_providers::retry::{self, MAX_RETRIES, Waiting};
use farthing_providers::{HttpRequest, HttpResponse, Transport, TransportError};

type Outcome = Result<HttpResponse, TransportError>;

const BUDGET: Duration = Duration::from_secs(20);

/// Answers from a script, one outcome per attempt.
struct Script(Mutex<std::vec::IntoIter<Outcome>>);

impl Transport for Script {
    fn send(&self, _: &HttpRequest) -> Outcome {
        self.0.lock().expect("one thread").next().expect("an attempt beyond the script")
    }
}

/// Time passes only by pausing.
#[derive(Default)]
struct Pretend {
    passed: Cell<Duration>,
    pauses: RefCell<Vec<Duration>>,
    chance: u64,
}

impl Waiting for Pretend {
    fn elapsed(&self) -> Duration {
        self.passed.get()
    }

    fn pause(&self, pause: Duration) {
        self.passed.set(self.passed.get() + pause);
        self.pauses.borrow_mut().push(pause);
    }

    fn chance(&self) -> u64 {
        self.chance
    }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Outcome {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Ok(HttpResponse { status, headers, body: Vec::new() })
}

fn refused() -> Outcome {
    Err(TransportError::NotSent("connection refused".into()))
}

fn broken_off() -> Outcome {
    Err(TransportError::Unknown("broken off".into()))
}

/// The last outcome and the pauses between the attempts, all of which must be used.
fn run(request: &HttpRequest, script: Vec<Outcome>) -> (Outcome, Vec<Duration>) {
    let attempts = script.len();
    let script = Script(Mutex::new(script.into_iter()));
    let waiting = Pretend::default();
    let outcome = retry::send(request, BUDGET, &waiting, |_| script.send(request));
    let pauses = waiting.pauses.into_inner();
    assert_eq!(pauses.len() + 1, attempts, "the script is not used up: {outcome:?}");
    (outcome, pauses)
}

fn status(outcome: &Outcome) -> u16 {
    outcome.as_ref().map_or(0, |response| response.status)
}

fn get() -> HttpRequest {
    HttpRequest::get("/v1/account".into())
}

fn post() -> HttpRequest {
    HttpRequest::post("/v1/customers".into(), "key", Vec::new())
}

fn post_without_key() -> HttpRequest {
    HttpRequest { idempotency_key: None, ..post() }
}

fn delete() -> HttpRequest {
    HttpRequest::delete("/v1/customers/cus_1".into())
}

#[test]
fn what_passes_with_time_is_tried_again() {
    for request in [get(), post()] {
        for first in [answer(409, &[]), answer(429, &[]), answer(500, &[]), answer(503, &[])] {
            let (outcome, _) = run(&request, vec![first, answer(200, &[])]);
            assert_eq!(status(&outcome), 200);
        }
        for first in [refused(), broken_off()] {
            assert_eq!(status(&run(&request, vec![first, answer(200, &[])]).0), 200);
        }
    }
}

#[test]
fn an_answer_that_will_not_change_is_final() {
    for code in [200, 302, 400, 401, 402, 403, 404] {
        assert_eq!(status(&run(&post(), vec![answer(code, &[])]).0), code);
    }
}

#[test]
fn two_repetitions_are_enough() {
    let (outcome, pauses) = run(&get(), vec![answer(500, &[]), answer(502, &[]), answer(503, &[])]);
    assert_eq!((status(&outcome), pauses.len()), (503, MAX_RETRIES as usize));
}

#[test]
fn what_could_happen_twice_is_repeated_only_if_it_never_left() {
    for request in [post_without_key(), delete()] {
        assert_eq!(run(&request, vec![broken_off()]).0, broken_off());
        assert_eq!(status(&run(&request, vec![answer(500, &[])]).0), 500);
        let told = answer(500, &[("stripe-should-retry", "true")]);
        assert_eq!(status(&run(&request, vec![told]).0), 500);
        assert_eq!(status(&run(&request, vec![refused(), answer(200, &[])]).0), 200);
    }
}

#[test]
fn stripes_own_advice_wins() {
    let no = ("stripe-should-retry", "false");
    assert_eq!(status(&run(&post(), vec![answer(500, &[no])]).0), 500);
    let yes = answer(400, &[("stripe-should-retry", "true")]);
    assert_eq!(status(&run(&post(), vec![yes, answer(200, &[])]).0), 200);
}

#[test]
fn pauses_double_and_vary_by_chance() {
    let script = || vec![answer(500, &[]), answer(500, &[]), answer(200, &[])];
    let (_, pauses) = run(&post(), script());
    assert_eq!(pauses, [Duration::from_millis(250), Duration::from_millis(500)]);
    for chance in [1, 17, 250, 999_999, u64::MAX] {
        let script = Script(Mutex::new(script().into_iter()));
        let waiting = Pretend { chance, ..Pretend::default() };
        retry::send(&post(), BUDGET, &waiting, |_| script.send(&post())).expect("an answer");
        for (pause, most) in waiting.pauses.borrow().iter().zip([500, 1000]) {
            assert!(most / 2 <= pause.as_millis() && pause.as_millis() <= most, "{pause:?}");
        }
    }
}

#[test]
fn a_wish_for_time_is_granted_up_to_five_seconds() {
    let wait = |seconds| answer(429, &[("retry-after", seconds)]);
    let (_, pauses) = run(&post(), vec![wait("3"), wait("0"), answer(200, &[])]);
    assert_eq!(pauses, [Duration::from_secs(3), Duration::from_millis(500)]);
    assert_eq!(status(&run(&post(), vec![wait("6")]).0), 429);
    assert_eq!(status(&run(&post(), vec![wait("tomorrow"), answer(200, &[])]).0), 200);
}

#[test]
fn nothing_is_repeated_beyond_the_time_that_a_call_has() {
    let waiting = Pretend::default();
    let mut given = Vec::new();
    let outcome = retry::send(&post(), BUDGET, &waiting, |left| {
        given.push(left);
        waiting.passed.set(waiting.passed.get() + Duration::from_secs(12));
        broken_off()
    });
    assert_eq!(outcome, broken_off());
    assert_eq!(given, [BUDGET, Duration::from_millis(7_750)]);
}

#[test]
fn an_unclear_attempt_stays_unclear_until_an_answer_settles_it() {
    for first in [broken_off(), answer(500, &[]), answer(409, &[])] {
        for last in [refused(), answer(429, &[]), answer(401, &[]), answer(409, &[])] {
            let last = match last {
                Ok(response) => answer(response.status, &[("stripe-should-retry", "false")]),
                err => {
                    let script = vec![first.clone(), err.clone(), err];
                    let (outcome, _) = run(&post(), script);
                    assert!(matches!(outcome, Err(TransportError::Unknown(_))), "{outcome:?}");
                    continue;
                }
            };
            let (outcome, _) = run(&post(), vec![first.clone(), last]);
            assert!(matches!(outcome, Err(TransportError::Unknown(_))), "{outcome:?}");
        }
        // A refusal of the same operation settles it, as does a success.
        for code in [200, 400, 402] {
            assert_eq!(status(&run(&post(), vec![first.clone(), answer(code, &[])]).0), code);
        }
    }
}

#[test]
fn nothing_happened_when_nothing_ever_left() {
    let (outcome, _) = run(&post(), vec![refused(), refused(), refused()]);
    assert_eq!(outcome, refused());
    let (outcome, _) = run(&post(), vec![refused(), answer(429, &[("retry-after", "60")])]);
    assert_eq!(status(&outcome), 429);
    // Reading has no effect, so a read that failed is never unclear.
    let (outcome, _) = run(&get(), vec![answer(500, &[]), refused(), refused()]);
    assert_eq!(outcome, refused());
}
