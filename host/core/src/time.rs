//! Stamps, civil time, and where calendar days and months begin. It never reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;

use crate::bounds::quoted;

/// The instant at which a call is judged: milliseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// # use agenthalt_core::time::Timestamp;
/// let stamp = Timestamp::from_rfc3339("2026-01-15T13:00:00.250+01:00")?;
/// assert_eq!(stamp.to_string(), "2026-01-15T12:00:00.250Z");
/// assert_eq!(Timestamp::from_millis(stamp.as_millis())?, stamp);
/// assert_eq!(Timestamp::EPOCH.as_millis(), 0);
/// # Ok::<(), agenthalt_core::time::NotATime>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// An instant outside the years -9999 to 9999, or text that names no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time: `{0}`; write RFC 3339 (`2026-01-15T12:00:00Z`) or Unix seconds")]
pub struct NotATime(String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// A stamp from milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`NotATime`] outside the years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Result<Self, NotATime> {
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(_) => Ok(Timestamp(millis)),
            Err(_) => Err(NotATime(millis.to_string())),
        }
    }

    /// A stamp from RFC 3339 text; what is finer than a millisecond is cut off.
    ///
    /// # Errors
    /// [`NotATime`] where the text names no instant.
    pub fn from_rfc3339(text: &str) -> Result<Self, NotATime> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| NotATime(quoted(text)))?;
        Ok(Timestamp(instant.as_millisecond()))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// So many milliseconds later, or the last instant there is.
    #[must_use]
    pub fn saturating_add(self, millis: u64) -> Self {
        let last = Timestamp(jiff::Timestamp::MAX.as_millisecond());
        let later = i64::try_from(millis).ok().and_then(|millis| self.0.checked_add(millis));
        later.map_or(last, |later| Timestamp(later).min(last))
    }

    fn instant(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.instant())
    }
}

/// A time zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    zone: jiff::tz::TimeZone,
}

/// No time zone has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{0}`; use an IANA name such as `Europe/Berlin`")]
pub struct UnknownTimeZone(String);

impl TimeZone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        TimeZone { name: "UTC".to_owned(), zone: jiff::tz::TimeZone::UTC }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What this zone's clock shows at an instant.
    pub fn civil(&self, at: Timestamp) -> CivilTime {
        let zoned = at.instant().to_zoned(self.zone.clone());
        CivilTime {
            year: i32::from(zoned.year()),
            month: zoned.month().unsigned_abs(),
            day: zoned.day().unsigned_abs(),
            weekday: zoned.weekday().to_monday_one_offset().unsigned_abs(),
            hour: zoned.hour().unsigned_abs(),
            minute: zoned.minute().unsigned_abs(),
            second: zoned.second().unsigned_abs(),
            offset_seconds: zoned.offset().seconds(),
        }
    }

    /// The first instant of the calendar day in which `at` lies.
    pub fn start_of_day(&self, at: Timestamp) -> Timestamp {
        let zoned = at.instant().to_zoned(self.zone.clone());
        zoned.start_of_day().map_or(at, |start| Timestamp(start.timestamp().as_millisecond()))
    }

    /// The first instant of the calendar month in which `at` lies.
    pub fn start_of_month(&self, at: Timestamp) -> Timestamp {
        let zoned = at.instant().to_zoned(self.zone.clone());
        zoned
            .first_of_month()
            .and_then(|first| first.start_of_day())
            .map_or(at, |start| Timestamp(start.timestamp().as_millisecond()))
    }
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| UnknownTimeZone(quoted(name)))?;
        Ok(TimeZone { name: zone.iana_name().unwrap_or(name).to_owned(), zone })
    }
}

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilTime {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Seconds to add to UTC for this clock.
    pub offset_seconds: i32,
}

const _: () = assert!(Weekday::Monday.to_monday_one_offset() == 1, "the contract counts from Monday");

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn days_begin_where_the_zone_says() {
        let berlin: TimeZone = "Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.start_of_day(at("2026-01-15T23:30:00Z")), at("2026-01-15T23:00:00Z"));
        assert_eq!(TimeZone::utc().start_of_day(at("2026-01-15T23:30:00Z")), at("2026-01-15T00:00:00Z"));
        // The day on which the clocks go forward has 23 hours.
        assert_eq!(berlin.start_of_day(at("2026-03-29T21:59:59Z")), at("2026-03-28T23:00:00Z"));
        assert_eq!(berlin.start_of_day(at("2026-03-29T22:00:00Z")), at("2026-03-29T22:00:00Z"));
        // In Beirut midnight itself is skipped on that day.
        let beirut: TimeZone = "Asia/Beirut".parse().unwrap();
        assert_eq!(beirut.start_of_day(at("2026-03-29T12:00:00Z")), at("2026-03-28T22:00:00Z"));
    }

    #[test]
    fn months_begin_on_their_first_day() {
        let utc = TimeZone::utc();
        assert_eq!(utc.start_of_month(at("2026-02-28T23:59:59.999Z")), at("2026-02-01T00:00:00Z"));
        // The 29th of a leap year belongs to February, and is a day of its own.
        assert_eq!(utc.start_of_month(at("2028-02-29T23:59:59.999Z")), at("2028-02-01T00:00:00Z"));
        assert_eq!(utc.start_of_day(at("2028-02-29T12:00:00Z")), at("2028-02-29T00:00:00Z"));
        assert_eq!(utc.start_of_month(at("2028-03-01T00:00:00Z")), at("2028-03-01T00:00:00Z"));
        let tokyo: TimeZone = "Asia/Tokyo".parse().unwrap();
        assert_eq!(tokyo.start_of_month(at("2026-01-31T15:00:00Z")), at("2026-01-31T15:00:00Z"));
    }

    #[test]
    fn civil_time_counts_weekdays_from_monday() {
        let civil = TimeZone::utc().civil(at("2026-01-15T12:00:00Z"));
        assert_eq!((civil.year, civil.month, civil.day, civil.weekday, civil.hour), (2026, 1, 15, 4, 12));
        let kathmandu: TimeZone = "Asia/Kathmandu".parse().unwrap();
        let civil = kathmandu.civil(at("2026-01-18T18:30:00Z"));
        assert_eq!((civil.weekday, civil.hour, civil.minute, civil.offset_seconds), (1, 0, 15, 20_700));
    }

    #[test]
    fn what_names_no_time_or_zone_is_refused() {
        assert!(Timestamp::from_rfc3339("2026-13-01T00:00:00Z").is_err());
        assert!(Timestamp::from_rfc3339("yesterday").is_err());
        assert!(Timestamp::from_millis(i64::MAX).is_err());
        assert!("Mars/Olympus".parse::<TimeZone>().is_err());
        assert_eq!(at("2026-01-15T12:00:00Z").to_string(), "2026-01-15T12:00:00.000Z");
    }
}
