//! The time and the ids are given: nothing below this crate makes its own.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;

/// Where the present time comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Where new ids come from.
pub trait Ids: Send + Sync {
    /// A new id such as `sub_0193…`; ids made later sort later.
    fn next(&self, kind: IdKind, now: Timestamp) -> String;
    /// `N` bytes that nobody can guess, for keys and tokens.
    fn secret(&self) -> [u8; 24];
}

/// Ids from UUID version 7: sortable by time, unique without asking anybody.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next(&self, kind: IdKind, now: Timestamp) -> String {
        let mut random = [0_u8; 10];
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        format!("{}_{}", kind.prefix(), id.simple())
    }

    fn secret(&self) -> [u8; 24] {
        let mut secret = [0_u8; 24];
        getrandom::fill(&mut secret).expect("the operating system gives random bytes");
        secret
    }
}

/// Ids that are the same in every run: for tests and simulation, never for production.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self, kind: IdKind, _now: Timestamp) -> String {
        format!("{}_{:012}", kind.prefix(), self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn secret(&self) -> [u8; 24] {
        let mut secret = [0_u8; 24];
        secret[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        secret
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Moves it to `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("set from an instant")
    }
}
