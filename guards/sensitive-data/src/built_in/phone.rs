//! US phone numbers: an area code, an exchange and a line, with or without the code of the country. A
//! number that begins with 0 or 1 and has no separator is none: time stamps look like that.

use super::bytes::Bytes;

/// The phone number that begins with the digit group between these places, with what belongs to it in
/// front.
pub(super) fn read(bytes: Bytes<'_>, at: usize, first_end: usize) -> Option<(usize, usize)> {
    let (area, has_country) = match (first_end - at, bytes.at(at)) {
        (1, b'1') => (behind_separator(bytes, first_end), true),
        (11, b'1') => (at + 1, true),
        _ => (at, false),
    };
    let end = read_national(bytes, area)?;
    let mut start = at;
    if !has_country && bytes.back(start, 1) == b'(' {
        start -= 1;
    }
    if bytes.back(start, 1) == b'+' {
        start -= 1;
    }
    Some((start, end))
}

/// Ten digits in groups of three, three and four; a separator may be missing.
fn read_national(bytes: Bytes<'_>, area: usize) -> Option<usize> {
    let mut at = area;
    let mut groups = 0;
    for (size, is_last) in [(3, false), (3, false), (4, true)] {
        if !(at..at + size).all(|at| bytes.is_digit(at)) {
            return None;
        }
        at += size;
        if !is_last {
            let behind = behind_separator(bytes, at);
            groups += usize::from(behind > at);
            at = behind;
        }
    }
    let is_bare = groups == 0;
    let is_whole = !bytes.is_digit(at);
    (is_whole && (!is_bare || matches!(bytes.at(area), b'2'..=b'9') && !bytes.at(at).is_ascii_alphabetic()))
        .then_some(at)
}

/// What may stand between two groups: `)`, and up to two of blank, dash, point and slash; then perhaps `(`.
fn behind_separator(bytes: Bytes<'_>, at: usize) -> usize {
    let closed = at + usize::from(bytes.at(at) == b')');
    let is_separator = |at| matches!(bytes.at(at), b' ' | b'-' | b'.' | b'/');
    let first = closed + usize::from(is_separator(closed));
    let second = first + usize::from(first > closed && is_separator(first));
    second + usize::from(bytes.at(second) == b'(')
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found_of;
    use crate::pattern::{BuiltIn, BuiltIns};

    fn phones(text: &str) -> Vec<&str> {
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::PhoneUs);
        found_of(wanted, text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn phone_numbers_are_found_in_every_usual_form() {
        let texts = "415-555-2671 (415)555-2671 415.555.2671 4155552671 +1-415-555-2671 +14155552671 1-800-555-0199 \
            14155552671 415-5552671 123-456-7890 415/555-2671";
        for text in
            texts.split_whitespace().chain(["(415) 555-2671", "415 555 2671", "+1 415 555 2671", "+1 (415) 555-2671"])
        {
            assert_eq!(phones(&["call ", text, "."].concat()), [text]);
        }
    }

    #[test]
    fn stamps_and_other_numbers_pass() {
        let texts = "1700000000 1768478400000 12345 0123456789 41555526711 415-555-26711 2026-01-15 415-55-2671";
        for text in texts.split_whitespace() {
            assert_eq!(phones(text), [""; 0], "{text}");
        }
    }
}
