//! What a guard may use. There is no "unlimited", and nothing can be set to nothing.

use std::time::Duration;

/// What one guard may use in one call. `configure` and `evaluate` may each burn the fuel.
///
/// Where nothing is said, a guard has 50 million fuel, 16 MiB of memory and 250 ms. The ceiling is 1,000
/// million fuel, 32 MiB and 2 seconds; nothing lifts it.
///
/// ```
/// # use agenthalt_core::limits::GuardLimits;
/// let default = GuardLimits::default();
/// assert_eq!((default.fuel(), default.memory_bytes(), default.time_ms()), (50_000_000, 16 << 20, 250));
/// let most = GuardLimits::CEILING;
/// assert_eq!((most.fuel(), most.memory_bytes(), most.time().as_secs()), (1_000_000_000, 32 << 20, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    fuel: u64,
    memory_bytes: u64,
    time_ms: u64,
}

/// The limit is zero or above the host's ceiling.
///
/// ```
/// # use agenthalt_core::limits::GuardLimits;
/// let error = GuardLimits::new(10_000_000, 8 << 20, 60_000).unwrap_err();
/// assert_eq!(error.to_string(), "the limit `time` is above the host's ceiling of 2000ms");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Zero means nothing could run.
    #[error("the limit `{0}` is zero; a guard needs some")]
    Zero(&'static str),
    /// The host allows less.
    #[error("the limit `{name}` is above the host's ceiling of {ceiling}")]
    AboveCeiling {
        /// Which limit.
        name: &'static str,
        /// The ceiling, with its unit.
        ceiling: String,
    },
}

impl GuardLimits {
    /// The most that any guard may be given: 1,000 million fuel, 32 MiB, 2 seconds.
    pub const CEILING: GuardLimits = GuardLimits { fuel: 1_000_000_000, memory_bytes: 32 << 20, time_ms: 2_000 };

    /// Limits of the given fuel, bytes of memory and milliseconds.
    ///
    /// ```
    /// # use agenthalt_core::limits::GuardLimits;
    /// let limits = GuardLimits::new(10_000_000, 8 << 20, 100)?;
    /// assert_eq!((limits.fuel(), limits.memory_bytes(), limits.time_ms()), (10_000_000, 8 << 20, 100));
    /// assert!(GuardLimits::new(10_000_000, 64 << 20, 100).is_err());
    /// # Ok::<(), agenthalt_core::limits::LimitError>(())
    /// ```
    ///
    /// # Errors
    /// [`LimitError`] for zero and for what is above [`GuardLimits::CEILING`].
    pub fn new(fuel: u64, memory_bytes: u64, time_ms: u64) -> Result<Self, LimitError> {
        for (name, value) in [("fuel", fuel), ("memory", memory_bytes), ("time", time_ms)] {
            if value == 0 {
                return Err(LimitError::Zero(name));
            }
        }
        let ceiling = Self::CEILING;
        if fuel > ceiling.fuel {
            return Err(LimitError::AboveCeiling { name: "fuel", ceiling: ceiling.fuel.to_string() });
        }
        if memory_bytes > ceiling.memory_bytes {
            return Err(LimitError::AboveCeiling {
                name: "memory",
                ceiling: format!("{}MiB", ceiling.memory_bytes >> 20),
            });
        }
        if time_ms > ceiling.time_ms {
            return Err(LimitError::AboveCeiling { name: "time", ceiling: format!("{}ms", ceiling.time_ms) });
        }
        Ok(GuardLimits { fuel, memory_bytes, time_ms })
    }

    /// The same limits for what is done once, when a policy is loaded: with all the time there may be. Fuel
    /// bounds it all the same, and a fault then would stay for as long as the policy serves.
    ///
    /// ```
    /// # use agenthalt_core::limits::GuardLimits;
    /// let limits = GuardLimits::default().at_load();
    /// assert_eq!((limits.fuel(), limits.time_ms()), (50_000_000, 2_000));
    /// ```
    #[must_use]
    pub fn at_load(&self) -> Self {
        GuardLimits { time_ms: Self::CEILING.time_ms, ..*self }
    }

    /// The fuel that each of `configure` and `evaluate` may burn.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Bytes of all linear memories together.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Wall time of `configure` and `evaluate` together.
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.time_ms)
    }

    /// Wall time in milliseconds.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }
}

impl Default for GuardLimits {
    /// 50 million fuel, 16 MiB, 250 ms.
    fn default() -> Self {
        GuardLimits { fuel: 50_000_000, memory_bytes: 16 << 20, time_ms: 250 }
    }
}

/// Reads a size: a number with `B`, `KiB` or `MiB`, as `16MiB`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]
        .into_iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, factor)))?;
    whole_number(digits)?.checked_mul(factor)
}

/// Reads a time in milliseconds: a whole number with `ms`, `s`, `m`, `h` or `d`, as `250ms` or `24h`. None for anything
/// else.
///
/// ```
/// # use agenthalt_core::limits::parse_time_ms;
/// assert_eq!((parse_time_ms("10m"), parse_time_ms("soon")), (Some(600_000), None));
/// ```
pub fn parse_time_ms(text: &str) -> Option<u64> {
    const SECOND: u64 = 1_000;
    let text = text.trim();
    let units = [("ms", 1), ("s", SECOND), ("m", 60 * SECOND), ("h", 3_600 * SECOND), ("d", 24 * 3_600 * SECOND)];
    let (digits, factor) =
        units.into_iter().find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, factor)))?;
    whole_number(digits)?.checked_mul(factor)
}

fn whole_number(digits: &str) -> Option<u64> {
    let digits = digits.trim_end();
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_nothing_nor_everything_can_be_set() {
        assert_eq!(GuardLimits::new(0, 1, 1), Err(LimitError::Zero("fuel")));
        assert_eq!(GuardLimits::new(1, 0, 1), Err(LimitError::Zero("memory")));
        assert_eq!(GuardLimits::new(1, 1, 0), Err(LimitError::Zero("time")));
        assert!(GuardLimits::new(u64::MAX, 1, 1).is_err());
        assert!(GuardLimits::new(1, u64::MAX, 1).is_err());
        assert!(GuardLimits::new(1, 1, u64::MAX).is_err());
    }

    #[test]
    fn sizes_and_times_carry_their_unit() {
        assert_eq!(parse_size("16MiB"), Some(16 << 20));
        assert_eq!(parse_size("64 KiB"), Some(64 << 10));
        assert_eq!(parse_time_ms("250ms"), Some(250));
        assert_eq!(parse_time_ms("2s"), Some(2_000));
        assert_eq!((parse_time_ms("10m"), parse_time_ms("24h")), (Some(600_000), Some(86_400_000)));
        assert_eq!((parse_time_ms("7d"), parse_time_ms("7 days")), (Some(604_800_000), None));
        for text in ["", "16", "16MB", "-1MiB", "1.5MiB", "99999999999999MiB", "unlimited"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(parse_time_ms("250"), None);
    }
}
