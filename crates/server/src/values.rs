//! Values that several requests hold, read strictly.

use std::fmt;

use farthing_core::catalog::Limit;
use farthing_core::entitlement::AMOUNT_MAX;
use farthing_core::ids::CustomerId;
use farthing_core::money::Currency;
use farthing_core::time::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::codes::Code;
use crate::json::refuse;

/// How much: a whole number from `LEAST` to [`AMOUNT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const LEAST: i64>(pub i64);

/// How much to take: at least 1.
pub type Amount = Whole<1>;

impl Default for Amount {
    fn default() -> Self {
        Self(1)
    }
}

struct WholeVisitor<const LEAST: i64>;

impl<const LEAST: i64> WholeVisitor<LEAST> {
    fn refuse<E: Error, T>(found: &str) -> Result<T, E> {
        let message = format!("{found} is not a whole number from {LEAST} to {AMOUNT_MAX}");
        let fix = format!("send a JSON integer from {LEAST} to {AMOUNT_MAX}");
        Err(refuse(Code::InvalidAmount, &message, &fix))
    }
}

impl<const LEAST: i64> Visitor<'_> for WholeVisitor<LEAST> {
    type Value = Whole<LEAST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {LEAST} to {AMOUNT_MAX}")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Whole<LEAST>, E> {
        if (LEAST..=AMOUNT_MAX).contains(&n) { Ok(Whole(n)) } else { Self::refuse(&n.to_string()) }
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Whole<LEAST>, E> {
        i64::try_from(n).map_or_else(|_| Self::refuse(&n.to_string()), |n| self.visit_i64(n))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<Whole<LEAST>, E> {
        Self::refuse(&format!("{n:?}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Whole<LEAST>, E> {
        Self::refuse(&format!("the text {text:?}"))
    }
}

impl<'de, const LEAST: i64> Deserialize<'de> for Whole<LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor::<LEAST>)
    }
}

/// The app's id of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRef(pub CustomerId);

impl<'de> Deserialize<'de> for CustomerRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|err: farthing_core::ids::InvalidCustomerId| {
            let message = format!("{text:?} cannot be the id of a customer");
            refuse(Code::InvalidId, &message, &err.to_string())
        })
    }
}

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            let message = format!("{text:?} is not an instant");
            let fix = "send RFC 3339 with a time zone, such as 2027-01-31T00:00:00Z";
            refuse(Code::InvalidTimestamp, &message, fix)
        })
    }
}

/// A currency by its ISO code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            let message = format!("{text:?} is not a currency");
            refuse(Code::UnknownCurrency, &message, "send an ISO 4217 code such as \"USD\"")
        })
    }
}

/// What an exception allows: `true`, `false`, a whole number, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitValue(pub Limit);

struct LimitVisitor;

impl LimitVisitor {
    fn refuse<E: Error, T>(found: &str) -> Result<T, E> {
        let message = format!("{found} is not a limit");
        let fix = format!("send true, false, an integer from 0 to {AMOUNT_MAX}, or \"unlimited\"");
        Err(refuse(Code::InvalidLimit, &message, &fix))
    }
}

impl Visitor<'_> for LimitVisitor {
    type Value = LimitValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a whole number or \"unlimited\"")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<LimitValue, E> {
        Ok(LimitValue(Limit::Switch(on)))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<LimitValue, E> {
        match n {
            0..=AMOUNT_MAX => Ok(LimitValue(Limit::Amount(n))),
            _ => Self::refuse(&n.to_string()),
        }
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<LimitValue, E> {
        i64::try_from(n).map_or_else(|_| Self::refuse(&n.to_string()), |n| self.visit_i64(n))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<LimitValue, E> {
        Self::refuse(&format!("{n:?}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<LimitValue, E> {
        match text {
            "unlimited" => Ok(LimitValue(Limit::Unlimited)),
            _ => Self::refuse(&format!("the text {text:?}")),
        }
    }
}

impl<'de> Deserialize<'de> for LimitValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}
