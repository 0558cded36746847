//! The world in a file: one row per object, written in one transaction per answer.
//!
//! What was answered survives a killed process. A file of another API version, of something else
//! or with a damaged row is refused, never repaired by guessing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::API_VERSION;
use crate::world::{Change, World};

/// Why a sandbox file could not be opened. The file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened, read or written.
    #[error(
        "sandbox file {path}: {source}. Check that it is a sandbox file, can be \
         written and is not in use"
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is a database, but not a sandbox's.
    #[error("{path} is not a sandbox file. Nothing was written to it; name another file")]
    NotSandbox {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a sandbox of another API version.
    #[error(
        "sandbox file {path} holds objects of API version {found}; this sandbox speaks \
         {API_VERSION}. Move the file away to start with an empty sandbox"
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: String,
    },
    /// A row cannot be read back.
    #[error(
        "sandbox file {path} is damaged at {row}: {reason}. Restore it, or move it away to \
         start with an empty sandbox"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Kind and number of the row.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// An open sandbox file.
pub(crate) struct File {
    connection: Connection,
}

/// How long to wait for another process to let go of the file.
const PATIENCE: Duration = Duration::from_millis(500);

/// Marks a database as a sandbox's: `SBOX`.
const APPLICATION_ID: i64 = 0x5342_4f58;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (
        name TEXT PRIMARY KEY, value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS objects (
        kind TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL,
        PRIMARY KEY (kind, seq)
    ) STRICT, WITHOUT ROWID;
";

impl File {
    /// Opens or makes the file at `path`; the world in it, or `fresh` if there is none yet.
    pub(crate) fn open(path: &Path, fresh: World) -> Result<(File, World), OpenError> {
        let database = |source| OpenError::Database { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(database)?;
        connection.busy_timeout(PATIENCE).map_err(database)?;
        if !prepare(&connection).map_err(database)? {
            return Err(OpenError::NotSandbox { path: path.to_owned() });
        }
        let file = File { connection };
        let version = file.meta("api_version").map_err(database)?;
        let world = match version {
            Some(found) if found != API_VERSION => {
                return Err(OpenError::OtherVersion { path: path.to_owned(), found });
            }
            Some(_) => file.load(path, fresh)?,
            None => fresh,
        };
        Ok((file, world))
    }

    fn meta(&self, name: &str) -> rusqlite::Result<Option<String>> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
            .optional()
    }

    fn load(&self, path: &Path, mut world: World) -> Result<World, OpenError> {
        let database = |source| OpenError::Database { path: path.to_owned(), source };
        let damaged =
            |row: String, reason: String| OpenError::Damaged { path: path.to_owned(), row, reason };
        let meta = self.meta("world").map_err(database)?;
        let meta = meta.ok_or_else(|| damaged("meta world".into(), "it is missing".into()))?;
        let meta = serde_json::from_str(&meta)
            .map_err(|error| damaged("meta world".into(), error.to_string()))?;
        let base_url = world.meta().base_url.clone();
        world.set_meta(meta);
        world.set_base_url(&base_url);
        let mut statement = self
            .connection
            .prepare("SELECT kind, seq, json FROM objects ORDER BY kind, seq")
            .map_err(database)?;
        let mut rows = statement.query([]).map_err(database)?;
        let mut tables = world.tables();
        while let Some(row) = rows.next().map_err(database)? {
            let read = || Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?, row.get(2)?));
            let (kind, seq, json): (String, i64, String) = read().map_err(database)?;
            let name = format!("{kind} {seq}");
            let table = tables.iter_mut().find(|table| table.kind() == kind);
            let table = table.ok_or_else(|| damaged(name.clone(), "unknown kind".into()))?;
            let seq =
                u64::try_from(seq).map_err(|error| damaged(name.clone(), error.to_string()))?;
            table.load(seq, &json).map_err(|error| damaged(name, error.to_string()))?;
        }
        Ok(world)
    }

    /// Writes what changed since the last call, all or nothing.
    pub(crate) fn save(&mut self, world: &mut World) -> rusqlite::Result<()> {
        let mut changes = Vec::new();
        for table in world.tables() {
            table.changes(&mut changes);
        }
        if changes.is_empty() {
            return Ok(());
        }
        let meta = serde_json::to_string(world.meta()).expect("meta is plain data");
        let transaction = self.connection.transaction()?;
        write(&transaction, &changes, &meta)?;
        transaction.commit()?;
        for table in world.tables() {
            table.saved();
        }
        Ok(())
    }
}

fn write(connection: &Connection, changes: &[Change], meta: &str) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO objects (kind, seq, id, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, seq) DO UPDATE SET id = excluded.id, json = excluded.json",
    )?;
    let mut remove =
        connection.prepare_cached("DELETE FROM objects WHERE kind = ?1 AND seq = ?2")?;
    for change in changes {
        let seq = i64::try_from(change.seq).expect("rows are counted from 1");
        match &change.json {
            Some(json) => put.execute(params![change.kind, seq, change.id, json])?,
            None => remove.execute(params![change.kind, seq])?,
        };
    }
    let mut set = connection.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    set.execute(params!["api_version", API_VERSION])?;
    set.execute(params!["world", meta])?;
    Ok(())
}

/// Takes the file for this process and makes its tables. `false`: it holds something else.
fn prepare(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let is_empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    if !is_empty && number("PRAGMA application_id")? != APPLICATION_ID {
        return Ok(false);
    }
    // One process at a time: a second one would answer from a world that is not the file's.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // WAL with NORMAL survives a killed process; only a power cut could take the last answers.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(SCHEMA)?;
    Ok(true)
}
