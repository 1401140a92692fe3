//! Amounts of money, or of anything else with decimals, as settings name them: exact to a millionth, never a
//! float. It computes nothing: guards and counters do.

use std::fmt;
use std::str::FromStr;

use agenthalt_json::{Json, Number};

/// How many decimal places an amount has at most.
const PLACES: u32 = 6;

/// A decimal of zero or more with at most six decimal places.
///
/// ```
/// # use agenthalt_core::amount::Amount;
/// let limit: Amount = "12.50".parse()?;
/// assert_eq!((limit.to_string().as_str(), limit.millionths()), ("12.5", 12_500_000));
/// assert_eq!(limit, Amount::from_millionths(12_500_000));
/// assert!(Amount::ZERO < limit && limit < Amount::from(13) && limit < Amount::MAX);
/// # Ok::<(), agenthalt_core::amount::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

/// The text is no amount.
///
/// ```
/// # use agenthalt_core::amount::Amount;
/// let error = "0.0000001".parse::<Amount>().unwrap_err();
/// assert!(error.to_string().starts_with("`0.0000001` is no amount"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount: a decimal of zero or more with at most six decimal places, as `12.50`")]
pub struct AmountError(String);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount that counters hold, about 9.2 million millions.
    pub const MAX: Amount = Amount(i64::MAX as u64);

    /// The amount of so many millionths; above [`MAX`](Self::MAX), that.
    pub const fn from_millionths(millionths: u64) -> Amount {
        if millionths > Amount::MAX.0 { Amount::MAX } else { Amount(millionths) }
    }

    /// The amount in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let scaled = Number::parse(text).and_then(|number| number.scaled(PLACES));
        let exact = scaled.filter(|(_, is_exact)| *is_exact).and_then(|(value, _)| u64::try_from(value).ok());
        let fits = exact.filter(|millionths| *millionths <= Amount::MAX.0);
        fits.map(Amount).ok_or_else(|| AmountError(crate::bounds::quoted(text)))
    }
}

impl From<u32> for Amount {
    /// So many whole units.
    fn from(units: u32) -> Self {
        Amount(u64::from(units) * 10_u64.pow(PLACES))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(PLACES);
        let fraction = format!("{:06}", self.0 % one);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / one),
            fraction => write!(f, "{}.{fraction}", self.0 / one),
        }
    }
}

impl From<Amount> for Json {
    /// The exact number.
    fn from(amount: Amount) -> Self {
        Number::parse(&amount.to_string()).map_or(Json::Null, Json::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_millionth() {
        for text in ["0", "0.000001", "10", "12.5", "9007199254740.992001", "9223372036854.775807"] {
            let amount: Result<Amount, _> = text.parse();
            assert_eq!(amount.as_ref().map(ToString::to_string).as_deref(), Ok(text));
            assert_eq!(amount.map(|amount| Json::from(amount).to_string()).as_deref(), Ok(text));
        }
        assert_eq!("1e3".parse(), Ok(Amount::from(1_000)));
        assert_eq!(Amount::from_millionths(u64::MAX), Amount::MAX);
    }

    #[test]
    fn what_is_no_amount_is_refused_and_not_rounded() {
        for text in ["", "ten", "-1", "-0.5", "0.0000001", "9223372036854.775808", "1e99", "1,5", " 1", "$1"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
