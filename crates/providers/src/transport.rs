//! The only place that touches the network.
//!
//! TLS is rustls with ring; certificates are checked against the machine's own roots (Debian's
//! `ca-certificates`). Plain http goes to this machine only, and past any proxy.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::error::ConfigError;
use crate::http::{HttpRequest, HttpResponse, Transport, TransportError};
use crate::retry::{self, Waiting};
use crate::stripe::{API_VERSION, Livemode};

/// Stripe itself.
pub const STRIPE_URL: &str = "https://api.stripe.com";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one call with all its repetitions.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// An answer is never longer than this many bytes; Stripe's are some thousand.
const LONGEST_BODY: u64 = 16 << 20;

/// Sends requests to Stripe or the sandbox, and sends them again where that is safe.
///
/// Blocks, so it must not be made, used or dropped on an async task.
pub struct HttpTransport {
    client: Client,
    base_url: String,
}

impl HttpTransport {
    /// To `base_url`, for example [`STRIPE_URL`] or `http://127.0.0.1:4243`, as `api_key`.
    ///
    /// Errors: the key is not of mode `mode`; the address is not https, or http on this machine
    /// with a test key; the machine has no root certificates.
    pub fn new(base_url: &str, api_key: &str, mode: Livemode) -> Result<Self, ConfigError> {
        let found = Livemode::of_key(api_key)?;
        if found != mode {
            let (found, mode) = (found.as_str(), mode.as_str());
            let text = format!("the Stripe API key is a {found} key, but this is {mode} mode");
            return Err(ConfigError(text));
        }
        let on_this_machine = check_url(base_url, mode)?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("farthing/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(api_key)?);
        if on_this_machine {
            builder = builder.no_proxy().tls_certs_only([]);
        }
        install_crypto();
        let client = builder.build().map_err(|err| {
            ConfigError(format!(
                "cannot set up TLS: {}: is ca-certificates installed?",
                chain(&err)
            ))
        })?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    fn request(&self, request: &HttpRequest, left: Duration) -> Result<RequestBuilder, String> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("{} is not a method", request.method))?;
        let url = format!("{}{}", self.base_url, request.path);
        let mut built = self.client.request(method, url).timeout(left);
        if let Some(key) = &request.idempotency_key {
            built = built.header("idempotency-key", key);
        }
        if request.method == "POST" {
            built = built.form(&request.form);
        }
        Ok(built)
    }

    fn attempt(
        &self,
        request: &HttpRequest,
        left: Duration,
    ) -> Result<HttpResponse, TransportError> {
        let built = self.request(request, left).map_err(TransportError::NotSent)?;
        let response = built.send().map_err(|err| {
            let why = chain(&err);
            if err.is_connect() || err.is_builder() {
                TransportError::NotSent(why)
            } else {
                TransportError::Unknown(why)
            }
        })?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut body = Vec::new();
        let read = response.take(LONGEST_BODY + 1).read_to_end(&mut body);
        read.map_err(|err| TransportError::Unknown(format!("the answer broke off: {err}")))?;
        if LONGEST_BODY < body.len() as u64 {
            return Err(TransportError::Unknown("the answer is far too long".to_owned()));
        }
        let answer = HttpResponse { status, headers, body };
        let id = answer.header("request-id").unwrap_or_default();
        tracing::debug!(request.method, request.path, status, request.id = id, "called Stripe");
        Ok(answer)
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let clock = Waited(Instant::now());
        retry::send(request, TOTAL_TIMEOUT, &clock, |left| self.attempt(request, left))
    }
}

/// Where it sends to, and not as whom.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpTransport({})", self.base_url)
    }
}

/// Since when a call is under way.
struct Waited(Instant);

impl Waiting for Waited {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn chance(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}

/// Whether the address is on this machine. Errors when an API key must not be sent there.
fn check_url(base_url: &str, mode: Livemode) -> Result<bool, ConfigError> {
    let bad = |why: &str| ConfigError(format!("the Stripe address {base_url:?} {why}"));
    let url = Url::parse(base_url).map_err(|err| bad(&format!("is not a URL: {err}")))?;
    let host = url.host_str().ok_or_else(|| bad("has no host"))?;
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let local = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    match (url.scheme(), local, mode) {
        ("https", _, _) => Ok(false),
        ("http", true, Livemode::Test) => Ok(true),
        ("http", true, Livemode::Live) => Err(bad("is no place for a live key: use https")),
        ("http", false, _) => Err(bad("is not on this machine: use https")),
        _ => Err(bad("must start with https://")),
    }
}

fn headers(api_key: &str) -> Result<HeaderMap, ConfigError> {
    let bad = |_| ConfigError("the Stripe API key has characters that no key has".to_owned());
    let mut authorization = HeaderValue::from_str(&format!("Bearer {api_key}")).map_err(bad)?;
    authorization.set_sensitive(true);
    let version = HeaderName::from_static("stripe-version");
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(version, HeaderValue::from_static(API_VERSION));
    Ok(headers)
}

/// reqwest is built without a crypto provider of its own and takes the process's.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may be faster, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// An error with its causes, without the URL.
fn chain(err: &reqwest::Error) -> String {
    let mut text = if err.is_timeout() { "timed out".to_owned() } else { String::new() };
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        text.push_str(&format!("{separator}{err}"));
        cause = err.source();
    }
    if text.is_empty() { err.to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_come_in_time_may_have_happened() {
        // A listener that nobody accepts from: the system takes the connection and the request.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let transport = HttpTransport::new(&url, "sk_test_1", Livemode::Test).unwrap();
        let request = HttpRequest::get("/v1/account".to_owned());
        let err = transport.attempt(&request, Duration::from_millis(50)).unwrap_err();
        let TransportError::Unknown(why) = &err else { panic!("{err:?}") };
        assert!(why.contains("timed out"), "{why}");
    }
}
