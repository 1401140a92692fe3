//! The settings of rate_limit. Seconds are exact to a millionth: no float takes part in a window.

use agenthalt_guard::{Amount, Problems};
use serde::Deserialize;

/// The longest window that a host keeps: 400 days.
const LONGEST_WINDOW_SECONDS: u32 = 400 * 24 * 60 * 60;

/// How often an agent may call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Denies a call of an agent that made so many calls in the last 60 seconds.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "minute", "unit": "calls" })))]
    pub max_calls_per_minute: Option<u64>,
    /// Denies a call of an agent that called the same function so many times in the last 60 seconds.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "function", "unit": "calls" })))]
    pub max_calls_per_minute_per_function: Option<u64>,
    /// Denies a call of a session that made so many calls.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "session", "unit": "calls" })))]
    pub max_calls_per_session: Option<u64>,
    /// Denies a call equal to the last so many of its agent, or a pair in turn one round later; a run of 1,000 always.
    pub max_identical_calls: Option<u64>,
    /// Denies a call of an agent that made so many in burst_window_seconds, and then all for cooldown_seconds.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "burst", "unit": "calls" })))]
    pub burst_threshold: Option<u64>,
    /// In how many seconds so many calls are a burst: decimals such as 0.5, kept to a millisecond, rounded up.
    #[cfg_attr(test, schemars(range(max = 34_560_000)))]
    pub burst_window_seconds: Option<Amount>,
    /// For how many seconds after a burst no call passes: decimals such as 0.5, kept to a millisecond, rounded up.
    pub cooldown_seconds: Option<Amount>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_calls_per_minute: Some(60),
            max_calls_per_minute_per_function: Some(20),
            max_calls_per_session: None,
            max_identical_calls: Some(3),
            burst_threshold: Some(10),
            burst_window_seconds: Some(Amount::whole(5)),
            cooldown_seconds: Some(Amount::whole(30)),
        }
    }
}

impl Settings {
    /// What the types do not say: how long a window may be.
    pub(crate) fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if self.burst_window_seconds > Some(Amount::whole(LONGEST_WINDOW_SECONDS)) {
            problems.add("/burst_window_seconds", "is too long: at most 34560000 seconds, which are 400 days");
        }
        problems.none_or(())
    }
}

/// Seconds as the milliseconds in which a host counts, rounded up: the longer window denies more.
pub(crate) fn milliseconds(seconds: Amount) -> i64 {
    let (whole, rest) = (seconds.millionths() / 1_000, seconds.millionths() % 1_000);
    whole + i64::from(rest > 0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::RateLimit;
    use agenthalt_guard::testing::TestGuard;
    use agenthalt_guard::{Json, read_settings, schema_text};

    fn pointers(problems: &Problems) -> Vec<&str> {
        problems.as_slice().iter().map(|problem| problem.pointer.as_str()).collect()
    }

    #[test]
    fn nothing_told_is_the_defaults_of_the_page() {
        let settings: Settings = read_settings("{}").unwrap();
        assert_eq!((settings.max_calls_per_minute, settings.max_calls_per_minute_per_function), (Some(60), Some(20)));
        assert_eq!((settings.max_calls_per_session, settings.max_identical_calls), (None, Some(3)));
        assert_eq!(settings.burst_threshold, Some(10));
        let seconds = [settings.burst_window_seconds, settings.cooldown_seconds];
        assert_eq!(seconds.map(|seconds| seconds.map(milliseconds)), [Some(5_000), Some(30_000)]);
    }

    #[test]
    fn null_switches_every_limit_off() {
        let text = r#"{"max_calls_per_minute":null,"max_calls_per_minute_per_function":null,
            "max_calls_per_session":null,"max_identical_calls":null,"burst_threshold":null,
            "burst_window_seconds":null,"cooldown_seconds":null}"#;
        let settings: Settings = read_settings(text).unwrap();
        assert!(settings.max_calls_per_minute.is_none() && settings.cooldown_seconds.is_none());
        assert!(TestGuard::<RateLimit>::new(text).is_ok());
    }

    #[test]
    fn limits_are_whole_numbers_of_zero_or_more() {
        for limit in [
            "max_calls_per_minute",
            "max_calls_per_minute_per_function",
            "max_calls_per_session",
            "max_identical_calls",
            "burst_threshold",
        ] {
            for value in ["30.5", "-1", "true", "\"10\"", "[1]", "1e-7", "1e30", "\"NaN\""] {
                let problems = read_settings::<Settings>(&format!(r#"{{"{limit}":{value}}}"#)).unwrap_err();
                assert_eq!(pointers(&problems), [format!("/{limit}")], "{value}");
            }
            for value in ["30.0", "3e1", "0", "18446744073709551615"] {
                assert!(TestGuard::<RateLimit>::new(&format!(r#"{{"{limit}":{value}}}"#)).is_ok(), "{limit} {value}");
            }
        }
    }

    #[test]
    fn seconds_are_read_exactly_and_rounded_up_to_a_millisecond() {
        for (value, expected) in
            [("5.0", 5_000), ("0.5", 500), ("0.1", 100), ("0", 0), ("0.0001", 1), ("1.000001", 1_001), ("2e0", 2_000)]
        {
            let text = format!(r#"{{"burst_window_seconds":{value},"cooldown_seconds":{value}}}"#);
            let settings: Settings = read_settings(&text).unwrap();
            let seconds = [settings.burst_window_seconds, settings.cooldown_seconds];
            assert_eq!(seconds.map(|seconds| seconds.map(milliseconds)), [Some(expected); 2], "{value}");
        }
        for value in ["-1", "-0.5", "true", "\"5\"", "1e300", "0.0000001"] {
            let text = format!(r#"{{"burst_window_seconds":{value},"cooldown_seconds":{value}}}"#);
            let problems = read_settings::<Settings>(&text).unwrap_err();
            assert_eq!(pointers(&problems).first(), Some(&"/burst_window_seconds"), "{value}");
        }
    }

    #[test]
    fn a_window_that_no_host_keeps_is_refused() {
        let window = |seconds| TestGuard::<RateLimit>::new(&format!(r#"{{"burst_window_seconds":{seconds}}}"#));
        assert!(window("34560000").is_ok());
        let problems = window("34560000.000001").err().unwrap();
        assert_eq!(pointers(&problems), ["/burst_window_seconds"]);
        assert!(TestGuard::<RateLimit>::new(r#"{"cooldown_seconds":9223372036854}"#).is_ok());
    }

    #[test]
    fn unknown_settings_are_refused() {
        let problems = read_settings::<Settings>(r#"{"max_calls_per_hour":1}"#).unwrap_err();
        assert_eq!(pointers(&problems), ["/max_calls_per_hour"]);
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-rate-limit -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
