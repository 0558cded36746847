//! Who sent this? Stripe's webhook signature over the raw body.
//!
//! Header: `t=<unix seconds>,v1=<hex>[,v1=<hex>...][,v0=...]`. HMAC-SHA256 over `"{t}.{body}"`
//! with the whole `whsec_...` text as the key. Only `v1` counts; while a secret is being rolled
//! there is one per secret. Source: <https://docs.stripe.com/webhooks#verify-manually>.

use farthing_core::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::ConfigError;

/// How old a signature may be, and how far in the future, unless configured otherwise.
pub const DEFAULT_TOLERANCE_SECONDS: i64 = 300;

/// The secrets of our webhook endpoint.
#[derive(Clone)]
pub struct WebhookConfig {
    secrets: Vec<String>,
    tolerance_seconds: i64,
}

impl WebhookConfig {
    /// Accepts what any of `secrets` signed at most `tolerance_seconds` ago or ahead.
    ///
    /// Errors: no secret, an empty or broken one, or a tolerance that is not positive.
    pub fn new(secrets: Vec<String>, tolerance_seconds: i64) -> Result<Self, ConfigError> {
        let bad = |text: &str| Err(ConfigError(text.to_owned()));
        if secrets.is_empty() {
            return bad("no webhook secret is configured: copy the endpoint's whsec_... here");
        }
        if secrets.iter().any(|secret| secret.is_empty() || secret.contains(char::is_whitespace)) {
            return bad("a webhook secret is empty or has blanks in it: copy it again");
        }
        if tolerance_seconds < 1 {
            return bad("the webhook tolerance must be at least 1 second");
        }
        Ok(Self { secrets, tolerance_seconds })
    }

    /// No webhooks: every event is refused. For commands that only call Stripe.
    pub fn absent() -> Self {
        Self { secrets: Vec::new(), tolerance_seconds: DEFAULT_TOLERANCE_SECONDS }
    }

    /// Whether there is a secret, and so an endpoint.
    pub fn is_configured(&self) -> bool {
        !self.secrets.is_empty()
    }
}

/// Shows how many secrets there are and none of them.
impl std::fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookConfig({} secrets, {} s)", self.secrets.len(), self.tolerance_seconds)
    }
}

/// The event is not accepted. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no secret, so nothing can be verified.
    #[error("no webhook secret is configured, so no event can be accepted")]
    NotConfigured,
    /// The signature header is absent or cannot be read.
    #[error("the Stripe-Signature header {0}")]
    BadHeader(&'static str),
    /// The signature is genuine or not; it is too old either way.
    #[error("the signature is {0} s old: check this machine's clock, or raise the tolerance")]
    TooOld(i64),
    /// The signature claims to be from the future.
    #[error("the signature is {0} s in the future: check this machine's clock")]
    InFuture(i64),
    /// No secret of ours made any of the signatures.
    #[error(
        "no signature matches: the body was changed on its way, or the configured secret is not \
         this endpoint's"
    )]
    NoMatch,
    /// Signed by Stripe, and yet not an event.
    #[error("the body is not an event: {0}")]
    NotAnEvent(String),
    /// A thin event, which carries no object.
    #[error("{0:?} is a thin (v2) event: create the endpoint for snapshot events")]
    ThinEvent(String),
    /// Rendered in a version whose fields we do not read.
    #[error("the event is rendered in API version {0:?}: the endpoint must be created for {1}")]
    OldVersion(String, &'static str),
}

/// Checks that one of our secrets signed `body`, not long ago.
pub fn check(
    config: &WebhookConfig,
    header: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), WebhookError> {
    if !config.is_configured() {
        return Err(WebhookError::NotConfigured);
    }
    let (signed_at, candidates) = parse(header)?;
    let matches = config.secrets.iter().any(|secret| {
        let expected = sign(secret, signed_at, body);
        candidates.iter().any(|candidate| bool::from(candidate.as_slice().ct_eq(&expected)))
    });
    if !matches {
        return Err(WebhookError::NoMatch);
    }
    let seconds: i64 =
        signed_at.parse().map_err(|_| WebhookError::BadHeader("has a time beyond all bounds"))?;
    let age = now.seconds().saturating_sub(seconds);
    if config.tolerance_seconds < age {
        return Err(WebhookError::TooOld(age));
    }
    if age < -config.tolerance_seconds {
        return Err(WebhookError::InFuture(-age));
    }
    Ok(())
}

/// The time as it was written, and every `v1` that is hexadecimal. Other schemes are ignored.
fn parse(header: &str) -> Result<(&str, Vec<Vec<u8>>), WebhookError> {
    if header.trim().is_empty() {
        return Err(WebhookError::BadHeader("is missing or empty"));
    }
    let mut signed_at = None;
    let mut candidates = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", time)) if signed_at.replace(time).is_some() => {
                return Err(WebhookError::BadHeader("has two times"));
            }
            Some(("v1", signature)) => candidates.extend(hex::decode(signature).ok()),
            _ => {}
        }
    }
    let signed_at = signed_at.ok_or(WebhookError::BadHeader("has no time"))?;
    if signed_at.is_empty() || !signed_at.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WebhookError::BadHeader("has a time that is not a number"));
    }
    if candidates.is_empty() {
        return Err(WebhookError::BadHeader("has no v1 signature"));
    }
    Ok((signed_at, candidates))
}

fn sign(secret: &str, signed_at: &str, body: &[u8]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}
