//! Charges and audit record in one transaction, or none of it. It judges no reading.

use agenthalt_core::counter::{LONGEST_RUN, Measure, Window};
use agenthalt_core::digest::Key;
use agenthalt_core::verdict::Verdict;
use rusqlite::Connection;

use crate::audit;
use crate::charge::{self, ChargedCall, NewCharge};
use crate::error::Failure;
use crate::request::{AppliedCharge, Commit, Committed, Version};
use crate::row::{self, CounterRow, RunningTotal};

/// How many charges are kept beyond the longest run that is looked at: room for those that a call
/// which is judged again leaves out of its own reading.
const SPARE_CHARGES: i64 = 24;

/// A row that was read, and what becomes of it.
struct OpenRow<'a> {
    counter: &'a str,
    partition: &'a str,
    row: CounterRow,
    is_changed: bool,
}

/// Applies a commit. Called within one transaction that excludes other writers; the caller ends it,
/// and keeps it only where the answer is [`Committed::Done`].
pub(crate) fn apply(
    connection: &Connection,
    key: &Key,
    version: &Version,
    commit: &Commit,
) -> Result<Committed, Failure> {
    check(version, commit)?;
    let Some(mut rows) = reopen(connection, version)? else { return Ok(Committed::Conflict) };
    let call = ChargedCall::new(key, &commit.tenant, &commit.call);
    take_back(connection, &call, &mut rows)?;
    for applied in &commit.charges {
        let is_of = |open: &&mut OpenRow<'_>| open.counter == applied.counter && open.partition == applied.partition;
        let Some(open) = rows.iter_mut().find(is_of) else {
            return Err(Failure::Refused(format!("the counter `{}` was not read", applied.counter)));
        };
        add(connection, &call, commit, applied, open)?;
    }
    for open in rows.iter().filter(|open| open.is_changed) {
        open.row.save(connection)?;
    }
    let (sequence, hash) = audit::append(connection, commit)?;
    Ok(Committed::Done { sequence, hash })
}

fn check(version: &Version, commit: &Commit) -> Result<(), Failure> {
    let refused = |what: &str| Err(Failure::Refused(format!("it is for another {what} than was read for")));
    if version.tenant != commit.tenant {
        return refused("tenant");
    }
    if version.call != commit.call {
        return refused("call");
    }
    if version.at != commit.at {
        return refused("time");
    }
    match commit.charges.iter().find(|charge| charge.amount < 0) {
        Some(charge) => Err(Failure::Refused(format!("`{}` is charged {}, below zero", charge.counter, charge.amount))),
        None => Ok(()),
    }
}

/// Reads the rows again; none where one is not what it was.
// INVARIANT: every row that an evaluation read is compared, also those that it does not charge, under
// the lock that keeps others from writing.
fn reopen<'a>(connection: &Connection, version: &'a Version) -> Result<Option<Vec<OpenRow<'a>>>, Failure> {
    let mut rows: Vec<OpenRow<'a>> = Vec::with_capacity(version.rows.len());
    for read in &version.rows {
        let row = CounterRow::load(connection, &version.tenant, &read.counter, &read.partition)?;
        if row.version != read.version {
            return Ok(None);
        }
        // A counter may be read in two ways; it is one row all the same.
        if !rows.iter().any(|open| open.counter == read.counter && open.partition == read.partition) {
            rows.push(OpenRow { counter: &read.counter, partition: &read.partition, row, is_changed: false });
        }
    }
    Ok(Some(rows))
}

/// Takes back what an earlier evaluation of this call charged without being let through. A counter that
/// was not read keeps such a charge: nothing is changed that no reading was made of.
fn take_back(connection: &Connection, call: &ChargedCall, rows: &mut [OpenRow<'_>]) -> Result<(), Failure> {
    for own in charge::own(connection, call)? {
        let Some(open) = rows.iter_mut().find(|open| open.row.id == Some(own.counter_id)) else { continue };
        charge::remove(connection, own.counter_id, own.place)?;
        if let Some(running) = &mut open.row.running
            && own.charged_at >= running.since
        {
            running.total = running.total.without(own.amount);
        }
        open.is_changed = true;
    }
    Ok(())
}

fn add(
    connection: &Connection,
    call: &ChargedCall,
    commit: &Commit,
    applied: &AppliedCharge,
    open: &mut OpenRow<'_>,
) -> Result<(), Failure> {
    let row = &mut open.row;
    let counter_id = match row.id {
        Some(id) => id,
        None => row::insert(connection, &commit.tenant, open.counter, open.partition, commit.at.as_millis())?,
    };
    row.id = Some(counter_id);
    let charged_at = row.effective(commit.at)?.as_millis();
    let start = row.window_start(applied.window, commit.at, &commit.zone)?;
    row.running = match applied.window {
        // Nothing is added up where every charge may fall out of the window on its own.
        Window::RollingMs(_) => None,
        Window::Day | Window::Month | Window::Ever => {
            let total = row.total(connection, applied.window, start, &[])?.with(applied.amount);
            Some(RunningTotal { since: start, total })
        }
    };
    row.clock = Some(charged_at);
    row.newest += 1;
    open.is_changed = true;
    let charge = NewCharge {
        counter_id,
        place: row.newest,
        charged_at,
        amount: applied.amount,
        sequence: &applied.sequence,
        call,
        stays: stays(commit.verdict, applied.measure),
        settles: applied.settles,
    };
    charge::insert(connection, &charge)?;
    prune(connection, counter_id, charged_at, applied, row)
}

/// Whether a charge stays when its call is judged again. What a refused evaluation charged is taken out
/// then, so that one call is one attempt. The time at which a call was denied stays all the same:
/// a cooldown that a denial began would otherwise be over once that call comes again.
fn stays(verdict: Verdict, measure: Measure) -> bool {
    match verdict {
        Verdict::Allow | Verdict::Modify => true,
        Verdict::RequireApproval => false,
        Verdict::Deny => measure == Measure::LastTime,
    }
}

/// Takes away what no reading looks at. The charges of a calendar window or of one that never ends are
/// kept: settling a call finds them.
fn prune(
    connection: &Connection,
    counter_id: i64,
    now: i64,
    applied: &AppliedCharge,
    row: &mut CounterRow,
) -> Result<(), Failure> {
    if let Window::RollingMs(length) = applied.window {
        // A policy may shorten a window and lengthen it again.
        row.longest_ms = row.longest_ms.max(i64::try_from(length).unwrap_or(i64::MAX));
        charge::prune_before(connection, counter_id, now.saturating_sub(row.longest_ms))?;
    }
    match applied.measure {
        Measure::Sum | Measure::Count => Ok(()),
        Measure::LastTime | Measure::RunOfSame | Measure::RunOfTwo => {
            let kept = i64::try_from(LONGEST_RUN).unwrap_or(i64::MAX).saturating_add(SPARE_CHARGES);
            charge::prune_up_to(connection, counter_id, row.newest.saturating_sub(kept))
        }
    }
}
