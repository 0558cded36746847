//! How amounts and instants are written in mails.

use farthing_core::money::Money;
use farthing_core::time::Timestamp;

/// `$1,234.50`, `€18.00`, `¥1,900`; with the currency's code where its sign would be read as
/// another's: `CAD 19.00`.
pub(crate) fn amount(money: Money) -> String {
    let digits = money.currency.exponent() as usize;
    let minor = money.minor.unsigned_abs().to_string();
    let minor = format!("{minor:0>width$}", width = digits + 1);
    let (whole, fraction) = minor.split_at(minor.len() - digits);
    let point = if digits == 0 { "" } else { "." };
    let minus = if money.minor < 0 { "-" } else { "" };
    let sign = match money.currency.code() {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "JPY" => "¥".to_owned(),
        code => format!("{code} "),
    };
    format!("{minus}{sign}{}{point}{fraction}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if 0 < i && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `28 February 2027`, in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    strftime("%-d %B %Y", at)
}

/// `28 February 2027, 10:00 UTC`.
pub(crate) fn instant(at: Timestamp) -> String {
    strftime("%-d %B %Y, %H:%M UTC", at)
}

fn strftime(format: &str, at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros()).expect("checked when it was made");
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(minor: i64, currency: &str) -> String {
        amount(Money::new(minor, currency.parse().unwrap()))
    }

    #[test]
    fn amounts_have_their_currencys_decimals() {
        assert_eq!(shown(1_900, "USD"), "$19.00");
        assert_eq!(shown(5, "EUR"), "€0.05");
        assert_eq!(shown(-123_456_789, "GBP"), "-£1,234,567.89");
        assert_eq!(shown(1_900, "JPY"), "¥1,900");
        assert_eq!(shown(1_900, "CAD"), "CAD 19.00");
        assert_eq!(shown(1_234_567, "KWD"), "KWD 1,234.567");
        assert_eq!(shown(0, "USD"), "$0.00");
        assert_eq!(shown(i64::MIN, "JPY"), "-¥9,223,372,036,854,775,808");
    }

    #[test]
    fn instants_say_which_time_zone_they_are_in() {
        let at = "2027-02-28T09:05:59.999Z".parse().unwrap();
        assert_eq!(instant(at), "28 February 2027, 09:05 UTC");
        assert_eq!(day(at), "28 February 2027");
    }
}
