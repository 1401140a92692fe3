//! Taking what is pending into the tables of counters, charges and calls, and pruning them. It changes how state
//! is written down and never what it says.

use std::collections::BTreeMap;

use agenthalt_core::counter::LONGEST_RUN;

use crate::call::{self, CallKey, Remembered};
use crate::charge;
use crate::connection::State;
use crate::entry::{Amendment, Change, Entry, NewCharge, Reach};
use crate::error::Failure;
use crate::row::Standing;
use crate::transaction::Transaction;

/// From so many pending entries on, the thread takes them in: so seldom that a counter's row is not
/// written for each of its charges.
pub(crate) const SOON: i64 = 64;
/// So many it takes in at once, so that whoever asks meanwhile does not wait long.
pub(crate) const AT_ONCE: i64 = 16;
/// At so many pending entries callers wait for the tables.
pub(crate) const AT_MOST: i64 = 1_024;
/// How many charges are kept beyond the longest run that is looked at: room for those that a call
/// which is judged again leaves out of its own reading.
const SPARE_CHARGES: i64 = 24;
/// Longer than any calendar day and month, however clocks were put forward and back in them.
const DAY_MS: i64 = 50 * 60 * 60 * 1_000;
const MONTH_MS: i64 = 33 * 24 * 60 * 60 * 1_000;
/// How many calls that are not on record any more are taken away for each entry.
const EXPIRED_EACH: i64 = 4;

/// What all pending entries together change in one counter.
#[derive(Debug, Default)]
struct Folded {
    standing: Standing,
    amended: Vec<Amendment>,
    charges: Vec<NewCharge>,
}

/// What they change altogether.
#[derive(Debug, Default)]
struct TakenIn {
    counters: BTreeMap<i64, Folded>,
    calls: Vec<(CallKey, Remembered)>,
    clock: Option<i64>,
}

impl State {
    /// Takes the oldest pending entries in, this many at most.
    pub(crate) fn fold(&mut self, most: i64) -> Result<(), Failure> {
        let State { connection, cache, .. } = self;
        let transaction = Transaction::alone(connection)?;
        let folded = (|| {
            cache.renew(&transaction)?;
            let end = cache.folded.saturating_add(most).min(cache.applied);
            if end == cache.folded {
                return Ok((end, BTreeMap::new()));
            }
            let TakenIn { counters, calls, clock } = TakenIn::read(&transaction, end)?;
            for (counter_id, folded) in &counters {
                folded.write(&transaction, *counter_id)?;
            }
            for (key, remembered) in &calls {
                remembered.save(&transaction, key)?;
            }
            if let Some(clock) = cache.clock {
                call::prune(&transaction, clock, end.saturating_sub(cache.folded).saturating_mul(EXPIRED_EACH))?;
            }
            transaction
                .prepare_cached(
                    "UPDATE state SET folded = ?1, clock_ms = max(coalesce(clock_ms, ?2), coalesce(?2, clock_ms)) \
                     WHERE id = 1",
                )?
                .execute((end, clock))?;
            transaction.prepare_cached("DELETE FROM pending WHERE place <= ?1")?.execute([end])?;
            transaction.commit()?;
            Ok((end, counters))
        })();
        match folded {
            Ok((end, counters)) => {
                cache.is_folded(end, counters.iter().map(|(id, folded)| (*id, folded.standing.newest)));
                Ok(())
            }
            Err(failure) => {
                cache.forget();
                Err(failure)
            }
        }
    }
}

impl TakenIn {
    fn read(transaction: &Transaction<'_>, end: i64) -> Result<Self, Failure> {
        let mut taken_in = TakenIn::default();
        let mut statement = transaction.prepare_cached("SELECT entry FROM pending WHERE place <= ?1 ORDER BY place")?;
        let mut entries = statement.query([end])?;
        while let Some(row) = entries.next()? {
            let Entry { at, call, changes } = Entry::from_column(row.get_ref(0)?)?;
            taken_in.clock = taken_in.clock.max(Some(at));
            if let Some((key, remembered)) = call {
                taken_in.calls.retain(|(other, _)| *other != key);
                taken_in.calls.push((key, remembered));
            }
            for change in changes {
                taken_in.counters.entry(change.counter_id).or_default().add(change);
            }
        }
        Ok(taken_in)
    }
}

impl Folded {
    fn add(&mut self, change: Change) {
        self.standing = change.standing;
        for amended in change.amended {
            let place = self.charges.iter().position(|charge| charge.place == amended.place);
            match (place, amended.after) {
                // It never comes to the table as it was.
                (Some(index), None) => drop(self.charges.remove(index)),
                (Some(index), Some(after)) => {
                    if let Some(charge) = self.charges.get_mut(index) {
                        charge.amount = after;
                    }
                }
                (None, _) => self.amended.push(amended),
            }
        }
        self.charges.extend(change.charges);
    }

    /// Writes it, and takes away what no reading looks at any more.
    fn write(&self, transaction: &Transaction<'_>, counter_id: i64) -> Result<(), Failure> {
        for Amendment { place, after, .. } in &self.amended {
            match after {
                None => charge::remove(transaction, counter_id, *place)?,
                Some(amount) => charge::amend(transaction, counter_id, *place, *amount)?,
            }
        }
        let (since, behind) = self.kept();
        if since > i64::MIN && !self.charges.is_empty() {
            charge::prune_before(transaction, counter_id, since)?;
        }
        if behind > 0 {
            charge::prune_up_to(transaction, counter_id, behind)?;
        }
        for charge in &self.charges {
            if charge.charged_at >= since && charge.place > behind {
                charge::insert(transaction, counter_id, charge)?;
            }
        }
        self.standing.save(transaction, counter_id)
    }

    /// From which instant on, and behind which place, a charge is kept on its own.
    fn kept(&self) -> (i64, i64) {
        let Standing { clock, newest, longest_ms, .. } = self.standing;
        let Some(kind) = self.charges.last().map(|charge| charge.kind) else { return (i64::MIN, 0) };
        let back = |time: i64| clock.unwrap_or(i64::MIN).saturating_sub(time);
        let since = match kind.reach {
            Reach::Rolling => back(longest_ms),
            // The day or month of another time zone may have begun earlier.
            Reach::Day => back(DAY_MS),
            Reach::Month => back(MONTH_MS),
            Reach::Ever => i64::MIN,
        };
        let behind = match kind.reach {
            _ if kind.is_of_last => {
                let most = i64::try_from(LONGEST_RUN).unwrap_or(i64::MAX).saturating_add(SPARE_CHARGES);
                newest.saturating_sub(most)
            }
            // The running total says it all, and the call on record how a charge of its own may be settled.
            Reach::Ever => newest,
            Reach::Rolling | Reach::Day | Reach::Month => 0,
        };
        (since, behind)
    }
}
