//! The oracle's own calendar: days counted from 1970, months counted from an anchor. All in UTC.

const DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the leap day is the last of one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn length(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

/// `n` months after `at`, in microseconds: on the same day, or on the month's last.
pub fn plus_months(at: i64, n: i64) -> i64 {
    let (year, month, day) = date(at.div_euclid(DAY));
    let months = year * 12 + month - 1 + n;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    days(year, month, day.min(length(year, month))) * DAY + at.rem_euclid(DAY)
}

/// `n` days after `at`.
pub fn plus_days(at: i64, n: i64) -> i64 {
    at + n * DAY
}

/// The month counted from `anchor` that contains `now`: `[start, end)`.
pub fn month_around(anchor: i64, now: i64) -> (i64, i64) {
    let mut n = (now - anchor).div_euclid(28 * DAY);
    while now < plus_months(anchor, n) {
        n -= 1;
    }
    while plus_months(anchor, n + 1) <= now {
        n += 1;
    }
    (plus_months(anchor, n), plus_months(anchor, n + 1))
}

/// The day in UTC that contains `now`: `[start, end)`.
pub fn day_around(now: i64) -> (i64, i64) {
    let start = now.div_euclid(DAY) * DAY;
    (start, start + DAY)
}

/// `2027-02` of an instant in microseconds.
pub fn month_name(at: i64) -> String {
    let (year, month, _) = date(at.div_euclid(DAY));
    format!("{year}-{month:02}")
}

/// `2027-02-28 10:00:00` of an instant in microseconds.
pub fn name(at: i64) -> String {
    let (year, month, day) = date(at.div_euclid(DAY));
    let second = at.rem_euclid(DAY) / 1_000_000;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thirty_first_comes_back_after_february() {
        let anchor = days(2027, 1, 31) * DAY;
        let names: Vec<String> = (1..=3).map(|n| name(plus_months(anchor, n))).collect();
        let expected = ["2027-02-28 00:00:00", "2027-03-31 00:00:00", "2027-04-30 00:00:00"];
        assert_eq!(names, expected);
        assert_eq!(name(plus_months(days(2028, 2, 29) * DAY, 12)), "2029-02-28 00:00:00");
    }

    #[test]
    fn every_instant_is_in_exactly_one_month() {
        let anchor = days(2024, 2, 29) * DAY + 5;
        for day in -800..800 {
            let now = anchor + day * DAY;
            let (start, end) = month_around(anchor, now);
            assert!(start <= now && now < end);
        }
    }
}
