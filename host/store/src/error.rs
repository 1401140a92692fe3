//! What goes wrong with kept state, in sentences for people. It names no type of the engine.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why state cannot be read or written. Whatever it is, nothing of the failed step is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder of the state file is not there.
    #[error("the folder `{}` of the state file does not exist; create it first", .0.display())]
    NoFolder(PathBuf),
    /// The file cannot be opened or created.
    #[error("the state file `{}` cannot be opened: {source}", path.display())]
    CannotOpen {
        /// The state file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is a database of something else.
    #[error("`{}` is a database, but not one of AgentHalt; name another state file", .0.display())]
    Foreign(PathBuf),
    /// A newer release wrote the file.
    #[error(
        "the state file `{}` has schema {found}, this release knows up to {known}; use the newer release that wrote it",
        path.display()
    )]
    NewerSchema {
        /// The state file.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The newest schema that is known here.
        known: i64,
    },
    /// The state is there and its key is not.
    #[error(
        "the key file `{}` of the state file `{}` is missing; restore it, or move the state file away to begin anew",
        key.display(), path.display()
    )]
    KeyMissing {
        /// The key file.
        key: PathBuf,
        /// The state file.
        path: PathBuf,
    },
    /// The key file holds no key, or another state's.
    #[error("the key file `{}` is damaged: {reason}; restore it from a copy", key.display())]
    KeyDamaged {
        /// The key file.
        key: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process keeps the file locked.
    #[error("the state file `{}` is locked by another process; try again", .0.display())]
    Busy(PathBuf),
    /// More calls wait for state than the store takes.
    #[error("more than {0} requests wait for state; try again")]
    Overloaded(usize),
    /// The file's content is not what was written.
    #[error("the state file `{}` is damaged: {reason}; restore it from a copy, or move it away", path.display())]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The disk may not have what was written.
    #[error("what was written to the state file `{}` may not be on the disk: {reason}; open it again", path.display())]
    NotOnDisk {
        /// The state file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A version that was read alone was committed too late.
    #[error("the state was held alone for longer than {0} ms; nothing was committed")]
    HeldTooLong(u128),
    /// The commit does not belong to what was read.
    #[error("the commit cannot be applied: {0}")]
    Refused(String),
    /// A fault of the store itself; what it knew is not relied on any more.
    #[error("the store failed inside and takes no more work; open it again")]
    Failed,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The file cannot be read or written.
    #[error("the state file `{}` cannot be read or written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A failure before it is told which file it happened to.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Damaged(String),
    Refused(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl Failure {
    /// Whether somebody else keeps the file locked.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Failure::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
            }
            Failure::Damaged(_) | Failure::Refused(_) => false,
        }
    }

    /// The error that people see.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Failure::Refused(reason) => StoreError::Refused(reason),
            Failure::Damaged(reason) => StoreError::Damaged { path, reason },
            Failure::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation) => {
                    StoreError::Damaged { path, reason: error.to_string() }
                }
                Some(ErrorCode::CannotOpen) => StoreError::CannotOpen { path, source: Box::new(error) },
                Some(_) => StoreError::Io { path, source: Box::new(error) },
                // What is no answer of the engine is a value of another type than was written.
                None => StoreError::Damaged { path, reason: error.to_string() },
            },
        }
    }
}
