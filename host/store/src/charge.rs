//! The charges of a row, the newest first. It knows no window and no measure.

use agenthalt_core::digest::{Digest, Key};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use crate::error::Failure;
use crate::request::CallTag;
use crate::row::Total;

/// A call as charges remember it. Its id may be long and chosen by an agent; this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChargedCall {
    id: Digest,
    digest: Digest,
}

impl ChargedCall {
    pub(crate) fn new(key: &Key, tenant: &str, call: &CallTag) -> Self {
        ChargedCall { id: key.digest(&[b"charged call", tenant.as_bytes(), call.id.as_bytes()]), digest: call.digest }
    }
}

/// A charge that an earlier evaluation of the present call made without being let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnCharge {
    pub(crate) counter_id: i64,
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) amount: i64,
}

/// One charge to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewCharge<'a> {
    pub(crate) counter_id: i64,
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) amount: i64,
    pub(crate) sequence: &'a Digest,
    pub(crate) call: &'a ChargedCall,
    /// Whether it stays when its call is judged again.
    pub(crate) stays: bool,
    pub(crate) settles: bool,
}

/// One charge that is read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptCharge {
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) sequence: Digest,
}

/// The charges of earlier evaluations of a call that do not stay, to any counter.
// INVARIANT: a charge of an evaluation that was let through is never among them. Were it, a call id
// that is used again would run twice and spend once.
pub(crate) fn own(connection: &Connection, call: &ChargedCall) -> Result<Vec<OwnCharge>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT counter_id, place, charged_at_ms, amount FROM charge \
         WHERE call = ?1 AND call_digest = ?2 AND stays = 0",
    )?;
    let rows = statement.query_map([call.id.as_bytes(), call.digest.as_bytes()], |row| {
        Ok(OwnCharge { counter_id: row.get(0)?, place: row.get(1)?, charged_at: row.get(2)?, amount: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the charges of a row since an instant come to. Its time depends on how many these are, not on
/// how many there are.
pub(crate) fn total_since(connection: &Connection, counter_id: i64, since: i64) -> Result<Total, Failure> {
    // Times never fall in the order of places, so the newest charge that is too old ends the window.
    let mut statement = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(amount >> 32), 0), coalesce(sum(amount & 4294967295), 0) FROM charge \
         WHERE counter_id = ?1 AND place > coalesce((SELECT place FROM charge \
         WHERE counter_id = ?1 AND charged_at_ms < ?2 ORDER BY place DESC LIMIT 1), 0)",
    )?;
    Ok(statement.query_row([counter_id, since], total)?)
}

/// The amounts are added up in halves, since the engine's own sum fails above 64 bits.
fn total(row: &Row<'_>) -> rusqlite::Result<Total> {
    let (high, low): (i64, i64) = (row.get(1)?, row.get(2)?);
    Ok(Total { count: row.get(0)?, sum: (i128::from(high) << 32) + i128::from(low) })
}

/// Shows the charges of a row, the newest first, until `more` says that it has seen enough.
pub(crate) fn walk(
    connection: &Connection,
    counter_id: i64,
    mut more: impl FnMut(KeptCharge) -> bool,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT place, charged_at_ms, sequence FROM charge WHERE counter_id = ?1 ORDER BY place DESC",
    )?;
    let mut rows = statement.query([counter_id])?;
    while let Some(row) = rows.next()? {
        let kept = KeptCharge { place: row.get(0)?, charged_at: row.get(1)?, sequence: digest(row, 2)? };
        if !more(kept) {
            break;
        }
    }
    Ok(())
}

/// Keeps a charge.
pub(crate) fn insert(connection: &Connection, charge: &NewCharge<'_>) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO charge (counter_id, place, charged_at_ms, amount, sequence, call, call_digest, stays, \
         settles) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        charge.counter_id,
        charge.place,
        charge.charged_at,
        charge.amount,
        charge.sequence.as_bytes(),
        charge.call.id.as_bytes(),
        charge.call.digest.as_bytes(),
        charge.stays,
        charge.settles,
    ])?;
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
    connection
        .prepare_cached(
            "DELETE FROM charge WHERE counter_id = ?1 AND place < (SELECT place FROM charge \
             WHERE counter_id = ?1 AND charged_at_ms >= ?2 ORDER BY place LIMIT 1)",
        )?
        .execute([counter_id, instant])?;
    Ok(())
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
