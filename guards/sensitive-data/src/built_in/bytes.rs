//! A text as bytes that can be read anywhere: before the first and behind the last one there is zero,
//! which is part of no pattern. Reading never fails.

use crate::seek::seek;

/// What a run is made of: a byte goes on with it where this bit of its class is not set.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Run {
    /// Digits.
    Digits = 1,
    /// Letters and digits.
    Alphanumeric = 2,
    /// What tokens are made of: letters, digits, `-` and `_`.
    Token = 4,
}

/// By byte: the runs that it ends.
static ENDS: [u8; 256] = ends();

#[expect(clippy::indexing_slicing, reason = "computed when the guard is compiled")]
const fn ends() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let c = byte as u8;
        if !c.is_ascii_digit() {
            table[byte] |= Run::Digits as u8;
        }
        if !c.is_ascii_alphanumeric() {
            table[byte] |= Run::Alphanumeric as u8;
        }
        if !is_token_byte(c) {
            table[byte] |= Run::Token as u8;
        }
        byte += 1;
    }
    table
}

/// The bytes of a text.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn of(text: &'a str) -> Bytes<'a> {
        Bytes(text.as_bytes())
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn at(self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// The byte so many places before one.
    pub(super) fn back(self, at: usize, places: usize) -> u8 {
        at.checked_sub(places).map_or(0, |at| self.at(at))
    }

    pub(super) fn is_digit(self, at: usize) -> bool {
        self.at(at).is_ascii_digit()
    }

    /// Where a run of such bytes that goes on from here ends.
    pub(super) fn run(self, at: usize, is_in: impl Fn(u8) -> bool) -> usize {
        let rest = self.0.get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| !is_in(*byte)).unwrap_or(rest.len())
    }

    /// Where a run of such bytes that ends before this place begins, at most so many bytes back.
    pub(super) fn run_back(self, at: usize, most: usize, is_in: impl Fn(u8) -> bool) -> usize {
        let least = at.saturating_sub(most);
        let before = self.0.get(least..at).unwrap_or_default();
        at - before.iter().rev().position(|byte| !is_in(*byte)).unwrap_or(before.len())
    }

    /// Where a run of a usual kind ends; runs may be long.
    pub(super) fn long_run(self, at: usize, kind: Run) -> usize {
        let rest = self.0.get(at..).unwrap_or_default();
        let class = |byte| ENDS.get(usize::from(byte)).copied().unwrap_or(0);
        at + seek(rest, class, kind as u8).unwrap_or(rest.len())
    }

    /// Where the digits that stand here end.
    pub(super) fn digits(self, at: usize) -> usize {
        let mut end = at;
        while self.is_digit(end) {
            end += 1;
        }
        end
    }

    /// Whether a text stands here, in any case of its letters.
    pub(super) fn reads(self, at: usize, text: &str) -> bool {
        let found = at.checked_add(text.len()).and_then(|end| self.0.get(at..end));
        found.is_some_and(|found| found.eq_ignore_ascii_case(text.as_bytes()))
    }

    /// Whether a text stands here, as it is written.
    pub(super) fn is(self, at: usize, text: &str) -> bool {
        self.0.get(at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// What stands between two places, as far as there is a text.
    pub(super) fn between(self, start: usize, end: usize) -> &'a [u8] {
        self.0.get(start..end.min(self.len())).unwrap_or_default()
    }

    /// Whether a letter or digit stands right before this place, so that nothing begins here.
    pub(super) fn is_inside_word(self, at: usize) -> bool {
        self.back(at, 1).is_ascii_alphanumeric()
    }
}

/// What tokens are made of.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
