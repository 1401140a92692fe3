//! Opening a state file, or refusing it untouched. It holds no statement about counters or records.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use agenthalt_core::digest::Key;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::cache::Cache;
use crate::error::{Failure, StoreError};
use crate::key;
use crate::schema::{self, Kind};

/// How many prepared statements are kept; more than there are.
const STATEMENTS: usize = 64;
/// How often switching to the write-ahead log is tried again while another process does the same.
const SWITCH_PAUSE: Duration = Duration::from_millis(5);

/// An open database with its key, and what is known of it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) connection: Connection,
    pub(crate) cache: Cache,
    pub(crate) key: Key,
    /// The name that errors show.
    pub(crate) path: PathBuf,
}

/// Opens state in memory, with a key of its own.
pub(crate) fn open_in_memory() -> Result<State, StoreError> {
    let path = PathBuf::from(":memory:");
    let key = key::random()?;
    let mut connection = Connection::open_in_memory().map_err(|error| Failure::from(error).at(&path))?;
    prepare(&connection).map_err(|failure| failure.at(&path))?;
    schema::migrate(&mut connection, &key).map_err(|failure| failure.at(&path))?;
    Ok(State { connection, cache: Cache::default(), key, path })
}

/// Opens a state file, creating it and its key where there is none. `patience` is how long another
/// process may keep it locked.
pub(crate) fn open_file(path: &Path, patience: Duration) -> Result<State, StoreError> {
    let path = create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(|error| Failure::from(error).at(&path))?;
    let failed = |failure: Failure| failure.at(&path);
    // The engine takes a file that it may not write for one that is only to be read.
    if connection.is_readonly("main").map_err(|error| failed(error.into()))? {
        let source = "it is read-only: this user may not write it, or its file system is mounted so";
        return Err(StoreError::CannotOpen { path, source: source.into() });
    }
    connection.busy_timeout(patience).map_err(|error| failed(error.into()))?;
    // INVARIANT: what the file is comes first; until then nothing is written, no key is made.
    let kind = look(&mut connection).map_err(failed)?;
    let key = match accept(kind, &path)? {
        Kind::Empty => key::load_or_make(&path)?,
        Kind::Known | Kind::Newer(_) | Kind::Foreign => key::load(&path)?,
    };
    let mode = switch_to_log(&connection, patience).map_err(failed)?;
    if mode != "wal" {
        let source = format!("the file system allows no write-ahead log, only `{mode}`");
        return Err(StoreError::CannotOpen { path, source: source.into() });
    }
    // A commit waits for no disk; where one is to be answered only once the disk has it, the log is synced for all
    // who wait. What comes from the log into the file is synced by the engine.
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(|error| failed(error.into()))?;
    prepare(&connection).map_err(failed)?;
    accept(schema::migrate(&mut connection, &key).map_err(failed)?, &path)?;
    if !schema::is_key_of(&connection, &key).map_err(failed)? {
        let reason = format!("it is not the key of `{}`", path.display());
        return Err(StoreError::KeyDamaged { key: key::path_of(&path), reason });
    }
    Ok(State { connection, cache: Cache::default(), key, path })
}

/// Creates the file where there is none, readable to its owner only, and gives its real path.
fn create(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |source: io::Error| StoreError::CannotOpen { path: path.to_owned(), source: Box::new(source) };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(StoreError::NoFolder(folder.to_owned()));
    }
    // Closed at once: closing it later would drop the locks of another who has opened the file meanwhile.
    match key::create_private(path).map(drop) {
        Ok(()) => key::sync_folder(&folder.join("state")).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    // One file has one key, by whatever link it is reached.
    fs::canonicalize(path).map_err(failed)
}

fn look(connection: &mut Connection) -> Result<Kind, Failure> {
    // One transaction, so that another process cannot migrate between two questions.
    let transaction = connection.transaction()?;
    schema::kind(&transaction)
}

fn accept(kind: Kind, path: &Path) -> Result<Kind, StoreError> {
    match kind {
        Kind::Empty | Kind::Known => Ok(kind),
        Kind::Newer(found) => Err(StoreError::NewerSchema { path: path.to_owned(), found, known: schema::KNOWN }),
        Kind::Foreign => Err(StoreError::Foreign(path.to_owned())),
    }
}

/// Switches to the write-ahead log and gives the mode that the file is in then. The engine does not
/// always wait for another process that does the same, so this does.
fn switch_to_log(connection: &Connection, patience: Duration) -> Result<String, Failure> {
    let begun = Instant::now();
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)) {
            Ok(mode) => return Ok(mode),
            Err(error) => {
                let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                if !is_busy || begun.elapsed() > patience {
                    return Err(error.into());
                }
                thread::sleep(SWITCH_PAUSE);
            }
        }
    }
}

fn prepare(connection: &Connection) -> Result<(), Failure> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}
