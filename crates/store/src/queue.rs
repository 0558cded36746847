//! A bounded queue between callers and writer threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Items in order of arrival, at most `limit` of them.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    limit: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// Why an item was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), limit }
    }

    /// Takes `item`, or gives it back with the reason. Never waits.
    pub(crate) fn push(&self, item: T) -> Result<(), (T, Refused)> {
        let mut state = self.lock();
        if state.closed {
            return Err((item, Refused::Closed));
        }
        if self.limit <= state.waiting.len() {
            return Err((item, Refused::Full));
        }
        state.waiting.push_back(item);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for an item, then takes up to `most` that are there. Empty when the queue is closed
    /// and all items were taken.
    pub(crate) fn pop(&self, most: usize) -> Vec<T> {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let count = most.min(state.waiting.len());
        state.waiting.drain(..count).collect()
    }

    /// Takes no more items; those inside are still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
