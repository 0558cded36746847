//! Where the database is, and how a connection to it is made.

use std::time::Duration;

use ::postgres::Client;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

use super::connection::{PostgresConnection, describe, store_error};
use super::session::{ConnectError, Session};
use super::tls::{self, Tls};
use crate::error::{OpenError, StoreError};

/// How long connecting may take, unless the address says otherwise.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What every connection is told. A lock that is not there in ten seconds means that something
/// is stuck, and a transaction that is idle for a minute is one of a process that hangs.
const SESSION: &str = "
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET client_min_messages = 'warning'";

/// An address that was understood.
pub(crate) struct Address {
    config: Config,
    /// `None` for a socket in the file system, which is never encrypted.
    tls: Option<Tls>,
    /// Without the password, for messages.
    shown: String,
}

impl Address {
    /// Reads a `postgres://` address. `sslmode` is `disable`, `prefer` (the default: encrypted if
    /// the server can, whoever it is), `require` or `verify-full` (encrypted, and the certificate
    /// must be the host's, signed by an authority the system knows or one in `sslrootcert`).
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let shown = without_password(url);
        let bad = |problem: String| OpenError::BadUrl { url: shown.clone(), problem };
        let (url, root_cert) = take_root_cert(url);
        let url = url.replace("sslmode=verify-full", "sslmode=require");
        let mut config: Config = url.parse().map_err(|error| bad(describe(&error)))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        if config.get_application_name().is_none() {
            config.application_name("farthing");
        }
        let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let encrypted = || tls::connector(config.get_ssl_mode(), root_cert.as_deref());
        let tls = if local { None } else { Some(encrypted().map_err(bad)?) };
        Ok(Self { config, tls, shown })
    }

    /// A connection that is ready for use.
    pub(super) fn connect(&self) -> Result<PostgresConnection, StoreError> {
        let connected = self.try_connect().map(PostgresConnection::new);
        connected.map_err(|error| match error {
            ConnectError::Driver(error) => match store_error(&error) {
                StoreError::Driver { message } => StoreError::Unavailable { message },
                other => other,
            },
            ConnectError::Runtime(error) => StoreError::Unavailable { message: error.to_string() },
        })
    }

    /// Whether the database can be used; the error says what to do.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let mut session = self.try_connect().map_err(|error| self.unusable(error.to_string()))?;
        let encoding = session.setting("server_encoding");
        if encoding.map_err(|error| self.unusable(describe(&error)))? != "UTF8" {
            let message = "its encoding is not UTF8; create it with ENCODING 'UTF8'";
            return Err(self.unusable(message.to_owned()));
        }
        Ok(())
    }

    /// A connection of the synchronous driver, for what is not done often.
    pub(super) fn client(&self) -> Result<Client, OpenError> {
        let config = ::postgres::Config::from(self.config.clone());
        let client = match &self.tls {
            Some(tls) => config.connect(tls.clone()),
            None => config.connect(NoTls),
        };
        client.map_err(|error| self.unusable(describe(&error)))
    }

    fn unusable(&self, message: String) -> OpenError {
        OpenError::Unusable { url: self.shown.clone(), message }
    }

    fn try_connect(&self) -> Result<Session, ConnectError> {
        let mut session = Session::connect(&self.config, self.tls.as_ref())?;
        session.batch(SESSION)?;
        // Weaker settings lose commits that were answered; `remote_apply` is stronger and stays.
        let durability = session.setting("synchronous_commit")?;
        if ["off", "local", "remote_write"].contains(&durability.as_str()) {
            session.batch("SET synchronous_commit = on")?;
        }
        Ok(session)
    }
}

/// The address without its `sslrootcert`, which the driver does not know, and that path.
fn take_root_cert(url: &str) -> (String, Option<String>) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut path = None;
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("sslrootcert=") {
            Some(value) => path = Some(value.replace("%2F", "/").replace("%2f", "/")),
            None => rest.push(pair),
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    (format!("{place}{query}"), path)
}

/// The address as it may be shown and logged.
pub(crate) fn without_password(url: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let place = match place.split_once("//").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((login, host)))) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}//{user}@{host}")
        }
        _ => place.to_owned(),
    };
    let shown = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("password="));
    let shown: Vec<&str> = shown.collect();
    if shown.is_empty() { place } else { format!("{place}?{}", shown.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:s3:cr@t@db:5432/app", "postgres://me@db:5432/app"),
            (
                "postgres://me@db/app?password=x&sslmode=require",
                "postgres://me@db/app?sslmode=require",
            ),
            ("postgres://db/app", "postgres://db/app"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_root_certificate_is_taken_out_of_the_address() {
        let (url, path) = take_root_cert("postgres://db/app?sslmode=require&sslrootcert=%2Fca.pem");
        assert_eq!(
            (url.as_str(), path.as_deref()),
            ("postgres://db/app?sslmode=require", Some("/ca.pem"))
        );
        assert_eq!(take_root_cert("postgres://db/app").1, None);
    }

    #[test]
    fn an_address_that_is_none_says_what_is_wrong() {
        let error = Address::parse("postgres://me:secret@db/app?sslmode=perhaps").err().unwrap();
        let text = error.to_string();
        assert!(text.contains("sslmode") && !text.contains("secret"), "{text}");
    }
}
