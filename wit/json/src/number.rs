//! Numbers by their exact decimal value; never through a float.

use std::fmt;

/// How many zeros canonical text writes out before it turns to an exponent.
const MOST_ZEROS: i64 = 40;
/// The largest exponent that is read; beyond it a number is malformed.
const MOST_EXPONENT: i64 = 1_000_000_000;

/// A JSON number: `1`, `1.0` and `1e0` are the same one.
///
/// It is kept as its canonical text: no `+`, no leading or trailing zero that says nothing, `0` for
/// every zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// Reads a number written as RFC 8259 says; `None` for anything else, also for white space
    /// around it and for exponents beyond a thousand million.
    pub fn parse(text: &str) -> Option<Number> {
        if is_canonical(text) {
            return Some(Number(text.to_owned()));
        }
        let decimal = Decimal::parse(text)?;
        Some(Number(decimal.canonical()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == "0"
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
        let decimal = Decimal::parse(&self.0)?;
        let exponent = decimal.exponent.checked_add(i64::from(places))?;
        let (digits, exact) = if exponent < 0 {
            let dropped = usize::try_from(-exponent).ok()?;
            match decimal.digits.len().checked_sub(dropped) {
                Some(kept) => (decimal.digits.get(..kept)?.to_owned(), false),
                None => (String::new(), decimal.digits.is_empty()),
            }
        } else {
            let zeros = if decimal.digits.is_empty() { 0 } else { exponent };
            if zeros > 36 {
                return None;
            }
            let zeros = usize::try_from(zeros).ok()?;
            (format!("{}{}", decimal.digits, "0".repeat(zeros)), true)
        };
        if digits.len() > 36 {
            return None;
        }
        let value: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        Some((if decimal.negative { -value } else { value }, exact))
    }
}

impl fmt::Display for Number {
    /// Writes the canonical text; a precision cuts it, as it does any text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(value.to_string())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number(value.to_string())
    }
}

/// Whether a text is plainly a number in canonical form, as nearly every one is: digits without a leading
/// zero, and behind a point digits that do not end in zero.
fn is_canonical(text: &str) -> bool {
    let (whole, fraction) = match text.as_bytes().iter().position(|b| *b == b'.') {
        Some(at) => text.as_bytes().split_at(at),
        None => (text.as_bytes(), &[][..]),
    };
    let all_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    let is_whole = match whole {
        [] => false,
        [b'0', rest @ ..] => rest.is_empty(),
        [..] => all_digits(whole),
    };
    let is_fraction = match fraction {
        [] => true,
        [_, digits @ ..] => matches!(digits, [.., b'1'..=b'9']) && all_digits(digits),
    };
    text.len() <= 36 && is_whole && is_fraction
}

/// A number taken apart: `digits` times ten to the power of `exponent`; no digits for zero.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let exponent = match exponent {
            Some(text) => parse_exponent(text)?,
            None => 0,
        };
        let joined = format!("{whole}{fraction}");
        let significant = joined.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing = i64::try_from(significant.len() - digits.len()).ok()?;
        let fraction = i64::try_from(fraction.len()).ok()?;
        Some(Decimal {
            negative,
            digits: digits.to_owned(),
            exponent: exponent.checked_add(trailing)?.checked_sub(fraction)?,
        })
    }

    fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let digits = &self.digits;
        let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
        if (0..=MOST_ZEROS).contains(&self.exponent) {
            return format!("{sign}{digits}{}", zeros(self.exponent));
        }
        if self.exponent < 0 {
            let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
            let point = length.saturating_add(self.exponent);
            if point > 0 {
                let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
                return format!("{sign}{whole}.{fraction}");
            }
            if -self.exponent <= MOST_ZEROS {
                return format!("{sign}0.{}{digits}", zeros(-point));
            }
        }
        format!("{sign}{digits}e{}", self.exponent)
    }
}

/// Reads an exponent; beyond [`MOST_EXPONENT`] there is none.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    if value > MOST_EXPONENT {
        return None;
    }
    Some(if text.starts_with('-') { -value } else { value })
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
        fn the_short_way_for_plain_numbers_gives_what_the_long_one_gives(text in "(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?") {
            let long = Decimal::parse(&text).unwrap().canonical();
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
