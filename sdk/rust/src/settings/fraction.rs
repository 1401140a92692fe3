//! A part of a limit, exact. It never becomes a float on its way to a comparison.

use std::fmt;

use agenthalt_json::Number;

use crate::amount::{read_plain, write_scaled};

/// Ten to the power of [`PLACES`].
const ONE: i128 = 1_000_000_000_000_000_000;
/// How many decimal places are kept.
const PLACES: u32 = 18;

/// A number from 0 to 1, exact to 18 decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction(i64);

impl Fraction {
    /// So many hundredths; at most 100.
    pub const fn percent(hundredths: u8) -> Fraction {
        let hundredths = if hundredths > 100 { 100 } else { hundredths };
        Fraction(hundredths as i64 * 10_000_000_000_000_000)
    }

    /// Whether a total is above this part of a limit; equal is not above.
    pub fn is_exceeded(self, total: i128, limit: i64) -> bool {
        // A total that does not fit times one is above every limit.
        total.checked_mul(ONE).is_none_or(|total| total > i128::from(self.0) * i128::from(limit))
    }

    pub(crate) fn exact(number: &str) -> Result<Fraction, &'static str> {
        if let Some(scaled) = read_plain(number, PLACES).filter(|scaled| i128::from(*scaled) <= ONE) {
            return Ok(Fraction(scaled));
        }
        let number = Number::parse(number).ok_or("expected a number")?;
        match number.scaled(PLACES) {
            Some((scaled, exact)) if (0..=ONE).contains(&scaled) && !number.is_negative() => {
                let scaled = i64::try_from(scaled).map_err(|_| "expected a number from 0 to 1")?;
                if exact { Ok(Fraction(scaled)) } else { Err("a fraction has at most 18 decimal places") }
            }
            Some(_) | None => Err("expected a number from 0 to 1"),
        }
    }

    /// The nearest number, for the schema.
    #[cfg(feature = "schema")]
    pub(crate) fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

impl fmt::Display for Fraction {
    /// Writes the exact decimal without trailing zeros: `0.8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, PLACES)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn equal_is_not_above() {
        let warn = Fraction::exact("0.8").unwrap();
        assert_eq!(warn, Fraction::percent(80));
        assert!(!warn.is_exceeded(8_000_000, 10_000_000));
        assert!(warn.is_exceeded(8_000_001, 10_000_000));
        assert!(Fraction::percent(100).is_exceeded(i128::MAX, i64::MAX));
        assert!(Fraction::percent(0).is_exceeded(1, i64::MAX));
    }

    #[test]
    fn fractions_are_shown_as_they_are_meant() {
        for (text, shown) in
            [("0", "0"), ("1.0", "1"), ("0.80", "0.8"), ("0.000000000000000001", "0.000000000000000001")]
        {
            assert_eq!(Fraction::exact(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn only_numbers_from_nothing_to_one_are_fractions() {
        for text in ["0", "1", "1.0", "0.333333333333333333"] {
            assert!(Fraction::exact(text).is_ok(), "{text}");
        }
        for text in ["-0.1", "1.0000001", "2", "0.1234567890123456789", "x"] {
            assert!(Fraction::exact(text).is_err(), "{text}");
        }
    }
}
