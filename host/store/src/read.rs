//! From a counter's row to a reading. It writes nothing.

use agenthalt_core::counter::{LONGEST_RUN, Measure, run_length};
use agenthalt_core::digest::{Digest, Key};
use rusqlite::Connection;

use crate::cache::{Cache, Known};
use crate::charge::{ChargedCall, OwnCharge};
use crate::connection::State;
use crate::error::Failure;
use crate::request::{CounterRead, ReadRequest, RowVersion, Snapshot, Version};
use crate::transaction::Transaction;

impl State {
    /// Reads everything that is asked for.
    pub(crate) fn read(&mut self, request: &ReadRequest) -> Result<Snapshot, Failure> {
        let State { connection, key, cache, .. } = self;
        let snapshot = (|| {
            // One transaction, so that all readings and versions are of one moment.
            let transaction = Transaction::reading(connection)?;
            cache.renew(&transaction)?;
            let snapshot = snapshot(&transaction, key, cache, request)?;
            transaction.commit()?;
            Ok(snapshot)
        })();
        if snapshot.is_err() {
            cache.forget();
        }
        snapshot
    }
}

/// Reads everything that is asked for. Called within one transaction for which the cache is renewed.
pub(crate) fn snapshot(
    connection: &Connection,
    key: &Key,
    cache: &mut Cache,
    request: &ReadRequest,
) -> Result<Snapshot, Failure> {
    let charged = ChargedCall::new(key, &request.tenant, &request.call);
    let own = cache.own(connection, &charged)?.to_vec();
    let mut readings = Vec::with_capacity(request.counters.len());
    let mut rows = Vec::with_capacity(request.counters.len());
    for wanted in &request.counters {
        let slot = cache.slot(connection, &request.tenant, &wanted.counter, &wanted.partition)?;
        let known = cache.known(slot)?;
        let start = known.row.standing.window_start(wanted.window, request.at, &request.zone)?;
        let id = known.row.id;
        let own: Vec<OwnCharge> = own.iter().filter(|charge| Some(charge.counter_id) == id).copied().collect();
        let charges = known.tail.len();
        readings.push(reading(connection, wanted, known, start, &own)?);
        rows.push(RowVersion {
            counter: wanted.counter.clone(),
            partition: wanted.partition.clone(),
            version: known.row.standing.version,
        });
        let charges = known.tail.len().saturating_sub(charges);
        cache.weigh(charges);
    }
    let (tenant, call, at) = (request.tenant.clone(), request.call.clone(), request.at);
    Ok(Snapshot { readings, version: Version { tenant, call, charged, at, rows, hold: None } })
}

fn reading(
    connection: &Connection,
    wanted: &CounterRead,
    known: &mut Known,
    start: i64,
    own: &[OwnCharge],
) -> Result<Option<i64>, Failure> {
    let Known { row, tail } = known;
    let Some(id) = row.id else {
        return Ok(match wanted.measure {
            Measure::LastTime => None,
            Measure::Sum | Measure::Count | Measure::RunOfSame | Measure::RunOfTwo => Some(0),
        });
    };
    let is_own = |place: i64| own.iter().any(|charge| charge.place == place);
    match wanted.measure {
        Measure::Sum | Measure::Count => {
            let counted = || tail.total_since(connection, id, wanted.window, start);
            let total = row.standing.total(wanted.window, start, own, counted)?;
            let sum = i64::try_from(total.sum).unwrap_or(i64::MAX);
            Ok(Some(if wanted.measure == Measure::Sum { sum } else { total.count }))
        }
        Measure::LastTime => {
            for back in 0.. {
                match tail.newest(connection, id, back)? {
                    Some(kept) if kept.charged_at >= start && is_own(kept.place) => {}
                    Some(kept) if kept.charged_at >= start => return Ok(Some(kept.charged_at)),
                    Some(_) | None => break,
                }
            }
            Ok(None)
        }
        Measure::RunOfSame | Measure::RunOfTwo => {
            let mut calls: Vec<Digest> = Vec::new();
            for back in 0.. {
                let Some(kept) = tail.newest(connection, id, back)? else { break };
                if kept.charged_at < start {
                    break;
                }
                if !is_own(kept.place) {
                    calls.push(kept.sequence);
                }
                // Now and then: a run that has ended needs no more charges.
                let looks = calls.len().is_power_of_two() && calls.len() >= 4;
                let has_ended = looks && run_length(wanted.measure, &wanted.sequence, &calls) < calls.len();
                if calls.len() >= LONGEST_RUN || has_ended {
                    break;
                }
            }
            let length = run_length(wanted.measure, &wanted.sequence, &calls);
            Ok(Some(i64::try_from(length).unwrap_or(i64::MAX)))
        }
    }
}
