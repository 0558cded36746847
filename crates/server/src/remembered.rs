//! An answer that is asked for often and may be a few seconds old.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long an answer is given again.
const FOR: Duration = Duration::from_secs(5);

/// The last answer, and when it was made.
pub(crate) struct Remembered<T>(Mutex<Option<(Duration, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Remembered<T> {
    /// The last answer, unless it is too old at `uptime`.
    pub(crate) fn get(&self, uptime: Duration) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept.as_ref().filter(|(made, _)| uptime.saturating_sub(*made) < FOR);
        fresh.map(|(_, answer)| answer.clone())
    }

    /// Keeps an answer that was made at `uptime`.
    pub(crate) fn keep(&self, uptime: Duration, answer: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((uptime, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_again_for_five_seconds() {
        let remembered = Remembered::default();
        assert_eq!(remembered.get(Duration::ZERO), None);
        remembered.keep(Duration::from_secs(10), "ready");
        assert_eq!(remembered.get(Duration::from_millis(14_999)), Some("ready"));
        assert_eq!(remembered.get(Duration::from_secs(15)), None);
    }
}
