//! What a guard says of itself under one configuration, checked before anything relies on it.

use crate::bounds::{Bounds, quoted};
use crate::counter::Counter;
use crate::subject::Phase;
use crate::verdict::Verdict;

/// The most counters a guard may declare.
pub const MOST_COUNTERS: usize = 32;

/// A set of verdicts.
///
/// ```
/// # use agenthalt_core::{description::Verdicts, verdict::Verdict};
/// let verdicts = Verdicts { allow: true, deny: true, ..Verdicts::default() };
/// assert!(verdicts.contains(Verdict::Deny) && !verdicts.contains(Verdict::Modify));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// The guard may allow.
    pub allow: bool,
    /// The guard may modify.
    pub modify: bool,
    /// The guard may require approval.
    pub require_approval: bool,
    /// The guard may deny.
    pub deny: bool,
}

impl Verdicts {
    /// Whether a verdict is in the set.
    pub fn contains(self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Allow => self.allow,
            Verdict::Modify => self.modify,
            Verdict::RequireApproval => self.require_approval,
            Verdict::Deny => self.deny,
        }
    }
}

/// A set of phases, never empty where it comes from a policy or a guard.
///
/// ```
/// # use agenthalt_core::{description::Phases, subject::Phase};
/// let outputs_only = Phases { before: false, after: true };
/// assert!(outputs_only.contains(Phase::After) && !outputs_only.contains(Phase::Before));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// The call is judged before it runs.
    pub before: bool,
    /// The output is judged after it ran.
    pub after: bool,
}

impl Phases {
    /// Whether a phase is in the set.
    pub fn contains(self, phase: Phase) -> bool {
        match phase {
            Phase::Before => self.before,
            Phase::After => self.after,
        }
    }
}

/// What a guard says of itself; only [`Description::check`] lets one in from outside.
///
/// ```
/// # use agenthalt_core::bounds::Bounds;
/// # use agenthalt_core::counter::{Counter, Measure, Partition, Window};
/// # use agenthalt_core::description::{Description, Phases, Verdicts};
/// # let (verdicts, phases) = (Verdicts::default(), Phases { before: true, after: false });
/// # let (partition, window, measure) = (Partition::default(), Window::Day, Measure::Sum);
/// # let counters = vec![Counter { name: "spent_today".to_owned(), partition, window, measure }];
/// let (name, version) = ("budget".to_owned(), "1.0.0".to_owned());
/// let description = Description { name, version, verdicts, phases, counters }.check(&Bounds::default())?;
/// assert_eq!(description.counter("spent_today").map(|counter| counter.window), Some(Window::Day));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The guard's own name.
    pub name: String,
    /// The guard's version.
    pub version: String,
    /// The verdicts it may give.
    pub verdicts: Verdicts,
    /// The phases it judges.
    pub phases: Phases,
    /// The counters it reads and charges.
    pub counters: Vec<Counter>,
}

impl Description {
    /// Checks a description that came out of a guard.
    ///
    /// # Errors
    /// One sentence that says what it breaks.
    pub fn check(self, bounds: &Bounds) -> Result<Description, String> {
        for (what, text) in [("name", &self.name), ("version", &self.version)] {
            if text.trim().is_empty() {
                return Err(format!("the description's {what} is blank"));
            }
            if text.len() > bounds.name_bytes {
                return Err(format!("the description's {what} is longer than {} bytes", bounds.name_bytes));
            }
        }
        if !self.phases.before && !self.phases.after {
            return Err("it judges no phase".to_owned());
        }
        if self.counters.len() > MOST_COUNTERS {
            return Err(format!("{} counters are declared, at most {MOST_COUNTERS} may be", self.counters.len()));
        }
        for (index, counter) in self.counters.iter().enumerate() {
            let name = &counter.name;
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                return Err(format!("the counter name `{}` is not 1 to 64 of a-z, 0-9, _", quoted(name)));
            }
            if !counter.window.is_valid() {
                return Err(format!("the window of the counter `{name}` is not between 1 ms and 400 days"));
            }
            if self.counters.iter().take(index).any(|other| other.name == *name) {
                return Err(format!("the counter `{name}` is declared twice"));
            }
        }
        Ok(self)
    }

    /// The declared counter of this name.
    pub fn counter(&self, name: &str) -> Option<&Counter> {
        self.counters.iter().find(|counter| counter.name == name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::counter::{Measure, Partition, Window};

    #[test]
    fn a_counter_name_is_refused_without_being_quoted_in_full() {
        for name in ["A".repeat(1 << 20), "\u{1b}[2J".repeat(1 << 18), "é".repeat(1 << 19)] {
            let counter = Counter { name, partition: Partition::default(), window: Window::Day, measure: Measure::Sum };
            let description = Description {
                name: "test".to_owned(),
                version: "1".to_owned(),
                verdicts: Verdicts::default(),
                phases: Phases { before: true, after: false },
                counters: vec![counter],
            };
            let said = description.check(&Bounds::default()).unwrap_err();
            assert!(said.len() < 1_024 && !said.contains('\u{1b}'), "{} bytes", said.len());
        }
    }
}
