//! From a counter's row to a reading. It writes nothing.

use agenthalt_core::counter::{LONGEST_RUN, Measure, run_length};
use agenthalt_core::digest::{Digest, Key};
use rusqlite::Connection;

use crate::charge::{self, ChargedCall, OwnCharge};
use crate::error::Failure;
use crate::request::{CounterRead, ReadRequest, RowVersion, Snapshot, Version};
use crate::row::CounterRow;

/// Reads everything that is asked for. Called within one transaction.
pub(crate) fn snapshot(connection: &Connection, key: &Key, request: ReadRequest) -> Result<Snapshot, Failure> {
    let call = ChargedCall::new(key, &request.tenant, &request.call);
    let own = charge::own(connection, &call)?;
    let mut readings = Vec::with_capacity(request.counters.len());
    let mut rows = Vec::with_capacity(request.counters.len());
    for wanted in &request.counters {
        let row = CounterRow::load(connection, &request.tenant, &wanted.counter, &wanted.partition)?;
        let own: Vec<OwnCharge> = own.iter().filter(|charge| Some(charge.counter_id) == row.id).copied().collect();
        let start = row.window_start(wanted.window, request.at, &request.zone)?;
        readings.push(reading(connection, wanted, &row, start, &own)?);
        rows.push(RowVersion {
            counter: wanted.counter.clone(),
            partition: wanted.partition.clone(),
            version: row.version,
        });
    }
    let version = Version { tenant: request.tenant, call: request.call, at: request.at, rows, hold: None };
    Ok(Snapshot { readings, version })
}

fn reading(
    connection: &Connection,
    wanted: &CounterRead,
    row: &CounterRow,
    start: i64,
    own: &[OwnCharge],
) -> Result<Option<i64>, Failure> {
    let is_own = |place: i64| own.iter().any(|charge| charge.place == place);
    match wanted.measure {
        Measure::Sum => {
            let total = row.total(connection, wanted.window, start, own)?;
            Ok(Some(i64::try_from(total.sum).unwrap_or(i64::MAX)))
        }
        Measure::Count => Ok(Some(row.total(connection, wanted.window, start, own)?.count)),
        Measure::LastTime => {
            let Some(id) = row.id else { return Ok(None) };
            let mut last = None;
            charge::walk(connection, id, |kept| {
                if kept.charged_at >= start && !is_own(kept.place) {
                    last = Some(kept.charged_at);
                }
                kept.charged_at >= start && last.is_none()
            })?;
            Ok(last)
        }
        Measure::RunOfSame | Measure::RunOfTwo => {
            let Some(id) = row.id else { return Ok(Some(0)) };
            let mut calls: Vec<Digest> = Vec::new();
            charge::walk(connection, id, |kept| {
                if kept.charged_at < start {
                    return false;
                }
                if !is_own(kept.place) {
                    calls.push(kept.sequence);
                }
                // Now and then: a run that has ended needs no more charges.
                let looks = calls.len().is_power_of_two() && calls.len() >= 4;
                let has_ended = looks && run_length(wanted.measure, &wanted.sequence, &calls) < calls.len();
                calls.len() < LONGEST_RUN && !has_ended
            })?;
            let length = run_length(wanted.measure, &wanted.sequence, &calls);
            Ok(Some(i64::try_from(length).unwrap_or(i64::MAX)))
        }
    }
}
