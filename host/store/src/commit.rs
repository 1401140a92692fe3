//! Charges and audit record in one transaction, or none of it. It judges no reading.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Key;
use agenthalt_core::verdict::Verdict;
use rusqlite::Connection;

use crate::audit::{self, Link};
use crate::cache::{Cache, Known, Slot};
use crate::charge::OwnCharge;
use crate::connection::State;
use crate::entry::{Change, Entry, Kind, NewCharge};
use crate::error::Failure;
use crate::fold;
use crate::read;
use crate::request::{AppliedCharge, Commit, Committed, ReadRequest, Snapshot, Version};
use crate::row::{self, CounterRow, RunningTotal, Total};
use crate::transaction::Transaction;

/// A transaction beside which nobody else writes, in no process, with a cache that is renewed for it.
pub(crate) struct Alone<'a> {
    transaction: Transaction<'a>,
    key: &'a Key,
    cache: &'a mut Cache,
}

/// A row that was read, and what becomes of it.
struct OpenRow<'a> {
    slot: Slot,
    counter: &'a str,
    partition: &'a str,
    row: CounterRow,
    taken_back: Vec<OwnCharge>,
    charges: Vec<NewCharge>,
}

impl State {
    /// Applies a commit, if what was read still holds.
    pub(crate) fn commit(&mut self, version: &Version, commit: &Commit) -> Result<Committed, Failure> {
        let alone = self.alone()?;
        if alone.cache.pending() < fold::AT_MOST {
            return alone.finish(version, commit);
        }
        drop(alone);
        self.fold(i64::MAX)?;
        self.alone()?.finish(version, commit)
    }

    /// Reads and keeps all others from writing until the end of what it gives.
    pub(crate) fn read_alone(&mut self, request: &ReadRequest) -> Result<(Alone<'_>, Snapshot), Failure> {
        let alone = self.alone()?;
        let Alone { transaction, key, cache } = alone;
        match read::snapshot(&transaction, key, cache, request) {
            Ok(snapshot) => Ok((Alone { transaction, key, cache }, snapshot)),
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }

    fn alone(&mut self) -> Result<Alone<'_>, Failure> {
        let State { connection, key, cache, .. } = self;
        let transaction = Transaction::alone(connection)?;
        match cache.renew(&transaction) {
            Ok(()) => Ok(Alone { transaction, key, cache }),
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }
}

impl Alone<'_> {
    /// Applies a commit and ends the transaction.
    // INVARIANT: only a commit that is done is kept, in the file and in the cache; a conflict and every
    // error roll back all of it, and after an error the cache is not relied on.
    pub(crate) fn finish(self, version: &Version, commit: &Commit) -> Result<Committed, Failure> {
        let Alone { transaction, cache, .. } = self;
        let finished = (|| {
            check(version, commit)?;
            let Some(written) = write(&transaction, cache, version, commit)? else { return Ok(None) };
            transaction.commit()?;
            Ok(Some(written))
        })();
        match finished {
            Ok(None) => Ok(Committed::Conflict),
            Ok(Some(written)) => Ok(written.keep(cache, commit)),
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }
}

/// What was written in a transaction and is true once that is committed.
struct Written {
    made: Vec<(Slot, i64)>,
    entry: Option<Entry>,
    last: Link,
}

impl Written {
    /// It is committed: the cache follows.
    fn keep(self, cache: &mut Cache, commit: &Commit) -> Committed {
        self.made.into_iter().for_each(|(slot, id)| cache.is_made(slot, id));
        // An entry that cannot be applied makes the cache forget; it is committed all the same.
        let _ = self.entry.is_none_or(|entry| cache.apply(&entry));
        let Link { sequence, hash } = self.last;
        cache.link(&commit.tenant, self.last);
        Committed::Done { sequence, hash }
    }
}

/// Writes charges and record; none where what was read does not hold any more.
fn write(
    connection: &Connection,
    cache: &mut Cache,
    version: &Version,
    commit: &Commit,
) -> Result<Option<Written>, Failure> {
    let Some(mut rows) = reopen(connection, cache, version)? else { return Ok(None) };
    take_back(cache.own(connection, &version.charged)?, &mut rows);
    let mut made = Vec::new();
    for applied in &commit.charges {
        let is_of = |open: &&mut OpenRow<'_>| open.counter == applied.counter && open.partition == applied.partition;
        let Some(open) = rows.iter_mut().find(is_of) else {
            return Err(Failure::Refused(format!("the counter `{}` was not read", applied.counter)));
        };
        if open.row.id.is_none() {
            let id = row::insert(connection, &commit.tenant, open.counter, open.partition, commit.at.as_millis())?;
            open.row.id = Some(id);
            made.push((open.slot, id));
        }
        add(connection, cache.known(open.slot)?, commit, applied, open)?;
    }
    let changes: Vec<Change> = rows.into_iter().filter_map(OpenRow::into_change).collect();
    let mut entry = None;
    if !changes.is_empty() {
        let written = Entry { call: version.charged, changes };
        connection
            .prepare_cached("INSERT INTO pending (place, entry) VALUES (?1, ?2)")?
            .execute((cache.applied.saturating_add(1), written.to_bytes()))?;
        entry = Some(written);
    }
    let last = match cache.links.get(&commit.tenant) {
        Some(link) => *link,
        None => audit::last_link(connection, &commit.tenant)?,
    };
    let last = audit::append(connection, last, commit)?;
    Ok(Some(Written { made, entry, last }))
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

/// Looks at the rows again; none where one is not what it was.
// INVARIANT: every row that an evaluation read is compared, also those that it does not charge, under
// the lock that keeps others from writing.
fn reopen<'a>(
    connection: &Connection,
    cache: &mut Cache,
    version: &'a Version,
) -> Result<Option<Vec<OpenRow<'a>>>, Failure> {
    let mut rows: Vec<OpenRow<'a>> = Vec::with_capacity(version.rows.len());
    for read in &version.rows {
        let slot = cache.slot(connection, &version.tenant, &read.counter, &read.partition)?;
        let row = cache.known(slot)?.row;
        if row.standing.version != read.version {
            return Ok(None);
        }
        // A counter may be read in two ways; it is one row all the same.
        if !rows.iter().any(|open| open.slot == slot) {
            let (counter, partition) = (read.counter.as_str(), read.partition.as_str());
            rows.push(OpenRow { slot, counter, partition, row, taken_back: Vec::new(), charges: Vec::new() });
        }
    }
    Ok(Some(rows))
}

/// Takes back what an earlier evaluation of this call charged without being let through. A counter that
/// was not read keeps such a charge: nothing is changed that no reading was made of.
fn take_back(own: &[OwnCharge], rows: &mut [OpenRow<'_>]) {
    for own in own {
        let Some(open) = rows.iter_mut().find(|open| open.row.id == Some(own.counter_id)) else { continue };
        if let Some(running) = &mut open.row.standing.running
            && own.charged_at >= running.since
        {
            running.total = running.total.without(own.amount);
        }
        open.taken_back.push(*own);
    }
}

/// Adds a charge to a row that is in its table.
fn add(
    connection: &Connection,
    known: &mut Known,
    commit: &Commit,
    applied: &AppliedCharge,
    open: &mut OpenRow<'_>,
) -> Result<(), Failure> {
    let OpenRow { row, taken_back, charges, .. } = open;
    let standing = &mut row.standing;
    let charged_at = standing.effective(commit.at)?.as_millis();
    let start = standing.window_start(applied.window, commit.at, &commit.zone)?;
    standing.running = match applied.window {
        // Nothing is added up where every charge may fall out of the window on its own.
        Window::RollingMs(_) => None,
        Window::Day | Window::Month | Window::Ever => {
            // What is kept, and what this commit has done so far.
            let counted = || match row.id {
                None => Ok(Total::default()),
                Some(id) => {
                    let kept = known.tail.total_since(connection, id, applied.window, start)?;
                    let kept = kept.without_all(taken_back.iter().filter(|own| own.charged_at >= start));
                    let new = charges.iter().filter(|charge| charge.charged_at >= start);
                    Ok(new.fold(kept, |total, charge| total.with(charge.amount)))
                }
            };
            let total = standing.total(applied.window, start, &[], counted)?.with(applied.amount);
            Some(RunningTotal { since: start, total })
        }
    };
    standing.clock = Some(charged_at);
    standing.newest = standing.newest.saturating_add(1);
    if let Window::RollingMs(length) = applied.window {
        // A policy may shorten a window and lengthen it again.
        standing.longest_ms = standing.longest_ms.max(i64::try_from(length).unwrap_or(i64::MAX));
    }
    let kind = Kind {
        stays: stays(commit.verdict, applied.measure),
        settles: applied.settles,
        rolls: matches!(applied.window, Window::RollingMs(_)),
        is_of_last: match applied.measure {
            Measure::Sum | Measure::Count => false,
            Measure::LastTime | Measure::RunOfSame | Measure::RunOfTwo => true,
        },
    };
    let (place, amount, sequence) = (standing.newest, applied.amount, applied.sequence);
    charges.push(NewCharge { place, charged_at, amount, sequence, kind });
    Ok(())
}

impl OpenRow<'_> {
    /// What becomes of the row; none where nothing does.
    fn into_change(self) -> Option<Change> {
        let counter_id = self.row.id?;
        if self.taken_back.is_empty() && self.charges.is_empty() {
            return None;
        }
        let mut standing = self.row.standing;
        standing.version = standing.version.saturating_add(1);
        let taken_back = self.taken_back.iter().map(|own| own.place).collect();
        Some(Change { counter_id, standing, taken_back, charges: self.charges })
    }
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
