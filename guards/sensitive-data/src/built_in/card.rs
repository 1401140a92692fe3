//! Card numbers: 13 to 19 digits in any usual grouping, with an issuer's prefix and length and the right
//! check digit. It never takes a decimal fraction or a piece of a hexadecimal digest for one.

use super::bytes::Bytes;

/// How many digits a card number has at most, and at least.
const MOST: usize = 19;
const LEAST: usize = 13;

/// What stands between the groups of one number; one number has one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    BlankOrDash,
    Point,
    Other(u8),
}

/// The end of the card number that begins with the digit group between these places.
pub(super) fn read(bytes: Bytes<'_>, start: usize, first_end: usize) -> Option<usize> {
    if !matches!(bytes.at(start), b'2'..=b'6') {
        return None;
    }
    match first_end - start {
        1 | 2 => read_small_groups(bytes, start, first_end),
        3..=8 => read_groups(bytes, start, first_end),
        _ => read_bare(bytes, start, first_end),
    }
}

/// Digits in one run.
fn read_bare(bytes: Bytes<'_>, start: usize, end: usize) -> Option<usize> {
    let is_fraction = bytes.back(start, 1) == b'.' && bytes.back(start, 2).is_ascii_digit();
    let count = end - start;
    let is_card = (LEAST..=MOST).contains(&count)
        && !is_fraction
        && is_issued(lead(bytes, start), count)
        && is_checked(bytes.between(start, end))
        && !is_in_digest(bytes, start, end);
    is_card.then_some(end)
}

/// Groups of three to eight digits, the last of any length; the longest number counts.
fn read_groups(bytes: Bytes<'_>, start: usize, first_end: usize) -> Option<usize> {
    // What stands alone is too short.
    separator(bytes, first_end)?;
    let lead = lead(bytes, start);
    if !may_be_issued(lead) {
        return None;
    }
    let (mut from, mut end, mut best) = (start, first_end, None);
    let (mut count, mut kind) = (end - from, None);
    for group in 0..6 {
        // One point alone separates no groups but a fraction.
        let is_fraction = kind == Some(Separator::Point) && group < 2;
        if count >= LEAST && !is_fraction && is_issued(lead, count) && is_checked(bytes.between(start, end)) {
            best = Some(end);
        }
        let Some((separator, next)) = separator(bytes, end) else { break };
        if !(3..=8).contains(&(end - from)) || kind.is_some_and(|kind| kind != separator) {
            break;
        }
        (kind, from, end) = (Some(separator), next, bytes.digits(next));
        count += end - from;
        if count > MOST {
            break;
        }
    }
    best.filter(|end| !is_in_uuid(bytes, start, *end))
}

/// Digits one by one, or in pairs: only where the whole row of them is one card number, as rows of small
/// numbers are common.
fn read_small_groups(bytes: Bytes<'_>, start: usize, first_end: usize) -> Option<usize> {
    let is_row = separator(bytes, first_end).is_some_and(|(_, next)| bytes.digits(next) - next <= first_end - start);
    if !is_row || follows_digits(bytes, start) {
        return None;
    }
    let (size, mut from, mut end) = (first_end - start, start, first_end);
    let (mut count, mut kind) = (size, None);
    while let Some((separator, next)) = separator(bytes, end) {
        // Only the last group may be shorter.
        if end - from != size || kind.is_some_and(|kind| kind != separator) {
            return None;
        }
        (kind, from, end) = (Some(separator), next, bytes.digits(next));
        count += end - from;
        if count > MOST {
            return None;
        }
    }
    let is_card = end - from <= size
        && count >= LEAST
        && is_issued(lead(bytes, start), count)
        && is_checked(bytes.between(start, end));
    is_card.then_some(end)
}

/// Whether a digit and a separator stand before this place.
fn follows_digits(bytes: Bytes<'_>, start: usize) -> bool {
    let before = bytes.run_back(start, 3, |byte| matches!(byte, b' ' | b'-' | b'.' | b'_' | b'+'));
    before < start && bytes.back(before, 1).is_ascii_digit()
}

/// The separator behind a group of digits, and where the digit behind it stands.
fn separator(bytes: Bytes<'_>, at: usize) -> Option<(Separator, usize)> {
    let (kind, behind) = match bytes.at(at) {
        b' ' | b'-' if bytes.is_digit(at + 1) => (Separator::BlankOrDash, at + 1),
        b' ' | b'-' => (Separator::BlankOrDash, bytes.run(at, |byte| matches!(byte, b' ' | b'-'))),
        b'.' => (Separator::Point, at + 1),
        other @ (b'_' | b'+') => (Separator::Other(other), at + 1),
        _ => return None,
    };
    (behind - at <= 3 && bytes.is_digit(behind)).then_some((kind, behind))
}

/// Whether the digits are part of a longer run of hexadecimal digits, as in a digest.
fn is_in_digest(bytes: Bytes<'_>, start: usize, end: usize) -> bool {
    /// As far as it is looked to either side.
    const MOST_LETTERS: usize = 128;
    let (first, last) = (bytes.back(start, 1), bytes.at(end));
    if !first.is_ascii_alphabetic() && !last.is_ascii_alphabetic() {
        return false;
    }
    let from = bytes.run_back(start, MOST_LETTERS, |byte| byte.is_ascii_hexdigit());
    let to = bytes.between(end, end + MOST_LETTERS).iter().take_while(|byte| byte.is_ascii_hexdigit()).count() + end;
    let is_whole = (!bytes.is_inside_word(from) || start - from == MOST_LETTERS)
        && (!bytes.at(to).is_ascii_alphanumeric() || to - end == MOST_LETTERS);
    // A digest has some length and some letters; a letter or two before a card number make none.
    let letters = bytes.between(from, to).iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    is_whole && to - from >= 20 && letters >= 3
}

/// Whether the groups are some of those of a UUID: 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_in_uuid(bytes: Bytes<'_>, start: usize, end: usize) -> bool {
    const LENGTH: usize = 36;
    let is_uuid = |from: usize| {
        let found = bytes.between(from, from + LENGTH);
        let fits = |(place, byte): (usize, &u8)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        found.len() == LENGTH && from + LENGTH >= end && found.iter().enumerate().all(fits)
    };
    (start.saturating_sub(LENGTH)..=start).any(is_uuid)
}

/// The number that the first four digits from here are, whatever separates them.
fn lead(bytes: Bytes<'_>, start: usize) -> u32 {
    let (mut lead, mut count) = (0, 0);
    for place in start..start + 16 {
        let byte = bytes.at(place);
        if byte.is_ascii_digit() && count < 4 {
            lead = lead * 10 + u32::from(byte - b'0');
            count += 1;
        }
        if count == 4 {
            break;
        }
    }
    lead
}

/// Whether an issuer gives out numbers that begin with these four digits, of some length.
fn may_be_issued(lead: u32) -> bool {
    [14, 15, 16].into_iter().any(|length| is_issued(lead, length))
}

/// Whether an issuer gives out numbers that begin with these four digits and have this length.
fn is_issued(lead: u32, length: usize) -> bool {
    match lead {
        // Mastercard.
        2221..=2720 | 5100..=5599 => length == 16,
        // American Express.
        3400..=3499 | 3700..=3799 => length == 15,
        // Diners Club.
        3000..=3099 | 3600..=3699 | 3800..=3999 => length == 14 || length >= 16,
        // JCB.
        3500..=3599 => length >= 16,
        // Visa.
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // Maestro and the cards of single countries.
        5000..=5099 | 5600..=5999 | 6300..=6399 | 6700..=6799 => length >= LEAST,
        // Discover, UnionPay, RuPay and others.
        6000..=6999 => length >= 16,
        _ => false,
    }
}

/// Whether the last digit checks the others (Luhn); what separates them does not count.
fn is_checked(number: &[u8]) -> bool {
    let (mut sum, mut is_doubled) = (0_u32, false);
    for byte in number.iter().rev() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            continue;
        }
        // The digits of a doubled digit are added.
        let carried = if digit > 4 { 9 } else { 0 };
        sum += if is_doubled { digit * 2 - carried } else { digit };
        is_doubled = !is_doubled;
    }
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found;

    fn cards(text: &str) -> Vec<&str> {
        let cards = found(text).into_iter().filter(|(name, _)| *name == "credit_card");
        cards.map(|(_, text)| text).collect()
    }

    #[test]
    fn numbers_of_every_issuer_are_found() {
        let texts = "4111111111111111 4222222222222 5500005555555559 2221000000000009 2720990000000007 340000000000009 \
            378282246310005 30569309025904 38520000023237 3530111333300000 6011111111111117 6212345678901232 \
            6304000000000000000 6759649826438453 5018000000000009 6521111111111110";
        for text in texts.split_whitespace() {
            assert_eq!(cards(text), [text]);
        }
    }

    #[test]
    fn every_usual_grouping_is_found() {
        let texts = "4111-1111-1111-1111 4111.1111.1111.1111 4111_1111_1111_1111 4111+1111+1111+1111 \
            4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1";
        for text in texts.split_whitespace().chain([
            "4111 1111 1111 1111",
            "4111 - 1111 - 1111 - 1111",
            "4111  1111  1111  1111",
            "41111111 11111111",
            "4111-1111 1111-1111",
            "411111 1111111111",
            "3782 822463 10005",
            "3056 930902 5904",
            "6304 0000 0000 0000 000",
            "4222 2222 2222 2",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "41 11 11 11 11 11 11 11",
        ]) {
            for (before, behind) in [("", ""), ("pay ", " now"), ("card", "x"), ("12 4567,", ",1"), ("no.", ".")] {
                let within = [before, text, behind].concat();
                assert_eq!(cards(&within), [text], "{within}");
            }
        }
        assert_eq!(cards("12 4111 1111 1111 1111 123"), ["4111 1111 1111 1111"]);
        assert_eq!(cards("a4111111111111111"), ["4111111111111111"]);
        assert_eq!(cards("card4111111111111111exp"), ["4111111111111111"]);
    }

    #[test]
    fn harmless_numbers_pass() {
        let texts = "1234567890123456 4111111111111112 1700000000000 1768478400000 1768478400000000 1234567890123456789 \
            0111111111111111 7111111111111111 8111111111111111 9111111111111111 41111111111111111 \
            411111111111111 0.4111111111111111 -12.4111111111111111 4111111.1111111111 356938035643809 \
            4111,1111,1111,1111 550e8400-e29b-41d4-a716-446655440000 \
            aa0a5954-4872-4014-8aa0-aa0a0aa0aa0a 3f4111111111111111abc0ffee12345678901234 \
            978-3-16-148410-0 00000000000000000000 3000000000000000000000000000";
        for text in texts.split_whitespace().chain([
            "2024-01-15 10:30:00",
            "+49 170 1234567",
            "45.5231 -122.6765",
            "5 3 4 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6",
        ]) {
            assert_eq!(cards(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn digests_pass_and_letters_around_a_card_do_not_hide_it() {
        assert_eq!(cards("e83c5163316f89bfbde7d9ab23ca2e25604af290"), [""; 0]);
        assert_eq!(cards("abc4111111111111111def0"), [""; 0]);
        assert_eq!(cards("x4111111111111111y"), ["4111111111111111"]);
        assert_eq!(cards("ab4111111111111111"), ["4111111111111111"]);
    }
}
