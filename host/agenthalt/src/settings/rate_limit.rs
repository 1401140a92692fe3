//! The settings of the guard `rate_limit`.
//! Written by `cargo xtask docs` from `guards/rate-limit/schema.json`: edit that, never this.

use agenthalt_json::Object;

use super::Setting;
use crate::{Amount, GuardSetup};

/// How often an agent may call.
///
/// ```
/// use agenthalt::settings::RateLimit;
/// let rate_limit = RateLimit {
///     max_calls_per_minute: Some(30),
///     max_calls_per_session: Some(200),
///     ..RateLimit::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Denies a call of an agent that made so many in burst_window_seconds, and then all for cooldown_seconds.
    ///
    /// Default: `10`.
    pub burst_threshold: Option<u64>,
    /// In how many seconds so many calls are a burst: decimals such as 0.5, kept to a millisecond, rounded up.
    ///
    /// Default: `5`.
    pub burst_window_seconds: Option<Amount>,
    /// For how many seconds after a burst no call passes: decimals such as 0.5, kept to a millisecond, rounded
    /// up.
    ///
    /// Default: `30`.
    pub cooldown_seconds: Option<Amount>,
    /// Denies a call of an agent that made so many calls in the last 60 seconds.
    ///
    /// Default: `60`.
    pub max_calls_per_minute: Option<u64>,
    /// Denies a call of an agent that called the same function so many times in the last 60 seconds.
    ///
    /// Default: `20`.
    pub max_calls_per_minute_per_function: Option<u64>,
    /// Denies a call of a session that made so many calls.
    ///
    /// Default: none.
    pub max_calls_per_session: Option<u64>,
    /// Denies a call equal to the last so many of its agent, or a pair in turn one round later; a run of 1,000
    /// always.
    ///
    /// Default: `3`.
    pub max_identical_calls: Option<u64>,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit {
            burst_threshold: Some(10),
            burst_window_seconds: Some(Amount::from_millionths(5_000_000)),
            cooldown_seconds: Some(Amount::from_millionths(30_000_000)),
            max_calls_per_minute: Some(60),
            max_calls_per_minute_per_function: Some(20),
            max_calls_per_session: None,
            max_identical_calls: Some(3),
        }
    }
}

impl From<RateLimit> for GuardSetup {
    fn from(settings: RateLimit) -> Self {
        let settings = Object::from_iter([
            ("burst_threshold", settings.burst_threshold.json()),
            ("burst_window_seconds", settings.burst_window_seconds.json()),
            ("cooldown_seconds", settings.cooldown_seconds.json()),
            ("max_calls_per_minute", settings.max_calls_per_minute.json()),
            ("max_calls_per_minute_per_function", settings.max_calls_per_minute_per_function.json()),
            ("max_calls_per_session", settings.max_calls_per_session.json()),
            ("max_identical_calls", settings.max_identical_calls.json()),
        ]);
        GuardSetup::built_in("rate_limit", settings)
    }
}
