//! Amounts of money or of anything else that has decimals: exact to a millionth, never a float, never
//! below zero.

use std::fmt;

use agenthalt_json::{Json, Number};

/// How many millionths make one.
const ONE: i64 = 1_000_000;
/// How many decimal places are kept.
const PLACES: u32 = 6;
/// The longest text that is read as a number: reading takes time, and no amount is written so long.
const MOST_TEXT_BYTES: usize = 256;

/// A decimal of zero or more, kept in millionths of the unit.
///
/// ```
/// use agenthalt_guard::{Amount, Json};
/// let cost = Amount::from_json(&Json::from(" 12.50 "))?;
/// assert_eq!(cost.map(|cost| cost.to_string()).as_deref(), Some("12.5"));
/// assert!(Amount::from_json(&Json::from(true)).is_err());
/// # Ok::<(), agenthalt_guard::Malformed>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// The amount of so many millionths; `None` below zero.
    pub const fn from_millionths(millionths: i64) -> Option<Amount> {
        if millionths < 0 { None } else { Some(Amount(millionths)) }
    }

    /// The amount of so many whole units.
    pub const fn whole(units: u32) -> Amount {
        Amount(units as i64 * ONE)
    }

    /// The amount of so many hundredths.
    pub const fn hundredths(hundredths: u32) -> Amount {
        Amount(hundredths as i64 * (ONE / 100))
    }

    /// The amount in millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The sum; `None` where it does not fit.
    pub const fn checked_add(self, other: Amount) -> Option<Amount> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Amount(sum)),
            None => None,
        }
    }

    /// The amount so many times, where a quantity is a decimal too; what is finer than a millionth is
    /// rounded up. `None` where it does not fit.
    pub const fn times(self, quantity: Amount) -> Option<Amount> {
        // In parts, so that nothing on the way is wider than 64 bits: the whole of the quantity, then its
        // rest of less than one.
        let (wholes, rest) = (quantity.0 / ONE, quantity.0 % ONE);
        let Some(by_wholes) = self.0.checked_mul(wholes) else {
            return None;
        };
        let fine = self.0 % ONE * rest;
        let rounded_up = fine / ONE + if fine % ONE == 0 { 0 } else { 1 };
        let Some(by_rest) = (self.0 / ONE).checked_mul(rest) else {
            return None;
        };
        match Amount(by_wholes).checked_add(Amount(by_rest)) {
            Some(product) => product.checked_add(Amount(rounded_up)),
            None => None,
        }
    }

    /// Reads a field of a call: null is a field not given, numeric text counts as its number, and what
    /// is finer than a millionth is rounded up.
    ///
    /// # Errors
    /// [`Malformed`] for what is not a finite number of zero or more, and for what does not fit.
    pub fn from_json(value: &Json) -> Result<Option<Amount>, Malformed> {
        match value {
            Json::Null => Ok(None),
            Json::Number(number) => Amount::rounded_up(number).map(Some),
            Json::String(text) => Amount::rounded_up(&read_text(text)?).map(Some),
            Json::Bool(_) => Err(Malformed::Boolean),
            Json::Array(_) => Err(Malformed::List),
            Json::Object(_) => Err(Malformed::Object),
        }
    }

    /// Reads a setting: as exact as it is written, or refused.
    pub(crate) fn exact(number: &str) -> Result<Amount, &'static str> {
        if let Some(millionths) = read_plain(number, PLACES) {
            return Ok(Amount(millionths));
        }
        let number = Number::parse(number).ok_or("expected a number")?;
        if number.is_negative() {
            return Err("an amount cannot be below zero");
        }
        match number.scaled(PLACES) {
            Some((millionths, true)) => {
                i64::try_from(millionths).map(Amount).map_err(|_| "the amount is too large: at most 9223372036854")
            }
            Some((_, false)) => Err("an amount has at most six decimal places"),
            None => Err("the amount is too large: at most 9223372036854"),
        }
    }

    fn rounded_up(number: &Number) -> Result<Amount, Malformed> {
        if let Some(millionths) = read_plain(number.as_str(), PLACES) {
            return Ok(Amount(millionths));
        }
        if number.is_negative() {
            return Err(Malformed::Negative);
        }
        let (millionths, exact) = number.scaled(PLACES).ok_or(Malformed::TooLarge)?;
        let millionths = if exact { millionths } else { millionths.saturating_add(1) };
        i64::try_from(millionths).map(Amount).map_err(|_| Malformed::TooLarge)
    }
}

/// Reads what nearly every number is: digits, at most one point among them, no more places behind it
/// than are kept. The rest takes the long way.
pub(crate) fn read_plain(text: &str, places: u32) -> Option<i64> {
    let mut value: i64 = 0;
    let mut behind: Option<u32> = None;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                behind = behind.map(|places| places + 1);
            }
            b'.' if behind.is_none() => behind = Some(0),
            _ => return None,
        }
    }
    let missing = places.checked_sub(behind.unwrap_or(0))?;
    value.checked_mul(10_i64.checked_pow(missing)?)
}

/// Numbers as people type them: also `+5`, `007`, `.5` and `5.`, and nothing with a sign of currency, a
/// group separator or a word.
fn read_text(text: &str) -> Result<Number, Malformed> {
    let text = text.trim();
    if text.len() > MOST_TEXT_BYTES {
        let is_numeric = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
        return Err(if is_numeric { Malformed::TooLong } else { Malformed::NoNumber });
    }
    Number::parse(text).or_else(|| read_loosely(text)).ok_or(Malformed::NoNumber)
}

fn read_loosely(text: &str) -> Option<Number> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let exponent = text.find(['e', 'E']).and_then(|at| text.split_at_checked(at));
    let (mantissa, exponent) = exponent.unwrap_or((text, ""));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    Number::parse(&[sign, whole, ".", fraction, exponent].concat())
}

impl fmt::Display for Amount {
    /// Writes the exact decimal without trailing zeros: `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, PLACES)
    }
}

/// Writes a number of zero or more that has been moved so many decimal places, without trailing zeros.
pub(crate) fn write_scaled(f: &mut fmt::Formatter<'_>, scaled: i64, places: u32) -> fmt::Result {
    let (one, size) = (10_u64.pow(places), scaled.unsigned_abs());
    let (whole, mut rest) = (size / one, size % one);
    if rest == 0 {
        return write!(f, "{whole}");
    }
    let mut places = places as usize;
    while rest.is_multiple_of(10) {
        rest /= 10;
        places -= 1;
    }
    write!(f, "{whole}.{rest:0places$}")
}

impl From<Amount> for i64 {
    /// In millionths, as charges and counters want it.
    fn from(amount: Amount) -> i64 {
        amount.0
    }
}

/// Why a field holds no finite number of zero or more; shown, it says what it holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A text that is no number, as `ten`, `$2` and `NaN` are none.
    NoNumber,
    /// A text of so many digits that nobody means it.
    TooLong,
    /// A number below zero, also as text.
    Negative,
    /// A number that does not fit, also as text.
    TooLarge,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::NoNumber => "a text that is no number",
            Malformed::TooLong => "a number that is too long",
            Malformed::Negative => "a negative number",
            Malformed::TooLarge => "a number that is too large",
            Malformed::Boolean => "a boolean",
            Malformed::List => "a list",
            Malformed::Object => "an object",
        })
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn read(json: &str) -> Result<Option<i64>, Malformed> {
        Amount::from_json(&Json::parse(json).unwrap()).map(|amount| amount.map(Amount::millionths))
    }

    #[test]
    fn numbers_and_numeric_text_are_amounts() {
        for (json, millionths) in [
            ("2.5", 2_500_000),
            ("0", 0),
            ("-0.0", 0),
            ("\" 0.5 \"", 500_000),
            ("\"1e1\"", 10_000_000),
            ("\"+5\"", 5_000_000),
            ("\"007\"", 7_000_000),
            ("\".5\"", 500_000),
            ("\"5.\"", 5_000_000),
        ] {
            assert_eq!(read(json), Ok(Some(millionths)), "{json}");
        }
        assert_eq!(read("null"), Ok(None));
    }

    #[test]
    fn what_is_finer_than_a_millionth_is_rounded_up() {
        assert_eq!(read("0.0000001"), Ok(Some(1)));
        assert_eq!(read("1e-900000000"), Ok(Some(1)));
        assert_eq!(read("1.0000010"), Ok(Some(1_000_001)));
    }

    #[test]
    fn what_is_no_amount_is_malformed() {
        for json in [
            "true",
            "false",
            "-1",
            "\"-0.5\"",
            "\"NaN\"",
            "\"inf\"",
            "\"$2\"",
            "\"1_0\"",
            "\"1,5\"",
            "\"\"",
            "\" \"",
            "\".\"",
            "\"e5\"",
            "\"1e\"",
            "\"--1\"",
            "\"٣\"",
            "[1]",
            "{}",
            "1e300",
            "9223372036855",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for (json, malformed) in [
            ("\"ten\"", Malformed::NoNumber),
            ("\"-0.5\"", Malformed::Negative),
            ("\"1e300\"", Malformed::TooLarge),
            ("true", Malformed::Boolean),
            ("[1]", Malformed::List),
            ("{}", Malformed::Object),
        ] {
            assert_eq!(read(json), Err(malformed), "{json}");
        }
        let long = |digit: &str| read(&format!("\"{}\"", digit.repeat(1_000)));
        assert_eq!((long("0"), long("x")), (Err(Malformed::TooLong), Err(Malformed::NoNumber)));
        assert_eq!(read(&format!("\"{}5\"", " ".repeat(1_000))), Ok(Some(5_000_000)));
    }

    #[test]
    fn products_are_exact_and_rounded_up_behind_the_millionth() {
        for (amount, quantity, product) in [
            (99_000_000, 1_000_000_000, Some(99_000_000_000)),
            (2_500_000, 500_000, Some(1_250_000)),
            (1, 1, Some(1)),
            (100_000, 3_000_000, Some(300_000)),
            (0, i64::MAX, Some(0)),
            (i64::MAX, 1_000_000, Some(i64::MAX)),
            (i64::MAX, 1_000_001, None),
            (i64::MAX, i64::MAX, None),
            (i64::MAX, 999_999, Some(9_223_362_813_482_738_953)),
        ] {
            assert_eq!(Amount(amount).times(Amount(quantity)), product.map(Amount), "{amount} {quantity}");
        }
    }

    proptest::proptest! {
        #[test]
        fn products_are_those_of_wide_integers(amount in 0..i64::MAX, quantity in 0..i64::MAX, cut in 0..62_u32) {
            let (amount, quantity) = (amount >> (cut % 31), quantity >> cut);
            let wide = (i128::from(amount) * i128::from(quantity) + 999_999) / 1_000_000;
            let product = Amount(amount).times(Amount(quantity)).map(|product| i128::from(product.0));
            proptest::prop_assert_eq!(product, Some(wide).filter(|wide| *wide <= i128::from(i64::MAX)));
        }
    }

    #[test]
    fn amounts_are_shown_exactly() {
        for (millionths, text) in
            [(12_500_000, "12.5"), (0, "0"), (1, "0.000001"), (7_000_000, "7"), (1_050_000, "1.05")]
        {
            assert_eq!(Amount(millionths).to_string(), text);
        }
    }

    #[test]
    fn the_short_way_reads_what_the_long_one_reads() {
        for text in ["0", "7", "0.01", "12.5", "1.000001", "9223372036854.775807", "100000"] {
            let scaled = Number::parse(text).unwrap().scaled(6).unwrap();
            assert_eq!(read_plain(text, 6).map(|value| (i128::from(value), true)), Some(scaled), "{text}");
        }
        for text in ["-1", "1e3", "0.0000001", "9223372036854.775808", "1.2.3"] {
            assert_eq!(read_plain(text, 6), None, "{text}");
        }
    }

    #[test]
    fn settings_are_exact_or_refused() {
        assert_eq!(Amount::exact("0.3"), Ok(Amount(300_000)));
        for text in ["-1", "0.0000001", "1e30", "9223372036855"] {
            assert!(Amount::exact(text).is_err(), "{text}");
        }
    }
}
