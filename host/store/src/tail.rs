//! The newest charges of a counter, in memory, as far back as somebody asked. What it does not know it
//! reads from the table of charges; it never guesses.

use std::collections::VecDeque;

use agenthalt_core::counter::Window;
use agenthalt_core::digest::Digest;
use rusqlite::Connection;

use crate::charge;
use crate::entry::Amendment;
use crate::error::Failure;
use crate::row::Total;

/// How many charges of one counter are kept in memory for a rolling window; those of a longer one are
/// counted in the table.
const MOST: usize = 20_000;
/// How many charges are read at once for those who look at one after another.
const STEP: usize = 64;
/// How many charges stay in memory that nobody has asked for.
const SPARE: usize = 8;

/// One charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) amount: i64,
    pub(crate) sequence: Digest,
}

/// The newest charges, the oldest of them first.
#[derive(Debug)]
pub(crate) struct Tail {
    /// Each with the sum of those before it, from where the count happened to begin.
    kept: VecDeque<(Kept, i128)>,
    /// The sum of all in memory, from the same beginning.
    end: i128,
    /// Charges below this place are in the table alone.
    below: i64,
    /// Whether there are none below.
    is_whole: bool,
    /// Charges that became others or were taken back, and the entry that did so; the table may still have them as
    /// they were.
    amended: Vec<(Amendment, i64)>,
    /// The newest place that the table has.
    in_table: i64,
    /// How many of the newest were asked for one by one.
    deepest: usize,
}

impl Tail {
    /// The tail of a counter whose charges are all in the table, up to `newest`.
    pub(crate) fn unread(newest: i64) -> Self {
        Tail {
            kept: VecDeque::new(),
            end: 0,
            below: newest.saturating_add(1),
            is_whole: newest == 0,
            amended: Vec::new(),
            in_table: newest,
            deepest: 0,
        }
    }

    /// How many charges it has in memory.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// What the charges since an instant come to.
    pub(crate) fn total_since(
        &mut self,
        connection: &Connection,
        counter_id: i64,
        window: Window,
        since: i64,
    ) -> Result<Total, Failure> {
        // The charges of other windows are added up in the row and counted only when the time zone changes.
        if matches!(window, Window::RollingMs(_)) && !self.reaches(since) && self.kept.len() < MOST {
            self.load(connection, counter_id, |tail| tail.reaches(since) || tail.kept.len() >= MOST)?;
        }
        let begin = self.kept.partition_point(|(kept, _)| kept.charged_at < since);
        let before = self.kept.get(begin).map_or(self.end, |(_, before)| *before);
        let count = i64::try_from(self.kept.len() - begin).unwrap_or(i64::MAX);
        let known = Total { sum: self.end - before, count };
        if self.reaches(since) {
            return Ok(known);
        }
        let mut older = charge::total_between(connection, counter_id, since, self.below)?;
        for (it, _) in self.amended.iter().filter(|(it, _)| it.place < self.below && it.charged_at >= since) {
            older = older.without(it.before);
            older = it.after.map_or(older, |after| older.with(after));
        }
        Ok(Total { sum: known.sum.saturating_add(older.sum), count: known.count.saturating_add(older.count) })
    }

    /// The charge that is `back` places behind the newest.
    pub(crate) fn newest(
        &mut self,
        connection: &Connection,
        counter_id: i64,
        back: usize,
    ) -> Result<Option<Kept>, Failure> {
        self.deepest = self.deepest.max(back.saturating_add(1));
        if back >= self.kept.len() && !self.is_whole {
            let enough = back.saturating_add(STEP);
            self.load(connection, counter_id, |tail| tail.kept.len() >= enough)?;
        }
        let from_front = self.kept.len().checked_sub(back.saturating_add(1));
        Ok(from_front.and_then(|place| self.kept.get(place)).map(|(kept, _)| *kept))
    }

    /// Adds the newest charge.
    pub(crate) fn push(&mut self, kept: Kept) {
        self.kept.push_back((kept, self.end));
        self.end = self.end.saturating_add(i128::from(kept.amount));
    }

    /// Makes another of a charge, or takes it back, as an entry says.
    pub(crate) fn amend(&mut self, amended: Amendment, entry: i64) {
        if let Ok(index) = self.kept.binary_search_by_key(&amended.place, |(kept, _)| kept.place) {
            let more = i128::from(amended.after.unwrap_or(0)) - i128::from(amended.before);
            let behind = match (amended.after, self.kept.get_mut(index)) {
                (Some(after), Some((kept, _))) => {
                    kept.amount = after;
                    index.saturating_add(1)
                }
                (None, _) | (Some(_), None) => {
                    self.kept.remove(index);
                    index
                }
            };
            self.kept.iter_mut().skip(behind).for_each(|(_, before)| *before += more);
            self.end += more;
        }
        // Whatever is read from the table until the table knows it too is read with this.
        self.amended.push((amended, entry));
    }

    /// The table has taken in all entries up to this one, and with them the charges up to `newest`.
    pub(crate) fn is_in_table(&mut self, newest: i64, entry: i64) {
        self.in_table = newest;
        self.amended.retain(|(_, amended)| *amended > entry);
    }

    /// Forgets what the table has and no rolling window sees any more, or what is more than memory takes.
    pub(crate) fn trim(&mut self, oldest: i64) {
        // One charge that is too old stays, to tell that the window ends behind it.
        while self.kept.len() > self.deepest.saturating_add(SPARE)
            && (self.kept.len() > MOST || self.kept.get(1).is_some_and(|(kept, _)| kept.charged_at < oldest))
            && self.kept.front().is_some_and(|(kept, _)| kept.place <= self.in_table)
        {
            if let Some((kept, _)) = self.kept.pop_front() {
                self.below = kept.place.saturating_add(1);
                self.is_whole = false;
            }
        }
    }

    /// Whether every charge since an instant is in memory.
    fn reaches(&self, since: i64) -> bool {
        self.is_whole || self.kept.front().is_some_and(|(kept, _)| kept.charged_at < since)
    }

    /// Reads older charges until there are enough.
    fn load(
        &mut self,
        connection: &Connection,
        counter_id: i64,
        is_enough: impl Fn(&Tail) -> bool,
    ) -> Result<(), Failure> {
        let is_whole = charge::walk(connection, counter_id, self.below, |mut kept| {
            self.below = kept.place;
            let last = self.amended.iter().rev().find(|(amended, _)| amended.place == kept.place);
            let is_gone = last.is_some_and(|(amended, _)| amended.after.is_none());
            kept.amount = last.and_then(|(amended, _)| amended.after).unwrap_or(kept.amount);
            if !is_gone {
                let end = self.kept.front().map_or(self.end, |(_, before)| *before);
                self.kept.push_front((kept, end - i128::from(kept.amount)));
            }
            !is_enough(self)
        })?;
        self.is_whole = is_whole;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn kept(place: i64) -> Kept {
        Kept { place, charged_at: place * 10, amount: i64::MAX, sequence: Digest::ZERO }
    }

    fn amended(place: i64, after: Option<i64>) -> Amendment {
        Amendment { place, charged_at: place * 10, before: i64::MAX, after }
    }

    #[test]
    fn a_window_is_the_difference_of_two_sums() {
        let connection = Connection::open_in_memory().unwrap();
        let mut tail = Tail::unread(0);
        (1..=9).for_each(|place| tail.push(kept(place)));
        tail.amend(amended(5, None), 1);
        tail.amend(amended(9, None), 1);
        for (since, count) in [(0, 7), (40, 4), (50, 3), (51, 3), (80, 1), (81, 0)] {
            let total = tail.total_since(&connection, 1, Window::RollingMs(1), since).unwrap();
            assert_eq!(total, Total { sum: i128::from(i64::MAX) * i128::from(count), count }, "since {since}");
        }
    }

    #[test]
    fn a_charge_that_became_another_counts_as_that() {
        let connection = Connection::open_in_memory().unwrap();
        let mut tail = Tail::unread(0);
        (1..=3).for_each(|place| tail.push(kept(place)));
        tail.amend(amended(2, Some(7)), 1);
        let most = i128::from(i64::MAX);
        for (since, sum, count) in [(0, most * 2 + 7, 3), (20, most + 7, 2), (21, most, 1)] {
            let total = tail.total_since(&connection, 1, Window::RollingMs(1), since).unwrap();
            assert_eq!(total, Total { sum, count }, "since {since}");
        }
        tail.push(kept(4));
        assert_eq!(tail.newest(&connection, 1, 2).unwrap().unwrap().amount, 7);
        let total = tail.total_since(&connection, 1, Window::RollingMs(1), 20).unwrap();
        assert_eq!(total, Total { sum: most * 2 + 7, count: 3 });
    }

    #[test]
    fn what_the_table_has_not_got_is_not_forgotten() {
        let mut tail = Tail::unread(0);
        (1..=100).for_each(|place| tail.push(kept(place)));
        tail.trim(i64::MAX);
        assert_eq!(tail.len(), 100);
        tail.is_in_table(60, 1);
        tail.trim(i64::MAX);
        assert_eq!(tail.len(), 40);
        tail.is_in_table(100, 2);
        tail.trim(705);
        assert_eq!((tail.len(), tail.reaches(705)), (31, true), "one stays that is too old");
    }
}
