//! Percent-encoding, as in addresses and forms. It decodes run by run; an escape that is no text becomes a
//! sign that is part of nothing, so that it hides nothing of what stands around it.

use super::Utf8;
use crate::altered::Altered;

/// What takes the place of an escape that is no text.
const NO_TEXT: u8 = 0x1a;
/// How many bytes an escape has.
const ESCAPE: usize = 3;

/// The text with every encoded run decoded; `None` where there is none.
pub(crate) fn decoded(text: &str) -> Option<Altered> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return None;
    }
    let mut altered: Option<Altered> = None;
    let (mut at, mut kept_to) = (0, 0);
    while let Some(skipped) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'%')) {
        let found = at + skipped;
        if escape(bytes, found).is_none() {
            at = found + 1;
            continue;
        }
        let before = bytes.get(kept_to..found).unwrap_or_default();
        let start = found - before.iter().rev().position(|byte| !is_in_run(*byte)).unwrap_or(before.len());
        let behind = bytes.get(found..).unwrap_or_default();
        let end = found + behind.iter().position(|byte| !is_in_run(*byte)).unwrap_or(behind.len());
        let altered = altered.get_or_insert_with(|| Altered::with_capacity(text.len()));
        altered.keep(text.get(kept_to..start).unwrap_or_default());
        altered.replace(start, end, &run(bytes.get(start..end).unwrap_or_default()));
        (at, kept_to) = (end, end);
    }
    let mut altered = altered?;
    altered.keep(text.get(kept_to..).unwrap_or_default());
    Some(altered)
}

/// What may stand in a run beside escapes.
fn is_in_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'-' | b'.' | b'_' | b'~' | b'+')
}

/// The byte of an escape that stands here.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let value = digit(at + 1)? * 16 + digit(at + 2)?;
    u8::try_from(value).ok()
}

/// A run decoded. In forms a `+` is a blank.
fn run(bytes: &[u8]) -> String {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut utf8 = Utf8::default();
    let (mut at, mut whole, mut whole_to) = (0, 0, 0);
    while at < bytes.len() || utf8.missing > 0 {
        let next = bytes.get(at).map(|byte| match (*byte, escape(bytes, at)) {
            (b'%', Some(value)) => (value, ESCAPE),
            (b'+', _) => (b' ', 1),
            (byte, _) => (byte, 1),
        });
        let is_text = next.is_some_and(|(byte, length)| {
            plain.push(byte);
            at += length;
            let goes_on = utf8.goes_on_with(byte);
            let is_whole = || std::str::from_utf8(plain.get(whole..).unwrap_or_default()).is_ok();
            goes_on && (utf8.missing > 0 || byte.is_ascii() || is_whole())
        });
        if !is_text {
            // What begins no character is an escape: all else is ASCII.
            plain.truncate(whole);
            plain.push(NO_TEXT);
            (at, utf8) = (whole_to + ESCAPE, Utf8::default());
        }
        if utf8.missing == 0 {
            (whole, whole_to) = (plain.len(), at);
        }
    }
    String::from_utf8(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{BuiltIn, Pattern};
    use crate::span::Span;

    fn plain(text: &str) -> Option<String> {
        decoded(text).map(|altered| altered.text)
    }

    #[test]
    fn runs_are_decoded_and_the_rest_stays() {
        for (text, decoded) in [
            ("123%2D45%2d6789", Some("123-45-6789")),
            ("%31%32%33", Some("123")),
            ("x?q=a%20b&r=c+d", Some("x?q=a b&r=c+d")),
            ("a%2Bb+c", Some("a+b c")),
            ("%C3%BC", Some("ü")),
            ("100% of 5%", None),
            ("%zz %2", None),
            ("%ff%fe", Some("\u{1a}\u{1a}")),
            ("%ff and %41", Some("\u{1a} and A")),
            ("%2531", Some("%31")),
            ("50%25", Some("50%")),
            ("%e2%82", Some("\u{1a}\u{1a}")),
            ("%ff1%2D2", Some("\u{1a}1-2")),
            ("1%2D2%e9+3%2D4%ff%fe", Some("1-2\u{1a} 3-4\u{1a}\u{1a}")),
            ("%e0%80%80%2D", Some("\u{1a}\u{1a}\u{1a}-")),
            ("a+b%80c+d", Some("a b\u{1a}c d")),
            ("a+%zz%80+%c3%bc%e9", Some("a %zz\u{1a} ü\u{1a}")),
        ] {
            assert_eq!(plain(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn what_is_found_leads_back_to_the_whole_run() {
        let text = "q=ssn%20123&x=1";
        let altered = decoded(text).unwrap_or_default();
        assert_eq!(altered.text, "q=ssn 123&x=1");
        let old = altered.old(Span { start: 6, end: 9, pattern: Pattern::BuiltIn(BuiltIn::Ssn) });
        assert_eq!(text.get(old.start..old.end), Some("ssn%20123"));
    }
}
