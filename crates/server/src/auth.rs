//! Who is calling. A handler that takes a caller cannot be reached without a valid API key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use farthing_engine::Call;
use farthing_engine::idempotency::Keyed;
use farthing_engine::keys::{Authenticated, Scope};
use sha2::{Digest, Sha256};

use crate::codes::Code;
use crate::error::ApiError;
use crate::request::RequestId;
use crate::state::App;

/// For how long a key that was good is not looked up again. A revoked key works at most this much
/// longer.
const CACHED: Duration = Duration::from_secs(5);

/// What requests are counted as that come with no key, or with one that was never good here: each
/// of them may ask the database, so that somebody who guesses is slowed down together with all
/// others who do. Keys that were good before are not held up.
const NO_KEY: &str = "/v1";

/// How many keys are remembered.
const CACHED_MAX: usize = 1_000;

/// Longer than any key of ours.
const KEY_BYTES_MAX: usize = 200;

/// The id of the key that a request came with, for the log.
#[derive(Clone, Debug)]
pub(crate) struct CallerId(pub String);

/// Someone with a valid API key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The public name of the key.
    pub key_id: String,
    /// What it may do.
    pub scope: Scope,
}

/// A caller who may read.
pub struct Reader;

/// A caller who may check: reading keys and usage keys.
pub struct Checker;

/// A caller who may use features up: usage keys and full ones.
pub struct Meter(pub Call);

/// A caller who may change everything.
pub struct Writer(pub Call);

impl FromRequestParts<App> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        admit(parts, app, &[Scope::Read]).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for Checker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        admit(parts, app, &[Scope::Read, Scope::Usage]).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for Meter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        admit(parts, app, &[Scope::Usage]).await.map(Self)
    }
}

impl FromRequestParts<App> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        admit(parts, app, &[]).await.map(Self)
    }
}

/// The call, if the key has the full scope or one of `besides`.
async fn admit(parts: &mut Parts, app: &App, besides: &[Scope]) -> Result<Call, ApiError> {
    let caller = authenticate(parts, app).await?;
    if caller.scope != Scope::Full && !besides.contains(&caller.scope) {
        let detail = format!(
            "this key has the scope {:?}, which does not reach here; nothing was changed",
            caller.scope.as_str()
        );
        return Err(ApiError::new(Code::ForbiddenScope, detail));
    }
    let request = parts.extensions.get::<RequestId>().map_or("request", |id| id.0.as_str());
    let call = Call::new(format!("key:{}", caller.key_id), request);
    Ok(call.keyed(parts.extensions.get::<Keyed>().cloned()))
}

/// Who sent the request. Asks once per request.
pub async fn authenticate(parts: &mut Parts, app: &App) -> Result<Caller, ApiError> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let key = match bearer(&parts.headers) {
        Ok(key) => key,
        Err(error) => return app.admit_stranger(NO_KEY).and(Err(error)),
    };
    let now = (app.uptime)();
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let caller = match app.keys.find(&digest, now) {
        Known::Now(caller) => caller,
        Known::Before => look_up(app, key, digest).await?,
        Known::Never => {
            app.admit_stranger(NO_KEY)?;
            look_up(app, key, digest).await?
        }
    };
    parts.extensions.insert(caller.clone());
    Ok(caller)
}

/// Asks the database whose key it is.
async fn look_up(app: &App, key: &str, digest: [u8; 32]) -> Result<Caller, ApiError> {
    let key = key.to_owned();
    let found = app.ask(move |engine| engine.authenticate(&key)).await?;
    let Authenticated::Key(found) = found else {
        app.keys.forget(&digest);
        return Err(match found {
            Authenticated::WrongMode => {
                let mode = app.engine.mode().as_str();
                let detail = format!("this key is of another mode; this server is in {mode} mode");
                unauthorized(Code::WrongMode, &detail)
            }
            _ => unauthorized(Code::Unauthorized, "this API key is unknown or was revoked"),
        });
    };
    let caller = Caller { key_id: found.id, scope: found.scope };
    app.keys.remember(digest, &caller, (app.uptime)());
    Ok(caller)
}

/// The key in the header `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized(
            Code::Unauthorized,
            "send one header `Authorization: Bearer sk_…` with an API key",
        ));
    };
    let parts = value.to_str().ok().and_then(|value| value.split_once(' '));
    let key = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let key = key.map(|(_, key)| key.trim()).filter(|key| key.len() <= KEY_BYTES_MAX);
    key.ok_or_else(|| {
        unauthorized(Code::Unauthorized, "the header Authorization must be `Bearer sk_…`")
    })
}

fn unauthorized(code: Code, detail: &str) -> ApiError {
    let challenge = HeaderValue::from_static("Bearer realm=\"farthing\"");
    ApiError::new(code, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// What is known about a key without asking.
enum Known {
    /// It was good a moment ago.
    Now(Caller),
    /// It was good once.
    Before,
    /// It was never seen, or was not good.
    Never,
}

/// Keys that were good when they were last looked up, by their hash.
#[derive(Default)]
pub(crate) struct KeyCache {
    known: Mutex<HashMap<[u8; 32], (Duration, Caller)>>,
}

impl KeyCache {
    fn find(&self, digest: &[u8; 32], now: Duration) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(digest) {
            Some((at, caller)) if now.saturating_sub(*at) < CACHED => Known::Now(caller.clone()),
            Some(_) => Known::Before,
            None => Known::Never,
        }
    }

    fn forget(&self, digest: &[u8; 32]) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    fn remember(&self, digest: [u8; 32], caller: &Caller, now: Duration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if CACHED_MAX <= known.len() {
            known.clear();
        }
        known.insert(digest, (now, caller.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_for_less_than_five_seconds() {
        let cache = KeyCache::default();
        let caller = Caller { key_id: "key_1".to_owned(), scope: Scope::Read };
        cache.remember([1; 32], &caller, Duration::from_secs(10));
        assert!(matches!(cache.find(&[1; 32], Duration::from_millis(14_999)), Known::Now(_)));
        assert!(matches!(cache.find(&[1; 32], Duration::from_secs(15)), Known::Before));
        assert!(matches!(cache.find(&[2; 32], Duration::from_secs(10)), Known::Never));
        cache.forget(&[1; 32]);
        assert!(matches!(cache.find(&[1; 32], Duration::from_secs(10)), Known::Never));
    }

    #[test]
    fn only_one_bearer_header_is_a_key() {
        let mut headers = HeaderMap::new();
        assert!(bearer(&headers).is_err());
        for bad in ["sk_test_1", "Basic sk_test_1", "Bearer"] {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(bad));
            assert!(bearer(&headers).is_err(), "{bad:?} was taken");
        }
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer sk_test_1"));
        assert_eq!(bearer(&headers).unwrap(), "sk_test_1");
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer sk_test_2"));
        assert!(bearer(&headers).is_err(), "two keys were taken");
    }
}
