//! What stands in quotes: amounts of money, sizes, spans of time and comparisons.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use toml::de::DeValue;

use crate::money::{Currency, Money, MoneyError};
use crate::time::Interval;

use super::Span;
use super::error::{Report, nearest, shown};
use super::parse::Known;
use super::reader::{MOST, Node};

/// The largest amount, in minor units: Stripe takes at most eight digits.
///
/// Source: <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>.
const MOST_MINOR: i64 = 99_999_999;

/// The longest span: about a hundred years, so that no date leaves the calendar.
const MOST_DAYS: i64 = 36_525;

/// Sizes from the largest; powers of 1,000.
const SIZES: [(&str, i64); 5] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];

/// Why a text is not a size or a span of time: what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidQuantity(pub String);

/// Bytes in a size such as `"10 GB"`; KB, MB, GB and TB are powers of 1,000.
///
/// Errors: another unit, no whole number, negative, or above 2^53 - 1 bytes.
pub fn parse_size(text: &str) -> Result<i64, InvalidQuantity> {
    let example = || InvalidQuantity("write a size such as \"500 MB\" or \"10 GB\"".to_owned());
    let (number, unit) = quantity(text).ok_or_else(example)?;
    let Some((_, scale)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        let names = SIZES.map(|(name, _)| name);
        let unit = unit.strip_suffix("iB").map(|power| format!("{power}B"));
        return Err(match unit.as_deref().and_then(|unit| nearest(unit, &names)) {
            Some(unit) => InvalidQuantity(format!(
                "write \"{number} {unit}\"; sizes are powers of 1,000, without KiB and GiB"
            )),
            None => case_of(text, &names).unwrap_or_else(example),
        });
    };
    number
        .checked_mul(*scale)
        .filter(|bytes| *bytes <= MOST)
        .ok_or_else(|| InvalidQuantity("write at most \"9007 TB\"".to_owned()))
}

/// The fix for a unit that only has the wrong case.
fn case_of(text: &str, names: &[&'static str]) -> Option<InvalidQuantity> {
    let (number, written) = quantity(text)?;
    let unit = names.iter().find(|name| name.eq_ignore_ascii_case(written))?;
    Some(InvalidQuantity(format!("write \"{number} {unit}\"")))
}

/// `bytes` as the shortest exact size, the way [`parse_size`] reads it: `"10 GB"`, `"1500 MB"`.
pub fn format_size(bytes: i64) -> String {
    let exact = SIZES.iter().find(|(_, scale)| bytes != 0 && bytes % scale == 0);
    let (unit, scale) = exact.unwrap_or(&("B", 1));
    format!("{} {unit}", bytes / scale)
}

/// `bytes` for people, with at most one decimal, rounded up: `"3.2 GB"`.
pub fn about_size(bytes: i64) -> String {
    let fitting = SIZES.iter().find(|(_, scale)| *scale <= bytes);
    let (unit, scale) = fitting.unwrap_or(&("B", 1));
    let tenths = (i128::from(bytes) * 10 + i128::from(*scale) - 1) / i128::from(*scale);
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

/// The whole number that a text starts with, and the rest without the space between.
fn quantity(text: &str) -> Option<(i64, &str)> {
    let text = text.trim();
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '_').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let plain = number.starts_with(|char: char| char.is_ascii_digit()) && !number.ends_with('_');
    let number = number.replace('_', "").parse().ok().filter(|_| plain)?;
    Some((number, rest.trim_start()))
}

/// Reads `"12 months"`, `"7 days"`, `"1 year"`. Errors: another unit, zero, or above 100 years.
impl FromStr for Span {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let wrong = |fix: String| InvalidQuantity(fix);
        let example = || wrong("write a time such as \"14 days\" or \"12 months\"".to_owned());
        let (count, unit) = quantity(text).ok_or_else(example)?;
        let interval = match unit {
            "day" | "days" => Interval::Day,
            "month" | "months" => Interval::Month,
            "year" | "years" => Interval::Year,
            "week" | "weeks" if count <= MOST_DAYS => {
                return Err(wrong(format!("write \"{}\"", days(count * 7))));
            }
            _ => {
                let units = [Interval::Day, Interval::Month, Interval::Year];
                let names = ["day", "month", "year", "days", "months", "years"];
                let name = nearest(unit, &names).ok_or_else(example)?.trim_end_matches('s');
                let unit = units.into_iter().find(|unit| unit.as_str() == name);
                let unit = unit.ok_or_else(example)?;
                return Err(wrong(format!("write \"{}\"", Self { count, unit })));
            }
        };
        let span = Self { count, unit: interval };
        if !(1..=MOST_DAYS).contains(&count) || MOST_DAYS < span.days_at_least() {
            return Err(wrong("write a time from \"1 day\" to \"100 years\"".to_owned()));
        }
        Ok(span)
    }
}

fn days(count: i64) -> Span {
    Span { count, unit: Interval::Day }
}

impl Span {
    /// The fewest days that it can be: a month has at least 28.
    pub(super) fn days_at_least(self) -> i64 {
        match self.unit {
            Interval::Day => self.count,
            Interval::Month => self.count * 28,
            Interval::Year => self.count * 365,
        }
    }

    /// The most days that it can be.
    pub(super) fn days_at_most(self) -> i64 {
        match self.unit {
            Interval::Day => self.count,
            Interval::Month => self.count * 31,
            Interval::Year => self.count * 366,
        }
    }

    /// Whether it ends before `other` does, or with it, from whatever day both are counted.
    pub(super) fn fits_in(self, other: Self) -> bool {
        if self.unit == other.unit {
            return self.count <= other.count;
        }
        self.days_at_most() <= other.days_at_least()
    }
}

/// `1 day`, `12 months`: the way it is written in the catalog.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.count, self.unit.as_str())
    }
}

impl Node<'_> {
    /// A span of time.
    pub(super) fn span(&self, example: &str, report: &mut Report<'_>) -> Option<Span> {
        let text = self.text(example, report)?;
        match text.parse() {
            Ok(span) => Some(span),
            Err(InvalidQuantity(fix)) => {
                let message = format!("`{}` is not a length of time", shown(text));
                report.add("catalog_duration", &self.at, message, fix);
                None
            }
        }
    }

    /// A number, or for things counted in bytes also a size, at least `least`.
    pub(super) fn amount_of(
        &self,
        bytes: bool,
        least: i64,
        report: &mut Report<'_>,
    ) -> Option<i64> {
        let Some(text) = self.value().as_str() else {
            return self.integer(least..=MOST, report);
        };
        if !bytes {
            let fix = match quantity(text) {
                Some((number, "")) => format!("write {number} without quotes"),
                _ => "write a whole number; sizes are for features with unit = \"byte\"".to_owned(),
            };
            let message = format!(
                "`{}` is text, but {} is not counted in bytes",
                shown(text),
                self.subject()
            );
            report.add("catalog_size", &self.at, message, fix);
            return None;
        }
        match parse_size(text) {
            Ok(size) if least <= size => Some(size),
            Ok(_) => {
                let message = format!("{} is out of range", self.subject());
                report.add("catalog_number_out_of_range", &self.at, message, "write more than 0");
                None
            }
            Err(InvalidQuantity(fix)) => {
                report.add(
                    "catalog_size",
                    &self.at,
                    format!("`{}` is not a size", shown(text)),
                    fix,
                );
                None
            }
        }
    }

    /// `"> 5 GB"` or `"> 5"`: the number above which it is true.
    pub(super) fn above(&self, bytes: bool, report: &mut Report<'_>) -> Option<i64> {
        let example = if bytes { "> 5 GB" } else { "> 5" };
        let text = self.text(example, report)?;
        let number = text.trim().strip_prefix('>').map(str::trim).and_then(|rest| {
            let plain =
                quantity(rest).filter(|(_, unit)| unit.is_empty()).map(|(number, _)| number);
            let size = if bytes { parse_size(rest).ok() } else { None };
            plain.or(size).filter(|number| *number <= MOST)
        });
        if number.is_none() {
            let message = format!("`{}` is not a comparison", shown(text));
            let fix = format!("write \"{example}\": refused when more than that was used");
            report.add("catalog_comparison", &self.at, message, fix);
        }
        number
    }

    /// An amount for every declared currency and no other. Each is above zero unless `zero_fits`.
    pub(super) fn money(
        &self,
        known: &Known,
        zero_fits: bool,
        report: &mut Report<'_>,
    ) -> Option<BTreeMap<Currency, Money>> {
        let mut all = BTreeMap::new();
        let section = self.table(report)?;
        for node in &section.nodes {
            let Some(currency) = known.currency(node, report) else { continue };
            if let Some(money) = node.amount(currency, zero_fits, report) {
                all.insert(currency, money);
            }
        }
        let declared = known.currencies.as_deref()?;
        let missing = declared.iter().filter(|currency| section.find(currency.code()).is_none());
        for currency in missing {
            report.add(
                "catalog_missing_currency",
                &section.at,
                format!("{} has no amount in {currency}", self.subject()),
                format!("add `{currency} = \"{}\"`", example_amount(*currency)),
            );
        }
        (all.len() == declared.len()).then_some(all)
    }

    fn amount(
        &self,
        currency: Currency,
        zero_fits: bool,
        report: &mut Report<'_>,
    ) -> Option<Money> {
        let example = example_amount(currency);
        let text = match self.value() {
            DeValue::String(text) => text,
            DeValue::Float(_) | DeValue::Integer(_) => {
                let written = report.written(&self.at);
                let fixed = rewritten(&written, currency).unwrap_or(example);
                let message = format!("the amount {} is a number without quotes", self.subject());
                report.add("catalog_amount", &self.at, message, format!("write \"{fixed}\""));
                return None;
            }
            _ => {
                self.wrong_type("an amount in quotes", &format!("\"{example}\""), report);
                return None;
            }
        };
        let (message, fix) = match Money::parse(text, currency) {
            Ok(money) if money.minor < 0 => (
                format!("{} is negative", self.subject()),
                format!("write \"{}\"", text.trim_start_matches('-')),
            ),
            Ok(money) if money.minor == 0 && !zero_fits => (
                format!("{} is zero", self.subject()),
                "write an amount above zero, or leave the price out of what is free".to_owned(),
            ),
            Ok(money) if money.minor <= MOST_MINOR => return Some(money),
            Ok(_) | Err(MoneyError::TooLarge) => (
                format!("{} is more than a provider takes", self.subject()),
                format!("write at most \"{}\"", decimals(MOST_MINOR, currency)),
            ),
            Err(_) => {
                let fixed = rewritten(text, currency).unwrap_or(example);
                let digits = currency.exponent();
                (
                    format!(
                        "`{}` is not an amount in {currency}, which has {digits} decimals",
                        shown(text)
                    ),
                    format!("write \"{fixed}\""),
                )
            }
        };
        report.add("catalog_amount", &self.at, message, fix);
        None
    }
}

fn decimals(minor: i64, currency: Currency) -> String {
    let text = Money::new(minor, currency).to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn example_amount(currency: Currency) -> String {
    decimals(19 * 10_i64.pow(currency.exponent()), currency)
}

/// What was probably meant: `1.5` as `1.50`, `1,50` as `1.50`. `None` when that is a guess.
fn rewritten(written: &str, currency: Currency) -> Option<String> {
    let digits = currency.exponent() as usize;
    let plain = written.trim().replace(['_', '$', '€', '£'], "");
    let plain = plain.replace(currency.code(), "");
    let plain = if plain.contains('.') { plain } else { plain.replacen(',', ".", 1) };
    let (whole, fraction) = plain.trim().split_once('.').unwrap_or((plain.trim(), ""));
    let kept = fraction.trim_end_matches('0');
    if digits < kept.len() {
        return None;
    }
    let text = match digits {
        0 => whole.to_owned(),
        _ => format!("{whole}.{kept:0<digits$}"),
    };
    Money::parse(&text, currency).ok().filter(|money| 0 < money.minor).map(|_| text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(text: &str) -> Result<String, String> {
        text.parse::<Span>().map(|span| span.to_string()).map_err(|err| err.0)
    }

    #[test]
    fn sizes_are_powers_of_a_thousand() {
        assert_eq!(parse_size("10 GB"), Ok(10_000_000_000));
        assert_eq!(parse_size("1TB"), Ok(1_000_000_000_000));
        assert_eq!(parse_size("1_500 MB"), Ok(1_500_000_000));
        assert_eq!(parse_size("0 B"), Ok(0));
        assert_eq!(format_size(1_500_000_000), "1500 MB");
    }

    #[test]
    fn a_wrong_size_says_what_to_write() {
        let fix = |text| parse_size(text).unwrap_err().0;
        assert_eq!(fix("10 gb"), "write \"10 GB\"");
        assert!(fix("10 GiB").starts_with("write \"10 GB\"; sizes are powers of 1,000"));
        for text in ["", "GB", "1.5 GB", "-1 GB", "_1 GB", "1_ GB", "ten GB", "10", "١ GB"] {
            assert!(parse_size(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(fix("99999999999 TB"), "write at most \"9007 TB\"");
        assert_eq!(fix("9008 TB"), "write at most \"9007 TB\"");
    }

    #[test]
    fn a_span_is_whole_days_months_or_years() {
        assert_eq!(span("1 day"), Ok("1 day".to_owned()));
        assert_eq!(span("12 months"), Ok("12 months".to_owned()));
        assert_eq!(span("2 weeks"), Err("write \"14 days\"".to_owned()));
        assert_eq!(span("3 dasy"), Err("write \"3 days\"".to_owned()));
        for text in ["", "day", "0 days", "-1 day", "1.5 days", "999999999999 years", "101 years"] {
            assert!(span(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_month_is_only_sure_to_hold_28_days() {
        let parse = |text: &str| text.parse::<Span>().unwrap();
        assert!(parse("28 days").fits_in(parse("1 month")));
        assert!(!parse("30 days").fits_in(parse("1 month")));
        assert!(parse("12 months").fits_in(parse("12 months")));
        assert!(!parse("1 month").fits_in(parse("30 days")));
    }

    #[test]
    fn a_size_for_people_is_never_too_small() {
        assert_eq!(about_size(3_200_000_000), "3.2 GB");
        assert_eq!(about_size(3_200_000_001), "3.3 GB");
        assert_eq!(about_size(10_000_000_000), "10 GB");
        assert_eq!(about_size(0), "0 B");
        assert_eq!(about_size(999), "999 B");
    }

    #[test]
    fn an_amount_is_only_rewritten_when_that_is_no_guess() {
        let usd = "USD".parse().unwrap();
        assert_eq!(rewritten("19.5", usd).as_deref(), Some("19.50"));
        assert_eq!(rewritten("19,50", usd).as_deref(), Some("19.50"));
        assert_eq!(rewritten("$19", usd).as_deref(), Some("19.00"));
        assert_eq!(rewritten("19.0000", usd).as_deref(), Some("19.00"));
        assert_eq!(rewritten("19.005", usd), None);
        assert_eq!(rewritten("1,234,567", usd), None);
        assert_eq!(rewritten("500.00", "JPY".parse().unwrap()).as_deref(), Some("500"));
    }

    proptest! {
        #[test]
        fn every_size_survives_being_written_and_read(bytes in 0..=MOST) {
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn every_span_survives_being_written_and_read(count in 1..=100_i64, unit in 0..3_usize) {
            let unit = [Interval::Day, Interval::Month, Interval::Year][unit];
            let span = Span { count, unit };
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn no_text_breaks_a_value(text in "\\PC{0,12}|[0-9_]{0,20} ?[a-zA-Z]{0,3}") {
            let _ = (parse_size(&text), text.parse::<Span>(), rewritten(&text, "USD".parse().unwrap()));
        }
    }
}
