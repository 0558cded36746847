//! A bell: whoever leaves work behind rings it, so that workers need not ask all the time.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Wake {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Wake {
    /// Wakes one waiting worker, or the next one that waits.
    pub(crate) fn ring(&self) {
        if let Ok(mut rung) = self.rung.lock() {
            *rung = true;
            self.bell.notify_one();
        }
    }

    /// Waits until the bell rings, at most for `at_most`.
    pub(crate) fn wait(&self, at_most: Duration) {
        let Ok(rung) = self.rung.lock() else {
            return;
        };
        if let Ok((mut rung, _)) = self.bell.wait_timeout_while(rung, at_most, |rung| !*rung) {
            *rung = false;
        }
    }
}
