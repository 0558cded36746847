//! Amounts of money: integers in minor units with their currency. No floats, no operators.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that money can be paid in, for example `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The three capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is made of capital ASCII letters")
    }

    /// Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
    ///
    /// Source: ISO 4217. What a provider counts differently (Stripe's ISK and UGX) is its
    /// adapter's business.
    pub fn exponent(&self) -> u32 {
        let known = iso_currency::Currency::from_code(self.code());
        u32::from(known.and_then(|c| c.exponent()).expect("parse admits only known currencies"))
    }
}

/// The text is not an ISO 4217 currency that has minor units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code in capital letters, such as USD")]
pub struct UnknownCurrency(pub String);

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(text.to_owned());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(unknown());
        }
        match iso_currency::Currency::from_code(text).and_then(|c| c.exponent()) {
            Some(_) => Ok(Self(code)),
            None => Err(unknown()),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount in minor units: cents for USD and EUR, whole yen for JPY. May be negative (a credit).
///
/// There is no `Add` operator on purpose: adding can fail, and the caller has to say what then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; may be negative.
    #[serde(rename = "amount")]
    pub minor: i64,
    /// What the units are of.
    pub currency: Currency,
}

/// Why two amounts could not be combined, or a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies met in one sum.
    #[error("{0} and {1} cannot be added: they are different currencies")]
    Currencies(Currency, Currency),
    /// The result is beyond what 64 bits hold.
    #[error("the amount is too large")]
    TooLarge,
    /// Not a decimal number with the currency's digits.
    #[error("{text:?} is not an amount in {currency}: write digits with {digits} decimals")]
    Malformed {
        /// What was written.
        text: String,
        /// The currency it should have been in.
        currency: Currency,
        /// How many decimals that currency has.
        digits: u32,
    },
}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Parses a quoted decimal such as `"19.00"`. It must have exactly the currency's decimals,
    /// or none at all (`"19"`), so that `"19.5"` is asked about and not guessed.
    ///
    /// Errors: `Malformed` for anything else, `TooLarge` beyond 64 bits.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.exponent();
        let malformed = || MoneyError::Malformed { text: text.to_owned(), currency, digits };
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let has_point = unsigned.contains('.');
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        if has_point && (fraction.is_empty() || fraction.len() != digits as usize) {
            return Err(malformed());
        }
        let scale = 10_i64.pow(digits);
        let whole: i64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
        let fraction: i64 =
            if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| malformed())? };
        let minor = whole
            .checked_mul(scale)
            .and_then(|minor| minor.checked_add(fraction))
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The sum. Errors: different currencies, or a result beyond 64 bits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }
}

/// `19.00 USD`, with the currency's own number of decimals.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.exponent();
        let scale = 10_u64.pow(digits);
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        match digits {
            0 => write!(f, "{sign}{minor} {}", self.currency),
            digits => write!(
                f,
                "{sign}{}.{:0width$} {}",
                minor / scale,
                minor % scale,
                self.currency,
                width = digits as usize
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn each_currency_has_its_own_decimals() {
        let show = |text, code| Money::parse(text, currency(code)).unwrap().to_string();
        assert_eq!(show("19.00", "USD"), "19.00 USD");
        assert_eq!(show("19", "USD"), "19.00 USD");
        assert_eq!(show("-0.05", "EUR"), "-0.05 EUR");
        assert_eq!(show("500", "JPY"), "500 JPY");
        assert_eq!(show("1.234", "KWD"), "1.234 KWD");
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1.5", "1.005", "1e3", "1,00", " 1", "NaN", "١"] {
            assert!(Money::parse(text, currency("USD")).is_err(), "{text:?} was accepted");
        }
        assert!(Money::parse("1.00", currency("JPY")).is_err());
        assert_eq!(
            Money::parse("99999999999999999999", currency("USD")),
            Err(MoneyError::TooLarge)
        );
    }

    #[test]
    fn different_currencies_are_never_added() {
        let (usd, eur) = (Money::new(1, currency("USD")), Money::new(1, currency("EUR")));
        assert!(matches!(usd.checked_add(eur), Err(MoneyError::Currencies(..))));
        assert_eq!(
            Money::new(i64::MAX, currency("USD")).checked_add(usd),
            Err(MoneyError::TooLarge)
        );
    }

    #[test]
    fn codes_that_are_not_currencies_are_refused() {
        for code in ["usd", "US", "USDD", "XYZ", "ÄÄ", "XXX"] {
            assert!(code.parse::<Currency>().is_err(), "{code} was accepted");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_being_written_and_read(minor in (i64::MIN + 1)..i64::MAX) {
            let money = Money::new(minor, currency("USD"));
            let text = money.to_string();
            let read = Money::parse(text.strip_suffix(" USD").unwrap(), currency("USD"));
            prop_assert_eq!(read, Ok(money));
        }
    }
}
