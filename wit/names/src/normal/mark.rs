//! Marks, which join the character before them, and their combining classes. It never calls anything
//! else a mark.

use super::table::MARKS;

/// Stands in the table for a mark of class 0.
pub(super) const UNORDERED: u8 = 255;

/// The combining class of a character; 0 for all that are no marks, and for marks that keep their place.
pub(super) fn class_of(c: char) -> u8 {
    let class = entry(c);
    if class == UNORDERED { 0 } else { class }
}

/// Whether a character is a mark of any class.
pub(crate) fn is_mark(c: char) -> bool {
    entry(c) != 0
}

/// An entry holds from its character up to the next one's: the character above the class.
fn entry(c: char) -> u8 {
    if c < '\u{300}' {
        return 0;
    }
    let after = MARKS.partition_point(|entry| entry >> 8 <= u32::from(c));
    let entry = after.checked_sub(1).and_then(|index| MARKS.get(index));
    entry.map_or(0, |entry| entry.to_le_bytes()[0])
}
