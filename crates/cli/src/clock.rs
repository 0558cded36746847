//! Where time enters the process. Everything else is given one of these clocks.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use farthing_core::time::Timestamp;
use farthing_engine::Clock;

use crate::exit::Failure;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        instant(machine_micros())
    }
}

/// The machine's time in microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is where the time is taken from")]
fn machine_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("the machine's clock is set between 1970 and 9999")
}

/// For how long the process has been running: for rates and latencies, never for billing.
pub fn uptime() -> impl Fn() -> Duration + Send + Sync {
    let start = Instant::now();
    move || start.elapsed()
}

/// The sandbox's clock: the machine's, ahead by what it was moved; kept in a file.
///
/// While it is being moved it stands still at one instant after the other, so that everything
/// that falls due happens at its own time. It never goes back.
#[derive(Debug)]
pub struct SandboxClock {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Ahead of the machine's clock by so many microseconds.
    Running { ahead: i64 },
    /// At this instant, in microseconds since 1970.
    Standing { at: i64 },
}

impl SandboxClock {
    /// The clock kept in `file`; one that shows the machine's time if there is no file yet.
    pub fn open(file: &Path) -> Result<Self, Failure> {
        let ahead = match std::fs::read_to_string(file) {
            Ok(text) => text.trim().parse().map_err(|_| {
                Failure::new(format!(
                    "{} does not hold a clock; nothing was changed",
                    file.display()
                ))
                .fix("restore the file, or remove the whole directory to start afresh")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => {
                let message = format!("cannot read {}: {error}", file.display());
                return Err(Failure::new(message).fix("make the file readable for this user"));
            }
        };
        let state = Mutex::new(State::Running { ahead });
        Ok(Self { file: file.to_owned(), state })
    }

    /// Stands still at `at` from now on, unless it shows a later time already.
    pub fn stand_at(&self, at: Timestamp) -> std::io::Result<()> {
        let mut state = self.lock();
        let at = at.micros().max(shown(*state));
        *state = State::Standing { at };
        self.save(at - machine_micros())
    }

    /// Runs on from where it stands.
    pub fn run(&self) {
        let mut state = self.lock();
        if let State::Standing { at } = *state {
            *state = State::Running { ahead: at - machine_micros() };
        }
    }

    /// Shows at least `at` from now on.
    pub fn catch_up(&self, at: Timestamp) -> std::io::Result<()> {
        if self.now() < at {
            self.stand_at(at)?;
            self.run();
        }
        Ok(())
    }

    /// Written next to the file and moved over it, so that a killed process leaves one or the
    /// other.
    fn save(&self, ahead: i64) -> std::io::Result<()> {
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{ahead}\n"))?;
        std::fs::rename(&next, &self.file)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        instant(shown(*self.lock()))
    }
}

fn shown(state: State) -> i64 {
    match state {
        State::Running { ahead } => machine_micros().saturating_add(ahead),
        State::Standing { at } => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_stays_moved_after_a_restart_and_never_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock");
        let clock = SandboxClock::open(&file).unwrap();
        let month = clock.now().plus_seconds(31 * 86_400);
        clock.stand_at(month).unwrap();
        clock.stand_at(month.plus_seconds(-5)).unwrap();
        assert_eq!(clock.now(), month);
        clock.run();
        assert!(month <= clock.now());
        let again = SandboxClock::open(&file).unwrap();
        assert!(month <= again.now() && again.now() < month.plus_seconds(60));
    }

    #[test]
    fn a_file_that_is_no_clock_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock");
        std::fs::write(&file, "tomorrow").unwrap();
        assert!(SandboxClock::open(&file).unwrap_err().message.contains("does not hold a clock"));
    }
}
