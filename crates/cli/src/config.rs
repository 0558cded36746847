//! The configuration of `farthing serve`: environment variables, every mistake told at once.
//!
//! A secret may also be in a file that `NAME_FILE` names. Secrets are never repeated in messages.

mod mail;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use farthing_providers::Livemode;
use farthing_providers::stripe::{DEFAULT_TOLERANCE_SECONDS, WebhookConfig};
use farthing_providers::transport::STRIPE_URL;
use farthing_store::meta::Mode;

use crate::exit::Failure;

pub use mail::MailConfig;

/// Everything that `farthing serve` has to be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Test or live; never sandbox.
    pub mode: Mode,
    /// Where customers return to, without a path.
    pub return_base: String,
    /// Where customers reach the pages of this server, without a path; `None`: nowhere.
    pub public_url: Option<String>,
    /// How mails leave.
    pub mail: MailConfig,
    /// A file that says what the billing page looks like.
    pub theme: Option<PathBuf>,
    /// The provider.
    pub stripe: StripeConfig,
}

/// How to talk to Stripe.
#[derive(Clone)]
pub struct StripeConfig {
    /// Where it is.
    pub url: String,
    /// As whom.
    pub api_key: String,
    /// Real money or not.
    pub livemode: Livemode,
    /// Who signs its events; absent: none can be received.
    pub webhook: WebhookConfig,
}

/// Everything but the key.
impl std::fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StripeConfig({}, {:?}, {:?})", self.url, self.livemode, self.webhook)
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// Where settings are read from, by name.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's environment; an empty variable is none.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

struct Reader<'a> {
    env: Env<'a>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong<T>(&mut self, message: impl Into<String>, fix: impl Into<String>) -> Option<T> {
        self.mistakes.push(Mistake { message: message.into(), fix: fix.into() });
        None
    }

    /// A value from `name`, or from the file that `NAME_FILE` names.
    fn secret(&mut self, name: &str) -> Option<String> {
        let file_name = format!("{name}_FILE");
        match ((self.env)(name), (self.env)(&file_name)) {
            (Some(_), Some(_)) => self.wrong(
                format!("{name} and {file_name} are both set"),
                format!("set one of them; {file_name} names a file with the value"),
            ),
            (Some(value), None) => Some(value.trim().to_owned()),
            (None, Some(path)) => match std::fs::read_to_string(path.trim()) {
                Ok(value) if !value.trim().is_empty() => Some(value.trim().to_owned()),
                Ok(_) => self.wrong(
                    format!("the file {path} that {file_name} names is empty"),
                    "write the secret into it",
                ),
                Err(error) => self.wrong(
                    format!("the file {path} that {file_name} names cannot be read: {error}"),
                    "name a file that this user can read",
                ),
            },
            (None, None) => None,
        }
    }

    fn needed(&mut self, name: &str, fix: &str) -> Option<String> {
        let before = self.mistakes.len();
        match self.secret(name) {
            None if before == self.mistakes.len() => {
                self.wrong(format!("{name} is not set"), fix.to_owned())
            }
            found => found,
        }
    }

    fn mode(&mut self) -> Option<Mode> {
        let fix = "set FARTHING_MODE=test, or FARTHING_MODE=live for real money";
        match (self.env)("FARTHING_MODE").as_deref().map(str::trim) {
            Some("test") => Some(Mode::Test),
            Some("live") => Some(Mode::Live),
            Some(other) => self.wrong(format!("FARTHING_MODE is {other:?}, which is no mode"), fix),
            None => self.wrong("FARTHING_MODE is not set", fix),
        }
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let text = (self.env)("FARTHING_LISTEN").unwrap_or_else(|| "127.0.0.1:8787".to_owned());
        let fix = "set FARTHING_LISTEN to an address and port such as 0.0.0.0:8787";
        match text.trim().parse() {
            Ok(address) => Some(address),
            Err(_) => self.wrong(format!("FARTHING_LISTEN is {text:?}, which is no address"), fix),
        }
    }

    fn return_base(&mut self, mode: Option<Mode>) -> Option<String> {
        let fix = "set FARTHING_RETURN_BASE to your app's address, such as https://app.example.com";
        let text = (self.env)("FARTHING_RETURN_BASE");
        let Some(text) = text else {
            return self.wrong("FARTHING_RETURN_BASE is not set", fix);
        };
        match check_return_base(&text, mode) {
            Ok(base) => Some(base),
            Err(problem) => self.wrong(format!("FARTHING_RETURN_BASE is {text:?}, {problem}"), fix),
        }
    }

    fn public_url(&mut self, mode: Option<Mode>) -> Option<String> {
        let fix =
            "set it to where customers reach this server, such as https://billing.example.com";
        let text = (self.env)("FARTHING_PUBLIC_URL")?;
        match check_return_base(&text, mode) {
            Ok(base) => Some(base),
            Err(problem) => self.wrong(format!("FARTHING_PUBLIC_URL is {text:?}, {problem}"), fix),
        }
    }

    fn stripe(&mut self, mode: Option<Mode>) -> Option<StripeConfig> {
        let fix = "copy a secret or restricted key from Stripe's dashboard: Developers, API keys";
        let key = self.needed("STRIPE_API_KEY", fix);
        let webhook = self.webhook(mode);
        let url = (self.env)("FARTHING_STRIPE_URL");
        if url.is_some() && mode == Some(Mode::Live) {
            return self.wrong(
                "FARTHING_STRIPE_URL is set in live mode",
                "unset it: only test mode may talk to something other than Stripe",
            );
        }
        let (key, mode) = (key?, mode?);
        let wanted = if mode == Mode::Live { Livemode::Live } else { Livemode::Test };
        let found = match Livemode::of_key(&key) {
            Ok(found) => found,
            Err(error) => return self.wrong(format!("STRIPE_API_KEY: {error}"), fix),
        };
        if found != wanted {
            let (found, wanted) = (found.as_str(), wanted.as_str());
            return self.wrong(
                format!("STRIPE_API_KEY is a {found} key, but FARTHING_MODE is {wanted}"),
                format!("use a key that starts with sk_{wanted}_, or change FARTHING_MODE"),
            );
        }
        let url = url.unwrap_or_else(|| STRIPE_URL.to_owned());
        Some(StripeConfig { url, api_key: key, livemode: wanted, webhook: webhook? })
    }

    fn webhook(&mut self, mode: Option<Mode>) -> Option<WebhookConfig> {
        let before = self.mistakes.len();
        let Some(text) = self.secret("STRIPE_WEBHOOK_SECRETS") else {
            return (before == self.mistakes.len()).then(WebhookConfig::absent);
        };
        let secrets: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        if mode == Some(Mode::Live) && secrets.iter().any(|secret| is_placeholder(secret)) {
            return self.wrong(
                "STRIPE_WEBHOOK_SECRETS holds a secret from an example, which anybody could sign with",
                "copy the endpoint's own signing secret from Stripe's dashboard",
            );
        }
        match WebhookConfig::new(secrets, DEFAULT_TOLERANCE_SECONDS) {
            Ok(config) => Some(config),
            Err(error) => self.wrong(
                format!("STRIPE_WEBHOOK_SECRETS: {error}"),
                "write the signing secrets with a comma between them: whsec_…,whsec_…",
            ),
        }
    }
}

impl Config {
    /// Reads the environment. Errors: everything that is wrong with it.
    pub fn read(env: Env<'_>) -> Result<Self, Vec<Mistake>> {
        let mut reader = Reader { env, mistakes: Vec::new() };
        let mode = reader.mode();
        let database_url = reader.needed(
            "FARTHING_DATABASE_URL",
            "set it to postgres://USER:PASSWORD@HOST/DATABASE or sqlite:PATH",
        );
        let listen = reader.listen();
        let return_base = reader.return_base(mode);
        let public_url = reader.public_url(mode);
        let mail = reader.mail(mode, return_base.as_deref());
        let theme = env("FARTHING_THEME").map(PathBuf::from);
        let stripe = reader.stripe(mode);
        match (database_url, listen, mode, return_base, stripe) {
            (Some(database_url), Some(listen), Some(mode), Some(return_base), Some(stripe))
                if reader.mistakes.is_empty() =>
            {
                Ok(Self {
                    database_url,
                    listen,
                    mode,
                    return_base,
                    public_url,
                    mail,
                    theme,
                    stripe,
                })
            }
            _ => Err(reader.mistakes),
        }
    }
}

/// The database that the environment names, if it names one.
pub fn database_url(env: Env<'_>) -> Result<Option<String>, Failure> {
    let mut reader = Reader { env, mistakes: Vec::new() };
    let url = reader.secret("FARTHING_DATABASE_URL");
    reader.mistakes.pop().map_or(Ok(url), |mistake| Err(mistake.into()))
}

/// Where people reach the pages, if the environment says so. Errors: they cannot be there.
pub fn public_url(env: Env<'_>) -> Result<Option<String>, Failure> {
    let mut reader = Reader { env, mistakes: Vec::new() };
    let url = reader.public_url(None);
    reader.mistakes.pop().map_or(Ok(url), |mistake| Err(mistake.into()))
}

/// The mode that the environment names, if it names one. Errors: it is none.
pub fn mode(env: Env<'_>) -> Result<Option<Mode>, Failure> {
    if env("FARTHING_MODE").is_none() {
        return Ok(None);
    }
    let mut reader = Reader { env, mistakes: Vec::new() };
    let mode = reader.mode();
    reader.mistakes.pop().map_or(Ok(mode), |mistake| Err(mistake.into()))
}

/// Stripe as the environment describes it for a database of `mode`; `None` if no key is set.
pub fn stripe(env: Env<'_>, mode: Mode) -> Result<Option<StripeConfig>, Failure> {
    if env("STRIPE_API_KEY").is_none() && env("STRIPE_API_KEY_FILE").is_none() {
        return Ok(None);
    }
    let mut reader = Reader { env, mistakes: Vec::new() };
    let stripe = reader.stripe(Some(mode));
    reader.mistakes.pop().map_or(Ok(stripe), |mistake| Err(mistake.into()))
}

impl From<Mistake> for Failure {
    fn from(mistake: Mistake) -> Self {
        Self::new(format!("{}; nothing was changed", mistake.message)).fix(mistake.fix)
    }
}

/// Scheme and host without a path. Live mode takes only https, and no address of this machine.
fn check_return_base(text: &str, mode: Option<Mode>) -> Result<String, &'static str> {
    let url = reqwest::Url::parse(text.trim()).map_err(|_| "which is no address")?;
    let host = url.host_str().ok_or("which has no host")?;
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = host == "localhost"
        || host.ends_with(".localhost")
        || ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("which is more than scheme and host: the path is chosen per checkout");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("which holds a user name or password");
    }
    match (url.scheme(), mode, local) {
        (_, Some(Mode::Live), true) => Err("which is this machine: customers cannot return there"),
        ("https", _, _) => Ok(url.origin().ascii_serialization()),
        ("http", Some(Mode::Live), _) => Err("which is not https"),
        ("http", _, true) => Ok(url.origin().ascii_serialization()),
        ("http", _, false) => Err("which is neither https nor on this machine"),
        _ => Err("which starts neither with https:// nor with http://"),
    }
}

/// Whether a webhook secret is one of those that documents and examples show.
fn is_placeholder(secret: &str) -> bool {
    const SHORTEST: usize = 24;
    let lower = secret.to_ascii_lowercase();
    let words = ["test", "example", "secret", "changeme", "xxxx", "1234567890", "..."];
    secret.len() < SHORTEST
        || words.iter().any(|word| lower.trim_start_matches("whsec_").starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let env = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::read(&env).map_err(|m| m.into_iter().map(|mistake| mistake.message).collect())
    }

    const LIVE: [(&str, &str); 5] = [
        ("FARTHING_MODE", "live"),
        ("FARTHING_DATABASE_URL", "sqlite:farthing.db"),
        ("FARTHING_RETURN_BASE", "https://app.example.com/"),
        ("STRIPE_API_KEY", "sk_live_1"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_8f2kdf92kd02jd92kd9s, whsec_9d2kdf92kd02jd92kd9s"),
    ];

    fn with(name: &str, value: &str) -> Vec<String> {
        let mut settings = LIVE.to_vec();
        settings.retain(|(known, _)| *known != name);
        let value = value.to_owned();
        settings.push((name, &value));
        read(&settings).expect_err("a mistake")
    }

    #[test]
    fn a_whole_configuration_is_read() {
        let config = read(&LIVE).unwrap();
        assert_eq!(config.return_base, "https://app.example.com");
        assert_eq!(config.listen.port(), 8787);
        assert!(config.stripe.webhook.is_configured());
        assert!(!format!("{config:?}").contains("sk_live_1"));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        assert_eq!(
            read(&[]).unwrap_err(),
            [
                "FARTHING_MODE is not set",
                "FARTHING_DATABASE_URL is not set",
                "FARTHING_RETURN_BASE is not set",
                "STRIPE_API_KEY is not set",
            ]
        );
    }

    #[test]
    fn live_and_test_never_mix() {
        assert_eq!(
            with("STRIPE_API_KEY", "sk_test_1"),
            ["STRIPE_API_KEY is a test key, but FARTHING_MODE is live"]
        );
        assert_eq!(
            with("FARTHING_MODE", "test"),
            ["STRIPE_API_KEY is a live key, but FARTHING_MODE is test"]
        );
        assert_eq!(
            with("FARTHING_STRIPE_URL", "http://127.0.0.1:1"),
            ["FARTHING_STRIPE_URL is set in live mode"]
        );
    }

    #[test]
    fn live_customers_do_not_return_to_this_machine() {
        for local in
            ["http://localhost:3000", "https://127.0.0.1", "https://[::1]", "https://a.localhost"]
        {
            let mistakes = with("FARTHING_RETURN_BASE", local);
            assert!(
                mistakes[0].ends_with("this machine: customers cannot return there"),
                "{local}"
            );
        }
        assert!(with("FARTHING_RETURN_BASE", "http://app.example.com")[0].ends_with("not https"));
        assert!(
            with("FARTHING_RETURN_BASE", "https://a.example/b")[0].contains("more than scheme")
        );
    }

    #[test]
    fn live_webhooks_are_not_signed_with_a_secret_from_an_example() {
        for secret in ["whsec_test_secret_0123456789abcdef", "whsec_1", "whsec_...0123456789abcdef"]
        {
            let mistakes = with("STRIPE_WEBHOOK_SECRETS", secret);
            assert!(mistakes[0].contains("from an example"), "{secret}: {mistakes:?}");
            assert!(!mistakes[0].contains(secret), "a secret is not repeated");
        }
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "sk_live_from_file\n").unwrap();
        let mut settings = LIVE.to_vec();
        settings.retain(|(known, _)| *known != "STRIPE_API_KEY");
        let path = path.to_str().unwrap().to_owned();
        settings.push(("STRIPE_API_KEY_FILE", &path));
        assert_eq!(read(&settings).unwrap().stripe.api_key, "sk_live_from_file");
        settings.push(("STRIPE_API_KEY", "sk_live_1"));
        assert_eq!(
            read(&settings).unwrap_err(),
            ["STRIPE_API_KEY and STRIPE_API_KEY_FILE are both set"]
        );
    }
}
