//! What may be said of a call, and how all that is said comes to one verdict. Total and pure.

use std::collections::BTreeSet;
use std::fmt;

/// What may be said of a call, from the mildest to the strictest.
///
/// ```
/// # use agenthalt_core::verdict::Verdict;
/// let running = Verdict::ALL.into_iter().filter(|verdict| verdict.lets_through());
/// assert_eq!(running.map(Verdict::as_str).collect::<Vec<_>>(), ["allow", "modify"]);
/// assert!(Verdict::Deny > Verdict::RequireApproval);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The call may run as it is.
    Allow,
    /// The call may run with other arguments.
    Modify,
    /// A human decides.
    RequireApproval,
    /// The call must not run.
    Deny,
}

impl Verdict {
    /// All verdicts, from the mildest to the strictest.
    pub const ALL: [Verdict; 4] = [Verdict::Allow, Verdict::Modify, Verdict::RequireApproval, Verdict::Deny];

    /// The word for programs: `allow`, `modify`, `require_approval`, `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Modify => "modify",
            Verdict::RequireApproval => "require_approval",
            Verdict::Deny => "deny",
        }
    }

    /// Whether the call may run now.
    pub fn lets_through(self) -> bool {
        match self {
            Verdict::Allow | Verdict::Modify => true,
            Verdict::RequireApproval | Verdict::Deny => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much harm a guard sees in a call: 0 to 1.
///
/// ```
/// # use agenthalt_core::verdict::Risk;
/// assert_eq!(Risk::new(0.25).map(Risk::value), Some(0.25));
/// assert!(Risk::new(1.5).is_none() && Risk::new(f64::NAN).is_none());
/// assert!(Risk::NONE < Risk::QUESTION && Risk::QUESTION < Risk::FULL);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Risk(f64);

impl Risk {
    /// No risk seen.
    pub const NONE: Risk = Risk(0.0);
    /// The largest risk.
    pub const FULL: Risk = Risk(1.0);
    /// The risk of a question that names none.
    pub const QUESTION: Risk = Risk(0.7);

    /// A risk from 0 to 1; `None` for anything else, also for what is no number.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Risk(value))
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What a call gets that no guard judges.
///
/// ```
/// # use agenthalt_core::verdict::{Unmatched, Verdict};
/// assert_eq!(Unmatched::default().verdict(), Verdict::Allow);
/// assert_eq!(Unmatched::Deny.verdict(), Verdict::Deny);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// It may run.
    #[default]
    Allow,
    /// A human decides.
    RequireApproval,
    /// It must not run.
    Deny,
}

impl Unmatched {
    /// The verdict that follows.
    pub fn verdict(self) -> Verdict {
        match self {
            Unmatched::Allow => Verdict::Allow,
            Unmatched::RequireApproval => Verdict::RequireApproval,
            Unmatched::Deny => Verdict::Deny,
        }
    }
}

/// One enforcing guard's word on the final arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice<'a> {
    /// The guard's name in the policy.
    pub guard: &'a str,
    /// What it says.
    pub verdict: Verdict,
    /// How much harm it sees.
    pub risk: Risk,
}

/// The questions that a human has answered with yes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The guards whose question the human saw.
    pub guards: BTreeSet<String>,
    /// Whether the question was that no guard judges the call.
    pub unmatched: bool,
}

/// What all voices come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    /// The verdict.
    pub verdict: Verdict,
    /// The largest risk among the voices; of nobody's question or denial, what such a one has.
    pub risk: Risk,
    /// The place of the voice that decides: the first with the strictest word.
    pub decided_by: Option<usize>,
}

/// Brings the voices to one verdict: deny > require approval > modify > allow; the first of equals
/// decides. A question that was granted counts as allowed.
pub fn combine(voices: &[Voice<'_>], unmatched: Unmatched, modified: bool, granted: &Granted) -> Combined {
    let mildest = if modified { Verdict::Modify } else { Verdict::Allow };
    if voices.is_empty() {
        let verdict = match unmatched {
            Unmatched::RequireApproval if granted.unmatched => Verdict::Allow,
            other => other.verdict(),
        };
        let risk = match verdict {
            Verdict::Allow | Verdict::Modify => Risk::NONE,
            Verdict::RequireApproval => Risk::QUESTION,
            Verdict::Deny => Risk::FULL,
        };
        return Combined { verdict: verdict.max(mildest), risk, decided_by: None };
    }
    let mut combined = Combined { verdict: mildest, risk: Risk::NONE, decided_by: None };
    for (place, voice) in voices.iter().enumerate() {
        let verdict = match voice.verdict {
            Verdict::RequireApproval if granted.guards.contains(voice.guard) => Verdict::Allow,
            other => other,
        };
        if verdict > combined.verdict || (combined.decided_by.is_none() && verdict == combined.verdict) {
            combined.verdict = verdict;
            combined.decided_by = Some(place);
        }
        if voice.risk > combined.risk {
            combined.risk = voice.risk;
        }
    }
    combined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_verdict() -> impl Strategy<Value = Verdict> {
        (0..4_usize).prop_map(|index| Verdict::ALL.get(index).copied().unwrap_or(Verdict::Deny))
    }

    fn any_voices() -> impl Strategy<Value = Vec<(Verdict, u8)>> {
        prop::collection::vec((any_verdict(), 0..=100_u8), 0..8)
    }

    fn voices(said: &[(Verdict, u8)]) -> Vec<Voice<'static>> {
        said.iter()
            .map(|(verdict, risk)| Voice {
                guard: "g",
                verdict: *verdict,
                risk: Risk::new(f64::from(*risk) / 100.0).unwrap_or(Risk::FULL),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_verdict_is_the_strictest_voice(said in any_voices(), modified: bool) {
            let combined = combine(&voices(&said), Unmatched::Allow, modified, &Granted::default());
            let mildest = if modified { Verdict::Modify } else { Verdict::Allow };
            let strictest = said.iter().map(|(verdict, _)| *verdict).max().unwrap_or(mildest).max(mildest);
            prop_assert_eq!(combined.verdict, strictest);
        }

        #[test]
        fn ties_keep_the_order_of_the_policy(said in any_voices()) {
            let combined = combine(&voices(&said), Unmatched::Allow, false, &Granted::default());
            let first = said.iter().position(|(verdict, _)| *verdict == combined.verdict);
            prop_assert_eq!(combined.decided_by, first);
        }

        #[test]
        fn another_voice_never_loosens(said in any_voices(), more in any_verdict(), at in 0..9_usize, modified: bool) {
            let before = combine(&voices(&said), Unmatched::Allow, modified, &Granted::default());
            let mut longer = said.clone();
            longer.insert(at.min(said.len()), (more, 0));
            let after = combine(&voices(&longer), Unmatched::Allow, modified, &Granted::default());
            prop_assert!(after.verdict >= before.verdict);
            prop_assert!(after.risk >= before.risk);
        }

        #[test]
        fn a_grant_never_lets_a_denied_call_through(said in any_voices()) {
            let granted = Granted { guards: ["g".to_owned()].into(), unmatched: true };
            let combined = combine(&voices(&said), Unmatched::Deny, false, &granted);
            let denied = said.is_empty() || said.iter().any(|(verdict, _)| *verdict == Verdict::Deny);
            prop_assert_eq!(combined.verdict == Verdict::Deny, denied);
        }
    }

    #[test]
    fn a_grant_answers_only_for_the_guards_that_asked() {
        let asks = |guard| Voice { guard, verdict: Verdict::RequireApproval, risk: Risk::QUESTION };
        let granted = Granted { guards: ["a".to_owned()].into(), unmatched: false };
        let combined = combine(&[asks("a")], Unmatched::Allow, false, &granted);
        assert_eq!(combined.verdict, Verdict::Allow);
        let combined = combine(&[asks("a"), asks("b")], Unmatched::Allow, false, &granted);
        assert_eq!((combined.verdict, combined.decided_by), (Verdict::RequireApproval, Some(1)));
    }

    #[test]
    fn a_call_that_no_guard_judges_gets_what_the_policy_says() {
        for (unmatched, verdict) in [
            (Unmatched::Allow, Verdict::Allow),
            (Unmatched::RequireApproval, Verdict::RequireApproval),
            (Unmatched::Deny, Verdict::Deny),
        ] {
            assert_eq!(combine(&[], unmatched, false, &Granted::default()).verdict, verdict);
        }
        let granted = Granted { guards: BTreeSet::new(), unmatched: true };
        assert_eq!(combine(&[], Unmatched::RequireApproval, false, &granted).verdict, Verdict::Allow);
    }

    #[test]
    fn a_risk_is_a_number_from_nought_to_one() {
        for value in [f64::NAN, -0.1, 1.000_001, f64::INFINITY] {
            assert_eq!(Risk::new(value), None);
        }
        assert_eq!(Risk::new(1.0), Some(Risk::FULL));
    }
}
