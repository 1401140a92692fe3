//! Bringing the write-ahead log back into the file, so that it stays bounded. It never runs while a
//! caller waits in line, unless the log outgrows what goes on beside callers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::Failure;

/// By how many pages the log grows before it is brought back: about 8 MB.
const PAGES: i32 = 2_000;
/// At this length callers are held off meanwhile: a log that is written to all the time would never be
/// brought back whole, and only one that was begins anew.
const PAGES_AT_MOST: i32 = 2 * PAGES;

/// How long the log is, as the connection saw it at its last commit.
#[derive(Debug)]
pub(crate) struct Log {
    pages: Arc<AtomicI32>,
    /// How long it was when it was last brought back.
    done: AtomicI32,
}

impl Log {
    /// Watches the log of a connection, in the place of the engine's own checkpoints. State in memory has
    /// none and stays at nothing.
    pub(crate) fn of(connection: &mut Connection) -> Result<Log, Failure> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Log { pages, done: AtomicI32::new(0) })
    }

    /// Whether the log is to be brought back.
    pub(crate) fn has_grown(&self) -> bool {
        self.grown() >= PAGES
    }

    fn grown(&self) -> i32 {
        let (pages, done) = (self.pages.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed));
        // A log that is shorter than it was has begun anew.
        if pages < done { pages } else { pages - done }
    }

    fn is_too_long(&self) -> bool {
        self.pages.load(Ordering::Relaxed) >= PAGES_AT_MOST
    }

    /// Whether the thread lags so far behind that callers leave it the writing.
    pub(crate) fn is_overdue(&self) -> bool {
        self.pages.load(Ordering::Relaxed) >= 2 * PAGES_AT_MOST
    }

    fn mark(&self) {
        self.done.store(self.pages.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// The thread's own way to the file, so that callers can go on while the log is brought back.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint(Option<Connection>);

impl Checkpoint {
    /// Brings the log back if it has grown enough. `alone` does it once more with the callers' own
    /// connection, under its lock.
    pub(crate) fn run(
        &mut self,
        path: &Path,
        log: &Log,
        alone: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !log.has_grown() {
            return Ok(());
        }
        let connection = self.0.take().map_or_else(|| open(path.to_owned()), Ok);
        let done = connection.and_then(|connection| passive(self.0.insert(connection)));
        let done = if log.is_too_long() { alone() } else { done };
        log.mark();
        done
    }
}

fn open(path: PathBuf) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// Brings back as much as can be without waiting for anyone.
pub(crate) fn passive(connection: &Connection) -> Result<(), Failure> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_the_second_connection_does_not_reach_is_brought_back_by_the_first() {
        let log = Log { pages: Arc::new(AtomicI32::new(PAGES_AT_MOST)), done: AtomicI32::new(0) };
        let mut alone = 0;
        let path = Path::new("/no such folder/state.db");
        let done = Checkpoint::default().run(path, &log, || {
            alone += 1;
            Ok(())
        });
        assert!(done.is_ok() && alone == 1);
        let failed = Checkpoint::default().run(path, &log, || Ok(()));
        assert!(failed.is_ok(), "it has not grown since");
    }
}
