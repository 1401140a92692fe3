//! Base64, in the usual alphabet and in the one for addresses, with or without padding: runs that would be
//! 16 characters long or longer with it. What is glued to a run does not hide it: it is also tried without
//! up to three characters in front or behind, and between the signs in it where a plain word stands beside,
//! as in the path of an address. Lines that follow each other are one run. It never gives out what is no UTF-8.

use super::Utf8;
use crate::seek::seek;

/// A run is at least so long without its padding: 14 characters are padded to 16.
const LEAST: usize = 14;
/// So many characters behind the last whole one of a text may be none of it.
const MOST_BEHIND: usize = 3;

/// Calls back with every run that decodes to a text: where the run begins and ends, and the text. A run in
/// which something was found so is not looked at piece by piece.
pub(crate) fn each_text(text: &str, give: &mut dyn FnMut(usize, usize, &str) -> bool) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut decoder = Decoder::default();
    // Lines that were tried together are tried one by one after that, and no further rows of them.
    let mut joined_to = 0;
    // Most runs are short: looking at every 14th byte finds the long ones.
    while let Some(byte) = bytes.get(at + LEAST - 1) {
        if value(*byte).is_none() {
            at += LEAST;
            continue;
        }
        let before = bytes.get(at..at + LEAST - 1).unwrap_or_default();
        let start = at + before.iter().rposition(|byte| value(*byte).is_none()).map_or(0, |place| place + 1);
        let end = run_end(bytes, at + LEAST);
        if end - start < LEAST {
            at = end;
            continue;
        }
        if start >= joined_to {
            joined_to = last_line(bytes, end);
            if joined_to > end && whole(bytes, start, joined_to, &mut decoder, give) {
                at = joined_to;
                continue;
            }
        }
        if !whole(bytes, start, end, &mut decoder, give) {
            pieces(bytes, start, end, &mut decoder, give);
        }
        at = end;
    }
}

/// Tries a run from each of its first four characters, until something is found: also from a later one when
/// it is a text from its beginning, which may be another one by accident, or by intent.
fn whole(
    bytes: &[u8],
    start: usize,
    end: usize,
    decoder: &mut Decoder,
    give: &mut dyn FnMut(usize, usize, &str) -> bool,
) -> bool {
    let padded = end + bytes.get(end..).unwrap_or_default().iter().take(2).take_while(|byte| **byte == b'=').count();
    (0..4).any(|skipped| {
        let run = bytes.get(start + skipped..end).unwrap_or_default();
        decoder.decode(run).is_some_and(|text| give(start, padded, text))
    })
}

/// Tries the pieces between the signs of a run, those beside a plain word. A piece beside anything else is
/// part of what is no text.
fn pieces(
    bytes: &[u8],
    start: usize,
    end: usize,
    decoder: &mut Decoder,
    give: &mut dyn FnMut(usize, usize, &str) -> bool,
) {
    let mut before: &[u8] = &[];
    let mut from = start;
    while from < end {
        let part = first_part(bytes, from, end);
        let to = from + part.len();
        if part.len() >= LEAST
            && part.len() < end - start
            && (is_plain_word(before) || is_plain_word(first_part(bytes, to + 1, end)))
        {
            whole(bytes, from, to, decoder, give);
        }
        (before, from) = (part, to + 1);
    }
}

/// What stands between a place and the next sign, or the end of the run.
fn first_part(bytes: &[u8], from: usize, end: usize) -> &[u8] {
    let rest = bytes.get(from..end).unwrap_or_default();
    let to = seek(rest, class, IS_SIGN).unwrap_or(rest.len());
    rest.get(..to).unwrap_or_default()
}

/// Whether a piece of a run is a word as in a path: small letters and digits, perhaps behind a capital, or
/// a few letters of any kind.
fn is_plain_word(part: &[u8]) -> bool {
    const MOST_LETTERS: usize = 12;
    if part.len() <= MOST_LETTERS && !part.is_empty() && part.iter().all(u8::is_ascii_alphabetic) {
        return true;
    }
    match part {
        [] => false,
        [first, rest @ ..] => {
            first.is_ascii_alphanumeric() && rest.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        }
    }
}

/// Where the run goes on to when line ends within it are passed over.
fn last_line(bytes: &[u8], end: usize) -> usize {
    let mut last = end;
    loop {
        let ends_line =
            bytes.get(last..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let next = run_end(bytes, last + ends_line);
        if ends_line == 0 || ends_line > 2 || next == last + ends_line {
            return last;
        }
        last = next;
    }
}

fn run_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + seek(rest, class, NO_VALUE).unwrap_or(rest.len())
}

/// Set in what stands for the characters that stand for nothing.
const NO_VALUE: u8 = 0x80;

/// Set beside the value of `+`, `/`, `-` and `_`.
const IS_SIGN: u8 = 0x40;

fn class(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(NO_VALUE)
}

/// What a character stands for in either alphabet.
fn value(byte: u8) -> Option<u8> {
    let class = class(byte);
    (class & NO_VALUE == 0).then_some(class & 0x3f)
}

static VALUES: [u8; 256] = values();

#[expect(clippy::indexing_slicing, reason = "computed when the guard is compiled")]
const fn values() -> [u8; 256] {
    let alphabet = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [255; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values[b'+' as usize] = IS_SIGN | 62;
    values[b'/' as usize] = IS_SIGN | 63;
    values[b'-' as usize] = IS_SIGN | 62;
    values[b'_' as usize] = IS_SIGN | 63;
    values
}

/// The three bytes behind four characters, where all of them are ASCII.
fn ascii(run: &[u8], at: usize) -> Option<[u8; 3]> {
    let [a, b, c, d] = run.get(at..)?.first_chunk::<4>()?.map(class);
    let bits = [a, b, c, d].into_iter().fold(0_u32, |bits, class| (bits << 6) | u32::from(class & 0x3f));
    let [_, three @ ..] = bits.to_be_bytes();
    ((a | b | c | d) & NO_VALUE == 0 && bits & 0x80_8080 == 0).then_some(three)
}

/// Decodes one run after another into the same memory.
#[derive(Default)]
struct Decoder {
    plain: Vec<u8>,
}

impl Decoder {
    /// The text behind a run, as far as whole characters go; line ends are passed over.
    fn decode(&mut self, run: &[u8]) -> Option<&str> {
        self.plain.clear();
        let mut utf8 = Utf8::default();
        let (mut bits, mut count) = (0_u32, 0);
        let (mut whole, mut whole_to) = (0, 0);
        let mut at = 0;
        while let Some(byte) = run.get(at) {
            // Nearly all of most texts.
            if count == 0
                && utf8.missing == 0
                && let Some(three) = ascii(run, at)
            {
                self.plain.extend_from_slice(&three);
                at += 4;
                (whole, whole_to) = (self.plain.len(), at);
                continue;
            }
            at += 1;
            let Some(value) = value(*byte) else { continue };
            bits = (bits << 6) | u32::from(value);
            count += 6;
            if count >= 8 {
                count -= 8;
                let byte = u8::try_from((bits >> count) & 0xff).ok()?;
                if !utf8.goes_on_with(byte) {
                    break;
                }
                self.plain.push(byte);
                if utf8.missing == 0 {
                    (whole, whole_to) = (self.plain.len(), at);
                }
            }
        }
        let is_text = run.len() - whole_to <= MOST_BEHIND;
        is_text.then(|| self.plain.get(..whole)).flatten().and_then(|plain| std::str::from_utf8(plain).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is behind the runs of a text, all of it.
    fn texts(text: &str) -> Vec<(&str, String)> {
        let mut found = Vec::new();
        each_text(text, &mut |start, end, plain| {
            found.push((text.get(start..end).unwrap_or("out of bounds"), plain.to_owned()));
            true
        });
        found
    }

    fn first(text: &str) -> Option<String> {
        texts(text).into_iter().next().map(|(_, plain)| plain)
    }

    #[test]
    fn runs_are_decoded_in_both_alphabets_with_and_without_padding() {
        for (text, plain) in [
            ("MTIzLTQ1LTY3ODk=", "123-45-6789"),
            ("MTIzLTQ1LTY3ODk", "123-45-6789"),
            ("ZGF0YT8+Pz4/Pj8+", "data?>?>?>?>"),
            ("ZGF0YT8-Pz4_Pj8-", "data?>?>?>?>"),
            ("w7zDvMO8w7zDvMO8", "üüüüüü"),
        ] {
            for (before, behind) in [("", ""), ("data:", " x"), ("x=", "&y"), ("é", "é")] {
                let within = [before, text, behind].concat();
                assert_eq!(texts(&within), [(text, plain.to_owned())], "{within}");
            }
        }
    }

    #[test]
    fn what_is_glued_to_a_run_does_not_hide_it() {
        for text in [
            "xMTIzLTQ1LTY3ODk=",
            "abMTIzLTQ1LTY3ODk=",
            "abcMTIzLTQ1LTY3ODk=",
            "collect/MTIzLTQ1LTY3ODk=",
            "id_MTIzLTQ1LTY3ODk-x",
            "https://x.yz/a/b/MTIzLTQ1LTY3ODk",
            "?d=MTIzLTQ1LTY3ODk/x",
            "https://x.com/API/MTIzLTQ1LTY3ODk",
            "https://x.com/userData/MTIzLTQ1LTY3ODk",
        ] {
            let found = texts(text);
            assert!(found.iter().any(|(_, plain)| plain.starts_with("123-45-6789")), "{text} {found:?}");
        }
    }

    #[test]
    fn up_to_three_characters_behind_a_run_do_not_hide_it() {
        for behind in ["", "x", "w7", "-", "xyz", "_8x"] {
            let text = ["c3NuIDEyMy00NS02Nzg5", behind].concat();
            let found = texts(&text);
            assert!(found.iter().any(|(_, plain)| plain.starts_with("ssn 123-45-6789")), "{text} {found:?}");
        }
    }

    #[test]
    fn what_gives_another_text_with_what_is_before_it_is_read_without_it_too() {
        for before in ["AA", "AAAAAAAAAAAAAA\n", "AAAAAAAAAAAAAA\r\n"] {
            let text = [before, "NDExMTExMTExMTExMTExMQ"].concat();
            let mut found = Vec::new();
            each_text(&text, &mut |_, _, plain| {
                found.push(plain.to_owned());
                plain == "4111111111111111"
            });
            assert_eq!(found.last().map(String::as_str), Some("4111111111111111"), "{before:?} {found:?}");
        }
    }

    #[test]
    fn lines_that_follow_each_other_are_one_run() {
        let text = "bXkgc3NuIGlzIDEy\r\nMy00NS02Nzg5IGFu\nZCBtb3Jl";
        assert_eq!(texts(text), [(text, "my ssn is 123-45-6789 and more".to_owned())]);
    }

    #[test]
    fn short_runs_and_what_is_no_text_pass() {
        for text in [
            "",
            "MTIzLTQ1LTY3",
            "a b c d e f g h i j k l",
            // A text, and behind it or before it what is none.
            "c3NuIDEyMy00NS02Nzg5//6A",
            "//6Ac3NuIDEyMy00NS02Nzg5",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn every_place_in_a_text_is_looked_at() {
        for shift in 0..40 {
            let text = [&"-. ".repeat(shift), "MTIzLTQ1LTY3ODk=", " ."].concat();
            assert_eq!(first(&text).as_deref(), Some("123-45-6789"), "{shift}");
            let text = [&".".repeat(shift), "MTIzLTQ1LTY3ODk"].concat();
            assert_eq!(first(&text).as_deref(), Some("123-45-6789"), "{shift}");
        }
    }
}
