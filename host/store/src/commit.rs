//! Charges, answer and audit record in one transaction, or none of it. It judges no reading.

use agenthalt_core::counter::Window;
use agenthalt_core::digest::Key;
use agenthalt_core::verdict::Verdict;
use rusqlite::Connection;

use crate::audit::{self, Link, NewRecord};
use crate::cache::{Cache, Known, Slot};
use crate::call::{CallCharge, Remembered};
use crate::connection::State;
use crate::entry::{Amendment, Change, Entry, Kind, NewCharge};
use crate::error::Failure;
use crate::fold;
use crate::question::{self, Step};
use crate::read::{self, Read, ReadState};
use crate::request::{AppliedCharge, Commit, Committed, NamedBy, ReadRequest};
use crate::row::{self, CounterRow, RunningTotal, Total};
use crate::transaction::Transaction;

/// A transaction beside which nobody else writes, in no process, with a cache that is renewed for it.
pub(crate) struct Alone<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) key: &'a Key,
    pub(crate) cache: &'a mut Cache,
}

/// A row that was read, and what becomes of it.
struct OpenRow<'a> {
    slot: Slot,
    counter: &'a str,
    partition: &'a str,
    row: CounterRow,
    taken_back: Vec<CallCharge>,
    charges: Vec<NewCharge>,
}

/// The rows that a commit charges, and the charges that its call has already.
type Charged<'a> = (Vec<OpenRow<'a>>, Vec<CallCharge>);

impl State {
    /// Applies a commit, if what was read still holds.
    pub(crate) fn commit(&mut self, read: &Read, commit: &Commit) -> Result<Committed, Failure> {
        self.alone()?.finish(read, commit)
    }

    /// Reads and keeps all others from writing until the end of what it gives.
    pub(crate) fn read_alone(&mut self, request: &ReadRequest) -> Result<(Alone<'_>, ReadState), Failure> {
        let alone = self.alone()?;
        let Alone { transaction, key, cache } = alone;
        match read::read(&transaction, key, cache, request) {
            Ok(read) => Ok((Alone { transaction, key, cache }, read)),
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }

    /// Begins a transaction of one's own, with room for one more entry.
    pub(crate) fn alone(&mut self) -> Result<Alone<'_>, Failure> {
        if self.cache.pending() >= fold::AT_MOST {
            self.fold(i64::MAX)?;
        }
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
    pub(crate) fn finish(self, read: &Read, commit: &Commit) -> Result<Committed, Failure> {
        self.end(|connection, _, cache| {
            check(read, commit)?;
            let Some(rows) = still(connection, cache, read, commit)? else { return Ok((None, Committed::Conflict)) };
            match question::step(connection, commit, cache.now(commit.at))? {
                Step::Taken => {}
                Step::Conflict => return Ok((None, Committed::Conflict)),
                Step::Open(open) => return Ok((None, Committed::Open(open))),
            }
            let written = write(connection, cache, read, commit, rows)?;
            let done = Committed::Done { sequence: written.last.sequence, hash: written.last.hash };
            Ok((Some(written), done))
        })
    }

    /// Ends the transaction with what `work` has written; with nothing, where it has written nothing.
    // INVARIANT: only what is done is kept, in the file and in the cache; a conflict and every error roll back all of
    // it, and after an error the cache is not relied on.
    pub(crate) fn end<'w, T>(
        self,
        work: impl FnOnce(&Connection, &Key, &mut Cache) -> Result<(Option<Written<'w>>, T), Failure>,
    ) -> Result<T, Failure> {
        let Alone { transaction, key, cache } = self;
        let ended = (|| {
            let (written, answer) = work(&transaction, key, cache)?;
            if written.is_some() {
                transaction.commit()?;
            }
            Ok((written, answer))
        })();
        match ended {
            Ok((written, answer)) => {
                if let Some(written) = written {
                    written.keep(cache);
                }
                Ok(answer)
            }
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }
}

/// What was written in a transaction and is true once that is committed.
pub(crate) struct Written<'w> {
    pub(crate) tenant: &'w str,
    pub(crate) made: Vec<(Slot, i64)>,
    pub(crate) entry: Option<Entry>,
    pub(crate) last: Link,
}

impl<'w> Written<'w> {
    /// Writes a record, and an entry that may name its place, if there is one.
    pub(crate) fn of(
        connection: &Connection,
        cache: &mut Cache,
        new: &NewRecord<'w>,
        entry: impl FnOnce(i64) -> Option<Entry>,
    ) -> Result<Self, Failure> {
        let last = match cache.links.get(new.tenant) {
            Some(link) => *link,
            None => audit::last_link(connection, new.tenant)?,
        };
        let last = audit::append(connection, last, new)?;
        let entry = entry(last.place()?);
        if let Some(entry) = &entry {
            connection
                .prepare_cached("INSERT INTO pending (place, entry) VALUES (?1, ?2)")?
                .execute((cache.applied.saturating_add(1), entry.to_bytes()))?;
        }
        Ok(Written { tenant: new.tenant, made: Vec::new(), entry, last })
    }

    /// It is committed: the cache follows.
    fn keep(self, cache: &mut Cache) {
        self.made.into_iter().for_each(|(slot, id)| cache.is_made(slot, id));
        // An entry that cannot be applied makes the cache forget; it is committed all the same.
        let _ = self.entry.is_none_or(|entry| cache.apply(&entry));
        cache.link(self.tenant, self.last);
    }
}

/// The rows that are charged, and the charges that the call has already; none where what was read does not hold any
/// more.
fn still<'r>(
    connection: &Connection,
    cache: &mut Cache,
    read: &'r Read,
    commit: &Commit,
) -> Result<Option<Charged<'r>>, Failure> {
    let Some(mut rows) = reopen(connection, cache, read)? else { return Ok(None) };
    let found = match &read.key {
        Some(key) if read.call.named_by != NamedBy::Host => cache.remembered(connection, key, commit.at.as_millis())?,
        Some(_) | None => None,
    };
    if found.as_ref().map(|found| found.sequence) != read.answered {
        return Ok(None);
    }
    let mut own = Vec::new();
    if let Some(found) = found {
        if !found.is_open() || found.digest != commit.call.digest {
            return Err(Failure::Refused("a call of this id has its answer already".to_owned()));
        }
        own = take_back(found.charges, &mut rows);
    }
    Ok(Some((rows, own)))
}

/// Writes charges, answer and record.
fn write<'w>(
    connection: &Connection,
    cache: &mut Cache,
    read: &Read,
    commit: &'w Commit,
    (mut rows, mut own): Charged<'_>,
) -> Result<Written<'w>, Failure> {
    let mut made = Vec::new();
    for applied in &commit.charges {
        let is_of = |open: &&mut OpenRow<'_>| open.counter == applied.counter && open.partition == applied.partition;
        let Some(open) = rows.iter_mut().find(is_of) else {
            return Err(Failure::Refused(format!("the counter `{}` was not read", applied.counter)));
        };
        let counter_id = match open.row.id {
            Some(id) => id,
            None => {
                let id = row::insert(connection, &commit.tenant, open.counter, open.partition, commit.at.as_millis())?;
                open.row.id = Some(id);
                made.push((open.slot, id));
                id
            }
        };
        let charge = add(connection, cache.known(open.slot)?, commit, applied, open)?;
        own.push(CallCharge {
            counter_id,
            place: charge.place,
            charged_at: charge.charged_at,
            amount: charge.amount,
            permitted: applied.permitted,
            settles: applied.settles,
        });
    }
    let changes: Vec<Change> = rows.into_iter().filter_map(OpenRow::into_change).collect();
    let key = read.key.filter(|_| is_kept(commit));
    let Commit { tenant, at, record, call, .. } = commit;
    let new = NewRecord { tenant, at: *at, call_id: &call.id, record };
    let written = Written::of(connection, cache, &new, |sequence| {
        let call = key.map(|key| (key, remembered(commit, sequence, own)));
        (call.is_some() || !changes.is_empty()).then_some(Entry { at: at.as_millis(), call, changes })
    })?;
    Ok(Written { made, ..written })
}

/// Whether the answer is put on record: not where the call can neither come again nor have run.
fn is_kept(commit: &Commit) -> bool {
    match commit.call.named_by {
        NamedBy::Caller | NamedBy::HostBefore => true,
        NamedBy::Host => commit.verdict != Verdict::Deny,
        NamedBy::Nobody => false,
    }
}

fn remembered(commit: &Commit, sequence: i64, charges: Vec<CallCharge>) -> Remembered {
    let remembered_ms = i64::try_from(commit.remembered_ms).unwrap_or(i64::MAX);
    let until = commit.at.as_millis().saturating_add(remembered_ms);
    Remembered { digest: commit.call.digest, until, verdict: commit.verdict, outcome: None, sequence, charges }
}

fn check(read: &Read, commit: &Commit) -> Result<(), Failure> {
    let refused = |what: &str| Err(Failure::Refused(format!("it is for another {what} than was read for")));
    if read.tenant != commit.tenant {
        return refused("tenant");
    }
    if read.call != commit.call {
        return refused("call");
    }
    if read.at != commit.at {
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
fn reopen<'a>(connection: &Connection, cache: &mut Cache, was: &'a Read) -> Result<Option<Vec<OpenRow<'a>>>, Failure> {
    let mut rows: Vec<OpenRow<'a>> = Vec::with_capacity(was.rows.len());
    for read in &was.rows {
        let slot = cache.slot(connection, &was.tenant, &read.counter, &read.partition)?;
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

/// Takes back what an earlier evaluation of this call charged, and gives what stays its own. A counter that was not
/// read keeps such a charge: nothing is changed that no reading was made of.
fn take_back(own: Vec<CallCharge>, rows: &mut [OpenRow<'_>]) -> Vec<CallCharge> {
    let mut left = Vec::new();
    for own in own {
        let Some(open) = rows.iter_mut().find(|open| open.row.id == Some(own.counter_id)) else {
            left.push(own);
            continue;
        };
        if own.place <= open.row.standing.floor {
            // The counter was reset since, and the charge with it.
            continue;
        }
        open.row.standing.amend(own.place, own.charged_at, own.amount, None);
        open.taken_back.push(own);
    }
    left
}

/// Adds a charge to a row that is in its table.
fn add(
    connection: &Connection,
    known: &mut Known,
    commit: &Commit,
    applied: &AppliedCharge,
    open: &mut OpenRow<'_>,
) -> Result<NewCharge, Failure> {
    let OpenRow { row, taken_back, charges, .. } = open;
    let own: Vec<CallCharge> = row.own(taken_back).copied().collect();
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
                    let kept = kept.without_all(own.iter().filter(|own| own.charged_at >= start));
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
    let kind = Kind::of(applied.window, applied.measure);
    let (place, amount, sequence) = (standing.newest, applied.amount, applied.sequence);
    let charge = NewCharge { place, charged_at, amount, sequence, kind };
    charges.push(charge);
    Ok(charge)
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
        let taken_back = self.taken_back.iter().map(|own| Amendment {
            place: own.place,
            charged_at: own.charged_at,
            before: own.amount,
            after: None,
        });
        Some(Change { counter_id, standing, amended: taken_back.collect(), charges: self.charges })
    }
}
