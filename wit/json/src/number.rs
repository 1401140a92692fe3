//! Numbers by their exact decimal value; never through a float.

use std::fmt;

/// How many zeros canonical text writes out before it turns to an exponent.
const MOST_ZEROS: i64 = 40;
/// The largest exponent that is read; beyond it a number is malformed.
const MOST_EXPONENT: i64 = 1_000_000_000;
/// How many digits an integer has at most: so many surely fit.
const MOST_DIGITS: i64 = 36;

/// The longest text that a number holds in itself: nearly every number costs no memory of its own.
const MOST_SHORT: usize = 10;

/// A JSON number: `1`, `1.0` and `1e0` are the same one.
///
/// It is kept as its canonical text: no `+`, no leading or trailing zero that says nothing, `0` for
/// every zero.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Text);

// INVARIANT: a text of at most `MOST_SHORT` bytes is a short one, with zeros behind it: equal texts are
// equal in all bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    Short { length: u8, bytes: [u8; MOST_SHORT] },
    Long(Box<str>),
}

impl Number {
    /// Reads a number written as RFC 8259 says; `None` for anything else, also for white space
    /// around it and for exponents beyond a thousand million.
    pub fn parse(text: &str) -> Option<Number> {
        if is_canonical(text.as_bytes()) {
            return Some(Number::of(text));
        }
        let decimal = Decimal::parse(text.as_bytes())?;
        Some(Number::of(&decimal.canonical()))
    }

    /// The number at the start of a text and its length, if it is short, canonical and not the end of all.
    /// Nearly every number is such a one, and is looked at once.
    pub(crate) fn short(text: &[u8]) -> Option<(Number, usize)> {
        let mut bytes = [0; MOST_SHORT];
        let mut is_whole = true;
        for (length, (to, byte)) in (0_u8..).zip(bytes.iter_mut().zip(text)) {
            match byte {
                b'0'..=b'9' => *to = *byte,
                b'-' | b'.' | b'e' => {
                    is_whole = false;
                    *to = *byte;
                }
                b',' | b']' | b'}' => {
                    let end = usize::from(length);
                    let is_good = match length {
                        0 => false,
                        1 if is_whole => true,
                        _ if is_whole => text.first() != Some(&b'0'),
                        _ => text.get(..end).is_some_and(is_canonical),
                    };
                    return is_good.then_some((Number(Text::Short { length, bytes }), end));
                }
                _ => return None,
            }
        }
        None
    }

    /// The number of a canonical text.
    fn of(text: &str) -> Number {
        let mut bytes = [0; MOST_SHORT];
        Number(match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(text.as_bytes());
                Text::Short { length, bytes }
            }
            _ => Text::Long(text.into()),
        })
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Short { length, bytes } => {
                bytes.get(..usize::from(*length)).and_then(|text| str::from_utf8(text).ok()).unwrap_or("0")
            }
            Text::Long(text) => text,
        }
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.as_str().starts_with('-')
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.as_str() == "0"
    }

    /// The number as an integer, where it is a whole one that fits: `30.0` is 30.
    pub fn as_i64(&self) -> Option<i64> {
        match self.scaled(0)? {
            (value, true) => i64::try_from(value).ok(),
            (_, false) => None,
        }
    }

    /// The number as an unsigned integer, where it is a whole one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self.scaled(0)? {
            (value, true) => u64::try_from(value).ok(),
            (_, false) => None,
        }
    }

    /// The number times ten to the power of `places`, cut towards zero, and whether that was exact.
    /// `None` where the result has more than 36 digits.
    pub fn scaled(&self, places: u32) -> Option<(i128, bool)> {
        let decimal = Decimal::parse(self.as_str().as_bytes())?;
        if decimal.is_zero() {
            return Some((0, true));
        }
        let moved = decimal.exponent.checked_add(i64::from(places))?;
        let length = i64::try_from(decimal.length()).ok()?.checked_add(moved)?;
        if length > MOST_DIGITS {
            return None;
        }
        // Digits that are asked for and not there are zeros; those beyond the end are cut.
        let digits = decimal.digits().map(|digit| i128::from(digit - b'0')).chain(std::iter::repeat(0));
        let value = digits.take(usize::try_from(length).unwrap_or(0)).fold(0, |value, digit| value * 10 + digit);
        Some((if decimal.negative { -value } else { value }, moved >= 0))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Number").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Number {
    /// Writes the canonical text; a precision cuts it, as it does any text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number::of(&value.to_string())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number::of(&value.to_string())
    }
}

/// Whether a text is surely a number in canonical form, as nearly every one is, and every one that a
/// host hands to a guard if it is no longer than this looks at.
fn is_canonical(text: &[u8]) -> bool {
    let (is_negative, number) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let Some((whole, rest)) = number.split_at_checked(count_digits(number)) else {
        return false;
    };
    let is_whole = match whole {
        [] => false,
        [b'0', more @ ..] => more.is_empty(),
        [..] => true,
    };
    let is_end = match rest {
        [] => !is_negative || whole != b"0",
        [b'.', fraction @ .., b'1'..=b'9'] => count_digits(fraction) == fraction.len(),
        // What needs an exponent is longer than the zeros that would be written out.
        [b'e', b'-', exponent @ ..] | [b'e', exponent @ ..] => {
            let is_large = match exponent {
                [b'4', b'0'] => false,
                [b'4'..=b'9', _] | [b'1'..=b'9', _, _, ..] => true,
                _ => false,
            };
            is_large && count_digits(exponent) == exponent.len() && exponent.len() < 10 && !whole.ends_with(b"0")
        }
        [..] => false,
    };
    text.len() <= 36 && is_whole && is_end
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len())
}

/// A number taken apart: the digits of `whole` and `fraction` as one row, times ten to the power of
/// `exponent`. The row begins and ends with no zero; there is none for zero.
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a [u8]) -> Option<Decimal<'a>> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, rest) = text.split_at_checked(count_digits(text))?;
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => rest.split_at_checked(count_digits(rest)).filter(|(digits, _)| !digits.is_empty())?,
            rest => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            [..] => return None,
        };
        let whole = match whole {
            [] | [b'0', _, ..] => return None,
            [b'0'] => &[],
            digits => digits,
        };
        let (fraction, whole_end) = (without_end_zeros(fraction), without_end_zeros(whole));
        Some(if !fraction.is_empty() {
            let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
            let fraction = if whole.is_empty() { without_start_zeros(fraction) } else { fraction };
            Decimal { negative, whole, fraction, exponent }
        } else if !whole_end.is_empty() {
            let exponent = exponent.checked_add(i64::try_from(whole.len() - whole_end.len()).ok()?)?;
            Decimal { negative, whole: whole_end, fraction, exponent }
        } else {
            Decimal { negative: false, whole: &[], fraction: &[], exponent: 0 }
        })
    }

    fn is_zero(&self) -> bool {
        self.length() == 0
    }

    fn length(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let mut text = String::with_capacity(self.length() + 48);
        if self.negative {
            text.push('-');
        }
        let point = i64::try_from(self.length()).unwrap_or(i64::MAX).saturating_add(self.exponent);
        let is_plain = (-MOST_ZEROS..=MOST_ZEROS).contains(&self.exponent) || (self.exponent < 0 && point > 0);
        if is_plain && point <= 0 {
            text.push_str("0.");
            text.extend(zeros(-point));
        }
        for (place, digit) in (0..).zip(self.digits()) {
            if is_plain && place > 0 && place == point {
                text.push('.');
            }
            text.push(char::from(digit));
        }
        if !is_plain {
            text.push('e');
            text.push_str(&self.exponent.to_string());
        } else {
            text.extend(zeros(self.exponent));
        }
        text
    }
}

/// So many zeros; none below one.
fn zeros(count: i64) -> impl Iterator<Item = char> {
    std::iter::repeat_n('0', usize::try_from(count).unwrap_or(0))
}

fn without_end_zeros(mut digits: &[u8]) -> &[u8] {
    while let [rest @ .., b'0'] = digits {
        digits = rest;
    }
    digits
}

fn without_start_zeros(mut digits: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = digits {
        digits = rest;
    }
    digits
}

/// Reads an exponent; beyond [`MOST_EXPONENT`] there is none.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || count_digits(digits) != digits.len() {
        return None;
    }
    let mut value: i64 = 0;
    for digit in digits {
        value = value * 10 + i64::from(digit - b'0');
        if value > MOST_EXPONENT {
            return None;
        }
    }
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn canonical(text: &str) -> String {
        Number::parse(text).unwrap().to_string()
    }

    #[test]
    fn forms_of_one_number_are_one() {
        for form in ["1", "1.0", "1e0", "10e-1", "0.1e1", "1.000"] {
            assert_eq!(canonical(form), "1", "{form}");
        }
        for form in ["0", "-0", "0.0", "0e5", "-0.000e-9"] {
            assert_eq!(canonical(form), "0", "{form}");
        }
    }

    #[test]
    fn large_and_small_numbers_come_out_unchanged() {
        for text in ["12345678901234567890", "0.1", "-0.000001", "1234567890.123456789012345"] {
            assert_eq!(canonical(text), text);
        }
        assert_eq!(canonical("1e999999999"), "1e999999999");
        assert_eq!(canonical("15e-900"), "15e-900");
    }

    #[test]
    fn a_number_is_shown_as_wide_and_as_short_as_asked() {
        let number = Number::parse("1234567890").unwrap();
        assert_eq!(format!("{number:.4}|{number:>12}|{number}"), "1234|  1234567890|1234567890");
    }

    #[test]
    fn what_json_does_not_call_a_number_is_refused() {
        for text in ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "NaN", " 1", "1e9999999999", "１"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_for_plain_numbers_gives_what_the_long_one_gives(
            text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?(e-?[0-9]{1,10})?",
        ) {
            let Some(decimal) = Decimal::parse(text.as_bytes()) else { return Ok(()) };
            let long = decimal.canonical();
            proptest::prop_assert_eq!(canonical(&text), long);
        }
    }

    #[test]
    fn scaling_is_exact_or_says_so() {
        let scaled = |text: &str| Number::parse(text).unwrap().scaled(6);
        assert_eq!(scaled("0.1"), Some((100_000, true)));
        assert_eq!(scaled("-2.5"), Some((-2_500_000, true)));
        assert_eq!(scaled("0.0000001"), Some((0, false)));
        assert_eq!(scaled("1.0000015"), Some((1_000_001, false)));
        assert_eq!(scaled("1e31"), None);
        assert_eq!(Number::parse("30.0").unwrap().as_i64(), Some(30));
        assert_eq!(Number::parse("30.5").unwrap().as_i64(), None);
        assert_eq!(Number::parse("18446744073709551615").unwrap().as_u64(), Some(u64::MAX));
        assert_eq!(Number::parse("1e-999999").unwrap().as_i64(), None);
    }
}
