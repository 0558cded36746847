//! Guessing is slowed down: after a few wrong tries the next one has to wait, longer each time, and
//! never for good.
//!
//! What is counted is told by the caller. Browsers that somebody signed in with before are counted
//! on their own, so that a stranger who guesses keeps nobody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many wrong tries cost nothing.
const FREE: u32 = 4;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// After so long without a wrong try it is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
/// How many are remembered.
const KEYS_MAX: usize = 10_000;

/// Wrong tries, by whatever they are counted by.
#[derive(Default)]
pub(crate) struct Slow(Mutex<HashMap<String, (u32, Duration)>>);

impl Slow {
    /// How long the next try has to wait yet; zero: it may be made.
    pub(crate) fn wait(&self, key: &str, now: Duration) -> Duration {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((wrong, last)) = known.get(key) else { return Duration::ZERO };
        if *wrong < FREE {
            return Duration::ZERO;
        }
        let doubled = 1_u64 << (wrong - FREE).min(5);
        let wait = Duration::from_secs(doubled).min(WAIT_MAX);
        (*last + wait).saturating_sub(now)
    }

    /// A try was wrong.
    pub(crate) fn wrong(&self, key: &str, now: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if KEYS_MAX <= known.len() {
            known.retain(|_, (_, last)| now.saturating_sub(*last) < FORGOTTEN);
        }
        if KEYS_MAX <= known.len() {
            known.clear();
        }
        let (wrong, last) = known.entry(key.to_owned()).or_insert((0, now));
        if FORGOTTEN <= now.saturating_sub(*last) {
            *wrong = 0;
        }
        (*wrong, *last) = (wrong.saturating_add(1), now);
    }

    /// A try was right.
    pub(crate) fn right(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_becomes_slow_and_nobody_is_locked_out() {
        let slow = Slow::default();
        let mut now = Duration::ZERO;
        let mut waits = Vec::new();
        for _ in 0..12 {
            slow.wrong("ana", now);
            let wait = slow.wait("ana", now);
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(slow.wait("ana", now), Duration::ZERO, "it may always be tried again");
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30]);
        assert_eq!(slow.wait("bo", now), Duration::ZERO, "others do not wait");
        slow.right("ana");
        slow.wrong("ana", now);
        assert_eq!(slow.wait("ana", now), Duration::ZERO);
    }
}
