//! Names of things: the app's own customer ids, and ours with a prefix that says what they name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text cannot name a customer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a customer id is 1 to 128 characters of letters, digits and . _ : @ + - , and starts with a letter or digit"
)]
pub struct InvalidCustomerId;

/// The app's own id of one of its customers, stored as given.
///
/// 1 to 128 ASCII letters, digits and `. _ : @ + -`, starting with a letter or digit, so that it
/// is safe in a path, a log line and a provider's metadata.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct CustomerId(String);

impl CustomerId {
    /// The id as the app wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerId {
    type Err = InvalidCustomerId;

    fn from_str(text: &str) -> Result<Self, InvalidCustomerId> {
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:@+-".contains(&b);
        if starts_well && text.len() <= 128 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCustomerId)
        }
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CustomerId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What one of our own ids names; the prefix is its first letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdKind {
    /// `sub_`
    Subscription,
    /// `inv_`
    Invoice,
    /// `pay_`
    Payment,
    /// `rfd_`
    Refund,
    /// `dsp_`
    Dispute,
    /// `chk_`
    Checkout,
    /// `led_`: a ledger transaction.
    Ledger,
    /// `grt_`: a grant of credits.
    Grant,
    /// `op_`: an intent, one call to a provider.
    Intent,
    /// `prv_`: what a customer was shown before a change.
    Preview,
    /// `dun_`: a payment that failed, and what is done about it.
    Dunning,
    /// `evt_`: an event out, or a provider event in.
    Event,
    /// `job_`
    Job,
    /// `drf_`: a difference between ours and the provider's.
    Drift,
    /// `key_`: an API key's public name.
    ApiKey,
    /// `mail_`: a mail to a customer or to operators.
    Mail,
    /// `req_`: one HTTP request.
    Request,
    /// `opr_`: a person who uses the admin panel.
    Operator,
    /// `ses_`: an operator who is signed in somewhere.
    Session,
    /// `not_`: what the team wrote down about a customer.
    Note,
}

impl IdKind {
    /// The letters before the underscore.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Subscription => "sub",
            Self::Invoice => "inv",
            Self::Payment => "pay",
            Self::Refund => "rfd",
            Self::Dispute => "dsp",
            Self::Checkout => "chk",
            Self::Ledger => "led",
            Self::Grant => "grt",
            Self::Intent => "op",
            Self::Preview => "prv",
            Self::Dunning => "dun",
            Self::Event => "evt",
            Self::Job => "job",
            Self::Drift => "drf",
            Self::ApiKey => "key",
            Self::Mail => "mail",
            Self::Request => "req",
            Self::Operator => "opr",
            Self::Session => "ses",
            Self::Note => "not",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_id_is_safe_to_put_anywhere() {
        for good in ["u_1", "42", "ana@example.com", "a:b-c.d+e", &"x".repeat(128)] {
            assert_eq!(good.parse::<CustomerId>().unwrap().as_str(), good);
        }
        for bad in ["", "_x", "a b", "a/b", "a\0", "é", "a%2f", "<b>", "..", &"x".repeat(129)] {
            assert!(bad.parse::<CustomerId>().is_err(), "{bad:?} was accepted");
        }
    }
}
