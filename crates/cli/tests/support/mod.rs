//! Starts the real binary, talks to it over HTTP only, and stops it again.
//!
//! ```ignore
//! let dev = Dev::start();                       // port 0, a directory of its own
//! dev.put("/v1/customers/u_1", json!({ "email": "ana@example.com" }));
//! let state = dev.get("/v1/customers/u_1/state");
//! dev.cli(&["check"]).exits(0);
//! ```
//!
//! Everything is stopped and removed on drop. The server's log is shown when a test fails.

#![allow(dead_code, reason = "each program in tests/ uses a part of this")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a server may take to say that it is ready before a test gives up.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The farthing binary, without anything of the caller's environment that it would read.
pub fn farthing() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("FARTHING_") || name_text.starts_with("STRIPE_") {
            command.env_remove(&name);
        }
    }
    command.env("NO_COLOR", "1").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs `command` to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the binary starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Fails the test unless it ended with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_str(self.stdout.trim());
        parsed.unwrap_or_else(|error| panic!("{error} in {:?}\n{}", self.stdout, self.stderr))
    }
}

/// A started server process: its ready line, and its standard error collected.
pub struct Process {
    child: Child,
    /// The line that it printed when it was ready.
    pub ready: Value,
    /// How long it took from the start of the process to that line.
    pub ready_after: Duration,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Process {
    /// Starts `command`, which prints one JSON line when it is ready. `Err`: it ended instead.
    pub fn start(command: &mut Command) -> Result<Self, Ran> {
        let start = Instant::now();
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut stderr = child.stderr.take().expect("it is piped");
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            // A log that is cut off is shown as far as it goes.
            let _cut = stderr.read_to_string(&mut text);
            text
        });
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.read_line(&mut line);
            let _nobody = tell.send(read.map(|_| line));
            // Keeps the pipe open and empty: the server must not stop because nobody reads.
            let _end = std::io::copy(&mut stdout, &mut std::io::sink());
        });
        let line = match told.recv_timeout(READY_WITHIN) {
            Ok(line) => line.expect("its standard output can be read"),
            Err(_) => {
                child.kill().expect("it can be killed");
                panic!("not ready after {READY_WITHIN:?}:\n{}", log.join().unwrap());
            }
        };
        let ready_after = start.elapsed();
        if line.trim().is_empty() {
            let code = child.wait().expect("it ends").code().unwrap_or(-1);
            return Err(Ran { code, stdout: line, stderr: log.join().unwrap() });
        }
        let ready = serde_json::from_str(&line).expect("the ready line is JSON");
        Ok(Self { child, ready, ready_after, log: Some(log) })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would: `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Asks it to stop with SIGTERM; answers the exit code, its log, and how long it took.
    pub fn terminate(&mut self) -> (i32, String, Duration) {
        let start = Instant::now();
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        assert!(sent.success());
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        let log = self.log.take().map(|log| log.join().unwrap()).unwrap_or_default();
        (code, log, start.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
        if let Some(log) = self.log.take() {
            let log = log.join().unwrap_or_default();
            if std::thread::panicking() {
                eprintln!("--- the server's log ---\n{log}");
            }
        }
    }
}

/// A running `farthing dev` with a directory of its own.
pub struct Dev {
    process: Process,
    dir: DevDir,
    http: Client,
}

enum DevDir {
    Own(TempDir),
    Given(PathBuf),
}

impl Dev {
    /// Starts one on a free port, in a new directory, on SQLite.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Dev::start`], with more arguments, such as `--database URL`.
    pub fn start_with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let process = Process::start(&mut Self::command(dir.path(), args));
        let process = process.unwrap_or_else(|ran| panic!("it did not start: {}", ran.stderr));
        Self { process, dir: DevDir::Own(dir), http: http() }
    }

    /// Starts one in a directory that outlives it. `Err`: it ended instead of getting ready.
    pub fn start_in(dir: &Path, args: &[&str]) -> Result<Self, Ran> {
        let process = Process::start(&mut Self::command(dir, args))?;
        Ok(Self { process, dir: DevDir::Given(dir.to_owned()), http: http() })
    }

    /// The command that starts one, on a free port unless `args` has another.
    pub fn command(dir: &Path, args: &[&str]) -> Command {
        let mut command = farthing();
        command.args(["dev", "--json"]).arg("--data").arg(dir);
        if !args.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(args);
        command
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        match &self.dir {
            DevDir::Own(dir) => dir.path(),
            DevDir::Given(dir) => dir,
        }
    }

    /// The line that it printed when it was ready.
    pub fn ready(&self) -> &Value {
        &self.process.ready
    }

    /// How long it took to get ready.
    pub fn ready_after(&self) -> Duration {
        self.process.ready_after
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn api(&self) -> &str {
        self.process.ready["api"].as_str().expect("the ready line has it")
    }

    /// Its API key.
    pub fn key(&self) -> &str {
        self.process.ready["key"].as_str().expect("the ready line has it")
    }

    /// Runs another command of the binary on this server's directory.
    pub fn cli(&self, args: &[&str]) -> Ran {
        Ran::of(farthing().arg("--data").arg(self.dir()).args(args))
    }

    /// Sends a request with the key; the status and the body (`null` when it is not JSON).
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.api()));
        request = request.bearer_auth(self.key());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().expect("it answers");
        let status = response.status().as_u16();
        (status, response.json().unwrap_or(Value::Null))
    }

    /// Reads; fails the test on anything but 200.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        expect_success("GET", path, self.send("GET", path, None))
    }

    /// Posts; fails the test on anything but 2xx.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Value {
        expect_success("POST", path, self.send("POST", path, Some(&body)))
    }

    /// Puts; fails the test on anything but 2xx.
    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Value {
        expect_success("PUT", path, self.send("PUT", path, Some(&body)))
    }

    /// Pays on the hosted page as a person would: posts the card to the page's own address.
    /// Answers the response, which is a 303 to the return address when it was paid.
    pub fn pay(&self, page: &str, card: &str) -> Response {
        self.http.post(page).form(&[("card", card)]).send().expect("the page answers")
    }

    /// Buys: starts a checkout, pays it with `card`, and waits until it is settled. Answers the
    /// settled checkout.
    #[track_caller]
    pub fn buy(&self, checkout: Value, card: &str) -> Value {
        let started = self.post("/v1/checkouts", checkout);
        let page = started["url"].as_str().expect("an open checkout has a page");
        let paid = self.pay(page, card);
        assert_eq!(paid.status(), 303, "{}", paid.text().unwrap());
        let id = started["id"].as_str().expect("a checkout has an id");
        let settled = self.get(&format!("/v1/checkouts/{id}?wait=10"));
        assert_eq!(settled["status"], "settled", "{settled}");
        settled
    }

    /// Moves the clock, for example by `31d`; answers how many provider events were delivered.
    #[track_caller]
    pub fn advance(&self, by: &str) -> u64 {
        let moved = self.post("/v1/sandbox/clock/advance", json!({ "by": by }));
        moved["events_delivered"].as_u64().expect("a number")
    }
}

#[track_caller]
fn expect_success(method: &str, path: &str, (status, body): (u16, Value)) -> Value {
    assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
    body
}

/// A client without redirects, proxies and certificates.
pub fn http() -> Client {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(120))
        .build()
        .expect("a plain client")
}

/// Asks `condition` again and again until it holds; fails the test after ten seconds.
#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: not after ten seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}
