//! Sending over SMTP: the one file of this crate that opens connections.
//!
//! `smtps://` speaks TLS from the first byte. `smtp://` has to switch to TLS with STARTTLS before
//! anything else is said: a server that does not offer it gets neither a password nor a mail. Only
//! `?tls=none` speaks in the clear, and only without a password or to this machine.

use std::time::Duration;

use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, Transport, address::Envelope};
use url::Url;

use crate::clean::without_addresses;
use crate::mailer::{Mailer, SendError};
use crate::message::Message;

/// How long one answer of the server may take. A mail needs up to nine of them.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Where the server is, and how to talk to it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(String, String)>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// Plain until STARTTLS, which has to be offered.
    StartTls,
    /// Never.
    None,
}

/// Without the password.
impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmtpUrl({self}, {:?})", self.security)
    }
}

/// `host:port`.
impl std::fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why a text does not name a server. Does not repeat the text: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not an address at all.
    #[error("which is not smtp://HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")]
    Malformed,
    /// Something after the port.
    #[error("which has a path or an unknown parameter; only ?tls=none is known")]
    Extra,
    /// A user without a password, or the other way round.
    #[error("which has only one of user and password")]
    HalfCredentials,
    /// A password in the clear.
    #[error("which would send the password in the clear: leave ?tls=none out")]
    PasswordInTheClear,
}

impl std::str::FromStr for SmtpUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let url = Url::parse(text.trim()).map_err(|_| BadUrl::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadUrl::Malformed)?;
        let (security, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Security::Tls, 465),
            ("smtp", None) => (Security::StartTls, 587),
            ("smtp", Some("tls=none")) => (Security::None, 25),
            ("smtp" | "smtps", Some(_)) => return Err(BadUrl::Extra),
            _ => return Err(BadUrl::Malformed),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(BadUrl::Extra);
        }
        let decoded = |part: &str| percent_decoded(part).ok_or(BadUrl::Malformed);
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() && !password.is_empty() => {
                Some((decoded(user)?, decoded(password)?))
            }
            _ => return Err(BadUrl::HalfCredentials),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = bare == "localhost"
            || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if security == Security::None && credentials.is_some() && !here {
            return Err(BadUrl::PasswordInTheClear);
        }
        let port = url.port().unwrap_or(port);
        Ok(Self { host: bare.to_owned(), port, security, credentials })
    }
}

impl SmtpUrl {
    /// How connections to it are protected.
    pub fn security(&self) -> Security {
        self.security
    }
}

/// `None` when it is not percent-encoded UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// A mail server.
#[derive(Clone)]
pub struct SmtpMailer {
    transport: SmtpTransport,
}

impl SmtpMailer {
    /// A mailer for `url`. Connects to nothing yet. Errors: TLS cannot be set up on this machine.
    pub fn new(url: &SmtpUrl) -> Result<Self, SendError> {
        let parameters = || {
            TlsParameters::new(url.host.clone())
                .map_err(|error| SendError::Later(format!("TLS cannot be set up: {error}")))
        };
        let tls = match url.security {
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::StartTls => Tls::Required(parameters()?),
            Security::None => Tls::None,
        };
        let mut builder = SmtpTransport::builder_dangerous(url.host.as_str())
            .port(url.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = url.credentials.clone() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build() })
    }

    /// Connects, greets, switches to TLS and logs in, as the first half of sending does.
    ///
    /// Errors: what was not answered as it should be.
    pub fn test(&self) -> Result<(), SendError> {
        match self.transport.test_connection() {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Later("the server hung up after its greeting".to_owned())),
            Err(error) => Err(failed(&error)),
        }
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        let address = |text: &str| {
            text.parse::<Address>()
                .map_err(|_| SendError::Refused("an address is not one".to_owned()))
        };
        let (from, to) = (address(&message.from)?, address(&message.to)?);
        let envelope = Envelope::new(Some(from), vec![to])
            .map_err(|error| SendError::Refused(error.to_string()))?;
        match self.transport.send_raw(&envelope, &message.bytes) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// A server that does not let us in says nothing about the mail, although it says it with a 5xx.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc4954#section-6>.
fn failed(error: &lettre::transport::smtp::Error) -> SendError {
    let code = error.status().map(u16::from).unwrap_or_default();
    let said = without_addresses(&told(error));
    let about_us = matches!(code, 502..=504 | 521 | 523 | 530 | 534 | 535 | 538);
    if error.is_permanent() && !about_us {
        return SendError::Refused(format!("{code} {said}"));
    }
    SendError::Later(if code == 0 { said } else { format!("{code} {said}") })
}

/// The error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SmtpUrl, BadUrl> {
        text.parse()
    }

    #[test]
    fn ports_and_protection_follow_the_scheme() {
        let shown = |text| parsed(text).map(|url| (url.to_string(), url.security()));
        assert_eq!(shown("smtps://m.example"), Ok(("m.example:465".into(), Security::Tls)));
        assert_eq!(shown("smtp://m.example"), Ok(("m.example:587".into(), Security::StartTls)));
        assert_eq!(
            shown("smtp://m.example:2525/"),
            Ok(("m.example:2525".into(), Security::StartTls))
        );
        assert_eq!(shown("smtp://127.0.0.1?tls=none"), Ok(("127.0.0.1:25".into(), Security::None)));
    }

    #[test]
    fn a_password_is_never_sent_in_the_clear_over_a_network() {
        let url = "smtp://u:p@m.example?tls=none";
        assert_eq!(parsed(url), Err(BadUrl::PasswordInTheClear));
        assert!(parsed("smtp://u:p@127.0.0.1:1025?tls=none").is_ok());
    }

    #[test]
    fn a_password_may_hold_anything_and_is_never_shown() {
        let url = parsed("smtps://ana%40m.example:p%2Fa%3As%25@m.example").unwrap();
        assert_eq!(url.credentials, Some(("ana@m.example".into(), "p/a:s%".into())));
        assert_eq!(format!("{url} {url:?}"), "m.example:465 SmtpUrl(m.example:465, Tls)");
    }

    #[test]
    fn what_is_not_a_server_is_told_apart() {
        for text in ["", "m.example", "https://m.example", "smtp://"] {
            assert_eq!(parsed(text), Err(BadUrl::Malformed), "{text}");
        }
        for text in
            ["smtp://m.example/x", "smtp://m.example?tls=opportunistic", "smtps://a?tls=none"]
        {
            assert_eq!(parsed(text), Err(BadUrl::Extra), "{text}");
        }
        assert_eq!(parsed("smtp://user@m.example"), Err(BadUrl::HalfCredentials));
    }
}
