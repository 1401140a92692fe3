//! The cooldown: the time after a burst in which no call of the agent passes. Only a burst starts it, so
//! without a burst limit there is none.

use agenthalt_guard::{Amount, Call, Charge, Counter, Error, Readings};

use crate::Settings;
use crate::settings::milliseconds;

const COUNTER: &str = "cooldown";

/// A cooldown that a burst starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) seconds: Amount,
}

impl Cooldown {
    /// The cooldown of these settings, where there is one.
    pub(crate) fn of(settings: &Settings) -> Option<Cooldown> {
        let _ = settings.burst_threshold.and(settings.burst_window_seconds)?;
        let seconds = settings.cooldown_seconds.filter(|seconds| *seconds > Amount::ZERO)?;
        Some(Cooldown { seconds })
    }

    pub(crate) fn counter() -> Counter {
        Counter::last_time(COUNTER).per_agent()
    }

    /// Starts it, with a call that is denied.
    pub(crate) fn start() -> Charge {
        Charge::always(COUNTER, 1)
    }

    /// How much of it is left for this call; none once its seconds have passed. A clock that went
    /// backwards lengthens it.
    pub(crate) fn left(self, call: &Call, readings: &Readings) -> Result<Option<Amount>, Error> {
        let Some(started_ms) = readings.last_time(COUNTER)? else {
            return Ok(None);
        };
        let passed_ms = call.time_ms.saturating_sub(started_ms);
        let left_ms = milliseconds(self.seconds).saturating_sub(passed_ms);
        let left = Amount::from_millionths(left_ms.saturating_mul(1_000)).filter(|left| *left > Amount::ZERO);
        Ok(left)
    }
}
