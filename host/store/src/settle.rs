//! What came of a call, put to the charges it made: where they were made, not where time stands now. It judges
//! nothing and makes no charge.

use agenthalt_core::digest::Key;
use agenthalt_core::verdict::Verdict;
use rusqlite::Connection;

use crate::audit::NewRecord;
use crate::cache::Cache;
use crate::call::{self, CallCharge, CallKey, Remembered};
use crate::commit::Written;
use crate::connection::State;
use crate::entry::{Amendment, Change, Entry};
use crate::error::Failure;
use crate::row;
use crate::settlement::{Settled, SettledCall, SettledCharge, Settlement};

/// What a settlement has written, if anything, and what is answered.
type Answer<'w> = (Option<Written<'w>>, Settled);

impl State {
    /// Settles a call.
    pub(crate) fn settle(&mut self, settlement: &Settlement) -> Result<Settled, Failure> {
        self.alone()?.end(|connection, key, cache| settle(connection, key, cache, settlement))
    }
}

fn settle<'w>(
    connection: &Connection,
    key: &Key,
    cache: &mut Cache,
    settlement: &'w Settlement,
) -> Result<Answer<'w>, Failure> {
    let (call_key, mut call) = match find(connection, key, cache, settlement)? {
        Ok(found) => found,
        Err(answer) => return Ok((None, answer)),
    };
    let status = settlement.outcome.status;
    if let Some(before) = call.outcome
        && (before.is_final() || before == status)
    {
        return Ok((None, Settled::Before(before)));
    }
    let mut changes: Vec<Change> = Vec::new();
    let mut told = Vec::new();
    let mut charges = Vec::with_capacity(call.charges.len());
    for charge in call.charges {
        let after = settlement.outcome.amount(charge.amount, charge.permitted, charge.settles);
        if after != Some(charge.amount) && amend(connection, cache, &mut changes, &charge, after)? {
            let (_, counter, partition) = row::names(connection, charge.counter_id)?;
            told.push(SettledCharge { counter, partition, before: charge.amount, after });
        }
        charges.extend(after.map(|amount| CallCharge { amount, ..charge }));
    }
    let evaluated = u64::try_from(call.sequence);
    let sequence = evaluated.map_err(|_| Failure::Damaged("a call on record has no record".to_owned()))?;
    let record = (settlement.record)(&SettledCall { sequence, changes: told });
    (call.charges, call.outcome) = (charges, Some(status));
    let Settlement { tenant, at, call_id, .. } = settlement;
    let new = NewRecord { tenant, at: *at, call_id, record: &record };
    let entry = Entry { at: at.as_millis(), call: Some((call_key, call)), changes };
    let written = Written::of(connection, cache, &new, |_| Some(entry))?;
    let settled = Settled::Done { sequence: written.last.sequence };
    Ok((Some(Written { tenant, ..written }), settled))
}

/// The one call that is meant, or what is said where there is not exactly one.
fn find(
    connection: &Connection,
    key: &Key,
    cache: &mut Cache,
    settlement: &Settlement,
) -> Result<Result<(CallKey, Remembered), Settled>, Failure> {
    let mut found = Vec::new();
    for id in call::id_digests(key, &settlement.tenant, &settlement.call_id) {
        for (caller, call) in cache.remembered_by_id(connection, &id, settlement.at.as_millis())? {
            if settlement.caller.is_none_or(|meant| meant == caller) {
                found.push((CallKey { id, caller }, call));
            }
        }
    }
    if found.is_empty() {
        return Ok(Err(Settled::Unknown));
    }
    found.retain(|(_, call)| matches!(call.verdict, Verdict::Allow | Verdict::Modify));
    let one = found.pop();
    // INVARIANT: what is not certain to be this call's charge stays as it is.
    Ok(match one {
        Some(_) if !found.is_empty() => Err(Settled::Ambiguous),
        Some(one) => Ok(one),
        None => Err(Settled::NotLetThrough),
    })
}

/// Changes one charge of a counter; false where it does not count any more.
fn amend(
    connection: &Connection,
    cache: &mut Cache,
    changes: &mut Vec<Change>,
    charge: &CallCharge,
    after: Option<i64>,
) -> Result<bool, Failure> {
    let CallCharge { counter_id, place, charged_at, amount, .. } = *charge;
    let slot = cache.know(connection, counter_id)?;
    let row = cache.known(slot)?.row;
    if place <= row.standing.floor {
        return Ok(false);
    }
    let change = match changes.iter_mut().position(|change| change.counter_id == counter_id) {
        Some(index) => changes.get_mut(index),
        None => {
            let mut standing = row.standing;
            standing.version = standing.version.saturating_add(1);
            changes.push(Change { counter_id, standing, amended: Vec::new(), charges: Vec::new() });
            changes.last_mut()
        }
    };
    if let Some(change) = change {
        change.standing.amend(place, charged_at, amount, after);
        change.amended.push(Amendment { place, charged_at, before: amount, after });
    }
    Ok(true)
}
