//! What one commit changes in counters and in the calls on record, and its form in bytes. It reads no counter and
//! judges nothing.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use rusqlite::types::ValueRef;

use crate::bytes::{Reader, Writer};
use crate::call::{CallKey, Remembered};
use crate::error::Failure;
use crate::row::{RunningTotal, Standing, Total};

/// The first byte of every entry.
const FORM: u8 = 1;

/// Everything that one commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The stamp of the call.
    pub(crate) at: i64,
    /// The call as it is on record from now on, if it is.
    pub(crate) call: Option<(CallKey, Remembered)>,
    pub(crate) changes: Vec<Change>,
}

/// What becomes of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) counter_id: i64,
    /// How the counter stands afterwards.
    pub(crate) standing: Standing,
    pub(crate) amended: Vec<Amendment>,
    pub(crate) charges: Vec<NewCharge>,
}

/// What becomes of a charge that was made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amendment {
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) before: i64,
    /// None: it is taken back.
    pub(crate) after: Option<i64>,
}

/// One charge that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewCharge {
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) amount: i64,
    pub(crate) sequence: Digest,
    pub(crate) kind: Kind,
}

/// How its counter looks at a charge, and so for how long it is kept on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) reach: Reach,
    /// Whether only the last charges of its counter are looked at.
    pub(crate) is_of_last: bool,
}

/// How far back a window sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Rolling,
    Day,
    Month,
    Ever,
}

const REACHES: [Reach; 4] = [Reach::Rolling, Reach::Day, Reach::Month, Reach::Ever];

impl Kind {
    pub(crate) fn of(window: Window, measure: Measure) -> Self {
        let reach = match window {
            Window::RollingMs(_) => Reach::Rolling,
            Window::Day => Reach::Day,
            Window::Month => Reach::Month,
            Window::Ever => Reach::Ever,
        };
        Kind { reach, is_of_last: !measure.adds_up() }
    }

    fn bits(self) -> u64 {
        let reach = match self.reach {
            Reach::Rolling => 0,
            Reach::Day => 1,
            Reach::Month => 2,
            Reach::Ever => 3,
        };
        reach | u64::from(self.is_of_last) << 2
    }

    fn from_bits(bits: u64) -> Option<Self> {
        let reach = REACHES.get(usize::try_from(bits & 3).ok()?)?;
        (bits < 8).then_some(Kind { reach: *reach, is_of_last: bits >> 2 == 1 })
    }
}

impl Entry {
    /// Writes it down, each sequence once.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut sequences: Vec<Digest> = Vec::new();
        for charge in self.changes.iter().flat_map(|change| &change.charges) {
            if !sequences.contains(&charge.sequence) {
                sequences.push(charge.sequence);
            }
        }
        let mut to = Writer::default();
        to.byte(FORM);
        to.signed(self.at);
        match &self.call {
            None => to.byte(0),
            Some((key, call)) => {
                to.byte(1);
                to.digest(&key.id);
                to.digest(&key.caller);
                call.write(&mut to);
            }
        }
        to.length(sequences.len());
        sequences.iter().for_each(|sequence| to.digest(sequence));
        to.length(self.changes.len());
        for change in &self.changes {
            change.write(&mut to, &sequences);
        }
        to.into_bytes()
    }

    /// Reads it back from a column.
    ///
    /// # Errors
    /// [`Failure::Damaged`] where the column holds no entry, or one of another form.
    pub(crate) fn from_column(column: ValueRef<'_>) -> Result<Entry, Failure> {
        let entry = column.as_blob().ok().and_then(|bytes| Reader::whole(bytes, Entry::read));
        entry.ok_or_else(|| Failure::Damaged("a charge that is not yet in its table cannot be read".to_owned()))
    }

    fn read(from: &mut Reader<'_>) -> Option<Entry> {
        if from.byte()? != FORM {
            return None;
        }
        let at = from.signed()?;
        let call = match from.byte()? {
            0 => None,
            1 => {
                let key = CallKey { id: from.digest()?, caller: from.digest()? };
                Some((key, Remembered::read(from)?))
            }
            _ => return None,
        };
        let sequences: Vec<Digest> = from.list(Reader::digest)?;
        let changes = from.list(|from| Change::read(from, &sequences))?;
        Some(Entry { at, call, changes })
    }
}

impl Change {
    /// Times and places are told from those of the counter, which are near.
    fn write(&self, to: &mut Writer, sequences: &[Digest]) {
        let Standing { version, clock, newest, floor, longest_ms, running } = self.standing;
        let clock = clock.unwrap_or(0);
        [self.counter_id, version, clock, newest, floor, longest_ms].into_iter().for_each(|it| to.signed(it));
        match running {
            None => to.length(0),
            Some(RunningTotal { since, total }) => {
                let (high, low) = total.split();
                to.length(1);
                [since, high, low, total.count].into_iter().for_each(|number| to.signed(number));
            }
        }
        to.length(self.amended.len());
        for amended in &self.amended {
            to.signed(newest.wrapping_sub(amended.place));
            to.signed(clock.wrapping_sub(amended.charged_at));
            to.signed(amended.before);
            match amended.after {
                None => to.byte(0),
                Some(after) => {
                    to.byte(1);
                    to.signed(after);
                }
            }
        }
        to.length(self.charges.len());
        for charge in &self.charges {
            to.signed(newest.wrapping_sub(charge.place));
            to.signed(clock.wrapping_sub(charge.charged_at));
            to.signed(charge.amount);
            let sequence = sequences.iter().position(|sequence| *sequence == charge.sequence);
            to.length(sequence.unwrap_or(usize::MAX));
            to.unsigned(charge.kind.bits());
        }
    }

    fn read(from: &mut Reader<'_>, sequences: &[Digest]) -> Option<Change> {
        let counter_id = from.signed()?;
        let (version, clock, newest) = (from.signed()?, from.signed()?, from.signed()?);
        let (floor, longest_ms) = (from.signed()?, from.signed()?);
        let running = match from.unsigned()? {
            0 => None,
            1 => {
                let (since, high, low) = (from.signed()?, from.signed()?, from.signed()?);
                Some(RunningTotal { since, total: Total::join(high, low, from.signed()?) })
            }
            _ => return None,
        };
        let standing = Standing { version, clock: Some(clock), newest, floor, longest_ms, running };
        let amended = from.list(|from| {
            let place = newest.wrapping_sub(from.signed()?);
            let charged_at = clock.wrapping_sub(from.signed()?);
            let before = from.signed()?;
            let after = match from.byte()? {
                0 => None,
                1 => Some(from.signed()?),
                _ => return None,
            };
            Some(Amendment { place, charged_at, before, after })
        })?;
        let charges = from.list(|from| {
            Some(NewCharge {
                place: newest.wrapping_sub(from.signed()?),
                charged_at: clock.wrapping_sub(from.signed()?),
                amount: from.signed()?,
                sequence: *sequences.get(usize::try_from(from.unsigned()?).ok()?)?,
                kind: Kind::from_bits(from.unsigned()?)?,
            })
        })?;
        Some(Change { counter_id, standing, amended, charges })
    }
}

#[cfg(test)]
mod tests {
    use agenthalt_core::verdict::Verdict;

    use super::*;

    fn entry() -> Entry {
        let charge = |place, amount, sequence: &[u8], reach| NewCharge {
            place,
            charged_at: i64::MIN,
            amount,
            sequence: Digest::of(sequence),
            kind: Kind { reach, is_of_last: reach == Reach::Ever },
        };
        let total = Total { sum: i128::from(i64::MAX) * 1_000_003 + 17, count: i64::MAX };
        let standing =
            |running| Standing { version: 3, clock: Some(-1), newest: i64::MAX, floor: 2, longest_ms: 0, running };
        let amended = |place, after| Amendment { place, charged_at: 4, before: i64::MAX, after };
        let call = Remembered {
            digest: Digest::of(b"digest"),
            until: 9,
            verdict: Verdict::Modify,
            outcome: None,
            sequence: 4,
            charges: Vec::new(),
        };
        Entry {
            at: i64::MIN,
            call: Some((CallKey { id: Digest::of(b"id"), caller: Digest::ZERO }, call)),
            changes: vec![
                Change {
                    counter_id: 1,
                    standing: standing(Some(RunningTotal { since: i64::MIN, total })),
                    amended: vec![amended(1, None), amended(i64::MAX, Some(0))],
                    charges: vec![
                        charge(i64::MAX, 0, b"a", Reach::Rolling),
                        charge(1, i64::MAX, b"b", Reach::Ever),
                        charge(2, 5, b"a", Reach::Month),
                    ],
                },
                Change { counter_id: -7, standing: standing(None), amended: Vec::new(), charges: Vec::new() },
            ],
        }
    }

    fn read(bytes: &[u8]) -> Option<Entry> {
        Reader::whole(bytes, Entry::read)
    }

    #[test]
    fn large_and_small_entries_come_back_exactly() {
        let entry = entry();
        assert_eq!(read(&entry.to_bytes()).as_ref(), Some(&entry));
        let bare = Entry { call: None, ..entry };
        assert_eq!(read(&bare.to_bytes()), Some(bare));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let bytes = entry().to_bytes();
        for length in 0..bytes.len() {
            assert!(read(bytes.get(..length).unwrap_or_default()).is_none(), "cut at {length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(read(&longer).is_none());
        let mut other = bytes;
        if let Some(form) = other.first_mut() {
            *form = FORM + 1;
        }
        assert!(read(&other).is_none());
        // A length beyond everything takes neither memory nor long.
        assert!(read(&[&[FORM, 0, 0][..], &[0xff; 9], &[1]].concat()).is_none());
    }
}
