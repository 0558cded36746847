//! The project's own checks, as `cargo xtask <command>`.
//!
//! - [`tidy`]: the architecture and the source rules, without running the product.
//! - [`suite`]: every test, with the PostgreSQL, Python and Node that they need.
//! - [`fresh`]: the README's two commands on a clean clone.
//!
//! Nothing here is part of the product, so it may print and read the clock.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;
mod fresh;
mod install;
mod node;
mod postgres;
mod process;
mod python;
mod steps;
mod suite;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What went wrong and what to do about it, in words for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy                        check the architecture and the source rules
  test                        run every test: Rust on SQLite and PostgreSQL, the oracles, the browser
  test rust [cargo args]      the Rust tests alone; arguments go to `cargo test`
  test oracles [pytest args]  the oracles alone; arguments go to pytest
  test browser [node args]    the pages in a real browser; arguments go to Node's test runner
  postgres -- <command...>    run a command with a temporary cluster in TEST_POSTGRES_URL
  fresh                       clone HEAD and run the README's two commands in the clone

environment:
  TEST_POSTGRES_URL           use this PostgreSQL instead of a temporary cluster
  XTASK_NO_INSTALL            set it to forbid installing Debian packages
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = process::watch_signals().and_then(|()| dispatch(&arguments));
    if let Some(signal) = process::interrupted() {
        eprintln!("xtask: stopped by signal {signal}; temporary servers are gone");
        return ExitCode::from(130);
    }
    match answer {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<ExitCode> {
    let root = root();
    match arguments {
        ["tidy"] => tidy::run(&root),
        ["test"] => suite::run_all(&root),
        ["test", "rust", rest @ ..] => suite::run_rust(&root, rest),
        ["test", "oracles", rest @ ..] => suite::run_oracles(&root, rest),
        ["postgres", "--", command, rest @ ..] | ["postgres", command, rest @ ..] => {
            postgres::run_command(command, rest)
        }
        ["test", "browser", rest @ ..] => suite::run_browser(&root, rest),
        ["fresh"] => fresh::run(&root),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

/// The repository: the folder above this package, whatever the current directory is.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("xtask lies one level below the repository").to_path_buf()
}
