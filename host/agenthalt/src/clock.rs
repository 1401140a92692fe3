//! What stamps a call: the machine's clock, unless a program brings its own. Nothing else reads one.

use std::time::{SystemTime, UNIX_EPOCH};

use agenthalt_core::time::Timestamp;

/// Stamps calls. Windows, guards, approvals and the audit log all use the stamp, so a clock belongs to
/// the host: one that an agent could set would let it choose its windows.
///
/// ```
/// use agenthalt::testing::FixedClock;
/// use agenthalt::{PolicyEngine, settings::Budget};
///
/// let clock = FixedClock::at("2026-01-15T12:00:00Z");
/// let engine = PolicyEngine::builder().guard(Budget::default()).clock(clock.clone()).build()?;
/// # Ok::<(), agenthalt::Error>(())
/// ```
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. One that stands before 1970 or beyond the year 9999 is taken as 1970, where no
/// counter's own clock follows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millis(millis).ok()).unwrap_or(Timestamp::EPOCH)
    }
}
