//! What begins with a digit: finds the group of digits that begins here and asks each pattern of numbers
//! about it. It never starts inside a group.

use super::bytes::Bytes;
use super::{Look, card, phone};
use crate::pattern::{BuiltIn, BuiltIns};

/// How many digits a number of any kind has at least where nothing separates them.
const LEAST_ALONE: usize = 10;

/// Whether another group of digits may belong to the one that ends here.
fn goes_on(bytes: Bytes<'_>, end: usize) -> bool {
    match bytes.at(end) {
        b' ' | b'-' | b'.' | b'_' | b'+' | b'/' => {
            bytes.is_digit(end + 1) || matches!(bytes.at(end + 1), b' ' | b'-' | b'(') || bytes.is_digit(end + 2)
        }
        after => matches!(after, b')' | b'('),
    }
}

/// Looks at the digit group that begins here.
pub(super) fn look(bytes: Bytes<'_>, at: usize, wanted: BuiltIns) -> Look {
    let end = bytes.digits(at);
    // Most numbers begin none of these, or are short and stand alone.
    let may_begin = end - at == 3
        || matches!(bytes.at(at), b'2'..=b'6')
        || wanted.hold(BuiltIn::PhoneUs)
        || wanted.hold(BuiltIn::IpAddress);
    if !may_begin || (end - at < LEAST_ALONE && !goes_on(bytes, end)) {
        return Look::Past(end);
    }
    if wanted.hold(BuiltIn::CreditCard)
        && let Some(end) = card::read(bytes, at, end)
    {
        return Look::Found(BuiltIn::CreditCard, at, end);
    }
    if wanted.hold(BuiltIn::Ssn)
        && let Some(end) = ssn(bytes, at, end)
    {
        return Look::Found(BuiltIn::Ssn, at, end);
    }
    if wanted.hold(BuiltIn::PhoneUs)
        && let Some((start, end)) = phone::read(bytes, at, end)
    {
        return Look::Found(BuiltIn::PhoneUs, start, end);
    }
    if wanted.hold(BuiltIn::IpAddress)
        && let Some(end) = ip_address(bytes, at)
    {
        return Look::Found(BuiltIn::IpAddress, at, end);
    }
    Look::Past(end)
}

/// A US social security number: three, two and four digits with a separator between them, unless its
/// area (000, 666 and from 900 on) was never given out.
fn ssn(bytes: Bytes<'_>, start: usize, area_end: usize) -> Option<usize> {
    if area_end - start != 3 || matches!(bytes.between(start, area_end), b"000" | b"666" | [b'9', ..]) {
        return None;
    }
    let (first, group) = ssn_separator(bytes, area_end)?;
    let group_end = bytes.digits(group);
    let (second, serial) = ssn_separator(bytes, group_end)?;
    let end = bytes.digits(serial);
    // A point alone would make two numbers of it, one with a fraction.
    let is_one = first == second || !(matches!(first, b'.' | b'_') || matches!(second, b'.' | b'_'));
    (is_one && group_end - group == 2 && end - serial == 4).then_some(end)
}

/// The separator between two groups of digits: what it is made of, and where the digit behind it stands.
fn ssn_separator(bytes: Bytes<'_>, at: usize) -> Option<(u8, usize)> {
    let kind = bytes.at(at);
    let behind = match kind {
        b'.' | b'_' => at + 1,
        b' ' | b'-' => bytes.run(at, |byte| matches!(byte, b' ' | b'-')),
        _ => return None,
    };
    (behind - at <= 3 && bytes.is_digit(behind)).then_some((kind, behind))
}

/// Four numbers of at most 255, with points between them and no fifth one.
fn ip_address(bytes: Bytes<'_>, start: usize) -> Option<usize> {
    let is_version = matches!(bytes.back(start, 1), b'v' | b'V') && !bytes.back(start, 2).is_ascii_alphanumeric();
    if is_version || (bytes.back(start, 1) == b'.' && bytes.back(start, 2).is_ascii_digit()) {
        return None;
    }
    let mut at = start;
    for place in 0..4 {
        if place > 0 {
            if bytes.at(at) != b'.' {
                return None;
            }
            at += 1;
        }
        let end = bytes.digits(at);
        let digits = bytes.between(at, end);
        let value = digits.iter().take(4).fold(0, |value: u32, digit| value * 10 + u32::from(digit - b'0'));
        if digits.is_empty() || digits.len() > 3 || value > 255 {
            return None;
        }
        at = end;
    }
    let goes_on = bytes.at(at) == b'.' && bytes.is_digit(at + 1);
    (!goes_on).then_some(at)
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::{found, found_of};
    use crate::pattern::{BuiltIn, BuiltIns};

    #[test]
    fn social_security_numbers_are_found_with_any_usual_separator() {
        for text in [
            "123-45-6789",
            "123 45 6789",
            "123.45.6789",
            "123_45_6789",
            "123 - 45 - 6789",
            "123-45 6789",
            "123--45--6789",
        ] {
            for around in [("", ""), ("a", "b"), ("ssn_", "_x"), ("12 ", " 34"), ("(", ")."), ("x", "-1")] {
                let within = [around.0, text, around.1].concat();
                assert_eq!(found(&within), [("ssn", text)], "{within}");
            }
        }
    }

    #[test]
    fn numbers_that_are_no_social_security_numbers_pass() {
        let texts = "123456789 000-45-6789 666-45-6789 900-45-6789 999-45-6789 1123-45-6789 123-45-67890 123-456-789 \
            123-4-56789 2026-01-15 123,45,6789 123/45/6789 123-45 12-345-6789";
        for text in texts.split_whitespace().chain(["123 45.6789", "123.45 6789"]) {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn addresses_are_range_checked_and_versions_pass() {
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::IpAddress);
        for (text, found) in [
            ("host 10.0.0.1.", Some("10.0.0.1")),
            ("10.0.0.1:8080", Some("10.0.0.1")),
            ("http://192.168.1.254/x", Some("192.168.1.254")),
            ("ip010.000.000.001", Some("010.000.000.001")),
            ("999.999.999.999", None),
            ("256.1.1.1", None),
            ("1.2.3", None),
            ("1.2.3.4.5", None),
            ("v1.2.3.4", None),
            ("::1", None),
            ("1.2.3.", None),
            ("1..2.3.4", None),
        ] {
            assert_eq!(found_of(wanted, text).first().map(|found| found.1), found, "{text}");
        }
    }
}
