//! Stripe's integers and our minor units, which differ for a few currencies.
//!
//! Source: <https://docs.stripe.com/currencies#special-cases>.

use farthing_core::money::{Currency, Money};

use super::wire::{Malformed, Node};

/// Currencies that Stripe counts in whole units. `MGA` has minor units everywhere else.
const ZERO_DECIMAL: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

/// Currencies that have no minor units and that Stripe nevertheless counts in hundredths, which
/// must be zero.
const WHOLE_IN_HUNDREDTHS: &[&str] = &["ISK", "UGX"];

/// Currencies that Stripe counts in thousandths, the last digit of which must be zero.
const THREE_DECIMAL: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// The digits after the decimal point in Stripe's integers. `None`: Stripe does not say.
fn stripe_digits(currency: Currency) -> Option<u32> {
    let code = currency.code();
    if WHOLE_IN_HUNDREDTHS.contains(&code) {
        Some(2)
    } else if ZERO_DECIMAL.contains(&code) {
        Some(0)
    } else if THREE_DECIMAL.contains(&code) {
        Some(3)
    } else {
        (currency.exponent() == 2).then_some(2)
    }
}

/// The amount cannot be said in the other's units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{amount} {currency} cannot be charged exactly at Stripe")]
pub struct NotRepresentable {
    /// In the units of the side it came from.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// Our amount as Stripe's integer. Errors rather than rounds.
pub fn to_stripe(money: Money) -> Result<i64, NotRepresentable> {
    let error = NotRepresentable { amount: money.minor, currency: money.currency };
    let digits = stripe_digits(money.currency).ok_or_else(|| error.clone())?;
    let amount = rescale(money.minor, money.currency.exponent(), digits);
    let amount = amount.ok_or_else(|| error.clone())?;
    if digits == 3 && amount % 10 != 0 {
        return Err(error);
    }
    Ok(amount)
}

/// Stripe's integer as our amount. Errors rather than rounds.
pub fn from_stripe(amount: i64, currency: Currency) -> Result<Money, NotRepresentable> {
    let error = NotRepresentable { amount, currency };
    let digits = stripe_digits(currency).ok_or_else(|| error.clone())?;
    let minor = rescale(amount, digits, currency.exponent()).ok_or(error)?;
    Ok(Money::new(minor, currency))
}

/// `None` when digits would be lost or 64 bits do not hold it.
fn rescale(amount: i64, from: u32, to: u32) -> Option<i64> {
    let scale = 10_i64.checked_pow(from.abs_diff(to))?;
    if from <= to {
        return amount.checked_mul(scale);
    }
    (amount % scale == 0).then_some(amount / scale)
}

/// Stripe's lower-case word for a currency.
pub fn currency_word(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

/// The currency in the field `currency` of `node`.
pub fn currency(node: &Node) -> Result<Currency, Malformed> {
    let field = node.need("currency")?;
    let word = field.as_text()?;
    word.to_ascii_uppercase().parse().map_err(|_| field.wrong(format!("{word:?} is no currency")))
}

/// The amount in the required field `key`, in the currency that `node` names beside it.
pub fn money(node: &Node, key: &str) -> Result<Money, Malformed> {
    let field = node.need(key)?;
    from_stripe(field.as_int()?, currency(node)?).map_err(|err| field.wrong(err.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, code.parse().unwrap())
    }

    #[test]
    fn stripe_counts_some_currencies_differently() {
        for (minor, code, stripe) in [
            (1900, "USD", 1900),
            (-1900, "EUR", -1900),
            (500, "JPY", 500),
            (500, "ISK", 50_000),
            (7, "UGX", 700),
            (5_120, "KWD", 5_120),
            (300, "HUF", 300),
        ] {
            assert_eq!(to_stripe(money(minor, code)), Ok(stripe), "{code}");
            let back = from_stripe(stripe, code.parse().unwrap());
            assert_eq!(back, Ok(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn an_amount_that_would_have_to_be_rounded_is_refused() {
        assert!(from_stripe(150, "ISK".parse().unwrap()).is_err());
        assert!(to_stripe(money(5_123, "KWD")).is_err());
        assert!(to_stripe(money(i64::MAX, "UGX")).is_err());
        assert!(to_stripe(money(1, "CLF")).is_err(), "Stripe does not say how it counts CLF");
        // An ariary has five parts everywhere but at Stripe, which knows whole ones only.
        assert_eq!(to_stripe(money(1, "MGA")).is_err(), 0 < money(1, "MGA").currency.exponent());
    }

    proptest! {
        #[test]
        fn what_stripe_takes_comes_back_the_same(minor: i64, which in 0..6_usize) {
            let amount = money(minor, ["USD", "JPY", "ISK", "UGX", "KWD", "MGA"][which]);
            if let Ok(stripe) = to_stripe(amount) {
                prop_assert_eq!(from_stripe(stripe, amount.currency), Ok(amount));
            }
        }
    }
}
