//! What is known of counters without asking the database again. It holds only what was read or committed
//! under a sign that still holds; it is never the place where anything is kept.

use std::collections::HashMap;
use std::fmt::Write as _;

use agenthalt_core::digest::Digest;
use agenthalt_core::time::Timestamp;
use rusqlite::Connection;

use crate::audit::Link;
use crate::call::{self, CallKey, Remembered};
use crate::entry::{Change, Entry};
use crate::error::Failure;
use crate::row::{self, CounterRow, Standing};
use crate::tail::{Kept, Tail};

/// How much is known at most before everything is read anew: some 20 MB, names of counters included.
const WEIGHT: usize = 20_000;

/// One counter as it stands after everything that was committed.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) row: CounterRow,
    pub(crate) tail: Tail,
}

/// A call that a pending entry speaks of, as the last one does.
#[derive(Debug)]
struct Pending {
    caller: Digest,
    call: Remembered,
    entry: i64,
}

/// Where a counter stands in the cache, until the next transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// What is known.
// INVARIANT: every counter and every call that a pending entry speaks of is here, with that entry applied.
// Whatever is not here is in the tables as it is, so it can be read from them alone.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The database's own number of what other connections have committed. None: nothing is known.
    sign: Option<i64>,
    /// The last entry that the tables have taken in.
    pub(crate) folded: i64,
    /// The last entry that is applied here.
    pub(crate) applied: i64,
    rows: Vec<Known>,
    slots: HashMap<String, usize>,
    by_id: HashMap<i64, usize>,
    /// The calls of pending entries, by the digest of their id.
    calls: HashMap<Digest, Vec<Pending>>,
    /// The latest stamp of anything that was committed; none before the first.
    pub(crate) clock: Option<i64>,
    pub(crate) links: HashMap<String, Link>,
    /// How many charges are in tails, or a few more.
    charges: usize,
    /// How many bytes the names of counters have.
    names: usize,
    /// Room for a name that is looked for.
    name: String,
}

impl Cache {
    /// Takes in what other connections have committed since. Called first in every transaction.
    // INVARIANT: whatever changed outside this connection changes the sign, and nothing that was known
    // under another sign is used before it is brought up to the present one.
    pub(crate) fn renew(&mut self, connection: &Connection) -> Result<(), Failure> {
        let sign: i64 = connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))?;
        if self.sign == Some(sign) && self.weight() < WEIGHT {
            return Ok(());
        }
        if self.weight() >= WEIGHT {
            self.forget();
        }
        let (folded, clock): (i64, Option<i64>) = connection
            .prepare_cached("SELECT folded, clock_ms FROM state WHERE id = 1")?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        if self.sign.take().is_none() || folded != self.folded {
            self.clear();
            (self.folded, self.applied, self.clock) = (folded, folded, clock);
        }
        self.links.clear();
        let mut statement =
            connection.prepare_cached("SELECT place, entry FROM pending WHERE place > ?1 ORDER BY place")?;
        let mut entries = statement.query([self.applied])?;
        while let Some(entry) = entries.next()? {
            let place: i64 = entry.get(0)?;
            if place != self.applied.saturating_add(1) {
                return Err(Failure::Damaged("charges are missing before they came to their table".to_owned()));
            }
            let entry = Entry::from_column(entry.get_ref(1)?)?;
            for change in &entry.changes {
                self.know(connection, change.counter_id)?;
            }
            if !self.apply(&entry) {
                return Err(Failure::Damaged("a charge has no counter".to_owned()));
            }
        }
        self.sign = Some(sign);
        Ok(())
    }

    /// Nothing that is known is relied on any more.
    pub(crate) fn forget(&mut self) {
        self.sign = None;
    }

    fn clear(&mut self) {
        (self.charges, self.names) = (0, 0);
        self.rows.clear();
        self.slots.clear();
        self.by_id.clear();
        self.calls.clear();
        self.links.clear();
    }

    /// How many entries are applied here that the tables do not have.
    pub(crate) fn pending(&self) -> i64 {
        self.applied.saturating_sub(self.folded)
    }

    /// How much is known: counters, calls, and charges by the dozen.
    fn weight(&self) -> usize {
        self.rows.len() + self.calls.len() + self.links.len() + self.charges / 16 + self.names / 1_024
    }

    /// So many charges were read into tails.
    pub(crate) fn weigh(&mut self, charges: usize) {
        self.charges = self.charges.saturating_add(charges);
    }

    /// The counter of these names, read from its table where it is not known.
    pub(crate) fn slot(
        &mut self,
        connection: &Connection,
        tenant: &str,
        counter: &str,
        partition: &str,
    ) -> Result<Slot, Failure> {
        name(&mut self.name, tenant, counter, partition);
        if let Some(slot) = self.slots.get(&self.name) {
            return Ok(Slot(*slot));
        }
        let row = CounterRow::load(connection, tenant, counter, partition)?;
        let slot = self.rows.len();
        self.rows.push(Known { row, tail: Tail::unread(row.standing.newest) });
        self.slots.insert(self.name.clone(), slot);
        self.names = self.names.saturating_add(self.name.len());
        if let Some(id) = row.id {
            self.by_id.insert(id, slot);
        }
        Ok(Slot(slot))
    }

    /// A counter.
    pub(crate) fn known(&mut self, slot: Slot) -> Result<&mut Known, Failure> {
        // A slot is of this transaction, in which nothing is forgotten.
        self.rows.get_mut(slot.0).ok_or_else(|| Failure::Damaged("a counter is not known any more".to_owned()))
    }

    /// A call that is on record at an instant.
    // INVARIANT: what is on record is told by the latest stamp of all, so that time which runs backwards brings no
    // answer back, and taking away what has expired changes nothing.
    pub(crate) fn remembered(
        &self,
        connection: &Connection,
        key: &CallKey,
        at: i64,
    ) -> Result<Option<Remembered>, Failure> {
        let pending = self.calls.get(&key.id).and_then(|calls| calls.iter().find(|it| it.caller == key.caller));
        let found = match pending {
            Some(pending) => Some(pending.call.clone()),
            None => call::load(connection, key)?,
        };
        Ok(found.filter(|call| self.is_on_record(call, at)))
    }

    /// The calls of an id that are on record at an instant, with their callers.
    pub(crate) fn remembered_by_id(
        &self,
        connection: &Connection,
        id: &Digest,
        at: i64,
    ) -> Result<Vec<(Digest, Remembered)>, Failure> {
        let mut found = call::of_id(connection, id)?;
        for pending in self.calls.get(id).map_or(&[][..], Vec::as_slice) {
            found.retain(|(caller, _)| *caller != pending.caller);
            found.push((pending.caller, pending.call.clone()));
        }
        found.retain(|(_, call)| self.is_on_record(call, at));
        Ok(found)
    }

    /// The later one of an instant and of the latest stamp that was committed.
    pub(crate) fn now(&self, at: Timestamp) -> Timestamp {
        let latest = self.clock.and_then(|clock| Timestamp::from_millis(clock).ok());
        latest.map_or(at, |latest| latest.max(at))
    }

    fn is_on_record(&self, call: &Remembered, at: i64) -> bool {
        call.until >= self.clock.map_or(at, |clock| clock.max(at))
    }

    /// The chain of a tenant ends with this now.
    pub(crate) fn link(&mut self, tenant: &str, link: Link) {
        match self.links.get_mut(tenant) {
            Some(last) => *last = link,
            None => drop(self.links.insert(tenant.to_owned(), link)),
        }
    }

    /// The row of a counter has been made.
    pub(crate) fn is_made(&mut self, slot: Slot, id: i64) {
        if let Some(known) = self.rows.get_mut(slot.0) {
            known.row.id = Some(id);
            self.by_id.insert(id, slot.0);
        }
    }

    /// Applies the next entry, which is committed. What it speaks of is known already; where it is not, the
    /// cache is not relied on and this tells so.
    #[must_use]
    pub(crate) fn apply(&mut self, entry: &Entry) -> bool {
        let place = self.applied.saturating_add(1);
        self.clock = self.clock.max(Some(entry.at));
        if let Some((key, call)) = &entry.call {
            let calls = self.calls.entry(key.id).or_default();
            calls.retain(|pending| pending.caller != key.caller);
            calls.push(Pending { caller: key.caller, call: call.clone(), entry: place });
        }
        for change in &entry.changes {
            let Change { counter_id, standing, amended, charges } = change;
            let Some(known) = self.by_id.get(counter_id).and_then(|slot| self.rows.get_mut(*slot)) else {
                self.sign = None;
                return false;
            };
            for amended in amended {
                known.tail.amend(*amended, place);
            }
            for charge in charges {
                let (place, charged_at, amount) = (charge.place, charge.charged_at, charge.amount);
                known.tail.push(Kept { place, charged_at, amount, sequence: charge.sequence });
            }
            known.row.standing = *standing;
            let oldest = standing.clock.unwrap_or(i64::MIN).saturating_sub(standing.longest_ms);
            known.tail.trim(oldest);
            self.charges = self.charges.saturating_add(charges.len());
        }
        self.applied = place;
        true
    }

    /// The tables have taken in all entries up to this one, and with them the charges of these counters up
    /// to these places.
    pub(crate) fn is_folded(&mut self, entry: i64, counters: impl Iterator<Item = (i64, i64)>) {
        self.folded = entry;
        self.calls.retain(|_, calls| {
            calls.retain(|pending| pending.entry > entry);
            !calls.is_empty()
        });
        for (counter_id, newest) in counters {
            if let Some(known) = self.by_id.get(&counter_id).and_then(|slot| self.rows.get_mut(*slot)) {
                let Standing { clock, longest_ms, .. } = known.row.standing;
                let oldest = clock.unwrap_or(i64::MIN).saturating_sub(longest_ms);
                known.tail.is_in_table(newest, entry);
                known.tail.trim(oldest);
            }
        }
        self.charges = self.rows.iter().map(|known| known.tail.len()).sum();
    }

    /// The counter of this number, read from its table where it is not known.
    pub(crate) fn know(&mut self, connection: &Connection, counter_id: i64) -> Result<Slot, Failure> {
        if let Some(slot) = self.by_id.get(&counter_id) {
            return Ok(Slot(*slot));
        }
        let (tenant, counter, partition) = row::names(connection, counter_id)?;
        let slot = self.slot(connection, &tenant, &counter, &partition)?;
        // It may be known from a time when it had no row.
        self.is_made(slot, counter_id);
        Ok(slot)
    }
}

/// One name out of three, such that no two triples look alike.
fn name(name: &mut String, tenant: &str, counter: &str, partition: &str) {
    name.clear();
    // Writing to a string does not fail.
    let _ = write!(name, "{} {} ", tenant.len(), counter.len());
    name.push_str(tenant);
    name.push_str(counter);
    name.push_str(partition);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn no_two_counters_share_a_name() {
        let named = |tenant, counter, partition| {
            let mut room = String::new();
            name(&mut room, tenant, counter, partition);
            room
        };
        assert_ne!(named("a", "b", "c"), named("ab", "", "c"));
        assert_ne!(named("a", "b", "c"), named("a", "bc", ""));
        assert_ne!(named("", "1 1", ""), named("", "1", " 1"));
    }

    #[test]
    fn long_names_are_not_all_kept() {
        let state = crate::connection::open_in_memory().unwrap();
        let mut cache = Cache::default();
        let long = "s".repeat(64 << 10);
        for number in 0..1_000 {
            cache.renew(&state.connection).unwrap();
            cache.slot(&state.connection, "t", "c", &format!("{number}{long}")).unwrap();
        }
        assert!(cache.names <= (WEIGHT + 65) << 10, "{} bytes", cache.names);
    }
}
