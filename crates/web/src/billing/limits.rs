//! How often a page may be asked for: a bucket of tokens that fills up steadily.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many at once.
const BURST: u64 = 120;
/// One more comes back after this long.
const REFILL: Duration = Duration::from_millis(250);
/// How many buckets are remembered; a full one is like none.
const KEPT: usize = 10_000;

/// One bucket for each session, and one for all those who have none.
#[derive(Default)]
pub(super) struct Limits(Mutex<HashMap<String, Bucket>>);

struct Bucket {
    left: u64,
    at: Duration,
}

impl Limits {
    /// Takes one from the bucket of `key` at `now`. False: it is empty.
    pub(super) fn take(&self, key: &str, now: Duration) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if KEPT <= buckets.len() {
            let full = u32::try_from(BURST).map_or(Duration::MAX, |burst| REFILL * burst);
            buckets.retain(|_, bucket| now.saturating_sub(bucket.at) < full);
        }
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket { left: BURST, at: now });
        let back = now.saturating_sub(bucket.at).as_millis() / REFILL.as_millis();
        let back = u64::try_from(back).unwrap_or(BURST);
        if 0 < back {
            bucket.left = (bucket.left.saturating_add(back)).min(BURST);
            bucket.at = now;
        }
        let allowed = 0 < bucket.left;
        bucket.left = bucket.left.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_too_often_waits_and_nobody_else_does() {
        let limits = Limits::default();
        let now = Duration::from_secs(9);
        let allowed = (0..200).filter(|_| limits.take("a", now)).count();
        assert_eq!(allowed, 120);
        assert!(limits.take("b", now));
        assert!(!limits.take("a", now + Duration::from_millis(249)));
        assert!(limits.take("a", now + Duration::from_millis(500)));
    }
}
