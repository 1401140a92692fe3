//! What one commit changes in counters, and its form in bytes. It reads no counter and judges nothing.

use agenthalt_core::digest::Digest;
use rusqlite::types::ValueRef;

use crate::charge::ChargedCall;
use crate::error::Failure;
use crate::row::{RunningTotal, Standing, Total};

/// The first byte of every entry.
const FORM: u8 = 1;

/// Everything that one commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) call: ChargedCall,
    pub(crate) changes: Vec<Change>,
}

/// What becomes of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) counter_id: i64,
    /// How the counter stands afterwards.
    pub(crate) standing: Standing,
    /// The places of charges that are taken back.
    pub(crate) taken_back: Vec<i64>,
    pub(crate) charges: Vec<NewCharge>,
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

/// What a charge is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Whether it stays when its call is judged again.
    pub(crate) stays: bool,
    pub(crate) settles: bool,
    /// Whether it was made in a rolling window: what is too old for the longest is pruned.
    pub(crate) rolls: bool,
    /// Whether only the last charges of its counter are looked at.
    pub(crate) is_of_last: bool,
}

impl Kind {
    fn bits(self) -> u64 {
        let Kind { stays, settles, rolls, is_of_last } = self;
        u64::from(stays) | u64::from(settles) << 1 | u64::from(rolls) << 2 | u64::from(is_of_last) << 3
    }

    fn from_bits(bits: u64) -> Self {
        let is_set = |bit: u32| bits >> bit & 1 == 1;
        Kind { stays: is_set(0), settles: is_set(1), rolls: is_set(2), is_of_last: is_set(3) }
    }
}

impl Entry {
    /// Writes it down: numbers in groups of seven bits, digests as they are, each sequence once.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut sequences: Vec<Digest> = Vec::new();
        for charge in self.changes.iter().flat_map(|change| &change.charges) {
            if !sequences.contains(&charge.sequence) {
                sequences.push(charge.sequence);
            }
        }
        let mut bytes = Vec::with_capacity(512);
        bytes.push(FORM);
        bytes.extend_from_slice(self.call.id.as_bytes());
        bytes.extend_from_slice(self.call.digest.as_bytes());
        length(&mut bytes, sequences.len());
        sequences.iter().for_each(|sequence| bytes.extend_from_slice(sequence.as_bytes()));
        length(&mut bytes, self.changes.len());
        for change in &self.changes {
            let standing = change.standing;
            let clock = standing.clock.unwrap_or(0);
            signed(&mut bytes, change.counter_id);
            signed(&mut bytes, standing.version);
            signed(&mut bytes, clock);
            signed(&mut bytes, standing.newest);
            signed(&mut bytes, standing.longest_ms);
            match standing.running {
                None => length(&mut bytes, 0),
                Some(RunningTotal { since, total }) => {
                    let (high, low) = total.split();
                    length(&mut bytes, 1);
                    [since, high, low, total.count].into_iter().for_each(|number| signed(&mut bytes, number));
                }
            }
            length(&mut bytes, change.taken_back.len());
            change.taken_back.iter().for_each(|place| signed(&mut bytes, *place));
            length(&mut bytes, change.charges.len());
            for charge in &change.charges {
                signed(&mut bytes, standing.newest.wrapping_sub(charge.place));
                signed(&mut bytes, clock.wrapping_sub(charge.charged_at));
                signed(&mut bytes, charge.amount);
                let sequence = sequences.iter().position(|sequence| *sequence == charge.sequence);
                length(&mut bytes, sequence.unwrap_or(usize::MAX));
                unsigned(&mut bytes, charge.kind.bits());
            }
        }
        bytes
    }

    /// Reads it back from a column.
    ///
    /// # Errors
    /// [`Failure::Damaged`] where the column holds no entry, or one of another form.
    pub(crate) fn from_column(column: ValueRef<'_>) -> Result<Entry, Failure> {
        let entry = column.as_blob().ok().and_then(Entry::from_bytes);
        entry.ok_or_else(|| Failure::Damaged("a charge that is not yet in its table cannot be read".to_owned()))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Entry> {
        read(&mut Bytes(bytes))
    }
}

fn read(bytes: &mut Bytes<'_>) -> Option<Entry> {
    if bytes.take::<1>()? != [FORM] {
        return None;
    }
    let call = ChargedCall { id: bytes.digest()?, digest: bytes.digest()? };
    let sequences: Vec<Digest> = bytes.list(Bytes::digest)?;
    let changes = bytes.list(|bytes| {
        let counter_id = bytes.signed()?;
        let (version, clock) = (bytes.signed()?, bytes.signed()?);
        let (newest, longest_ms) = (bytes.signed()?, bytes.signed()?);
        let running = match bytes.unsigned()? {
            0 => None,
            1 => {
                let (since, high, low) = (bytes.signed()?, bytes.signed()?, bytes.signed()?);
                Some(RunningTotal { since, total: Total::join(high, low, bytes.signed()?) })
            }
            _ => return None,
        };
        let standing = Standing { version, clock: Some(clock), newest, longest_ms, running };
        let taken_back = bytes.list(Bytes::signed)?;
        let charges = bytes.list(|bytes| {
            Some(NewCharge {
                place: newest.wrapping_sub(bytes.signed()?),
                charged_at: clock.wrapping_sub(bytes.signed()?),
                amount: bytes.signed()?,
                sequence: *sequences.get(usize::try_from(bytes.unsigned()?).ok()?)?,
                kind: Kind::from_bits(bytes.unsigned()?),
            })
        })?;
        Some(Change { counter_id, standing, taken_back, charges })
    })?;
    bytes.0.is_empty().then_some(Entry { call, changes })
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    unsigned(bytes, length as u64);
}

fn signed(bytes: &mut Vec<u8>, number: i64) {
    // Small numbers of either sign are short.
    unsigned(bytes, ((number << 1) ^ (number >> 63)) as u64);
}

fn unsigned(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn digest(&mut self) -> Option<Digest> {
        self.take::<32>().map(Digest::from_bytes)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for group in 0..10 {
            let [byte] = self.take::<1>()?;
            number |= u64::from(byte & 0x7f).checked_shl(group * 7)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A list of unknown length: what it claims is no reason to take memory for it.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.unsigned()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let kind = Kind { stays: true, settles: false, rolls: true, is_of_last: false };
        let charge = |place, amount, sequence: &[u8]| NewCharge {
            place,
            charged_at: i64::MIN,
            amount,
            sequence: Digest::of(sequence),
            kind,
        };
        let total = Total { sum: i128::from(i64::MAX) * 1_000_003 + 17, count: i64::MAX };
        let standing = |running| Standing { version: 3, clock: Some(-1), newest: i64::MAX, longest_ms: 0, running };
        Entry {
            call: ChargedCall { id: Digest::of(b"id"), digest: Digest::of(b"digest") },
            changes: vec![
                Change {
                    counter_id: 1,
                    standing: standing(Some(RunningTotal { since: i64::MIN, total })),
                    taken_back: vec![1, i64::MAX],
                    charges: vec![charge(i64::MAX, 0, b"a"), charge(1, i64::MAX, b"b"), charge(2, 5, b"a")],
                },
                Change { counter_id: -7, standing: standing(None), taken_back: Vec::new(), charges: Vec::new() },
            ],
        }
    }

    #[test]
    fn large_and_small_entries_come_back_exactly() {
        let entry = entry();
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let bytes = entry().to_bytes();
        for length in 0..bytes.len() {
            assert!(Entry::from_bytes(bytes.get(..length).unwrap_or_default()).is_none(), "cut at {length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Entry::from_bytes(&longer).is_none());
        let mut other = bytes;
        if let Some(form) = other.first_mut() {
            *form = FORM + 1;
        }
        assert!(Entry::from_bytes(&other).is_none());
        // A length beyond everything takes neither memory nor long.
        assert!(Entry::from_bytes(&[&[FORM][..], &[0; 64], &[0xff; 9], &[1]].concat()).is_none());
    }
}
