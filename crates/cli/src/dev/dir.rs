//! The directory of a development server: where each file is, who may read it, who uses it.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// A directory that `farthing dev` keeps its files in. It need not exist yet.
#[derive(Clone, Debug)]
pub struct Dir {
    path: PathBuf,
}

/// What a running development server tells other commands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    /// Where it listens.
    pub api: String,
    /// Its API key.
    pub key: String,
    /// Its database.
    pub database: String,
}

/// As long as it lives, no other development server uses the directory.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Dir {
    /// The directory at `path`.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The address of the database in it.
    pub fn database_url(&self) -> String {
        format!("sqlite:{}", self.path.join("farthing.db").display())
    }

    /// The sandbox's world.
    pub fn sandbox(&self) -> PathBuf {
        self.path.join("sandbox.db")
    }

    /// How far the sandbox's clock is ahead.
    pub fn clock(&self) -> PathBuf {
        self.path.join("clock")
    }

    /// The API key.
    pub fn key(&self) -> PathBuf {
        self.path.join("key")
    }

    /// What signs the sandbox's webhooks.
    pub fn webhook_secret(&self) -> PathBuf {
        self.path.join("webhook-secret")
    }

    /// What the billing page looks like, where the operator wrote it.
    pub fn theme(&self) -> PathBuf {
        self.catalog().with_file_name("theme.toml")
    }

    /// The catalog: the one in the directory, else a `catalog.toml` where the command was started,
    /// else the one that will be written into the directory.
    pub fn catalog(&self) -> PathBuf {
        let own = self.path.join("catalog.toml");
        let here = PathBuf::from("catalog.toml");
        if !own.exists() && here.exists() { here } else { own }
    }

    /// What the server that runs, or ran last and was killed, has said of itself.
    pub fn running(&self) -> Option<Running> {
        let text = std::fs::read_to_string(self.path.join("dev.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Tells other commands where this server is.
    pub fn announce(&self, running: &Running) -> Result<(), Failure> {
        let text = serde_json::to_string(running).map_err(|e| Failure::new(e.to_string()))?;
        self.write_secret(&self.path.join("dev.json"), &text)
    }

    /// Tells nobody any more.
    pub fn withdraw(&self) {
        if let Err(error) = std::fs::remove_file(self.path.join("dev.json")) {
            tracing::debug!(%error, "dev.json could not be removed");
        }
    }

    /// Makes the directory if it is not there, and keeps other servers out of it.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(|error| self.unusable(&error))?;
        let file = File::options().create(true).append(true).open(self.path.join("lock"));
        let file = file.map_err(|error| self.unusable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let at = self.running().map(|running| format!(" at {}", running.api));
                let (dir, at) = (self.path.display(), at.unwrap_or_default());
                Err(Failure::new(format!(
                    "a development server already runs in {dir}{at}; nothing was changed"
                ))
                .fix("use that one, stop it, or take another directory with --data"))
            }
            Err(TryLockError::Error(error)) => Err(self.unusable(&error)),
        }
    }

    fn unusable(&self, error: &std::io::Error) -> Failure {
        let dir = self.path.display();
        Failure::new(format!("the directory {dir} cannot be used: {error}; nothing was changed"))
            .fix("make it writable for this user, or take another one with --data")
    }

    /// Reads a secret; `None` if there is none.
    pub fn read_secret(&self, path: &Path) -> Result<Option<String>, Failure> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// Writes what only this user may read: next to its place first, so that it is never half
    /// there and never readable for others.
    pub fn write_secret(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let next = path.with_extension("next");
        let write = || {
            let mut options = File::options();
            options.create(true).write(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&next)?;
            writeln!(file, "{text}")?;
            std::fs::rename(&next, path)
        };
        write().map_err(|error| self.unusable(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::at(temp.path());
        dir.write_secret(&dir.key(), "sk_test_1").unwrap();
        assert_eq!(dir.read_secret(&dir.key()).unwrap().unwrap(), "sk_test_1");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.key()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_directory_is_for_one_server() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::at(&temp.path().join("a/b"));
        let held = dir.lock().unwrap();
        let refused = dir.lock().unwrap_err();
        assert!(refused.message.contains("already runs in"), "{}", refused.message);
        drop(held);
        dir.lock().unwrap();
    }
}
