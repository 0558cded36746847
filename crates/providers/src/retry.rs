//! When to send a request again, and how long to wait before.
//!
//! Only what cannot happen twice is repeated: reads, posts with an idempotency key, and anything
//! that was never sent. Source: <https://docs.stripe.com/error-low-level>.

use std::time::Duration;

use crate::http::{HttpRequest, HttpResponse, TransportError};

/// How often a request is repeated at most.
pub const MAX_RETRIES: u32 = 2;

/// The longest pause. A provider that asks for a longer one gets no repetition from here.
pub const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The first pause, doubled with each repetition, of which up to half is left out at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Time and chance, as the transport has them.
pub trait Waiting {
    /// How long ago the first attempt began.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn pause(&self, pause: Duration);
    /// Any number.
    fn chance(&self) -> u64;
}

/// Attempts `request` until there is a final answer, the repetitions are used up, or repeating
/// would go beyond `budget`. `attempt` is given the time that is left.
///
/// Once an attempt may have happened, only an answer that settles the operation is passed on; for
/// anything else the outcome stays `Unknown`, even if the last attempt was never sent.
pub fn send(
    request: &HttpRequest,
    budget: Duration,
    waiting: &dyn Waiting,
    mut attempt: impl FnMut(Duration) -> Result<HttpResponse, TransportError>,
) -> Result<HttpResponse, TransportError> {
    let mut may_have_happened = false;
    let mut retries = 0;
    loop {
        let left = budget.saturating_sub(waiting.elapsed());
        let outcome = attempt(left);
        let repeat = retries < MAX_RETRIES && may_repeat(request, &outcome);
        let pause = pause_before(retries, &outcome, waiting.chance()).filter(|_| repeat);
        let left = budget.saturating_sub(waiting.elapsed());
        let Some(pause) = pause.filter(|pause| *pause < left) else {
            return settle(request, outcome, may_have_happened);
        };
        may_have_happened |= is_unclear(&outcome);
        tracing::debug!(request.path, retries, ?pause, "sending again");
        waiting.pause(pause);
        retries += 1;
    }
}

/// Whether it could have happened, as far as this attempt tells.
fn is_unclear(outcome: &Result<HttpResponse, TransportError>) -> bool {
    match outcome {
        Err(TransportError::NotSent(_) | TransportError::HeldBack { .. }) => false,
        Err(TransportError::Unknown(_)) => true,
        Ok(response) => 500 <= response.status || response.status == 409,
    }
}

/// Whether repeating is both safe and of use.
fn may_repeat(request: &HttpRequest, outcome: &Result<HttpResponse, TransportError>) -> bool {
    let safe =
        request.method == "GET" || (request.method == "POST" && request.idempotency_key.is_some());
    match outcome {
        Err(TransportError::NotSent(_)) => true,
        Err(TransportError::HeldBack { .. }) => false,
        Err(TransportError::Unknown(_)) => safe,
        Ok(response) => safe && is_worth_repeating(response),
    }
}

fn is_worth_repeating(response: &HttpResponse) -> bool {
    match response.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(response.status, 409 | 429 | 500..),
    }
}

/// How long to wait before repetition number `retries`, counted from 0. `None`: longer than we do.
fn pause_before(
    retries: u32,
    outcome: &Result<HttpResponse, TransportError>,
    chance: u64,
) -> Option<Duration> {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(retries)).min(MAX_PAUSE);
    let half = longest / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(0).saturating_add(1);
    let pause = half + Duration::from_millis(chance % spread);
    let asked = outcome.as_ref().ok().and_then(|response| response.header("retry-after"));
    let asked = asked.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    match asked {
        Some(asked) if MAX_PAUSE < asked => None,
        Some(asked) => Some(asked.max(pause)),
        None => Some(pause),
    }
}

/// The last attempt's outcome, in the light of those before it.
fn settle(
    request: &HttpRequest,
    outcome: Result<HttpResponse, TransportError>,
    may_have_happened: bool,
) -> Result<HttpResponse, TransportError> {
    if !may_have_happened || request.method == "GET" {
        return outcome;
    }
    match outcome {
        Ok(response) if matches!(response.status, 401 | 409 | 429) => {
            let status = response.status;
            let why = format!("HTTP {status}, after an attempt that may have happened");
            Err(TransportError::Unknown(why))
        }
        Err(TransportError::NotSent(why)) => {
            Err(TransportError::Unknown(format!("{why}, after an attempt that may have happened")))
        }
        settled => settled,
    }
}
