//! One line when a step begins, one when it ends, and all of them again at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::{Result, process};

/// The steps of one command, in the order in which they ran.
pub struct Steps {
    started: Instant,
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    outcome: Result<String>,
}

impl Steps {
    pub fn new() -> Self {
        Steps { started: Instant::now(), done: Vec::new() }
    }

    /// Runs a step and remembers how it went. `None` if it failed: later steps that do not need
    /// its answer still run, so that one look shows everything that is wrong.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        self.run_noting(name, || work().map(|answer| (answer, String::new())))
    }

    /// As [`Steps::run`], for work that also has something to say in the summary.
    pub fn run_noting<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        if process::interrupted().is_some() {
            return None;
        }
        println!("==> {name}");
        let started = Instant::now();
        let answer = work();
        let took = started.elapsed();
        let (answer, outcome) = match answer {
            Ok((answer, note)) => (Some(answer), Ok(note)),
            Err(reason) => (None, Err(reason)),
        };
        let step = Step { name: name.to_owned(), took, outcome };
        println!("<== {}", step.line());
        self.done.push(step);
        answer
    }

    /// Notes a step that cannot run because another one failed: it counts as failed.
    pub fn cannot_run(&mut self, name: &str, reason: &str) {
        if process::interrupted().is_some() {
            return;
        }
        let outcome = Err(format!("did not run: {reason}"));
        self.done.push(Step { name: name.to_owned(), took: Duration::ZERO, outcome });
    }

    /// Prints the summary. Fails if any step failed.
    pub fn finish(self) -> ExitCode {
        if process::interrupted().is_some() {
            return ExitCode::FAILURE;
        }
        println!("\nsummary ({} in all)", seconds(self.started.elapsed()));
        for step in &self.done {
            println!("  {}", step.line());
        }
        let failed = self.done.iter().filter(|step| step.outcome.is_err()).count();
        if failed == 0 {
            return ExitCode::SUCCESS;
        }
        println!("{failed} of {} steps failed", self.done.len());
        ExitCode::FAILURE
    }
}

impl Step {
    fn line(&self) -> String {
        let (word, note) = match &self.outcome {
            Ok(note) => ("ok", note),
            Err(reason) => ("FAILED", reason),
        };
        let colon = if note.is_empty() { "" } else { ": " };
        format!("{word:<6} {} ({}){colon}{note}", self.name, seconds(self.took))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f32())
}
