//! Instants, half-open periods, and calendar periods counted from an anchor.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

/// An instant in UTC, in whole microseconds since 1970. Written as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is not an instant between the years 1970 and 9999.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an instant such as 2027-01-31T00:00:00Z")]
pub struct InvalidTimestamp(pub String);

impl Timestamp {
    /// `micros` microseconds after 1970. Errors outside the years 1970 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, InvalidTimestamp> {
        let known = jiff::Timestamp::from_microsecond(micros).is_ok() && 0 <= micros;
        if known { Ok(Self(micros)) } else { Err(InvalidTimestamp(micros.to_string())) }
    }

    /// Whole seconds after 1970, as providers count. Errors outside the years 1970 to 9999.
    pub fn from_seconds(seconds: i64) -> Result<Self, InvalidTimestamp> {
        let micros = seconds.checked_mul(1_000_000);
        Self::from_micros(micros.ok_or_else(|| InvalidTimestamp(seconds.to_string()))?)
    }

    /// Microseconds after 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds after 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// `n` intervals later (earlier when negative) on the UTC calendar; a day that the month lacks
    /// becomes its last one. Stays inside the years 1970 to 9999.
    pub fn plus_intervals(self, n: i64, interval: Interval) -> Self {
        let n = n.clamp(-MAX_INTERVALS, MAX_INTERVALS);
        let moved = self.zoned(&TimeZone::UTC).saturating_add(interval.times(n));
        Self(moved.timestamp().as_microsecond().max(0))
    }

    /// `seconds` later (earlier when negative); stays inside the years 1970 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = self.to_jiff().saturating_add(seconds.clamp(-MAX_SPAN, MAX_SPAN).seconds());
        Self(moved.map_or(self.0, |at| at.as_microsecond().max(0)))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("checked when it was made")
    }

    fn zoned(self, zone: &TimeZone) -> Zoned {
        self.to_jiff().to_zoned(zone.clone())
    }
}

/// The longest span in seconds that the calendar takes: a little under 20,000 years.
const MAX_SPAN: i64 = 631_107_417_600;

/// More intervals than the calendar has years.
const MAX_INTERVALS: i64 = 19_000;

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed: jiff::Timestamp =
            text.parse().map_err(|_| InvalidTimestamp(text.to_owned()))?;
        Self::from_micros(parsed.as_microsecond()).map_err(|_| InvalidTimestamp(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A stretch of time `[start, end)`: it contains its start and not its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Period {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after; later than `start`.
    pub end: Timestamp,
}

impl Period {
    /// Whether `start <= at < end`.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// How often something repeats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// Every calendar day.
    Day,
    /// Every calendar month.
    Month,
    /// Every calendar year.
    Year,
}

impl Interval {
    /// The word used in the catalog and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    fn times(self, n: i64) -> Span {
        match self {
            Self::Day => n.days(),
            Self::Month => n.months(),
            Self::Year => n.years(),
        }
    }
}

/// The calendar period of `interval` that contains `at`, counted from `anchor` in UTC.
///
/// Boundary `n` is always the anchor plus `n` intervals, never the previous boundary plus one:
/// 31 Jan, 28 Feb, 31 Mar. Before the anchor, as during a trial that ends there, it is counted
/// backwards.
pub fn period_at(anchor: Timestamp, interval: Interval, at: Timestamp) -> Period {
    let from = anchor.zoned(&TimeZone::UTC);
    let boundary = |n: i64| {
        let moved = from.saturating_add(interval.times(n));
        Timestamp(moved.timestamp().as_microsecond().max(0))
    };
    let mut n = whole_intervals(anchor, interval, at);
    while boundary(n + 1) <= at && boundary(n) < boundary(n + 1) {
        n += 1;
    }
    while at < boundary(n) {
        n -= 1;
    }
    Period { start: boundary(n), end: boundary(n + 1) }
}

/// About how many intervals lie between `anchor` and `at`: never more than one off.
fn whole_intervals(anchor: Timestamp, interval: Interval, at: Timestamp) -> i64 {
    let (from, to) = (anchor.zoned(&TimeZone::UTC), at.zoned(&TimeZone::UTC));
    let years = i64::from(to.year()) - i64::from(from.year());
    let months = years * 12 + i64::from(to.month()) - i64::from(from.month());
    match interval {
        Interval::Day => (at.0 - anchor.0).div_euclid(86_400_000_000),
        Interval::Month => months,
        Interval::Year => years,
    }
}

/// The calendar day, in `zone`, that contains `at`: from midnight to midnight there.
///
/// Daylight saving is the zone's: a day may be 23 or 25 hours long, and starts at its first
/// instant where midnight does not exist. Errors when `zone` is not a known IANA name.
pub fn day_in_zone(zone: &str, at: Timestamp) -> Result<Period, UnknownZone> {
    let zone = time_zone(zone)?;
    let today = at.zoned(&zone);
    let start = today.start_of_day().map_err(|_| UnknownZone(zone_name(&zone)))?;
    let next = today.date().saturating_add(1.day()).to_zoned(zone.clone());
    let end = next.and_then(|day| day.start_of_day()).map_err(|_| UnknownZone(zone_name(&zone)))?;
    let micros = |at: &Zoned| Timestamp(at.timestamp().as_microsecond().max(0));
    Ok(Period { start: micros(&start), end: micros(&end) })
}

/// The name is not in the time zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IANA time zone, such as UTC or Europe/Berlin")]
pub struct UnknownZone(pub String);

/// Finds a zone by its IANA name. Errors when there is none of that name.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownZone> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| UnknownZone(name.to_owned()))
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_counted_from_the_anchor_and_never_drift() {
        let anchor = at("2027-01-31T10:00:00Z");
        let ends: Vec<String> = ["2027-02-01", "2027-03-01", "2027-03-31", "2028-02-10"]
            .iter()
            .map(|day| {
                let now = at(&format!("{day}T10:00:00Z"));
                period_at(anchor, Interval::Month, now).end.to_string()
            })
            .collect();
        assert_eq!(
            ends,
            [
                "2027-02-28T10:00:00Z",
                "2027-03-31T10:00:00Z",
                "2027-04-30T10:00:00Z",
                "2028-02-29T10:00:00Z"
            ]
        );
    }

    #[test]
    fn a_boundary_belongs_to_the_period_it_starts() {
        let anchor = at("2027-01-15T00:00:00Z");
        let period = period_at(anchor, Interval::Month, at("2027-02-15T00:00:00Z"));
        assert_eq!(period.start, at("2027-02-15T00:00:00Z"));
        assert!(period.contains(period.start) && !period.contains(period.end));
    }

    #[test]
    fn a_window_before_the_anchor_is_no_longer_than_others() {
        let anchor = at("2028-03-12T23:00:00Z");
        let period = period_at(anchor, Interval::Month, at("2028-03-05T23:00:00Z"));
        assert_eq!(period, Period { start: at("2028-02-12T23:00:00Z"), end: anchor });
    }

    #[test]
    fn a_day_in_a_zone_may_be_23_hours_long() {
        let day = day_in_zone("Europe/Berlin", at("2027-03-28T12:00:00Z")).unwrap();
        assert_eq!(day.start, at("2027-03-27T23:00:00Z"));
        assert_eq!(day.end, at("2027-03-28T22:00:00Z"));
        assert!(day_in_zone("Europe/Berlinn", day.start).is_err());
    }

    #[test]
    fn nothing_outside_the_calendar_is_an_instant() {
        assert!(Timestamp::from_micros(-1).is_err());
        assert!(Timestamp::from_micros(i64::MAX).is_err());
        assert!(Timestamp::from_seconds(i64::MAX).is_err());
        let last = at("9999-12-30T00:00:00Z");
        assert!(
            last <= last.plus_intervals(i64::MAX, Interval::Year)
                && last <= last.plus_seconds(i64::MAX)
        );
    }

    proptest! {
        #[test]
        fn the_period_of_an_instant_contains_it(
            anchor in 400_000_000_i64..4_000_000_000, later in -300_000_000_i64..400_000_000,
            which in 0..3_usize,
        ) {
            let interval = [Interval::Day, Interval::Month, Interval::Year][which];
            let anchor = Timestamp::from_seconds(anchor).unwrap();
            let now = anchor.plus_seconds(later);
            let period = period_at(anchor, interval, now);
            prop_assert!(period.contains(now), "{period:?} does not contain {now}");
            let next = period_at(anchor, interval, period.end);
            prop_assert_eq!(next.start, period.end);
        }
    }
}
