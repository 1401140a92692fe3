//! A transaction whose statements are prepared once. What it is dropped with is rolled back; it never
//! leaves one open.

use std::ops::Deref;

use rusqlite::Connection;

/// An open transaction.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    is_open: bool,
}

impl<'a> Transaction<'a> {
    /// Begins one that reads everything as it is at one moment.
    pub(crate) fn reading(connection: &'a Connection) -> rusqlite::Result<Self> {
        Transaction::begin(connection, "BEGIN DEFERRED")
    }

    /// Begins one beside which nobody else writes, in no process.
    pub(crate) fn alone(connection: &'a Connection) -> rusqlite::Result<Self> {
        Transaction::begin(connection, "BEGIN IMMEDIATE")
    }

    fn begin(connection: &'a Connection, begin: &str) -> rusqlite::Result<Self> {
        connection.prepare_cached(begin)?.execute(())?;
        Ok(Transaction { connection, is_open: true })
    }

    /// Ends it and keeps what was written.
    pub(crate) fn commit(mut self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute(())?;
        self.is_open = false;
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // The engine itself has rolled back after some errors. Where this one fails too, the next
        // transaction cannot begin, and that is an error for whoever asks.
        if self.is_open && !self.connection.is_autocommit() {
            let _ = self.connection.prepare_cached("ROLLBACK").and_then(|mut statement| statement.execute(()));
        }
    }
}
