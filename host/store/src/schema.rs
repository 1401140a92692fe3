//! The tables and their numbered migrations. A migration that was released is never edited.

use agenthalt_core::digest::{Digest, Key};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::error::Failure;

/// Stands in the header of every state file: `AgHt`.
const APPLICATION_ID: i64 = 0x4167_4874;
/// Each brings the schema of its place to the next; `PRAGMA user_version` counts those applied.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];
/// The schema that this release writes.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// What a database turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing stands in it.
    Empty,
    /// State of a schema that is known here.
    Known,
    /// State of a newer schema.
    Newer(i64),
    /// Something else's.
    Foreign,
}

/// Looks at a database and changes nothing.
pub(crate) fn kind(connection: &Connection) -> Result<Kind, Failure> {
    let number = |pragma: &str| connection.query_row(pragma, (), |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")?;
    let application = number("PRAGMA application_id")?;
    Ok(match (application, version) {
        (0, 0) if tables == 0 => Kind::Empty,
        (APPLICATION_ID, version) if version > KNOWN => Kind::Newer(version),
        (APPLICATION_ID, version) if version > 0 => Kind::Known,
        _ => Kind::Foreign,
    })
}

/// Brings a database to the schema of this release. Two processes may do so at once: the second waits
/// for the first and finds nothing left to do.
pub(crate) fn migrate(connection: &mut Connection, key: &Key) -> Result<Kind, Failure> {
    // INVARIANT: what is there is looked at again under the write lock, and changed under the same.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kind = kind(&transaction)?;
    let version: i64 = match kind {
        Kind::Newer(_) | Kind::Foreign => return Ok(kind),
        Kind::Empty => 0,
        Kind::Known => transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?,
    };
    if version == KNOWN {
        return Ok(kind);
    }
    let applied = usize::try_from(version).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", KNOWN)?;
    if kind == Kind::Empty {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.execute("INSERT INTO state (id, key_check) VALUES (1, ?1)", [key_check(key).as_bytes()])?;
    }
    transaction.commit()?;
    Ok(Kind::Known)
}

/// Whether `key` is the one under which the database was made.
pub(crate) fn is_key_of(connection: &Connection, key: &Key) -> Result<bool, Failure> {
    let kept: Option<Vec<u8>> =
        connection.query_row("SELECT key_check FROM state WHERE id = 1", (), |row| row.get(0)).optional()?;
    let Some(kept) = kept else {
        return Err(Failure::Damaged("it does not say which key it belongs to".to_owned()));
    };
    Ok(kept == key_check(key).as_bytes())
}

fn key_check(key: &Key) -> Digest {
    key.digest(&[b"the key of this state"])
}
