//! From a counter's row to a reading. It writes nothing.

use std::sync::mpsc::SyncSender;

use agenthalt_core::counter::{LONGEST_RUN, Measure, run_length};
use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::time::Timestamp;
use rusqlite::Connection;

use crate::audit;
use crate::cache::{Cache, Known};
use crate::call::{CallCharge, CallKey};
use crate::connection::State;
use crate::error::Failure;
use crate::request::{Answered, CallTag, CounterRead, NamedBy, ReadRequest, Snapshot, Version};
use crate::transaction::Transaction;
use crate::worker::HeldCommit;

/// What was read, for the commit that is held against it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) tenant: String,
    pub(crate) call: CallTag,
    /// What the call is found by; none where nothing is kept of it.
    pub(crate) key: Option<CallKey>,
    pub(crate) at: Timestamp,
    pub(crate) rows: Vec<RowVersion>,
    /// The place of the record of the answer that was found.
    pub(crate) answered: Option<i64>,
    /// The way to the transaction that [`read_alone`](crate::Store::read_alone) keeps open.
    pub(crate) hold: Option<SyncSender<HeldCommit>>,
}

/// The version of one counter's row; 0 where there is none. Every change raises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowVersion {
    pub(crate) counter: String,
    pub(crate) partition: String,
    pub(crate) version: i64,
}

/// Readings, and what a commit is held against.
pub(crate) struct ReadState {
    readings: Vec<Option<i64>>,
    answered: Option<Answered>,
    pub(crate) read: Read,
}

impl ReadState {
    /// As those who ask see it.
    pub(crate) fn into_snapshot(self) -> Snapshot {
        Snapshot { readings: self.readings, answered: self.answered, version: Version::new(self.read) }
    }
}

impl State {
    /// Reads everything that is asked for.
    pub(crate) fn read(&mut self, request: &ReadRequest) -> Result<Snapshot, Failure> {
        let State { connection, key, cache, .. } = self;
        let read = (|| {
            // One transaction, so that all readings and versions are of one moment.
            let transaction = Transaction::reading(connection)?;
            cache.renew(&transaction)?;
            let read = read(&transaction, key, cache, request)?;
            transaction.commit()?;
            Ok(read)
        })();
        if read.is_err() {
            cache.forget();
        }
        read.map(ReadState::into_snapshot)
    }
}

/// Reads everything that is asked for. Called within one transaction for which the cache is renewed.
pub(crate) fn read(
    connection: &Connection,
    key: &Key,
    cache: &mut Cache,
    request: &ReadRequest,
) -> Result<ReadState, Failure> {
    let call_key = CallKey::of(key, &request.tenant, &request.call);
    let found = match (call_key, request.call.named_by) {
        (Some(key), NamedBy::Caller | NamedBy::HostBefore) => {
            cache.remembered(connection, &key, request.at.as_millis())?
        }
        // An id that the host has just made meets no other.
        (Some(_), NamedBy::Host | NamedBy::Nobody) | (None, _) => None,
    };
    let answered = match &found {
        None => None,
        Some(found) => Some(Answered {
            is_same_call: found.digest == request.call.digest,
            verdict: found.verdict,
            outcome: found.outcome,
            record: audit::one(connection, &request.tenant, found.sequence)?,
        }),
    };
    let sequence = found.as_ref().map(|found| found.sequence);
    // INVARIANT: only the charges of a call that may be judged again are left out. Were those of one that was let
    // through, a call id that is used again would run twice and spend once.
    let is_again = answered.as_ref().is_some_and(|answered| answered.is_same_call && answered.is_open());
    let own = found.filter(|_| is_again).map(|found| found.charges).unwrap_or_default();
    let mut readings = Vec::with_capacity(request.counters.len());
    let mut rows = Vec::with_capacity(request.counters.len());
    for wanted in &request.counters {
        let slot = cache.slot(connection, &request.tenant, &wanted.counter, &wanted.partition)?;
        let known = cache.known(slot)?;
        let start = known.row.standing.window_start(wanted.window, request.at, &request.zone)?;
        let own: Vec<CallCharge> = known.row.own(&own).copied().collect();
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
    let (tenant, call) = (request.tenant.clone(), request.call.clone());
    let read = Read { tenant, call, key: call_key, at: request.at, rows, answered: sequence, hold: None };
    Ok(ReadState { readings, answered, read })
}

fn reading(
    connection: &Connection,
    wanted: &CounterRead,
    known: &mut Known,
    start: i64,
    own: &[CallCharge],
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
