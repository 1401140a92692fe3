//! The ways to read a text that names targets: its parts, and what stands behind its encoding. It never
//! decides which of them the function means; every rule holds for all.

use agenthalt_guard::fold_forms;

use crate::marks::Marks;

/// What [`with_slashes`] takes for a separator in a path of Windows.
pub(crate) const BACKSLASH: [char; 2] = ['\\', '\\'];
/// How often percent-encoding is opened: once more than anybody encodes.
const MOST_ROUNDS: usize = 3;
/// The longest text with commas that is also compared as a whole; no name is longer.
const MOST_WHOLE_BYTES: usize = 4_096;

/// The parts of comma-separated text, without blank ones; a text without a comma is one part, as it is.
pub(crate) fn parts(text: &str) -> Pieces<'_> {
    Pieces { rest: Some(text), only_commas: true, is_whole: true }
}

/// The pieces of a text that a rule that tightens compares: parted at other separators than a comma too.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { only_commas: false, ..parts(text) }
}

/// The pieces between separators, without blank ones.
pub(crate) struct Pieces<'a> {
    rest: Option<&'a str>,
    only_commas: bool,
    /// Whether no separator has been met yet.
    is_whole: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest.take()?;
            let mut piece = rest;
            if let Some((at, behind)) = find_separator(rest, self.only_commas) {
                self.is_whole = false;
                self.rest = rest.get(behind..);
                piece = rest.get(..at).unwrap_or(rest);
            }
            // Most pieces are whole and begin with what is no blank.
            if self.is_whole && piece.bytes().next().is_some_and(|b| b.is_ascii_graphic()) {
                return Some(piece);
            }
            let trimmed = piece.trim();
            if !trimmed.is_empty() {
                return Some(if self.is_whole { piece } else { trimmed });
            }
        }
    }
}

/// Where the first separator begins and ends: a comma, one that folding turns into one, and what else
/// stands between the lines of a list. By bytes, as texts may be long.
fn find_separator(text: &str, only_commas: bool) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_other_comma = |at: usize| matches!(bytes.get(at + 1..at + 3), Some(b"\xbc\x8c" | b"\xb9\x90" | b"\xb8\x90"));
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b',' => return Some((at, at + 1)),
            b';' | b'\n' | b'\r' | b'\0' if !only_commas => return Some((at, at + 1)),
            // U+FF0C, U+FE50 and U+FE10 are commas too.
            0xef if !only_commas && is_other_comma(at) => return Some((at, at + 3)),
            _ => {}
        }
    }
    None
}

/// Whether a text with separators may be one name all the same. Without a comma it is no list.
pub(crate) fn may_be_whole(text: &str) -> bool {
    text.len() <= MOST_WHOLE_BYTES || !text.bytes().any(|b| b == b',')
}

/// How many parts a text has, in the way to read it that gives more.
pub(crate) fn count(text: &str) -> u64 {
    if !Marks::of(text).hold(Marks::COMMA | Marks::ENCODED) {
        let is_graphic = text.bytes().next().is_some_and(|b| b.is_ascii_graphic());
        return u64::from(is_graphic || !text.trim().is_empty());
    }
    let mut most = 0;
    for text in [Some(text), decoded(text).as_deref()].into_iter().flatten() {
        most = most.max(parts(text).count());
    }
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// Whether some part can be seen.
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_graphic() && b != b',') || parts(text).any(|part| !fold_forms(part).0.is_empty())
}

/// A piece without quotes and brackets around it.
pub(crate) fn unwrapped(piece: &str) -> &str {
    piece.trim_matches(is_wrapping)
}

fn is_wrapping(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>') || c.is_whitespace()
}

/// The text with `/` for two other characters.
pub(crate) fn with_slashes(text: &str, instead: [char; 2]) -> String {
    let mut slashed = String::with_capacity(text.len());
    for c in text.chars() {
        slashed.push(if instead.contains(&c) { '/' } else { c });
    }
    slashed
}

/// What else a text may say: without percent-encoding, and with `/` for `\`. None where that is the same.
pub(crate) fn decoded(text: &str) -> Option<String> {
    if !Marks::of(text).hold(Marks::ENCODED) {
        return None;
    }
    let mut opened = text.to_owned();
    for _ in 0..MOST_ROUNDS {
        match open_percent(&opened) {
            Some(next) => opened = next,
            None => break,
        }
    }
    let opened = with_slashes(&opened, BACKSLASH);
    (opened != text).then_some(opened)
}

/// Opens percent-encoding; None where there is none. Bytes that are no UTF-8 stay as they are written.
fn open_percent(text: &str) -> Option<String> {
    let mut opened = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|b| b == b'%').unwrap_or(rest.len());
        opened.push_str(rest.get(..plain)?);
        rest = rest.get(plain..)?;
        let mut run = Vec::new();
        let mut after = rest;
        // An ASCII character stands alone, others belong together.
        while let Some((byte, next)) = escaped(after)
            && (run.is_empty() || !byte.is_ascii())
        {
            run.push(byte);
            after = next;
            if byte.is_ascii() {
                break;
            }
        }
        if run.is_empty() {
            after = rest.get(1..).unwrap_or_default();
        }
        let written = rest.get(..rest.len() - after.len())?;
        match std::str::from_utf8(&run) {
            Ok(text) if !text.is_empty() => {
                is_changed = true;
                opened.push_str(text);
            }
            Ok(_) | Err(_) => opened.push_str(written),
        }
        rest = after;
    }
    is_changed.then_some(opened)
}

/// The byte that an escape at the beginning stands for, and what follows.
fn escaped(text: &str) -> Option<(u8, &str)> {
    match text.as_bytes() {
        [b'%', high, low, ..] => Some((digit(*high)? << 4 | digit(*low)?, text.get(3..)?)),
        _ => None,
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_a_text_and_blank_parts_are_none() {
        assert!(parts("a, b ,,c").eq(["a", "b", "c"]));
        assert!(parts(" a ").eq([" a "]));
        assert!(parts(", ,").next().is_none() && parts(" ").next().is_none());
    }

    #[test]
    fn encodings_are_opened_and_what_is_none_stays() {
        for (text, expected) in [
            ("/tmp/%2e%2E/etc", Some("/tmp/../etc")),
            ("%2569nbox", Some("inbox")),
            ("caf%C3%A9", Some("café")),
            ("%ff%2finbox", Some("%ff/inbox")),
            ("%c0%ae%69", Some("%c0%aei")),
            ("é%20b", Some("é b")),
            ("C:\\tmp\\..\\x", Some("C:/tmp/../x")),
            ("a%5Cb", Some("a/b")),
            ("100%", None),
            ("%zz%2", None),
            ("plain", None),
        ] {
            assert_eq!(decoded(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn pieces_are_found_between_all_separators() {
        assert!(pieces("[\"a\",'b c'\nd;e\0f，g").map(unwrapped).eq(["a", "b c", "d", "e", "f", "g"]));
        assert!(pieces(" a ").eq([" a "]) && pieces(";,\n").next().is_none());
    }

    #[test]
    fn invisible_text_is_no_target() {
        assert!(is_visible("a") && is_visible("文") && is_visible(" ,x"));
        assert!(!is_visible("\u{200b}") && !is_visible(", \u{ad} ,") && !is_visible(""));
    }
}
