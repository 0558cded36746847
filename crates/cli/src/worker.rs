//! Threads that do what falls due: provider events, jobs, cleaning up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farthing_engine::{Clock, Engine};
use tokio::sync::RwLock;

use crate::clock::SystemClock;

/// Workers hold it for reading while they work. Whoever needs them to stand still, such as a
/// clock that is being moved, holds it for writing.
pub type Gate = Arc<RwLock<()>>;

/// How long a worker waits at most before it looks at the clock and at the stop sign again.
const IDLE: Duration = Duration::from_millis(400);
/// How long it waits after the database failed it.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How often answers to old requests are cleared away.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);

/// The running threads. They go on until [`Workers::stop`].
pub struct Workers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `n` of them, and one that sends mails: a slow mail server keeps nobody else waiting.
    pub fn start(engine: &Engine, gate: &Gate, n: usize) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::with_capacity(n);
        for i in 0..n {
            let (engine, gate, stop) = (engine.clone(), Arc::clone(gate), Arc::clone(&stop));
            let builder = std::thread::Builder::new().name(format!("worker-{i}"));
            threads.push(builder.spawn(move || work(&engine, &gate, &stop, i == 0))?);
        }
        let (engine, gate, ends) = (engine.clone(), Arc::clone(gate), Arc::clone(&stop));
        let builder = std::thread::Builder::new().name("mail".to_owned());
        threads.push(builder.spawn(move || send(&engine, &gate, &ends))?);
        Ok(Self { stop, threads })
    }

    /// Lets them finish what they have begun, for at most `patience`; what is left then is done
    /// by others once its lease runs out.
    pub fn stop(self, patience: Duration) {
        self.stop.store(true, Ordering::SeqCst);
        let start = Instant::now();
        while start.elapsed() < patience && self.threads.iter().any(|t| !t.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        for thread in self.threads.into_iter().filter(JoinHandle::is_finished) {
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }
}

fn send(engine: &Engine, gate: &Gate, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let handled = {
            let _open = gate.blocking_read();
            catch_unwind(AssertUnwindSafe(|| engine.send_mails()))
        };
        match handled {
            Ok(Ok(0)) => std::thread::sleep(IDLE),
            Ok(Ok(_)) => {}
            Err(_) => {
                tracing::error!("a mail broke off; it is sent again when its lease ends");
                std::thread::sleep(AFTER_ERROR);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "mails could not be sent; they are tried again");
                std::thread::sleep(AFTER_ERROR);
            }
        }
    }
}

fn work(engine: &Engine, gate: &Gate, stop: &AtomicBool, cleans_up: bool) {
    let mut purged: Option<Instant> = None;
    while !stop.load(Ordering::SeqCst) {
        let handled = {
            let _open = gate.blocking_read();
            // The database rolls back what broke off, so nothing half-done is left behind.
            catch_unwind(AssertUnwindSafe(|| engine.run_due()))
        };
        match handled {
            Ok(Ok(0)) => engine.wait_for_work(IDLE),
            Ok(Ok(_)) => {}
            Err(_) => {
                tracing::error!("a piece of work broke off; it is tried again when its lease ends");
                std::thread::sleep(AFTER_ERROR);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "work that is due could not be done; it is tried again");
                std::thread::sleep(AFTER_ERROR);
            }
        }
        if cleans_up && purged.is_none_or(|at| PURGE_EVERY <= at.elapsed()) {
            purged = Some(Instant::now());
            match engine.idempotency_purge(SystemClock.now()) {
                Ok(n) => tracing::debug!(n, "cleared old answers away"),
                Err(error) => tracing::warn!(%error, "old answers could not be cleared away"),
            }
        }
    }
}
