//! A text that was made from another by replacing pieces of it, and the way back: a place in the new text
//! gives the place in the old one, the whole piece where it lies in a replaced one.

use crate::span::Span;

/// The altered text.
#[derive(Debug, Default)]
pub(crate) struct Altered {
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

/// A replaced piece: where it lay, and where its replacement lies.
#[derive(Clone, Copy, Debug)]
struct Piece {
    old_start: usize,
    old_end: usize,
    new_start: usize,
    new_end: usize,
}

impl Altered {
    /// A text of about this length to come.
    pub(crate) fn with_capacity(bytes: usize) -> Altered {
        Altered { text: String::with_capacity(bytes), pieces: Vec::new() }
    }

    /// Adds a piece that stays as it is.
    pub(crate) fn keep(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Adds a replacement of the piece of the old text between these bytes.
    pub(crate) fn replace(&mut self, old_start: usize, old_end: usize, replacement: &str) {
        let new_start = self.text.len();
        self.text.push_str(replacement);
        self.pieces.push(Piece { old_start, old_end, new_start, new_end: self.text.len() });
    }

    /// The span of the old text that gave this one of the new.
    pub(crate) fn old(&self, span: Span) -> Span {
        let start = self.old_place(span.start, |piece| piece.old_start);
        // The last byte decides, so that nothing behind the span comes with it.
        let last = span.end.saturating_sub(1).max(span.start);
        let behind = self.old_place(last, |piece| piece.old_end.saturating_sub(1)) + 1;
        Span { start, end: behind, pattern: span.pattern }
    }

    fn old_place(&self, place: usize, within: fn(&Piece) -> usize) -> usize {
        let begun = self.pieces.partition_point(|piece| piece.new_start <= place);
        match begun.checked_sub(1).and_then(|index| self.pieces.get(index)) {
            None => place,
            Some(piece) if place < piece.new_end => within(piece),
            Some(piece) => piece.old_end + (place - piece.new_end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{BuiltIn, Pattern};

    #[test]
    fn places_lead_back_to_the_old_text() {
        // "ab<<cd>>ef" with "<<" dropped and "cd" made "X".
        let mut altered = Altered::default();
        altered.keep("ab");
        altered.replace(2, 4, "");
        altered.replace(4, 6, "X");
        altered.replace(6, 8, "");
        altered.keep("ef");
        assert_eq!(altered.text, "abXef");
        let old = |start, end| {
            let span = altered.old(Span { start, end, pattern: Pattern::BuiltIn(BuiltIn::Ssn) });
            (span.start, span.end)
        };
        assert_eq!(old(0, 2), (0, 2));
        assert_eq!(old(2, 3), (4, 6));
        assert_eq!(old(1, 4), (1, 9));
        assert_eq!(old(3, 5), (8, 10));
    }
}
