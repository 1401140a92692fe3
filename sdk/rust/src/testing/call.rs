//! Calls for tests, and their time on the clock. Time is given and never read.

use agenthalt_json::Json;

use crate::call::{named_agent, named_session};
use crate::{Call, CivilTime, Document, Phase};

/// 2026-01-15T12:00:00Z, a Thursday.
const NOON_MS: i64 = 1_768_478_400_000;
const DAY_SECONDS: i64 = 24 * 3_600;

/// A call to be judged: without arguments, agent and session, at noon on Thursday the 15th of January
/// 2026 (UTC), unless told.
#[derive(Clone, Debug)]
pub struct TestCall {
    function_name: String,
    arguments: String,
    metadata: String,
    agent: Option<String>,
    session: Option<String>,
    time_ms: i64,
    offset_seconds: i32,
    output: Option<String>,
}

impl TestCall {
    /// A call of this function.
    pub fn new(function_name: &str) -> TestCall {
        TestCall {
            function_name: function_name.to_owned(),
            arguments: "{}".to_owned(),
            metadata: "{}".to_owned(),
            agent: None,
            session: None,
            time_ms: NOON_MS,
            offset_seconds: 0,
            output: None,
        }
    }

    /// With these arguments: one JSON object, in any form.
    pub fn arguments(mut self, json: &str) -> TestCall {
        self.arguments = canonical(json);
        self
    }

    /// With this metadata: one JSON object, in any form.
    pub fn metadata(mut self, json: &str) -> TestCall {
        self.metadata = canonical(json);
        self
    }

    /// By this agent.
    pub fn agent(mut self, agent: &str) -> TestCall {
        self.agent = Some(agent.to_owned());
        self
    }

    /// In this session.
    pub fn session(mut self, session: &str) -> TestCall {
        self.session = Some(session.to_owned());
        self
    }

    /// At this time: milliseconds since 1970-01-01T00:00:00Z.
    pub fn at_ms(mut self, time_ms: i64) -> TestCall {
        self.time_ms = time_ms;
        self
    }

    /// So many seconds later than it was.
    pub fn seconds_later(mut self, seconds: i64) -> TestCall {
        self.time_ms += seconds * 1_000;
        self
    }

    /// On a clock that is so many seconds ahead of UTC.
    pub fn offset_seconds(mut self, seconds: i32) -> TestCall {
        self.offset_seconds = seconds;
        self
    }

    /// After it ran, with this output.
    pub fn output(mut self, output: &str) -> TestCall {
        self.output = Some(output.to_owned());
        self
    }

    pub(super) fn to_call(&self) -> Call {
        Call {
            id: "test".to_owned(),
            function_name: self.function_name.clone(),
            arguments: Document::new(&self.arguments),
            agent: named_agent(self.agent.clone()),
            session: named_session(self.session.clone()),
            tenant: "default".to_owned(),
            time_ms: self.time_ms,
            civil: civil_time(self.time_ms, self.offset_seconds),
            metadata: Document::new(&self.metadata),
            phase: self.output.clone().map_or(Phase::Before, Phase::After),
        }
    }
}

/// The canonical form; what is no JSON stays, and the guard's reading of it is a fault.
fn canonical(json: &str) -> String {
    Json::parse(json).map_or_else(|_| json.to_owned(), |json| json.to_string())
}

/// The time on a clock that is so many seconds ahead of UTC.
pub(super) fn civil_time(time_ms: i64, offset_seconds: i32) -> CivilTime {
    let seconds = time_ms.div_euclid(1_000) + i64::from(offset_seconds);
    let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let (year, month, day) = date(days);
    let small = |value: i64| u8::try_from(value).unwrap_or_default();
    CivilTime {
        year: i32::try_from(year).unwrap_or_default(),
        month: small(month),
        day: small(day),
        weekday: small((days + 3).rem_euclid(7) + 1),
        hour: small(second / 3_600),
        minute: small(second / 60 % 60),
        second: small(second % 60),
        offset_seconds,
    }
}

/// The date so many days after 1970-01-01.
///
/// Years are counted from March, so that the leap day ends one: then every month's first day stands at
/// `(153 * month + 2) / 5`.
fn date(days: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    let since = days + 719_468;
    let (cycle, day) = (since.div_euclid(CYCLE), since.rem_euclid(CYCLE));
    let year = (day - day / 1_460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_the_right_day() {
        let civil = civil_time(NOON_MS, 0);
        assert_eq!((civil.year, civil.month, civil.day, civil.weekday, civil.hour), (2026, 1, 15, 4, 12));
        let civil = civil_time(0, -1);
        assert_eq!((civil.year, civil.month, civil.day, civil.weekday, civil.hour), (1969, 12, 31, 3, 23));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(11_017), (2000, 3, 1));
    }
}
