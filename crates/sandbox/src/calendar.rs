//! Billing boundaries: calendar steps in UTC, always counted from the anchor.
//!
//! Boundary `n` is never counted from boundary `n - 1`: 31 Jan, 28 Feb, 31 Mar.

use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;
/// Seconds in an hour.
pub(crate) const HOUR: i64 = 3_600;
/// The last instant the sandbox can reach: 31 Dec 9000. Leaves room below jiff's limit.
pub(crate) const LAST_INSTANT: i64 = 221_845_392_000;

/// How often a price recurs: every `count` times `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) unit: Unit,
    pub(crate) count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    pub(crate) const NAMES: &'static [&'static str] = &["day", "week", "month", "year"];

    pub(crate) fn parse(name: &str) -> Option<Unit> {
        match name {
            "day" => Some(Unit::Day),
            "week" => Some(Unit::Week),
            "month" => Some(Unit::Month),
            "year" => Some(Unit::Year),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Year => "year",
        }
    }
}

/// Boundary `n` of the periods that start at `anchor` (unix seconds). Period `n` is
/// `[boundary(n), boundary(n + 1))`. Beyond year 9000 the answer stays at the last instant.
pub(crate) fn boundary(anchor: i64, every: Interval, n: i64) -> i64 {
    let steps = n.saturating_mul(every.count);
    let span = match every.unit {
        Unit::Day => Span::new().try_days(steps),
        Unit::Week => Span::new().try_weeks(steps),
        Unit::Month => Span::new().try_months(steps),
        Unit::Year => Span::new().try_years(steps),
    };
    span.and_then(|span| civil(anchor).checked_add(span))
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map_or(LAST_INSTANT, |zoned| zoned.timestamp().as_second().min(LAST_INSTANT))
}

/// A date for people: `31 January 2027`.
pub(crate) fn date(at: i64) -> String {
    civil(at).strftime("%-d %B %Y").to_string()
}

/// The year of an instant.
pub(crate) fn year(at: i64) -> i64 {
    i64::from(civil(at).year())
}

fn civil(at: i64) -> DateTime {
    let at = at.clamp(-LAST_INSTANT / 4, LAST_INSTANT);
    let instant = Timestamp::from_second(at).expect("clamped to years jiff has");
    TimeZone::UTC.to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTHLY: Interval = Interval { unit: Unit::Month, count: 1 };

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("valid test instant").as_second()
    }

    #[test]
    fn months_count_from_the_anchor_across_a_leap_year() {
        let anchor = at("2028-01-31T10:00:00Z");
        let days: Vec<String> = (0..5).map(|n| date(boundary(anchor, MONTHLY, n))).collect();
        assert_eq!(
            days,
            [
                "31 January 2028",
                "29 February 2028",
                "31 March 2028",
                "30 April 2028",
                "31 May 2028"
            ]
        );
        assert_eq!(boundary(anchor, MONTHLY, 13), at("2029-02-28T10:00:00Z"));
    }

    #[test]
    fn a_leap_day_renews_on_the_28th_and_returns_to_the_29th() {
        let yearly = Interval { unit: Unit::Year, count: 1 };
        let anchor = at("2028-02-29T00:00:00Z");
        assert_eq!(boundary(anchor, yearly, 1), at("2029-02-28T00:00:00Z"));
        assert_eq!(boundary(anchor, yearly, 4), at("2032-02-29T00:00:00Z"));
    }

    #[test]
    fn absurd_distances_stop_at_the_last_instant() {
        assert_eq!(boundary(0, MONTHLY, i64::MAX), LAST_INSTANT);
        assert_eq!(boundary(LAST_INSTANT, MONTHLY, 1), LAST_INSTANT);
    }
}
