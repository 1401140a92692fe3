//! The limits that are set, in the order in which they are judged. A limit that is not set is neither
//! declared nor charged.

use agenthalt_guard::{Amount, Counter};

use crate::Settings;
use crate::settings::milliseconds;

/// How many milliseconds a minute has.
const MINUTE_MS: u64 = 60_000;
/// How many calls of a run are looked at: a run so long reaches every limit.
const LONGEST_RUN: u64 = 1_000;

/// A limit that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) kind: Kind,
    /// The limit as it was set.
    pub(crate) set: u64,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Minute,
    Function,
    Session,
    /// Equal calls in a row.
    Same,
    /// Calls that go on in turn with one other.
    Turns,
    /// Calls in a window of so many seconds.
    Burst(Amount),
}

impl Limit {
    /// The name of the counter.
    pub(crate) fn counter_name(self) -> &'static str {
        match self.kind {
            Kind::Minute => "minute",
            Kind::Function => "function",
            Kind::Session => "session",
            Kind::Same => "same",
            Kind::Turns => "turns",
            Kind::Burst(_) => "burst",
        }
    }

    /// The name of the setting.
    pub(crate) fn setting(self) -> &'static str {
        match self.kind {
            Kind::Minute => "max_calls_per_minute",
            Kind::Function => "max_calls_per_minute_per_function",
            Kind::Session => "max_calls_per_session",
            Kind::Same | Kind::Turns => "max_identical_calls",
            Kind::Burst(_) => "burst_threshold",
        }
    }

    /// How many earlier calls deny the next.
    pub(crate) fn most(self) -> u64 {
        match self.kind {
            Kind::Minute | Kind::Function | Kind::Session | Kind::Burst(_) => self.set,
            Kind::Same => self.set.min(LONGEST_RUN),
            // One round more than equal calls, of two calls each.
            Kind::Turns => self.set.saturating_add(1).saturating_mul(2).min(LONGEST_RUN),
        }
    }

    pub(crate) fn counter(self) -> Counter {
        let name = self.counter_name();
        match self.kind {
            Kind::Minute => Counter::count(name).per_agent().rolling_ms(MINUTE_MS),
            Kind::Function => Counter::count(name).per_agent().per_function().rolling_ms(MINUTE_MS),
            Kind::Session => Counter::count(name).per_session(),
            Kind::Same => Counter::run_of_same(name).per_agent(),
            Kind::Turns => Counter::run_of_two(name).per_agent(),
            Kind::Burst(window) => Counter::count(name).per_agent().rolling_ms(window_ms(window)),
        }
    }
}

/// The limits that are set.
pub(crate) fn set(settings: &Settings) -> impl Iterator<Item = Limit> {
    let burst = settings.burst_window_seconds.map(Kind::Burst);
    let limits = [
        (Some(Kind::Minute), settings.max_calls_per_minute),
        (Some(Kind::Function), settings.max_calls_per_minute_per_function),
        (Some(Kind::Session), settings.max_calls_per_session),
        (Some(Kind::Same), settings.max_identical_calls),
        (Some(Kind::Turns), settings.max_identical_calls),
        (burst, settings.burst_threshold),
    ];
    limits.into_iter().filter_map(|(kind, set)| Some(Limit { kind: kind?, set: set? }))
}

/// The window in the milliseconds of a host, which knows none of nothing: there the calls of one instant
/// are the burst.
fn window_ms(window: Amount) -> u64 {
    u64::try_from(milliseconds(window)).unwrap_or_default().max(1)
}
