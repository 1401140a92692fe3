//! Taking what is pending into the tables of counters and charges, and pruning them. It changes how state
//! is written down and never what it says.

use std::collections::BTreeMap;

use agenthalt_core::counter::LONGEST_RUN;

use crate::charge::{self, ChargedCall};
use crate::connection::State;
use crate::entry::{Change, Entry, NewCharge};
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

/// What all pending entries together change in one counter.
#[derive(Debug, Default)]
struct Folded {
    standing: Standing,
    taken_back: Vec<i64>,
    charges: Vec<(ChargedCall, NewCharge)>,
    rolls: bool,
    is_of_last: bool,
}

impl State {
    /// Takes the oldest pending entries in, this many at most.
    pub(crate) fn fold(&mut self, most: i64) -> Result<(), Failure> {
        let State { connection, cache, .. } = self;
        let transaction = Transaction::alone(connection)?;
        let folded = (|| {
            cache.renew(&transaction)?;
            let end = cache.folded.saturating_add(most).min(cache.applied);
            let counters = take_in(&transaction, end)?;
            transaction.prepare_cached("UPDATE state SET folded = ?1 WHERE id = 1")?.execute([end])?;
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

fn take_in(transaction: &Transaction<'_>, end: i64) -> Result<BTreeMap<i64, Folded>, Failure> {
    let mut counters: BTreeMap<i64, Folded> = BTreeMap::new();
    let mut statement = transaction.prepare_cached("SELECT entry FROM pending WHERE place <= ?1 ORDER BY place")?;
    let mut entries = statement.query([end])?;
    while let Some(row) = entries.next()? {
        let Entry { call, changes } = Entry::from_column(row.get_ref(0)?)?;
        for change in changes {
            counters.entry(change.counter_id).or_default().add(call, change);
        }
    }
    for (counter_id, folded) in &counters {
        folded.write(transaction, *counter_id)?;
    }
    Ok(counters)
}

impl Folded {
    fn add(&mut self, call: ChargedCall, change: Change) {
        self.standing = change.standing;
        for place in change.taken_back {
            match self.charges.iter().position(|(_, charge)| charge.place == place) {
                // It never comes to the table.
                Some(index) => drop(self.charges.remove(index)),
                None => self.taken_back.push(place),
            }
        }
        for charge in change.charges {
            self.rolls |= charge.kind.rolls;
            self.is_of_last |= charge.kind.is_of_last;
            self.charges.push((call, charge));
        }
    }

    /// Writes it, and takes away what no reading looks at any more. The charges of a calendar window or of
    /// one that never ends are kept: settling a call finds them.
    fn write(&self, transaction: &Transaction<'_>, counter_id: i64) -> Result<(), Failure> {
        let Standing { clock, newest, longest_ms, .. } = self.standing;
        let since = if self.rolls { clock.unwrap_or(i64::MIN).saturating_sub(longest_ms) } else { i64::MIN };
        let most = i64::try_from(LONGEST_RUN).unwrap_or(i64::MAX).saturating_add(SPARE_CHARGES);
        let behind = if self.is_of_last { newest.saturating_sub(most) } else { i64::MIN };
        for place in &self.taken_back {
            charge::remove(transaction, counter_id, *place)?;
        }
        if self.rolls {
            charge::prune_before(transaction, counter_id, since)?;
        }
        if behind > 0 {
            charge::prune_up_to(transaction, counter_id, behind)?;
        }
        for (call, charge) in &self.charges {
            if charge.charged_at >= since && charge.place > behind {
                charge::insert(transaction, counter_id, call, charge)?;
            }
        }
        self.standing.save(transaction, counter_id)
    }
}
