//! What can go wrong with a database, told by what it means for the caller.

/// Why a transaction did not do what it was asked. Unless the variant says otherwise, nothing
/// was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much work is waiting, or a lock was held for too long. Try again.
    #[error("the database is busy; nothing was changed, try again in a moment")]
    Busy,
    /// Other transactions were in the way at every try. Try again.
    #[error("other changes were in the way at every try; nothing was changed, try again")]
    Contended,
    /// A unique key, check or foreign key refused a row. An expected conflict is written as
    /// `ON CONFLICT`, so this one is a mistake in the program or in the data.
    #[error("a constraint of the database refused the change; nothing was changed: {message}")]
    Constraint {
        /// What the database said.
        message: String,
    },
    /// Someone else wrote the row since it was read. Load and decide again.
    #[error("{table} {id} was changed by someone else in between; nothing was changed")]
    Stale {
        /// The table of the row.
        table: &'static str,
        /// The row's id.
        id: String,
    },
    /// The lease on this piece of work ran out and another worker has it, or it is finished.
    /// Everything done under the old lease must be dropped: return this error.
    #[error("the lease on {table} {id} is lost; nothing was changed")]
    LeaseLost {
        /// The table of the row.
        table: &'static str,
        /// The row's id.
        id: String,
    },
    /// A row that cannot be right: someone changed the database by hand, or a mistake of ours.
    #[error("the database holds a row that cannot be right: {column}: {problem} (in: {statement})")]
    Inconsistent {
        /// The column, and the row it was found in where that is known.
        column: String,
        /// What is wrong with it.
        problem: String,
        /// The beginning of the statement that read it.
        statement: String,
    },
    /// A read tried to write.
    #[error("a read-only transaction tried to write; nothing was changed")]
    ReadOnly,
    /// The work panicked. Only this caller is affected.
    #[error("the work panicked; nothing was changed, see the log")]
    Panicked,
    /// The answer to COMMIT was lost: the change was made in full or not at all. Ask by its key
    /// before you try again.
    #[error("the connection was lost at COMMIT, so the change may or may not be there: {message}")]
    CommitUnknown {
        /// What the driver said.
        message: String,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached; nothing was changed: {message}")]
    Unavailable {
        /// What the driver said.
        message: String,
    },
    /// The store is shut down, or stopped itself after a failed write to the disk. Restart.
    #[error("the database was closed; nothing was changed")]
    Closed,
    /// Anything else the database said: a mistake in a statement, a full disk.
    #[error("the database failed a statement; nothing was changed: {message}")]
    Driver {
        /// What the database said.
        message: String,
    },
}

/// Why a database could not be opened or migrated, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The address is not one of a database.
    #[error(
        "{url:?} is not the address of a database: {problem}. \
         Write sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    BadUrl {
        /// The address without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The linked SQLite is one that can lose commits.
    #[error("SQLite {found} can lose commits; build with the bundled one, 3.51.3 or newer")]
    SqliteTooOld {
        /// The version that was linked.
        found: String,
    },
    /// The database does not answer as it should.
    #[error("the database at {url} cannot be used: {message}")]
    Unusable {
        /// The address without its password.
        url: String,
        /// What went wrong and what to do.
        message: String,
    },
    /// A migration failed and was rolled back; the ones before it stay.
    #[error("migration {name} failed and was rolled back: {message}")]
    MigrationFailed {
        /// Number and name.
        name: String,
        /// What the database said.
        message: String,
    },
    /// A migration was changed after it ran here.
    #[error(
        "migration {name} is not the one that ran on this database (checksum {applied}, ours \
         {ours}); nothing was changed. Run the version of farthing that made this database, or \
         restore a backup"
    )]
    MigrationChanged {
        /// Number and name.
        name: String,
        /// The checksum in the database.
        applied: String,
        /// The checksum in this binary.
        ours: String,
    },
    /// The database was migrated by a newer version of the program.
    #[error(
        "the database has migration {name}, which this version of farthing does not know; \
         nothing was changed. Run the newer version, or restore a backup from before the upgrade"
    )]
    Newer {
        /// Number and name of the unknown migration.
        name: String,
    },
}

impl StoreError {
    /// Whether the same work may succeed when it is simply tried again later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Contended | Self::Unavailable { .. })
    }
}
