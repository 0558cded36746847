//! The time and the ids that a simulated node is given, and the places at which it can be stopped.
//!
//! A node stops where the operating system would stop it: when it makes an id in the middle of a
//! transaction, or around a call to the provider. From then on every look at the clock and every
//! id unwinds, so nothing of the dead node reaches the database until a new one is started on it.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_engine::{Clock, Ids};

/// Where a node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Inside a transaction, while it writes something of this kind.
    Writing(IdKind),
    /// Before it calls the provider to change something.
    BeforeCall,
    /// After the provider answered that, before anything is written down.
    AfterCall,
}

impl Point {
    /// Every place.
    pub const ALL: [Self; 10] = [
        Self::BeforeCall,
        Self::AfterCall,
        Self::Writing(IdKind::Subscription),
        Self::Writing(IdKind::Invoice),
        Self::Writing(IdKind::Payment),
        Self::Writing(IdKind::Checkout),
        Self::Writing(IdKind::Ledger),
        Self::Writing(IdKind::Grant),
        Self::Writing(IdKind::Intent),
        Self::Writing(IdKind::Job),
    ];

    /// A name for people and milestones.
    pub fn name(self) -> String {
        match self {
            Self::BeforeCall => "crash before a call".to_owned(),
            Self::AfterCall => "crash after an answer".to_owned(),
            Self::Writing(kind) => format!("crash while writing {}", kind.prefix()),
        }
    }
}

/// What unwinds when a node stops.
struct Stopped;

/// The clock and the ids of all nodes of one world, and the order to stop.
#[derive(Debug, Default)]
pub struct Given {
    micros: AtomicI64,
    made: AtomicU64,
    down: AtomicBool,
    armed: Mutex<Option<Point>>,
    stopped_at: Mutex<BTreeMap<String, u64>>,
}

impl Given {
    /// Moves the node's clock.
    pub fn set(&self, micros: i64) {
        self.micros.store(micros, Ordering::Relaxed);
    }

    /// The node stops when it next comes to `point`.
    pub fn arm(&self, point: Option<Point>) {
        *lock(&self.armed) = point;
    }

    /// Whether the node has stopped.
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// A new node is started.
    pub fn start(&self) {
        self.down.store(false, Ordering::Relaxed);
    }

    /// Where nodes stopped since the last time this was asked.
    pub fn take_stops(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut lock(&self.stopped_at))
    }

    /// Passes a place; does not come back when the node stops there.
    pub fn pass(&self, point: Point) {
        self.alive();
        let mut armed = lock(&self.armed);
        if *armed == Some(point) {
            *armed = None;
            drop(armed);
            *lock(&self.stopped_at).entry(point.name()).or_default() += 1;
            self.down.store(true, Ordering::Relaxed);
            self.alive();
        }
    }

    fn alive(&self) {
        if self.is_down() {
            resume_unwind(Box::new(Stopped));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Clock for Given {
    fn now(&self) -> Timestamp {
        self.alive();
        Timestamp::from_micros(self.micros.load(Ordering::Relaxed))
            .expect("the simulation stays inside the calendar")
    }
}

impl Ids for Given {
    fn next(&self, kind: IdKind, _now: Timestamp) -> String {
        self.pass(Point::Writing(kind));
        format!("{}_{:012}", kind.prefix(), self.made.fetch_add(1, Ordering::Relaxed))
    }

    fn secret(&self) -> [u8; 24] {
        let mut secret = [7_u8; 24];
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        secret[..8].copy_from_slice(&made.to_be_bytes());
        secret
    }
}
