//! Child processes that do not outlive us, and signals that end us in good order.
//!
//! A signal is passed on to the running child and noted; the child ends, the work that waited for
//! it fails, and everything that must be stopped or removed goes as its owner is dropped. Nothing
//! exits from within the signal thread, so no clean-up is ever skipped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Result;

/// The last signal that asked us to stop; 0 for none.
static INTERRUPTED: AtomicI32 = AtomicI32::new(0);
/// The child that the main thread is waiting for.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Running {
    pid: u32,
    /// The child leads a process group of its own, which gets the signal as a whole.
    leads_group: bool,
}

/// The signal that asked us to stop, if one did.
pub fn interrupted() -> Option<i32> {
    match INTERRUPTED.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(signal),
    }
}

/// From here on SIGINT, SIGTERM and SIGHUP stop the running child and are noted.
pub fn watch_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| format!("cannot listen for signals: {error}"))?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let again = INTERRUPTED.swap(signal, Ordering::SeqCst) != 0;
            pass_on(signal, again);
        }
    });
    Ok(())
}

/// Runs a command to its end with its output on ours. Fails if it cannot start or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let mut child = spawn_group(command, &name)?;
    wait(&mut child, &name).and_then(|status| succeeded(status, &name))
}

/// As [`run`], and hands every line of standard output to `look` as it passes.
pub fn run_looking(command: &mut Command, mut look: impl FnMut(&str)) -> Result<()> {
    let name = describe(command);
    let mut child = spawn_group(command.stdout(Stdio::piped()), &name)?;
    let output = child.stdout.take().expect("standard output was piped just above");
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(|error| format!("cannot read what `{name}` prints: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        look(&line);
    }
    wait(&mut child, &name).and_then(|status| succeeded(status, &name))
}

/// Runs a command that owns the terminal, such as `psql`, and answers how it ended.
pub fn run_on_terminal(command: &mut Command) -> Result<ExitStatus> {
    let name = describe(command);
    let mut child = command.spawn().map_err(|error| cannot_start(&name, &error))?;
    register(Running { pid: child.id(), leads_group: false });
    wait(&mut child, &name)
}

/// Runs a short command and answers its standard output, trimmed.
pub fn output(command: &mut Command) -> Result<String> {
    let name = describe(command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| cannot_start(&name, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{name}` ended with {}: {}", output.status, said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program of this name is found in `PATH`.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Sends a signal by name (`INT`, `TERM`, `KILL`) to a process or, if negative, to a group.
///
/// Through the shell's built-in: the workspace forbids the unsafe call, and a minimal system has
/// no `kill` program.
pub fn send_signal(name: &str, target: i64) {
    let script = format!("kill -s {name} -- {target} 2>/dev/null");
    // A target that is gone already is what we wanted.
    let _ = Command::new("sh").arg("-c").arg(script).status();
}

fn spawn_group(command: &mut Command, name: &str) -> Result<Child> {
    if interrupted().is_some() {
        return Err(format!("`{name}` was not started: we were asked to stop"));
    }
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    let child = child.map_err(|error| cannot_start(name, &error))?;
    register(Running { pid: child.id(), leads_group: true });
    Ok(child)
}

fn register(running: Running) {
    *RUNNING.lock().expect("no thread panics while it holds this lock") = Some(running);
    // A signal that came before the child was known has not reached it.
    if let Some(signal) = interrupted() {
        pass_on(signal, false);
    }
}

fn wait(child: &mut Child, name: &str) -> Result<ExitStatus> {
    let status = child.wait();
    *RUNNING.lock().expect("no thread panics while it holds this lock") = None;
    status.map_err(|error| format!("cannot wait for `{name}`: {error}"))
}

fn succeeded(status: ExitStatus, name: &str) -> Result<()> {
    if status.success() { Ok(()) } else { Err(format!("`{name}` ended with {status}")) }
}

/// A second signal means that the first was not enough.
fn pass_on(signal: i32, again: bool) {
    let running = *RUNNING.lock().expect("no thread panics while it holds this lock");
    let Some(Running { pid, leads_group }) = running else { return };
    let name = match signal {
        _ if again => "KILL",
        SIGINT => "INT",
        _ => "TERM",
    };
    if leads_group {
        send_signal(name, -i64::from(pid));
    } else if signal != SIGINT {
        // The terminal sends its own SIGINT to everything in our group, this child included.
        send_signal(name, i64::from(pid));
    }
}

fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command.get_args().take(5).map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

fn cannot_start(name: &str, error: &std::io::Error) -> String {
    format!("cannot start `{name}`: {error}")
}
