//! Connections for reading: opened when needed, kept when healthy, never more than a limit.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::StoreError;

/// How long a reader waits for a connection before it answers `Busy`.
const WAIT_MAX: Duration = Duration::from_secs(5);

pub(crate) struct Pool<C> {
    state: Mutex<State<C>>,
    returned: Condvar,
    limit: usize,
}

struct State<C> {
    idle: Vec<C>,
    open: usize,
}

impl<C> Pool<C> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State { idle: Vec::new(), open: 0 };
        Self { state: Mutex::new(state), returned: Condvar::new(), limit: limit.max(1) }
    }

    /// An idle connection, or a new one from `open`. Waits while all are in use; `Busy` when
    /// that takes too long.
    pub(crate) fn take(
        &self,
        open: impl FnOnce() -> Result<C, StoreError>,
    ) -> Result<Lease<'_, C>, StoreError> {
        let state = self.lock();
        let all_in_use = |state: &mut State<C>| state.idle.is_empty() && self.limit <= state.open;
        let (mut state, waited) = self
            .returned
            .wait_timeout_while(state, WAIT_MAX, all_in_use)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Busy);
        }
        let idle = state.idle.pop();
        if idle.is_none() {
            state.open += 1;
        }
        drop(state);
        // From here on the place is given back by dropping the lease, also when `open` fails.
        let mut lease = Lease { pool: self, connection: idle, healthy: false };
        if lease.connection.is_none() {
            lease.connection = Some(open()?);
        }
        Ok(lease)
    }

    /// Takes all idle connections out, so that they can be closed.
    pub(crate) fn drain(&self) -> Vec<C> {
        let mut state = self.lock();
        state.open -= state.idle.len();
        std::mem::take(&mut state.idle)
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. It is closed when dropped, unless it was found healthy.
pub(crate) struct Lease<'a, C> {
    pool: &'a Pool<C>,
    connection: Option<C>,
    healthy: bool,
}

impl<C> Lease<'_, C> {
    pub(crate) fn connection(&mut self) -> &mut C {
        self.connection.as_mut().expect("a lease that was handed out has a connection")
    }

    /// No transaction is open on the connection, so another reader may have it.
    pub(crate) fn give_back(mut self) {
        self.healthy = true;
    }
}

impl<C> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        let unhealthy = if self.healthy { None } else { self.connection.take() };
        let mut state = self.pool.lock();
        match self.connection.take() {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        drop(state);
        drop(unhealthy);
        self.pool.returned.notify_one();
    }
}
