//! The sandbox's clock. These routes answer 404 where there is no sandbox.

use axum::Json as Answered;
use axum::extract::State;
use farthing_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Writer;
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Text};
use crate::state::App;
use crate::values::Instant;

/// How far one request may move the clock, in seconds: ten years.
const ADVANCE_MAX: i64 = 3_653 * 86_400;

/// How far: either `by` or `to`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "31d"}))]
pub struct AdvanceRequest {
    /// A duration of weeks, days, hours, minutes and seconds, such as `31d` or `1d12h`.
    #[schema(value_type = Option<String>, pattern = "^([0-9]+[wdhms])+$")]
    by: Option<Text<40>>,
    /// An instant that is not before the present one.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

/// What moving the clock did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"now": "2027-01-31T00:00:00Z", "events_delivered": 12}))]
pub struct AdvanceAnswer {
    /// What the clock shows now.
    #[schema(format = DateTime)]
    now: String,
    /// How many provider events were delivered on the way.
    events_delivered: u64,
}

/// Moves the sandbox's clock, and waits until everything that became due has happened.
#[utoipa::path(
    post, path = "/v1/sandbox/clock/advance", operation_id = "advanceClock", tag = "sandbox",
    request_body = AdvanceRequest,
    responses((status = 200, description = "It was moved", body = AdvanceAnswer)),
    security(("api_key" = ["full"]))
)]
pub async fn advance_clock(
    State(app): State<App>,
    _: Writer,
    Json(body): Json<AdvanceRequest>,
) -> Result<Answered<AdvanceAnswer>, ApiError> {
    let Some(lab) = app.lab.clone() else {
        return Err(ApiError::not_found("route: this server has no sandbox"));
    };
    let now = lab.now();
    let to = target(now, &body)?;
    let advanced = lab.advance(to).await.map_err(|error| {
        tracing::error!(error = error.message, "the sandbox could not move its clock");
        ApiError::new(Code::SandboxFailed, error.message)
    })?;
    let events_delivered = advanced.events_delivered;
    Ok(Answered(AdvanceAnswer { now: advanced.now.to_string(), events_delivered }))
}

/// Where the clock shall stand.
fn target(now: Timestamp, body: &AdvanceRequest) -> Result<Timestamp, ApiError> {
    let refuse = |pointer: &str, code, message: String, fix: &str| {
        Err(ApiError::invalid(vec![FieldProblem::new(pointer, code, message, fix)]))
    };
    match (&body.by, body.to) {
        (Some(Text(by)), None) => match seconds(by) {
            Some(seconds @ 1..=ADVANCE_MAX) => Ok(now.plus_seconds(seconds)),
            _ => {
                let message = format!("{by:?} is not a duration from 1s to 3653d");
                refuse("/by", Code::InvalidDuration, message, "send for example \"31d\"")
            }
        },
        (None, Some(Instant(to))) if to < now => {
            let message = format!("the clock shows {now} already, and it does not go back");
            refuse("/to", Code::InThePast, message, "send a later instant")
        }
        (None, Some(Instant(to))) if now.plus_seconds(ADVANCE_MAX) < to => {
            let message = format!("{to} is more than 3653 days away");
            refuse("/to", Code::OutOfRange, message, "go there in several steps")
        }
        (None, Some(Instant(to))) => Ok(to),
        _ => {
            let message = "send either \"by\" or \"to\"".to_owned();
            refuse("/by", Code::InvalidValue, message, "send for example {\"by\": \"31d\"}")
        }
    }
}

/// The seconds in a text such as `1d12h`. `None` when it is none, or too long to count.
fn seconds(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: i64 = rest[..end].parse().ok()?;
        let unit = match rest.get(end..=end)? {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        total = total.checked_add(n.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_read_and_nothing_else() {
        for (text, expected) in [("31d", 2_678_400), ("1d12h", 129_600), ("2w", 1_209_600)] {
            assert_eq!(seconds(text), Some(expected));
        }
        for bad in ["d", "31", "-1d", "1.5d", "1y", "1 d", "99999999999999999999d", "1é", "1d "] {
            assert_eq!(seconds(bad), None, "{bad:?} was read");
        }
    }
}
