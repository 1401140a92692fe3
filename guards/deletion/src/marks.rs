//! What kinds of characters a text holds, seen in one pass: most targets hold nothing special, and are
//! judged without another one. It never says no where there is one.

use std::ops::BitOr;

/// Kinds of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks(u16);

impl Marks {
    /// A comma.
    pub(crate) const COMMA: Marks = Marks(1);
    /// What else may stand between the lines of a list; also the first byte of commas outside ASCII.
    pub(crate) const LINE: Marks = Marks(1 << 1);
    /// `%` and `\`.
    pub(crate) const ENCODED: Marks = Marks(1 << 2);
    /// Quotes and brackets.
    pub(crate) const WRAPPING: Marks = Marks(1 << 3);
    /// What folding may change.
    pub(crate) const UNFOLDED: Marks = Marks(1 << 4);
    /// `/`.
    pub(crate) const SLASH: Marks = Marks(1 << 5);
    /// `.` and `:`.
    pub(crate) const NAMESPACE: Marks = Marks(1 << 6);
    /// `_`, of which two part namespaces.
    pub(crate) const UNDERSCORE: Marks = Marks(1 << 7);
    /// `?` and `#`, from which on a URL names no resource.
    pub(crate) const QUERY: Marks = Marks(1 << 8);
    /// `*`, `?`, `[` and `%`.
    pub(crate) const WILDCARD: Marks = Marks(1 << 9);

    /// The kinds of characters in a text.
    pub(crate) fn of(text: &str) -> Marks {
        let mut marks = 0;
        for byte in text.bytes() {
            marks |= TABLE.get(usize::from(byte)).copied().unwrap_or(u16::MAX);
        }
        Marks(marks)
    }

    /// Whether there is one of these.
    pub(crate) fn hold(self, any: Marks) -> bool {
        self.0 & any.0 != 0
    }
}

impl BitOr for Marks {
    type Output = Marks;

    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

static TABLE: [u16; 256] = table();

#[expect(clippy::indexing_slicing, reason = "at build time, with an index that is a byte")]
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b',' => Marks::COMMA.0,
            b';' => Marks::LINE.0,
            b'\n' | b'\r' | b'\0' | 0xef => Marks::LINE.0 | Marks::UNFOLDED.0,
            b'%' => Marks::ENCODED.0 | Marks::WILDCARD.0,
            b'\\' => Marks::ENCODED.0,
            b'[' => Marks::WRAPPING.0 | Marks::WILDCARD.0,
            b'"' | b'\'' | b'`' | b']' | b'(' | b')' | b'{' | b'}' | b'<' | b'>' => Marks::WRAPPING.0,
            b'/' => Marks::SLASH.0,
            b'.' | b':' => Marks::NAMESPACE.0,
            b'_' => Marks::UNDERSCORE.0,
            b'?' => Marks::QUERY.0 | Marks::WILDCARD.0,
            b'#' => Marks::QUERY.0,
            b'*' => Marks::WILDCARD.0,
            b'!'..=b',' | b'.'..=b'@' | b'^'..=b'~' => 0,
            _ => Marks::UNFOLDED.0,
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenthalt_guard::fold_forms;

    #[test]
    fn what_folding_may_change_is_marked() {
        for c in ('\0'..='\u{7f}').chain(['é', '，', '\u{200b}']) {
            let text = format!("x{c}x");
            let is_changed = fold_forms(&text) != (text.clone(), None);
            assert!(Marks::of(&text).hold(Marks::UNFOLDED) || !is_changed, "{c:?}");
        }
        assert!(!Marks::of("msg_000/1.x").hold(Marks::UNFOLDED | Marks::COMMA | Marks::LINE | Marks::WRAPPING));
    }

    #[test]
    fn each_kind_is_told_apart() {
        for (text, marks) in [
            (",", Marks::COMMA),
            (";", Marks::LINE),
            ("\\", Marks::ENCODED),
            ("(", Marks::WRAPPING),
            ("A", Marks::UNFOLDED),
            ("/", Marks::SLASH),
            (":", Marks::NAMESPACE),
            ("_", Marks::UNDERSCORE),
            ("#", Marks::QUERY),
            ("*", Marks::WILDCARD),
            ("%", Marks::ENCODED | Marks::WILDCARD),
        ] {
            assert_eq!(Marks::of(text), marks, "{text}");
        }
    }
}
