//! Counters, partitions, windows, readings and charges. It keeps no number itself.

use crate::time::{TimeZone, Timestamp};

/// How many of the last charges a run looks at.
pub const LONGEST_RUN: usize = 1_000;
/// The longest rolling window: 400 days.
const LONGEST_WINDOW_MS: u64 = 400 * 24 * 60 * 60 * 1_000;

/// A number that the host keeps, as a guard declares it.
///
/// ```
/// # use agenthalt_core::counter::{Counter, Measure, Partition, Window};
/// let partition = Partition { agent: true, ..Partition::default() };
/// let name = "spent_today".to_owned();
/// let counter = Counter { name, partition, window: Window::Day, measure: Measure::Sum };
/// assert!(counter.window.is_valid());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The counter's name within its guard.
    pub name: String,
    /// By what it is kept apart.
    pub partition: Partition,
    /// Which charges it still sees.
    pub window: Window,
    /// What its reading tells.
    pub measure: Measure,
}

/// By what a counter is kept apart; nothing set: one for all calls of the tenant.
///
/// ```
/// # use agenthalt_core::counter::Partition;
/// let one_for_all = Partition::default();
/// let one_for_each_agent = Partition { agent: true, ..one_for_all };
/// assert_ne!(one_for_each_agent, one_for_all);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// By agent, in its folded form.
    pub agent: bool,
    /// By session, as given.
    pub session: bool,
    /// By function name, in its folded form.
    pub function: bool,
    /// By function name and canonical original arguments.
    pub arguments: bool,
}

/// Which charges a counter still sees.
///
/// ```
/// # use agenthalt_core::counter::Window;
/// # use agenthalt_core::time::{TimeZone, Timestamp};
/// let now = Timestamp::from_rfc3339("2026-01-15T12:00:00Z")?;
/// let midnight = Timestamp::from_rfc3339("2026-01-15T00:00:00Z")?;
/// assert_eq!(Window::Day.start(now, &TimeZone::utc()), midnight.as_millis());
/// assert!(Window::RollingMs(60_000).is_valid() && !Window::RollingMs(0).is_valid());
/// # Ok::<(), agenthalt_core::time::NotATime>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those at most this many milliseconds old; one exactly as old still counts.
    RollingMs(u64),
    /// Those of the present calendar day.
    Day,
    /// Those of the present calendar month.
    Month,
    /// All.
    Ever,
}

impl Window {
    /// Whether the window is one that the host keeps: a rolling one is 1 ms to 400 days long.
    pub fn is_valid(self) -> bool {
        match self {
            Window::RollingMs(length) => (1..=LONGEST_WINDOW_MS).contains(&length),
            Window::Day | Window::Month | Window::Ever => true,
        }
    }

    /// The oldest instant that the window still sees at `now`.
    pub fn start(self, now: Timestamp, zone: &TimeZone) -> i64 {
        match self {
            Window::RollingMs(length) => now.as_millis().saturating_sub(i64::try_from(length).unwrap_or(i64::MAX)),
            Window::Day => zone.start_of_day(now).as_millis(),
            Window::Month => zone.start_of_month(now).as_millis(),
            Window::Ever => i64::MIN,
        }
    }
}

/// What the reading of a counter tells.
///
/// ```
/// # use agenthalt_core::counter::{Measure, run_length};
/// // The call is `a`; before it came `b`, before that `a`, before that `b`.
/// assert_eq!(run_length(Measure::RunOfSame, &'a', &['b', 'a', 'b']), 0);
/// assert_eq!(run_length(Measure::RunOfTwo, &'a', &['b', 'a', 'b']), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The sum of the charged amounts.
    Sum,
    /// The number of charges.
    Count,
    /// The time of the last charge, in milliseconds since 1970-01-01T00:00:00Z.
    LastTime,
    /// How many of the last charges, without a gap, came from calls equal to this one.
    RunOfSame,
    /// How many of the last charges, without a gap, form with this call a sequence in which every
    /// second call is equal.
    RunOfTwo,
}

impl Measure {
    /// Whether it adds up charges; the others look at the last ones.
    pub fn adds_up(self) -> bool {
        match self {
            Measure::Sum | Measure::Count => true,
            Measure::LastTime | Measure::RunOfSame | Measure::RunOfTwo => false,
        }
    }
}

/// The length of a run: `calls` tells what the last charges came from, the last one first.
pub fn run_length<T: PartialEq>(measure: Measure, present: &T, calls: &[T]) -> usize {
    let period = match measure {
        Measure::RunOfSame => 1,
        Measure::RunOfTwo => 2,
        Measure::Sum | Measure::Count | Measure::LastTime => return 0,
    };
    let sequence = |index: usize| if index == 0 { Some(present) } else { calls.get(index - 1) };
    let mut length = 0;
    while length < calls.len().min(LONGEST_RUN) {
        let place = length + 1;
        if place >= period && sequence(place) != sequence(place - period) {
            break;
        }
        length += 1;
    }
    length
}

/// A counter's value at the time of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The counter's name within its guard.
    pub counter: String,
    /// The value; none for the time of the last charge before the first.
    pub value: Option<i64>,
}

/// When a charge counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeWhen {
    /// If the call is let through.
    Permitted,
    /// Also when the call is refused.
    Always,
}

/// An amount that a guard proposes to add to one of its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The counter's name within its guard.
    pub counter: String,
    /// Zero or more; money in millionths of the unit.
    pub amount: i64,
    /// When it counts.
    pub when: ChargeWhen,
    /// Whether the settled cost of the call replaces the amount.
    pub settles: bool,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_run_of_the_same_ends_at_the_first_other_call() {
        let run = |calls: &[char]| run_length(Measure::RunOfSame, &'a', calls);
        assert_eq!(run(&[]), 0);
        assert_eq!(run(&['a', 'a', 'b', 'a']), 2);
        assert_eq!(run(&['b', 'a', 'a']), 0);
        assert_eq!(run(&['a'; 1_500]), 1_000);
    }

    #[test]
    fn a_run_of_two_alternates_with_the_present_call() {
        let run = |calls: &[char]| run_length(Measure::RunOfTwo, &'a', calls);
        assert_eq!(run(&[]), 0);
        assert_eq!(run(&['b']), 1);
        assert_eq!(run(&['b', 'a', 'b', 'a']), 4);
        assert_eq!(run(&['b', 'a', 'b', 'c', 'b']), 3);
        assert_eq!(run(&['b', 'c']), 1);
        assert_eq!(run(&['a', 'a', 'a']), 3);
    }

    #[test]
    fn a_rolling_window_still_sees_what_is_exactly_as_old() {
        let now = Timestamp::from_millis(60_000).unwrap();
        assert_eq!(Window::RollingMs(60_000).start(now, &TimeZone::utc()), 0);
        assert!(!Window::RollingMs(0).is_valid());
        assert!(!Window::RollingMs(u64::MAX).is_valid());
    }
}
