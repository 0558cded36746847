//! The PostgreSQL that the tests run on: the one they are given, or a cluster of our own.
//!
//! The temporary cluster lives in a folder of its own, listens on loopback only, on a free port,
//! and keeps its durability settings on: tests that kill a server mean it. It is stopped and
//! removed when its owner is dropped, and asks the kernel to stop it should we be killed.

use std::net::TcpListener;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Result, install, process};

/// Where the tests look for their PostgreSQL.
pub const URL_VARIABLE: &str = "TEST_POSTGRES_URL";

const START_SECONDS_MAX: u64 = 30;
const START_TRIES_MAX: usize = 3;

/// A PostgreSQL to test on.
pub enum Postgres {
    /// One that somebody else runs and stops.
    Given { url: String },
    /// Ours: gone when this is dropped.
    Temporary(Cluster),
}

impl Postgres {
    /// The one in `TEST_POSTGRES_URL`, or a temporary cluster from the server binaries on this
    /// machine, which are installed if they are missing and we may.
    pub fn start() -> Result<Self> {
        if let Some(url) = std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Ok(Postgres::Given { url });
        }
        let binaries = match find_binaries() {
            Some(binaries) => binaries,
            None => {
                let otherwise = format!(", or put the URL of a server into {URL_VARIABLE}");
                install::debian_packages("a PostgreSQL server", &["postgresql"], &otherwise)?;
                find_binaries().ok_or("PostgreSQL was installed, but its initdb is not found")?
            }
        };
        Cluster::start(&binaries).map(Postgres::Temporary)
    }

    /// A superuser's connection URL.
    pub fn url(&self) -> &str {
        match self {
            Postgres::Given { url } => url,
            Postgres::Temporary(cluster) => &cluster.url,
        }
    }

    /// What it is, in words. A given URL stays unsaid: it may hold a password.
    pub fn describe(&self) -> String {
        match self {
            Postgres::Given { .. } => format!("the server in {URL_VARIABLE}"),
            Postgres::Temporary(cluster) => format!("{} ({})", cluster.version, cluster.url),
        }
    }
}

/// Runs one command with the cluster's URL in its environment; answers the command's exit code.
pub fn run_command(program: &str, arguments: &[&str]) -> Result<ExitCode> {
    let postgres = Postgres::start()?;
    eprintln!("xtask: PostgreSQL is {}", postgres.describe());
    let mut command = Command::new(program);
    let status =
        process::run_on_terminal(command.args(arguments).env(URL_VARIABLE, postgres.url()))?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// A running temporary cluster.
pub struct Cluster {
    url: String,
    version: String,
    binaries: PathBuf,
    account: Option<Account>,
    server: Child,
    /// Holds data, socket and log; removed last.
    folder: TempDir,
}

/// The unprivileged user that the server runs as when we are root, which it refuses to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Cluster {
    fn start(binaries: &Path) -> Result<Self> {
        let account = if install::is_root() { Some(unprivileged_account()?) } else { None };
        let folder = tempfile::Builder::new().prefix("farthing-postgres-").tempdir();
        let folder = folder.map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        if let Some(Account { uid, gid }) = account {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))
                .map_err(|error| format!("cannot hand a folder to the database user: {error}"))?;
        }
        let version = process::output(Command::new(binaries.join("postgres")).arg("--version"))?;
        let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        process::output(
            tool(binaries, "initdb", account, folder.path())
                .args(initdb)
                .arg("-D")
                .arg(data(folder.path())),
        )?;
        let (server, port) = start_server(binaries, account, folder.path())?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let binaries = binaries.to_path_buf();
        Ok(Cluster { url, version, binaries, account, server, folder })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its data goes with it, so it need not be flushed first.
        let stop = ["stop", "-w", "-m", "immediate", "-D"];
        let stopped = process::output(
            tool(&self.binaries, "pg_ctl", self.account, self.folder.path())
                .args(stop)
                .arg(data(self.folder.path())),
        );
        if stopped.is_err() {
            // It may have ended by itself; otherwise this ends it for certain.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// Starts the server and waits until it is ready. The port that was free a moment ago may be taken
/// by then, so there is more than one try.
fn start_server(binaries: &Path, account: Option<Account>, folder: &Path) -> Result<(Child, u16)> {
    let mut reason = String::new();
    for _ in 0..START_TRIES_MAX {
        let (mut server, port) = spawn_server(binaries, account, folder)?;
        match wait_until_ready(&mut server, folder) {
            Ok(()) => return Ok((server, port)),
            Err(error) => reason = error,
        }
        let _ = server.kill();
        let _ = server.wait();
    }
    Err(reason)
}

fn wait_until_ready(server: &mut Child, folder: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
    let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    // The server writes its state into the last line of this file.
    let status = data(folder).join("postmaster.pid");
    loop {
        if let Ok(Some(ended)) = server.try_wait() {
            return Err(format!("PostgreSQL ended with {ended} at start:\n{}", log()));
        }
        if std::fs::read_to_string(&status).is_ok_and(|text| is_ready(&text)) {
            return Ok(());
        }
        if deadline < Instant::now() {
            return Err(format!("PostgreSQL is not ready after {START_SECONDS_MAX} s:\n{}", log()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn spawn_server(binaries: &Path, account: Option<Account>, folder: &Path) -> Result<(Child, u16)> {
    let port = free_port()?;
    let log = std::fs::File::create(folder.join("log"))
        .map_err(|error| format!("cannot create PostgreSQL's log: {error}"))?;
    let mut command = if process::on_path("setpriv") {
        // Should we be killed without a chance to clean up, the kernel stops the server.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]).arg(binaries.join("postgres"));
        command
    } else {
        Command::new(binaries.join("postgres"))
    };
    step_down(&mut command, account);
    let sockets = format!("unix_socket_directories={}", folder.display());
    command
        .arg("-D")
        .arg(data(folder))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}"), "-c", &sockets])
        .args(["-c", "max_connections=200", "-c", "fsync=on", "-c", "synchronous_commit=on"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // A Ctrl-C at the terminal is for us, who then stop the server.
        .process_group(0);
    let server = command.spawn().map_err(|error| format!("cannot start PostgreSQL: {error}"))?;
    Ok((server, port))
}

fn tool(binaries: &Path, name: &str, account: Option<Account>, folder: &Path) -> Command {
    let mut command = Command::new(binaries.join(name));
    step_down(&mut command, account);
    // The database user may not be allowed into the current directory.
    command.current_dir(folder);
    command
}

fn step_down(command: &mut Command, account: Option<Account>) {
    if let Some(Account { uid, gid }) = account {
        command.uid(uid).gid(gid);
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn is_ready(status: &str) -> bool {
    status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

/// The folder with `initdb` and `postgres`: pg_config's, the newest of Debian's, or in `PATH`.
fn find_binaries() -> Option<PathBuf> {
    let configured = process::output(Command::new("pg_config").arg("--bindir")).ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    configured
        .map(PathBuf::from)
        .into_iter()
        .chain(debian_folders(Path::new("/usr/lib/postgresql")))
        .chain(std::env::split_paths(&path))
        .find(|folder| ["initdb", "postgres", "pg_ctl"].iter().all(|it| folder.join(it).is_file()))
}

/// Debian keeps each major version apart; the newest comes first.
fn debian_folders(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn unprivileged_account() -> Result<Account> {
    let users = std::fs::read_to_string("/etc/passwd")
        .map_err(|error| format!("cannot read the list of users: {error}"))?;
    ["postgres", "nobody"].iter().find_map(|name| account(&users, name)).ok_or_else(|| {
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`: \
         create one of them, run this as another user, or set TEST_POSTGRES_URL"
            .to_owned()
    })
}

fn account(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields[..] {
            [user, _, uid, gid, ..] if user == name => {
                Some(Account { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_debian_version_is_tried_first_and_by_number() {
        let base = TempDir::new().unwrap();
        for version in ["9", "15", "17", "common"] {
            std::fs::create_dir(base.path().join(version)).unwrap();
        }
        let names = debian_folders(base.path());
        let expected = ["17/bin", "15/bin", "9/bin"].map(|it| base.path().join(it));
        assert_eq!(names, expected);
    }

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "postgresx:x:1:1::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/sh\n";
        assert_eq!(account(users, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(account(users, "nobody"), None);
    }

    #[test]
    fn a_server_is_ready_only_when_it_says_so() {
        let status = |word: &str| format!("1\n/data\n2\n5432\n/tmp\n127.0.0.1\n 99 1\n{word}\n");
        assert!(is_ready(&status("ready   ")));
        assert!(!is_ready(&status("starting")));
        assert!(!is_ready("1\n/data\n"));
    }
}
