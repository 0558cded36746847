//! How amounts, instants and our own words look to people.

use farthing_core::money::Money;
use farthing_core::time::Timestamp;
use maud::{Markup, html};

/// `$49.00`, `€49.00`, `4900 JPY`.
pub(crate) fn money(money: Money) -> String {
    let text = money.to_string();
    let Some((amount, currency)) = text.rsplit_once(' ') else { return text };
    let sign = match currency {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        _ => return text,
    };
    match amount.strip_prefix('-') {
        Some(amount) => format!("-{sign}{amount}"),
        None => format!("{sign}{amount}"),
    }
}

/// `31 Jan 2027, 10:00`, in UTC.
pub(crate) fn instant_text(at: Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(11..16).unwrap_or_default();
    format!("{}, {minute}", day_text(at))
}

/// `31 Jan 2027`.
pub(crate) fn day_text(at: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.to_string();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok());
    let (Some(month), Some(day)) = (number(5, 7), number(8, 10)) else { return text };
    let name = MONTHS.get(usize::saturating_sub(month, 1)).copied().unwrap_or_default();
    let day: usize = day;
    format!("{day} {name} {}", text.get(..4).unwrap_or_default())
}

/// An instant with its exact value for machines and for whoever points at it.
pub(crate) fn instant(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (instant_text(at)) } }
}

/// The same without the time of day.
pub(crate) fn day(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (day_text(at)) } }
}

/// `some_feature` as `some feature`.
pub(crate) fn words(key: &str) -> String {
    key.replace('_', " ")
}

/// `3 days`, `2 hours`, `a moment`: how far `to` is from `from`.
pub(crate) fn distance(from: Timestamp, to: Timestamp) -> String {
    let seconds = (to.seconds() - from.seconds()).abs();
    let (n, unit) = match seconds {
        0..120 => return "a moment".to_owned(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{n} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_days_are_written_as_people_write_them() {
        let usd = "USD".parse().unwrap();
        assert_eq!(money(Money::new(4_900, usd)), "$49.00");
        assert_eq!(money(Money::new(-50, usd)), "-$0.50");
        assert_eq!(money(Money::new(4_900, "JPY".parse().unwrap())), "4900 JPY");
        let at: Timestamp = "2027-01-31T10:05:59.123Z".parse().unwrap();
        assert_eq!(instant_text(at), "31 Jan 2027, 10:05");
        assert_eq!(distance(at, at.plus_seconds(3 * 86_400)), "3 days");
        assert_eq!(distance(at.plus_seconds(90), at), "a moment");
    }
}
