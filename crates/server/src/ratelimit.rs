//! How many requests one API key may send: a bucket of tokens that fills up steadily.
//!
//! Source of the header fields: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::codes::Code;
use crate::error::ApiError;

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests at once, at least 1.
    pub burst: u32,
    /// How many per second in the long run, at least 1.
    pub per_second: u32,
}

impl Default for RateLimit {
    /// Far more than an app needs: it stops a loop that went wrong, and not a busy day.
    fn default() -> Self {
        Self { burst: 20_000, per_second: 10_000 }
    }
}

impl RateLimit {
    /// The seconds in which an empty bucket is full again, rounded up.
    fn window(self) -> u64 {
        u64::from(self.burst.div_ceil(self.per_second.max(1)).max(1))
    }
}

/// One token in the unit that buckets are counted in, so that no fraction is lost.
const TOKEN: u64 = 1_000_000;

/// How many keys are remembered. A full bucket is the same as an unknown one.
const KEYS_MAX: usize = 10_000;

struct Bucket {
    /// In millionths of a token.
    level: u64,
    at: Duration,
}

/// The buckets of all keys. In memory: each node counts for itself.
pub struct RateLimiter {
    limit: RateLimit,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Whether it may go on.
    pub allowed: bool,
    /// How many more may follow at once.
    pub remaining: u64,
    /// After how many seconds there is a token again (refused) or all are back (allowed).
    pub reset: u64,
    limit: RateLimit,
}

impl RateLimiter {
    /// With full buckets.
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::default() }
    }

    /// Takes one token of `key` at `now`.
    pub fn take(&self, key: &str, now: Duration) -> Rate {
        let limit = self.limit;
        let full = u64::from(limit.burst.max(1)) * TOKEN;
        let per_second = u64::from(limit.per_second.max(1)) * TOKEN;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if KEYS_MAX <= buckets.len() && !buckets.contains_key(key) {
            let refilled = Duration::from_secs(limit.window());
            buckets.retain(|_, bucket| now.saturating_sub(bucket.at) < refilled);
        }
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket { level: full, at: now });
        let micros = u64::try_from(now.saturating_sub(bucket.at).as_micros()).unwrap_or(u64::MAX);
        let gained = u64::from(limit.per_second.max(1)).saturating_mul(micros);
        bucket.level = bucket.level.saturating_add(gained).min(full);
        bucket.at = bucket.at.max(now);
        let allowed = TOKEN <= bucket.level;
        if allowed {
            bucket.level -= TOKEN;
        }
        let missing = if allowed { full - bucket.level } else { TOKEN - bucket.level };
        let reset = missing.div_ceil(per_second);
        Rate { allowed, remaining: bucket.level / TOKEN, reset, limit }
    }
}

impl Rate {
    /// The answer to a request that may not go on.
    pub fn refusal(&self) -> ApiError {
        let detail = "there are too many requests; nothing was changed";
        ApiError::new(Code::RateLimited, detail).retry_after(self.reset.max(1))
    }

    /// Tells the client how it stands.
    pub fn write(&self, headers: &mut HeaderMap) {
        let RateLimit { burst, .. } = self.limit;
        let policy = format!("\"default\";q={burst};w={}", self.limit.window());
        let now = format!("\"default\";r={};t={}", self.remaining, self.reset);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_a_steady_stream() {
        let limiter = RateLimiter::new(RateLimit { burst: 3, per_second: 2 });
        let at = Duration::from_millis;
        let answers: Vec<bool> = [0, 0, 0, 0, 499, 500, 500, 1_000, 60_000, 60_000, 60_000, 60_000]
            .map(|ms| limiter.take("key_1", at(ms)).allowed)
            .to_vec();
        let expected = [true, true, true, false, false, true, false, true, true, true, true, false];
        assert_eq!(answers, expected);
        assert!(limiter.take("key_2", at(0)).allowed, "another key has its own bucket");
    }

    #[test]
    fn the_client_is_told_how_it_stands() {
        let limiter = RateLimiter::new(RateLimit { burst: 2, per_second: 1 });
        let mut told = Vec::new();
        for _ in 0..3 {
            let mut headers = HeaderMap::new();
            limiter.take("key_1", Duration::ZERO).write(&mut headers);
            told.push(headers["ratelimit"].to_str().unwrap().to_owned());
        }
        assert_eq!(told, ["\"default\";r=1;t=1", "\"default\";r=0;t=2", "\"default\";r=0;t=1"]);
    }

    #[test]
    fn the_buckets_of_idle_keys_are_forgotten() {
        let limiter = RateLimiter::new(RateLimit { burst: 2, per_second: 1 });
        for n in 0..KEYS_MAX {
            limiter.take(&format!("key_{n}"), Duration::ZERO);
        }
        limiter.take("one more", Duration::from_secs(5));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
