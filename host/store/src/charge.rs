//! The table of charges: those of a row, the newest first. It knows no window and no measure.

use agenthalt_core::digest::Digest;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use crate::entry::NewCharge;
use crate::error::Failure;
use crate::row::Total;
use crate::tail::Kept;

/// What the charges of a row since an instant come to, those from a place on left out. Its time depends on
/// how many these are, not on how many there are.
pub(crate) fn total_between(
    connection: &Connection,
    counter_id: i64,
    since: i64,
    below: i64,
) -> Result<Total, Failure> {
    // Times never fall in the order of places, so the newest charge that is too old ends the window.
    let mut statement = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(amount >> 32), 0), coalesce(sum(amount & 4294967295), 0) FROM charge \
         WHERE counter_id = ?1 AND place < ?3 AND place > coalesce((SELECT place FROM charge \
         WHERE counter_id = ?1 AND place < ?3 AND charged_at_ms < ?2 ORDER BY place DESC LIMIT 1), 0)",
    )?;
    Ok(statement.query_row([counter_id, since, below], total)?)
}

/// The amounts are added up in halves, since the engine's own sum fails above 64 bits.
fn total(row: &Row<'_>) -> rusqlite::Result<Total> {
    let (high, low): (i64, i64) = (row.get(1)?, row.get(2)?);
    Ok(Total { count: row.get(0)?, sum: (i128::from(high) << 32) + i128::from(low) })
}

/// Shows the charges of a row below a place, the newest first, until `more` says that it has seen enough.
/// Tells whether it has seen all.
pub(crate) fn walk(
    connection: &Connection,
    counter_id: i64,
    below: i64,
    mut more: impl FnMut(Kept) -> bool,
) -> Result<bool, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT place, charged_at_ms, amount, sequence FROM charge WHERE counter_id = ?1 AND place < ?2 \
         ORDER BY place DESC",
    )?;
    let mut rows = statement.query([counter_id, below])?;
    while let Some(row) = rows.next()? {
        let kept = Kept { place: row.get(0)?, charged_at: row.get(1)?, amount: row.get(2)?, sequence: digest(row, 3)? };
        if !more(kept) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps a charge.
pub(crate) fn insert(connection: &Connection, counter_id: i64, charge: &NewCharge) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO charge (counter_id, place, charged_at_ms, amount, sequence) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute(params![
        counter_id,
        charge.place,
        charge.charged_at,
        charge.amount,
        charge.sequence.as_bytes(),
    ])?;
    Ok(())
}

/// Gives one charge another amount, if it is still there.
pub(crate) fn amend(connection: &Connection, counter_id: i64, place: i64, amount: i64) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE charge SET amount = ?3 WHERE counter_id = ?1 AND place = ?2")?
        .execute([counter_id, place, amount])?;
    Ok(())
}

/// Takes one charge away.
pub(crate) fn remove(connection: &Connection, counter_id: i64, place: i64) -> Result<(), Failure> {
    connection
        .prepare_cached("DELETE FROM charge WHERE counter_id = ?1 AND place = ?2")?
        .execute([counter_id, place])?;
    Ok(())
}

/// Takes away what was charged before an instant.
pub(crate) fn prune_before(connection: &Connection, counter_id: i64, instant: i64) -> Result<(), Failure> {
    // Times never fall in the order of places, so what is too old ends before the first that is not. It is
    // compared here: the engine would plan a statement that compares anew for every instant.
    let mut old: Vec<i64> = Vec::new();
    let mut statement =
        connection.prepare_cached("SELECT place, charged_at_ms FROM charge WHERE counter_id = ?1 ORDER BY place")?;
    let mut rows = statement.query([counter_id])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= instant {
            break;
        }
        old.push(row.get(0)?);
    }
    drop(rows);
    old.into_iter().try_for_each(|place| remove(connection, counter_id, place))
}

/// Takes away the charges up to a place.
pub(crate) fn prune_up_to(connection: &Connection, counter_id: i64, place: i64) -> Result<(), Failure> {
    connection
        .prepare_cached("DELETE FROM charge WHERE counter_id = ?1 AND place <= ?2")?
        .execute([counter_id, place])?;
    Ok(())
}

/// A digest from a column.
pub(crate) fn digest(row: &Row<'_>, column: usize) -> Result<Digest, Failure> {
    let bytes = match row.get_ref(column)? {
        ValueRef::Blob(bytes) => <[u8; 32]>::try_from(bytes).ok(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => None,
    };
    bytes.map(Digest::from_bytes).ok_or_else(|| Failure::Damaged("a digest has not 32 bytes".to_owned()))
}
