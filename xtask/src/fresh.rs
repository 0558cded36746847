//! What a newcomer does first: clone, then the README's two commands.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::steps::Steps;
use crate::{Result, process};

/// How long the built binary may take until it says that it is ready.
const READY_SECONDS_MAX: u64 = 10;

/// `cargo xtask fresh`: clones HEAD and runs both commands in the clone, with nothing built.
pub fn run(root: &Path) -> Result<ExitCode> {
    let mut steps = Steps::new();
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let clone = folder.path().join("farthing");
    let cloned = steps.run("clone HEAD", || {
        let arguments = ["clone", "--quiet", "--no-hardlinks"];
        process::run(Command::new("git").args(arguments).arg(root).arg(&clone))
    });
    if cloned.is_none() {
        return Ok(steps.finish());
    }
    steps.run("cargo build --release", || {
        process::run(cargo(&clone).args(["build", "--release", "--quiet"]))
    });
    steps.run("cargo run --release -- dev", || answers(&clone));
    steps.run("cargo xtask test", || process::run(cargo(&clone).args(["xtask", "test"])));
    Ok(steps.finish())
}

fn cargo(clone: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(clone).env_remove("CARGO_TARGET_DIR");
    command
}

/// Starts `dev`, waits for its line, and asks the API whether it is ready.
fn answers(clone: &Path) -> Result<()> {
    let arguments = ["run", "--release", "--quiet", "--", "dev", "--json", "--port", "0"];
    let child = cargo(clone).args(arguments).stdout(Stdio::piped()).spawn();
    let mut dev = Stopped(child.map_err(|error| format!("cannot start dev: {error}"))?);
    let output = dev.0.stdout.take().expect("standard output was piped just above");
    let line = first_line(output)?;
    let line: Value = serde_json::from_str(&line)
        .map_err(|error| format!("dev --json printed `{line}`, which is not JSON: {error}"))?;
    let api = line["api"].as_str().ok_or("dev --json does not say where the API is")?;
    let address = api.trim_start_matches("http://");
    let answer = get(address, "/readyz").map_err(|error| format!("{api} is silent: {error}"))?;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(format!("{api}/readyz answered {}", answer.lines().next().unwrap_or("nothing")))
}

fn first_line(output: impl Read + Send + 'static) -> Result<String> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        // Nobody listens any more if it took too long.
        let _ = send.send(read.map(|_| line));
    });
    let late = || format!("dev said nothing within {READY_SECONDS_MAX} s");
    let line = receive.recv_timeout(Duration::from_secs(READY_SECONDS_MAX)).map_err(|_| late())?;
    line.map_err(|error| format!("cannot read what dev prints: {error}"))
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(READY_SECONDS_MAX)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A server that is stopped when it is no longer needed: politely first.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        process::send_signal("TERM", i64::from(self.0.id()));
        std::thread::sleep(Duration::from_millis(500));
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
