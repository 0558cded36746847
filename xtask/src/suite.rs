//! Every test of the project, and the servers and packages that they need.
//!
//! Nothing is skipped in silence: a test that cannot run is a failed step with its reason, and a
//! test marked as ignored fails the step that it was left out of.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::postgres::{Postgres, URL_VARIABLE};
use crate::steps::Steps;
use crate::{Result, browser, node, process, python};

/// The same flags everywhere, or Cargo builds the dependencies twice.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-targets"];
const ORACLES: &str = "tests/oracles";

/// `cargo xtask test`: all of it.
pub fn run_all(root: &Path) -> Result<ExitCode> {
    let mut steps = Steps::new();
    let postgres = start_postgres(&mut steps);
    let judges = prepare_judges(root, &mut steps);
    let built = steps.run("build everything", || process::run(&mut cargo(root, "build", &[])));
    if built.is_some() {
        match &postgres {
            Some(postgres) => test_rust(root, &mut steps, postgres, &[]),
            None => steps.cannot_run("Rust tests", "there is no PostgreSQL for them"),
        }
    } else {
        steps.cannot_run("Rust tests", "the code does not build");
    }
    test_oracles(root, &mut steps, built.is_some(), judges.as_ref(), postgres.as_ref(), &[]);
    drop(postgres);
    test_browser(root, &mut steps, built.is_some(), &[]);
    Ok(steps.finish())
}

/// `cargo xtask test browser`: the pages in a real browser, with arguments passed on to Node.
pub fn run_browser(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let mut steps = Steps::new();
    let built = steps.run("build the program", || {
        process::run(&mut cargo(root, "build", &["-p", "farthing", "--bin", "farthing"]))
    });
    test_browser(root, &mut steps, built.is_some(), arguments);
    Ok(steps.finish())
}

/// Every `*.test.cjs`, each with a server and a browser of its own.
fn test_browser(root: &Path, steps: &mut Steps, built: bool, arguments: &[&str]) {
    let name = "pages in a browser";
    if !built {
        return steps.cannot_run(name, "the code does not build");
    }
    let Some(with) = steps.run("Chromium and Node packages", || browser::prepare(root)) else {
        return steps.cannot_run(name, "a step before it failed that they need");
    };
    steps.run(name, || {
        let mut command = Command::new("node");
        command.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]).args(arguments);
        command.args(test_files(&root.join(browser::FOLDER))?).current_dir(root);
        command.env("NODE_PATH", &with.node_modules).env("CHROMIUM", &with.chromium);
        process::run(command.env("FARTHING_BIN", root.join("target/debug/farthing")))
    });
}

/// The files with tests, in order.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder);
    let read = read.map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let files = read.filter_map(|entry| Some(entry.ok()?.path()));
    let mut tests: Vec<PathBuf> =
        files.filter(|path| path.to_string_lossy().ends_with(".test.cjs")).collect();
    tests.sort();
    if tests.is_empty() { Err("there are no browser tests".to_owned()) } else { Ok(tests) }
}

/// `cargo xtask test rust`: the Rust tests, with arguments passed on to `cargo test`.
pub fn run_rust(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let mut steps = Steps::new();
    if let Some(postgres) = start_postgres(&mut steps) {
        test_rust(root, &mut steps, &postgres, arguments);
    }
    Ok(steps.finish())
}

/// `cargo xtask test oracles`: the judges, with arguments passed on to pytest.
pub fn run_oracles(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let mut steps = Steps::new();
    let postgres = start_postgres(&mut steps);
    let judges = prepare_judges(root, &mut steps);
    let built = steps.run("build everything", || process::run(&mut cargo(root, "build", &[])));
    let built = built.is_some();
    test_oracles(root, &mut steps, built, judges.as_ref(), postgres.as_ref(), arguments);
    drop(postgres);
    Ok(steps.finish())
}

/// What the oracles run on.
struct Judges {
    python: PathBuf,
    node_modules: PathBuf,
}

fn start_postgres(steps: &mut Steps) -> Option<Postgres> {
    steps.run_noting("PostgreSQL", || {
        let postgres = Postgres::start()?;
        let note = postgres.describe();
        Ok((postgres, note))
    })
}

fn prepare_judges(root: &Path, steps: &mut Steps) -> Option<Judges> {
    let python = steps.run("Python packages in target/venv", || python::prepare(root));
    let modules = steps.run("Node packages in target/oracles-node", || node::prepare(root));
    Some(Judges { python: python?, node_modules: modules? })
}

fn test_rust(root: &Path, steps: &mut Steps, postgres: &Postgres, arguments: &[&str]) {
    let mut run = |name: &str, mut command: Command| {
        command.env(URL_VARIABLE, postgres.url());
        steps.run_noting(name, || {
            let mut count = Count::default();
            let answer = process::run_looking(&mut command, |line| count.read(line));
            answer?;
            count.complete().map(|note| ((), note))
        });
    };
    let mut tests = vec!["--no-fail-fast"];
    tests.extend(arguments);
    run("Rust tests", cargo(root, "test", &tests));
    if arguments.is_empty() {
        let mut command = Command::new(cargo_program());
        command.current_dir(root).args(["test", "--workspace", "--doc", "--no-fail-fast"]);
        run("Rust examples in the documentation", command);
    }
}

fn test_oracles(
    root: &Path,
    steps: &mut Steps,
    built: bool,
    judges: Option<&Judges>,
    postgres: Option<&Postgres>,
    arguments: &[&str],
) {
    let name = "oracles";
    let (Some(judges), Some(postgres)) = (judges, postgres) else {
        return steps.cannot_run(name, "a step before it failed that they need");
    };
    if !built {
        return steps.cannot_run(name, "the code does not build");
    }
    steps.run(name, || {
        let mut command = Command::new(&judges.python);
        command.args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", "-q"]);
        command.current_dir(root.join(ORACLES)).args(arguments);
        command.env("NODE_PATH", &judges.node_modules);
        command.env("ORACLES_DEBUG_DIR", root.join("target/debug"));
        process::run(command.env(URL_VARIABLE, postgres.url()))
    });
}

/// `cargo <verb>` on everything, or on the packages that the arguments name.
fn cargo(root: &Path, verb: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_program());
    command.current_dir(root).arg(verb);
    let chosen = |it: &&str| it.starts_with("-p") || it.starts_with("--package");
    if !arguments.iter().any(chosen) {
        command.arg(EVERYTHING[0]);
    }
    let targets = ["--lib", "--bins", "--bin", "--test", "--tests", "--doc", "--example"];
    if !arguments.iter().any(|it| targets.contains(it)) {
        command.arg(EVERYTHING[1]);
    }
    command.args(arguments);
    command
}

fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What the test runners say they ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    ignored: u64,
}

impl Count {
    /// Reads "test result: ok. 5 passed; 0 failed; 1 ignored; ..." and nothing else.
    fn read(&mut self, line: &str) {
        let Some(numbers) = line.strip_prefix("test result: ") else { return };
        let numbers = numbers.split_once(". ").map_or(numbers, |(_, rest)| rest);
        for part in numbers.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "ignored")) => self.ignored += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    fn complete(&self) -> Result<String> {
        if 0 < self.ignored {
            return Err(format!("{} tests are ignored; run them or remove them", self.ignored));
        }
        Ok(format!("{} passed", self.passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added_up() {
        let mut count = Count::default();
        count.read("running 5 tests");
        count.read("test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        count.read("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured");
        assert_eq!(count.complete(), Ok("7 passed".to_owned()));
    }

    #[test]
    fn an_ignored_test_fails_the_step() {
        let mut count = Count::default();
        count.read("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        assert!(count.complete().unwrap_err().contains("1 tests are ignored"));
    }

    #[test]
    fn naming_a_package_replaces_the_whole_workspace() {
        let words = |arguments: &[&str]| {
            let command = cargo(Path::new("/"), "test", arguments);
            command.get_args().map(|it| it.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words(&["money"]), ["test", "--workspace", "--all-targets", "money"]);
        assert_eq!(
            words(&["-p", "farthing-core", "--lib"]),
            ["test", "-p", "farthing-core", "--lib"]
        );
    }
}
